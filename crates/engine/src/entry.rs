//! Entries: what people write. An entry's id is the SHA-256 of its bytes; the author's device signs it, so anybody may
//! hand it on. Each names the entry of the same device before it and the newest ones of others that its author knew:
//! whoever misses one can tell. The text is apart and the entry has its hash, so that a text can be erased and all the
//! rest still be verified.

mod standing;

pub use standing::Refusal;
pub(crate) use standing::{Standing, judge};

use crate::attachment::{self, Attachment};
use crate::ledger::{self, LedgerError, Purpose};
use crate::proto;
use ed25519_dalek::SigningKey;
use prost::Message;
use ume_api::{EMOJI_BYTES_MAX, EntryId, LIFETIME_SECONDS_MAX, PICTURE_BYTES_MAX, TEXT_BYTES_MAX};
use ume_wire::auth::{Hash, hash};

/// Entries of others that a new entry points to, at most.
pub(crate) const PARENTS_MAX: usize = 4;
/// How long a post may last that does not last for ever, milliseconds: as long as relays keep what is in their lanes.
pub(crate) const LIFETIME_MS_MAX: u64 = LIFETIME_SECONDS_MAX * 1000;
/// What an announcement of a pack has at most, bytes.
pub(crate) const PACK_BYTES_MAX: usize = 12_288;
/// Random bytes before a text, so that its hash tells nothing about it.
const SALT_BYTES: usize = 16;

/// What an entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Post,
    /// Gives a post another text.
    Edit(EntryId),
    /// Takes the texts of a post and of its edits away.
    Unpublish(EntryId),
    /// Shows what its author looks like.
    Portrait,
    /// Says which blobs hold old entries; lasts as long as these.
    Pack,
    /// Puts an emoji beside a post or comment, in the place of the one that its author had there; an empty one takes it away.
    Reaction(EntryId),
    /// Like a post, in the thread of one.
    Comment(EntryId),
    /// Something of a later version: kept, handed on and missed like any other entry, and never shown.
    Other {
        /// The number of the kind.
        number: i32,
        /// Whether it has a body.
        has_body: bool,
        target: Option<EntryId>,
    },
}

impl Kind {
    /// The post or comment that it changes, and shares the end of. A comment changes nothing about its post.
    pub(crate) fn target(self) -> Option<EntryId> {
        match self {
            Self::Edit(post) | Self::Unpublish(post) | Self::Reaction(post) => Some(post),
            _ => None,
        }
    }

    /// Whether people read it by itself.
    pub(crate) fn is_writing(self) -> bool {
        matches!(self, Self::Post | Self::Comment(_))
    }

    /// The entry that it names.
    fn named(self) -> Option<EntryId> {
        match self {
            Self::Comment(post) => Some(post),
            Self::Other { target, .. } => target,
            _ => self.target(),
        }
    }

    /// Whether it may last for a time only.
    fn may_end(self) -> bool {
        !matches!(self, Self::Unpublish(_) | Self::Portrait)
    }

    fn has_body(self) -> bool {
        match self {
            Self::Unpublish(_) => false,
            Self::Other { has_body, .. } => has_body,
            _ => true,
        }
    }

    fn number(self) -> i32 {
        let kind = match self {
            Self::Post => proto::EntryKind::Post,
            Self::Edit(_) => proto::EntryKind::Edit,
            Self::Unpublish(_) => proto::EntryKind::Unpublish,
            Self::Portrait => proto::EntryKind::Portrait,
            Self::Pack => proto::EntryKind::Pack,
            Self::Reaction(_) => proto::EntryKind::Reaction,
            Self::Comment(_) => proto::EntryKind::Comment,
            Self::Other { number, .. } => return number,
        };
        kind.into()
    }

    fn parse(entry: &proto::Entry) -> Result<Self, LedgerError> {
        let malformed = LedgerError::Malformed;
        let target = if entry.target.is_empty() {
            None
        } else {
            Some(ledger::key(&entry.target).map(EntryId)?)
        };
        let kind = proto::EntryKind::try_from(entry.kind);
        Ok(match (kind, target) {
            (Ok(proto::EntryKind::Post), None) => Self::Post,
            (Ok(proto::EntryKind::Portrait), None) => Self::Portrait,
            (Ok(proto::EntryKind::Pack), None) if entry.expires_ms != 0 => Self::Pack,
            (Ok(proto::EntryKind::Edit), Some(post)) => Self::Edit(post),
            (Ok(proto::EntryKind::Unpublish), Some(post)) => Self::Unpublish(post),
            (Ok(proto::EntryKind::Reaction), Some(post)) => Self::Reaction(post),
            (Ok(proto::EntryKind::Comment), Some(post)) => Self::Comment(post),
            (Err(_), target) if entry.kind > 0 => Self::Other {
                number: entry.kind,
                has_body: !entry.body.is_empty(),
                target,
            },
            _ => return Err(malformed),
        })
    }
}

/// An entry whose signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: EntryId,
    pub(crate) community: Hash,
    pub(crate) kind: Kind,
    pub(crate) author: Hash,
    pub(crate) leaf: Hash,
    pub(crate) seq: u64,
    pub(crate) previous: Option<EntryId>,
    pub(crate) parents: Vec<EntryId>,
    pub(crate) time_ms: u64,
    /// When its texts are to be erased; `None`: never.
    pub(crate) expires_ms: Option<u64>,
    /// Its text; `None` if it has none, or none any more.
    pub(crate) text: Option<String>,
    /// The picture of a portrait; empty: none any more.
    pub(crate) picture: Option<Vec<u8>>,
    /// Files beside the text; `None` in the place of one that this version cannot make sense of.
    pub(crate) files: Vec<Option<Attachment>>,
    /// Statements of the ledger that its author knew.
    pub(crate) ledger: u32,
    /// As it was signed, to be handed on.
    pub(crate) written: proto::Written,
}

impl Entry {
    /// Whether it should have a text or picture and does not.
    pub(crate) fn is_bare(&self) -> bool {
        self.kind.has_body() && self.written.body.is_empty()
    }

    /// What is in its body, if that is here.
    pub(crate) fn content(&self) -> &[u8] {
        self.written.body.get(SALT_BYTES..).unwrap_or_default()
    }

    /// Whether its time is over by this clock.
    pub(crate) fn is_over(&self, time_ms: u64) -> bool {
        self.expires_ms.is_some_and(|at| at <= time_ms)
    }

    /// Whether it was to last for a time only, and its text is gone: it is over for good.
    pub(crate) fn has_ended(&self) -> bool {
        self.expires_ms.is_some() && self.is_bare()
    }

    /// Takes the text away, also from what is handed on.
    pub(crate) fn erase(&mut self) {
        self.text = None;
        self.files.clear();
        self.written.body.clear();
    }
}

/// What a new entry says and where it stands.
pub(crate) struct Draft {
    pub(crate) kind: Kind,
    pub(crate) seq: u64,
    pub(crate) previous: Option<EntryId>,
    pub(crate) parents: Vec<EntryId>,
    pub(crate) time_ms: u64,
    /// When its texts are to be erased; `None`: never.
    pub(crate) expires_ms: Option<u64>,
    /// Text or picture; empty for an entry without.
    pub(crate) content: Vec<u8>,
    pub(crate) salt: [u8; SALT_BYTES],
    pub(crate) ledger: u32,
}

/// Signs a new entry without files.
#[cfg(test)]
pub(crate) fn write(
    community: &Hash,
    author: &Hash,
    leaf: &SigningKey,
    draft: Draft,
) -> proto::Written {
    write_with(community, author, leaf, draft, &[])
}

/// Signs a new entry; `files`: what [`attachment::write`] made of those beside the text, or nothing.
pub(crate) fn write_with(
    community: &Hash,
    author: &Hash,
    leaf: &SigningKey,
    draft: Draft,
    files: &[u8],
) -> proto::Written {
    let body = if draft.kind.has_body() {
        [&draft.salt[..], &draft.content, files].concat()
    } else {
        vec![]
    };
    let entry = proto::Entry {
        community: community.to_vec(),
        kind: draft.kind.number(),
        author: author.to_vec(),
        leaf: leaf.verifying_key().to_bytes().to_vec(),
        seq: draft.seq,
        previous: id_bytes(draft.previous),
        parents: draft.parents.into_iter().map(|id| id.0.to_vec()).collect(),
        time_ms: draft.time_ms,
        body: if body.is_empty() {
            vec![]
        } else {
            hash(&body).to_vec()
        },
        target: id_bytes(draft.kind.named()),
        ledger: draft.ledger,
        expires_ms: draft.expires_ms.unwrap_or_default(),
        attached: u32::try_from(files.len()).unwrap_or(u32::MAX),
    };
    proto::Written {
        entry: Some(ledger::sign(leaf, Purpose::Entry, entry.encode_to_vec())),
        body,
    }
}

fn id_bytes(id: Option<EntryId>) -> Vec<u8> {
    id.map(|id| id.0.to_vec()).unwrap_or_default()
}

/// The id of an entry that travels.
pub(crate) fn id(written: &proto::Written) -> Option<EntryId> {
    let signed = written.entry.as_ref()?;
    Some(EntryId(hash(&signed.content)))
}

/// Checks what an entry says of itself: whole, of this community, signed by the device that it names. Whether that device
/// may write is for [`judge`].
pub(crate) fn verify(written: &proto::Written, community: &Hash) -> Result<Entry, LedgerError> {
    let entry = parse(written)?;
    if entry.community != *community {
        return Err(LedgerError::Community);
    }
    let signed = written.entry.as_ref().ok_or(LedgerError::Malformed)?;
    ledger::check(
        &entry.leaf,
        Purpose::Entry,
        &signed.content,
        &signed.signature,
    )?;
    Ok(entry)
}

/// Reads an entry that was verified before.
pub(crate) fn parse(written: &proto::Written) -> Result<Entry, LedgerError> {
    let malformed = LedgerError::Malformed;
    let signed = written.entry.as_ref().ok_or(malformed)?;
    let entry = proto::Entry::decode(&signed.content[..]).map_err(|_| malformed)?;
    let some_id = |bytes: &[u8]| ledger::key(bytes).map(EntryId);
    let kind = Kind::parse(&entry)?;
    let attached = usize::try_from(entry.attached).unwrap_or(usize::MAX);
    let may_attach = kind.is_writing() && attached <= attachment::LIST_BYTES_MAX;
    let sound = kind.has_body() != entry.body.is_empty()
        && (attached == 0 || may_attach || matches!(kind, Kind::Other { .. }))
        && entry.parents.len() <= PARENTS_MAX
        && entry.seq >= 1
        && entry.previous.is_empty() == (entry.seq == 1);
    if !sound {
        return Err(malformed);
    }
    let expires_ms = Some(entry.expires_ms).filter(|at| *at != 0);
    let lasts = expires_ms.map(|at| at.checked_sub(entry.time_ms));
    let lasts_soundly = match lasts {
        None => true,
        Some(lasts) => {
            kind.may_end() && lasts.is_some_and(|ms| (1..=LIFETIME_MS_MAX).contains(&ms))
        }
    };
    if !lasts_soundly {
        return Err(malformed);
    }
    let (mut text, mut picture, mut files) = (None, None, vec![]);
    if let Some(content) = content(&written.body, &entry.body)? {
        match kind {
            _ if kind.is_writing() && attached > 0 => {
                let at = content.len().checked_sub(attached).ok_or(malformed)?;
                let (words, list) = content.split_at(at);
                // What has files needs no words.
                text = Some(if words.is_empty() {
                    String::new()
                } else {
                    sound_text(words).ok_or(malformed)?
                });
                files = attachment::read(list);
            }
            Kind::Portrait if content.len() <= PICTURE_BYTES_MAX => {
                picture = Some(content.to_vec());
            }
            Kind::Pack if content.len() <= PACK_BYTES_MAX => {}
            Kind::Other { .. } if content.len() <= TEXT_BYTES_MAX => {}
            Kind::Portrait | Kind::Pack | Kind::Other { .. } => return Err(malformed),
            Kind::Reaction(_) if content.is_empty() => text = Some(String::new()),
            Kind::Reaction(_) if content.len() > EMOJI_BYTES_MAX => return Err(malformed),
            _ => text = Some(sound_text(content).ok_or(malformed)?),
        }
    }
    let previous = if entry.previous.is_empty() {
        None
    } else {
        Some(some_id(&entry.previous)?)
    };
    let parents: Result<Vec<_>, _> = entry.parents.iter().map(|id| some_id(id)).collect();
    Ok(Entry {
        id: EntryId(hash(&signed.content)),
        community: ledger::key(&entry.community)?,
        kind,
        author: ledger::key(&entry.author)?,
        leaf: ledger::key(&entry.leaf)?,
        seq: entry.seq,
        previous,
        parents: parents?,
        time_ms: entry.time_ms,
        expires_ms,
        text,
        picture,
        files,
        ledger: entry.ledger,
        written: written.clone(),
    })
}

/// What is in a body, if it is here and the one that was signed.
fn content<'a>(body: &'a [u8], digest: &[u8]) -> Result<Option<&'a [u8]>, LedgerError> {
    if body.is_empty() {
        return Ok(None);
    }
    match body.get(SALT_BYTES..) {
        Some(content) if hash(body)[..] == *digest => Ok(Some(content)),
        _ => Err(LedgerError::Malformed),
    }
}

fn sound_text(text: &[u8]) -> Option<String> {
    let fits = (1..=TEXT_BYTES_MAX).contains(&text.len());
    fits.then(|| String::from_utf8(text.to_vec()).ok())?
}

#[cfg(test)]
mod tests;

//! Entries: what people write. An entry's id is the SHA-256 of its bytes; the author's device signs it, so anybody may
//! hand it on. Each names the entry of the same device before it and the newest ones of others that its author knew:
//! whoever misses one can tell. The text is apart and the entry has its hash, so that a text can be erased and all the
//! rest still be verified.

mod standing;

pub use standing::Refusal;
pub(crate) use standing::{Standing, judge};

use crate::ledger::{self, LedgerError, Purpose};
use crate::proto;
use ed25519_dalek::SigningKey;
use prost::Message;
use ume_api::{EntryId, LIFETIME_SECONDS_MAX, PICTURE_BYTES_MAX, TEXT_BYTES_MAX};
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
}

impl Kind {
    /// The post that it is about, if it is none itself.
    pub(crate) fn target(self) -> Option<EntryId> {
        match self {
            Self::Post | Self::Portrait | Self::Pack => None,
            Self::Edit(post) | Self::Unpublish(post) => Some(post),
        }
    }

    /// Whether it may last for a time only.
    fn may_end(self) -> bool {
        matches!(self, Self::Post | Self::Edit(_) | Self::Pack)
    }

    fn has_body(self) -> bool {
        !matches!(self, Self::Unpublish(_))
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

/// Signs a new entry.
pub(crate) fn write(
    community: &Hash,
    author: &Hash,
    leaf: &SigningKey,
    draft: Draft,
) -> proto::Written {
    let body = if draft.kind.has_body() {
        [&draft.salt[..], &draft.content].concat()
    } else {
        vec![]
    };
    let kind = match draft.kind {
        Kind::Post => proto::EntryKind::Post,
        Kind::Edit(_) => proto::EntryKind::Edit,
        Kind::Unpublish(_) => proto::EntryKind::Unpublish,
        Kind::Portrait => proto::EntryKind::Portrait,
        Kind::Pack => proto::EntryKind::Pack,
    };
    let entry = proto::Entry {
        community: community.to_vec(),
        kind: kind.into(),
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
        target: id_bytes(draft.kind.target()),
        ledger: draft.ledger,
        expires_ms: draft.expires_ms.unwrap_or_default(),
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
    let kind = match entry.kind() {
        proto::EntryKind::Post if entry.target.is_empty() => Kind::Post,
        proto::EntryKind::Portrait if entry.target.is_empty() => Kind::Portrait,
        proto::EntryKind::Pack if entry.target.is_empty() && entry.expires_ms != 0 => Kind::Pack,
        proto::EntryKind::Edit => Kind::Edit(some_id(&entry.target)?),
        proto::EntryKind::Unpublish => Kind::Unpublish(some_id(&entry.target)?),
        _ => return Err(malformed),
    };
    let sound = kind.has_body() != entry.body.is_empty()
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
    let (mut text, mut picture) = (None, None);
    if let Some(content) = content(&written.body, &entry.body)? {
        match kind {
            Kind::Portrait if content.len() <= PICTURE_BYTES_MAX => {
                picture = Some(content.to_vec());
            }
            Kind::Pack if content.len() <= PACK_BYTES_MAX => {}
            Kind::Portrait | Kind::Pack => return Err(malformed),
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

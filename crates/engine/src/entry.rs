//! Entries: what people write. An entry's id is the SHA-256 of its bytes; the author's device signs it, so anybody may
//! hand it on. Each names the entry of the same device before it and the newest ones of others that its author knew:
//! whoever misses one can tell.

use crate::ledger::{self, Ledger, LedgerError, Purpose};
use crate::proto;
use ed25519_dalek::SigningKey;
use prost::Message;
use ume_api::{EntryId, TEXT_BYTES_MAX};
use ume_wire::auth::{Hash, hash};

/// Entries of others that a new entry points to, at most.
pub(crate) const PARENTS_MAX: usize = 4;

/// An entry whose signature holds and whose author is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: EntryId,
    pub(crate) community: Hash,
    pub(crate) author: Hash,
    pub(crate) leaf: Hash,
    pub(crate) seq: u64,
    pub(crate) previous: Option<EntryId>,
    pub(crate) parents: Vec<EntryId>,
    pub(crate) time_ms: u64,
    pub(crate) text: String,
    /// As it was signed, to be handed on.
    pub(crate) signed: proto::Signed,
}

/// What a new entry says and where it stands.
pub(crate) struct Draft {
    pub(crate) seq: u64,
    pub(crate) previous: Option<EntryId>,
    pub(crate) parents: Vec<EntryId>,
    pub(crate) time_ms: u64,
    pub(crate) text: String,
}

/// Signs a new entry.
pub(crate) fn write(
    community: &Hash,
    author: &Hash,
    leaf: &SigningKey,
    draft: Draft,
) -> proto::Signed {
    let entry = proto::Entry {
        community: community.to_vec(),
        kind: proto::EntryKind::Post.into(),
        author: author.to_vec(),
        leaf: leaf.verifying_key().to_bytes().to_vec(),
        seq: draft.seq,
        previous: draft.previous.map(|id| id.0.to_vec()).unwrap_or_default(),
        parents: draft.parents.iter().map(|id| id.0.to_vec()).collect(),
        time_ms: draft.time_ms,
        text: draft.text,
    };
    ledger::sign(leaf, Purpose::Entry, entry.encode_to_vec())
}

/// Checks an entry against the ledger: signed by a device that is or was its author's.
pub(crate) fn verify(signed: &proto::Signed, ledger: &Ledger) -> Result<Entry, LedgerError> {
    let entry = parse(signed)?;
    if ledger.persona_of(&entry.leaf) != Some(&entry.author) {
        return Err(LedgerError::Authority);
    }
    if entry.community != ledger.community {
        return Err(LedgerError::Malformed);
    }
    ledger::check(
        &entry.leaf,
        Purpose::Entry,
        &signed.content,
        &signed.signature,
    )?;
    Ok(entry)
}

/// Reads an entry that was verified before.
pub(crate) fn parse(signed: &proto::Signed) -> Result<Entry, LedgerError> {
    let entry = proto::Entry::decode(&signed.content[..]).map_err(|_| LedgerError::Malformed)?;
    let sound = entry.kind == i32::from(proto::EntryKind::Post)
        && (1..=TEXT_BYTES_MAX).contains(&entry.text.len())
        && entry.parents.len() <= PARENTS_MAX
        && entry.seq >= 1
        && entry.previous.is_empty() == (entry.seq == 1);
    if !sound {
        return Err(LedgerError::Malformed);
    }
    let previous = if entry.previous.is_empty() {
        None
    } else {
        Some(EntryId(ledger::key(&entry.previous)?))
    };
    let parents: Result<Vec<_>, _> = entry
        .parents
        .iter()
        .map(|id| ledger::key(id).map(EntryId))
        .collect();
    Ok(Entry {
        id: EntryId(hash(&signed.content)),
        community: ledger::key(&entry.community)?,
        author: ledger::key(&entry.author)?,
        leaf: ledger::key(&entry.leaf)?,
        seq: entry.seq,
        previous,
        parents: parents?,
        time_ms: entry.time_ms,
        text: entry.text,
        signed: signed.clone(),
    })
}

#[cfg(test)]
mod tests;

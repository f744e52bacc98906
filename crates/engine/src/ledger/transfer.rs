//! Who owns a post: at first its author, then whoever it was given to. The chain of owners follows from the post and the
//! ledger alone.

use super::{Effect, Ledger, LedgerError, key};
use crate::entry::Entry;
use crate::proto;
use std::collections::BTreeMap;
use ume_api::{EntryId, Role};
use ume_wire::auth::Hash;

/// Posts that were given to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transfer {
    /// The number of the statement.
    pub(crate) point: u32,
    /// When, by who did it.
    pub(crate) time_ms: u64,
    /// Who did it.
    pub(crate) by: Hash,
    pub(crate) from: Hash,
    pub(crate) to: Hash,
    /// `None`: all that `from` owned.
    entry: Option<EntryId>,
    /// How far the devices of `from` had come.
    last: BTreeMap<Hash, (u64, EntryId)>,
}

impl Transfer {
    /// All that somebody owned.
    pub(super) fn of_all(
        point: u32,
        time_ms: u64,
        by: Hash,
        from: Hash,
        to: Hash,
        last: BTreeMap<Hash, (u64, EntryId)>,
    ) -> Self {
        Self {
            point,
            time_ms,
            by,
            from,
            to,
            entry: None,
            last,
        }
    }
}

impl Ledger {
    pub(super) fn transfer(
        &mut self,
        signer: &Hash,
        transfer: &proto::Transfer,
    ) -> Result<Effect, LedgerError> {
        let by = *self.current(signer)?;
        let (from, to) = (key(&transfer.from)?, key(&transfer.to)?);
        if by != from && self.role(&by) != Some(Role::Owner) {
            return Err(LedgerError::Authority);
        }
        if !self.knows(&from) || self.role(&to).is_none() {
            return Err(LedgerError::Unknown);
        }
        if from == to {
            return Err(LedgerError::Repeated);
        }
        let entry = match transfer.entry.len() {
            0 => None,
            _ => Some(EntryId(key(&transfer.entry)?)),
        };
        let mut last = BTreeMap::new();
        for frontier in &transfer.frontiers {
            let leaf = key(&frontier.leaf)?;
            let place = (frontier.seq, EntryId(key(&frontier.entry)?));
            let theirs = self.persona_of(&leaf) == Some(&from);
            if !theirs || frontier.seq == 0 || last.insert(leaf, place).is_some() {
                return Err(LedgerError::Malformed);
            }
        }
        self.transfers.push(Transfer {
            point: self.point(),
            time_ms: transfer.time_ms,
            by,
            from,
            to,
            entry,
            last,
        });
        Ok(Effect::Transferred)
    }

    /// How a post came to its owner: the transfers that moved it, oldest first.
    pub(crate) fn owners(&self, post: &Entry) -> Vec<&Transfer> {
        let mut owner = post.author;
        let mut chain = Vec::new();
        for transfer in &self.transfers {
            let meant = match transfer.entry {
                Some(id) => id == post.id,
                // What somebody writes later is theirs.
                None => post.ledger < transfer.point,
            };
            if meant && transfer.from == owner {
                owner = transfer.to;
                chain.push(transfer);
            }
        }
        chain
    }

    /// Who owns a post now.
    pub(crate) fn post_owner(&self, post: &Entry) -> Hash {
        let last = self.owners(post).last().map(|transfer| transfer.to);
        last.unwrap_or(post.author)
    }

    /// Who owned a post at a point of the ledger.
    pub(crate) fn post_owner_at(&self, post: &Entry, point: u32) -> Hash {
        let chain = self.owners(post).into_iter();
        let before = chain.take_while(|transfer| transfer.point <= point);
        before.last().map_or(post.author, |transfer| transfer.to)
    }

    /// Whether an edit was made before its author gave the post away, if they did so after the point at which it says to
    /// have been written. `leads_to`: whether the edit is in the chain of its device that ends in an entry.
    pub(crate) fn edit_is_in_time(
        &self,
        post: &Entry,
        edit: &Entry,
        leads_to: impl FnOnce((u64, EntryId)) -> bool,
    ) -> bool {
        let chain = self.owners(post);
        let mut given = chain.iter();
        given
            .find(|one| one.from == edit.author && one.point > edit.ledger)
            .is_none_or(|given| {
                given
                    .last
                    .get(&edit.leaf)
                    .is_some_and(|last| leads_to(*last))
            })
    }
}

#[cfg(test)]
mod tests;

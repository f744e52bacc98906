//! Who owns a post: at first its author, then whoever it was given to. The chain of owners follows from the post and the
//! ledger alone.

use super::{Effect, Ledger, LedgerError, key};
use crate::entry::Entry;
use crate::proto;
use std::collections::{BTreeMap, BTreeSet};
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
    what: What,
    /// How far the devices of `from` had come.
    last: BTreeMap<Hash, (u64, EntryId)>,
}

/// Which posts a transfer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    One(EntryId),
    /// All that `from` owned.
    All,
    /// All that an earlier statement moved, whoever owned them since.
    Moved(u32),
}

impl Transfer {
    /// Whether it may have taken a post from somebody.
    fn takes_from(&self, person: &Hash) -> bool {
        let from_anybody = matches!(self.what, What::Moved(_)) && self.to != *person;
        self.from == *person || from_anybody
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
        let what = match transfer.entry.len() {
            0 => What::All,
            _ => What::One(EntryId(key(&transfer.entry)?)),
        };
        let last = self.last_entries(&transfer.frontiers, |persona| *persona == from)?;
        self.give((by, transfer.time_ms), (from, to), what, last);
        Ok(Effect::Transferred)
    }

    /// Notes with this statement, which its signer made at a time, that posts go from one person to another.
    pub(super) fn give(
        &mut self,
        (by, time_ms): (Hash, u64),
        (from, to): (Hash, Hash),
        what: What,
        last: BTreeMap<Hash, (u64, EntryId)>,
    ) {
        self.transfers.push(Transfer {
            point: self.point(),
            time_ms,
            by,
            from,
            to,
            what,
            last,
        });
    }

    /// How far devices had come, of people of whom that may be said.
    pub(super) fn last_entries(
        &self,
        frontiers: &[proto::Frontier],
        of: impl Fn(&Hash) -> bool,
    ) -> Result<BTreeMap<Hash, (u64, EntryId)>, LedgerError> {
        let mut last = BTreeMap::new();
        for frontier in frontiers {
            let leaf = key(&frontier.leaf)?;
            let place = (frontier.seq, EntryId(key(&frontier.entry)?));
            let theirs = self.persona_of(&leaf).is_some_and(&of);
            if !theirs || frontier.seq == 0 || last.insert(leaf, place).is_some() {
                return Err(LedgerError::Malformed);
            }
        }
        Ok(last)
    }

    /// Everybody who was given posts since a point of the ledger.
    pub(crate) fn given_since(&self, point: u32) -> BTreeSet<Hash> {
        let later = self.transfers.iter().filter(|one| one.point >= point);
        later.map(|one| one.to).collect()
    }

    /// How a post came to its owner: the transfers that moved it, oldest first.
    pub(crate) fn owners(&self, post: &Entry) -> Vec<&Transfer> {
        let mut owner = post.author;
        let mut chain: Vec<&Transfer> = Vec::new();
        for transfer in &self.transfers {
            let theirs = transfer.from == owner;
            let meant = match transfer.what {
                What::One(id) => theirs && id == post.id,
                // What somebody writes later is theirs.
                What::All => theirs && post.ledger < transfer.point,
                What::Moved(point) => chain.iter().any(|one| one.point == point),
            };
            if meant {
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
            .find(|one| one.takes_from(&edit.author) && one.point > edit.ledger)
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

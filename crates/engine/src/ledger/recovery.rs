//! A person who lost their key: an owner, who has made sure of it outside of the community, gives what they were and owned to
//! the new persona under which they came in again. A device of the old persona that turns up can contest it, and an owner can
//! undo it; neither happens by itself.

use super::transfer::What;
use super::{Effect, Ledger, LedgerError, Purpose, check, key};
use crate::proto;
use prost::Message;
use ume_api::Role;
use ume_wire::auth::Hash;

/// Somebody who came in again after they lost their key, as an owner says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recovery {
    pub(crate) old: Hash,
    pub(crate) new: Hash,
    /// The number of the statement,
    pub(crate) point: u32,
    /// and the ledger's hash with it: what a contest names.
    pub(crate) head: Hash,
    /// What the old persona was, and the new one before.
    roles: (Role, Role),
    /// Whether a device of the old persona says that it was a mistake.
    pub(crate) contested: bool,
    pub(crate) undone: bool,
}

impl Ledger {
    pub(super) fn recover(
        &mut self,
        signer: &Hash,
        recover: &proto::Recover,
    ) -> Result<Effect, LedgerError> {
        let by = self.owner(signer)?;
        let (old, new) = (key(&recover.old)?, key(&recover.new)?);
        let was = self.role(&old).ok_or(LedgerError::Unknown)?;
        let is = self.role(&new).ok_or(LedgerError::Unknown)?;
        if old == new {
            return Err(LedgerError::Repeated);
        }
        // Nobody takes ownership from an owner, not even in this way.
        if was == Role::Owner {
            return Err(LedgerError::Authority);
        }
        self.taking_rights(&recover.frontiers, |ledger| {
            ledger.part(old);
            if was > is {
                ledger.become_role(new, was);
            }
        })?;
        let last = self.last_entries(&recover.frontiers, |_| true)?;
        self.give((by, recover.time_ms), (old, new), What::All, last);
        self.recoveries.push(Recovery {
            old,
            new,
            point: self.point(),
            head: [0; 32],
            roles: (was, is),
            contested: false,
            undone: false,
        });
        Ok(Effect::Removed { ban: false })
    }

    /// Any member may carry what a device says that is out by a recovery. It says it once, and nothing else follows from it.
    pub(super) fn contest(
        &mut self,
        signer: &Hash,
        contest: &proto::Contest,
    ) -> Result<Effect, LedgerError> {
        self.current(signer)?;
        let said = contest.claim.as_ref().ok_or(LedgerError::Malformed)?;
        let claim =
            proto::ContestClaim::decode(&said.content[..]).map_err(|_| LedgerError::Malformed)?;
        let leaf = key(&claim.leaf)?;
        check(&leaf, Purpose::Contest, &said.content, &said.signature)?;
        if claim.community != self.community {
            return Err(LedgerError::Community);
        }
        let (persona, end) = (self.persona_of(&leaf).copied(), self.end_of(&leaf));
        let mut recoveries = self.recoveries.iter_mut();
        let recovery = recoveries
            .find(|one| one.head[..] == claim.recover[..])
            .ok_or(LedgerError::Unknown)?;
        // A device that went in another way has nothing to say about it.
        if persona != Some(recovery.old) || end != Some(recovery.point) {
            return Err(LedgerError::Authority);
        }
        if recovery.undone || std::mem::replace(&mut recovery.contested, true) {
            return Err(LedgerError::Repeated);
        }
        Ok(Effect::Contested)
    }

    pub(super) fn undo_recovery(
        &mut self,
        signer: &Hash,
        undo: &proto::RecoverUndo,
    ) -> Result<Effect, LedgerError> {
        let by = self.owner(signer)?;
        let old = key(&undo.old)?;
        let place = self.recoveries.iter().rposition(|one| one.old == old);
        let place = place.ok_or(LedgerError::Unknown)?;
        let recovery = self.recoveries[place].clone();
        if recovery.undone {
            return Err(LedgerError::Repeated);
        }
        let (new, (was, before)) = (recovery.new, recovery.roles);
        self.taking_rights(&undo.frontiers, |ledger| {
            // Unless an owner gave them another one since, which is theirs.
            if was > before && ledger.role(&new) == Some(was) {
                ledger.become_role(new, before);
            }
        })?;
        let owned = self.given_since(recovery.point);
        let last = self.last_entries(&undo.edits, |person| owned.contains(person))?;
        let what = What::Moved(recovery.point);
        self.give((by, undo.time_ms), (new, old), what, last);
        self.recoveries[place].undone = true;
        self.returning.insert(old, was);
        Ok(Effect::RecoveryUndone)
    }

    /// How somebody came to be who somebody else was, if that holds.
    pub(crate) fn recovery_of(&self, new: &Hash) -> Option<&Recovery> {
        let mut recoveries = self.recoveries.iter().rev();
        recoveries.find(|one| one.new == *new && !one.undone)
    }

    /// Who is said to be somebody who is out now.
    pub(crate) fn recovery_from(&self, old: &Hash) -> Option<&Recovery> {
        let mut recoveries = self.recoveries.iter().rev();
        recoveries.find(|one| one.old == *old && !one.undone)
    }

    /// The recovery that a statement was.
    pub(crate) fn recovery_at(&self, point: u32) -> Option<&Recovery> {
        self.recoveries.iter().find(|one| one.point == point)
    }

    /// Devices that may still contest a recovery, the newest first.
    pub(crate) fn may_contest(&self) -> impl Iterator<Item = Hash> {
        let open = self.recoveries.iter().rev();
        open.filter(|one| !one.contested && !one.undone)
            .flat_map(move |one| {
                let out = move |leaf: &&Hash| self.end_of(leaf) == Some(one.point);
                self.leaves_of(&one.old).filter(out).copied()
            })
    }
}

#[cfg(test)]
mod tests;

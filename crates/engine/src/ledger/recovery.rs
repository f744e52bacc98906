//! A person who lost their key: an owner, who has made sure of it outside of the community, gives what they were and owned to
//! the new persona under which they came in again.

use super::transfer::Transfer;
use super::{Effect, Ledger, LedgerError, key};
use crate::proto;
use ume_api::{EntryId, Role};
use ume_wire::auth::Hash;

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
        let last = recover.frontiers.iter().map(|one| {
            let entry = EntryId(key(&one.entry)?);
            Ok((key(&one.leaf)?, (one.seq, entry)))
        });
        let last = last.collect::<Result<_, LedgerError>>()?;
        let point = self.point();
        let time_ms = recover.time_ms;
        self.transfers
            .push(Transfer::of_all(point, time_ms, by, old, new, last));
        self.recovered.insert(new, old);
        Ok(Effect::Removed { ban: false })
    }
}

#[cfg(test)]
mod tests;

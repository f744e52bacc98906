//! A group that begins anew: an owner says so, with the number from which its generations are counted on.

use super::{Effect, Ledger, LedgerError};
use crate::proto;
use ume_wire::auth::Hash;

/// Generations of one incarnation of the group: each incarnation begins with a multiple of this.
pub(crate) const INCARNATION: u32 = 1 << 20;

/// That the group began anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rebirth {
    /// The owner who began it.
    pub(crate) by: Hash,
    /// The first generation of the incarnation.
    pub(crate) generation: u32,
    /// By the owner's clock.
    pub(crate) time_ms: u64,
    /// The number of the statement,
    pub(super) point: u32,
    /// and the ledger's hash with it, by which it is told from another one for the same generation.
    pub(crate) head: Hash,
}

impl Ledger {
    pub(super) fn begin_anew(
        &mut self,
        signer: &Hash,
        rebirth: &proto::Rebirth,
    ) -> Result<Effect, LedgerError> {
        let by = self.owner(signer)?;
        let generation = rebirth.generation;
        if !generation.is_multiple_of(INCARNATION) || generation <= self.incarnation() {
            return Err(LedgerError::Malformed);
        }
        self.rebirths.push(Rebirth {
            by,
            generation,
            time_ms: rebirth.time_ms,
            point: self.point(),
            head: [0; 32],
        });
        Ok(Effect::Reborn)
    }

    /// The first generation of the incarnation that this ledger is of; 0 if the group never began anew.
    pub(crate) fn incarnation(&self) -> u32 {
        self.rebirths.last().map_or(0, |one| one.generation)
    }
}

#[cfg(test)]
mod tests;

//! Ownership is handed over by an offer and its acceptance, both in the ledger.

use super::{Effect, Ledger, LedgerError, key};
use crate::proto;
use ume_api::{PersonId, Role};
use ume_wire::auth::Hash;

/// Offers that one owner may have open.
const OFFERS_MAX: usize = 16;

impl Ledger {
    pub(super) fn offer_ownership(
        &mut self,
        signer: &Hash,
        offer: &proto::OwnerOffer,
    ) -> Result<Effect, LedgerError> {
        let by = self.owner(signer)?;
        let to = key(&offer.persona)?;
        let place = (to, by);
        if !offer.on {
            self.offers.remove(&place).ok_or(LedgerError::Repeated)?;
            return Ok(Effect::OwnershipOffered);
        }
        match self.role(&to) {
            None => return Err(LedgerError::Unknown),
            Some(Role::Owner) => return Err(LedgerError::Repeated),
            Some(_) => {}
        }
        if self.offers.get(&place) == Some(&offer.stay) {
            return Err(LedgerError::Repeated);
        }
        let open = self.offers.keys().filter(|(_, one)| *one == by).count();
        if open >= OFFERS_MAX {
            return Err(LedgerError::TooMany);
        }
        self.offers.insert(place, offer.stay);
        Ok(Effect::OwnershipOffered)
    }

    /// Who offers their ownership to somebody.
    pub(crate) fn offered(&self, to: &Hash) -> Vec<PersonId> {
        let offers = self.offers.keys().filter(|(one, _)| one == to);
        let stands = offers.filter(|(_, by)| self.role(by) == Some(Role::Owner));
        stands.map(|(_, by)| PersonId(*by)).collect()
    }

    /// To whom somebody offers their ownership.
    pub(crate) fn offering(&self, by: &Hash) -> Vec<PersonId> {
        let offers = self.offers.keys().filter(|(_, one)| one == by);
        let stands = offers.filter(|(to, by)| {
            self.role(by) == Some(Role::Owner)
                && self.role(to).is_some_and(|role| role < Role::Owner)
        });
        stands.map(|(to, _)| PersonId(*to)).collect()
    }

    pub(super) fn accept_ownership(
        &mut self,
        signer: &Hash,
        accept: &proto::OwnerAccept,
    ) -> Result<Effect, LedgerError> {
        let to = *self.current(signer)?;
        let by = key(&accept.by)?;
        if accept.decline {
            self.offers.remove(&(to, by)).ok_or(LedgerError::Repeated)?;
            return Ok(Effect::OwnershipOffered);
        }
        let stays = self.offers.get(&(to, by)).copied();
        let stays = stays.ok_or(LedgerError::Authority)?;
        // Who is no longer an owner has nothing to hand over.
        if self.role(&by) != Some(Role::Owner) || self.role(&to) == Some(Role::Owner) {
            return Err(LedgerError::Authority);
        }
        // With the rules as they are an admin may lose the right to post by it, like anybody.
        self.taking_rights(&accept.frontiers, |ledger| {
            ledger.become_role(to, Role::Owner);
            if !stays {
                ledger.become_role(by, Role::Admin);
            }
        })?;
        self.offers.retain(|(one, _), _| *one != to);
        if !stays {
            self.offers.retain(|(_, one), _| *one != by);
        }
        Ok(Effect::RightsChanged)
    }
}

#[cfg(test)]
mod tests;

//! How people and invites come to an end.

use super::{Effect, Ledger, LedgerError, key};
use crate::proto;
use ume_api::{Right, Role};
use ume_wire::auth::Hash;

impl Ledger {
    pub(super) fn remove(
        &mut self,
        signer: &Hash,
        remove: &proto::Remove,
    ) -> Result<Effect, LedgerError> {
        let by = self.entitled(signer, Right::Moderate)?;
        let persona = key(&remove.persona)?;
        let theirs = self.role(&persona).ok_or(LedgerError::Unknown)?;
        if self.role(&by) <= Some(theirs) {
            return Err(LedgerError::Authority);
        }
        self.taking_rights(&remove.frontiers, |ledger| ledger.part(persona))?;
        if remove.ban {
            self.banned.insert(persona);
            for invite in self.invites.values_mut() {
                invite.banned |= !invite.revoked;
                invite.revoked = true;
            }
        }
        Ok(Effect::Removed { ban: remove.ban })
    }

    pub(super) fn leave(
        &mut self,
        signer: &Hash,
        leave: &proto::Leave,
    ) -> Result<Effect, LedgerError> {
        let persona = *self.current(signer)?;
        let owner = |member: &&super::Member| member.role == Role::Owner;
        let last_owner = self.role(&persona) == Some(Role::Owner)
            && self.members.values().filter(owner).count() == 1;
        // A community without an owner could never change again.
        if last_owner {
            return Err(LedgerError::Authority);
        }
        self.taking_rights(&leave.frontiers, |ledger| ledger.part(persona))?;
        self.left.insert(persona);
        Ok(Effect::Left)
    }

    pub(super) fn part(&mut self, persona: Hash) {
        if let Some(member) = self.members.remove(&persona) {
            let point = self.point();
            let leaves = member.leaves.iter();
            self.ends.extend(leaves.map(|leaf| (*leaf, point)));
            self.former.insert(persona, member);
            self.rights.begin(persona, point, None);
        }
    }

    pub(super) fn revoke_invite(
        &mut self,
        signer: &Hash,
        revoke: &proto::InviteRevoke,
    ) -> Result<Effect, LedgerError> {
        let by = *self.current(signer)?;
        let helps = self.role(&by) >= Some(Role::Admin);
        let id = key(&revoke.invite)?;
        let invite = self
            .invites
            .get_mut(&id)
            .ok_or(LedgerError::InviteUnknown)?;
        if invite.issuer != by && !helps {
            return Err(LedgerError::Authority);
        }
        if std::mem::replace(&mut invite.revoked, true) {
            return Err(LedgerError::Repeated);
        }
        Ok(Effect::InviteRevoked)
    }

    /// Leaf keys and rescue keys of all devices that are in.
    pub(crate) fn devices(&self) -> impl Iterator<Item = (&Hash, &[u8])> {
        self.members.values().flat_map(|member| {
            let rescue = &member.rescue[..];
            member.leaves.iter().map(move |leaf| (leaf, rescue))
        })
    }
}

#[cfg(test)]
mod tests;

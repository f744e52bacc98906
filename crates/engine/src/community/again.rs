//! What a relay's new records undid. A relay that was restored may have forgotten that somebody was taken out, and another
//! record may stand there since. Who is out must gain nothing by that:
//!
//! - a device that knows who was out does not come into a group that has them in again, unless its own person may take
//!   them out: the others wait for somebody who may;
//! - who comes in takes them out again, and withdraws the invites that had been withdrawn, before anything else is said.

use super::intent::Wish;
use super::{Community, Intent};
use crate::ledger::Ledger;
use ume_api::{Act, InviteId, PersonId, Right, Role};
use ume_wire::auth::Hash;

impl Community {
    /// Notes what stood in the records that this device knew and does not, so far, in those that it follows from now on.
    pub(super) fn do_again(&mut self, from: &Ledger) {
        let watched = self.watch.as_ref().map(|watch| &watch.chain.ledger);
        let known = watched.unwrap_or(&self.chain.ledger);
        // Who went by themselves has erased all keys: nobody has to be kept out.
        let out = known
            .former
            .keys()
            .filter(|one| !from.former.contains_key(*one) && !known.left.contains(*one));
        let removals = out.map(|persona| Act::Remove {
            person: PersonId(*persona),
            ban: known.banned.contains(persona),
        });
        let ended = |id: &Hash| from.invites.get(id).is_some_and(|invite| invite.revoked);
        let revoked = known.invites.iter().filter(|(_, invite)| invite.revoked);
        let withdrawals = revoked
            .filter(|(id, _)| !ended(id))
            .map(|(id, _)| Act::RevokeInvite {
                invite: InviteId(*id),
            });
        for act in removals.chain(withdrawals).collect::<Vec<_>>() {
            if !self.saved.again.contains(&act) {
                self.saved.again.push(act);
            }
        }
        self.saved_changed = true;
    }

    /// Whether somebody else has to take people out before this device comes back.
    pub(super) fn waits_for_an_owner(&self, ledger: &Ledger) -> bool {
        let me = &self.saved.persona;
        let others = |act: &Act| removes(act) && is_open(act, ledger) && !may(me, act, ledger);
        self.saved.forked && self.saved.again.iter().any(others)
    }

    /// Whether somebody is in the group who was taken out: nothing is said before they are out.
    pub(super) fn holds_back(&self) -> bool {
        let ledger = &self.chain.ledger;
        let mut acts = self.saved.again.iter();
        acts.any(|act| removes(act) && is_open(act, ledger))
    }

    /// Does again what was undone.
    pub(super) fn advance_again(&mut self) {
        if self.saved.again.is_empty() || !self.is_synced() {
            return;
        }
        let (me, ledger) = (&self.saved.persona, &self.chain.ledger);
        let before = self.saved.again.len();
        // Who may not withdraw an invite leaves it to those who may; people are waited for.
        self.saved
            .again
            .retain(|act| is_open(act, ledger) && (removes(act) || may(me, act, ledger)));
        self.saved_changed |= self.saved.again.len() != before;
        let wished = |act: &Act| {
            let same = |wish: &Wish| matches!(&wish.intent, Intent::Govern(one) if one == act);
            self.saved.wishes.iter().any(same)
        };
        let due: Vec<Act> = self
            .saved
            .again
            .iter()
            .filter(|act| may(me, act, ledger) && !wished(act))
            .cloned()
            .collect();
        for act in due {
            self.intend(Intent::Govern(act));
        }
    }
}

fn removes(act: &Act) -> bool {
    matches!(act, Act::Remove { .. })
}

/// Whether it has still to be done.
fn is_open(act: &Act, ledger: &Ledger) -> bool {
    match act {
        Act::Remove { person, .. } => ledger.role(&person.0).is_some(),
        Act::RevokeInvite { invite } => {
            let invite = ledger.invites.get(&invite.0);
            invite.is_some_and(|invite| !invite.revoked)
        }
        _ => false,
    }
}

fn may(me: &Hash, act: &Act, ledger: &Ledger) -> bool {
    match act {
        Act::Remove { person, .. } => {
            ledger.may(me, Right::Moderate) && ledger.role(me) > ledger.role(&person.0)
        }
        Act::RevokeInvite { invite } => {
            let issuer = ledger.invites.get(&invite.0).map(|invite| invite.issuer);
            issuer == Some(*me) || ledger.role(me) >= Some(Role::Admin)
        }
        _ => false,
    }
}

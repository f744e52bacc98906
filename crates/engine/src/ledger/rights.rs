//! Who may do what: now, and at every earlier point of the ledger, which is what entries are judged by.
//!
//! A point is a number of statements. An entry says at which point its author wrote it. Whoever loses the right to post
//! could claim an earlier point ever after; therefore the statement that takes the right says how far each of their
//! devices had come ([`Cut`]), and nothing beyond that is taken for written before.

use super::{Effect, Ledger, LedgerError, key};
use crate::proto;
use std::collections::{BTreeMap, BTreeSet};
use ume_api::{EntryId, PINS_MAX, Right, Role, Rules};
use ume_wire::auth::Hash;

/// The end of what a device wrote before its person lost the right to post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// The number of the statement that took the right.
    pub(crate) point: u32,
    /// The device's last entry; `None` if it had written nothing.
    pub(crate) last: Option<(u64, EntryId)>,
}

/// Roles and rules over time.
#[derive(Clone, Debug, Default)]
pub(super) struct Rights {
    /// `None`: not there.
    roles: BTreeMap<Hash, Vec<(u32, Option<Role>)>>,
    /// Empty: those that every community begins with.
    rules: Vec<(u32, Rules)>,
    cuts: BTreeMap<Hash, Vec<Cut>>,
}

/// What held at a point: the last change up to there.
fn at<T: Copy>(changes: &[(u32, T)], point: u32) -> Option<T> {
    let later = changes.partition_point(|(from, _)| *from <= point);
    changes.get(later.checked_sub(1)?).map(|(_, value)| *value)
}

impl Rights {
    /// Somebody's role from a point on; `None` if they are out.
    pub(super) fn begin(&mut self, persona: Hash, point: u32, role: Option<Role>) {
        self.roles.entry(persona).or_default().push((point, role));
    }
}

impl Ledger {
    /// The rules now.
    pub(crate) fn rules(&self) -> Rules {
        self.rules_at(u32::MAX)
    }

    fn rules_at(&self, point: u32) -> Rules {
        at(&self.rights.rules, point).unwrap_or_default()
    }

    /// What somebody is now.
    pub(crate) fn role(&self, persona: &Hash) -> Option<Role> {
        self.members.get(persona).map(|member| member.role)
    }

    /// Whether somebody has a right now.
    pub(crate) fn may(&self, persona: &Hash, right: Right) -> bool {
        self.role(persona)
            .is_some_and(|role| self.rules().allow(role, right))
    }

    /// Whether somebody might post at a point.
    pub(crate) fn might_post(&self, persona: &Hash, point: u32) -> bool {
        let allows = |role| self.rules_at(point).allow(role, Right::Post);
        self.role_at(persona, point).is_some_and(allows)
    }

    /// What somebody was at a point.
    pub(crate) fn role_at(&self, persona: &Hash, point: u32) -> Option<Role> {
        // Nobody writes before they come in; but where a relay forgot how they did, they came in again, and later.
        let roles = self.rights.roles.get(persona)?;
        let admitted = roles.first().map(|(from, _)| *from);
        at(roles, point.max(admitted.unwrap_or_default())).flatten()
    }

    /// Where a device's person lost the right to post, in the order of the ledger.
    pub(crate) fn cuts(&self, leaf: &Hash) -> &[Cut] {
        self.rights.cuts.get(leaf).map_or(&[], Vec::as_slice)
    }

    /// Devices whose person lost the right to post after a point, with their last entries.
    pub(crate) fn cut_since(&self, point: u32) -> Vec<(Hash, Option<(u64, EntryId)>)> {
        let cuts = self.rights.cuts.iter();
        cuts.filter_map(|(leaf, cuts)| Some((*leaf, *cuts.last()?)))
            .filter(|(_, cut)| cut.point > point)
            .map(|(leaf, cut)| (leaf, cut.last))
            .collect()
    }

    /// The persona behind a device that signs, if it has a right.
    pub(super) fn entitled(&self, signer: &Hash, right: Right) -> Result<Hash, LedgerError> {
        let persona = *self.current(signer)?;
        if self.may(&persona, right) {
            Ok(persona)
        } else {
            Err(LedgerError::Authority)
        }
    }

    pub(super) fn owner(&self, signer: &Hash) -> Result<Hash, LedgerError> {
        let persona = *self.current(signer)?;
        if self.role(&persona) == Some(Role::Owner) {
            Ok(persona)
        } else {
            Err(LedgerError::Authority)
        }
    }

    pub(super) fn set_role(
        &mut self,
        signer: &Hash,
        change: &proto::RoleSet,
    ) -> Result<Effect, LedgerError> {
        self.owner(signer)?;
        let persona = key(&change.persona)?;
        let new = role(change.role())?;
        let old = self.role(&persona).ok_or(LedgerError::Unknown)?;
        // Ownership is handed over by those who have it, and to those who take it.
        if old == Role::Owner || new == Role::Owner {
            return Err(LedgerError::Authority);
        }
        if old == new {
            return Err(LedgerError::Repeated);
        }
        self.taking_rights(&change.frontiers, |ledger| {
            ledger.become_role(persona, new);
        })?;
        Ok(Effect::RightsChanged)
    }

    /// Somebody who is in is something else from here on.
    pub(super) fn become_role(&mut self, persona: Hash, role: Role) {
        let point = self.point();
        self.rights.begin(persona, point, Some(role));
        if let Some(member) = self.members.get_mut(&persona) {
            member.role = role;
        }
    }

    pub(super) fn set_rules(
        &mut self,
        signer: &Hash,
        change: &proto::RulesSet,
    ) -> Result<Effect, LedgerError> {
        self.owner(signer)?;
        let rules = Rules {
            post: role(change.post())?,
            invite: role(change.invite())?,
            pin: role(change.pin())?,
            moderate: role(change.moderate())?,
            private_only: change.private_only,
        };
        if !rules.are_sound() {
            return Err(LedgerError::Malformed);
        }
        let before = self.rules();
        if rules == before {
            return Err(LedgerError::Repeated);
        }
        self.taking_rights(&change.frontiers, |ledger| {
            let point = ledger.point();
            ledger.rights.rules.push((point, rules));
        })?;
        if rules.private_only && !before.private_only {
            Ok(Effect::LinksClosed)
        } else {
            Ok(Effect::RightsChanged)
        }
    }

    pub(super) fn pin(&mut self, signer: &Hash, pin: &proto::Pin) -> Result<Effect, LedgerError> {
        self.entitled(signer, Right::Pin)?;
        let entry = EntryId(key(&pin.entry)?);
        let place = self.pins.iter().position(|one| *one == entry);
        match (pin.on, place) {
            (true, None) if self.pins.len() >= PINS_MAX => return Err(LedgerError::TooMany),
            (true, None) => self.pins.push(entry),
            (false, Some(place)) => {
                self.pins.remove(place);
            }
            _ => return Err(LedgerError::Repeated),
        }
        Ok(Effect::Pinned)
    }

    /// Devices of those who may post.
    pub(crate) fn posting_leaves(&self) -> BTreeSet<Hash> {
        let rules = self.rules();
        self.members
            .values()
            .filter(|member| rules.allow(member.role, Right::Post))
            .flat_map(|member| member.leaves.iter().copied())
            .collect()
    }

    /// Makes a change after which some may no longer post, and marks how far their devices had come.
    pub(super) fn taking_rights(
        &mut self,
        frontiers: &[proto::Frontier],
        change: impl FnOnce(&mut Self),
    ) -> Result<(), LedgerError> {
        let before = self.posting_leaves();
        change(self);
        let after = self.posting_leaves();
        let mut named = BTreeMap::new();
        for frontier in frontiers {
            let leaf = key(&frontier.leaf)?;
            let last = (frontier.seq, EntryId(key(&frontier.entry)?));
            let loses = before.contains(&leaf) && !after.contains(&leaf);
            if !loses || frontier.seq == 0 || named.insert(leaf, last).is_some() {
                return Err(LedgerError::Malformed);
            }
        }
        let point = self.point();
        for leaf in before.difference(&after) {
            let last = named.get(leaf).copied();
            let cuts = self.rights.cuts.entry(*leaf).or_default();
            cuts.push(Cut { point, last });
        }
        Ok(())
    }
}

fn role(role: proto::Role) -> Result<Role, LedgerError> {
    match role {
        proto::Role::Reader => Ok(Role::Reader),
        proto::Role::Member => Ok(Role::Member),
        proto::Role::Admin => Ok(Role::Admin),
        proto::Role::Owner => Ok(Role::Owner),
        proto::Role::Unspecified => Err(LedgerError::Malformed),
    }
}

/// A role as it is written down.
pub(crate) fn role_number(role: Role) -> i32 {
    match role {
        Role::Reader => proto::Role::Reader,
        Role::Member => proto::Role::Member,
        Role::Admin => proto::Role::Admin,
        Role::Owner => proto::Role::Owner,
    }
    .into()
}

#[cfg(test)]
pub(super) mod tests;

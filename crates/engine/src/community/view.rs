//! A community as the app shows it, and as tests compare it.

use super::{Community, Kept};
use crate::entry::Kind;
use crate::ledger::Ledger;
use crate::mls::Group;
use ume_api::{
    CommunityRef, CommunityView, EntryId, MemberView, Person, PersonId, Phase, PostView, Right,
    Role,
};
use ume_wire::auth::Hash;

impl Community {
    pub(crate) fn view(&self) -> CommunityView {
        let ledger = self
            .watch
            .as_ref()
            .map_or(&self.chain.ledger, |watch| &watch.chain.ledger);
        let phase = if let Some(departure) = self.departed() {
            Phase::Ended(departure)
        } else if self.saved.join.is_some() {
            Phase::Starting
        } else if self.watch.is_some() {
            Phase::Healing
        } else if self.is_synced() && self.saved.history_todo.is_empty() && !self.packs.is_reading()
        {
            Phase::Live
        } else {
            Phase::CatchingUp
        };
        CommunityView {
            id: CommunityRef(self.saved.number),
            name: ledger.genesis.name.clone(),
            me: self.person(&self.saved.persona),
            members: u32::try_from(ledger.members.len()).unwrap_or(u32::MAX),
            phase,
            role: ledger.role(&self.saved.persona).unwrap_or(Role::Reader),
            rules: ledger.rules(),
            pinned: ledger.pins.iter().rev().copied().collect(),
            offered: ledger.offered(&self.saved.persona),
            offering: ledger.offering(&self.saved.persona),
            changes: ledger
                .len()
                .saturating_add(u32::try_from(self.feed.portraits()).unwrap_or(u32::MAX))
                .wrapping_add(self.requests.changes()),
            may_invite: ledger.may(&self.saved.persona, Right::Invite),
            requests: self.requests.waiting(),
            missing: self.missing_view(),
            contest: self.contest_state(),
            troubles: self.troubles(),
            stalled: self.stalled(),
            reborn: self.reborn(),
            unread: self.desk.unread(),
            muted: self.desk.is_muted(),
            drafts: self.has_drafts(),
        }
    }

    pub(super) fn person(&self, persona: &Hash) -> Person {
        let me = *persona == self.saved.persona;
        let known = self
            .chain
            .ledger
            .person(persona)
            .map(|member| member.name.clone());
        let own = self
            .saved
            .join
            .as_ref()
            .filter(|_| me)
            .map(|join| join.name.clone());
        Person {
            id: PersonId(*persona),
            name: known.or(own).unwrap_or_default(),
            mark: mark(persona),
            picture: self
                .feed
                .portrait(persona)
                .filter(|one| one.picture.as_ref().is_some_and(|bytes| !bytes.is_empty()))
                .map(|one| one.id),
            me,
        }
    }

    /// A page of the feed, or of the thread of a post.
    pub(crate) fn page(
        &self,
        thread: Option<&EntryId>,
        before: Option<&EntryId>,
    ) -> (Vec<PostView>, bool) {
        let (page, older) = self.feed.page(thread, before, ume_api::PAGE_POSTS);
        (
            page.into_iter().map(|kept| self.post_view(kept)).collect(),
            older,
        )
    }

    /// Everybody, owners first.
    pub(crate) fn members(&self) -> Vec<MemberView> {
        let members = self.chain.ledger.members.iter();
        let mut members: Vec<_> = members
            .map(|(persona, member)| {
                let recovery = self.chain.ledger.recovery_of(persona);
                MemberView {
                    person: self.person(persona),
                    role: member.role,
                    line: member.line.clone(),
                    was: recovery.map(|one| self.person(&one.old)),
                    contested: recovery.is_some_and(|one| one.contested),
                }
            })
            .collect();
        members.sort_by_cached_key(|one| {
            let name = one.person.name.to_lowercase();
            (std::cmp::Reverse(one.role), name, one.person.id)
        });
        members
    }

    pub(crate) fn has(&self, id: &EntryId) -> bool {
        self.feed.get(id).is_some()
    }

    /// A hash of what everybody sees of a post.
    fn digest(&self, kept: &Kept) -> Hash {
        let view = self.post_view(kept);
        let gone = view.unpublished_by.map(|who| who.id.0).unwrap_or_default();
        let edited = view.edited_at.unwrap_or_default().to_le_bytes();
        let parts: [&[u8]; 4] = [&view.owner.id.0, &gone, &edited, view.text.as_bytes()];
        let mut all = parts.concat();
        for (person, reaction) in self.reactions(&kept.entry) {
            all.extend(
                [
                    &person[..],
                    reaction.text.as_deref().unwrap_or_default().as_bytes(),
                ]
                .concat(),
            );
        }
        for comment in self.feed.thread(&kept.entry.id).filter(|one| !one.refused) {
            all.extend(self.digest(comment));
        }
        ume_wire::auth::hash(&all)
    }

    /// Whether people and keys are what the ledger makes of them.
    pub(crate) fn synced(&self) -> crate::audit::Synced {
        let ledger = &self.chain.ledger;
        let (id, genesis) = (ledger.community, ledger.genesis_bytes());
        let replayed = Ledger::replay(&id, genesis, ledger.statements());
        crate::audit::Synced {
            people: ledger.digest(),
            replayed: replayed.ok().map(|again| again.digest()),
            devices: ledger.devices().map(|(leaf, _)| *leaf).collect(),
            group: self.group.as_ref().map(Group::leaf_keys),
        }
    }

    /// What the simulation compares between devices.
    pub(crate) fn audit(&self) -> crate::audit::Audit {
        crate::audit::Audit {
            reborn: self.chain.ledger.rebirths.last().map(|one| one.head),
            generation: self.chain.generation,
            slot: self.chain.slot,
            record: self.chain.record,
            ledger: self.chain.ledger.head(),
            ledger_length: self.chain.ledger.len(),
            epoch: self.group.as_ref().map(Group::epoch),
            authenticator: self.group.as_ref().map(Group::epoch_authenticator),
            entries: self
                .feed
                .all()
                .filter(|kept| !kept.refused)
                .map(|kept| (kept.entry.id, kept.waiting))
                .collect(),
            marked: self
                .feed
                .all()
                .filter(|kept| kept.refused)
                .map(|kept| kept.entry.id)
                .collect(),
            refused: self
                .feed
                .all()
                .filter(|kept| kept.refused && kept.entry.kind == Kind::Post)
                .count(),
            rejected: self.rejected.clone(),
            departed: self.departed(),
            posts: self
                .feed
                .all()
                .filter(|kept| !kept.refused && self.feed.is_shown(kept))
                // Comments are in the digest of their post.
                .filter(|kept| kept.entry.kind == Kind::Post)
                .map(|kept| (kept.entry.id, self.digest(kept)))
                .collect(),
            newest_point: self
                .feed
                .all()
                .filter(|kept| !kept.refused)
                .map(|kept| kept.entry.ledger)
                .max()
                .unwrap_or(0),
            live: self.is_synced()
                && self.saved.join.is_none()
                && self.saved.history_todo.is_empty(),
            unsettled: self.outbox.len() + self.saved.again.len() + usize::from(self.saved.recount),
            missing: self.missing_ids.len(),
        }
    }
}

/// Eight bytes from which a person's picture is drawn.
pub(crate) fn mark(persona: &Hash) -> [u8; 8] {
    let digest = ume_wire::auth::hash(&[b"ume/1/mark", &persona[..]].concat());
    let mut mark = [0; 8];
    mark.copy_from_slice(&digest[..8]);
    mark
}

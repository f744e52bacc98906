//! What happens when the next slot's value is known: the group moves on, or the slot is void, or this device falls out
//! of the group's keys and starts to heal.

use super::chain::{Judged, Void};
use super::commit::{Ballot, Staged};
use super::post_lane::PostLane;
use super::slots::Chosen;
use super::watch::Watch;
use super::{Community, Ctx, LaneState, Tag};
use crate::audit::Rejected;
use crate::ledger::{Effect, LedgerError};
use crate::mls::{CommitError, CommitFacts, Committer, Group, Member};
use rand_core::RngCore;
use ume_api::{Departure, Failure, Notice};
use ume_wire::auth::Hash;

/// Epochs whose post lane is not drained yet, at most: OpenMLS opens messages of five past epochs.
const UNDRAINED_MAX: usize = 3;
/// Newcomers are handed the members' keys after a random part of this time, milliseconds.
const HANDOVER_MS: u32 = 2_000;
/// In a large group each member has its turn: the pause between two turns, and the longest wait, milliseconds.
const HANDOVER_STEP_MS: u64 = 500;
const HANDOVER_TURN_MS: u64 = 30_000;

impl Community {
    pub(super) fn advance_records(&mut self, ctx: &mut Ctx<'_>) {
        while self.posts.values().filter(|lane| lane.is_retired()).count() <= UNDRAINED_MAX {
            let tampered = self.slots.tampered;
            let chosen = self.slots.take();
            if self.slots.tampered > tampered {
                // Asked for again, but not as fast as the relay can spoil it.
                self.count_tampered(ctx, self.slots.tampered);
                self.pause(ctx);
                return;
            }
            let Some(chosen) = chosen else {
                break;
            };
            if self.slots.place() <= self.place() {
                if !self.compare(ctx, &chosen) {
                    break;
                }
                continue;
            }
            let generation = self.generation();
            self.take_record(ctx, &chosen);
            self.saved_changed = true;
            ctx.news.view = true;
            if self.saved.departed.is_some() {
                return;
            }
            self.keep_value(ctx, &chosen);
            if self.generation() == generation {
                self.slots.done();
            } else {
                self.follow_generation();
            }
            self.advance_kept(ctx);
        }
        if ctx.up && !self.is_lost() {
            let keys = self.lane_keys();
            let (id, new) = (keys.id, keys.lane_new());
            if self.ensure_lane(ctx, id, || new) {
                let body = self.slots.follow().or_else(|| self.slots.missing());
                ctx.ask(Tag::Read(id), body);
            }
        }
    }

    fn take_record(&mut self, ctx: &mut Ctx<'_>, chosen: &Chosen) {
        let known = self.chain.ledger.len();
        let generation = self.generation();
        let staged = self
            .saved
            .staged
            .take_if(|staged| staged.slot == chosen.slot && staged.generation == generation);
        self.ballot = Ballot::None;
        let ours = staged
            .as_ref()
            .is_some_and(|staged| staged.value_hash == chosen.value_hash);
        let record = chosen.record.as_deref();
        match (staged, ours, self.watch.is_some()) {
            (Some(_), true, true) => self.enter(ctx, record),
            (Some(staged), true, false) => self.merge_own(ctx, &staged, record),
            (staged, _, true) => self.watch_record(ctx, staged.is_some(), record),
            (staged, _, false) => {
                if staged.is_some() {
                    self.drop_parcel(ctx, (generation, chosen.slot));
                    // The slot holds another value, so ours was not chosen and never will be.
                    let cleared = self.group.as_mut().map(Group::clear_pending);
                    debug_assert!(cleared.is_none_or(|result| result.is_ok()));
                }
                self.merge_other(ctx, record);
            }
        }
        self.recheck(ctx, known);
        self.retry_parked(ctx, |_| true);
        if std::mem::take(&mut self.taking.moved) {
            self.show_owned(ctx);
        }
        for persona in std::mem::take(&mut self.taking.renamed) {
            self.show_posts_with(ctx, &persona);
        }
        self.drop_dead_invites(ctx);
        self.dangles = None;
        if self.chain.ledger.is_out(&self.leaf_public()) {
            let why = self.taking.departing.take().unwrap_or(Departure::Removed);
            self.depart(ctx, why);
        }
    }

    /// Our own commit was chosen.
    fn merge_own(&mut self, ctx: &mut Ctx<'_>, staged: &Staged, record: Option<&[u8]>) {
        let me = Member {
            index: 0,
            identity: self.saved.cert.clone(),
            leaf_key: self.leaf_public(),
        };
        let leaves = self
            .group
            .as_ref()
            .map(Group::leaf_keys)
            .unwrap_or_default();
        let facts = CommitFacts {
            epoch: 0,
            aad: staged.aad.clone(),
            committer: Committer::Member(me),
            added: vec![],
            removed: staged.removes.iter().map(device).collect(),
            staying: &leaves - &staged.removes,
        };
        let judged = self.judge_own(record, &facts);
        let merged = self
            .group
            .as_mut()
            .is_some_and(|group| group.merge_pending().is_ok());
        match judged {
            Some(judged) if merged => {
                self.saved.own_messages = 0;
                self.wish_done(ctx, Ok(()));
                self.follow_judged(ctx, judged);
                if !staged.removes.is_empty() {
                    self.count_for_the_absent(ctx);
                }
            }
            _ => {
                self.chain.advance(None);
                self.heal(ctx, None);
            }
        }
    }

    /// The external commit by which this device comes in, or comes back, was chosen.
    fn enter(&mut self, ctx: &mut Ctx<'_>, record: Option<&[u8]>) {
        let Some(mut watch) = self.watch.take() else {
            return;
        };
        let Some(mut group) = self.pending.take() else {
            // Its rows were lost. The leaf is in the tree; only coming back as itself helps now.
            let rescuer = self.rescuer();
            let relay = self.saved.relay.id;
            watch.take(record, rescuer.as_ref().map(|one| (one, &relay)));
            self.watch = Some(watch);
            return;
        };
        // As everybody else judges it: where the `GroupInfo` was wrong, what this device made of it is void for them.
        let judged = record.and_then(|bytes| watch.judge(bytes));
        let (Some((judged, ..)), Ok(())) = (judged, group.merge_pending()) else {
            self.beacons.futile = Some(watch.chain.record);
            watch.take(None, None);
            self.pending = Some(group);
            self.drop_pending_rows(ctx);
            self.watch = Some(watch);
            return;
        };
        self.chain = watch.chain.clone();
        self.chain.advance(Some(judged));
        self.saved.healing = false;
        self.saved.forked = false;
        self.adopt(ctx, group);
        for era in std::mem::take(&mut watch.eras) {
            self.enter_era(ctx, era);
        }
        self.begin_epoch(ctx);
        // A newcomer reads what was granted; who came back reads what was posted in the epochs that it was out of.
        self.plan_history(ctx.time);
        if let Some(plan) = self.saved.join.take() {
            self.saved.entrance = Some(plan);
            ctx.news.joined = Some(Ok(()));
        } else {
            self.wish_to_compare(ctx);
        }
    }

    fn judge_own(&self, record: Option<&[u8]>, facts: &CommitFacts) -> Option<Judged> {
        let bytes = record?;
        let record = self.chain.read(bytes).ok()?;
        self.chain.judge(bytes, &record, facts).ok()
    }

    /// The group has merged a record's commit.
    fn follow_judged(&mut self, ctx: &mut Ctx<'_>, judged: Judged) {
        let turns = judged.turns;
        self.note_effects(ctx, &judged.effects);
        self.chain.advance(Some(judged));
        // Who is out by this record has no keys for what follows.
        if self.chain.ledger.is_out(&self.leaf_public()) {
            return;
        }
        if turns {
            self.begin_generation(ctx);
        }
        self.begin_epoch(ctx);
    }

    /// What a record did that a person is to be told of.
    fn note_effects(&mut self, ctx: &mut Ctx<'_>, effects: &[Effect]) {
        let ban = effects.contains(&Effect::Removed { ban: true });
        let out = |effect: &Effect| match effect {
            Effect::Removed { ban: true } => Some(Departure::Banned),
            Effect::Removed { ban: false } => Some(Departure::Removed),
            Effect::Left => Some(Departure::Left),
            _ => None,
        };
        self.taking.departing = effects.iter().find_map(out);
        // A removal may be a recovery, which gives posts as well.
        let moves = |effect: &Effect| {
            matches!(
                effect,
                Effect::Transferred | Effect::Removed { .. } | Effect::RecoveryUndone
            )
        };
        self.taking.moved |= effects.iter().any(moves);
        let renamed = |effect: &Effect| match effect {
            Effect::ProfileChanged { persona } => Some(*persona),
            _ => None,
        };
        self.taking.renamed = effects.iter().filter_map(renamed).collect();
        if effects.contains(&Effect::AccessChanged) {
            // What nobody paid for may be paid for now.
            self.lanes
                .retain(|_, state| !matches!(state, LaneState::Unpaid(_)));
        }
        let count = if ban {
            self.open_invites(ctx.time.0)
        } else {
            0
        };
        if count > 0 {
            ctx.news.notices.push(Notice::LinksEnded { count });
        }
    }

    /// Somebody else's commit, or nothing sound, holds the slot.
    pub(super) fn merge_other(&mut self, ctx: &mut Ctx<'_>, bytes: Option<&[u8]>) {
        let Some(group) = self.group.as_mut() else {
            return;
        };
        let (bytes, record) = match bytes.map(|bytes| (bytes, self.chain.read(bytes))) {
            Some((bytes, Ok(record))) => (bytes, record),
            Some((_, Err(void))) => {
                self.reject(Rejected::Record(void));
                self.chain.advance(None);
                return;
            }
            None => {
                self.reject(Rejected::Record(Void::Malformed));
                self.chain.advance(None);
                return;
            }
        };
        let me = self.saved.leaf.signing_key().verifying_key().to_bytes();
        match group.process_commit(&record.commit) {
            Ok(incoming) if incoming.facts.removed.iter().any(|old| old.leaf_key == me) => {
                match self.chain.judge(bytes, &record, &incoming.facts) {
                    // Somebody took this person out.
                    Ok(judged) if judged.ledger().is_out(&me) => {
                        self.follow_judged(ctx, judged);
                    }
                    // This device came back by itself once, and then its store was put back to before that: do it again.
                    Ok(_) => self.heal(ctx, Some(bytes)),
                    // Somebody who may not.
                    Err(void) => {
                        self.reject(Rejected::Record(void));
                        self.chain.advance(None);
                    }
                }
            }
            Ok(incoming) => match self.chain.judge(bytes, &record, &incoming.facts) {
                Ok(judged) => {
                    if group.merge(incoming).is_err() {
                        self.heal(ctx, Some(bytes));
                        return;
                    }
                    let newcomer = judged
                        .effects
                        .iter()
                        .any(|effect| matches!(effect, Effect::Admitted { .. }));
                    let leads_here = group.check_group_info(&record.group_info).is_ok();
                    self.follow_judged(ctx, judged);
                    self.judge_group_info(leads_here);
                    if newcomer {
                        self.hand_over_soon(ctx);
                    }
                }
                Err(void) => {
                    self.reject(Rejected::Record(void));
                    self.chain.advance(None);
                }
            },
            Err(CommitError::Void(_)) => {
                self.reject(Rejected::Record(Void::Commit));
                self.chain.advance(None);
            }
            Err(
                CommitError::Private(_)
                | CommitError::Own
                | CommitError::Joining
                | CommitError::NotMember,
            ) => {
                self.heal(ctx, Some(bytes));
            }
        }
    }

    /// Somebody may lack the members' keys.
    pub(super) fn hand_over_soon(&mut self, ctx: &mut Ctx<'_>) {
        let wait = u64::from(ctx.rng.next_u32() % HANDOVER_MS)
            + self.turn_ms(HANDOVER_STEP_MS, HANDOVER_TURN_MS);
        self.handover_at = Some(ctx.now.plus(wait));
    }

    /// Newcomers start from the `GroupInfo` of the last record, and only members can tell whether it leads into the
    /// group. If it does not, any member's next commit carries a right one: everybody wishes to make it, and whoever
    /// sees that somebody else was quicker no longer has to.
    fn judge_group_info(&mut self, leads_here: bool) {
        if leads_here {
            self.withdraw_update();
        } else {
            self.intend_update();
        }
    }

    /// Follows the group from outside until this device is in it again. The place of the group stays where it was, so
    /// that a restart comes here again.
    pub(super) fn heal(&mut self, ctx: &mut Ctx<'_>, record: Option<&[u8]>) {
        self.watch_own();
        if record.is_some() && self.watch.is_some() {
            self.watch_take(ctx, record);
        } else {
            // No record will bring a restart here.
            self.saved.healing = true;
        }
        self.saved_changed = true;
        ctx.news.view = true;
    }

    /// Begins to follow from outside where the group stands.
    pub(super) fn watch_own(&mut self) {
        let Some(group) = &self.group else { return };
        let snapshot = group
            .tree()
            .and_then(|tree| Ok((tree, group.group_info()?)));
        let watch = snapshot.and_then(|(tree, info)| Watch::new(self.chain.clone(), &tree, info));
        self.watch = watch.ok();
    }

    /// While following from outside: the slot went to somebody else.
    fn watch_record(&mut self, ctx: &mut Ctx<'_>, lost: bool, record: Option<&[u8]>) {
        self.watch_take(ctx, record);
        if lost {
            self.drop_pending_rows(ctx);
        }
        if self.saved.join.is_some() || self.saved.forked {
            self.save_watch(ctx);
            if let Some(failure) = self.join_impossible() {
                ctx.news.joined = Some(Err(failure));
            }
        }
    }

    /// Takes a record from outside. If this person is out by it, that is where it ends.
    fn watch_take(&mut self, ctx: &mut Ctx<'_>, record: Option<&[u8]>) {
        let rescuer = self.rescuer();
        let (relay, me) = (self.saved.relay.id, self.leaf_public());
        let Some(watch) = self.watch.as_mut() else {
            return;
        };
        let effects = watch.take(record, rescuer.as_ref().map(|one| (one, &relay)));
        if watch.chain.ledger.is_out(&me) {
            let chain = watch.chain.clone();
            self.note_effects(ctx, &effects);
            self.chain = chain;
        }
    }

    fn join_impossible(&self) -> Option<Failure> {
        let (watch, join) = (self.watch.as_ref()?, self.saved.join.as_ref()?);
        if watch.is_lost() {
            return Some(Failure::InvitePaused);
        }
        let ledger = &watch.chain.ledger;
        let cert = &self.saved.cert;
        let admits = ledger.admits(&join.invite(), cert, watch.chain.time_ms);
        admits.and(ledger.has_room()).err().map(failure)
    }

    /// Takes a new group in the place of the old one.
    fn adopt(&mut self, ctx: &mut Ctx<'_>, group: Group) {
        self.drop_group_rows(ctx);
        self.drop_watch(ctx);
        self.saved.group = Some(super::saved::GroupPlace {
            which: self.saved.pending_which(),
            id: group.id(),
        });
        self.saved.pending_id = None;
        self.group = Some(group);
        self.saved_changed = true;
    }

    /// The group is in a new epoch: its lane is followed from now on, the old one is read to its end.
    pub(super) fn begin_epoch(&mut self, ctx: &mut Ctx<'_>) {
        let Some(group) = &mut self.group else {
            return;
        };
        let epoch = group.epoch();
        let Ok(secret) = group.export(crate::keys::EXPORT_POST, &[]) else {
            return;
        };
        self.posts.values_mut().for_each(PostLane::retire);
        self.posts
            .insert(epoch, PostLane::new(secret.into(), &self.saved.relay.id, 1));
        let undrained = self.posts.keys().next().copied().unwrap_or(epoch);
        // Messages of epochs before that have all been read. If what is left cannot be written, no message can be opened.
        if group.forget_before(undrained).is_err() {
            self.heal(ctx, None);
            return;
        }
        self.lanes_changed = true;
        self.saved_changed = true;
        self.reseal_unsettled(ctx);
        ctx.news.view = true;
    }
}

/// A device as a commit of one's own removes it: only its key counts.
fn device(leaf: &Hash) -> Member {
    Member {
        index: 0,
        identity: vec![],
        leaf_key: *leaf,
    }
}

pub(crate) fn failure(error: LedgerError) -> Failure {
    match error {
        LedgerError::InviteExpired => Failure::InviteExpired,
        LedgerError::InviteUsedUp => Failure::InviteUsedUp,
        LedgerError::InviteUnknown => Failure::InviteUnknown,
        LedgerError::InviteWithdrawn => Failure::InviteWithdrawn,
        // Who asked waits on.
        LedgerError::InviteUnanswered => Failure::InvitePaused,
        LedgerError::Full => Failure::CommunityFull,
        _ => Failure::InviteForged,
    }
}

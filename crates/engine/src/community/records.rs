//! What happens when the next slot's value is known: the group moves on, or the slot is void, or this device falls out
//! of the group's keys and starts to heal.

use super::commit::{Ballot, Staged};
use super::post_lane::PostLane;
use super::slots::Chosen;
use super::watch::Watch;
use super::{Community, Ctx, Tag};
use crate::ledger::{Effect, LedgerError};
use crate::mls::{CommitError, CommitFacts, Committer, Group, Member};
use rand_core::RngCore;
use ume_api::Failure;

/// Epochs whose post lane is not drained yet, at most: OpenMLS opens messages of five past epochs.
const UNDRAINED_MAX: usize = 3;
/// Newcomers are handed the members' keys after a random part of this time, milliseconds.
const HANDOVER_MS: u32 = 2_000;

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
            self.take_record(ctx, &chosen);
            self.slots.done();
            self.saved_changed = true;
            ctx.news.view = true;
        }
        if ctx.up {
            let keys = &self.chain.keys;
            let (id, new) = (keys.id, keys.lane_new());
            if self.ensure_lane(ctx, id, || new) {
                let body = self.slots.follow().or_else(|| self.slots.missing());
                ctx.ask(Tag::Read(id), body);
            }
        }
    }

    fn take_record(&mut self, ctx: &mut Ctx<'_>, chosen: &Chosen) {
        let staged = self
            .saved
            .staged
            .take_if(|staged| staged.slot == chosen.slot);
        self.ballot = Ballot::None;
        let ours = staged
            .as_ref()
            .is_some_and(|staged| staged.value_hash == chosen.value_hash);
        let record = chosen.record.as_deref();
        match (staged, ours, self.watch.is_some()) {
            (Some(staged), true, true) => self.enter(ctx, &staged, record),
            (Some(staged), true, false) => self.merge_own(ctx, &staged, record),
            (staged, _, true) => self.watch_record(ctx, staged.is_some(), record),
            (staged, _, false) => {
                if staged.is_some() {
                    // The slot holds another value, so ours was not chosen and never will be.
                    let cleared = self.group.as_mut().map(Group::clear_pending);
                    debug_assert!(cleared.is_none_or(|result| result.is_ok()));
                }
                self.merge_other(ctx, record);
            }
        }
        self.retry_parked(ctx);
    }

    /// Our own commit was chosen.
    fn merge_own(&mut self, ctx: &mut Ctx<'_>, staged: &Staged, record: Option<&[u8]>) {
        let me = Member {
            index: 0,
            identity: self.saved.cert.clone(),
            leaf_key: self.leaf_public(),
        };
        let judged = self.judge_own(staged, record, Committer::Member(me), vec![]);
        let merged = self
            .group
            .as_mut()
            .is_some_and(|group| group.merge_pending().is_ok());
        match judged {
            Some(judged) if merged => {
                self.intent_done();
                self.chain.advance(Some(judged));
                self.begin_epoch(ctx);
            }
            _ => {
                self.chain.advance(None);
                self.heal(ctx, None);
            }
        }
    }

    /// The external commit by which this device comes in, or comes back, was chosen.
    fn enter(&mut self, ctx: &mut Ctx<'_>, staged: &Staged, record: Option<&[u8]>) {
        let Some(mut watch) = self.watch.take() else {
            return;
        };
        let Some(mut group) = self.pending.take() else {
            // Its rows were lost. The leaf is in the tree; only coming back as itself helps now.
            watch.take(record);
            self.watch = Some(watch);
            return;
        };
        let me = Member {
            index: 0,
            identity: self.saved.cert.clone(),
            leaf_key: self.leaf_public(),
        };
        let removed = if self.saved.join.is_some() {
            vec![]
        } else {
            vec![me.clone()]
        };
        self.chain = watch.chain.clone();
        let judged = self.judge_own(staged, record, Committer::External(me), removed);
        let (Some(judged), Ok(())) = (judged, group.merge_pending()) else {
            // Cannot be for a commit that this device made; if it is, follow on and try again.
            watch.take(None);
            self.pending = Some(group);
            self.drop_pending_rows(ctx);
            self.watch = Some(watch);
            return;
        };
        self.chain.advance(Some(judged));
        self.saved.healing = false;
        self.adopt(ctx, group);
        self.begin_epoch(ctx);
        // A newcomer reads what was granted; who came back reads what was posted in the epochs that it was out of.
        self.plan_history(ctx.time);
        if self.saved.join.take().is_some() {
            ctx.news.joined = Some(Ok(()));
        }
    }

    fn judge_own(
        &self,
        staged: &Staged,
        record: Option<&[u8]>,
        committer: Committer,
        removed: Vec<Member>,
    ) -> Option<super::chain::Judged> {
        let facts = CommitFacts {
            epoch: 0,
            aad: staged.aad.clone(),
            committer,
            added: vec![],
            removed,
        };
        let bytes = record?;
        let record = self.chain.read(bytes).ok()?;
        self.chain.judge(bytes, &record, &facts).ok()
    }

    /// Somebody else's commit, or nothing sound, holds the slot.
    fn merge_other(&mut self, ctx: &mut Ctx<'_>, bytes: Option<&[u8]>) {
        let Some(group) = self.group.as_mut() else {
            return;
        };
        let parsed = bytes.and_then(|bytes| Some((bytes, self.chain.read(bytes).ok()?)));
        let Some((bytes, record)) = parsed else {
            self.chain.advance(None);
            return;
        };
        let me = self.saved.leaf.signing_key().verifying_key().to_bytes();
        match group.process_commit(&record.commit) {
            // This device came back by itself once, and then its store was put back to before that: do it again.
            Ok(incoming) if incoming.facts.removed.iter().any(|old| old.leaf_key == me) => {
                self.heal(ctx, Some(bytes));
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
                    self.chain.advance(Some(judged));
                    self.judge_group_info(leads_here);
                    self.begin_epoch(ctx);
                    if newcomer {
                        let wait = u64::from(ctx.rng.next_u32() % HANDOVER_MS);
                        self.handover_at = Some(ctx.now.plus(wait));
                    }
                }
                Err(_) => self.chain.advance(None),
            },
            Err(CommitError::Void(_)) => self.chain.advance(None),
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
        match (self.watch.as_mut(), record) {
            (Some(watch), Some(_)) => watch.take(record),
            // No record will bring a restart here.
            _ => self.saved.healing = true,
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
        if let Some(watch) = self.watch.as_mut() {
            watch.take(record);
        }
        if lost {
            self.drop_pending_rows(ctx);
        }
        if self.saved.join.is_some() {
            self.save_watch(ctx);
            if let Some(failure) = self.join_impossible() {
                ctx.news.joined = Some(Err(failure));
            }
        }
    }

    fn join_impossible(&self) -> Option<Failure> {
        let (watch, join) = (self.watch.as_ref()?, self.saved.join.as_ref()?);
        let ledger = &watch.chain.ledger;
        let usable = ledger
            .invites
            .get(&join.invite())
            .map_or(Err(LedgerError::InviteUnknown), |invite| {
                invite.usable(watch.chain.time_ms)
            });
        usable.err().map(failure)
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
        let Some(group) = &self.group else { return };
        let epoch = group.epoch();
        let Ok(secret) = group.export(crate::keys::EXPORT_POST, &[]) else {
            return;
        };
        self.posts.values_mut().for_each(PostLane::retire);
        self.posts
            .insert(epoch, PostLane::new(secret.into(), &self.saved.relay.id, 1));
        self.lanes_changed = true;
        self.saved_changed = true;
        self.reseal_unsettled(ctx);
        ctx.news.view = true;
    }
}

pub(crate) fn failure(error: LedgerError) -> Failure {
    match error {
        LedgerError::InviteExpired => Failure::InviteExpired,
        LedgerError::InviteUsedUp => Failure::InviteUsedUp,
        LedgerError::InviteUnknown => Failure::InviteUnknown,
        _ => Failure::InviteForged,
    }
}

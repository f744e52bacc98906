//! One community on this device: its group, its lanes, its entries, and what is under way with its relay.
//!
//! [`Community::advance`] is the heart: whatever happened, it looks at the whole state and does what can be done next.
//! Nothing under way is stored; after a crash or on a new connection the same function finds the way from what is.
//! Three rules hold everywhere:
//!
//! - the group changes only together with what belongs to it, in one batch;
//! - nothing is sealed or committed before the commit lane has been read to its end on this connection;
//! - an entry is done with only once it is known that no commit overtook it ([`posts`]).

mod again;
mod begin;
mod cards;
pub(crate) mod chain;
mod changes;
mod commit;
mod contest;
mod context;
mod departure;
mod deposit;
mod desk;
mod expiry;
mod feed;
mod files;
mod finding;
#[cfg(test)]
mod forgeries;
mod former;
pub(crate) mod gaps;
pub(crate) mod generation;
mod history;
mod intent;
pub(crate) mod invites;
mod outbox;
mod packs;
mod post_lane;
mod posts;
mod reader;
pub(crate) mod rebirth;
mod records;
mod requests;
mod rescues;
mod restored;
mod saved;
#[cfg(feature = "fuzzing")]
mod shelves;
pub(crate) mod slots;
mod standing;
mod statements;
mod talks;
mod troubles;
mod uploads;
mod view;
pub(crate) mod watch;

pub(crate) use begin::{NewDevice, Newcomer};
pub use chain::Void;
#[cfg(feature = "unruly")]
pub(crate) use chain::Ways;
pub(crate) use context::{Ctx, News, Part, Tag};
pub(crate) use deposit::Waits;
pub(crate) use feed::Kept;
pub(crate) use finding::{Candidate, Wanted};
pub(crate) use history::{LATEST_DAY, LATEST_MS};
pub(crate) use intent::Intent;
pub(crate) use reader::LogReader;
pub(crate) use records::failure;
use saved::Saved;
pub(crate) use saved::sort_rows;
pub(crate) use view::mark;

use crate::audit::Rejected;
use crate::io::Millis;
use crate::keys::Secret;
use crate::ledger::Access;
use crate::mls::{Group, LeafKey};
use bytes::Bytes;
use chain::Chain;
use commit::Ballot;
use contest::Contests;
use desk::Desk;
use ed25519_dalek::SigningKey;
use feed::Feed;
use files::Files;
use gaps::Gaps;
use invites::Draft;
use outbox::{Flight, Out, What};
use packs::Packs;
use post_lane::PostLane;
use rand_core::RngCore;
use rebirth::Beacons;
use requests::Requests;
use rescues::Rescues;
use restored::Restored;
use slots::SlotReader;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use ume_api::{Departure, EntryId, Failure, Notice};
use ume_wire::auth::{Hash, LaneId};
use ume_wire::relay::{LaneNew, RefusedCode, frame::Body};
use uploads::Uploads;
use watch::Watch;

/// Pause after a relay refused for want of something, milliseconds.
const PAUSE_MS: u64 = 1_000;
/// How often the ends of the followed lanes are asked for, in case a delivery was lost, milliseconds.
const POLL_MS: u64 = 30_000;
/// The same while a value has begun to arrive and has not ended, milliseconds.
const POLL_PARTIAL_MS: u64 = 5_000;

/// Pause before a lane that nobody pays for is asked for again, milliseconds: that takes an operator.
const UNPAID_MS: u64 = 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LaneState {
    Asked,
    Ready,
    /// Nobody pays for it; asked for again from then on.
    Unpaid(Millis),
}

/// What follows from the record that is being taken, once it is.
#[derive(Debug, Default)]
struct Taking {
    /// Whether it gave posts to somebody.
    moved: bool,
    /// Whose name it changed.
    renamed: Vec<Hash>,
    /// How it would end this membership.
    departing: Option<Departure>,
}

/// One community.
pub(crate) struct Community {
    saved: Saved,
    /// The statements of the ledger that have their rows in the store.
    said: Vec<Arc<[u8]>>,
    /// Where the group stands.
    chain: Chain,
    group: Option<Group>,
    /// The group that an external commit of this device makes, until it is known to be chosen.
    pending: Option<Group>,
    /// Set while this device has no working group: it joins, or heals.
    watch: Option<Watch>,
    slots: SlotReader,
    posts: BTreeMap<u64, PostLane>,
    history: BTreeMap<u64, LogReader>,
    requests: Requests,
    feed: Feed,
    /// Entries about which nothing can be said yet: their author's admission has not been read, for example.
    parked: BTreeMap<EntryId, crate::entry::Entry>,
    /// What was not taken, by reason, since this community was loaded.
    rejected: BTreeMap<Rejected, u32>,
    outbox: BTreeMap<u64, Out>,
    flights: BTreeMap<u64, Flight>,
    settling: Option<Vec<u64>>,
    settle_round: u32,
    lanes: BTreeMap<LaneId, LaneState>,
    basis: deposit::Basis,
    ballot: Ballot,
    pause_until: Millis,
    poll_at: Millis,
    /// When all was last looked at.
    looked_at: Millis,
    handover_at: Option<Millis>,
    restored: Restored,
    upkeep_at: Option<Millis>,
    /// Whether there are leaves in the group whose people are out, if that has been looked at since the last record.
    dangles: Option<bool>,
    taking: Taking,
    contests: Contests,
    beacons: Beacons,
    #[cfg(feature = "unruly")]
    pub(crate) unruly: crate::unruly::Unruly,
    missing_since: Option<Millis>,
    missing_ids: BTreeSet<EntryId>,
    /// What members say to each other about it.
    gaps: Gaps,
    missing_changed: bool,
    /// Pause before what is still missing is looked for again, milliseconds.
    heal_pause_ms: u64,
    /// When the next post ends.
    expiry_at: Option<Millis>,
    /// Keys of the groups' rows in the store, by place.
    mls_rows: BTreeMap<u8, BTreeSet<Vec<u8>>>,
    uploads: Uploads,
    packs: Packs,
    files: Files,
    /// What bundles are being made from, while its long parts are on their way.
    draft: Option<Draft>,
    rescues: Rescues,
    tampered: u32,
    /// Rows that could not be read when this community was loaded.
    damaged: u32,
    saved_changed: bool,
    lanes_changed: bool,
    desk: Desk,
}

impl Community {
    pub(crate) fn damaged(&self) -> u32 {
        self.damaged
    }

    pub(crate) fn relay(&self) -> &crate::link::RelayRef {
        &self.saved.relay
    }

    pub(crate) fn community(&self) -> Hash {
        self.chain.ledger.community
    }

    /// The lanes in which something new is worth waking this device: what members write, and what changes the group, after which
    /// they write elsewhere. None while it is muted.
    pub(crate) fn lanes_that_wake(&self) -> Vec<(LaneId, SigningKey)> {
        let silent = self.departed().is_some() || self.desk.is_muted();
        let group = self.group.as_ref().filter(|_| !silent);
        let Some(posts) = group.and_then(|group| self.posts.get(&group.epoch())) else {
            return vec![];
        };
        let posts = posts.reader.keys();
        vec![(posts.id, posts.reader.clone()), self.slots.read_by()]
    }

    pub(crate) fn is_joining(&self) -> bool {
        self.saved.join.is_some()
    }

    fn leaf(&self) -> LeafKey {
        LeafKey::from_seed(self.saved.leaf.bytes())
    }

    fn leaf_public(&self) -> Hash {
        self.saved.leaf.signing_key().verifying_key().to_bytes()
    }

    /// Whether the group can be used: it is there, and up to date as of this connection.
    fn is_synced(&self) -> bool {
        self.saved.departed.is_none()
            && self.group.is_some()
            && self.watch.is_none()
            && self.slots.is_caught_up()
            && self.slots.place() > self.place()
    }

    /// The relay is connected: begin again from what is stored.
    pub(crate) fn line_up(&mut self, ctx: &mut Ctx<'_>) {
        self.line_down(ctx);
        self.poll_at = ctx.now.plus(POLL_MS);
        if self.departed().is_some() {
            self.advance_contest(ctx);
            return;
        }
        self.poll_at = ctx.now.plus(POLL_MS);
        // The relay has said what time it is.
        self.expiry_at = self.expiry_at.map(|_| ctx.now);
        self.advance_expiry(ctx);
        self.look_for_missing_soon(ctx);
        self.repair(ctx);
        self.advance(ctx);
    }

    /// Makes anew what should be stored and is not, because a record was damaged: the way out of an entry that waits,
    /// and the lane of the epoch.
    fn repair(&mut self, ctx: &mut Ctx<'_>) {
        self.recheck(ctx, 0);
        let known: Vec<_> = self.outbox.values().map(|out| out.what).collect();
        let lost: Vec<_> = self
            .feed
            .all()
            .filter(|kept| kept.waiting && !known.contains(&What::Entry(kept.entry.id)))
            .map(|kept| kept.entry.id)
            .collect();
        for id in lost {
            self.put_out(ctx, Out::new(What::Entry(id), None));
        }
        let epoch = self.group.as_ref().map(Group::epoch);
        if self.watch.is_none() && epoch.is_some_and(|epoch| !self.posts.contains_key(&epoch)) {
            self.begin_epoch(ctx);
        }
    }

    /// The connection is gone, and with it all that was under way.
    pub(crate) fn line_down(&mut self, ctx: &mut Ctx<'_>) {
        let here = self.reader_here();
        if self.slots.place() == here.place() {
            self.slots.restart();
        } else {
            // Older slots are compared from the beginning on again.
            self.slots = here;
        }
        self.restored.line_down();
        self.gaps_line_down();
        self.posts.values_mut().for_each(PostLane::restart);
        self.history.values_mut().for_each(LogReader::restart);
        let contests = self.contests.readers.values_mut();
        contests.for_each(LogReader::restart);
        self.beacons.line_down();
        self.requests.readers_mut().for_each(LogReader::restart);
        self.remember_lanes();
        self.uploads.begin();
        self.packs.line_down();
        self.files_line_down();
        self.rescues.line_down();
        self.flights.clear();
        self.settling = None;
        self.ballot = Ballot::None;
        self.pause_until = Millis::default();
        ctx.news.view = true;
    }

    /// A cell or a value arrived.
    pub(crate) fn deliver(&mut self, ctx: &mut Ctx<'_>, body: Body) {
        if self.departed().is_some() {
            return;
        }
        match body {
            Body::Value(value) if value.lane[..] == self.slots.id()[..] => {
                self.slots.deliver(value);
            }
            Body::Delivery(delivery) => {
                if let Some(reader) = self.reader(&delivery.lane) {
                    reader.deliver(delivery.seq, delivery.cell);
                }
            }
            _ => {}
        }
        self.advance(ctx);
    }

    /// Whether a delivery of this lane is for this community.
    pub(crate) fn follows(&self, lane: &[u8]) -> bool {
        let posts = self.posts.values().map(|lane| &lane.reader);
        lane == self.slots.id()
            || posts
                .chain(self.history.values())
                .chain(self.contests.readers.values())
                .chain(self.beacons.readers.values())
                .chain(self.requests.readers())
                .any(|reader| reader.id()[..] == *lane)
    }

    fn reader(&mut self, lane: &[u8]) -> Option<&mut LogReader> {
        let posts = self.posts.values_mut().map(|lane| &mut lane.reader);
        posts
            .chain(self.history.values_mut())
            .chain(self.contests.readers.values_mut())
            .chain(self.beacons.readers.values_mut())
            .chain(self.requests.readers_mut())
            .find(|reader| reader.id()[..] == *lane)
    }

    /// A request was answered.
    pub(crate) fn answer(&mut self, ctx: &mut Ctx<'_>, tag: Tag, body: &Body) {
        if self.departed().is_some() {
            self.answer_departed(ctx, tag, body);
            return;
        }
        match (tag, body) {
            (Tag::Lane(_) | Tag::Append { .. }, _) => self.answer_sending(ctx, tag, body),
            (Tag::Read(lane), Body::Head(head)) => {
                // Take what was delivered before judging whether something is missing.
                self.advance_posts(ctx);
                self.advance_history(ctx);
                self.advance_records(ctx);
                self.advance_requests(ctx);
                if lane == self.slots.id() {
                    self.commit_head(head);
                    ctx.news.view = true;
                } else if let Some(posts) = self
                    .posts
                    .values_mut()
                    .find(|posts| posts.reader.id() == lane)
                {
                    self.lanes_changed |= posts.head(head);
                } else if let Some(reader) = self.reader(&lane) {
                    let _begun_anew = reader.head(head);
                }
                self.notice_skipped(ctx, &lane);
            }
            (Tag::Read(lane), body) => self.read_refused(ctx, lane, body),
            (Tag::Settle(round), Body::Head(head)) => self.settled(ctx, round, head),
            (Tag::Settle(_), _) => self.settling = None,
            // Waking is no community's.
            (Tag::Talk | Tag::Wake | Tag::Watch(_), _) => {}
            (Tag::Prepare, body) => self.prepared(ctx, body),
            (Tag::Accept(index), body) => self.accepted(ctx, index, body),
            (Tag::Put(blob, index), body) => self.uploaded(ctx, &blob, index, body),
            (Tag::Get, body) => self.fetched(body),
            (Tag::Pack, body) => self.packs.fetched(body),
            (Tag::Call, body) => self.call_fetched(body),
            (Tag::File, body) => self.file_fetched(ctx, body),
        }
        self.advance(ctx);
    }

    /// The answer to a lane that was asked for, or to a cell that was sent.
    fn answer_sending(&mut self, ctx: &mut Ctx<'_>, tag: Tag, body: &Body) {
        match (tag, body) {
            (Tag::Lane(lane), Body::Done(_)) => {
                self.lanes.insert(lane, LaneState::Ready);
                ctx.news.settled_in |= lane == self.chain.keys.id;
            }
            (Tag::Lane(lane), body) => self.lane_refused(ctx, lane, body),
            (
                Tag::Append {
                    out, part, place, ..
                },
                _,
            ) if !self.is_sealed_for(out, part, place) => {}
            (
                Tag::Append {
                    out, part, index, ..
                },
                Body::Appended(_),
            ) => {
                self.appended(ctx, out, part, index);
            }
            (Tag::Append { out, .. }, _) => {
                self.flights.remove(&out);
                self.lanes.retain(|_, state| *state == LaneState::Asked);
                self.pause(ctx);
            }
            _ => {}
        }
    }

    /// What expired before it was read may be what nothing names.
    fn notice_skipped(&mut self, ctx: &mut Ctx<'_>, lane: &LaneId) {
        let reader = self.reader(lane);
        if reader.is_some_and(|reader| std::mem::take(&mut reader.skipped) > 0) {
            self.wish_to_compare(ctx);
            if self
                .posts
                .values()
                .any(|lane_of| lane_of.reader.id() == *lane)
            {
                // Lanes of days are kept for longer, and say where still older entries are.
                self.plan_history(ctx.time);
            }
        }
    }

    fn lane_refused(&mut self, ctx: &mut Ctx<'_>, lane: LaneId, body: &Body) {
        let why = match body {
            Body::Refused(refused) => match refused.code() {
                RefusedCode::RefusedAccess => Some(Failure::AccessRefused),
                RefusedCode::RefusedQuota => Some(Failure::AccessUsedUp),
                _ => None,
            },
            _ => None,
        };
        if why.is_some() {
            // What can go on without this lane goes on.
            let again = LaneState::Unpaid(ctx.now.plus(UNPAID_MS));
            self.lanes.insert(lane, again);
            ctx.news.unpaid = why;
        } else {
            self.lanes.remove(&lane);
            self.pause(ctx);
        }
    }

    fn read_refused(&mut self, ctx: &mut Ctx<'_>, lane: LaneId, body: &Body) {
        let absent = matches!(body, Body::Refused(refused) if refused.code == i32::from(RefusedCode::RefusedDenied));
        if lane == self.slots.id() {
            self.slots.refused();
            self.lanes.remove(&lane);
            self.pause(ctx);
            return;
        }
        let is_history = self.history.values().any(|reader| reader.id() == lane);
        if let Some(reader) = self.reader(&lane) {
            // A day on which nobody wrote has no lane. A post lane is there, or is made by whoever needs it.
            reader.refused(absent && is_history);
        }
        if !(absent && is_history) {
            self.lanes.remove(&lane);
            self.pause(ctx);
        }
    }

    fn pause(&mut self, ctx: &mut Ctx<'_>) {
        self.pause_until = ctx
            .now
            .plus(PAUSE_MS / 2 + u64::from(ctx.rng.next_u32()) % PAUSE_MS);
    }

    /// Time passed.
    pub(crate) fn tick(&mut self, ctx: &mut Ctx<'_>) {
        self.advance_expiry(ctx);
        if self.poll_at <= ctx.now {
            self.poll_at = ctx.now.plus(if self.slots.is_partial() {
                POLL_PARTIAL_MS
            } else {
                POLL_MS
            });
            if ctx.up && self.departed().is_none() {
                self.poll(ctx);
            }
        }
        self.advance(ctx);
    }

    /// Asks where the followed lanes end. Until the answers say otherwise, all counts as read.
    fn poll(&mut self, ctx: &mut Ctx<'_>) {
        if !self.is_lost() {
            let ask = self.slots.read();
            ctx.ask(Tag::Read(self.slots.id()), ask);
        }
        let lanes = &self.lanes;
        let there = |reader: &&mut LogReader| lanes.get(&reader.id()) == Some(&LaneState::Ready);
        let contests = self.contests.readers.values_mut();
        let beacons = self.beacons.readers.values_mut();
        let own = contests.chain(beacons).filter(there);
        let polls: Vec<_> = self
            .posts
            .values_mut()
            .map(|lane| &mut lane.reader)
            .chain(own)
            .chain(self.requests.readers_mut())
            .map(|reader| (reader.id(), reader.poll()))
            .collect();
        for (lane, ask) in polls {
            ctx.ask(Tag::Read(lane), ask);
        }
    }

    /// When [`Self::tick`] has something to do.
    pub(crate) fn due(&self) -> Option<Millis> {
        if self.departed().is_some() {
            return self.expiry_at;
        }
        // What time alone brings is looked at once.
        let ahead = |at: &Millis| *at > self.looked_at;
        let pause = Some(self.pause_until).filter(ahead);
        if self.departed().is_some() {
            let says = !self.is_silent();
            return pause.or(Some(self.poll_at)).filter(|_| says);
        }
        // The rest waits for the relay first, and is looked at whenever the relay says something.
        let synced = self.is_synced();
        let ballot = self.ballot.due().filter(|_| self.slots.is_caught_up());
        let handover = self.handover_at.filter(|_| synced);
        let upkeep = self.upkeep_at.filter(|at| synced && ahead(at));
        let missing = self
            .missing_since
            .map(|since| since.plus(history::MISSING_MS))
            .filter(|at| synced && ahead(at));
        let recount = self.recount_due().filter(|at| synced && ahead(at));
        let contest = self.contests.due().filter(|at| synced && ahead(at));
        let uploads = self.uploads.due().filter(ahead);
        let rescue = self.rescue_due().filter(ahead);
        let stuck = self.beacons.due().filter(ahead);
        let files = self.files_due().filter(ahead);
        [
            Some(self.poll_at),
            self.expiry_at,
            pause,
            ballot,
            handover,
            upkeep,
            missing,
            recount,
            contest,
            self.gaps_due(),
            self.packs_due(),
            uploads,
            rescue,
            stuck,
            files,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Does whatever can be done now.
    pub(crate) fn advance(&mut self, ctx: &mut Ctx<'_>) {
        self.looked_at = ctx.now;
        if self.departed().is_some() {
            self.advance_contest(ctx);
            return;
        }
        if !ctx.up || self.pause_until > ctx.now {
            return;
        }
        self.advance_posts(ctx);
        self.advance_history(ctx);
        self.advance_records(ctx);
        // The lane of an epoch that has just begun: nothing else would come to make this device follow it.
        self.advance_posts(ctx);
        self.advance_rescue(ctx);
        self.advance_restored(ctx);
        self.advance_rebirth(ctx);
        self.advance_again();
        self.advance_contests(ctx);
        self.advance_commit(ctx);
        self.advance_upkeep(ctx);
        self.advance_invites(ctx);
        self.advance_cards(ctx);
        self.advance_requests(ctx);
        self.advance_uploads(ctx);
        self.advance_handover(ctx);
        self.advance_outbox(ctx);
        self.advance_files(ctx);
        self.advance_uploads(ctx);
        self.advance_recount(ctx);
        self.advance_packs(ctx);
        self.advance_missing(ctx);
        self.advance_gaps(ctx);
    }

    /// Whether a lane exists as far as this connection knows; asks for it to be made if not.
    fn ensure_lane(
        &mut self,
        ctx: &mut Ctx<'_>,
        id: LaneId,
        new: impl FnOnce() -> LaneNew,
    ) -> bool {
        match self.lanes.get(&id) {
            Some(LaneState::Ready) => return true,
            Some(LaneState::Asked) => return false,
            Some(LaneState::Unpaid(until)) if *until > ctx.now => return false,
            Some(LaneState::Unpaid(_)) | None => {}
        }
        self.lanes.insert(id, LaneState::Asked);
        let access = self.access();
        let new = LaneNew {
            access: access.map_or_else(Bytes::new, |key| Bytes::copy_from_slice(key.bytes())),
            ..new()
        };
        ctx.ask(Tag::Lane(id), Some(Body::LaneNew(new).into()));
        false
    }

    /// What pays for lanes: as the ledger says, or else as it was when this device came.
    pub(super) fn access(&self) -> Option<&Secret> {
        match &self.chain.ledger.access {
            Access::Unsaid => self.saved.access.as_ref(),
            Access::Nothing => None,
            Access::Key(key) => Some(key),
        }
    }

    /// How many cells did not open so far.
    fn count_tampered(&mut self, ctx: &mut Ctx<'_>, count: u32) {
        if count > self.tampered {
            self.tampered = count;
            ctx.news.notices.push(Notice::RelayTampers { count });
        }
    }
}

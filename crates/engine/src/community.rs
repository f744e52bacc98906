//! One community on this device: its group, its lanes, its entries, and what is under way with its relay.
//!
//! [`Community::advance`] is the heart: whatever happened, it looks at the whole state and does what can be done next.
//! Nothing under way is stored; after a crash or on a new connection the same function finds the way from what is.
//! Three rules hold everywhere:
//!
//! - the group changes only together with what belongs to it, in one batch;
//! - nothing is sealed or committed before the commit lane has been read to its end on this connection;
//! - an entry is done with only once it is known that no commit overtook it ([`posts`]).

pub(crate) mod chain;
mod commit;
mod feed;
mod history;
pub(crate) mod invites;
mod post_lane;
mod posts;
mod reader;
mod records;
mod saved;
pub(crate) mod slots;
pub(crate) mod watch;

pub(crate) use feed::Kept;
pub(crate) use history::{LATEST_DAY, LATEST_MS};
pub(crate) use reader::LogReader;
pub(crate) use records::failure;
use saved::Saved;
pub(crate) use saved::{Newcomer, sort_rows};

use crate::io::{Batch, Millis};
use crate::keys::Secret;
use crate::ledger::Role;
use crate::mls::{Group, LeafKey};
use chain::Chain;
use commit::Ballot;
pub(crate) use commit::Intent;
use feed::Feed;
use post_lane::PostLane;
use posts::{Flight, Out, What};
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use slots::SlotReader;
use std::collections::BTreeMap;
use ume_api::{CommunityRef, CommunityView, Failure, Notice, Person, Phase, PostState, PostView};
use ume_wire::auth::{Hash, LaneId};
use ume_wire::relay::{LaneNew, RefusedCode, frame::Body};
use watch::Watch;

/// Pause after a relay refused for want of something, milliseconds.
const PAUSE_MS: u64 = 1_000;
/// How often the ends of the followed lanes are asked for, in case a delivery was lost, milliseconds.
const POLL_MS: u64 = 30_000;
/// The same while a value has begun to arrive and has not ended, milliseconds.
const POLL_PARTIAL_MS: u64 = 5_000;

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    /// Creating a lane.
    Lane(LaneId),
    /// Reading or following a lane.
    Read(LaneId),
    /// Appending a cell of a row of the outbox.
    Append {
        out: u64,
        part: Part,
        index: u16,
        /// For which epoch, day or slot the cell was sealed: a row may be sealed again while an answer is under way.
        place: u64,
    },
    /// Asking where the commit lane ends, to know what is settled.
    Settle(u32),
    /// A promise.
    Prepare,
    /// A cell of a value.
    Accept(u32),
}

/// The two places that an entry goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Post,
    History,
}

/// What a community may use while it handles something.
pub(crate) struct Ctx<'a> {
    /// The device's clock: for timers.
    pub(crate) now: Millis,
    /// The time of day, corrected by the relay's clock where the device's is far off: for what others will read.
    pub(crate) time: Millis,
    pub(crate) rng: &'a mut ChaCha20Rng,
    pub(crate) batch: &'a mut Batch,
    /// Requests to the community's relay.
    pub(crate) asks: Vec<(Tag, Body)>,
    pub(crate) news: News,
    /// Whether the relay is connected.
    pub(crate) up: bool,
    /// Its key, once it greeted.
    pub(crate) relay_key: Option<[u8; 32]>,
}

impl Ctx<'_> {
    pub(crate) fn ask(&mut self, tag: Tag, body: Option<Body>) {
        self.asks.extend(body.map(|body| (tag, body)));
    }

    fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        seed
    }

    fn today(&self) -> u64 {
        history::day(self.time)
    }
}

/// What changed for whoever looks at it.
#[derive(Debug, Default)]
pub(crate) struct News {
    pub(crate) view: bool,
    pub(crate) posts: Vec<PostView>,
    pub(crate) notices: Vec<Notice>,
    /// Invites whose link works now.
    pub(crate) published: Vec<Hash>,
    /// How a join ended.
    pub(crate) joined: Option<Result<(), Failure>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LaneState {
    Asked,
    Ready,
}

/// One community.
pub(crate) struct Community {
    saved: Saved,
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
    feed: Feed,
    /// Entries whose author's admission has not been read yet.
    parked: Vec<crate::proto::Signed>,
    outbox: BTreeMap<u64, Out>,
    flights: BTreeMap<u64, Flight>,
    settling: Option<Vec<u64>>,
    settle_round: u32,
    lanes: BTreeMap<LaneId, LaneState>,
    ballot: Ballot,
    pause_until: Millis,
    poll_at: Millis,
    handover_at: Option<Millis>,
    missing_since: Option<Millis>,
    missing: usize,
    missing_changed: bool,
    /// Pause before what is still missing is looked for again, milliseconds.
    heal_pause_ms: u64,
    /// Keys of the groups' rows in the store, by place.
    mls_rows: BTreeMap<u8, std::collections::BTreeSet<Vec<u8>>>,
    tampered: u32,
    /// Rows that could not be read when this community was loaded.
    damaged: u32,
    saved_changed: bool,
    lanes_changed: bool,
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
        self.group.is_some() && self.watch.is_none() && self.slots.is_caught_up()
    }

    /// The relay is connected: begin again from what is stored.
    pub(crate) fn line_up(&mut self, ctx: &mut Ctx<'_>) {
        self.line_down(ctx);
        self.poll_at = ctx.now.plus(POLL_MS);
        self.repair(ctx);
        self.advance(ctx);
    }

    /// Makes anew what should be stored and is not, because a record was damaged: the way out of an entry that waits,
    /// and the lane of the epoch.
    fn repair(&mut self, ctx: &mut Ctx<'_>) {
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
        if epoch.is_some_and(|epoch| !self.posts.contains_key(&epoch)) {
            self.begin_epoch(ctx);
        }
    }

    /// The connection is gone, and with it all that was under way.
    pub(crate) fn line_down(&mut self, ctx: &mut Ctx<'_>) {
        self.slots.restart();
        self.posts.values_mut().for_each(PostLane::restart);
        self.history.values_mut().for_each(LogReader::restart);
        self.lanes.clear();
        self.flights.clear();
        self.settling = None;
        self.ballot = Ballot::None;
        self.pause_until = Millis::default();
        ctx.news.view = true;
    }

    /// A cell or a value arrived.
    pub(crate) fn deliver(&mut self, ctx: &mut Ctx<'_>, body: Body) {
        match body {
            Body::Value(value) if value.lane[..] == self.chain.keys.id[..] => {
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
        lane == self.chain.keys.id
            || posts
                .chain(self.history.values())
                .any(|reader| reader.id()[..] == *lane)
    }

    fn reader(&mut self, lane: &[u8]) -> Option<&mut LogReader> {
        let posts = self.posts.values_mut().map(|lane| &mut lane.reader);
        posts
            .chain(self.history.values_mut())
            .find(|reader| reader.id()[..] == *lane)
    }

    /// A request was answered.
    pub(crate) fn answer(&mut self, ctx: &mut Ctx<'_>, tag: Tag, body: &Body) {
        match (tag, body) {
            (Tag::Lane(lane), Body::Done(_)) => {
                self.lanes.insert(lane, LaneState::Ready);
            }
            (Tag::Lane(lane), _) => {
                self.lanes.remove(&lane);
                self.pause(ctx);
            }
            (Tag::Read(lane), Body::Head(head)) => {
                // Take what was delivered before judging whether something is missing.
                self.advance_posts(ctx);
                self.advance_history(ctx);
                self.advance_records(ctx);
                if lane == self.chain.keys.id {
                    self.slots.head(head);
                    ctx.news.view = true;
                } else if let Some(reader) = self.reader(&lane) {
                    reader.head(head);
                }
            }
            (Tag::Read(lane), body) => self.read_refused(ctx, lane, body),
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
            (Tag::Settle(round), Body::Head(head)) => self.settled(ctx, round, head),
            (Tag::Settle(_), _) => self.settling = None,
            (Tag::Prepare, body) => self.prepared(ctx, body),
            (Tag::Accept(index), body) => self.accepted(ctx, index, body),
        }
        self.advance(ctx);
    }

    fn read_refused(&mut self, ctx: &mut Ctx<'_>, lane: LaneId, body: &Body) {
        let absent = matches!(body, Body::Refused(refused) if refused.code == i32::from(RefusedCode::RefusedDenied));
        if lane == self.chain.keys.id {
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
        if self.poll_at <= ctx.now {
            self.poll_at = ctx.now.plus(if self.slots.is_partial() {
                POLL_PARTIAL_MS
            } else {
                POLL_MS
            });
            if ctx.up {
                self.poll(ctx);
            }
        }
        self.advance(ctx);
    }

    /// Asks where the followed lanes end. Until the answers say otherwise, all counts as read.
    fn poll(&mut self, ctx: &mut Ctx<'_>) {
        let commits = self.chain.keys.id;
        let ask = self.slots.read();
        ctx.ask(Tag::Read(commits), ask);
        let polls: Vec<_> = self
            .posts
            .values_mut()
            .map(|lane| (lane.reader.id(), lane.reader.poll()))
            .collect();
        for (lane, ask) in polls {
            ctx.ask(Tag::Read(lane), ask);
        }
    }

    /// When [`Self::tick`] has something to do.
    pub(crate) fn due(&self, now: Millis) -> Option<Millis> {
        let pause = (self.pause_until > now).then_some(self.pause_until);
        // The rest waits for the relay first, and is looked at whenever the relay says something.
        let synced = self.is_synced();
        let ballot = self.ballot.due().filter(|_| self.slots.is_caught_up());
        let handover = self.handover_at.filter(|_| synced);
        let missing = self
            .missing_since
            .map(|since| since.plus(history::MISSING_MS))
            .filter(|at| synced && *at > now);
        [Some(self.poll_at), pause, ballot, handover, missing]
            .into_iter()
            .flatten()
            .min()
    }

    /// Does whatever can be done now.
    pub(crate) fn advance(&mut self, ctx: &mut Ctx<'_>) {
        if !ctx.up || self.pause_until > ctx.now {
            return;
        }
        self.advance_posts(ctx);
        self.advance_history(ctx);
        self.advance_records(ctx);
        self.advance_commit(ctx);
        self.advance_invites(ctx);
        self.advance_handover(ctx);
        self.advance_outbox(ctx);
        self.advance_missing(ctx);
    }

    /// Whether a lane exists as far as this connection knows; asks for it to be made if not.
    fn ensure_lane(
        &mut self,
        ctx: &mut Ctx<'_>,
        id: LaneId,
        new: impl FnOnce() -> LaneNew,
    ) -> bool {
        if let Some(state) = self.lanes.get(&id) {
            return *state == LaneState::Ready;
        }
        self.lanes.insert(id, LaneState::Asked);
        ctx.ask(Tag::Lane(id), Some(Body::LaneNew(new())));
        false
    }

    /// How many cells did not open so far.
    fn count_tampered(&mut self, ctx: &mut Ctx<'_>, count: u32) {
        if count > self.tampered {
            self.tampered = count;
            ctx.news.notices.push(Notice::RelayTampers { count });
        }
    }

    pub(crate) fn view(&self) -> CommunityView {
        let ledger = self
            .watch
            .as_ref()
            .map_or(&self.chain.ledger, |watch| &watch.chain.ledger);
        let phase = if self.saved.join.is_some() {
            Phase::Starting
        } else if self.watch.is_some() {
            Phase::Healing
        } else if self.is_synced() && self.saved.history_todo.is_empty() {
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
            may_invite: ledger
                .members
                .get(&self.saved.persona)
                .is_some_and(|me| me.role == Role::Owner),
            missing: u32::try_from(self.missing).unwrap_or(u32::MAX),
        }
    }

    fn person(&self, persona: &Hash) -> Person {
        let me = *persona == self.saved.persona;
        let known = self
            .chain
            .ledger
            .members
            .get(persona)
            .map(|member| member.name.clone());
        let own = self
            .saved
            .join
            .as_ref()
            .filter(|_| me)
            .map(|join| join.name.clone());
        Person {
            name: known.or(own).unwrap_or_default(),
            mark: mark(persona),
            me,
        }
    }

    pub(crate) fn post_view(&self, kept: &Kept) -> PostView {
        let state = match (kept.own, kept.waiting) {
            (true, true) => PostState::Waiting,
            (true, false) => PostState::Sent,
            (false, _) => PostState::Received,
        };
        let entry = &kept.entry;
        PostView {
            id: entry.id,
            author: self.person(&entry.author),
            at: entry.time_ms,
            text: entry.text.clone(),
            state,
        }
    }

    pub(crate) fn page(&self, before: Option<&ume_api::EntryId>) -> (Vec<PostView>, bool) {
        let (page, older) = self.feed.page(before, ume_api::PAGE_POSTS);
        (
            page.into_iter().map(|kept| self.post_view(kept)).collect(),
            older,
        )
    }

    pub(crate) fn has(&self, id: &ume_api::EntryId) -> bool {
        self.feed.get(id).is_some()
    }

    /// What the simulation compares between devices.
    pub(crate) fn audit(&self) -> crate::audit::Audit {
        crate::audit::Audit {
            slot: self.chain.slot,
            record: self.chain.record,
            ledger: self.chain.ledger.head(),
            epoch: self.group.as_ref().map(Group::epoch),
            authenticator: self.group.as_ref().map(Group::epoch_authenticator),
            entries: self
                .feed
                .all()
                .map(|kept| (kept.entry.id, kept.waiting))
                .collect(),
            live: self.is_synced()
                && self.saved.join.is_none()
                && self.saved.history_todo.is_empty(),
            unsettled: self.outbox.len(),
            missing: self.missing,
        }
    }

    fn persona_key(root: &Secret, context: &[u8]) -> ed25519_dalek::SigningKey {
        root.derive(crate::keys::Label::Persona, context)
            .signing_key()
    }
}

/// Eight bytes from which a person's picture is drawn.
pub(crate) fn mark(persona: &Hash) -> [u8; 8] {
    let digest = ume_wire::auth::hash(&[b"ume/1/mark", &persona[..]].concat());
    let mut mark = [0; 8];
    mark.copy_from_slice(&digest[..8]);
    mark
}

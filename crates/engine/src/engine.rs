//! The engine itself: it takes inputs one after the other, hands each to whom it concerns, and gathers what is to be
//! stored, sent and told.

mod askings;
mod commands;
mod deposit;
mod desk;
mod files;
mod govern;
#[cfg(feature = "fuzzing")]
mod library;
mod pacing;
mod push;
mod searching;
mod telling;
mod visits;

use crate::asking::{self, Asking};
use crate::audit::{Audit, Synced};
use crate::community::{self, Community, Ctx, LATEST_MS, News, Tag};
use crate::io::{Batch, Input, Key, Millis, Output, RelayAddress, Step, Table};
use crate::keys::Secret;
use crate::line::{Ask, Greeting, Line, LineEvent, Request, Socket};
use crate::link::{self, RelayRef};
use crate::visit::Visit;
use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ume_api::{
    CommunityRef, CommunityView, Connection, EntryId, Failure, FromEngine, News as Told, Notice,
    PostView, Reply, Search, Surroundings,
};
use ume_wire::auth::Hash;
use ume_wire::relay::frame::Body;

/// How long a person waits for a relay before being told, milliseconds.
const PATIENCE_MS: u64 = 15_000;
/// The shortest time between two wakes, milliseconds: nothing here is more urgent, and no fault can spin.
const WAKE_MS: u64 = 10;
/// A clock this far from the relay's is corrected, milliseconds.
const CORRECT_MS: u64 = 60_000;
/// A clock this far from the relay's is worth telling, milliseconds.
const TELL_MS: u64 = 10 * 60_000;
/// Times that a clock may plausibly show, milliseconds: 2024 to 2100. Keys step forward from day to day, so a time of no
/// sense, from a relay or a broken clock, must not become a day.
const PLAUSIBLE_MS: std::ops::Range<u64> = 1_704_067_200_000..LATEST_MS;
/// Visits have owner numbers from here on, askings (each its community's number beyond this) and communities below.
const FIRST_VISIT: u32 = 0x8000_0000;
const FIRST_ASKING: u32 = 0x4000_0000;

/// The profile's row.
#[derive(Clone, Serialize, Deserialize)]
struct Profile {
    root: Secret,
    next_community: u32,
}

/// A command whose answer depends on a relay.
struct Waiting {
    number: u32,
    what: Wanted,
    until: Millis,
}

enum Wanted {
    Start {
        name: String,
        persona: String,
        access: Option<Secret>,
    },
    /// A community that is founded once the relay has taken its access key.
    Founded {
        community: u32,
    },
    Link {
        community: u32,
        invite: Hash,
        wish: u32,
    },
    Done {
        community: u32,
        wish: u32,
    },
    Joined {
        community: u32,
    },
    Visit {
        visit: u32,
    },
}

/// The engine: see the crate's documentation for its contract.
pub struct Engine {
    home: RelayAddress,
    rng: ChaCha20Rng,
    profile: Profile,
    profile_changed: bool,
    communities: BTreeMap<u32, Community>,
    /// By the numbers of the communities that they may become.
    askings: BTreeMap<u32, Asking>,
    visits: BTreeMap<u32, Visit>,
    lines: BTreeMap<RelayAddress, Line<Tag>>,
    /// Seeds of lines. Nothing else draws from it: when frames leave must not hang on what happens here.
    line_rng: ChaCha20Rng,
    surroundings: Surroundings,
    /// Somebody looks at what passes; whether all of it was told already, and when it may be told again.
    watched: Option<pacing::Watched>,
    deposits: deposit::Deposits,
    push: push::Push,
    waiting: Vec<Waiting>,
    /// What is looked for as soon as all texts are in the index.
    searches: Vec<(u32, Search)>,
    open: Option<u32>,
    /// What is added to the device's clock, milliseconds.
    /// It is kept per relay: one that is only visited has no say in other communities' times.
    offsets_ms: BTreeMap<RelayAddress, i64>,
    damaged: u32,
    told: Vec<CommunityView>,
    told_connection: Option<Connection>,
    posts: BTreeMap<EntryId, PostView>,
    now: Millis,
    batch: Batch,
    outputs: Vec<Output>,
}

impl Engine {
    /// Opens the engine on what is stored: all rows of all tables. `relay` is where new communities start, `seed` is
    /// fresh randomness of the platform, never used twice; `surroundings` are what was chosen and how things stand.
    ///
    /// # Errors
    /// [`Failure::KeysDamaged`] if the profile's row cannot be read, or is missing while others are there.
    pub fn open(
        relay: &str,
        surroundings: Surroundings,
        seed: [u8; 32],
        now: Millis,
        rows: Vec<(Key, Vec<u8>)>,
    ) -> Result<Self, Failure> {
        let home = link::relay_address(relay)?;
        let mut rng = ChaCha20Rng::from_seed(seed);
        let mut line_seed = [0; 32];
        rng.fill_bytes(&mut line_seed);
        let row = |id: &[u8]| {
            let mut rows = rows.iter();
            rows.find(|(key, _)| key.table == Table::Profile && key.id == id)
        };
        let stored = row(b"profile");
        let push = push::Push::load(row(push::ROW).map(|(_, bytes)| &bytes[..]));
        let (profile, profile_changed) = match stored {
            Some((_, bytes)) => (
                postcard::from_bytes(bytes).map_err(|_| Failure::KeysDamaged)?,
                false,
            ),
            // Communities without their profile: somebody lost a row, and a new root would not fit them.
            None if !rows.is_empty() => return Err(Failure::KeysDamaged),
            None => (
                Profile {
                    root: Secret::random(&mut rng),
                    next_community: 1,
                },
                true,
            ),
        };
        let mut communities = BTreeMap::new();
        let (mut askings, mut damaged) = (BTreeMap::new(), 0);
        for (number, mut rows) in community::sort_rows(rows) {
            if let Some(row) = rows.community.remove(asking::ROW) {
                match Asking::load(&row) {
                    Some(asking) => {
                        askings.insert(number, asking);
                    }
                    None => damaged += 1,
                }
                if rows.is_empty() {
                    continue;
                }
            }
            let seed = || {
                let mut seed = [0; 32];
                rng.fill_bytes(&mut seed);
                seed
            };
            match Community::load(rows, seed) {
                Some(community) => {
                    damaged += community.damaged();
                    communities.insert(number, community);
                }
                None => damaged += 1,
            }
        }
        Ok(Self {
            home,
            rng,
            profile,
            profile_changed,
            communities,
            askings,
            visits: BTreeMap::new(),
            lines: BTreeMap::new(),
            line_rng: ChaCha20Rng::from_seed(line_seed),
            surroundings,
            watched: None,
            deposits: deposit::Deposits::default(),
            push,
            waiting: vec![],
            searches: vec![],
            open: None,
            offsets_ms: BTreeMap::new(),
            damaged,
            told: vec![],
            told_connection: None,
            posts: BTreeMap::new(),
            now,
            batch: Batch::default(),
            outputs: vec![],
        })
    }

    /// The first step, before any input.
    pub fn boot(&mut self, now: Millis) -> Step {
        self.now = now;
        for community in self.communities.values_mut() {
            community.plan_first_expiry(now);
        }
        let views = self.views();
        self.tell(Told::Communities(views.clone()));
        self.told = views;
        if self.damaged > 0 {
            self.tell(Told::Notice(Notice::RecordsDamaged {
                count: self.damaged,
            }));
        }
        let relays: Vec<RelayAddress> = self
            .communities
            .values()
            .map(|community| community.relay().address.clone())
            .chain(self.askings.values().map(|one| one.relay().address.clone()))
            .collect();
        for relay in relays {
            self.want(&relay);
        }
        self.finish()
    }

    /// Handles one input.
    pub fn handle(&mut self, now: Millis, input: Input) -> Step {
        self.now = now;
        match input {
            Input::Command { number, command } => self.command(number, command),
            Input::Connected(relay) => {
                if let Some(line) = self.lines.get_mut(&relay) {
                    line.connected(now);
                }
            }
            Input::Disconnected(relay) => self.disconnected(&relay, None),
            Input::Restarting(relay, after_ms) => self.disconnected(&relay, Some(after_ms)),
            Input::Frame(relay, frame) => self.frame(&relay, &frame),
            Input::Left {
                relay,
                slots,
                frames,
                filled,
            } => {
                if let Some(line) = self.lines.get_mut(&relay) {
                    line.left(now, slots, frames, filled);
                }
            }
            Input::Surroundings(surroundings) => self.surround(surroundings),
            Input::Rows(rows) => self.take_rows(rows),
            Input::Tick => self.search_on(),
        }
        self.tick();
        self.finish()
    }

    /// The state of each community, for tests that compare devices.
    pub fn audit(&self) -> Vec<(CommunityRef, Audit)> {
        self.communities
            .iter()
            .map(|(number, community)| (CommunityRef(*number), community.audit()))
            .collect()
    }

    /// Whether each community is what its ledger makes of it, for tests.
    pub fn synced(&self) -> Vec<(CommunityRef, Synced)> {
        self.communities
            .iter()
            .map(|(number, community)| (CommunityRef(*number), community.synced()))
            .collect()
    }

    #[cfg(feature = "unruly")]
    pub(crate) fn communities(&mut self) -> impl Iterator<Item = &mut Community> {
        self.communities.values_mut()
    }

    fn member_of(&self, community: &Hash) -> Option<CommunityRef> {
        let found = self
            .communities
            .iter()
            .find(|(_, known)| known.community() == *community && known.departed().is_none());
        found.map(|(number, _)| CommunityRef(*number))
    }

    fn wait(&mut self, number: u32, what: Wanted) {
        self.waiting.push(Waiting {
            number,
            what,
            until: self.now.plus(PATIENCE_MS),
        });
    }

    /// What is waited for takes long, and goes on.
    fn be_patient(&mut self, owner: u32) {
        for one in &mut self.waiting {
            let about = match &one.what {
                Wanted::Start { .. } => None,
                Wanted::Founded { community }
                | Wanted::Link { community, .. }
                | Wanted::Done { community, .. }
                | Wanted::Joined { community } => Some(*community),
                Wanted::Visit { visit } => Some(*visit),
            };
            if about == Some(owner) {
                one.until = self.now.plus(PATIENCE_MS);
            }
        }
    }

    fn want(&mut self, relay: &str) {
        let (rng, surroundings, now) = (&mut self.line_rng, self.surroundings, self.now);
        let line = self.lines.entry(relay.to_owned()).or_insert_with(|| {
            let mut seed = [0; 32];
            rng.fill_bytes(&mut seed);
            let mut line = Line::new(seed);
            line.surround(now, surroundings);
            line
        });
        let socket = line.want(now);
        self.socket(relay, socket);
    }

    fn socket(&mut self, relay: &str, socket: Option<Socket>) {
        match socket {
            Some(Socket::Open) => self.outputs.push(Output::Connect(relay.to_owned())),
            Some(Socket::Close) => {
                self.outputs.push(Output::Disconnect(relay.to_owned()));
                self.disconnected(relay, None);
            }
            None => {}
        }
    }

    fn disconnected(&mut self, relay: &str, after_ms: Option<u64>) {
        if let Some(line) = self.lines.get_mut(relay) {
            line.disconnected(self.now, after_ms);
        }
        self.push_line_down(relay);
        for owner in self.owners(relay) {
            if owner < FIRST_ASKING {
                self.with(owner, Community::line_down);
            } else if owner < FIRST_VISIT {
                self.with_asking(owner - FIRST_ASKING, |asking, _| asking.line_down());
            }
        }
    }

    /// Communities, askings and visits on a relay.
    fn owners(&self, relay: &str) -> Vec<u32> {
        let communities = self
            .communities
            .iter()
            .filter(|(_, one)| one.relay().address == relay);
        let visits = self
            .visits
            .iter()
            .filter(|(_, one)| one.relay().is_some_and(|known| known.address == relay));
        let askings = self
            .askings
            .iter()
            .filter(|(_, one)| one.relay().address == relay);
        communities
            .map(|(owner, _)| *owner)
            .chain(askings.map(|(number, _)| FIRST_ASKING + number))
            .chain(visits.map(|(owner, _)| *owner))
            .collect()
    }

    fn frame(&mut self, relay: &str, frame: &Bytes) {
        let Some(line) = self.lines.get_mut(relay) else {
            return;
        };
        for event in line.receive(self.now, frame) {
            self.hear(relay, event);
        }
    }

    fn hear(&mut self, relay: &str, event: LineEvent<Tag>) {
        match event {
            LineEvent::Up => self.up(relay),
            LineEvent::Unusable => {
                self.outputs.push(Output::Disconnect(relay.to_owned()));
                self.disconnected(relay, None);
                self.fail_visits(relay, Failure::RelayVersion);
            }
            LineEvent::Answer { ask, body } => {
                if ask.owner == push::OWNER {
                    self.push_answered(relay, ask.tag, &body);
                } else if ask.owner >= FIRST_VISIT {
                    self.with_visit(ask.owner, |visit, ctx| visit.answer(ctx, &body));
                } else if ask.owner >= FIRST_ASKING {
                    self.with_asking(ask.owner - FIRST_ASKING, |asking, ctx| {
                        asking.answer(ctx, ask.tag, &body);
                    });
                } else {
                    self.with(ask.owner, |community, ctx| {
                        community.answer(ctx, ask.tag, &body);
                    });
                }
            }
            LineEvent::Delivery(body) => self.delivery(relay, &body),
        }
    }

    fn up(&mut self, relay: &str) {
        let Some(time_ms) = self.greeting(relay).map(|greeting| greeting.time_ms) else {
            return;
        };
        self.correct_clock(relay, time_ms);
        self.found_waiting(relay);
        for owner in self.owners(relay) {
            if owner < FIRST_ASKING {
                self.with(owner, Community::line_up);
                continue;
            }
            if owner < FIRST_VISIT {
                self.with_asking(owner - FIRST_ASKING, Asking::line_up);
                continue;
            }
            let expected = self.visits.get(&owner).and_then(Visit::relay);
            if expected.is_some_and(|expected| self.is_there(expected)) {
                self.with_visit(owner, Visit::line_up);
            } else {
                self.end_visit(owner, Failure::InviteForged);
            }
        }
    }

    fn greeting(&self, relay: &str) -> Option<&Greeting> {
        self.lines.get(relay).and_then(Line::greeting)
    }

    /// Whether this relay is connected: the one of that id, not only one at its address.
    fn is_there(&self, relay: &RelayRef) -> bool {
        self.greeting(&relay.address)
            .is_some_and(|greeting| greeting.is(&relay.id))
    }

    fn correct_clock(&mut self, relay: &str, relay_ms: u64) {
        if !PLAUSIBLE_MS.contains(&relay_ms) {
            return;
        }
        let (ours, theirs) = (self.now.0, relay_ms);
        let ahead = i64::try_from(ours.abs_diff(theirs)).unwrap_or(i64::MAX)
            * if ours >= theirs { 1 } else { -1 };
        let far = ahead.unsigned_abs() > CORRECT_MS;
        let offset = if far { ahead.saturating_neg() } else { 0 };
        self.offsets_ms.insert(relay.to_owned(), offset);
        if ahead.unsigned_abs() > TELL_MS {
            self.tell(Told::Notice(Notice::ClockOff {
                seconds: ahead / 1000,
            }));
        }
    }

    fn delivery(&mut self, relay: &str, body: &Body) {
        let lane = match body {
            Body::Delivery(delivery) => &delivery.lane,
            Body::Value(value) => &value.lane,
            _ => return,
        };
        for owner in self.owners(relay) {
            if self
                .visits
                .get(&owner)
                .is_some_and(|visit| visit.follows(lane))
            {
                self.with_visit(owner, |visit, ctx| visit.deliver(ctx, body.clone()));
            }
            let asking = owner.wrapping_sub(FIRST_ASKING);
            if self
                .askings
                .get(&asking)
                .is_some_and(|asking| asking.follows(lane))
            {
                self.with_asking(asking, |asking, ctx| asking.deliver(ctx, body.clone()));
            }
            if self
                .communities
                .get(&owner)
                .is_some_and(|community| community.follows(lane))
            {
                self.with(owner, |community, ctx| community.deliver(ctx, body.clone()));
            }
        }
    }

    fn tick(&mut self) {
        let relays: Vec<RelayAddress> = self.lines.keys().cloned().collect();
        for relay in relays {
            let socket = self
                .lines
                .get_mut(&relay)
                .and_then(|line| line.tick(self.now));
            self.socket(&relay, socket);
        }
        let due: Vec<u32> = self
            .communities
            .iter()
            .filter(|(_, community)| community.due().is_some_and(|at| at <= self.now))
            .map(|(number, _)| *number)
            .collect();
        for number in due {
            self.with(number, Community::tick);
        }
        let askings = self.askings.iter();
        let due: Vec<u32> = askings
            .filter(|(_, asking)| asking.due().is_some_and(|at| at <= self.now))
            .map(|(number, _)| *number)
            .collect();
        for number in due {
            self.with_asking(number, Asking::tick);
        }
        let late: Vec<Waiting>;
        (late, self.waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|one| one.until <= self.now);
        for one in late {
            self.give_up(&one);
        }
    }

    /// A command waited too long. What it began goes on by itself when the relay comes back.
    fn give_up(&mut self, one: &Waiting) {
        if let Wanted::Visit { visit } = one.what {
            if let Some(visit) = self.visits.get_mut(&visit) {
                visit.asked.retain(|(number, _)| *number != one.number);
            }
            self.visits
                .retain(|_, visit| !visit.asked.is_empty() || visit.errand.is_some());
        }
        self.answer(one.number, Err(Failure::RelayUnreachable));
    }

    fn answer(&mut self, number: u32, result: Result<Reply, Failure>) {
        self.waiting.retain(|one| one.number != number);
        self.outputs
            .push(Output::Tell(FromEngine::Answer { number, result }));
    }

    fn tell(&mut self, news: Told) {
        self.outputs.push(Output::Tell(FromEngine::News(news)));
    }

    /// The time of day by a relay.
    fn time(&self, relay: &str) -> Millis {
        let offset = self.offsets_ms.get(relay).copied().unwrap_or(0);
        let corrected = self.now.0.saturating_add_signed(offset);
        Millis(corrected.min(LATEST_MS))
    }

    /// Lets something happen with a relay at hand.
    fn with_ctx<R>(&mut self, relay: &RelayRef, act: impl FnOnce(&mut Ctx<'_>) -> R) -> R {
        let time = self.time(&relay.address);
        let up = self.is_there(relay);
        let relay_key = self.greeting(&relay.address).map(|greeting| greeting.key);
        let mut ctx = Ctx {
            now: self.now,
            time,
            rng: &mut self.rng,
            batch: &mut self.batch,
            asks: vec![],
            news: News::default(),
            up,
            relay_key,
        };
        act(&mut ctx)
    }

    /// Lets a community handle something, and carries out what follows.
    fn with<R>(
        &mut self,
        number: u32,
        act: impl FnOnce(&mut Community, &mut Ctx<'_>) -> R,
    ) -> Option<R> {
        let mut community = self.communities.remove(&number)?;
        let relay = community.relay().clone();
        let (result, asks, news) = self.with_ctx(&relay, |ctx| {
            let result = act(&mut community, ctx);
            community.flush(ctx);
            (
                result,
                std::mem::take(&mut ctx.asks),
                std::mem::take(&mut ctx.news),
            )
        });
        let over = community.is_silent();
        self.communities.insert(number, community);
        if over {
            // Also what is under way, and would be asked again.
            if let Some(line) = self.lines.get_mut(&relay.address) {
                line.forget(number);
            }
        } else {
            self.request(&relay.address, number, asks);
        }
        self.take_news(number, news);
        Some(result)
    }

    fn request(&mut self, relay: &str, owner: u32, asks: Vec<(Tag, Request)>) {
        if let Some(line) = self.lines.get_mut(relay) {
            for (tag, request) in asks {
                line.request(self.now, Ask { owner, tag }, request);
            }
        }
    }
}

//! A play instead of a lottery: a test says who does what, on a network that works, and looks at what came of it.

use crate::device::{Device, RELAY};
use crate::network::Faults;
use crate::pace::Seen;
use crate::relay::Relay;
use crate::world::World;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use ume_api::{
    AccessKeyText, Act, BellView, Command, CommunityRef, CommunityView, EntryId, Failure,
    FromEngine, InviteTerms, InviteView, MemberView, News, Notice, PostView, Reply, RequestView,
    Surroundings,
};
use ume_engine::audit::Audit;
use ume_engine::io::{Input, Key};
use ume_engine::unruly::Unruly;
use ume_wire::frame;
use ume_wire::relay::{Frame, LaneNew, frame::Body};

/// How long a command may take, virtual milliseconds: longer than the engine's own patience.
const COMMAND_MS: u64 = 60_000;

/// Devices and a relay under a test's direction.
///
/// Everything here panics when the play cannot go on: it is for tests only, and a wrong play is a wrong test.
pub struct Stage(World);

/// What a relay holds at one moment, for a relay that shows old state.
pub struct Memory(Relay);

#[allow(clippy::panic)] // a test's tool: see the type's documentation
pub(crate) fn go_on<T>(result: Result<T, String>) -> T {
    result.unwrap_or_else(|what| panic!("{what}"))
}

impl Stage {
    /// An empty stage. The seed decides about keys and delays.
    pub fn new(seed: u8) -> Self {
        Self(World::new(
            u64::from(seed),
            [seed; 32],
            ChaCha20Rng::from_seed([seed; 32]),
        ))
    }

    /// Adds a device whose clock is off by some milliseconds, and starts it.
    pub fn device(&mut self, skew_ms: i64) -> usize {
        let device = self.0.devices.len();
        self.0.devices.push(Device::new(skew_ms));
        go_on(self.0.start(device));
        device
    }

    /// The same with cover traffic.
    pub fn device_with(&mut self, surroundings: Surroundings) -> usize {
        let device = self.0.devices.len();
        let mut one = Device::new(0);
        one.surroundings = surroundings;
        self.0.devices.push(one);
        go_on(self.0.start(device));
        device
    }

    /// Things stand otherwise around a device from now on.
    ///
    /// # Panics
    /// If its engine then breaks a rule.
    pub fn surround(&mut self, device: usize, surroundings: Surroundings) {
        self.0.devices[device].surroundings = surroundings;
        self.give(device, Input::Surroundings(surroundings));
    }

    /// From now on the network takes the same time for everything, and what passes on a device's line is written down.
    pub fn look(&mut self, device: usize) {
        self.0.faults.delay_ms = 1;
        self.0.seen = Some((device, vec![]));
    }

    /// What was written down: when, milliseconds since 1970, and what.
    pub fn seen(&self) -> &[(u64, Seen)] {
        self.0.seen.as_ref().map_or(&[], |(_, seen)| seen)
    }

    /// A device crashes now, and starts again after so many milliseconds.
    pub fn crash(&mut self, device: usize, after_ms: u64) {
        self.stop(device);
        self.0.devices[device].restart_at = Some(self.0.now_ms + after_ms);
    }

    /// Lets time pass, milliseconds.
    pub fn run(&mut self, ms: u64) {
        let until = self.0.now_ms + ms;
        go_on(self.0.run_until(until));
    }

    /// The true time, milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        self.0.now_ms
    }

    /// Gives a command without waiting; its number.
    pub fn ask(&mut self, device: usize, command: Command) -> u32 {
        go_on(self.0.command(device, command))
    }

    /// The answer to a command, once it is there.
    pub fn answer(&self, device: usize, number: u32) -> Option<Result<Reply, Failure>> {
        self.0.devices[device].answers.get(&number).cloned()
    }

    /// Gives a command and waits for its answer.
    ///
    /// # Errors
    /// The engine's.
    ///
    /// # Panics
    /// If no answer comes.
    pub fn command(&mut self, device: usize, command: Command) -> Result<Reply, Failure> {
        let number = self.ask(device, command);
        for _ in 0..COMMAND_MS / 50 {
            if let Some(answer) = self.answer(device, number) {
                return answer;
            }
            self.run(50);
        }
        go_on(Err(format!("device {device}: no answer")))
    }

    /// Starts a community.
    ///
    /// # Panics
    /// If that does not work.
    pub fn found(&mut self, device: usize) -> CommunityRef {
        go_on(
            self.found_with(device, None)
                .map_err(|failure| failure.to_string()),
        )
    }

    /// Starts a community with an access key as somebody pasted it.
    ///
    /// # Errors
    /// The engine's.
    pub fn found_with(
        &mut self,
        device: usize,
        access: Option<&str>,
    ) -> Result<CommunityRef, Failure> {
        let command = Command::Start {
            name: "Orchard".into(),
            persona: "Owner".into(),
            access: access.map(|text| AccessKeyText(text.to_owned())),
        };
        match self.command(device, command)? {
            Reply::Community(community) => Ok(community),
            other => go_on(Err(format!("founding: {other:?}"))),
        }
    }

    /// From now on a new lane needs one of these access keys; with none of them, no lane needs any.
    pub fn want_access(&mut self, keys: &[[u8; 32]]) {
        self.0.relay.access = keys.to_vec();
    }

    /// Makes an invite; its link.
    ///
    /// # Panics
    /// If that does not work.
    pub fn share(&mut self, device: usize, community: CommunityRef, terms: InviteTerms) -> String {
        match self.command(device, Command::Share { community, terms }) {
            Ok(Reply::Link(link)) => link,
            other => go_on(Err(format!("sharing: {other:?}"))),
        }
    }

    /// Joins by a link.
    ///
    /// # Errors
    /// The engine's.
    pub fn join(&mut self, device: usize, link: &str) -> Result<CommunityRef, Failure> {
        let (link, persona) = (link.to_owned(), format!("Guest {device}"));
        match self.command(device, Command::Join { link, persona })? {
            Reply::Community(community) => Ok(community),
            other => go_on(Err(format!("joining: {other:?}"))),
        }
    }

    /// Posts a text.
    ///
    /// # Panics
    /// If that does not work.
    pub fn post(&mut self, device: usize, community: CommunityRef, text: &str) {
        self.post_for(device, community, text, None);
    }

    /// Posts a text that is erased after some seconds.
    ///
    /// # Panics
    /// If that does not work.
    pub fn post_for(
        &mut self,
        device: usize,
        community: CommunityRef,
        text: &str,
        lifetime: Option<u64>,
    ) {
        let command = Command::Post {
            community,
            text: text.to_owned(),
            lifetime,
        };
        if let Err(failure) = self.command(device, command) {
            go_on::<()>(Err(format!("posting: {failure:?}")));
        }
    }

    /// All posts of a community on a device, oldest first, by turning pages like a reader.
    ///
    /// # Panics
    /// If there is no such community.
    pub fn posts(&mut self, device: usize, community: CommunityRef) -> Vec<PostView> {
        let mut posts: Vec<PostView> = vec![];
        loop {
            let command = match posts.first() {
                None => Command::Open { community },
                Some(first) => Command::Older {
                    community,
                    before: first.id,
                },
            };
            let Ok(Reply::Feed(page)) = self.command(device, command) else {
                return go_on(Err("no feed".into()));
            };
            posts.splice(0..0, page.posts);
            if !page.older {
                return posts;
            }
        }
    }

    /// A post of the open feed as a device was told of it last, without having asked.
    pub fn news_of(&self, device: usize, post: EntryId) -> Option<PostView> {
        let told = self.0.devices[device].told.iter().rev();
        let posts = told.filter_map(|told| match told {
            FromEngine::News(News::Posts { posts, .. }) => Some(posts),
            _ => None,
        });
        posts.flatten().find(|one| one.id == post).cloned()
    }

    /// What a device was told beside answers and views.
    pub fn notices(&self, device: usize) -> Vec<Notice> {
        let told = self.0.devices[device].told.iter();
        told.filter_map(|told| match told {
            FromEngine::News(News::Notice(notice)) => Some(*notice),
            _ => None,
        })
        .collect()
    }

    /// The state of a device's first community.
    pub fn audit(&self, device: usize) -> Option<Audit> {
        self.0.community(device).map(|(_, audit)| audit)
    }

    /// What a device has stored.
    pub fn rows(&self, device: usize) -> Vec<(Key, Vec<u8>)> {
        let rows = self.0.devices[device].rows();
        rows.iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    /// Hands a device something that nobody sent.
    ///
    /// # Panics
    /// If the engine then breaks a rule.
    pub fn give(&mut self, device: usize, input: Input) {
        go_on(self.0.give(device, input));
    }

    /// Every frame that reaches this device from now on is written down.
    pub fn listen(&mut self, device: usize) {
        self.0.devices[device].heard = Some(vec![]);
    }

    /// The frames written down.
    pub fn heard(&self, device: usize) -> Vec<bytes::Bytes> {
        self.0.devices[device].heard.clone().unwrap_or_default()
    }

    /// From now on so many of a thousand frames are lost, and as many doubled or changed on the way to a device; one of a thousand
    /// ends its connection.
    pub fn disturb(&mut self, thousandths: u32) {
        self.0.faults = Faults {
            drop: thousandths,
            duplicate: thousandths,
            tamper: thousandths,
            cut: 1,
            ..Faults::NONE
        };
    }

    /// Takes a device's network away, or gives it back.
    pub fn set_offline(&mut self, device: usize, offline: bool) {
        self.0.devices[device].offline = offline;
        self.0.devices[device].holder.end();
        if let Some(session) = self.0.devices[device].session.take() {
            self.0.closed(session);
            go_on(self.0.give(device, Input::Disconnected(RELAY.into())));
        }
        if !offline {
            go_on(self.0.command(device, Command::Reconnect));
        }
    }

    /// A community as a device shows it.
    pub fn view(&self, device: usize, community: CommunityRef) -> Option<CommunityView> {
        let views = self.0.devices[device].views();
        views.iter().find(|one| one.id == community).cloned()
    }

    /// All communities as a device shows them.
    pub fn views(&self, device: usize) -> &[CommunityView] {
        self.0.devices[device].views()
    }

    /// Those who ask to come in, as a device shows them.
    ///
    /// # Panics
    /// If there is no such community.
    pub fn requests(&mut self, device: usize, community: CommunityRef) -> Vec<RequestView> {
        match self.command(device, Command::Requests { community }) {
            Ok(Reply::Requests(requests)) => requests,
            other => go_on(Err(format!("requests: {other:?}"))),
        }
    }

    /// A device crashes when it has stored something this many times more, instead of storing what comes then, and starts
    /// again by itself.
    pub fn crash_after(&mut self, device: usize, stored: u32) {
        self.0.devices[device].crash_after = Some(stored);
    }

    /// How often a device has crashed.
    pub fn crashes(&self, device: usize) -> u32 {
        self.0.devices[device].crashes
    }

    /// The members of a community as a device shows them.
    ///
    /// # Panics
    /// If there is no such community.
    pub fn members(&mut self, device: usize, community: CommunityRef) -> Vec<MemberView> {
        match self.command(device, Command::Members { community }) {
            Ok(Reply::Members(members)) => members,
            other => go_on(Err(format!("members: {other:?}"))),
        }
    }

    /// The invites of a community as a device shows them.
    ///
    /// # Panics
    /// If there is no such community.
    pub fn invites(&mut self, device: usize, community: CommunityRef) -> Vec<InviteView> {
        match self.command(device, Command::Invites { community }) {
            Ok(Reply::Invites(invites)) => invites,
            other => go_on(Err(format!("invites: {other:?}"))),
        }
    }

    /// Changes how a community is run.
    ///
    /// # Errors
    /// The engine's.
    pub fn govern(
        &mut self,
        device: usize,
        community: CommunityRef,
        act: Act,
    ) -> Result<(), Failure> {
        let command = Command::Govern { community, act };
        self.command(device, command).map(|_| ())
    }

    /// Ends a device's program; it does not start again by itself.
    pub fn stop(&mut self, device: usize) {
        let now = self.0.now_ms;
        if let Some(session) = self.0.devices[device].session {
            self.0.closed(session);
        }
        let World { devices, rng, .. } = &mut self.0;
        devices[device].crash(now, rng);
        devices[device].restart_at = None;
    }

    /// What a device left to be sent when it is gone.
    pub fn deposit(&self, device: usize) -> &[bytes::Bytes] {
        &self.0.devices[device].deposit
    }

    /// The browser of a device sends that.
    pub fn post_deposit(&mut self, device: usize) {
        self.0.post_deposit(device);
    }

    /// From now on the relay wakes devices, and push services know it by this key.
    pub fn offer_push(&mut self, key: &[u8]) {
        self.0.relay.bells.key = bytes::Bytes::copy_from_slice(key);
    }

    /// How often the device at this address was woken.
    pub fn rung(&self, endpoint: &str) -> usize {
        let bells = self.0.relay.bells.all.values();
        let here = bells.filter(|bell| bell.endpoint == endpoint);
        here.map(|bell| bell.rung).sum()
    }

    /// How many devices the relay is to wake.
    pub fn devices_to_wake(&self) -> usize {
        self.0.relay.bells.all.len()
    }

    /// What a device showed last of who wakes it.
    pub fn bells(&self, device: usize) -> Vec<BellView> {
        let told = self.0.devices[device].told.iter().rev();
        let mut bells = told.filter_map(|told| match told {
            FromEngine::News(News::Bells(bells)) => Some(bells.clone()),
            _ => None,
        });
        bells.next().unwrap_or_default()
    }

    /// Starts a stopped device again.
    pub fn restart(&mut self, device: usize) {
        go_on(self.0.start(device));
    }

    /// The lanes that the relay has been asked for.
    pub fn lanes(&self) -> Vec<LaneNew> {
        self.0.relay.lanes()
    }

    /// Says something to the relay on a connection of nobody's; its answers.
    pub fn say(&mut self, body: Body) -> Vec<Body> {
        let frame = Frame {
            request: 1,
            body: Some(body),
        };
        let frame = go_on(frame::encode(&frame).map_err(|error| error.to_string()));
        let said = self.0.relay.receive(self.0.now_ms, u64::MAX, &frame);
        let mine = said.into_iter().filter(|(session, _)| *session == u64::MAX);
        mine.filter_map(|(_, frame)| frame.body).collect()
    }

    /// From now on a new lane has to show this much work.
    pub fn want_work(&mut self, bits: u32) {
        self.0.relay.work_bits = bits;
    }

    /// Every cell with what people wrote expires: the relay keeps none of them any longer.
    pub fn expire(&mut self) {
        self.0.relay.expire();
    }

    /// How many cells the relay took since it was made.
    pub fn cells(&self) -> usize {
        self.0.relay.cells()
    }

    /// What the relay holds now.
    pub fn remember(&self) -> Memory {
        Memory(self.0.relay.clone())
    }

    /// The relay is put back from a backup, with a new key that its old one vouches for.
    ///
    /// # Panics
    /// If an engine then breaks a rule.
    pub fn put_back(&mut self, memory: &Memory) {
        go_on(self.0.put_back(&memory.0));
    }

    /// Keeps a copy of what a device has stored.
    pub fn copy(&mut self, device: usize) {
        self.0.devices[device].copy();
    }

    /// A device's store is put back to the copy, and the device starts again.
    ///
    /// # Panics
    /// If there is no copy.
    pub fn put_store_back(&mut self, device: usize) {
        self.stop(device);
        let World {
            devices,
            rng,
            now_ms,
            ..
        } = &mut self.0;
        if !devices[device].restore(*now_ms, rng) {
            go_on::<()>(Err("no copy".into()));
        }
        self.0.devices[device].restart_at = None;
        self.restart(device);
    }

    /// Changes a device's program, until it ends.
    pub fn unruly(&mut self, device: usize, how: Unruly) {
        if let Some(engine) = &mut self.0.devices[device].engine {
            engine.unruly(how);
        }
    }

    /// How many blobs the relay holds.
    pub fn blobs(&self) -> usize {
        self.0.relay.blobs.whole.len()
    }

    /// The relay does something to the cells of its blobs; a blob without cells is gone.
    pub fn treat_blobs(&mut self, treat: impl Fn(&mut Vec<bytes::Bytes>)) {
        let blobs = &mut self.0.relay.blobs.whole;
        blobs.values_mut().for_each(treat);
        blobs.retain(|_, cells| !cells.is_empty());
    }

    /// The relay has the blobs again that it had.
    pub fn find_blobs(&mut self, memory: &Memory) {
        let had = memory.0.blobs.whole.clone();
        self.0.relay.blobs.whole.extend(had);
    }

    /// The relay shows an earlier state from now on.
    pub fn roll_back(&mut self, memory: &Memory) {
        self.0.relay = memory.0.clone();
    }
}

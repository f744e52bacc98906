//! A play instead of a lottery: a test says who does what, on a network that works, and looks at what came of it.

use crate::device::Device;
use crate::relay::Relay;
use crate::world::World;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use ume_api::{
    Command, CommunityRef, Failure, FromEngine, InviteTerms, News, Notice, PostView, Reply,
};
use ume_engine::audit::Audit;
use ume_engine::io::{Input, Key};

/// How long a command may take, virtual milliseconds: longer than the engine's own patience.
const COMMAND_MS: u64 = 60_000;

/// Devices and a relay under a test's direction.
///
/// Everything here panics when the play cannot go on: it is for tests only, and a wrong play is a wrong test.
pub struct Stage(World);

/// What a relay holds at one moment, for a relay that shows old state.
pub struct Memory(Relay);

#[allow(clippy::panic)] // a test's tool: see the type's documentation
fn go_on<T>(result: Result<T, String>) -> T {
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
        let command = Command::Start {
            name: "Orchard".into(),
            persona: "Owner".into(),
        };
        match self.command(device, command) {
            Ok(Reply::Community(community)) => community,
            other => go_on(Err(format!("founding: {other:?}"))),
        }
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
        let text = text.to_owned();
        if let Err(failure) = self.command(device, Command::Post { community, text }) {
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

    /// Ends a device's program; it does not start again by itself.
    pub fn stop(&mut self, device: usize) {
        let now = self.0.now_ms;
        if let Some(session) = self.0.devices[device].session {
            self.0.relay.closed(session);
        }
        let World { devices, rng, .. } = &mut self.0;
        devices[device].crash(now, rng);
        devices[device].restart_at = None;
    }

    /// Starts a stopped device again.
    pub fn restart(&mut self, device: usize) {
        go_on(self.0.start(device));
    }

    /// What the relay holds now.
    pub fn remember(&self) -> Memory {
        Memory(self.0.relay.clone())
    }

    /// The relay shows an earlier state from now on.
    pub fn roll_back(&mut self, memory: &Memory) {
        self.0.relay = memory.0.clone();
    }
}

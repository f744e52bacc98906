//! Real engines and a relay in one thread, without a network: frames go straight from one to the other, and time passes
//! only when nobody has anything to say.

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use rustix::time::{ClockId, clock_gettime};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use ume_api::{Command, CommunityRef, Failure, FromEngine, InviteTerms, Reply, Surroundings};
use ume_engine::Engine;
use ume_engine::audit::Audit;
use ume_engine::io::{Input, Key, Millis, Output, Step};
use ume_sim::Relay;
use ume_wire::frame;

/// The relay's address.
const RELAY: &str = "https://relay.example";
/// When the first scene begins: 2026-01-01, milliseconds since 1970.
const BEGIN_MS: u64 = 1_767_225_600_000;
/// How long a command may take, virtual milliseconds.
const COMMAND_MS: u64 = 120_000;

/// Why a scene cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// An engine refused.
    #[error("{0}")]
    Refused(#[from] Failure),
    /// No answer came, or another one than expected.
    #[error("{0}")]
    Other(String),
}

/// What something cost one device.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// The engine's time on the processor.
    pub(crate) cpu: Duration,
    /// Frames of 2,048 bytes that it sent,
    pub(crate) sent: u64,
    /// and that it got.
    pub(crate) got: u64,
    /// Rows that it wrote,
    pub(crate) rows: u64,
    /// and their bytes before sealing.
    pub(crate) bytes: u64,
}

impl Cost {
    /// What came on top of an earlier one.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(before.cpu),
            sent: self.sent - before.sent,
            got: self.got - before.got,
            rows: self.rows - before.rows,
            bytes: self.bytes - before.bytes,
        }
    }
}

/// One device.
pub(crate) struct Device {
    engine: Option<Engine>,
    rows: BTreeMap<Key, Vec<u8>>,
    session: Option<u64>,
    wake: Option<u64>,
    answers: BTreeMap<u32, Result<Reply, Failure>>,
    cost: Cost,
}

/// Devices and their relay.
pub(crate) struct Scene {
    rng: ChaCha20Rng,
    now_ms: u64,
    relay: Relay,
    devices: BTreeMap<usize, Device>,
    frames: VecDeque<(u64, Bytes)>,
    connecting: Vec<usize>,
    next_device: usize,
    next_session: u64,
    next_command: u32,
}

/// The thread's time on the processor.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

impl Scene {
    pub(crate) fn new(seed: u8) -> Self {
        Self {
            rng: ChaCha20Rng::from_seed([seed; 32]),
            now_ms: BEGIN_MS,
            relay: Relay::new([seed; 32]),
            devices: BTreeMap::new(),
            frames: VecDeque::new(),
            connecting: vec![],
            next_device: 0,
            next_session: 1,
            next_command: 1,
        }
    }

    /// The time in the scene, milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// A new device.
    pub(crate) fn device(&mut self) -> Result<usize, Fault> {
        let number = self.next_device;
        self.next_device += 1;
        let device = Device {
            engine: None,
            rows: BTreeMap::new(),
            session: None,
            wake: None,
            answers: BTreeMap::new(),
            cost: Cost::default(),
        };
        self.devices.insert(number, device);
        self.start(number)?;
        Ok(number)
    }

    /// Starts a device on what it has stored.
    pub(crate) fn start(&mut self, number: usize) -> Result<(), Fault> {
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let now = Millis(self.now_ms);
        let Some(device) = self.devices.get_mut(&number) else {
            return Err(Fault::Other("no such device".into()));
        };
        let rows = device.rows.clone().into_iter().collect();
        let begun = cpu();
        let mut engine = Engine::open(RELAY, Surroundings::AT_ONCE, seed, now, rows)?;
        let step = engine.boot(now);
        device.cost.cpu += cpu().saturating_sub(begun);
        device.engine = Some(engine);
        self.carry_out(number, step);
        Ok(())
    }

    /// Ends a device's program.
    pub(crate) fn stop(&mut self, number: usize) {
        if let Some(device) = self.devices.get_mut(&number) {
            device.engine = None;
            device.wake = None;
            if let Some(session) = device.session.take() {
                self.relay.closed(session);
            }
        }
    }

    /// Takes a device away for good.
    pub(crate) fn forget(&mut self, number: usize) {
        self.stop(number);
        self.devices.remove(&number);
    }

    pub(crate) fn cost(&self, number: usize) -> Cost {
        self.devices
            .get(&number)
            .map(|device| device.cost)
            .unwrap_or_default()
    }

    /// What lies in a device's store: rows and bytes.
    pub(crate) fn stored(&self, number: usize) -> (usize, usize) {
        let Some(device) = self.devices.get(&number) else {
            return (0, 0);
        };
        let bytes = device.rows.values().map(Vec::len).sum();
        (device.rows.len(), bytes)
    }

    pub(crate) fn audit(&self, number: usize) -> Option<Audit> {
        let engine = self.devices.get(&number)?.engine.as_ref()?;
        engine.audit().into_iter().next().map(|(_, audit)| audit)
    }

    fn give(&mut self, number: usize, input: Input) {
        let now = Millis(self.now_ms);
        let Some(device) = self.devices.get_mut(&number) else {
            return;
        };
        let Some(engine) = &mut device.engine else {
            return;
        };
        let begun = cpu();
        let step = engine.handle(now, input);
        device.cost.cpu += cpu().saturating_sub(begun);
        self.carry_out(number, step);
    }

    fn carry_out(&mut self, number: usize, step: Step) {
        let Some(device) = self.devices.get_mut(&number) else {
            return;
        };
        for (key, value) in step.batch.0 {
            device.cost.rows += 1;
            device.cost.bytes += value.as_ref().map_or(0, |value| value.len() as u64);
            match value {
                Some(value) => device.rows.insert(key, value),
                None => device.rows.remove(&key),
            };
        }
        for output in step.outputs {
            match output {
                Output::Connect(_) => self.connecting.push(number),
                Output::Disconnect(_) => {
                    if let Some(session) = device.session.take() {
                        self.relay.closed(session);
                    }
                }
                Output::Send(_, frame) => {
                    if let Some(session) = device.session {
                        device.cost.sent += 1;
                        self.frames.push_back((session, frame));
                    }
                }
                Output::Tell(FromEngine::Answer { number, result }) => {
                    device.answers.insert(number, result);
                }
                // Without cover there is no plan.
                Output::Tell(_)
                | Output::Plan { .. }
                | Output::Fill(..)
                | Output::Deposit(..)
                | Output::Read(_) => {}
                Output::WakeAt(at) => device.wake = Some(at.0),
            }
        }
    }

    /// Does the next thing that is under way; whether there was any.
    fn step(&mut self) -> bool {
        if let Some(number) = self.connecting.pop() {
            let session = self.next_session;
            self.next_session += 1;
            if let Some(device) = self.devices.get_mut(&number) {
                device.session = Some(session);
                self.give(number, Input::Connected(RELAY.into()));
            }
            return true;
        }
        let Some((session, bytes)) = self.frames.pop_front() else {
            return false;
        };
        for (to, answer) in self.relay.receive(self.now_ms, session, &bytes) {
            let mut devices = self.devices.iter_mut();
            let found = devices.find(|(_, device)| device.session == Some(to));
            let number = found.map(|(number, device)| {
                device.cost.got += 1;
                *number
            });
            if let (Some(number), Ok(bytes)) = (number, frame::encode(&answer)) {
                self.give(number, Input::Frame(RELAY.into(), bytes));
            }
        }
        true
    }

    /// Lets time pass, and all that is under way happen.
    pub(crate) fn run(&mut self, ms: u64) {
        let until = self.now_ms + ms;
        while self.pass(until) {}
        self.now_ms = until;
    }

    /// One thing, or the time until the next wake.
    fn pass(&mut self, until: u64) -> bool {
        if self.step() {
            return true;
        }
        let wakes = self.devices.iter().filter(|(_, one)| one.engine.is_some());
        let wakes = wakes.filter_map(|(number, one)| Some((one.wake?, *number)));
        let Some((at, number)) = wakes.min().filter(|(at, _)| *at <= until) else {
            return false;
        };
        self.now_ms = self.now_ms.max(at);
        if let Some(device) = self.devices.get_mut(&number) {
            device.wake = None;
        }
        self.give(number, Input::Tick);
        true
    }

    /// Gives a command and waits for its answer.
    pub(crate) fn command(&mut self, device: usize, command: Command) -> Result<Reply, Fault> {
        let number = self.next_command;
        self.next_command += 1;
        let until = self.now_ms + COMMAND_MS;
        self.give(device, Input::Command { number, command });
        loop {
            let one = self.devices.get_mut(&device);
            if let Some(answer) = one.and_then(|one| one.answers.remove(&number)) {
                return Ok(answer?);
            }
            if !self.pass(until) {
                return Err(Fault::Other(format!("device {device}: no answer")));
            }
        }
    }

    /// Starts a community.
    pub(crate) fn found(&mut self, device: usize) -> Result<CommunityRef, Fault> {
        let command = Command::Start {
            name: "Orchard".into(),
            persona: "Owner".into(),
            access: None,
        };
        match self.command(device, command)? {
            Reply::Community(community) => Ok(community),
            other => Err(Fault::Other(format!("founding: {other:?}"))),
        }
    }

    /// Makes an invite; its link.
    pub(crate) fn share(
        &mut self,
        device: usize,
        community: CommunityRef,
        terms: InviteTerms,
    ) -> Result<String, Fault> {
        match self.command(device, Command::Share { community, terms })? {
            Reply::Link(link) => Ok(link),
            other => Err(Fault::Other(format!("sharing: {other:?}"))),
        }
    }

    /// Joins by a link.
    pub(crate) fn join(&mut self, device: usize, link: &str) -> Result<CommunityRef, Fault> {
        let command = Command::Join {
            link: link.into(),
            persona: format!("Guest {device}"),
        };
        match self.command(device, command)? {
            Reply::Community(community) => Ok(community),
            other => Err(Fault::Other(format!("joining: {other:?}"))),
        }
    }
}

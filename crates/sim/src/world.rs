//! Devices, their relay, and what travels between them, in virtual time.

use crate::device::{Device, RELAY};
use crate::network::{Faults, chance};
use crate::pace::{Seen, Turns};
use crate::relay::{POST, Relay};
use crate::run::{Act, Report};
use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;
use std::collections::{BTreeMap, BTreeSet};
use ume_api::{Command, CommunityRef, Cover, FromEngine, Phase, Reply};
use ume_engine::audit::{Audit, Synced};
use ume_engine::io::{Input, Key, Output};
use ume_wire::frame;
use ume_wire::limits::SEVERAL_MAX;
use ume_wire::relay::{Frame, frame::Body};

/// 2026-01-01, milliseconds since 1970.
pub(crate) const BEGIN_MS: u64 = 1_767_225_600_000;
/// Frames in one run, far more than any run needs.
const FRAMES_MAX: u64 = 300_000;
/// How often a browser sends what a device left before that starts again, thousandths.
const DEPOSITS: u32 = 250;
#[derive(Debug)]
pub(crate) enum Event {
    ToRelay {
        device: usize,
        session: u64,
        frame: Bytes,
    },
    ToDevice {
        device: usize,
        session: u64,
        frame: Bytes,
    },
    Connect {
        device: usize,
    },
    Cut {
        device: usize,
        session: u64,
    },
    /// A slot of a device's plan.
    Slot {
        device: usize,
        session: u64,
        plan: u64,
    },
    /// The relay's turn towards a connection.
    Turn {
        session: u64,
        pace: u64,
    },
    Act {
        device: usize,
        act: Act,
    },
    /// What a device's store answers.
    Rows {
        device: usize,
        rows: Vec<(Key, Option<Vec<u8>>)>,
    },
    /// The operator backs the relay up.
    BackUp,
    /// The relay is put back from its backup.
    PutBack,
    /// What people wrote so far expires at the relay.
    Expire,
}

/// With which ledger hash the group began anew, if it did; generation and slot.
type Place = (Option<[u8; 32]>, u32, u64);

pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) now_ms: u64,
    pub(crate) faults: Faults,
    pub(crate) crash: u32,
    pub(crate) relay: Relay,
    pub(crate) backup: Option<Relay>,
    pub(crate) devices: Vec<Device>,
    /// Devices that look at no record any more, each with the relay as it was when they last did.
    pub(crate) deaf: BTreeMap<usize, Relay>,
    pub(crate) events: BTreeMap<(u64, u64), Event>,
    pub(crate) next_event: u64,
    pub(crate) next_session: u64,
    pub(crate) link: Option<String>,
    /// Texts that were acknowledged as durable on their device.
    pub(crate) acknowledged: BTreeSet<String>,
    pub(crate) posted: BTreeMap<(usize, u32), String>,
    /// Posts that do not stay.
    pub(crate) fleeting: usize,
    /// Record and ledger at each slot of each generation, of each time that the group began.
    pub(crate) records: BTreeMap<Place, ([u8; 32], [u8; 32])>,
    /// Entries on devices whose people are out.
    pub(crate) ended: BTreeMap<usize, usize>,
    /// The relay's turns, where a connection keeps a pace.
    pub(crate) turns: BTreeMap<u64, Turns>,
    /// A device whose line is looked at, and what was seen there since it was.
    pub(crate) seen: Option<(usize, Vec<(u64, Seen)>)>,
    pub(crate) report: Report,
}

impl World {
    pub(crate) fn new(seed: u64, relay_key: [u8; 32], rng: ChaCha20Rng) -> Self {
        Self {
            seed,
            now_ms: BEGIN_MS,
            faults: Faults::NONE,
            crash: 0,
            relay: Relay::new(relay_key),
            backup: None,
            devices: vec![],
            deaf: BTreeMap::new(),
            events: BTreeMap::new(),
            next_event: 0,
            next_session: 1,
            link: None,
            acknowledged: BTreeSet::new(),
            posted: BTreeMap::new(),
            fleeting: 0,
            records: BTreeMap::new(),
            ended: BTreeMap::new(),
            turns: BTreeMap::new(),
            seen: None,
            report: Report::default(),
            rng,
        }
    }

    pub(crate) fn schedule(&mut self, at_ms: u64, event: Event) {
        self.next_event += 1;
        self.events.insert((at_ms, self.next_event), event);
    }

    /// What a device left is sent, as one `POST`.
    pub(crate) fn post_deposit(&mut self, device: usize) {
        for frame in self.devices[device].deposit.clone() {
            let answers = self.relay.receive(self.now_ms, POST, &frame);
            self.give_answers(answers);
        }
    }

    pub(crate) fn start(&mut self, device: usize) -> Result<(), String> {
        // Its browser may have come to it before its person did.
        if self.crash > 0 && chance(&mut self.rng, DEPOSITS) {
            self.post_deposit(device);
        }
        let seed = self.seed.wrapping_mul(1_000_003) + device as u64;
        let outputs = self.devices[device]
            .start(self.now_ms, seed, &mut self.rng, self.crash)
            .map_err(|failure| format!("device {device} does not start: {failure}"))?;
        self.carry_out(device, outputs)
    }

    pub(crate) fn command(&mut self, device: usize, command: Command) -> Result<u32, String> {
        let number = self.devices[device].number();
        self.give(device, Input::Command { number, command })?;
        Ok(number)
    }

    pub(crate) fn give(&mut self, device: usize, input: Input) -> Result<(), String> {
        let asked = matches!(input, Input::Command { .. });
        // Who looks at a line looks at nothing else: these rules are kept in all other plays, and cost much.
        let watched = self.seen.is_none();
        let out = watched && !asked && self.has_nothing_to_say(device);
        let outputs = self.devices[device].give(self.now_ms, &mut self.rng, input, self.crash);
        if out {
            check_silence(device, &outputs)?;
        }
        self.carry_out(device, outputs)?;
        // What stores nothing changes nothing that the rules are about.
        if watched {
            self.watch(device)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, device: usize, outputs: Vec<Output>) -> Result<(), String> {
        for output in outputs {
            match output {
                Output::Connect(address) => {
                    debug_assert_eq!(address, RELAY);
                    self.look(device, Seen::Connect);
                    // With a pace, what happened before must not show in how long it takes.
                    let paced = self.devices[device].surroundings.cover != Cover::Off;
                    let wait = if paced {
                        20
                    } else {
                        u64::from(self.rng.next_u32() % 50)
                    };
                    self.schedule(self.now_ms + 1 + wait, Event::Connect { device });
                }
                Output::Disconnect(_) => {
                    if let Some(session) = self.devices[device].session.take() {
                        self.look(device, Seen::End);
                        self.devices[device].holder.end();
                        self.closed(session);
                    }
                }
                Output::Send(_, frame) => {
                    self.look(device, Seen::Up(1, frame.len()));
                    self.send(device, &frame);
                }
                Output::Plan { slots, afresh, .. } => {
                    let holder = &mut self.devices[device].holder;
                    if let Some(at) = holder.plan(self.now_ms, slots, afresh) {
                        self.schedule_slot(device, at);
                    }
                }
                Output::Fill(_, frame) => self.devices[device].holder.fill(frame),
                Output::Deposit(_, frames) => self.devices[device].deposit = frames,
                Output::Tell(FromEngine::Answer { number, result }) => {
                    self.devices[device].open.remove(&number);
                    if let (Ok(Reply::Posted(_)), Some(text)) =
                        (&result, self.posted.get(&(device, number)))
                    {
                        self.acknowledged.insert(text.clone());
                    }
                    if self.devices[device]
                        .answers
                        .insert(number, result)
                        .is_some()
                    {
                        return Err(format!("device {device} answered command {number} twice"));
                    }
                }
                Output::Read(keys) => {
                    let rows = self.devices[device].read(keys);
                    self.schedule(self.now_ms + 1, Event::Rows { device, rows });
                }
                Output::Tell(told) => self.devices[device].told.push(told),
                Output::WakeAt(at) => {
                    let skew = self.devices[device].skew_ms;
                    self.devices[device].wake_at = Some(at.0.saturating_add_signed(-skew));
                }
            }
        }
        Ok(())
    }

    pub(crate) fn send(&mut self, device: usize, frame: &Bytes) {
        let Some(session) = self.devices[device].session else {
            return;
        };
        for (delay, frame) in self.faults.upwards().carry(&mut self.rng, frame) {
            self.schedule(
                self.now_ms + delay,
                Event::ToRelay {
                    device,
                    session,
                    frame,
                },
            );
        }
        if chance(&mut self.rng, self.faults.cut) {
            self.schedule(self.now_ms + 5, Event::Cut { device, session });
        }
    }

    pub(crate) fn look(&mut self, device: usize, what: Seen) {
        let now = self.now_ms;
        if let Some((watched, seen)) = &mut self.seen
            && *watched == device
        {
            seen.push((now, what));
        }
    }

    /// A connection is gone, as the relay sees it.
    pub(crate) fn closed(&mut self, session: u64) {
        self.turns.remove(&session);
        self.relay.closed(session);
    }

    pub(crate) fn deliver(&mut self, device: usize, session: u64, frame: &Bytes) {
        for (delay, frame) in self.faults.carry(&mut self.rng, frame) {
            self.schedule(
                self.now_ms + delay,
                Event::ToDevice {
                    device,
                    session,
                    frame,
                },
            );
        }
    }

    /// The relay takes what arrived: one message, or several.
    fn arrive(&mut self, device: usize, session: u64, bytes: &Bytes) {
        let Ok(frame) = frame::decode(bytes) else {
            return;
        };
        let frames = match frame.body {
            Some(Body::Several(several)) => several.frames,
            _ => vec![frame],
        };
        for frame in frames.iter().take(SEVERAL_MAX) {
            let answers = match self.pace(session, frame) {
                Some(answer) => vec![(session, answer)],
                None => self.answers(device, session, frame),
            };
            self.give_answers(answers);
        }
    }

    fn answers(&mut self, device: usize, session: u64, frame: &Frame) -> Vec<(u64, Frame)> {
        let paced = self.turns.contains_key(&session);
        if paced && matches!(frame.body, Some(Body::Pad(_))) {
            return vec![];
        }
        let Ok(bytes) = frame::encode(frame) else {
            return vec![];
        };
        // What was sent before the connection closed may still arrive; its answers go nowhere.
        match self.deaf.get_mut(&device) {
            Some(known) if known.is_about_records(&bytes) => {
                known.receive_deaf(self.now_ms, session, &bytes)
            }
            _ => self.relay.receive(self.now_ms, session, &bytes),
        }
    }

    fn give_answers(&mut self, answers: Vec<(u64, Frame)>) {
        for (session, answer) in answers {
            if let Some(turns) = self.turns.get_mut(&session) {
                turns.push(answer);
                continue;
            }
            let to = |device: &Device| device.session == Some(session);
            let to = self.devices.iter().position(to);
            if let (Some(device), Ok(frame)) = (to, frame::encode(&answer)) {
                self.look(device, Seen::Down(1, frame.len()));
                self.deliver(device, session, &frame);
            }
        }
    }

    pub(crate) fn run_until(&mut self, until_ms: u64) -> Result<(), String> {
        loop {
            let event = self.events.first_key_value().map(|((at, _), _)| *at);
            let wake = self
                .devices
                .iter()
                .filter_map(|device| device.wake_at.filter(|_| device.engine.is_some()))
                .min();
            let restart = self
                .devices
                .iter()
                .filter_map(|device| device.restart_at)
                .min();
            let Some(next) = [event, wake, restart].into_iter().flatten().min() else {
                break;
            };
            if next > until_ms {
                break;
            }
            self.now_ms = self.now_ms.max(next);
            if self.seen.is_none() && self.report.frames > FRAMES_MAX {
                return Err(format!(
                    "more than {FRAMES_MAX} frames: somebody asks without end"
                ));
            }
            if restart == Some(next) {
                let due = |device: &Device| device.restart_at == Some(next);
                if let Some(device) = self.devices.iter().position(due) {
                    self.start(device)?;
                }
            } else if event == Some(next) {
                if let Some((_, event)) = self.events.pop_first() {
                    self.happen(event)?;
                }
            } else if let Some(device) = self
                .devices
                .iter()
                .position(|device| device.wake_at == Some(next))
            {
                self.devices[device].wake_at = None;
                self.give(device, Input::Tick)?;
            }
        }
        self.now_ms = until_ms;
        Ok(())
    }

    fn happen(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Connect { device } if self.devices[device].offline => {
                self.give(device, Input::Disconnected(RELAY.into()))?;
            }
            Event::Connect { device } => {
                if self.devices[device].engine.is_some() && self.devices[device].session.is_none() {
                    self.devices[device].session = Some(self.next_session);
                    self.next_session += 1;
                    self.give(device, Input::Connected(RELAY.into()))?;
                }
            }
            Event::Cut { device, session } => {
                if self.devices[device].session == Some(session) {
                    self.devices[device].session = None;
                    self.look(device, Seen::End);
                    self.devices[device].holder.end();
                    self.closed(session);
                    self.give(device, Input::Disconnected(RELAY.into()))?;
                }
            }
            Event::ToRelay {
                device,
                session,
                frame,
            } => {
                self.report.frames += 1;
                self.arrive(device, session, &frame);
                if self.devices[device].session != Some(session) {
                    self.closed(session);
                }
            }
            Event::Slot {
                device,
                session,
                plan,
            } => {
                let one = &self.devices[device];
                if one.session == Some(session) && one.holder.plan == plan {
                    self.slot(device)?;
                }
            }
            Event::Turn { session, pace } => {
                if self
                    .turns
                    .get(&session)
                    .is_some_and(|turns| turns.pace == pace)
                {
                    self.turn(session);
                }
            }
            Event::ToDevice {
                device,
                session,
                frame,
            } => {
                self.report.frames += 1;
                // A replay reaches whatever connection there is.
                if self.devices[device]
                    .session
                    .is_some_and(|now| now >= session)
                {
                    self.give(device, Input::Frame(RELAY.into(), frame))?;
                }
            }
            Event::Act { device, act } => self.act(device, act)?,
            Event::Rows { device, rows } => self.give(device, Input::Rows(rows))?,
            Event::Expire => self.relay.expire(),
            Event::BackUp => self.backup = Some(self.relay.clone()),
            Event::PutBack => {
                if let Some(backup) = self.backup.take() {
                    self.put_back(&backup)?;
                }
            }
        }
        Ok(())
    }

    /// The relay ends, and starts again as it was when it was backed up.
    pub(crate) fn put_back(&mut self, backup: &Relay) -> Result<(), String> {
        let mut key = [0; 32];
        self.rng.fill_bytes(&mut key);
        self.relay.restore(backup, key, self.now_ms);
        self.report.put_back += 1;
        for device in 0..self.devices.len() {
            if let Some(session) = self.devices[device].session.take() {
                self.devices[device].holder.end();
                self.turns.remove(&session);
                self.give(device, Input::Restarting(RELAY.into(), 1_000))?;
            }
        }
        Ok(())
    }

    /// Somebody's program looks at no record any more. It goes on writing as if nothing had changed.
    pub(crate) fn stop_listening(&mut self, device: usize) -> Result<(), String> {
        if self.report.put_back == 0 {
            self.deaf.insert(device, self.relay.clone());
        }
        match self.devices[device].session {
            Some(session) => self.happen(Event::Cut { device, session }),
            None => Ok(()),
        }
    }

    pub(crate) fn synced(&self, device: usize) -> Option<Synced> {
        let engine = self.devices[device].engine.as_ref()?;
        engine.synced().into_iter().next().map(|(_, synced)| synced)
    }

    pub(crate) fn community(&self, device: usize) -> Option<(CommunityRef, Audit)> {
        self.devices[device]
            .engine
            .as_ref()?
            .audit()
            .into_iter()
            .next()
    }

    /// Whether a device is out of all its communities and on the way into none.
    fn has_nothing_to_say(&self, device: usize) -> bool {
        let one = &self.devices[device];
        let audits = one.engine.as_ref().map(ume_engine::Engine::audit);
        let out =
            |(_, audit): &(CommunityRef, Audit)| audit.departed.is_some() && audit.unsettled == 0;
        let waits = one.views().iter().any(|view| view.phase == Phase::Asking);
        one.open.is_empty()
            && !waits
            && audits.is_some_and(|all| !all.is_empty() && all.iter().all(out))
    }

    /// Whether a device's person is out.
    pub(crate) fn is_out(&self, device: usize) -> bool {
        let audit = self.community(device);
        audit.is_some_and(|(_, audit)| audit.departed.is_some())
    }

    /// Rules that hold at every moment.
    fn watch(&mut self, device: usize) -> Result<(), String> {
        let Some((_, audit)) = self.community(device) else {
            return Ok(());
        };
        if audit.departed.is_some() {
            let held = audit.entries.len();
            if *self.ended.entry(device).or_insert(held) != held {
                return Err(format!("device {device} is out and reads on"));
            }
        } else {
            self.ended.remove(&device);
        }
        // A relay that forgot slots may give them to others: then only the end counts.
        if self.report.put_back > 0 {
            return Ok(());
        }
        let known = *self
            .records
            .entry((audit.reborn, audit.generation, audit.slot))
            .or_insert((audit.record, audit.ledger));
        if known != (audit.record, audit.ledger) {
            return Err(format!(
                "device {device} sees another history at slot {} of generation {}",
                audit.slot, audit.generation
            ));
        }
        Ok(())
    }
}

/// Who is out greets the relay and says nothing else.
fn check_silence(device: usize, outputs: &[Output]) -> Result<(), String> {
    for output in outputs {
        let (Output::Send(_, bytes) | Output::Fill(_, bytes)) = output else {
            continue;
        };
        let body = frame::decode(bytes).map(|frame| frame.body);
        // A body of no known kind is grease.
        if !matches!(body, Ok(None | Some(Body::Hello(_) | Body::Pad(_)))) {
            return Err(format!("device {device} is out and sends {body:?}"));
        }
    }
    Ok(())
}

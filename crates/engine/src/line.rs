//! The line to one relay: connecting, greeting, requests and their answers, and the schedule by which frames leave.
//!
//! All lanes of all communities on a relay share its one line. Every request of the protocol may be repeated without
//! harm, so a request that got no answer in time is simply sent again, and a line on which that does not help is
//! closed and opened anew. What was under way when a line closes is forgotten here; whoever asked starts over from
//! what is stored. What has to be signed for one connection is signed here, when it leaves, and work that a relay asks
//! for is done here as well.

mod grease;
mod greeting;
mod pacing;
mod work;

use crate::io::{Millis, Output, RelayAddress};
use crate::schedule::Schedule;
use crate::traffic::Traffic;
use bytes::Bytes;
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::BTreeMap;
use ume_api::{LineView, RelayHealth, Surroundings, Tick};
use ume_wire::auth::Work;
use ume_wire::frame;
use ume_wire::limits::{HELLO_NONCE_BYTES, SEVERAL_MAX, VERSION, VERSION_OLDEST};
use ume_wire::pace::Pace;
use ume_wire::relay::{Frame, Hello, RefusedCode, frame::Body};

use grease::Grease;
pub(crate) use greeting::Greeting;
use pacing::{Change, Pacing};
use work::Works;

/// How long an answer may take before the request is sent again, milliseconds.
const ANSWER_MS: u64 = 5_000;
/// How often a request is sent before the line is given up.
const ATTEMPTS_MAX: u32 = 4;
/// First and longest pause between attempts to connect, milliseconds.
const PAUSE_MS: (u64, u64) = (500, 60_000);

/// Who asked, and for what: comes back with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ask<T> {
    pub(crate) owner: u32,
    pub(crate) tag: T,
}

/// A request, and the key that signs it where the signature is good for one connection only.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) body: Body,
    signer: Option<SigningKey>,
}

impl Request {
    pub(crate) fn signed_by(signer: &SigningKey, body: Body) -> Self {
        Self {
            body,
            signer: Some(signer.clone()),
        }
    }
}

impl From<Body> for Request {
    fn from(body: Body) -> Self {
        Self { body, signer: None }
    }
}

#[derive(Debug)]
enum State {
    /// Nobody wants this line.
    Idle,
    /// The next attempt is due then.
    Pausing(Millis),
    Connecting,
    /// Hello is sent.
    Greeting {
        nonce: [u8; HELLO_NONCE_BYTES],
        since: Millis,
    },
    Up(Box<Greeting>),
}

#[derive(Debug)]
struct Pending<T> {
    ask: Ask<T>,
    body: Body,
    /// When it is sent again. While its frame waits for its turn there is no such time.
    due: Option<Millis>,
    attempts: u32,
}

/// What a line has to say.
#[derive(Debug)]
pub(crate) enum LineEvent<T> {
    /// The relay greeted.
    Up,
    /// The relay speaks no version that we speak, or does not hold its key.
    Unusable,
    /// A frame that answers a request. A blob's cells come one by one.
    Answer { ask: Ask<T>, body: Body },
    /// A cell or value, asked for or not.
    Delivery(Body),
}

/// What is to be done with the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Socket {
    Open,
    Close,
}

/// One relay's line. `T` is the asker's own tag.
#[derive(Debug)]
pub(crate) struct Line<T> {
    state: State,
    wanted: bool,
    failures: u32,
    next_request: u32,
    pending: BTreeMap<u32, Pending<T>>,
    schedule: Schedule,
    works: Works,
    grease: Grease,
    pacing: Pacing,
    /// The relay keeps a pace on this connection too.
    paced: bool,
    /// When the last frame came.
    heard: Millis,
    traffic: Traffic,
    /// Of this line alone, or what is drawn for other things would shift when frames leave.
    rng: ChaCha20Rng,
}

impl<T: Copy + std::fmt::Debug> Line<T> {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self {
            state: State::Idle,
            wanted: false,
            failures: 0,
            next_request: 1,
            pending: BTreeMap::new(),
            schedule: Schedule::default(),
            works: Works::default(),
            grease: Grease::default(),
            pacing: Pacing::default(),
            paced: false,
            heard: Millis::default(),
            traffic: Traffic::default(),
            rng: ChaCha20Rng::from_seed(seed),
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        matches!(self.state, State::Up(_))
    }

    /// What the relay said of itself on this connection.
    pub(crate) fn greeting(&self) -> Option<&Greeting> {
        match &self.state {
            State::Up(greeting) => Some(greeting),
            _ => None,
        }
    }

    /// Whether the last attempts failed, rather than that none has ended yet.
    pub(crate) fn is_failing(&self) -> bool {
        !self.is_up() && self.failures > 0
    }

    /// Somebody wants this line.
    pub(crate) fn want(&mut self, now: Millis) -> Option<Socket> {
        self.wanted = true;
        if matches!(self.state, State::Idle) {
            self.state = State::Pausing(now);
        }
        self.tick_state(now)
    }

    /// Try again at once instead of when it is due.
    pub(crate) fn hurry(&mut self, now: Millis) -> Option<Socket> {
        if matches!(self.state, State::Pausing(_)) {
            self.failures = 0;
            self.state = State::Pausing(now);
        }
        self.tick_state(now)
    }

    /// The socket is open: say hello.
    pub(crate) fn connected(&mut self, now: Millis) {
        let mut nonce = [0; HELLO_NONCE_BYTES];
        self.rng.fill_bytes(&mut nonce);
        self.clear();
        self.grease = Grease::draw(&mut self.rng);
        let paces = self.pacing.open(now);
        let rng = &mut self.rng;
        self.schedule.open(paces.map(|(ours, _)| ours), || {
            let mut seed = [0; 32];
            rng.fill_bytes(&mut seed);
            ChaCha20Rng::from_seed(seed)
        });
        let hello = Hello {
            version_min: VERSION_OLDEST,
            version_max: VERSION,
            nonce: Bytes::copy_from_slice(&nonce),
            pace: paces.map(|(_, theirs)| theirs.to_wire()),
        };
        self.put(0, Body::Hello(hello));
        self.heard = now;
        self.state = State::Greeting { nonce, since: now };
    }

    /// The socket is closed, or never opened. Pauses grow with failures and are drawn at random within their range, so
    /// that many clients do not come back together. A relay that starts again may say when to come back.
    pub(crate) fn disconnected(&mut self, now: Millis, after_ms: Option<u64>) {
        if matches!(self.state, State::Idle | State::Pausing(_)) {
            return;
        }
        let longest = PAUSE_MS.1.min(PAUSE_MS.0 << self.failures.min(16));
        let (shortest, spread) = after_ms.map_or((longest / 2, longest / 2), |after| {
            let after = after.clamp(PAUSE_MS.0, PAUSE_MS.1);
            (after, after)
        });
        self.failures += 1;
        let pause = shortest + u64::from(self.rng.next_u32()) % (spread + 1);
        self.state = State::Pausing(now.plus(pause));
        self.clear();
    }

    fn clear(&mut self) {
        self.pending.clear();
        self.schedule.clear();
        self.works.clear();
        self.paced = false;
    }

    /// What was chosen, or how things stand, is different now.
    pub(crate) fn surround(&mut self, now: Millis, surroundings: Surroundings) -> Option<Socket> {
        match self.pacing.surround(now, surroundings, &mut self.rng) {
            Change::Pace if self.is_up() => {
                let (ours, theirs) = self.pacing.paces(None);
                self.change_pace(ours, theirs);
                None
            }
            Change::Anew if !matches!(self.state, State::Idle | State::Pausing(_)) => {
                self.failures = 0;
                Some(Socket::Close)
            }
            _ => None,
        }
    }

    /// Much is to pass because a person did something: a bulk transfer begins, unless one is under way.
    pub(crate) fn bulk(&mut self) {
        if let Some((ours, theirs)) = self.pacing.bulk(self.is_up()) {
            self.change_pace(ours, theirs);
        }
    }

    fn change_pace(&mut self, ours: Pace, theirs: Pace) {
        let request = self.number();
        let told = Frame {
            request,
            body: Some(Body::Pace(theirs.to_wire())),
        };
        if let Ok(told) = self.grease.encode(&told) {
            self.schedule.change(ours, told);
        }
    }

    fn number(&mut self) -> u32 {
        let number = self.next_request;
        self.next_request = self.next_request.checked_add(1).unwrap_or(1);
        number
    }

    /// A slot of the plan was carried out.
    pub(crate) fn left(&mut self, now: Millis, slots: usize, frames: u32, filled: u32) {
        self.pacing.slots_passed(slots);
        for request in self.schedule.left(slots, filled as usize) {
            let attempts = self.pending.get(&request).map(|one| one.attempts);
            let due = self.patience(now, attempts.unwrap_or(1));
            if let Some(pending) = self.pending.get_mut(&request)
                && pending.due.is_none()
            {
                pending.due = Some(due);
            }
        }
        self.note(now, true, frames, filled);
    }

    fn note(&mut self, now: Millis, up: bool, frames: u32, real: u32) {
        self.traffic.note(Tick {
            at: now.0,
            up,
            frames,
            real,
        });
    }

    /// Until when an answer may take, at the so many-th attempt.
    fn patience(&self, now: Millis, attempt: u32) -> Millis {
        let delay = if self.schedule.is_paced() {
            self.pacing.delay_ms()
        } else {
            0
        };
        now.plus((ANSWER_MS + delay) << if attempt > 1 { attempt.min(3) } else { 0 })
    }

    /// When what leaves now is sent again; not before it has left, where there is a pace.
    fn due_of(&self, now: Millis, attempt: u32) -> Option<Millis> {
        (!self.schedule.is_paced()).then(|| self.patience(now, attempt))
    }

    /// What passed here, for the person; all recent ticks, or those that nobody was told.
    pub(crate) fn view(&mut self, now: Millis, relay: &str, all: bool) -> LineView {
        LineView {
            relay: relay.to_owned(),
            up: self.is_up(),
            health: self.greeting().map(|greeting| RelayHealth {
                heard_at: self.heard.0,
                greeted_ms: greeting.greeted_ms,
                keeps_seconds: greeting.keeps_seconds,
                blob_bytes: greeting.blob_bytes,
                queue_cells: greeting.queue_cells,
                access_needed: greeting.access_needed,
            }),
            paced: self.paced,
            gaps_ms: self.pacing.gaps_ms(),
            burst: self.pacing.in_bulk(),
            waiting: u32::try_from(self.schedule.waiting()).unwrap_or(u32::MAX),
            ticks: self.traffic.tell(now, all),
            hour: self.traffic.passed(now, 60),
            day: self.traffic.passed(now, 24 * 60),
        }
    }

    /// Whether something passed that nobody was told.
    pub(crate) fn has_news(&self) -> bool {
        self.traffic.is_fresh()
    }

    /// Sends a request. Without a greeted relay it goes nowhere: whoever asks does so again when the line is up.
    pub(crate) fn request(&mut self, now: Millis, ask: Ask<T>, request: Request) {
        let State::Up(greeting) = &mut self.state else {
            return;
        };
        let Request { mut body, signer } = request;
        if let Some(key) = signer {
            greeting.sign(&mut body, &key);
        }
        let number = self.number();
        self.put(number, body.clone());
        let due = self.due_of(now, 1);
        self.pending.insert(
            number,
            Pending {
                ask,
                body,
                due,
                attempts: 1,
            },
        );
    }

    /// Drops what an owner has asked for and no longer wants.
    pub(crate) fn forget(&mut self, owner: u32) {
        self.pending.retain(|_, pending| pending.ask.owner != owner);
        self.works
            .keep(|request| self.pending.contains_key(&request));
    }

    /// Takes a frame from the relay, with one message or several.
    pub(crate) fn receive(&mut self, now: Millis, bytes: &Bytes) -> Vec<LineEvent<T>> {
        self.heard = now;
        // A frame that cannot be read says nothing, not even to whom it belongs; what is missing is asked for again.
        let frame = frame::decode(bytes).unwrap_or_default();
        let real = !matches!(frame.body, None | Some(Body::Pad(_)));
        self.note(now, false, 1, u32::from(real));
        if real && self.paced {
            // Answers come in their order: as long as something comes, ours may still be behind it.
            let due = self.patience(now, 1);
            for pending in self.pending.values_mut() {
                pending.due = pending.due.map(|old| old.max(due));
            }
        }
        match frame.body {
            Some(Body::Several(several)) => {
                let frames = several.frames.into_iter().take(SEVERAL_MAX);
                frames.filter_map(|frame| self.take(now, frame)).collect()
            }
            _ => self.take(now, frame).into_iter().collect(),
        }
    }

    fn take(&mut self, now: Millis, frame: Frame) -> Option<LineEvent<T>> {
        let Frame { request, body } = frame;
        let body = body?;
        match (&self.state, body) {
            (State::Greeting { nonce, since }, Body::Welcome(welcome)) => {
                let greeted_ms = now.0.saturating_sub(since.0);
                let Some(greeting) = Greeting::check(nonce, &welcome, greeted_ms) else {
                    return Some(LineEvent::Unusable);
                };
                self.failures = 0;
                self.paced = welcome.paced && self.schedule.is_paced();
                self.state = State::Up(Box::new(greeting));
                if self.grease.is_on() {
                    let request = self.number();
                    // A request of no kind.
                    self.schedule.push(Frame {
                        request,
                        body: None,
                    });
                }
                Some(LineEvent::Up)
            }
            (State::Greeting { .. }, Body::Refused(refused))
                if refused.code == i32::from(RefusedCode::RefusedVersion) =>
            {
                Some(LineEvent::Unusable)
            }
            (State::Up(_), Body::BlobPart(part)) => {
                let due = self.patience(now, 1);
                let pending = self.pending.get_mut(&request)?;
                pending.due = Some(due);
                let ask = pending.ask;
                // Nothing follows the last cell of a blob.
                if part.index.saturating_add(1) >= part.cells {
                    self.pending.remove(&request);
                }
                let body = Body::BlobPart(part);
                Some(LineEvent::Answer { ask, body })
            }
            (State::Up(_), body @ (Body::Delivery(_) | Body::Value(_))) => {
                let due = self.patience(now, 1);
                if let Some(pending) = self.pending.get_mut(&request) {
                    pending.due = Some(due);
                }
                Some(LineEvent::Delivery(body))
            }
            (State::Up(_), body) => {
                if self.begin_work(now, request, &body) {
                    return None;
                }
                let ask = self.pending.remove(&request)?.ask;
                Some(LineEvent::Answer { ask, body })
            }
            _ => None,
        }
    }

    /// Whether an answer asks for work that can be done; the request goes out again with it.
    ///
    /// Lanes are asked for without work first, whatever the greeting says: most of them are there already.
    fn begin_work(&mut self, now: Millis, request: u32, body: &Body) -> bool {
        let (State::Up(greeting), Some(pending)) = (&self.state, self.pending.get_mut(&request))
        else {
            return false;
        };
        let (Body::LaneNew(new), Body::Refused(refused)) = (&pending.body, body) else {
            return false;
        };
        let work = Work::new(&greeting.relay, &greeting.challenge, &new.lane);
        let Some(bits) = work::wanted(refused, new, &work) else {
            return false;
        };
        pending.due = None;
        self.works.add(now, request, work, bits);
        true
    }

    fn go_on_working(&mut self, now: Millis) {
        let Some((request, number)) = self.works.go_on(now) else {
            return;
        };
        let due = self.due_of(now, 1);
        if let Some(pending) = self.pending.get_mut(&request)
            && let Body::LaneNew(new) = &mut pending.body
        {
            new.work = number;
            pending.due = due;
            let body = pending.body.clone();
            self.put(request, body);
        }
    }

    /// Repeats what is overdue, connects when it is time, works if that is asked for.
    pub(crate) fn tick(&mut self, now: Millis) -> Option<Socket> {
        if self.is_up() {
            self.go_on_working(now);
            let overdue: Vec<u32> = self
                .pending
                .iter()
                .filter(|(_, one)| one.due.is_some_and(|due| due <= now))
                .map(|(number, _)| *number)
                .collect();
            if self.pacing.rest(now) {
                let (ours, theirs) = self.pacing.paces(None);
                self.change_pace(ours, theirs);
            }
            if self.paced && self.heard.plus(self.pacing.silence_ms()) <= now {
                return Some(Socket::Close);
            }
            let paced = self.schedule.is_paced();
            for number in overdue {
                let Some(pending) = self.pending.get_mut(&number) else {
                    continue;
                };
                // With a pace a connection that closes would show that something went unanswered.
                if pending.attempts >= ATTEMPTS_MAX && !paced {
                    return Some(Socket::Close);
                }
                pending.attempts = pending.attempts.saturating_add(1);
                let (attempts, body) = (pending.attempts, pending.body.clone());
                let due = self.due_of(now, attempts);
                if let Some(pending) = self.pending.get_mut(&number) {
                    pending.due = due;
                }
                self.put(number, body);
            }
        }
        self.tick_state(now)
    }

    fn tick_state(&mut self, now: Millis) -> Option<Socket> {
        match self.state {
            State::Pausing(due) if self.wanted && due <= now => {
                self.state = State::Connecting;
                Some(Socket::Open)
            }
            State::Greeting { since, .. } if since.plus(self.greeting_ms()) <= now => {
                Some(Socket::Close)
            }
            _ => None,
        }
    }

    /// When [`Self::tick`] has something to do.
    pub(crate) fn due(&self) -> Option<Millis> {
        match self.state {
            State::Pausing(due) => self.wanted.then_some(due),
            State::Greeting { since, .. } => Some(since.plus(self.greeting_ms())),
            State::Up(_) => {
                let answers = self.pending.values().filter_map(|pending| pending.due);
                let silence = self
                    .paced
                    .then(|| self.heard.plus(self.pacing.silence_ms()));
                let rest = self.pacing.rest_at();
                let others = self.works.due().into_iter().chain(silence).chain(rest);
                answers.chain(others).min()
            }
            State::Idle | State::Connecting => None,
        }
    }

    /// How long a relay may take to greet, milliseconds.
    fn greeting_ms(&self) -> u64 {
        2 * (ANSWER_MS + self.pacing.delay_ms())
    }

    /// What is to leave.
    pub(crate) fn leaving(&mut self, now: Millis, relay: &RelayAddress) -> Vec<Output> {
        let grease = &self.grease;
        let outputs = self
            .schedule
            .leaving(relay, |frame| grease.encode(frame).ok());
        if !self.schedule.is_paced() {
            let frames = u32::try_from(outputs.len()).unwrap_or(u32::MAX);
            if frames > 0 {
                self.note(now, true, frames, frames);
            }
        }
        outputs
    }

    fn put(&mut self, request: u32, body: Body) {
        // Bodies are built here with fields of the right sizes; one that did not fit would be a fault of ours, and its
        // request then runs into its time-out.
        self.schedule.push(Frame {
            request,
            body: Some(body),
        });
    }
}

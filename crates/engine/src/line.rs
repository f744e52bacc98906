//! The line to one relay: connecting, greeting, requests and their answers, and the schedule by which frames leave.
//!
//! All lanes of all communities on a relay share its one line. Every request of the protocol may be repeated without
//! harm, so a request that got no answer in time is simply sent again, and a line on which that does not help is
//! closed and opened anew. What was under way when a line closes is forgotten here; whoever asked starts over from
//! what is stored. What has to be signed for one connection is signed here, when it leaves, and work that a relay asks
//! for is done here as well.

mod grease;
mod greeting;
mod work;

use crate::io::Millis;
use crate::schedule::Schedule;
use bytes::Bytes;
use ed25519_dalek::SigningKey;
use rand_core::RngCore;
use std::collections::BTreeMap;
use ume_wire::auth::Work;
use ume_wire::frame;
use ume_wire::limits::{HELLO_NONCE_BYTES, VERSION, VERSION_OLDEST};
use ume_wire::relay::{Frame, Hello, RefusedCode, frame::Body};

use grease::Grease;
pub(crate) use greeting::Greeting;
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
    due: Millis,
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
}

impl<T: Copy + std::fmt::Debug> Line<T> {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Idle,
            wanted: false,
            failures: 0,
            next_request: 1,
            pending: BTreeMap::new(),
            schedule: Schedule::default(),
            works: Works::default(),
            grease: Grease::default(),
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
    pub(crate) fn connected(&mut self, now: Millis, rng: &mut impl RngCore) {
        let mut nonce = [0; HELLO_NONCE_BYTES];
        rng.fill_bytes(&mut nonce);
        let hello = Hello {
            version_min: VERSION_OLDEST,
            version_max: VERSION,
            nonce: Bytes::copy_from_slice(&nonce),
            pace: None,
        };
        self.clear();
        self.grease = Grease::draw(rng);
        self.put(0, Body::Hello(hello));
        self.state = State::Greeting { nonce, since: now };
    }

    /// The socket is closed, or never opened. Pauses grow with failures and are drawn at random within their range, so
    /// that many clients do not come back together. A relay that starts again may say when to come back.
    pub(crate) fn disconnected(
        &mut self,
        now: Millis,
        after_ms: Option<u64>,
        rng: &mut impl RngCore,
    ) {
        if matches!(self.state, State::Idle | State::Pausing(_)) {
            return;
        }
        let longest = PAUSE_MS.1.min(PAUSE_MS.0 << self.failures.min(16));
        let (shortest, spread) = after_ms.map_or((longest / 2, longest / 2), |after| {
            let after = after.clamp(PAUSE_MS.0, PAUSE_MS.1);
            (after, after)
        });
        self.failures += 1;
        let pause = shortest + u64::from(rng.next_u32()) % (spread + 1);
        self.state = State::Pausing(now.plus(pause));
        self.clear();
    }

    fn clear(&mut self) {
        self.pending.clear();
        self.schedule.clear();
        self.works.clear();
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
        let number = self.next_request;
        self.next_request = self.next_request.checked_add(1).unwrap_or(1);
        self.put(number, body.clone());
        self.pending.insert(
            number,
            Pending {
                ask,
                body,
                due: now.plus(ANSWER_MS),
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

    /// Takes a frame from the relay.
    pub(crate) fn receive(&mut self, now: Millis, bytes: &Bytes) -> Option<LineEvent<T>> {
        // A frame that cannot be read says nothing, not even to whom it belongs; what is missing is asked for again.
        let Frame { request, body } = frame::decode(bytes).ok()?;
        let body = body?;
        match (&self.state, body) {
            (State::Greeting { nonce, .. }, Body::Welcome(welcome)) => {
                let Some(greeting) = Greeting::check(nonce, &welcome) else {
                    return Some(LineEvent::Unusable);
                };
                self.failures = 0;
                self.state = State::Up(Box::new(greeting));
                if let Some(unknown) = self.grease.request(self.next_request) {
                    self.next_request = self.next_request.checked_add(1).unwrap_or(1);
                    self.schedule.push(unknown);
                }
                Some(LineEvent::Up)
            }
            (State::Greeting { .. }, Body::Refused(refused))
                if refused.code == i32::from(RefusedCode::RefusedVersion) =>
            {
                Some(LineEvent::Unusable)
            }
            (State::Up(_), Body::BlobPart(part)) => {
                let pending = self.pending.get_mut(&request)?;
                pending.due = now.plus(ANSWER_MS);
                let ask = pending.ask;
                // Nothing follows the last cell of a blob.
                if part.index.saturating_add(1) >= part.cells {
                    self.pending.remove(&request);
                }
                let body = Body::BlobPart(part);
                Some(LineEvent::Answer { ask, body })
            }
            (State::Up(_), body @ (Body::Delivery(_) | Body::Value(_))) => {
                if let Some(pending) = self.pending.get_mut(&request) {
                    pending.due = now.plus(ANSWER_MS);
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
        pending.due = Millis(u64::MAX);
        self.works.add(now, request, work, bits);
        true
    }

    fn go_on_working(&mut self, now: Millis) {
        let Some((request, number)) = self.works.go_on(now) else {
            return;
        };
        if let Some(pending) = self.pending.get_mut(&request)
            && let Body::LaneNew(new) = &mut pending.body
        {
            new.work = number;
            pending.due = now.plus(ANSWER_MS);
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
                .filter(|(_, one)| one.due <= now)
                .map(|(number, _)| *number)
                .collect();
            for number in overdue {
                let Some(pending) = self.pending.get_mut(&number) else {
                    continue;
                };
                if pending.attempts >= ATTEMPTS_MAX {
                    return Some(Socket::Close);
                }
                pending.attempts += 1;
                pending.due = now.plus(ANSWER_MS << pending.attempts.min(3));
                let body = pending.body.clone();
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
            State::Greeting { since, .. } if since.plus(2 * ANSWER_MS) <= now => {
                Some(Socket::Close)
            }
            _ => None,
        }
    }

    /// When [`Self::tick`] has something to do.
    pub(crate) fn due(&self) -> Option<Millis> {
        match self.state {
            State::Pausing(due) => self.wanted.then_some(due),
            State::Greeting { since, .. } => Some(since.plus(2 * ANSWER_MS)),
            State::Up(_) => {
                let answers = self.pending.values().map(|pending| pending.due);
                answers.chain(self.works.due()).min()
            }
            State::Idle | State::Connecting => None,
        }
    }

    /// Frames whose time has come.
    pub(crate) fn leaving(&mut self) -> Vec<Bytes> {
        self.schedule.leaving()
    }

    fn put(&mut self, request: u32, body: Body) {
        // Bodies are built here with fields of the right sizes; one that did not fit would be a fault of ours, and its
        // request then runs into its time-out.
        let frame = Frame {
            request,
            body: Some(body),
        };
        if let Ok(bytes) = self.grease.encode(&frame) {
            self.schedule.push(bytes);
        }
    }
}

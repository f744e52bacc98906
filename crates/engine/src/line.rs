//! The line to one relay: connecting, greeting, requests and their answers, and the schedule by which frames leave.
//!
//! All lanes of all communities on a relay share its one line. Every request of the protocol may be repeated without
//! harm, so a request that got no answer in time is simply sent again, and a line on which that does not help is
//! closed and opened anew. What was under way when a line closes is forgotten here; whoever asked starts over from
//! what is stored.

use crate::io::Millis;
use crate::schedule::Schedule;
use bytes::Bytes;
use rand_core::RngCore;
use std::collections::BTreeMap;
use ume_wire::auth::{Hash, Statement, relay_id};
use ume_wire::frame;
use ume_wire::limits::{HELLO_NONCE_BYTES, VERSION, VERSION_OLDEST};
use ume_wire::relay::{Frame, Hello, RefusedCode, Welcome, frame::Body};

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
    Up,
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
    /// The relay greeted; its id, its key, and its clock.
    Up {
        relay: Hash,
        key: [u8; 32],
        time_ms: u64,
    },
    /// The relay speaks no version that we speak, or does not hold its key.
    Unusable,
    /// A frame that answers a request; `last` when nothing more follows.
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
    /// The relay's id, known after the first greeting.
    pub(crate) relay: Option<Hash>,
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
            relay: None,
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        matches!(self.state, State::Up)
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
        };
        self.schedule.clear();
        self.pending.clear();
        self.put(0, Body::Hello(hello));
        self.state = State::Greeting { nonce, since: now };
    }

    /// The socket is closed, or never opened. Pauses grow with failures and are drawn at random within their range, so
    /// that many clients do not come back together.
    pub(crate) fn disconnected(&mut self, now: Millis, rng: &mut impl RngCore) {
        if matches!(self.state, State::Idle | State::Pausing(_)) {
            return;
        }
        let longest = PAUSE_MS.1.min(PAUSE_MS.0 << self.failures.min(16));
        self.failures += 1;
        self.state =
            State::Pausing(now.plus(longest / 2 + u64::from(rng.next_u32()) % (longest / 2 + 1)));
        self.pending.clear();
        self.schedule.clear();
    }

    /// Sends a request. Without a greeted relay it goes nowhere: whoever asks does so again when the line is up.
    pub(crate) fn request(&mut self, now: Millis, ask: Ask<T>, body: Body) {
        if !self.is_up() {
            return;
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
    }

    /// Takes a frame from the relay.
    pub(crate) fn receive(&mut self, now: Millis, bytes: &Bytes) -> Option<LineEvent<T>> {
        // A frame that cannot be read says nothing, not even to whom it belongs; what is missing is asked for again.
        let Frame { request, body } = frame::decode(bytes).ok()?;
        let body = body?;
        match (&self.state, body) {
            (State::Greeting { nonce, .. }, Body::Welcome(welcome)) => {
                let Some((relay, key)) = greeted(nonce, &welcome) else {
                    return Some(LineEvent::Unusable);
                };
                if self.relay.is_some_and(|known| known != relay) {
                    return Some(LineEvent::Unusable);
                }
                self.relay = Some(relay);
                self.failures = 0;
                self.state = State::Up;
                Some(LineEvent::Up {
                    relay,
                    key,
                    time_ms: welcome.time_ms,
                })
            }
            (State::Greeting { .. }, Body::Refused(refused))
                if refused.code == i32::from(RefusedCode::RefusedVersion) =>
            {
                Some(LineEvent::Unusable)
            }
            (State::Up, body @ (Body::Delivery(_) | Body::Value(_) | Body::BlobPart(_))) => {
                if let Some(pending) = self.pending.get_mut(&request) {
                    pending.due = now.plus(ANSWER_MS);
                }
                Some(LineEvent::Delivery(body))
            }
            (State::Up, body) => {
                let ask = self.pending.remove(&request)?.ask;
                Some(LineEvent::Answer { ask, body })
            }
            _ => None,
        }
    }

    /// Repeats what is overdue, connects when it is time.
    pub(crate) fn tick(&mut self, now: Millis) -> Option<Socket> {
        if self.is_up() {
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
            State::Up => self.pending.values().map(|pending| pending.due).min(),
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
        if let Ok(bytes) = frame::encode(&Frame {
            request,
            body: Some(body),
        }) {
            self.schedule.push(bytes);
        }
    }
}

fn greeted(nonce: &[u8], welcome: &Welcome) -> Option<(Hash, [u8; 32])> {
    let spoken = (VERSION_OLDEST..=VERSION).contains(&welcome.version);
    let holds = Statement::Welcome(nonce)
        .verify(&welcome.relay_key, &welcome.signature)
        .is_ok();
    let key = welcome.relay_key[..].try_into().ok()?;
    (spoken && holds).then(|| (relay_id(&welcome.relay_key), key))
}

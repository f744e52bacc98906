//! Lines that keep a pace: whoever holds a device's socket and carries out its plan, and the relay's turns towards it. And
//! what somebody sees who looks at the line and can read nothing.

use crate::device::{Device, RELAY};
use crate::world::{Event, World};
use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::collections::VecDeque;
use ume_engine::io::{Input, Slot, pad};
use ume_wire::frame;
use ume_wire::pace::{Pace, Pacer};
use ume_wire::relay::{Done, Frame, Refused, RefusedCode, Several, frame::Body};

/// What passes on a device's line, as the network sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The device tries to connect.
    Connect,
    /// The connection ends.
    End,
    /// Frames to the relay, one after the other: how many, and bytes in all.
    Up(u32, usize),
    /// Frames from the relay.
    Down(u32, usize),
}

/// Whoever holds the socket of a device: carries out its plan on a clock of its own.
#[derive(Debug, Default)]
pub(crate) struct Holder {
    slots: VecDeque<Slot>,
    fills: VecDeque<Bytes>,
    last_ms: u64,
    /// Which plan it is: what was to happen in an earlier one does not.
    pub(crate) plan: u64,
}

/// What leaves in a slot.
pub(crate) struct Leaving {
    pub(crate) frames: Vec<Bytes>,
    pub(crate) filled: u32,
}

impl Holder {
    /// Takes slots; gives when the next one is, if that is news.
    pub(crate) fn plan(&mut self, now_ms: u64, slots: Vec<Slot>, afresh: bool) -> Option<u64> {
        let was_idle = self.slots.is_empty();
        if afresh {
            self.slots.clear();
            self.last_ms = now_ms;
            self.plan += 1;
        }
        self.slots.extend(slots);
        (afresh || was_idle).then(|| self.next_ms()).flatten()
    }

    pub(crate) fn fill(&mut self, frame: Bytes) {
        self.fills.push_back(frame);
    }

    pub(crate) fn next_ms(&self) -> Option<u64> {
        self.slots.front().map(|slot| self.last_ms + slot.gap_ms)
    }

    /// Carries out the next slot.
    pub(crate) fn carry_out(&mut self) -> Option<Leaving> {
        let slot = self.slots.pop_front()?;
        self.last_ms += slot.gap_ms;
        let mut frames = Vec::from_iter(slot.fixed);
        let mut filled = 0;
        while frames.len() < slot.frames as usize {
            let frame = self.fills.pop_front();
            filled += u32::from(frame.is_some());
            frames.push(frame.unwrap_or_else(pad));
        }
        Some(Leaving { frames, filled })
    }

    /// The connection ended.
    pub(crate) fn end(&mut self) {
        self.slots.clear();
        self.fills.clear();
        self.plan += 1;
    }
}

/// The relay's turns on one connection.
#[derive(Debug)]
pub(crate) struct Turns {
    pacer: Pacer<ChaCha20Rng>,
    waiting: VecDeque<Frame>,
    /// Which pace it is.
    pub(crate) pace: u64,
}

impl Turns {
    pub(crate) fn new(seed: u64, now_ms: u64, pace: Pace) -> Self {
        Self {
            pacer: Pacer::new(ChaCha20Rng::seed_from_u64(seed), now_ms, pace),
            waiting: VecDeque::new(),
            pace: 0,
        }
    }

    pub(crate) fn change(&mut self, now_ms: u64, pace: Pace) {
        self.pacer.change(now_ms, pace);
        self.pace += 1;
    }

    pub(crate) fn push(&mut self, frame: Frame) {
        self.waiting.push_back(frame);
    }

    pub(crate) fn next_ms(&self) -> u64 {
        self.pacer.next_ms()
    }

    /// What leaves in the turn that is due.
    pub(crate) fn carry_out(&mut self, now_ms: u64) -> Vec<Bytes> {
        let frames = 0..self.pacer.tick(now_ms);
        frames.map(|_| self.next().unwrap_or_else(pad)).collect()
    }

    /// As many of the waiting messages as fit into one frame.
    fn next(&mut self) -> Option<Bytes> {
        let first = self.waiting.pop_front()?;
        let mut frames = vec![first];
        while let Some(next) = self.waiting.front() {
            frames.push(next.clone());
            let together = Frame {
                request: 0,
                body: Some(Body::Several(Several {
                    frames: frames.clone(),
                })),
            };
            if frame::encode(&together).is_err() {
                frames.pop();
                break;
            }
            self.waiting.pop_front();
        }
        let frame = if frames.len() == 1 {
            frames.pop()?
        } else {
            let body = Some(Body::Several(Several { frames }));
            Frame { request: 0, body }
        };
        frame::encode(&frame).ok()
    }
}

impl World {
    pub(crate) fn schedule_slot(&mut self, device: usize, at_ms: u64) {
        let one = &self.devices[device];
        if let Some(session) = one.session {
            let plan = one.holder.plan;
            let event = Event::Slot {
                device,
                session,
                plan,
            };
            self.schedule(at_ms.max(self.now_ms), event);
        }
    }

    pub(crate) fn slot(&mut self, device: usize) -> Result<(), String> {
        let Some(leaving) = self.devices[device].holder.carry_out() else {
            return Ok(());
        };
        let frames = u32::try_from(leaving.frames.len()).unwrap_or(u32::MAX);
        let bytes = leaving.frames.iter().map(Bytes::len).sum();
        self.look(device, Seen::Up(frames, bytes));
        for frame in &leaving.frames {
            self.send(device, frame);
        }
        if let Some(at) = self.devices[device].holder.next_ms() {
            self.schedule_slot(device, at);
        }
        let left = Input::Left {
            relay: RELAY.into(),
            slots: 1,
            frames,
            filled: leaving.filled,
        };
        self.give(device, left)
    }

    pub(crate) fn turn(&mut self, session: u64) {
        let Some(turns) = self.turns.get_mut(&session) else {
            return;
        };
        let frames = turns.carry_out(self.now_ms);
        let (at, pace) = (turns.next_ms(), turns.pace);
        self.schedule(at, Event::Turn { session, pace });
        let to = |device: &Device| device.session == Some(session);
        let Some(device) = self.devices.iter().position(to) else {
            self.closed(session);
            return;
        };
        let bytes = frames.iter().map(Bytes::len).sum();
        let count = u32::try_from(frames.len()).unwrap_or(u32::MAX);
        self.look(device, Seen::Down(count, bytes));
        for frame in frames {
            self.deliver(device, session, &frame);
        }
    }

    /// What a frame asks about the pace; `None` if it is nothing of the kind.
    pub(crate) fn pace(&mut self, session: u64, frame: &Frame) -> Option<Frame> {
        let pace = match &frame.body {
            Some(Body::Hello(hello)) => hello.pace.as_ref()?,
            Some(Body::Pace(pace)) => pace,
            _ => return None,
        };
        let hello = matches!(frame.body, Some(Body::Hello(_)));
        let refused = Refused {
            code: RefusedCode::RefusedMalformed.into(),
            detail: 0,
        };
        let body = match (Pace::from_wire(pace), self.turns.get_mut(&session)) {
            (Ok(pace), None) if hello => {
                let seed = self.seed.wrapping_mul(7_919).wrapping_add(session);
                let turns = Turns::new(seed, self.now_ms, pace);
                let event = Event::Turn { session, pace: 0 };
                self.schedule(turns.next_ms(), event);
                self.turns.insert(session, turns);
                return None;
            }
            (Ok(pace), Some(turns)) if !hello => {
                turns.change(self.now_ms, pace);
                let (at, pace) = (turns.next_ms(), turns.pace);
                self.schedule(at, Event::Turn { session, pace });
                Body::Done(Done::default())
            }
            // A second Hello of a connection changes nothing about its pace.
            (Ok(_), Some(_)) => return None,
            _ => Body::Refused(refused),
        };
        Some(Frame {
            request: frame.request,
            body: Some(body),
        })
    }
}

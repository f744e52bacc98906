//! When frames leave. Every frame of a line passes through here.
//!
//! Without a pace they leave at once, in their order. With one, a plan of slots is drawn ahead and given to whoever holds
//! the socket, which carries it out on a clock of its own; what is to be said fills slots and never makes, moves or takes
//! one. So nothing that this device does, says or waits for changes when a frame leaves: not even how busy it is.

use crate::io::{Output, RelayAddress, Slot};
use bytes::Bytes;
use prost::Message;
use rand_chacha::ChaCha20Rng;
use std::collections::VecDeque;
use ume_wire::limits::{FRAME_BYTES, FRAME_HEADER_BYTES, SEVERAL_MAX};
use ume_wire::pace::{Pace, Pacer};
use ume_wire::relay::{Frame, Several, frame::Body};

/// Slots that are planned ahead, and how few are left when more are planned: enough for the longest time that the engine is
/// busy with one thing, also in a bulk transfer.
const AHEAD: (usize, usize) = (256, 192);
/// Bytes of a `Several` around its messages, at most.
const SEVERAL_BYTES: usize = 16;

/// The plan of one connection, as far as it is known here.
#[derive(Debug)]
struct Plan {
    pacer: Pacer<ChaCha20Rng>,
    /// Where the slot planned last is, on the pacer's line of time.
    last_ms: u64,
    /// Slots that were planned and have not gone by.
    ahead: usize,
    /// Whether the next slots replace those that were planned.
    afresh: bool,
    /// What the first slot of a plan says, whatever waits.
    first: Option<Bytes>,
    /// Requests in the frames that were handed over and have not left.
    handed: VecDeque<Vec<u32>>,
}

/// The frames of one line that have not left.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    waiting: VecDeque<Frame>,
    /// Pieces of what is long: they leave when nothing else waits, so that a word need not wait behind a file.
    long: VecDeque<Frame>,
    plan: Option<Plan>,
}

impl Schedule {
    /// A connection opened: frames leave by a pace, or at once.
    pub(crate) fn open(&mut self, pace: Option<Pace>, rng: impl FnOnce() -> ChaCha20Rng) {
        self.waiting.clear();
        self.long.clear();
        self.plan = pace.map(|pace| Plan {
            pacer: Pacer::new(rng(), 0, pace),
            last_ms: 0,
            ahead: 0,
            afresh: true,
            first: None,
            handed: VecDeque::new(),
        });
    }

    /// Another pace from now on; its first frame tells the relay.
    pub(crate) fn change(&mut self, pace: Pace, told: Bytes) {
        if let Some(plan) = &mut self.plan {
            plan.last_ms = plan.pacer.next_ms();
            plan.pacer.change(plan.last_ms, pace);
            plan.ahead = 0;
            plan.afresh = true;
            plan.first = Some(told);
        }
    }

    pub(crate) fn is_paced(&self) -> bool {
        self.plan.is_some()
    }

    pub(crate) fn push(&mut self, frame: Frame) {
        match frame.body {
            Some(Body::BlobPut(_)) => self.long.push_back(frame),
            _ => self.waiting.push_back(frame),
        }
    }

    /// Frames that wait for their turn.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
            + self.long.len()
            + self.plan.as_ref().map_or(0, |plan| plan.handed.len())
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
        self.long.clear();
        self.plan = None;
    }

    /// A slot went by, and others before it were missed; so many of the frames handed over left in it. Gives the requests
    /// in these.
    pub(crate) fn left(&mut self, slots: usize, filled: usize) -> Vec<u32> {
        let Some(plan) = &mut self.plan else {
            return vec![];
        };
        plan.ahead = plan.ahead.saturating_sub(slots);
        let filled = filled.min(plan.handed.len());
        plan.handed.drain(..filled).flatten().collect()
    }

    /// What whoever holds the socket is to do: frames to send, slots to plan, frames that fill them. `encode` makes a frame
    /// of a message.
    pub(crate) fn leaving(
        &mut self,
        relay: &RelayAddress,
        encode: impl Fn(&Frame) -> Option<Bytes>,
    ) -> Vec<Output> {
        let Some(plan) = &mut self.plan else {
            let frames = self.waiting.drain(..).chain(self.long.drain(..));
            return frames
                .filter_map(|frame| encode(&frame))
                .map(|frame| Output::Send(relay.clone(), frame))
                .collect();
        };
        let mut outputs = Vec::new();
        if plan.ahead <= AHEAD.1 {
            let (afresh, mut slots) = (std::mem::take(&mut plan.afresh), Vec::new());
            while plan.ahead < AHEAD.0 {
                slots.push(plan.slot());
                plan.ahead += 1;
            }
            outputs.push(Output::Plan {
                relay: relay.clone(),
                slots,
                afresh,
            });
        }
        // No more than the next two ticks take, so that what is said later and matters more need not wait behind it all.
        let room = 2 * plan.pacer.law().frames as usize;
        while plan.handed.len() < room
            && let Some((frame, requests)) =
                pack(&mut self.waiting, &encode).or_else(|| pack(&mut self.long, &encode))
        {
            plan.handed.push_back(requests);
            outputs.push(Output::Fill(relay.clone(), frame));
        }
        outputs
    }
}

impl Plan {
    fn slot(&mut self) -> Slot {
        let at_ms = self.pacer.next_ms();
        let gap_ms = at_ms - self.last_ms;
        self.last_ms = at_ms;
        Slot {
            gap_ms,
            frames: self.pacer.tick(at_ms),
            fixed: self.first.take(),
        }
    }
}

/// The next frame: as many of the messages that wait as fit into it, in their order; and the requests in it.
fn pack(
    waiting: &mut VecDeque<Frame>,
    encode: impl Fn(&Frame) -> Option<Bytes>,
) -> Option<(Bytes, Vec<u32>)> {
    let room = FRAME_BYTES - FRAME_HEADER_BYTES - SEVERAL_BYTES;
    loop {
        let (mut taken, mut bytes) = (0, 0);
        for frame in waiting.iter().take(SEVERAL_MAX) {
            // Each has its key and its length before it.
            bytes += frame.encoded_len() + 4;
            if bytes > room {
                break;
            }
            taken += 1;
        }
        let mut frames: Vec<Frame> = waiting.drain(..taken.max(1).min(waiting.len())).collect();
        let requests = frames.iter().map(|frame| frame.request).collect();
        let frame = match frames.len() {
            0 => return None,
            1 => frames.pop()?,
            _ => Frame {
                request: 0,
                body: Some(Body::Several(Several { frames })),
            },
        };
        // A message that fits in no frame would be a fault of ours, and its request then runs into its time-out.
        if let Some(frame) = encode(&frame) {
            return Some((frame, requests));
        }
    }
}

#[cfg(test)]
mod tests;

//! What waits for the ticks of one connection: put in by the task that answers, taken out by the one that sends.

use crate::{packet, several::Load};
use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    mem,
    task::{Context, Waker},
};
use tokio::sync::Notify;
use ume_wire::pace::Pace;

/// What the sender is told between two ticks.
#[derive(Debug, Default)]
pub(super) struct Orders {
    /// Another pace from now on.
    pub(super) pace: Option<Pace>,
    /// What does not wait for a tick: answers to pings.
    pub(super) controls: Vec<Bytes>,
    /// Nothing more leaves.
    pub(super) is_over: bool,
}

/// The way from one task to the other. What is put in wakes nobody: the ticks come by themselves.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    called: Notify,
    pad: Bytes,
}

#[derive(Debug, Default)]
struct Queue {
    loads: VecDeque<Load>,
    /// Frames of the tick that was last or is next.
    per_tick: usize,
    orders: Orders,
    /// Who puts in, and waits for room.
    writer: Option<Waker>,
    is_gone: bool,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            queue: Mutex::default(),
            called: Notify::new(),
            pad: packet::pad(),
        }
    }

    /// Puts a packet behind all others, into the last frame if there is room in it.
    pub(super) fn put(&self, packet: Bytes) {
        let mut queue = self.queue.lock();
        let last = queue.loads.back_mut();
        if !last.is_some_and(|last| last.join(&packet)) {
            queue.loads.push_back(Load::One(packet));
        }
    }

    /// Frames that wait.
    pub(super) fn frames(&self) -> usize {
        self.queue.lock().loads.len()
    }

    /// Frames that two ticks take: what waits beyond them makes what comes later wait without need.
    pub(super) fn near(&self) -> usize {
        2 * self.queue.lock().per_tick.max(1)
    }

    /// Whether the sender has ended by itself. If it has not, whoever asks is woken when it has, or when it took something.
    pub(super) fn is_gone(&self, context: &Context<'_>) -> bool {
        let mut queue = self.queue.lock();
        match &mut queue.writer {
            Some(writer) => writer.clone_from(context.waker()),
            writer => *writer = Some(context.waker().clone()),
        }
        queue.is_gone
    }

    /// Tells the sender something.
    pub(super) fn order(&self, change: impl FnOnce(&mut Orders)) {
        change(&mut self.queue.lock().orders);
        self.called.notify_one();
    }

    /// Waits for orders.
    pub(super) async fn orders(&self) -> Orders {
        self.called.notified().await;
        mem::take(&mut self.queue.lock().orders)
    }

    /// Takes the frames of a tick out, as many as that has: what waits, and pads. Gives how many are no pads.
    pub(super) fn load(&self, frames: usize, out: &mut BytesMut) -> usize {
        let loads: Vec<Load> = {
            let mut queue = self.queue.lock();
            queue.per_tick = frames;
            let count = frames.min(queue.loads.len());
            queue.loads.drain(..count).collect()
        };
        for load in &loads {
            load.put(out);
        }
        for _ in loads.len()..frames {
            out.extend_from_slice(&self.pad);
        }
        loads.len()
    }

    /// Wakes whoever waits for room.
    pub(super) fn wake(&self) {
        let writer = self.queue.lock().writer.take();
        if let Some(writer) = writer {
            writer.wake();
        }
    }

    /// The sender ends by itself.
    pub(super) fn leave(&self) {
        self.queue.lock().is_gone = true;
        self.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{BYTES, bare, encode};
    use ume_wire::{
        frame,
        limits::CELL_BYTES,
        relay::{Delivery, Done, Frame, frame::Body},
    };

    fn done(request: u32) -> Bytes {
        encode(request, Body::Done(Done::default())).unwrap()
    }

    fn cell(request: u32) -> Bytes {
        let body = Body::Delivery(Delivery {
            cell: vec![1; CELL_BYTES].into(),
            ..Delivery::default()
        });
        encode(request, body).unwrap()
    }

    /// The requests that each frame of a tick answers; none for a pad.
    fn tick(outbox: &Outbox, frames: usize) -> Vec<Vec<u32>> {
        let mut out = BytesMut::new();
        let real = outbox.load(frames, &mut out);
        assert_eq!(out.len(), frames * BYTES);
        let requests = |packet: &[u8]| {
            let frame: Frame = frame::decode(&Bytes::copy_from_slice(bare(packet))).unwrap();
            match frame.body.unwrap() {
                Body::Pad(_) => Vec::new(),
                Body::Several(several) => several.frames.iter().map(|one| one.request).collect(),
                _ => vec![frame.request],
            }
        };
        let all: Vec<Vec<u32>> = out.chunks(BYTES).map(requests).collect();
        assert!(all[..real].iter().all(|frame| !frame.is_empty()));
        assert!(all[real..].iter().all(Vec::is_empty));
        all
    }

    #[test]
    fn a_tick_has_its_frames_whatever_waits() {
        let outbox = Outbox::new();
        assert_eq!(tick(&outbox, 2), vec![Vec::<u32>::new(); 2]);
        for n in 1..=5 {
            outbox.put(cell(n));
        }
        assert_eq!(outbox.frames(), 5);
        assert_eq!(tick(&outbox, 2), [[1], [2]]);
        assert_eq!(tick(&outbox, 1), [[3]]);
        assert_eq!(tick(&outbox, 4), [vec![4], vec![5], vec![], vec![]]);
        assert_eq!(outbox.frames(), 0);
    }

    #[test]
    fn what_is_short_shares_a_frame_and_keeps_its_place() {
        let outbox = Outbox::new();
        let order = [cell(1), done(2), done(3), cell(4), done(5), cell(6)];
        order.into_iter().for_each(|packet| outbox.put(packet));
        assert_eq!(outbox.frames(), 3);
        assert_eq!(tick(&outbox, 1), [[1, 2, 3]]);
        // What is on its way is not added to.
        outbox.put(done(7));
        assert_eq!(
            tick(&outbox, 3),
            [vec![4, 5], vec![6, 7], Vec::<u32>::new()]
        );
    }
}

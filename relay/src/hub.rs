//! Who is subscribed to what, and how they hear of news.
//!
//! A connection is told *that* a lane has something new, and reads it from where it stands: nothing queues up for the
//! slow, and nothing is lost. The newest cells' frames are kept for a while, encoded once for everybody, so that those
//! who keep up need not read at all.
//!
//! Lanes with a time to live of zero are never stored: their cells go straight into the mailboxes, and a full mailbox
//! drops the oldest.

use crate::{
    reading::delivery,
    store::{Outcome, Write},
};
use bytes::Bytes;
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    mem,
    sync::Arc,
};
use tokio::sync::Notify;
use ume_wire::auth::{Hash, LaneId};

/// Frames of newest cells, of all lanes together: 8 MiB.
const RECENT_FRAMES: usize = 4096;
/// Frames of lanes without storage that wait for one connection: 512 KiB.
const FLEETING_FRAMES: usize = 256;
/// Lanes without storage whose numbers are remembered although nobody listens.
const FLEETING_LANES: usize = 4096;
/// Cells that a lane without storage recognises when they come again.
const FLEETING_HASHES: usize = 32;

/// Numbers of what is new in a lane: the lowest and the highest.
pub(crate) type News = (u64, u64);

/// Where a connection finds what happened.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    mail: Mutex<Mail>,
    arrived: Notify,
}

/// What happened since the last look.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    /// Lanes with news.
    pub(crate) news: BTreeMap<LaneId, News>,
    /// Frames that exist nowhere else, with their lanes.
    pub(crate) fleeting: VecDeque<(LaneId, Bytes)>,
}

impl Mailbox {
    /// Waits until something may have happened.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Takes everything out.
    pub(crate) fn take(&self) -> Mail {
        mem::take(&mut self.mail.lock())
    }

    fn tell(&self, lane: LaneId, number: u64) {
        let mut mail = self.mail.lock();
        let news = mail.news.entry(lane).or_insert((number, number));
        *news = (news.0.min(number), news.1.max(number));
        drop(mail);
        self.arrived.notify_one();
    }

    fn drop_in(&self, lane: LaneId, frame: Bytes) {
        let mut mail = self.mail.lock();
        if mail.fleeting.len() == FLEETING_FRAMES {
            mail.fleeting.pop_front();
        }
        mail.fleeting.push_back((lane, frame));
        drop(mail);
        self.arrived.notify_one();
    }
}

#[derive(Debug)]
struct Fleeting {
    next: u64,
    hashes: VecDeque<(Hash, u64)>,
}

impl Default for Fleeting {
    fn default() -> Self {
        Self {
            next: 1,
            hashes: VecDeque::new(),
        }
    }
}

#[derive(Debug, Default)]
struct Inside {
    listeners: HashMap<LaneId, Vec<Arc<Mailbox>>>,
    recent: HashMap<(LaneId, u64), Bytes>,
    recent_order: VecDeque<(LaneId, u64)>,
    fleeting: HashMap<LaneId, Fleeting>,
}

/// All subscriptions of all connections.
#[derive(Debug, Default)]
pub(crate) struct Hub(Mutex<Inside>);

impl Hub {
    /// From now on this mailbox hears of the lane. Whoever reads afterwards misses nothing.
    pub(crate) fn listen(&self, lane: LaneId, mailbox: &Arc<Mailbox>) {
        let mut inside = self.0.lock();
        let listeners = inside.listeners.entry(lane).or_default();
        if !listeners.iter().any(|other| Arc::ptr_eq(other, mailbox)) {
            listeners.push(mailbox.clone());
        }
    }

    /// It does not any more.
    pub(crate) fn leave(&self, lane: &LaneId, mailbox: &Arc<Mailbox>) {
        let mut inside = self.0.lock();
        if let Some(listeners) = inside.listeners.get_mut(lane) {
            listeners.retain(|other| !Arc::ptr_eq(other, mailbox));
            if listeners.is_empty() {
                inside.listeners.remove(lane);
            }
        }
    }

    /// Tells of what has become durable.
    pub(crate) fn publish(&self, writes: &[Write], outcomes: &[Outcome]) {
        let mut inside = self.0.lock();
        for (write, outcome) in writes.iter().zip(outcomes) {
            match (write, outcome) {
                (Write::Append { lane, cell, .. }, Outcome::Appended { seq, new: true }) => {
                    inside.publish_cell(*lane, *seq, cell);
                }
                (Write::Accept { lane, slot, .. }, Outcome::Accepted { new: true, .. }) => {
                    inside.tell(*lane, *slot);
                }
                _ => {}
            }
        }
    }

    /// The frame of a new cell, if it is still here.
    pub(crate) fn recent(&self, lane: &LaneId, seq: u64) -> Option<Bytes> {
        self.0.lock().recent.get(&(*lane, seq)).cloned()
    }

    /// Passes a cell of a lane without storage on to those who listen. Gives its number.
    pub(crate) fn pass_on(&self, lane: LaneId, hash: Hash, cell: &Bytes) -> u64 {
        let mut inside = self.0.lock();
        let inside = &mut *inside;
        if inside.fleeting.len() >= FLEETING_LANES && !inside.fleeting.contains_key(&lane) {
            let listeners = &inside.listeners;
            inside
                .fleeting
                .retain(|lane, _| listeners.contains_key(lane));
        }
        let fleeting = inside.fleeting.entry(lane).or_default();
        if let Some((_, seq)) = fleeting.hashes.iter().find(|(known, _)| *known == hash) {
            return *seq;
        }
        let seq = fleeting.next;
        fleeting.next += 1;
        if fleeting.hashes.len() == FLEETING_HASHES {
            fleeting.hashes.pop_front();
        }
        fleeting.hashes.push_back((hash, seq));
        if let Some(listeners) = inside.listeners.get(&lane)
            && let Some(frame) = delivery(0, &lane, seq, cell)
        {
            for mailbox in listeners {
                mailbox.drop_in(lane, frame.clone());
            }
        }
        seq
    }

    /// The number that the next cell of a lane without storage gets.
    pub(crate) fn fleeting_end(&self, lane: &LaneId) -> u64 {
        self.0
            .lock()
            .fleeting
            .get(lane)
            .map_or(1, |fleeting| fleeting.next)
    }
}

impl Inside {
    fn publish_cell(&mut self, lane: LaneId, seq: u64, cell: &Bytes) {
        if !self.listeners.contains_key(&lane) {
            return;
        }
        if let Some(frame) = delivery(0, &lane, seq, cell) {
            if self.recent_order.len() == RECENT_FRAMES
                && let Some(oldest) = self.recent_order.pop_front()
            {
                self.recent.remove(&oldest);
            }
            self.recent.insert((lane, seq), frame);
            self.recent_order.push_back((lane, seq));
        }
        self.tell(lane, seq);
    }

    fn tell(&self, lane: LaneId, number: u64) {
        for mailbox in self.listeners.get(&lane).into_iter().flatten() {
            mailbox.tell(lane, number);
        }
    }
}

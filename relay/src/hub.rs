//! Who is subscribed to what, and how they hear of news.
//!
//! A connection is told *that* a lane has something new, and takes it from where it stands: nothing queues up for the
//! slow. The newest frames are kept for a while, encoded once for everybody, so that those who keep up need not read from
//! the store at all; whoever falls behind them reads the store.
//!
//! Lanes with a time to live of zero are never stored: their newest frames are all there is, and whoever falls behind
//! them misses some.

mod ear;

pub(crate) use ear::{Ear, Mailbox, News};

use crate::{
    reading::delivery,
    store::{Outcome, Write},
};
use bytes::Bytes;
use parking_lot::Mutex;
use rand_core::{OsRng, RngCore};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use ume_wire::{
    auth::{Hash, LaneId},
    limits::LIFE_BYTES,
};

/// Parts of the hub, each with a lock of its own.
const SHARDS: usize = 16;
/// Newest frames in one part, of all its lanes together: 1 MiB.
const RECENT_FRAMES: usize = 512;
/// Subscriptions of all connections together: some 60 MiB.
const SUBSCRIPTIONS: usize = 1 << 18;
/// Lanes without storage in one part whose numbers are remembered although nobody listens.
const FLEETING_LANES: usize = 256;
/// Cells that a lane without storage recognises when they come again.
const FLEETING_HASHES: usize = 32;

type Ears = Arc<Vec<Arc<Ear>>>;
/// What tells one life of a lane from another.
pub(crate) type Life = [u8; LIFE_BYTES];

/// A lane that somebody listens to.
#[derive(Debug, Default)]
struct Heard {
    ears: Ears,
    /// Number of the first of `recent`, which has no holes.
    first: u64,
    recent: VecDeque<Bytes>,
}

impl Heard {
    fn next(&self) -> u64 {
        self.first + self.recent.len() as u64
    }
}

/// Numbers of a lane that is stored nowhere.
#[derive(Debug)]
struct Fleeting {
    next: u64,
    life: Life,
    hashes: VecDeque<(Hash, u64)>,
}

impl Default for Fleeting {
    fn default() -> Self {
        let mut life = [0; LIFE_BYTES];
        // Without chance, readers of such a lane may miss that it began again.
        let _ = OsRng.try_fill_bytes(&mut life);
        Self {
            next: 1,
            life,
            hashes: VecDeque::new(),
        }
    }
}

#[derive(Debug, Default)]
struct Shard {
    heard: HashMap<LaneId, Heard>,
    /// The lane of every recent frame, oldest first; and of some that are gone already.
    order: VecDeque<LaneId>,
    fleeting: HashMap<LaneId, Fleeting>,
}

/// All subscriptions of all connections.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    shards: [Mutex<Shard>; SHARDS],
    subscriptions: AtomicUsize,
}

impl Hub {
    fn shard(&self, lane: &LaneId) -> &Mutex<Shard> {
        &self.shards[usize::from(lane[lane.len() - 1]) % SHARDS]
    }

    /// From now on this mailbox hears of the lane. Whoever reads afterwards misses nothing. A mailbox listens to a lane
    /// once. `None`: the relay has too many subscriptions.
    pub(crate) fn listen(&self, lane: LaneId, mailbox: &Arc<Mailbox>) -> Option<Arc<Ear>> {
        if self.subscriptions.fetch_add(1, Ordering::Relaxed) >= SUBSCRIPTIONS {
            self.subscriptions.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let ear = Ear::new(lane, mailbox.clone());
        let mut shard = self.shard(&lane).lock();
        let heard = shard.heard.entry(lane).or_default();
        Arc::make_mut(&mut heard.ears).push(ear.clone());
        Some(ear)
    }

    /// It does not any more.
    pub(crate) fn leave(&self, ear: &Arc<Ear>) {
        let mut shard = self.shard(ear.lane()).lock();
        let Some(heard) = shard.heard.get_mut(ear.lane()) else {
            return;
        };
        let ears = Arc::make_mut(&mut heard.ears);
        if let Some(place) = ears.iter().position(|other| Arc::ptr_eq(other, ear)) {
            ears.swap_remove(place);
            self.subscriptions.fetch_sub(1, Ordering::Relaxed);
        }
        if ears.is_empty() {
            shard.heard.remove(ear.lane());
        }
    }

    /// Tells of what has become durable.
    pub(crate) fn publish(&self, writes: &[Write], outcomes: &[Outcome]) {
        let mut news: BTreeMap<LaneId, News> = BTreeMap::new();
        for (write, outcome) in writes.iter().zip(outcomes) {
            let Some((lane, number)) = news_of(write, outcome) else {
                continue;
            };
            if let Write::Append { cell, .. } = write {
                self.shard(lane).lock().keep(lane, number, cell);
            }
            let news = news.entry(*lane).or_insert((number, number));
            *news = (news.0.min(number), news.1.max(number));
        }
        // Everybody is told once for all of it.
        for (lane, news) in news {
            let ears = self.shard(&lane).lock().ears(&lane);
            tell(&ears, news);
        }
    }

    /// Gives up to `max` of the newest frames from a number on, and the number that follows them. `None`: that number's
    /// frame is not here; or, if `may_skip`, no later one either.
    pub(crate) fn recent(
        &self,
        lane: &LaneId,
        from: u64,
        max: usize,
        may_skip: bool,
        take: impl FnMut(Bytes),
    ) -> Option<u64> {
        let shard = self.shard(lane).lock();
        let heard = shard.heard.get(lane)?;
        let from = if may_skip {
            from.max(heard.first)
        } else {
            from
        };
        let skipped = usize::try_from(from.checked_sub(heard.first)?).ok()?;
        let count = heard.recent.len().checked_sub(skipped)?.min(max);
        let frames = heard.recent.range(skipped..skipped + count);
        frames.cloned().for_each(take);
        (count > 0).then_some(from + count as u64)
    }

    /// Passes a cell of a lane without storage on to those who listen. Gives its number.
    pub(crate) fn pass_on(&self, lane: LaneId, hash: Hash, cell: &Bytes) -> u64 {
        let mut shard = self.shard(&lane).lock();
        let fleeting = shard.fleeting(lane);
        if let Some((_, seq)) = fleeting.hashes.iter().find(|(known, _)| *known == hash) {
            return *seq;
        }
        let seq = fleeting.next;
        fleeting.next += 1;
        if fleeting.hashes.len() == FLEETING_HASHES {
            fleeting.hashes.pop_front();
        }
        fleeting.hashes.push_back((hash, seq));
        shard.keep(&lane, seq, cell);
        let ears = shard.ears(&lane);
        drop(shard);
        tell(&ears, (seq, seq));
        seq
    }

    /// The number that the next cell of a lane without storage gets, and the lane's life.
    pub(crate) fn fleeting_end(&self, lane: &LaneId) -> (u64, Life) {
        let mut shard = self.shard(lane).lock();
        let fleeting = shard.fleeting(*lane);
        (fleeting.next, fleeting.life)
    }
}

/// The lane in which a write has brought something new, and its number.
pub(crate) fn news_of<'a>(write: &'a Write, outcome: &Outcome) -> Option<(&'a LaneId, u64)> {
    match (write, outcome) {
        (Write::Append { lane, .. }, Outcome::Appended { seq, new: true }) => Some((lane, *seq)),
        (Write::Accept { lane, slot, .. }, Outcome::Accepted { new: true, .. }) => {
            Some((lane, *slot))
        }
        _ => None,
    }
}

impl Shard {
    /// Keeps the frame of a cell, if somebody listens.
    fn keep(&mut self, lane: &LaneId, seq: u64, cell: &Bytes) {
        let Some(heard) = self.heard.get_mut(lane) else {
            return;
        };
        let Some(frame) = delivery(0, lane, seq, cell) else {
            return;
        };
        if heard.next() != seq {
            heard.recent.clear();
            heard.first = seq;
        }
        heard.recent.push_back(frame);
        self.order.push_back(*lane);
        if self.order.len() > RECENT_FRAMES
            && let Some(oldest) = self.order.pop_front()
            && let Some(heard) = self.heard.get_mut(&oldest)
            && heard.recent.pop_front().is_some()
        {
            heard.first += 1;
        }
    }

    fn ears(&self, lane: &LaneId) -> Ears {
        let heard = self.heard.get(lane);
        heard.map_or_else(Ears::default, |heard| heard.ears.clone())
    }

    fn fleeting(&mut self, lane: LaneId) -> &mut Fleeting {
        if self.fleeting.len() >= FLEETING_LANES && !self.fleeting.contains_key(&lane) {
            let heard = &self.heard;
            self.fleeting.retain(|lane, _| heard.contains_key(lane));
        }
        self.fleeting.entry(lane).or_default()
    }
}

fn tell(ears: &[Arc<Ear>], news: News) {
    for ear in ears {
        ear.tell(news);
    }
}

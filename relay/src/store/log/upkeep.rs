//! What is over is removed, and what is thinly spread is moved together, a little at a time.

use super::{
    Log, Millis,
    index::Place,
    is_live,
    keep::SPARES,
    segment::{Entry, Header, Segment, index_path, read_index, segment_path},
    write::{Group, LogWriter},
};
use crate::store::StoreError;
use std::{
    cmp::Reverse,
    io,
    sync::{Arc, atomic::Ordering},
};

/// A segment that is being emptied.
#[derive(Debug)]
pub(super) struct Moving {
    segment: Arc<Segment>,
    entries: std::vec::IntoIter<Entry>,
}

/// How much room may be wasted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::store) enum Spread {
    /// As much as is live: moving costs little then.
    Usual,
    /// An eighth.
    Least,
}

impl Spread {
    fn allowed(self, live: u64) -> u64 {
        match self {
            Self::Usual => live * 2,
            Self::Least => live + live / 8,
        }
    }
}

impl LogWriter {
    /// Takes up to about `max` cells whose time has come out of the index; tells whether there may be more.
    pub(in crate::store) fn expire(&mut self, now: Millis, max: usize) -> bool {
        let mut left = max;
        while let Some(Reverse((until, serial))) = self.waiting.peek().copied() {
            if is_live(until, now) {
                return false;
            }
            if left == 0 {
                return true;
            }
            self.waiting.pop();
            let log = &self.log;
            let mut gone = Vec::new();
            let mut shard = log.index.shard(serial).write();
            let Some(lane) = shard.lane_mut(serial) else {
                continue;
            };
            lane.waits = false;
            let (account, touched) = (lane.account, lane.touched);
            let is_over = |place: &Place| !place.is_somewhere() || !is_live(place.until, now);
            while left > 0
                && shard
                    .lane(serial)
                    .and_then(|lane| lane.places.front())
                    .is_some_and(is_over)
            {
                gone.extend(shard.pop(serial));
                left -= 1;
            }
            match shard.lane(serial).and_then(|lane| lane.places.front()) {
                Some(front) => {
                    self.waiting.push(Reverse((front.until, serial)));
                    if let Some(lane) = shard.lane_mut(serial) {
                        lane.waits = true;
                    }
                }
                None if log.is_recorded(touched) => {
                    shard.remove(serial);
                }
                None => {}
            }
            drop(shard);
            for place in gone {
                log.release(place, account);
            }
        }
        false
    }

    /// Moves up to `max` cells out of a segment with few live ones, if too much room is wasted; tells whether there is
    /// more to do.
    pub(in crate::store) fn tidy(
        &mut self,
        now: Millis,
        max: usize,
        spread: Spread,
    ) -> Result<bool, StoreError> {
        self.keeper.again();
        self.log.retire();
        let moving = match self.moving.take() {
            Some(moving) => Some(moving),
            None => self.choose(spread)?,
        };
        let Some(mut moving) = moving else {
            return Ok(false);
        };
        let mut group = Group::new(now);
        for entry in moving.entries.by_ref().take(max) {
            let place = Place {
                segment: moving.segment.number,
                offset: entry.offset,
                until: entry.until,
                fingerprint: entry.fingerprint,
            };
            let (serial, number) = (entry.serial, entry.number);
            let current = {
                let shard = self.log.index.shard(serial).read();
                shard.lane(serial).and_then(|lane| lane.place(number))
            };
            if current != Some(place) {
                continue;
            }
            match self.log.read_record(serial, number, place)? {
                Some((record, cell)) => group.relocate(record, cell, place),
                None => {
                    self.log.is_lost(serial, number, place);
                }
            }
        }
        self.commit(&group)?;
        if moving.entries.len() > 0 {
            self.moving = Some(moving);
            return Ok(true);
        }
        drop(moving);
        self.log.retire();
        Ok(self.log.is_wasteful(spread))
    }

    fn choose(&self, spread: Spread) -> Result<Option<Moving>, StoreError> {
        if !self.log.is_wasteful(spread) {
            return Ok(None);
        }
        let segments = self.log.segments.read();
        let sealed = segments.values().filter(|segment| segment.is_sealed());
        // An empty one waits for its last readers only.
        let Some(segment) = sealed
            .filter(|segment| segment.live() > 0)
            .min_by_key(|segment| segment.live())
            .cloned()
        else {
            return Ok(None);
        };
        drop(segments);
        if spread.allowed(segment.live_bytes()) >= u64::from(segment.bytes) {
            return Ok(None);
        }
        let header = Header {
            number: segment.number,
            salt: segment.salt,
            before: 0,
            before_end: 0,
        };
        let entries = match read_index(&*self.log.disk, &self.log.directory, &header)? {
            Some(index) => index.entries().collect(),
            None => self.log.scan_entries(&segment)?,
        };
        Ok(Some(Moving {
            segment,
            entries: entries.into_iter(),
        }))
    }
}

impl Log {
    fn is_wasteful(&self, spread: Spread) -> bool {
        let segments = self.segments.read();
        let sealed = segments.values().filter(|segment| segment.is_sealed());
        let used: u64 = sealed.map(|segment| u64::from(segment.bytes)).sum();
        let live: u64 = segments.values().map(|segment| segment.live_bytes()).sum();
        used > spread.allowed(live)
    }

    /// Whether what a segment says of its lanes is in the tables.
    fn is_recorded(&self, number: u32) -> bool {
        let segments = self.segments.read();
        segments
            .get(&number)
            .is_none_or(|segment| segment.is_sealed())
    }

    /// Lets segments without cells go, once nobody reads them: they are used again, or removed.
    pub(super) fn retire(&self) {
        let mut leaving = self.leaving.lock();
        {
            let mut segments = self.segments.write();
            let empty: Vec<u32> = segments
                .values()
                .filter(|segment| segment.is_sealed() && segment.live() == 0)
                .map(|segment| segment.number)
                .collect();
            leaving.extend(empty.iter().filter_map(|number| segments.remove(number)));
        }
        leaving.retain(|segment| Arc::strong_count(segment) > 1 || self.let_go(segment).is_err());
    }

    fn let_go(&self, segment: &Segment) -> io::Result<()> {
        match self
            .disk
            .remove(&index_path(&self.directory, segment.number))
        {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let path = segment_path(&self.directory, segment.number);
        let mut spares = self.spares.lock();
        if spares.len() < SPARES && segment.bytes >= self.next_bytes.load(Ordering::Relaxed) {
            let spare = self.directory.join(format!("spare-{:08x}", segment.number));
            self.disk.rename(&path, &spare)?;
            spares.push((spare, segment.bytes));
            return Ok(());
        }
        self.disk.remove(&path)
    }
}

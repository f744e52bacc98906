//! Writing groups of records.

use super::{
    AccountId, GROUP_BYTES_MAX, Log, Millis, Serial,
    index::{LaneCells, Place},
    keep::{Full, Keeper},
    record::{Kind, Record},
    segment::{Entry, Header, RECORDS_FROM, Segment, fill, segment_path},
    until,
    upkeep::Moving,
};
use crate::store::StoreError;
use bytes::Bytes;
use rand_core::{OsRng, RngCore};
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io, mem,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};
use ume_wire::auth::Hash;

/// What one group writes.
#[derive(Debug, Default)]
pub(in crate::store) struct Group {
    items: Vec<Item>,
    bytes: usize,
    written: u32,
}

#[derive(Debug)]
struct Item {
    record: Record,
    cell: Bytes,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Append(AccountId),
    Trim,
    /// From there.
    Move(Place),
}

impl Group {
    pub(in crate::store) fn new(now: Millis) -> Self {
        Self {
            written: until(now, 0),
            ..Self::default()
        }
    }

    /// A new cell.
    pub(in crate::store) fn append(
        &mut self,
        lane: (Serial, AccountId),
        number: u64,
        hash: Hash,
        cell: Bytes,
        ttl: (Millis, u32),
    ) {
        let record = Record {
            kind: Kind::Cell,
            serial: lane.0,
            number,
            until: until(ttl.0, ttl.1),
            group: 0,
            hash,
        };
        self.push(record, cell, What::Append(lane.1));
    }

    /// Everything before a number was taken.
    pub(in crate::store) fn trim(&mut self, serial: Serial, first: u64) {
        let record = Record {
            kind: Kind::Trim,
            serial,
            number: first,
            until: 0,
            group: 0,
            hash: [0; 32],
        };
        self.push(record, Bytes::new(), What::Trim);
    }

    /// A cell that is to stand somewhere else.
    pub(super) fn relocate(&mut self, record: Record, cell: Bytes, from: Place) {
        self.push(record, cell, What::Move(from));
    }

    /// Leaves out what belongs to a lane that is deleted after all.
    pub(in crate::store) fn forget(&mut self, serial: Serial) {
        self.items.retain(|item| item.record.serial != serial);
    }

    pub(in crate::store) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    fn push(&mut self, record: Record, cell: Bytes, what: What) {
        self.bytes += record.bytes();
        self.items.push(Item { record, cell, what });
    }
}

/// The segment that is written.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) segment: Arc<Segment>,
    /// Up to there it is durable.
    pub(super) end: u32,
    pub(super) entries: Vec<Entry>,
    /// Lanes whose trims are in it.
    pub(super) trimmed: Vec<Serial>,
}

/// Whoever may write. There is one.
#[derive(Debug)]
pub(in crate::store) struct LogWriter {
    pub(super) log: Arc<Log>,
    pub(super) keeper: Keeper,
    pub(super) active: Option<Active>,
    /// Number and end of the segment before the next one.
    pub(super) before: (u32, u32),
    pub(super) next_number: u32,
    /// When lanes' oldest cells are over.
    pub(super) waiting: BinaryHeap<Reverse<(u32, Serial)>>,
    pub(super) moving: Option<Moving>,
    pub(super) buffer: Vec<u8>,
    /// Nothing is tried again before somebody asks for it, lest every attempt takes a segment.
    pub(super) failed: bool,
}

impl LogWriter {
    /// Writes a group. Once this returns `Ok`, it is durable, and readers find it.
    pub(in crate::store) fn commit(&mut self, group: &Group) -> Result<(), StoreError> {
        if group.is_empty() {
            return Ok(());
        }
        if self.failed {
            return Err(StoreError::Closed);
        }
        let bytes = u32::try_from(group.bytes).unwrap_or(u32::MAX);
        if bytes > GROUP_BYTES_MAX.min(self.log.segment_bytes.1 - RECORDS_FROM) {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge).into());
        }
        let is_full = |active: &Active| active.segment.bytes - active.end < bytes;
        if self.active.as_ref().is_none_or(is_full)
            && let Err(error) = self.roll(bytes)
        {
            // A header that says where the records end may be on disk: nothing may follow them there.
            self.abandon();
            return Err(error.into());
        }
        let Some(active) = &mut self.active else {
            return Err(StoreError::Closed);
        };
        let (segment, start) = (active.segment.clone(), active.end);
        self.buffer.clear();
        for item in &group.items {
            let record = Record {
                group: start,
                ..item.record
            };
            record.encode(&item.cell, segment.salt, &mut self.buffer);
        }
        let written = segment
            .file
            .write_all_at(&self.buffer, u64::from(start))
            .and_then(|()| segment.file.sync());
        if let Err(error) = written {
            self.abandon();
            return Err(error.into());
        }
        active.end = start + bytes;
        self.publish(group, &segment, start);
        Ok(())
    }

    /// Writes again after a failure.
    pub(in crate::store) fn reopen(&mut self) {
        self.failed = false;
    }

    /// Nothing behind the last good flush counts any more, and nothing is written to this file again.
    fn abandon(&mut self) {
        self.failed = true;
        let Some(active) = self.active.take() else {
            return;
        };
        if active.end > RECORDS_FROM {
            self.before = (active.segment.number, active.end);
            self.keeper.seal(active.into());
            return;
        }
        // Without anything good in it, it only takes room.
        let number = active.segment.number;
        self.log.segments.write().remove(&number);
        let _ = self
            .log
            .disk
            .remove(&segment_path(&self.log.directory, number));
    }

    /// Begins another segment, and hands the full one to the keeper.
    fn roll(&mut self, bytes: u32) -> io::Result<()> {
        if let Some(active) = &self.active {
            self.before = (active.segment.number, active.end);
        }
        // A number is not tried twice: whatever a failed attempt has left is behind.
        let number = self.next_number;
        self.next_number += 1;
        let header = Header {
            number,
            salt: OsRng.next_u32(),
            before: self.before.0,
            before_end: self.before.1,
        };
        let segment = Arc::new(self.log.begin_segment(header, bytes)?);
        self.log.segments.write().insert(number, segment.clone());
        let fresh = Active {
            segment,
            end: RECORDS_FROM,
            entries: Vec::new(),
            trimmed: Vec::new(),
        };
        if let Some(full) = self.active.replace(fresh) {
            self.keeper.seal(full.into());
        }
        self.keeper.spare();
        Ok(())
    }

    /// Puts a durable group into the index.
    fn publish(&mut self, group: &Group, segment: &Segment, start: u32) {
        let Some(active) = &mut self.active else {
            return;
        };
        let (log, mut offset) = (&self.log, start);
        for item in &group.items {
            let record = &item.record;
            let place = Place {
                segment: segment.number,
                offset,
                until: record.until,
                fingerprint: log.index.fingerprint(&record.hash),
            };
            offset += u32::try_from(record.bytes()).unwrap_or(0);
            let serial = record.serial;
            let mut shard = log.index.shard(serial).write();
            match item.what {
                What::Append(account) => {
                    let lane = shard.lane_or(serial, || LaneCells::new(record.number, account));
                    lane.touched = segment.number;
                    lane.written = group.written;
                    if !mem::replace(&mut lane.waits, true) {
                        self.waiting.push(Reverse((record.until, serial)));
                    }
                    shard.put(serial, record.number, place);
                    drop(shard);
                    log.count(segment, account);
                    active.entries.push(entry(record, place));
                }
                What::Trim => {
                    let mut gone = Vec::new();
                    while shard
                        .lane(serial)
                        .is_some_and(|lane| lane.first < record.number)
                    {
                        let Some(place) = shard.pop(serial) else {
                            break;
                        };
                        gone.push(place);
                    }
                    let account = shard.lane_mut(serial).map_or(0, |lane| {
                        lane.touched = segment.number;
                        lane.account
                    });
                    drop(shard);
                    for place in gone {
                        log.release(place, account);
                    }
                    active.trimmed.push(serial);
                }
                What::Move(from) => {
                    let Some(lane) = shard.lane_mut(serial) else {
                        continue;
                    };
                    if lane.place(record.number) != Some(from) {
                        continue;
                    }
                    let account = lane.account;
                    shard.put(serial, record.number, place);
                    drop(shard);
                    log.count(segment, account);
                    log.release(from, account);
                    active.entries.push(entry(record, place));
                }
            }
        }
    }
}

fn entry(record: &Record, place: Place) -> Entry {
    Entry {
        serial: record.serial,
        number: record.number,
        until: place.until,
        fingerprint: place.fingerprint,
        offset: place.offset,
    }
}

impl From<Active> for Full {
    fn from(active: Active) -> Self {
        Self {
            segment: active.segment,
            end: active.end,
            entries: active.entries,
            trimmed: active.trimmed,
        }
    }
}

impl Log {
    /// Makes a file into a segment, durably.
    fn begin_segment(&self, header: Header, group: u32) -> io::Result<Segment> {
        let path = segment_path(&self.directory, header.number);
        let least = group + RECORDS_FROM;
        let spare = {
            let mut spares = self.spares.lock();
            let fits = spares.iter().position(|(_, bytes)| *bytes >= least);
            fits.map(|index| spares.swap_remove(index))
        };
        let (aside, bytes) = match spare {
            Some(spare) => spare,
            None => self.make_spare(least)?,
        };
        let begin = || {
            let file = self.disk.open(&aside)?;
            file.write_all_at(&header.encode(), 0)?;
            file.sync()?;
            self.disk.rename(&aside, &path)?;
            self.disk.sync_directory(&self.directory)?;
            Ok(file)
        };
        let file: io::Result<_> = begin();
        if file.is_err() {
            // Under one name or the other.
            let _ = self.disk.remove(&aside);
            let _ = self.disk.remove(&path);
        }
        self.grow(bytes);
        Ok(Segment {
            number: header.number,
            salt: header.salt,
            file: file?,
            bytes,
            live: AtomicU32::new(0),
            sealed: AtomicBool::new(false),
        })
    }

    /// A file for the next segment, full of zeros, with its size: at least so many bytes.
    pub(super) fn make_spare(&self, least: u32) -> io::Result<(PathBuf, u32)> {
        let bytes = self.next_segment_bytes(least)?;
        // Writer and keeper may both be at it.
        let name = OsRng.next_u64();
        let aside = self.directory.join(format!("filling-{name:016x}"));
        let path = self.directory.join(format!("spare-{name:016x}"));
        // Under its name only once it is whole.
        let made = fill(&*self.disk, &aside, bytes).and_then(|_| self.disk.rename(&aside, &path));
        if let Err(error) = made {
            let _ = self.disk.remove(&aside);
            return Err(error);
        }
        Ok((path, bytes))
    }

    /// As many bytes as the next segment is to have, or fewer where the disk has little room left: what takes room away
    /// has to be written somewhere too.
    fn next_segment_bytes(&self, least: u32) -> io::Result<u32> {
        let (fewest, most) = self.segment_bytes;
        let least = least.checked_next_power_of_two().unwrap_or(least);
        let least = least.clamp(fewest, most);
        let room = self.free()?;
        let mut bytes = self.next_bytes.load(Ordering::Relaxed).clamp(least, most);
        while bytes / 2 >= least && u64::from(bytes) > room {
            bytes /= 2;
        }
        Ok(bytes)
    }

    /// Room on the disk beyond what is kept free.
    pub(super) fn free(&self) -> io::Result<u64> {
        let free = self.disk.free(&self.directory)?;
        Ok(free.saturating_sub(self.reserve_bytes))
    }

    /// After a segment of so many bytes the next one is larger.
    pub(super) fn grow(&self, bytes: u32) {
        let next = bytes.saturating_mul(2).min(self.segment_bytes.1);
        self.next_bytes.fetch_max(next, Ordering::Relaxed);
    }
}

impl Segment {
    /// Puts zeros where a crash may have left parts of a group that was never acknowledged.
    pub(super) fn wipe(&self, end: u32) -> io::Result<()> {
        let upto = end.saturating_add(GROUP_BYTES_MAX).min(self.bytes);
        let length = usize::try_from(upto - end).map_err(io::Error::other)?;
        let mut there = vec![0; length];
        self.file.read_exact_at(&mut there, u64::from(end))?;
        if there.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        there.fill(0);
        self.file.write_all_at(&there, u64::from(end))?;
        self.file.sync()
    }
}

//! The log: cells of logs and queues, in segments that are written from front to back and used again.
//!
//! A group of records is one write and one `fdatasync`; only then it is in the index, where readers find it, and may be
//! acknowledged. Where cells are is known in memory only, and found again when the store is opened: from the index beside
//! each full segment, and by reading the one that was written last.
//!
//! After a write or a flush that failed nothing that was written since the last good one is trusted, wherever it may be:
//! the next group begins another segment, whose header says where the records of the one before end.
//!
//! A segment whose cells are all gone is used again. What its trims said, and how far its lanes were numbered, stands in
//! the tables by then.

mod copy;
mod index;
mod keep;
mod open;
mod read;
mod record;
mod scan;
mod segment;
mod upkeep;
mod write;

pub(super) use index::Standing;
pub(super) use open::{Known, Location, Opened};
#[cfg(test)]
pub(super) use record::CELL_RECORD_BYTES;
#[cfg(test)]
pub(super) use segment::fill as zeros;
pub(super) use upkeep::Spread;
pub(super) use write::{Group, LogWriter};

use super::{AccountId, Millis, disk::Disk};
use index::{Index, Place};
use parking_lot::{Mutex, RwLock};
use segment::Segment;
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};
use ume_wire::{auth::Hash, limits::CELL_BYTES};

pub(super) type Serial = u64;

/// Bytes of segments: each has twice the bytes of the one before, up to the second number. So a small relay takes little
/// room, and a busy one seldom begins a segment.
pub(super) const SEGMENT_BYTES: (u32, u32) = (1 << 20, 64 << 20);
/// Most bytes of one group: what a crash can leave behind the last good one.
pub(super) const GROUP_BYTES_MAX: u32 = 4 << 20;

/// What readers, the writer and the keeper share.
#[derive(Debug)]
pub(super) struct Log {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    /// Bytes of the next segment, and the fewest and most that one may have.
    next_bytes: AtomicU32,
    segment_bytes: (u32, u32),
    reserve_bytes: u64,
    segments: RwLock<BTreeMap<u32, Arc<Segment>>>,
    /// Segments that are empty and wait for their last readers.
    leaving: Mutex<Vec<Arc<Segment>>>,
    /// Files filled with zeros, or used before, for the next segments, with their sizes.
    spares: Mutex<Vec<(PathBuf, u32)>>,
    index: Index,
    cells: AtomicU64,
    accounts: Mutex<HashMap<AccountId, u64>>,
    damaged: AtomicU64,
}

/// Totals of the log.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LogStats {
    pub(super) cells: u64,
    pub(super) segments: u64,
    pub(super) disk_bytes: u64,
    pub(super) damaged: u64,
}

impl Log {
    /// Bytes of live cells.
    pub(super) fn cell_bytes(&self) -> u64 {
        self.cells.load(Ordering::Relaxed) * CELL_BYTES as u64
    }

    /// Bytes of live cells that an account pays for.
    pub(super) fn account_bytes(&self, account: AccountId) -> u64 {
        let cells = self.accounts.lock().get(&account).copied().unwrap_or(0);
        cells * CELL_BYTES as u64
    }

    pub(super) fn stats(&self) -> LogStats {
        let segments = self.segments.read();
        let (leaving, spares) = (self.leaving.lock(), self.spares.lock());
        let in_use = segments.values().chain(leaving.iter());
        let bytes = in_use
            .map(|segment| segment.bytes)
            .chain(spares.iter().map(|(_, bytes)| *bytes));
        LogStats {
            cells: self.cells.load(Ordering::Relaxed),
            segments: segments.len() as u64,
            disk_bytes: bytes.map(u64::from).sum(),
            damaged: self.damaged.load(Ordering::Relaxed),
        }
    }

    /// Where a lane stands, if that is known here.
    pub(super) fn standing(&self, serial: Serial) -> Option<Standing> {
        let shard = self.index.shard(serial).read();
        shard.lane(serial).map(Standing::of)
    }

    /// Number and time of expiry of a live cell with this content.
    pub(super) fn find(
        &self,
        serial: Serial,
        hash: &Hash,
        now: Millis,
    ) -> Result<Option<u64>, std::io::Error> {
        let fingerprint = self.index.fingerprint(hash);
        let candidates = self.index.shard(serial).read().find(serial, fingerprint);
        for (number, place) in candidates {
            if is_live(place.until, now)
                && self
                    .read_record(serial, number, place)?
                    .is_some_and(|(record, _)| record.hash == *hash)
            {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// Takes all lanes out but these.
    pub(super) fn keep_lanes(&self, keeps: impl Fn(Serial) -> bool) {
        for shard in self.index.shards() {
            let gone: Vec<Serial> = shard
                .read()
                .serials()
                .filter(|serial| !keeps(*serial))
                .collect();
            for serial in gone {
                self.remove_lane(serial);
            }
        }
    }

    /// Takes a deleted lane out, with all its cells.
    pub(super) fn remove_lane(&self, serial: Serial) {
        let removed = self.index.shard(serial).write().remove(serial);
        if let Some(lane) = removed {
            for place in lane.places.iter().filter(|place| place.is_somewhere()) {
                self.release(*place, lane.account);
            }
        }
    }

    /// Counts a cell that is gone.
    fn release(&self, place: Place, account: AccountId) {
        if !place.is_somewhere() {
            return;
        }
        if let Some(segment) = self.segments.read().get(&place.segment) {
            segment.live.fetch_sub(1, Ordering::Relaxed);
        }
        self.cells.fetch_sub(1, Ordering::Relaxed);
        if account != 0
            && let Some(cells) = self.accounts.lock().get_mut(&account)
        {
            *cells = cells.saturating_sub(1);
        }
    }

    /// Counts a cell that is new.
    fn count(&self, segment: &Segment, account: AccountId) {
        segment.live.fetch_add(1, Ordering::Relaxed);
        self.cells.fetch_add(1, Ordering::Relaxed);
        if account != 0 {
            *self.accounts.lock().entry(account).or_default() += 1;
        }
    }
}

/// Whether something with this time of expiry is still there.
fn is_live(until: u32, now: Millis) -> bool {
    u64::from(until) * 1000 > now
}

/// The second in which something is over that was written now.
fn until(now: Millis, ttl_seconds: u32) -> u32 {
    let end = now.div_ceil(1000).saturating_add(u64::from(ttl_seconds));
    u32::try_from(end).unwrap_or(u32::MAX)
}

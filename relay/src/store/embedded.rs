//! The store in one directory: cells of logs and queues in a log of segments, everything else in one file of redb.
//!
//! | table | key | value |
//! |---|---|---|
//! | lanes | lane | `LaneRow` |
//! | positions | serial | oldest kept number, next number, time of the last write, account |
//! | slots | serial, slot | `Promise`: what was promised and accepted |
//! | values | serial, slot | time of expiry and account, 8 bytes each; cells |
//! | blobs | id | cells |
//! | holds | id, account | time until which that account wants the blob |
//! | expiry | time, what, id or serial, number or account | nothing |
//! | graves | serial | account: a deleted lane whose rows are still to be removed |
//! | accounts | account | [`Account`] |
//! | usage | account | bytes in the tables and lanes that it pays for |
//! | devices | id | `DeviceRow`: where a device is woken, and what it watches |
//! | watchers | lane, device | nothing |
//! | numbers | name | 8 bytes |
//!
//! Every lane has a serial that no other ever gets, and what belongs to a lane is filed under it: a deleted lane is gone
//! at once, and one that is made again under the same id has nothing to do with it.
//!
//! A group that changes tables commits them first and then writes to the log; a group of cells alone does not touch them.

mod accounts;
mod apply;
mod backup;
mod blobs;
mod cells;
mod devices;
mod expire;
mod lanes;
mod read;
mod rows;
mod tables;
#[cfg(test)]
mod tests;

use super::{
    Account, AccountId, BlobPart, Cells, Device, DeviceId, Lane, Millis, Stats, Stopping, Store,
    StoreError, Usage, Values, Write,
    disk::{Disk, FileSystem},
    log::{Known, Location, Log, LogWriter, Opened, SEGMENT_BYTES, Serial, Spread, Standing},
};
use crate::{config::Limits, refusal::Refusal, slot::SlotState, store::Outcome};
use accounts::Accounts;
use apply::{Applying, Changes, Members};
use cells::CellWrites;
use hashbrown::HashMap;
use lanes::LaneCache;
use parking_lot::{Mutex, RwLock};
use redb::{ReadableTable, ReadableTableMetadata};
use rows::{DEVICES, LANES, NUMBERS, POSITIONS, Position};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tables::Tables;
use ume_wire::auth::{Hash, LaneId};

const FILE: &str = "relay.redb";
const LOG: &str = "log";
/// Cells that are moved in one slice of upkeep.
const MOVE_MAX: usize = 256;
/// Rows that are removed in one slice when all upkeep is done at once.
const GC_ROWS: usize = 1024;

/// The store in one directory.
pub(crate) struct EmbeddedStore {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    limits: Limits,
    tables: Arc<Tables>,
    log: Arc<Log>,
    /// Whoever holds this is the one that writes.
    writer: Mutex<LogWriter>,
    members: Members,
    lanes: LaneCache,
    accounts: RwLock<Accounts>,
    /// Bytes in the tables.
    stored: AtomicU64,
}

impl EmbeddedStore {
    /// Opens the store in a directory, or makes one.
    pub(crate) fn open(directory: &Path, limits: Limits) -> Result<Self, StoreError> {
        Self::open_on(Arc::new(FileSystem), directory, limits, SEGMENT_BYTES)
    }

    /// As [`EmbeddedStore::open`], with files of another kind or size.
    pub(super) fn open_on(
        disk: Arc<dyn Disk>,
        directory: &Path,
        limits: Limits,
        segment_bytes: (u32, u32),
    ) -> Result<Self, StoreError> {
        let tables = Tables::open(disk.clone(), directory.join(FILE), limits.cache_bytes)?;
        let tables = Arc::new(tables);
        let location = Location {
            disk: disk.clone(),
            directory: directory.join(LOG),
            segment_bytes,
            reserve_bytes: limits.disk_reserve_bytes,
            secret: tables.secret()?,
        };
        let recorder = {
            let tables = tables.clone();
            Box::new(move |standings: &[(Serial, Standing)]| record(&tables, standings))
        };
        let opened = Opened::open(location, &known(&tables)?, recorder)?;
        let (accounts, stored) = read_totals(&tables)?;
        Ok(Self {
            disk,
            directory: directory.to_path_buf(),
            limits,
            tables,
            log: opened.log,
            writer: Mutex::new(opened.writer),
            members: Members::default(),
            lanes: LaneCache::default(),
            accounts: RwLock::new(accounts),
            stored: AtomicU64::new(stored),
        })
    }

    /// Applies a group of which some change tables.
    fn apply_tables(
        &self,
        writes: &[Write],
        cells: &mut CellWrites<'_>,
        bounds: (Millis, u64),
    ) -> Result<Vec<Outcome>, StoreError> {
        let (outcomes, changes) = self.tables.write(|transaction| {
            let mut applying =
                Applying::begin(transaction, &self.limits, &self.members, &self.log, bounds)?;
            let mut outcomes = Vec::with_capacity(writes.len());
            for write in writes {
                outcomes.push(self.apply_one(write, Some(&mut applying), cells)?);
            }
            Ok((outcomes, applying.finish()?))
        })?;
        self.take_over(changes)?;
        Ok(outcomes)
    }

    /// Makes known what a durable transaction has changed.
    fn take_over(&self, changes: Changes) -> Result<(), StoreError> {
        self.stored.store(changes.stored, Ordering::Relaxed);
        if !changes.lanes.is_empty() {
            self.lanes.forget(&changes.lanes);
        }
        for serial in changes.gone {
            self.log.remove_lane(serial);
        }
        if changes.accounts {
            *self.accounts.write() = self.tables.read(Accounts::read)?;
        } else if !changes.usage.is_empty() {
            self.accounts.write().set_usage(changes.usage);
        }
        Ok(())
    }

    /// Writes a copy of one moment.
    fn copy_to(&self, to: &Path, stopping: Stopping<'_>) -> Result<(), StoreError> {
        let (transaction, snapshot) = {
            // Both of one moment: nobody writes meanwhile.
            let writer = self.writer.lock();
            (self.tables.begin_read()?, writer.snapshot())
        };
        backup::copy_tables(&transaction, &to.join(FILE), stopping)?;
        snapshot.write(&to.join(LOG), stopping)?;
        Ok(fs::File::open(to)?.sync_all()?)
    }

    /// Takes from the tables what is otherwise kept beside them: a commit that failed may have been done all the same.
    fn learn_again(&self) -> Result<(), StoreError> {
        let known = known(&self.tables)?;
        self.log.keep_lanes(|serial| known.contains_key(&serial));
        let (accounts, stored) = read_totals(&self.tables)?;
        *self.accounts.write() = accounts;
        self.stored.store(stored, Ordering::Relaxed);
        self.lanes.clear();
        Ok(())
    }

    /// Applies one write, or refuses it without a trace. Without tables it is one of cells alone.
    fn apply_one(
        &self,
        write: &Write,
        tables: Option<&mut Applying<'_>>,
        cells: &mut CellWrites<'_>,
    ) -> Result<Outcome, StoreError> {
        match (write, tables) {
            (Write::Append { lane, hash, cell }, tables) => {
                let tables = tables.as_deref();
                let Some(lane) = self.current_lane(lane, tables)? else {
                    return Ok(Refusal::DENIED.into());
                };
                let beside = self.beside(lane.account, tables);
                let position = || self.position(lane.serial, tables);
                cells.append(&lane, (hash, cell), beside, position)
            }
            (Write::Acknowledge { lane, upto }, tables) => {
                let tables = tables.as_deref();
                let Some(lane) = self.current_lane(lane, tables)? else {
                    return Ok(Refusal::DENIED.into());
                };
                let position = || self.position(lane.serial, tables);
                cells.acknowledge(lane.serial, *upto, position)
            }
            (write, Some(tables)) => {
                tables.beside = cells.stored();
                let gone = tables.changes.gone.len();
                let outcome = tables.write(write)?;
                for serial in &tables.changes.gone[gone..] {
                    cells.forget(*serial);
                }
                Ok(outcome)
            }
            (_, None) => Ok(Refusal::UNKNOWN.into()),
        }
    }

    /// A lane as the writes before have left it.
    fn current_lane(
        &self,
        lane: &LaneId,
        tables: Option<&Applying<'_>>,
    ) -> Result<Option<Arc<Lane>>, StoreError> {
        match tables {
            Some(tables) if tables.changes.lanes.contains(lane) => {
                Ok(tables.lane(lane)?.map(Arc::new))
            }
            _ => self.lane(lane),
        }
    }

    /// Where a lane stands that the log does not know.
    fn position(
        &self,
        serial: Serial,
        tables: Option<&Applying<'_>>,
    ) -> Result<Standing, StoreError> {
        let position = match tables {
            Some(tables) => tables.position(serial)?,
            None => self
                .tables
                .read(|transaction| read::position(transaction, serial))?
                .ok_or(StoreError::Damaged)?,
        };
        Ok(Standing {
            first: position.end,
            end: position.end,
            written: 0,
        })
    }

    /// What is stored beside cells: in all, and of an account with what it may have at most.
    fn beside(
        &self,
        account: Option<AccountId>,
        tables: Option<&Applying<'_>>,
    ) -> (u64, Option<(u64, u64)>) {
        let stored = tables.map_or(self.stored.load(Ordering::Relaxed), |tables| {
            tables.changes.stored
        });
        let of_account = account.map(|account| {
            let accounts = self.accounts.read();
            (accounts.usage(account).bytes, accounts.bytes_max(account))
        });
        (stored, of_account)
    }

    fn serial(&self, lane: &LaneId) -> Result<Option<Serial>, StoreError> {
        Ok(self.lane(lane)?.map(|lane| lane.serial))
    }

    /// A slice of upkeep under the writer's lock.
    fn upkeep(&self, now: Millis, max: usize, spread: Spread) -> Result<bool, StoreError> {
        let mut writer = self.writer.lock();
        if self.tables.has_failed() {
            return Err(StoreError::Closed);
        }
        let mut more = writer.expire(now, max);
        if self
            .tables
            .read(|transaction| expire::is_due(transaction, now))?
        {
            let (more_rows, changes) = self.tables.write(|transaction| {
                let bounds = (now, self.limits.store_bytes);
                let mut applying =
                    Applying::begin(transaction, &self.limits, &self.members, &self.log, bounds)?;
                let more = expire::expire(&mut applying, &self.log, max)?;
                Ok((more, applying.finish()?))
            })?;
            self.take_over(changes)?;
            more |= more_rows;
        }
        Ok(writer.tidy(now, max.min(MOVE_MAX), spread)? || more)
    }
}

impl Store for EmbeddedStore {
    fn apply(&self, now: Millis, group: &[Write]) -> Result<Vec<Outcome>, StoreError> {
        let mut writer = self.writer.lock();
        if self.tables.has_failed() {
            return Err(StoreError::Closed);
        }
        // What takes room away is done as long as the system lets it be written.
        let bytes_max = if self.is_short() {
            0
        } else {
            self.limits.store_bytes
        };
        let bounds = (now, bytes_max);
        let mut cells = CellWrites::new(&self.log, &self.limits, bounds);
        let cells_alone = group
            .iter()
            .all(|write| matches!(write, Write::Append { .. } | Write::Acknowledge { .. }));
        let outcomes = if cells_alone {
            let outcomes = group
                .iter()
                .map(|write| self.apply_one(write, None, &mut cells));
            outcomes.collect::<Result<_, _>>()?
        } else {
            self.apply_tables(group, &mut cells, bounds)?
        };
        writer.commit(&cells.group)?;
        Ok(outcomes)
    }

    fn expire(&self, now: Millis, max: usize) -> Result<bool, StoreError> {
        self.upkeep(now, max, Spread::Usual)
    }

    fn reopen(&self) -> Result<(), StoreError> {
        let mut writer = self.writer.lock();
        if self.tables.has_failed() {
            self.tables.reopen()?;
            self.learn_again()?;
            self.tables.trust();
        }
        writer.reopen();
        Ok(())
    }

    fn lane(&self, lane: &LaneId) -> Result<Option<Arc<Lane>>, StoreError> {
        let seen = match self.lanes.get(lane) {
            Ok(known) => return Ok(Some(known)),
            Err(seen) => seen,
        };
        let found = self
            .tables
            .read(|transaction| read::lane(transaction, lane))?;
        let found = found.map(Arc::new);
        if let Some(found) = &found {
            self.lanes.put(*lane, found, seen);
        }
        Ok(found)
    }

    fn cells(
        &self,
        now: Millis,
        lane: &LaneId,
        from: u64,
        upto: u64,
        max: usize,
    ) -> Result<Cells, StoreError> {
        let Some(serial) = self.serial(lane)? else {
            return Ok(Cells::empty(1, from, upto));
        };
        match self.log.cells(now, serial, &(from..upto), max)? {
            Some(cells) => Ok(cells),
            None => Ok(Cells::empty(self.end(lane)?, from, upto)),
        }
    }

    fn values(
        &self,
        now: Millis,
        lane: &LaneId,
        from: u64,
        upto: u64,
        max_cells: usize,
    ) -> Result<Values, StoreError> {
        let Some(serial) = self.serial(lane)? else {
            return Ok(Values {
                items: Vec::new(),
                first: 1,
                next: 1,
                end: 1,
            });
        };
        self.tables
            .read(|transaction| read::values(transaction, now, serial, from..upto, max_cells))
    }

    fn end(&self, lane: &LaneId) -> Result<u64, StoreError> {
        let Some(serial) = self.serial(lane)? else {
            return Ok(1);
        };
        if let Some(standing) = self.log.standing(serial) {
            return Ok(standing.end);
        }
        let position = self
            .tables
            .read(|transaction| read::position(transaction, serial))?;
        Ok(position.map_or(1, |position| position.end))
    }

    fn slot(&self, lane: &LaneId, slot: u64) -> Result<SlotState, StoreError> {
        match self.serial(lane)? {
            Some(serial) => self
                .tables
                .read(|transaction| read::slot(transaction, serial, slot)),
            None => Ok(SlotState::default()),
        }
    }

    fn blob(
        &self,
        now: Millis,
        id: &Hash,
        from: usize,
        max: usize,
    ) -> Result<Option<BlobPart>, StoreError> {
        self.tables
            .read(|transaction| read::blob(transaction, now, id, from, max))
    }

    fn blob_cells(&self, now: Millis, id: &Hash) -> Result<Option<usize>, StoreError> {
        self.tables
            .read(|transaction| read::blob_cells(transaction, now, id))
    }

    fn account(&self, key_hash: &Hash) -> Option<(AccountId, Account)> {
        self.accounts.read().by_key(key_hash)
    }

    fn accounts(&self) -> Result<Vec<(AccountId, Account, Usage)>, StoreError> {
        let accounts = self.accounts.read();
        let with_usage = |(id, account): (AccountId, &Account)| {
            let mut usage = accounts.usage(id);
            usage.bytes += self.log.account_bytes(id);
            (id, account.clone(), usage)
        };
        Ok(accounts.iter().map(with_usage).collect())
    }

    fn device(&self, id: &DeviceId) -> Result<Option<Device>, StoreError> {
        self.tables
            .read(|transaction| devices::device(transaction, id))
    }

    fn watchers(&self, lanes: &[LaneId]) -> Result<Vec<(usize, DeviceId)>, StoreError> {
        self.tables
            .read(|transaction| devices::watchers(transaction, lanes))
    }

    fn stats(&self) -> Result<Stats, StoreError> {
        let log = self.log.stats();
        let (lanes, devices) = self.tables.read(|transaction| {
            let lanes = transaction.open_table(LANES)?.len()?;
            Ok((lanes, transaction.open_table(DEVICES)?.len()?))
        })?;
        Ok(Stats {
            lanes,
            devices,
            cells: log.cells,
            bytes: self.stored.load(Ordering::Relaxed) + self.log.cell_bytes(),
            segments: log.segments,
            disk_bytes: log.disk_bytes + fs::metadata(&self.tables.path)?.len(),
            free_bytes: self.disk.free(&self.directory)?,
            damaged: log.damaged,
        })
    }

    fn is_short(&self) -> bool {
        // If that cannot be told, writing will tell.
        let free = self.disk.free(&self.directory);
        free.is_ok_and(|free| free < self.limits.disk_reserve_bytes)
    }

    fn gc(&self, now: Millis, stopping: Stopping<'_>) -> Result<(), StoreError> {
        while self.upkeep(now, GC_ROWS, Spread::Least)? {
            if stopping() {
                return Err(StoreError::Stopped);
            }
        }
        Ok(())
    }

    fn backup(&self, to: &Path, stopping: Stopping<'_>) -> Result<(), StoreError> {
        backup::make_empty(to)?;
        let copied = self.copy_to(to, stopping);
        if copied.is_err() {
            backup::make_empty_again(to)?;
        }
        copied
    }
}

impl Cells {
    /// Of a lane without any cells.
    fn empty(end: u64, from: u64, upto: u64) -> Self {
        let upto = upto.min(end);
        Self {
            items: Vec::new(),
            first: upto,
            next: upto.max(from.min(upto)),
            end,
        }
    }
}

/// Accounts, and bytes in the tables.
fn read_totals(tables: &Tables) -> Result<(Accounts, u64), StoreError> {
    tables.read(|transaction| {
        let stored = transaction.open_table(NUMBERS)?.get("stored")?;
        let stored = stored.map_or(0, |row| row.value());
        Ok((Accounts::read(transaction)?, stored))
    })
}

/// Where all lanes stand as the tables know it.
fn known(tables: &Tables) -> Result<HashMap<Serial, Known>, StoreError> {
    tables.read(|transaction| {
        let positions = transaction.open_table(POSITIONS)?;
        let count = usize::try_from(positions.len()?).unwrap_or(0);
        let mut known = HashMap::with_capacity(count);
        for row in positions.iter()? {
            let (serial, row) = row?;
            let position = Position::from(row.value());
            let lane = Known {
                first: position.first,
                end: position.end,
                account: position.account,
            };
            known.insert(serial.value(), lane);
        }
        Ok(known)
    })
}

/// Notes where lanes stand, so that the segments that say so need not be kept.
fn record(tables: &Tables, standings: &[(Serial, Standing)]) -> Result<(), StoreError> {
    if standings.is_empty() {
        return Ok(());
    }
    tables.write(|transaction| {
        let mut positions = transaction.open_table(POSITIONS)?;
        for (serial, standing) in standings {
            let row = positions.get(serial)?.map(|row| row.value());
            // Deleted meanwhile.
            let Some(row) = row else { continue };
            let mut position = Position::from(row);
            position.first = position.first.max(standing.first);
            position.end = position.end.max(standing.end);
            let written = Millis::from(standing.written) * 1000;
            position.written = position.written.max(written);
            positions.insert(*serial, position.row())?;
        }
        Ok(())
    })
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

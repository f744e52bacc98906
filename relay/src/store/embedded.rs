//! The store in one file of redb.
//!
//! | table | key | value |
//! |---|---|---|
//! | lanes | lane | `LaneNew` |
//! | ends | lane | next number, 8 bytes |
//! | cells | lane, number | time of expiry, 8 bytes; cell |
//! | hashes | lane, SHA-256 of a cell | its number, 8 bytes |
//! | slots | lane, slot | `Promise`: what was promised and accepted |
//! | values | lane, slot | time of expiry, 8 bytes; cells |
//! | blobs | id | time of expiry, 8 bytes; cells |
//! | expiry | time, what, id, number | nothing |
//! | graves | lane | nothing: a deleted lane whose rows are still to be removed |
//! | numbers | name | 8 bytes |
//!
//! Numbers in keys are big endian, so that they sort. A lane with cells has one row in `expiry`, for its oldest cell: the
//! others of a lane expire after it, because all have the same time to live.

mod apply;
mod expire;
mod read;
#[cfg(test)]
mod tests;

use super::{BlobPart, Millis, Store, StoreError, Write};
use crate::{config::Limits, refusal::Refusal, slot::SlotState, store::Outcome};
use parking_lot::{Mutex, RwLock};
use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, Table, TableDefinition,
    WriteTransaction,
};
use std::{collections::HashMap, path::Path, path::PathBuf, time::Instant};
use ume_wire::{
    auth::{Hash, LaneId},
    relay::LaneNew,
};

type Numbered = [u8; 40];
type Hashed = [u8; 64];
type Expiry = [u8; 49];

const LANES: TableDefinition<'static, &[u8; 32], &[u8]> = TableDefinition::new("lanes");
const ENDS: TableDefinition<'static, &[u8; 32], u64> = TableDefinition::new("ends");
const CELLS: TableDefinition<'static, &Numbered, &[u8]> = TableDefinition::new("cells");
const HASHES: TableDefinition<'static, &Hashed, u64> = TableDefinition::new("hashes");
const SLOTS: TableDefinition<'static, &Numbered, &[u8]> = TableDefinition::new("slots");
const VALUES: TableDefinition<'static, &Numbered, &[u8]> = TableDefinition::new("values");
const BLOBS: TableDefinition<'static, &[u8; 32], &[u8]> = TableDefinition::new("blobs");
const EXPIRY: TableDefinition<'static, &Expiry, ()> = TableDefinition::new("expiry");
const GRAVES: TableDefinition<'static, &[u8; 32], ()> = TableDefinition::new("graves");
const NUMBERS: TableDefinition<'static, &str, u64> = TableDefinition::new("numbers");

const FORMAT: u64 = 1;
const FILE: &str = "relay.redb";
/// Bytes of the time in front of cells, values and blobs.
const TIME_BYTES: usize = 8;

/// A lane's row in `expiry` stands for its oldest cell.
const EXPIRES_CELL: u8 = 1;
const EXPIRES_VALUE: u8 = 2;
const EXPIRES_BLOB: u8 = 3;

/// The store in one file.
pub(crate) struct EmbeddedStore {
    path: PathBuf,
    limits: Limits,
    /// `None` after a failure, until [`Store::reopen`] succeeds.
    database: RwLock<Option<Database>>,
    /// Who asked last for a promise among the members of a lane: slot and time. Lost at a restart, which is harmless.
    members: Mutex<HashMap<LaneId, (u64, Instant)>>,
}

impl EmbeddedStore {
    /// Opens the store in a directory, or makes one.
    pub(crate) fn open(directory: &Path, limits: Limits) -> Result<Self, StoreError> {
        let path = directory.join(FILE);
        let database = open(&path, limits.cache_bytes)?;
        Ok(Self {
            path,
            limits,
            database: RwLock::new(Some(database)),
            members: Mutex::default(),
        })
    }

    /// Runs something on a consistent view of the last durable state.
    fn read<T>(
        &self,
        job: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let transaction = match &*self.database.read() {
            Some(database) => database.begin_read()?,
            None => return Err(StoreError::Closed),
        };
        job(&transaction)
    }

    /// Runs something in a transaction, which is durable when this returns `Ok`.
    fn write<T>(
        &self,
        job: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let guard = self.database.read();
        let database = guard.as_ref().ok_or(StoreError::Closed)?;
        let mut transaction = begin(database)?;
        // Dropping the transaction undoes it.
        let result = job(&transaction)?;
        transaction
            .set_durability(redb::Durability::Immediate)
            .map_err(redb::Error::from)?;
        transaction.commit()?;
        Ok(result)
    }
}

impl Store for EmbeddedStore {
    fn apply(&self, now: Millis, writes: &[Write]) -> Result<Vec<Outcome>, StoreError> {
        self.write(|transaction| {
            let mut applying =
                apply::Applying::begin(transaction, &self.limits, &self.members, now)?;
            let outcomes = writes
                .iter()
                .map(|write| applying.write(write))
                .collect::<Result<_, _>>()?;
            applying.finish()?;
            Ok(outcomes)
        })
    }

    fn expire(&self, now: Millis, max: usize) -> Result<bool, StoreError> {
        if !self.read(|transaction| expire::is_due(transaction, now))? {
            return Ok(false);
        }
        self.write(|transaction| expire::expire(transaction, now, max))
    }

    fn reopen(&self) -> Result<(), StoreError> {
        let mut guard = self.database.write();
        // The old one has to let go of the file first.
        *guard = None;
        *guard = Some(open(&self.path, self.limits.cache_bytes)?);
        Ok(())
    }

    fn lane(&self, lane: &LaneId) -> Result<Option<LaneNew>, StoreError> {
        self.read(|transaction| read::lane(transaction, lane))
    }

    fn cells(
        &self,
        now: Millis,
        lane: &LaneId,
        from: u64,
        upto: u64,
        max: usize,
    ) -> Result<super::Cells, StoreError> {
        self.read(|transaction| read::cells(transaction, now, lane, from..upto, max))
    }

    fn values(
        &self,
        now: Millis,
        lane: &LaneId,
        from: u64,
        upto: u64,
        max_cells: usize,
    ) -> Result<super::Values, StoreError> {
        self.read(|transaction| read::values(transaction, now, lane, from..upto, max_cells))
    }

    fn end(&self, lane: &LaneId) -> Result<u64, StoreError> {
        self.read(|transaction| read::end(transaction, lane))
    }

    fn slot(&self, lane: &LaneId, slot: u64) -> Result<SlotState, StoreError> {
        self.read(|transaction| read::slot(transaction, lane, slot))
    }

    fn blob(
        &self,
        now: Millis,
        id: &Hash,
        from: usize,
        max: usize,
    ) -> Result<Option<BlobPart>, StoreError> {
        self.read(|transaction| read::blob(transaction, now, id, from, max))
    }

    fn has_blob(&self, now: Millis, id: &Hash) -> Result<bool, StoreError> {
        self.read(|transaction| read::has_blob(transaction, now, id))
    }
}

fn open(path: &Path, cache_bytes: usize) -> Result<Database, StoreError> {
    let database = Database::builder()
        .set_cache_size(cache_bytes)
        .create(path)?;
    let transaction = begin(&database)?;
    {
        let mut numbers = transaction.open_table(NUMBERS)?;
        let format = numbers.get("format")?.map(|value| value.value());
        match format {
            None => {
                numbers.insert("format", FORMAT)?;
            }
            Some(FORMAT) => {}
            Some(other) => return Err(StoreError::Format(other)),
        }
        // Readers find every table from the start.
        transaction.open_table(LANES)?;
        transaction.open_table(ENDS)?;
        transaction.open_table(CELLS)?;
        transaction.open_table(HASHES)?;
        transaction.open_table(SLOTS)?;
        transaction.open_table(VALUES)?;
        transaction.open_table(BLOBS)?;
        transaction.open_table(EXPIRY)?;
        transaction.open_table(GRAVES)?;
    }
    transaction.commit()?;
    Ok(database)
}

fn begin(database: &Database) -> Result<WriteTransaction, StoreError> {
    let mut transaction = database.begin_write()?;
    // Costs a second flush for each commit, and makes opening after a crash take no time whatever the store's size.
    transaction.set_quick_repair(true);
    Ok(transaction)
}

fn numbered(id: &[u8; 32], number: u64) -> Numbered {
    let mut key = [0; 40];
    key[..32].copy_from_slice(id);
    key[32..].copy_from_slice(&number.to_be_bytes());
    key
}

fn number_of(key: &Numbered) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&key[32..]);
    u64::from_be_bytes(number)
}

fn hashed(lane: &LaneId, hash: &Hash) -> Hashed {
    let mut key = [0; 64];
    key[..32].copy_from_slice(lane);
    key[32..].copy_from_slice(hash);
    key
}

fn expiry(time: Millis, what: u8, id: &[u8; 32], number: u64) -> Expiry {
    let mut key = [0; 49];
    key[..8].copy_from_slice(&time.to_be_bytes());
    key[8] = what;
    key[9..41].copy_from_slice(id);
    key[41..].copy_from_slice(&number.to_be_bytes());
    key
}

/// Splits a row into its time of expiry and what follows.
fn timed(row: &[u8]) -> Result<(Millis, &[u8]), StoreError> {
    let (time, rest) = row
        .split_first_chunk::<TIME_BYTES>()
        .ok_or(StoreError::Damaged)?;
    Ok((u64::from_le_bytes(*time), rest))
}

fn with_time<C: AsRef<[u8]>>(time: Millis, cells: &[C]) -> Vec<u8> {
    let length: usize = cells.iter().map(|cell| cell.as_ref().len()).sum();
    let mut row = Vec::with_capacity(TIME_BYTES + length);
    row.extend_from_slice(&time.to_le_bytes());
    for cell in cells {
        row.extend_from_slice(cell.as_ref());
    }
    row
}

/// Takes a cell out, with the number that its hash leads to. Returns the bytes that this frees.
fn remove_cell(
    cells: &mut Table<&'static Numbered, &'static [u8]>,
    hashes: &mut Table<&'static Hashed, u64>,
    lane: &LaneId,
    seq: u64,
) -> Result<u64, StoreError> {
    let Some(row) = cells.remove(&numbered(lane, seq))? else {
        return Ok(0);
    };
    let (_, cell) = timed(row.value())?;
    let key = hashed(lane, &ume_wire::auth::hash(cell));
    // After a cell has expired the same one may have come again under a new number.
    let current = hashes.get(&key)?.map(|value| value.value());
    if current == Some(seq) {
        hashes.remove(&key)?;
    }
    Ok(cell.len() as u64)
}

macro_rules! engine_errors {
    ($($error:ident),*) => {$(
        impl From<redb::$error> for StoreError {
            fn from(error: redb::$error) -> Self {
                Self::Engine(Box::new(error.into()))
            }
        }
    )*};
}
engine_errors!(
    DatabaseError,
    TransactionError,
    TableError,
    StorageError,
    CommitError
);

impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> Self {
        Self::Engine(Box::new(error))
    }
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

//! The file of redb: opening it, reading and writing it.

use super::super::{StoreError, disk::Disk};
use super::rows::{
    ACCOUNTS, BLOBS, DEVICES, EXPIRY, GRAVES, HOLDS, LANES, NUMBERS, POSITIONS, SLOTS, USAGE,
    VALUES, WATCHERS,
};
use parking_lot::RwLock;
use rand_core::{OsRng, RngCore};
use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, WriteTransaction};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

const FORMAT: u64 = 4;
/// The same without devices that are woken by Web Push.
const FORMAT_WITHOUT_DEVICES: u64 = 3;
/// Names under which the parts of the secret are kept.
const SECRET: [&str; 4] = ["secret 0", "secret 1", "secret 2", "secret 3"];

/// The tables.
#[derive(Debug)]
pub(super) struct Tables {
    disk: Arc<dyn Disk>,
    pub(super) path: PathBuf,
    cache_bytes: usize,
    /// `None` after a failure, until [`Tables::reopen`] succeeds.
    database: RwLock<Option<Database>>,
    /// Something has failed: redb wants to be opened again.
    failed: AtomicBool,
}

impl Tables {
    /// Opens them, or makes them.
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        path: PathBuf,
        cache_bytes: usize,
    ) -> Result<Self, StoreError> {
        let database = disk.tables(&path, cache_bytes)?;
        prepare(&database)?;
        Ok(Self {
            disk,
            path,
            cache_bytes,
            database: RwLock::new(Some(database)),
            failed: AtomicBool::new(false),
        })
    }

    /// Whether something has failed. If it was a write, what it has changed is not known.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Opens them again. Until [`Tables::trust`] they count as failed.
    pub(super) fn reopen(&self) -> Result<(), StoreError> {
        let mut guard = self.database.write();
        // The old one has to let go of the file first.
        *guard = None;
        let database = self.disk.tables(&self.path, self.cache_bytes)?;
        prepare(&database)?;
        *guard = Some(database);
        Ok(())
    }

    /// What they hold is known again.
    pub(super) fn trust(&self) {
        self.failed.store(false, Ordering::Release);
    }

    /// A consistent view of the last durable state.
    pub(super) fn begin_read(&self) -> Result<ReadTransaction, StoreError> {
        match &*self.database.read() {
            Some(database) => Ok(database.begin_read()?),
            None => Err(StoreError::Closed),
        }
    }

    /// Runs something on a consistent view of the last durable state.
    pub(super) fn read<T>(
        &self,
        job: impl FnOnce(&ReadTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let result = self.begin_read().and_then(|transaction| job(&transaction));
        // After one failed operation, be it a read, redb refuses all others.
        if matches!(result, Err(StoreError::Engine(_))) {
            self.failed.store(true, Ordering::Release);
        }
        result
    }

    /// Runs something in a transaction, which is durable when this returns `Ok`.
    pub(super) fn write<T>(
        &self,
        job: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let result = self.try_write(job);
        if result.is_err() {
            self.failed.store(true, Ordering::Release);
        }
        result
    }

    fn try_write<T>(
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

    /// Random numbers that were drawn when the store was made.
    pub(super) fn secret(&self) -> Result<[u64; 4], StoreError> {
        self.read(|transaction| {
            let numbers = transaction.open_table(NUMBERS)?;
            let mut secret = [0; 4];
            for (part, name) in secret.iter_mut().zip(SECRET) {
                *part = numbers.get(name)?.ok_or(StoreError::Damaged)?.value();
            }
            Ok(secret)
        })
    }
}

fn prepare(database: &Database) -> Result<(), StoreError> {
    let transaction = begin(database)?;
    {
        let mut numbers = transaction.open_table(NUMBERS)?;
        let format = numbers.get("format")?.map(|value| value.value());
        match format {
            None => {
                numbers.insert("format", FORMAT)?;
                for name in SECRET {
                    numbers.insert(name, OsRng.next_u64())?;
                }
            }
            Some(FORMAT) => {}
            Some(FORMAT_WITHOUT_DEVICES) => {
                numbers.insert("format", FORMAT)?;
            }
            Some(other) => return Err(StoreError::Format(other)),
        }
        // Readers find every table from the start.
        transaction.open_table(LANES)?;
        transaction.open_table(POSITIONS)?;
        transaction.open_table(SLOTS)?;
        transaction.open_table(VALUES)?;
        transaction.open_table(BLOBS)?;
        transaction.open_table(HOLDS)?;
        transaction.open_table(EXPIRY)?;
        transaction.open_table(GRAVES)?;
        transaction.open_table(ACCOUNTS)?;
        transaction.open_table(USAGE)?;
        transaction.open_table(DEVICES)?;
        transaction.open_table(WATCHERS)?;
    }
    transaction.commit()?;
    Ok(())
}

fn begin(database: &Database) -> Result<WriteTransaction, StoreError> {
    let mut transaction = database.begin_write()?;
    // Costs a second flush for each commit, and makes opening after a crash take no time whatever the store's size.
    transaction.set_quick_repair(true);
    Ok(transaction)
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

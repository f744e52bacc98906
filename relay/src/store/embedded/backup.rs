//! A copy of the tables as one transaction sees them.

use super::super::{Stopping, StoreError};
use super::rows::{
    ACCOUNTS, BLOBS, DEVICES, EXPIRY, GRAVES, HOLDS, LANES, NUMBERS, POSITIONS, SLOTS, USAGE,
    VALUES, WATCHERS,
};
use redb::{Database, Key, ReadTransaction, ReadableTable, TableDefinition, Value};
use std::{fs, io, path::Path};

/// Memory for the copy, and what is written in one transaction: little, so that a relay's memory holds it and a stop
/// does not wait for it.
const CACHE_BYTES: usize = 16 << 20;
const PIECE_BYTES: usize = 8 << 20;
/// What a row counts for besides its value.
const ROW_BYTES: usize = 64;

/// Makes a directory, or takes an empty one.
pub(super) fn make_empty(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(builder.recursive(true), 0o700);
    builder.create(directory)?;
    if fs::read_dir(directory)?.next().is_some() {
        return Err(io::ErrorKind::DirectoryNotEmpty.into());
    }
    Ok(())
}

/// Removes what a copy that was not finished has left.
pub(super) fn make_empty_again(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            fs::remove_dir_all(path)?;
        } else {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Writes all tables into a new file, durably.
pub(super) fn copy_tables(
    from: &ReadTransaction,
    file: &Path,
    stopping: Stopping<'_>,
) -> Result<(), StoreError> {
    let to = Database::builder()
        .set_cache_size(CACHE_BYTES)
        .create(file)?;
    copy(from, &to, LANES, stopping)?;
    copy(from, &to, POSITIONS, stopping)?;
    copy(from, &to, SLOTS, stopping)?;
    copy(from, &to, VALUES, stopping)?;
    copy(from, &to, BLOBS, stopping)?;
    copy(from, &to, HOLDS, stopping)?;
    copy(from, &to, EXPIRY, stopping)?;
    copy(from, &to, GRAVES, stopping)?;
    copy(from, &to, ACCOUNTS, stopping)?;
    copy(from, &to, USAGE, stopping)?;
    copy(from, &to, DEVICES, stopping)?;
    copy(from, &to, WATCHERS, stopping)?;
    copy(from, &to, NUMBERS, stopping)
}

fn copy<K: Key + 'static, V: Value + 'static>(
    from: &ReadTransaction,
    to: &Database,
    table: TableDefinition<'static, K, V>,
    stopping: Stopping<'_>,
) -> Result<(), StoreError> {
    let from = from.open_table(table)?;
    let mut rows = from.iter()?;
    let mut more = true;
    while more {
        let transaction = to.begin_write()?;
        {
            let (mut to, mut bytes) = (transaction.open_table(table)?, 0);
            more = false;
            for row in rows.by_ref() {
                if stopping() {
                    return Err(StoreError::Stopped);
                }
                let (key, value) = row?;
                to.insert(key.value(), value.value())?;
                bytes += V::as_bytes(&value.value()).as_ref().len() + ROW_BYTES;
                if bytes >= PIECE_BYTES {
                    more = true;
                    break;
                }
            }
        }
        transaction.commit()?;
    }
    Ok(())
}

//! Removing what is over: rows whose time has come, found by the `expiry` table and never by searching, and the rows of
//! deleted lanes.

use super::super::{Millis, StoreError};
use super::{
    BLOBS, CELLS, EXPIRES_BLOB, EXPIRES_CELL, EXPIRES_VALUE, EXPIRY, GRAVES, HASHES, NUMBERS,
    SLOTS, VALUES, expiry, number_of, numbered, remove_cell, timed,
};
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, Table, WriteTransaction};
use ume_wire::auth::LaneId;

/// Whether there is anything to do.
pub(super) fn is_due(transaction: &ReadTransaction, now: Millis) -> Result<bool, StoreError> {
    if !transaction.open_table(GRAVES)?.is_empty()? {
        return Ok(true);
    }
    let table = transaction.open_table(EXPIRY)?;
    let mut rows = table.range::<&super::Expiry>(&expiry(0, 0, &[0; 32], 0)..&after(now))?;
    Ok(rows.next().is_some())
}

/// Removes up to about `max` rows; whether there may be more.
pub(super) fn expire(
    transaction: &WriteTransaction,
    now: Millis,
    max: usize,
) -> Result<bool, StoreError> {
    let mut left = max;
    let mut freed = 0;
    while left > 0 {
        let Some((time, what, id, number)) = next_due(transaction, now)? else {
            break;
        };
        transaction
            .open_table(EXPIRY)?
            .remove(&expiry(time, what, &id, number))?;
        left -= 1;
        match what {
            EXPIRES_CELL => {
                let (removed, bytes) = expire_cells(transaction, &id, now, left)?;
                left -= removed;
                freed += bytes;
            }
            EXPIRES_VALUE => {
                let mut values = transaction.open_table(VALUES)?;
                freed += remove_due(&mut values, &numbered(&id, number), now)?;
            }
            EXPIRES_BLOB => freed += remove_due(&mut transaction.open_table(BLOBS)?, &id, now)?,
            _ => return Err(StoreError::Damaged),
        }
    }
    while left > 0 {
        let Some(lane) = next_grave(transaction)? else {
            break;
        };
        let (removed, bytes) = bury(transaction, &lane, left)?;
        left = left.saturating_sub(removed);
        freed += bytes;
    }
    let mut numbers = transaction.open_table(NUMBERS)?;
    let stored = numbers.get("stored")?.map_or(0, |value| value.value());
    numbers.insert("stored", stored.saturating_sub(freed))?;
    Ok(left == 0)
}

/// Removes a row if its own time has come: it may be a newer one than the row of `expiry` was made for.
fn remove_due<const N: usize>(
    table: &mut Table<&'static [u8; N], &'static [u8]>,
    key: &[u8; N],
    now: Millis,
) -> Result<u64, StoreError> {
    let size = match table.get(key)? {
        None => return Ok(0),
        Some(row) => match timed(row.value())? {
            (time, _) if time > now => return Ok(0),
            (_, cells) => cells.len() as u64,
        },
    };
    table.remove(key)?;
    Ok(size)
}

/// The first key of `expiry` that is still in the future.
fn after(now: Millis) -> super::Expiry {
    expiry(now.saturating_add(1), 0, &[0; 32], 0)
}

type Due = (Millis, u8, [u8; 32], u64);

fn next_due(transaction: &WriteTransaction, now: Millis) -> Result<Option<Due>, StoreError> {
    let table = transaction.open_table(EXPIRY)?;
    let mut rows = table.range::<&super::Expiry>(&expiry(0, 0, &[0; 32], 0)..&after(now))?;
    let Some(row) = rows.next() else {
        return Ok(None);
    };
    let (key, _) = row?;
    let (time, rest) = key
        .value()
        .split_first_chunk::<8>()
        .ok_or(StoreError::Damaged)?;
    let (what, rest) = rest.split_first().ok_or(StoreError::Damaged)?;
    let (id, number) = rest.split_first_chunk::<32>().ok_or(StoreError::Damaged)?;
    let number = number.try_into().map_err(|_| StoreError::Damaged)?;
    Ok(Some((
        u64::from_be_bytes(*time),
        *what,
        *id,
        u64::from_be_bytes(number),
    )))
}

/// Removes the cells at a lane's front whose time has come, and notes when the next one's comes.
fn expire_cells(
    transaction: &WriteTransaction,
    lane: &LaneId,
    now: Millis,
    max: usize,
) -> Result<(usize, u64), StoreError> {
    let (mut cells, mut hashes) = (
        transaction.open_table(CELLS)?,
        transaction.open_table(HASHES)?,
    );
    let (mut removed, mut freed) = (0, 0);
    loop {
        let first = {
            let mut rows =
                cells.range::<&super::Numbered>(&numbered(lane, 0)..=&numbered(lane, u64::MAX))?;
            match rows.next() {
                None => return Ok((removed, freed)),
                Some(row) => {
                    let (key, row) = row?;
                    (number_of(key.value()), timed(row.value())?.0)
                }
            }
        };
        if first.1 > now || removed == max {
            transaction
                .open_table(EXPIRY)?
                .insert(&expiry(first.1, EXPIRES_CELL, lane, 0), ())?;
            return Ok((removed, freed));
        }
        freed += remove_cell(&mut cells, &mut hashes, lane, first.0)?;
        removed += 1;
    }
}

fn next_grave(transaction: &WriteTransaction) -> Result<Option<LaneId>, StoreError> {
    let graves = transaction.open_table(GRAVES)?;
    Ok(graves.first()?.map(|(lane, _)| *lane.value()))
}

/// Removes rows of a deleted lane, and its grave with the last one.
fn bury(
    transaction: &WriteTransaction,
    lane: &LaneId,
    max: usize,
) -> Result<(usize, u64), StoreError> {
    let (mut removed, mut freed) = (0, 0);
    let keys = numbered(lane, 0)..=numbered(lane, u64::MAX);
    let (mut cells, mut hashes) = (
        transaction.open_table(CELLS)?,
        transaction.open_table(HASHES)?,
    );
    let first = |rows: &mut redb::Range<'_, &'static super::Numbered, &'static [u8]>| -> Result<Option<u64>, StoreError> {
        Ok(rows.next().transpose()?.map(|(key, _)| number_of(key.value())))
    };
    while removed < max {
        let Some(seq) = first(&mut cells.range::<&super::Numbered>(keys.start()..=keys.end())?)?
        else {
            break;
        };
        freed += remove_cell(&mut cells, &mut hashes, lane, seq)?;
        removed += 1;
    }
    let mut values = transaction.open_table(VALUES)?;
    while removed < max {
        let Some(slot) = first(&mut values.range::<&super::Numbered>(keys.start()..=keys.end())?)?
        else {
            break;
        };
        if let Some(row) = values.remove(&numbered(lane, slot))? {
            freed += timed(row.value())?.1.len() as u64;
        }
        removed += 1;
    }
    let mut slots = transaction.open_table(SLOTS)?;
    while removed < max {
        let Some(slot) = first(&mut slots.range::<&super::Numbered>(keys.start()..=keys.end())?)?
        else {
            break;
        };
        slots.remove(&numbered(lane, slot))?;
        freed += super::apply::SLOT_BYTES;
        removed += 1;
    }
    if removed < max {
        transaction.open_table(GRAVES)?.remove(lane)?;
        removed += 1;
    }
    // What `expiry` still says of them is found to be gone when its time comes.
    Ok((removed, freed))
}

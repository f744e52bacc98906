//! Removing rows whose time has come, found by the `expiry` table and never by searching, and the rows of deleted lanes.

use super::super::{AccountId, Millis, StoreError, log::Log};
use super::apply::{Applying, IDLE_MS, SLOT_BYTES};
use super::rows::{
    EXPIRES_DEVICE, EXPIRES_HOLD, EXPIRES_LANE, EXPIRES_VALUE, EXPIRY, Expiry, GRAVES, LaneRow,
    Numbered, Serial, id_serial, lane_row, serial_id, split,
};
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata, Table};
use ume_wire::auth::LaneId;

/// A lane that still has something in it when its time has come is looked at again a day later.
const LOOK_AGAIN_MS: Millis = 24 * 3600 * 1000;

/// Whether there is anything to do.
pub(super) fn is_due(transaction: &ReadTransaction, now: Millis) -> Result<bool, StoreError> {
    if !transaction.open_table(GRAVES)?.is_empty()? {
        return Ok(true);
    }
    let table = transaction.open_table(EXPIRY)?;
    let mut rows = table.range(..(now.saturating_add(1), 0, &[0; 32], 0))?;
    Ok(rows.next().is_some())
}

/// Removes up to about `max` rows; tells whether there may be more.
pub(super) fn expire(
    applying: &mut Applying<'_>,
    log: &Log,
    max: usize,
) -> Result<bool, StoreError> {
    let mut left = max;
    while left > 0 {
        let Some((time, what, id, number)) = next_due(&applying.expiry, applying.now)? else {
            break;
        };
        applying.expiry.remove((time, what, &id, number))?;
        left -= 1;
        match what {
            EXPIRES_VALUE => expire_value(applying, (id_serial(&id), number))?,
            EXPIRES_HOLD => expire_hold(applying, &id, number)?,
            EXPIRES_LANE => expire_lane(applying, log, &id, number)?,
            EXPIRES_DEVICE => applying.expire_device(&id)?,
            _ => return Err(StoreError::Damaged),
        }
    }
    while left > 0 {
        let Some((serial, account)) = next_grave(&applying.graves)? else {
            break;
        };
        left = left.saturating_sub(bury(applying, serial, account, left)?);
    }
    Ok(left == 0)
}

type Due = (Millis, u8, [u8; 32], u64);

fn next_due(table: &Table<'_, Expiry, ()>, now: Millis) -> Result<Option<Due>, StoreError> {
    let mut rows = table.range(..(now.saturating_add(1), 0, &[0; 32], 0))?;
    let Some(row) = rows.next() else {
        return Ok(None);
    };
    let (key, _) = row?;
    let (time, what, id, number) = key.value();
    Ok(Some((time, what, *id, number)))
}

/// Removes a value if its own time has come: it may be a newer one than the row of `expiry` was made for.
fn expire_value(applying: &mut Applying<'_>, key: Numbered) -> Result<(), StoreError> {
    let (account, bytes) = match applying.values.get(key)? {
        None => return Ok(()),
        Some(row) => match split(row.value())? {
            (time, _, _) if time > applying.now => return Ok(()),
            (_, account, cells) => (account, cells.len() as u64),
        },
    };
    applying.values.remove(key)?;
    applying.give_back(account, bytes, 0)
}

/// Ends a hold if its own time has come: it may have been prolonged.
fn expire_hold(
    applying: &mut Applying<'_>,
    id: &[u8; 32],
    account: AccountId,
) -> Result<(), StoreError> {
    let until = applying.holds.get((id, account))?.map(|row| row.value());
    if until.is_some_and(|until| until <= applying.now) {
        applying.let_go(id, account)?;
    }
    Ok(())
}

/// Removes a lane that has nothing in it and that nobody has written for so long, or looks again later.
fn expire_lane(
    applying: &mut Applying<'_>,
    log: &Log,
    id: &LaneId,
    serial: Serial,
) -> Result<(), StoreError> {
    let Some(row) = lane_row(&applying.lanes, id)?.filter(|row| row.serial == serial) else {
        return Ok(());
    };
    let in_log = log.standing(serial);
    let has_cells = in_log.is_some_and(|standing| standing.first < standing.end);
    let has_values = applying
        .values
        .range((serial, 0)..=(serial, u64::MAX))?
        .next()
        .is_some();
    let in_log = in_log.map_or(0, |standing| Millis::from(standing.written) * 1000);
    let due = applying
        .position(serial)?
        .written
        .max(in_log)
        .saturating_add(u64::from(row.made.ttl_seconds) * 1000)
        .saturating_add(IDLE_MS);
    if due <= applying.now && !has_cells && !has_values {
        applying.lane_delete(id)?;
        return Ok(());
    }
    let again = due.max(applying.now.saturating_add(LOOK_AGAIN_MS));
    applying.look_at_lane(id, &LaneRow { look: again, ..row })
}

fn next_grave(graves: &Table<'_, Serial, u64>) -> Result<Option<(Serial, u64)>, StoreError> {
    Ok(graves
        .first()?
        .map(|(serial, account)| (serial.value(), account.value())))
}

/// Removes rows of a deleted lane, and its grave with the last one. Gives how many it removed.
fn bury(
    applying: &mut Applying<'_>,
    serial: Serial,
    account: u64,
    max: usize,
) -> Result<usize, StoreError> {
    let (mut removed, mut freed) = (0, 0);
    let keys = (serial, 0)..=(serial, u64::MAX);
    while removed < max {
        let Some(key) = first_key(&applying.values, keys.clone())? else {
            break;
        };
        if let Some(row) = applying.values.remove(key)? {
            let (until, _, cells) = split(row.value())?;
            freed += cells.len() as u64;
            let id = serial_id(serial);
            applying.expiry.remove((until, EXPIRES_VALUE, &id, key.1))?;
        }
        removed += 1;
    }
    while removed < max {
        let Some(key) = first_key(&applying.slots, keys.clone())? else {
            break;
        };
        applying.slots.remove(key)?;
        freed += SLOT_BYTES;
        removed += 1;
    }
    applying.give_back(account, freed, 0)?;
    if removed < max {
        applying.graves.remove(serial)?;
        removed += 1;
    }
    Ok(removed)
}

fn first_key(
    rows: &Table<'_, Numbered, &'static [u8]>,
    keys: std::ops::RangeInclusive<Numbered>,
) -> Result<Option<Numbered>, StoreError> {
    let row = rows.range(keys)?.next().transpose()?;
    Ok(row.map(|(key, _)| key.value()))
}

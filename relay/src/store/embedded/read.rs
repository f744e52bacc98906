//! Reading what is small from the last durable state.

use super::super::{AccountId, BlobPart, Lane, Millis, StoreError, Value, Values};
use super::rows::{
    BLOBS, HOLDS, LANES, Numbered, POSITIONS, Position, SLOTS, Serial, VALUES, lane_row, slot_row,
    split,
};
use crate::slot::SlotState;
use bytes::Bytes;
use redb::{ReadTransaction, ReadableTable};
use std::ops::Range;
use ume_wire::{
    auth::{Hash, LaneId},
    limits::CELL_BYTES,
};

/// Values at a lane's front that were not removed yet although their time has come, and that are passed over. Where
/// there are more of them, as after a long stop, an older number is given out until they are removed.
const PASS_OVER_MAX: usize = 1024;

pub(super) fn lane(
    transaction: &ReadTransaction,
    lane: &LaneId,
) -> Result<Option<Lane>, StoreError> {
    let row = lane_row(&transaction.open_table(LANES)?, lane)?;
    Ok(row.map(super::rows::LaneRow::into_lane))
}

/// Where a lane stands, if there is such a lane.
pub(super) fn position(
    transaction: &ReadTransaction,
    serial: Serial,
) -> Result<Option<Position>, StoreError> {
    let row = transaction.open_table(POSITIONS)?.get(serial)?;
    Ok(row.map(|row| row.value().into()))
}

pub(super) fn values(
    transaction: &ReadTransaction,
    now: Millis,
    serial: Serial,
    range: Range<u64>,
    max_cells: usize,
) -> Result<Values, StoreError> {
    let end = position(transaction, serial)?.map_or(1, |position| position.end);
    let upto = range.end.min(end);
    let (values, slots) = (
        transaction.open_table(VALUES)?,
        transaction.open_table(SLOTS)?,
    );
    let mut out = Values {
        items: Vec::new(),
        first: first_kept(&values, now, serial, upto)?,
        next: upto,
        end,
    };
    if range.start >= upto {
        return Ok(out);
    }
    let mut total = 0;
    for row in values.range((serial, range.start)..(serial, upto))? {
        let (key, row) = row?;
        let (_, slot) = key.value();
        let (time, _, cells) = split(row.value())?;
        if time <= now {
            continue;
        }
        total += cells.len() / CELL_BYTES;
        if total > max_cells && !out.items.is_empty() {
            out.next = slot;
            break;
        }
        let vote = slot_row(&slots, (serial, slot))?
            .accepted
            .ok_or(StoreError::Damaged)?;
        out.items.push(Value {
            slot,
            vote,
            cells: Bytes::copy_from_slice(cells),
        });
    }
    Ok(out)
}

/// Oldest number before `upto` that readers still get, or `upto`. Never above one that they get.
fn first_kept(
    values: &impl ReadableTable<Numbered, &'static [u8]>,
    now: Millis,
    serial: Serial,
    upto: u64,
) -> Result<u64, StoreError> {
    let front = values.range((serial, 0)..(serial, upto))?;
    for (passed, row) in front.enumerate() {
        let (key, row) = row?;
        if split(row.value())?.0 > now || passed == PASS_OVER_MAX {
            return Ok(key.value().1);
        }
    }
    Ok(upto)
}

pub(super) fn slot(
    transaction: &ReadTransaction,
    serial: Serial,
    slot: u64,
) -> Result<SlotState, StoreError> {
    slot_row(&transaction.open_table(SLOTS)?, (serial, slot))
}

pub(super) fn blob(
    transaction: &ReadTransaction,
    now: Millis,
    id: &Hash,
    from: usize,
    max: usize,
) -> Result<Option<BlobPart>, StoreError> {
    if !is_held(transaction, now, id)? {
        return Ok(None);
    }
    let Some(row) = transaction.open_table(BLOBS)?.get(id)? else {
        return Ok(None);
    };
    let cells = row.value();
    let total = cells.len() / CELL_BYTES;
    let (start, end) = (from.min(total), from.saturating_add(max).min(total));
    let cells = Bytes::copy_from_slice(&cells[start * CELL_BYTES..end * CELL_BYTES]);
    Ok(Some(BlobPart { total, cells }))
}

/// How many cells a blob has, if it is there.
pub(super) fn blob_cells(
    transaction: &ReadTransaction,
    now: Millis,
    id: &Hash,
) -> Result<Option<usize>, StoreError> {
    Ok(blob(transaction, now, id, 0, 0)?.map(|part| part.total))
}

/// Whether anybody still wants a blob.
fn is_held(transaction: &ReadTransaction, now: Millis, id: &Hash) -> Result<bool, StoreError> {
    for hold in transaction
        .open_table(HOLDS)?
        .range((id, 0)..=(id, AccountId::MAX))?
    {
        if hold?.1.value() > now {
            return Ok(true);
        }
    }
    Ok(false)
}

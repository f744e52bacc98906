//! Reading from the last durable state.

use super::super::{BlobPart, Cells, Millis, StoreError, Value, Values};
use super::{BLOBS, CELLS, ENDS, LANES, SLOTS, VALUES, number_of, numbered, timed};
use crate::slot::SlotState;
use bytes::Bytes;
use prost::Message;
use redb::{ReadTransaction, ReadableTable};
use std::ops::Range;
use ume_wire::{
    auth::{Hash, LaneId},
    limits::CELL_BYTES,
    relay::{LaneNew, Promise},
};

/// Rows at a lane's front that were not removed yet although their time has come, and that are passed over. Where there
/// are more of them, as after a long stop, an older number is given out until they are removed.
const PASS_OVER_MAX: usize = 1024;

pub(super) fn lane(
    transaction: &ReadTransaction,
    lane: &LaneId,
) -> Result<Option<LaneNew>, StoreError> {
    lane_in(&transaction.open_table(LANES)?, lane)
}

pub(super) fn lane_in(
    lanes: &impl ReadableTable<&'static [u8; 32], &'static [u8]>,
    lane: &LaneId,
) -> Result<Option<LaneNew>, StoreError> {
    let Some(row) = lanes.get(lane)? else {
        return Ok(None);
    };
    LaneNew::decode(row.value())
        .map(Some)
        .map_err(|_| StoreError::Damaged)
}

pub(super) fn end(transaction: &ReadTransaction, lane: &LaneId) -> Result<u64, StoreError> {
    Ok(transaction
        .open_table(ENDS)?
        .get(lane)?
        .map_or(1, |row| row.value()))
}

pub(super) fn cells(
    transaction: &ReadTransaction,
    now: Millis,
    lane: &LaneId,
    range: Range<u64>,
    max: usize,
) -> Result<Cells, StoreError> {
    let end = end(transaction, lane)?;
    let upto = range.end.min(end);
    let table = transaction.open_table(CELLS)?;
    let mut out = Cells {
        items: Vec::new(),
        first: first_kept(&table, now, lane, upto)?,
        next: upto,
        end,
    };
    if range.start >= upto {
        return Ok(out);
    }
    for row in
        table.range::<&super::Numbered>(&numbered(lane, range.start)..&numbered(lane, upto))?
    {
        let (key, row) = row?;
        let seq = number_of(key.value());
        if out.items.len() == max {
            out.next = seq;
            break;
        }
        let (time, cell) = timed(row.value())?;
        if time > now {
            out.items.push((seq, Bytes::copy_from_slice(cell)));
        }
    }
    Ok(out)
}

pub(super) fn values(
    transaction: &ReadTransaction,
    now: Millis,
    lane: &LaneId,
    range: Range<u64>,
    max_cells: usize,
) -> Result<Values, StoreError> {
    let end = end(transaction, lane)?;
    let upto = range.end.min(end);
    let (values, slots) = (
        transaction.open_table(VALUES)?,
        transaction.open_table(SLOTS)?,
    );
    let mut out = Values {
        items: Vec::new(),
        first: first_kept(&values, now, lane, upto)?,
        next: upto,
        end,
    };
    if range.start >= upto {
        return Ok(out);
    }
    let mut total = 0;
    for row in
        values.range::<&super::Numbered>(&numbered(lane, range.start)..&numbered(lane, upto))?
    {
        let (key, row) = row?;
        let slot = number_of(key.value());
        let (time, cells) = timed(row.value())?;
        if time <= now {
            continue;
        }
        total += cells.len() / CELL_BYTES;
        if total > max_cells && !out.items.is_empty() {
            out.next = slot;
            break;
        }
        let vote = slot_in(&slots, lane, slot)?
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
    rows: &impl ReadableTable<&'static super::Numbered, &'static [u8]>,
    now: Millis,
    lane: &LaneId,
    upto: u64,
) -> Result<u64, StoreError> {
    let front = rows.range::<&super::Numbered>(&numbered(lane, 0)..&numbered(lane, upto))?;
    for (passed, row) in front.enumerate() {
        let (key, row) = row?;
        if timed(row.value())?.0 > now || passed == PASS_OVER_MAX {
            return Ok(number_of(key.value()));
        }
    }
    Ok(upto)
}

pub(super) fn slot(
    transaction: &ReadTransaction,
    lane: &LaneId,
    slot: u64,
) -> Result<SlotState, StoreError> {
    slot_in(&transaction.open_table(SLOTS)?, lane, slot)
}

pub(super) fn slot_in(
    slots: &impl ReadableTable<&'static super::Numbered, &'static [u8]>,
    lane: &LaneId,
    slot: u64,
) -> Result<SlotState, StoreError> {
    let Some(row) = slots.get(&numbered(lane, slot))? else {
        return Ok(SlotState::default());
    };
    let state = Promise::decode(row.value()).map_err(|_| StoreError::Damaged)?;
    Ok(SlotState {
        promised: state.ballot.unwrap_or_default(),
        accepted: state.accepted,
    })
}

pub(super) fn blob(
    transaction: &ReadTransaction,
    now: Millis,
    id: &Hash,
    from: usize,
    max: usize,
) -> Result<Option<BlobPart>, StoreError> {
    let Some(row) = transaction.open_table(BLOBS)?.get(id)? else {
        return Ok(None);
    };
    let (time, cells) = timed(row.value())?;
    if time <= now {
        return Ok(None);
    }
    let total = cells.len() / CELL_BYTES;
    let (start, end) = (from.min(total), from.saturating_add(max).min(total));
    let cells = Bytes::copy_from_slice(&cells[start * CELL_BYTES..end * CELL_BYTES]);
    Ok(Some(BlobPart { total, cells }))
}

pub(super) fn has_blob(
    transaction: &ReadTransaction,
    now: Millis,
    id: &Hash,
) -> Result<bool, StoreError> {
    let Some(row) = transaction.open_table(BLOBS)?.get(id)? else {
        return Ok(false);
    };
    Ok(timed(row.value())?.0 > now)
}

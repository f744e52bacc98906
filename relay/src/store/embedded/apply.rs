//! Writing: what each request changes, in one transaction with all others of its group.

use super::super::{Millis, Outcome, StoreError, Write};
use super::read::{lane_in, slot_in};
use super::{
    BLOBS, CELLS, ENDS, EXPIRES_BLOB, EXPIRES_CELL, EXPIRES_VALUE, EXPIRY, Expiry, GRAVES, HASHES,
    Hashed, LANES, NUMBERS, Numbered, SLOTS, VALUES, expiry, hashed, number_of, numbered,
    remove_cell, timed, with_time,
};
use crate::{
    config::Limits,
    refusal::Refusal,
    slot::{Accepting, SlotState},
};
use bytes::Bytes;
use parking_lot::Mutex;
use prost::Message;
use redb::{ReadableTable, Table, WriteTransaction};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use ume_wire::{
    auth::{Hash, LaneId},
    relay::{Ballot, LaneKind, LaneNew, Promise, Vote},
};

/// For so long a member who asked for a promise is not overtaken by a joiner.
const MEMBER_FIRST: Duration = Duration::from_secs(5);
/// How far beyond the last accepted slot a lane with several acceptors may go.
const SLOTS_AHEAD_MAX: u64 = 1024;
/// What a lane counts for among the store's bytes.
const LANE_BYTES: u64 = 512;
/// What a slot's promises count for.
pub(super) const SLOT_BYTES: u64 = 256;

type Ids<'t> = Table<'t, &'static [u8; 32], &'static [u8]>;
type Rows<'t> = Table<'t, &'static Numbered, &'static [u8]>;

/// One transaction while it is made.
pub(super) struct Applying<'t> {
    lanes: Ids<'t>,
    ends: Table<'t, &'static [u8; 32], u64>,
    cells: Rows<'t>,
    hashes: Table<'t, &'static Hashed, u64>,
    slots: Rows<'t>,
    values: Rows<'t>,
    blobs: Ids<'t>,
    expiry: Table<'t, &'static Expiry, ()>,
    graves: Table<'t, &'static [u8; 32], ()>,
    numbers: Table<'t, &'static str, u64>,
    members: &'t Mutex<HashMap<LaneId, (u64, Instant)>>,
    limits: &'t Limits,
    now: Millis,
    /// Bytes in the store, after what was applied so far.
    stored: u64,
}

impl<'t> Applying<'t> {
    pub(super) fn begin(
        transaction: &'t WriteTransaction,
        limits: &'t Limits,
        members: &'t Mutex<HashMap<LaneId, (u64, Instant)>>,
        now: Millis,
    ) -> Result<Self, StoreError> {
        let numbers = transaction.open_table(NUMBERS)?;
        let stored = numbers.get("stored")?.map_or(0, |value| value.value());
        Ok(Self {
            lanes: transaction.open_table(LANES)?,
            ends: transaction.open_table(ENDS)?,
            cells: transaction.open_table(CELLS)?,
            hashes: transaction.open_table(HASHES)?,
            slots: transaction.open_table(SLOTS)?,
            values: transaction.open_table(VALUES)?,
            blobs: transaction.open_table(BLOBS)?,
            expiry: transaction.open_table(EXPIRY)?,
            graves: transaction.open_table(GRAVES)?,
            numbers,
            members,
            limits,
            now,
            stored,
        })
    }

    /// Applies one write, or refuses it without a trace.
    pub(super) fn write(&mut self, write: &Write) -> Result<Outcome, StoreError> {
        match write {
            Write::LaneNew(new) => self.lane_new(new),
            Write::LaneDelete(lane) => self.lane_delete(lane),
            Write::Append { lane, hash, cell } => self.append(lane, hash, cell),
            Write::Acknowledge { lane, upto } => self.acknowledge(lane, *upto),
            Write::Prepare {
                lane,
                slot,
                ballot,
                writer,
            } => self.prepare(lane, *slot, ballot, *writer),
            Write::Accept {
                lane,
                slot,
                vote,
                cells,
            } => self.accept(lane, *slot, vote, cells),
            Write::BlobPut {
                id,
                cells,
                ttl_seconds,
            } => self.blob_put(id, cells, *ttl_seconds),
            Write::BlobTouch { id, ttl_seconds } => self.blob_touch(id, *ttl_seconds),
        }
    }

    /// Writes what was counted.
    pub(super) fn finish(mut self) -> Result<(), StoreError> {
        self.numbers.insert("stored", self.stored)?;
        Ok(())
    }

    fn lane_new(&mut self, new: &LaneNew) -> Result<Outcome, StoreError> {
        let Ok(lane) = LaneId::try_from(&new.lane[..]) else {
            return Ok(Refusal::MALFORMED.into());
        };
        if let Some(old) = lane_in(&self.lanes, &lane)? {
            return Ok(if old == *new {
                Outcome::Done
            } else {
                Refusal::CONFLICT.into()
            });
        }
        if self.graves.get(&lane)?.is_some() {
            return Ok(Refusal::LIMIT.into());
        }
        if !self.has_room(LANE_BYTES) {
            return Ok(Refusal::STORAGE.into());
        }
        self.lanes.insert(&lane, new.encode_to_vec().as_slice())?;
        self.ends.insert(&lane, 1)?;
        self.stored += LANE_BYTES;
        Ok(Outcome::Done)
    }

    fn lane_delete(&mut self, lane: &LaneId) -> Result<Outcome, StoreError> {
        if self.lanes.remove(lane)?.is_none() {
            return Ok(Refusal::DENIED.into());
        }
        self.ends.remove(lane)?;
        // Its rows may be many: they go bit by bit, with what expires.
        self.graves.insert(lane, ())?;
        self.stored = self.stored.saturating_sub(LANE_BYTES);
        Ok(Outcome::Done)
    }

    fn append(&mut self, lane: &LaneId, hash: &Hash, cell: &Bytes) -> Result<Outcome, StoreError> {
        let Some(new) = lane_in(&self.lanes, lane)? else {
            return Ok(Refusal::DENIED.into());
        };
        let key = hashed(lane, hash);
        let known = self.hashes.get(&key)?.map(|row| row.value());
        if let Some(seq) = known
            && self.is_live(&numbered(lane, seq))?
        {
            return Ok(Outcome::Appended { seq, new: false });
        }
        let seq = self.ends.get(lane)?.map_or(1, |row| row.value());
        let first = self.first_cell(lane, seq)?;
        if new.kind == i32::from(LaneKind::Queue)
            && first.is_some_and(|(first, _)| seq - first >= self.limits.queue_cells)
        {
            return Ok(Refusal::LIMIT.into());
        }
        if !self.has_room(cell.len() as u64) {
            return Ok(Refusal::STORAGE.into());
        }
        let until = self.until(new.ttl_seconds);
        self.cells
            .insert(&numbered(lane, seq), with_time(until, &[cell]).as_slice())?;
        self.hashes.insert(&key, seq)?;
        self.ends.insert(lane, seq + 1)?;
        if first.is_none() {
            self.expiry
                .insert(&expiry(until, EXPIRES_CELL, lane, 0), ())?;
        }
        self.stored += cell.len() as u64;
        Ok(Outcome::Appended { seq, new: true })
    }

    fn acknowledge(&mut self, lane: &LaneId, upto: u64) -> Result<Outcome, StoreError> {
        let Some(end) = self.ends.get(lane)?.map(|row| row.value()) else {
            return Ok(Refusal::DENIED.into());
        };
        let upto = upto.min(end - 1);
        let Some((first, until)) = self.first_cell(lane, end)? else {
            return Ok(Outcome::Done);
        };
        for seq in first..=upto {
            let freed = remove_cell(&mut self.cells, &mut self.hashes, lane, seq)?;
            self.stored = self.stored.saturating_sub(freed);
        }
        self.expiry.remove(&expiry(until, EXPIRES_CELL, lane, 0))?;
        if let Some((_, until)) = self.first_cell(lane, end)? {
            self.expiry
                .insert(&expiry(until, EXPIRES_CELL, lane, 0), ())?;
        }
        Ok(Outcome::Done)
    }

    fn prepare(
        &mut self,
        lane: &LaneId,
        slot: u64,
        ballot: &Ballot,
        writer: usize,
    ) -> Result<Outcome, StoreError> {
        let Some(new) = lane_in(&self.lanes, lane)? else {
            return Ok(Refusal::DENIED.into());
        };
        if let Err(refusal) = self.is_in_order(lane, slot, new.acceptors)? {
            return Ok(refusal.into());
        }
        let state = slot_in(&self.slots, lane, slot)?;
        if state.accepted.is_none() && !self.may_ask(lane, slot, writer) {
            return Ok(Refusal::LIMIT.into());
        }
        let promised = match state.prepare(ballot) {
            Ok(promised) => promised,
            Err(refusal) => return Ok(refusal.into()),
        };
        if let Err(refusal) = self.put_slot(lane, slot, &promised)? {
            return Ok(refusal.into());
        }
        Ok(Outcome::Promised {
            slot,
            ballot: ballot.clone(),
            accepted: promised.accepted,
        })
    }

    fn accept(
        &mut self,
        lane: &LaneId,
        slot: u64,
        vote: &Vote,
        cells: &[Bytes],
    ) -> Result<Outcome, StoreError> {
        let Some(new) = lane_in(&self.lanes, lane)? else {
            return Ok(Refusal::DENIED.into());
        };
        if let Err(refusal) = self.is_in_order(lane, slot, new.acceptors)? {
            return Ok(refusal.into());
        }
        let state = slot_in(&self.slots, lane, slot)?;
        let (vote, fresh) = match state.accept(vote, new.acceptors) {
            Err(refusal) => return Ok(refusal.into()),
            Ok(Accepting::Already(vote)) => (vote, None),
            Ok(Accepting::New(state)) => (vote.clone(), Some(state)),
        };
        let ballot = vote.ballot.unwrap_or_default();
        let accepted = Outcome::Accepted {
            lane: *lane,
            slot,
            ballot,
            value_hash: vote.value_hash,
            new: fresh.is_some(),
        };
        let Some(state) = fresh else {
            return Ok(accepted);
        };

        let size: usize = cells.iter().map(Bytes::len).sum();
        if !self.has_room(size as u64) {
            return Ok(Refusal::STORAGE.into());
        }
        if let Err(refusal) = self.put_slot(lane, slot, &state)? {
            return Ok(refusal.into());
        }
        let (key, until) = (numbered(lane, slot), self.until(new.ttl_seconds));
        if let Some(old) = self
            .values
            .insert(&key, with_time(until, cells).as_slice())?
        {
            let (time, cells) = timed(old.value())?;
            self.expiry
                .remove(&expiry(time, EXPIRES_VALUE, lane, slot))?;
            self.stored = self.stored.saturating_sub(cells.len() as u64);
        }
        self.expiry
            .insert(&expiry(until, EXPIRES_VALUE, lane, slot), ())?;
        self.stored += size as u64;
        let end = self.ends.get(lane)?.map_or(1, |row| row.value());
        if slot >= end {
            self.ends.insert(lane, slot + 1)?;
        }
        Ok(accepted)
    }

    fn blob_put(
        &mut self,
        id: &Hash,
        cells: &[Bytes],
        ttl_seconds: u32,
    ) -> Result<Outcome, StoreError> {
        if self.blobs.get(id)?.is_some() {
            return self.blob_touch(id, ttl_seconds);
        }
        let size: usize = cells.iter().map(Bytes::len).sum();
        if !self.has_room(size as u64) {
            return Ok(Refusal::STORAGE.into());
        }
        let until = self.until(ttl_seconds);
        self.blobs.insert(id, with_time(until, cells).as_slice())?;
        self.expiry
            .insert(&expiry(until, EXPIRES_BLOB, id, 0), ())?;
        self.stored += size as u64;
        Ok(Outcome::Done)
    }

    fn blob_touch(&mut self, id: &Hash, ttl_seconds: u32) -> Result<Outcome, StoreError> {
        let until = self.until(ttl_seconds);
        let Some(row) = self.blobs.get(id)?.map(|row| row.value().to_vec()) else {
            return Ok(Refusal::DENIED.into());
        };
        let (time, cells) = timed(&row)?;
        if until > time {
            self.blobs
                .insert(id, with_time(until, &[cells]).as_slice())?;
            self.expiry.remove(&expiry(time, EXPIRES_BLOB, id, 0))?;
            self.expiry
                .insert(&expiry(until, EXPIRES_BLOB, id, 0), ())?;
        }
        Ok(Outcome::Done)
    }

    fn is_in_order(
        &self,
        lane: &LaneId,
        slot: u64,
        acceptors: u32,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let end = self.ends.get(lane)?.map_or(1, |row| row.value());
        let last = if acceptors <= 1 {
            end
        } else {
            end.saturating_add(SLOTS_AHEAD_MAX)
        };
        Ok(if slot <= last {
            Ok(())
        } else {
            Err(Refusal::ORDER)
        })
    }

    /// Members before joiners, so that holders of a link cannot keep members from committing.
    fn may_ask(&self, lane: &LaneId, slot: u64, writer: usize) -> bool {
        let (mut members, now) = (self.members.lock(), Instant::now());
        if writer == 0 {
            members.retain(|_, (_, asked)| now.saturating_duration_since(*asked) < MEMBER_FIRST);
            members.insert(*lane, (slot, now));
            return true;
        }
        !members.get(lane).is_some_and(|(asked_slot, asked)| {
            *asked_slot == slot && now.saturating_duration_since(*asked) < MEMBER_FIRST
        })
    }

    fn put_slot(
        &mut self,
        lane: &LaneId,
        slot: u64,
        state: &SlotState,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let key = numbered(lane, slot);
        let is_new = self.slots.get(&key)?.is_none();
        if is_new && !self.has_room(SLOT_BYTES) {
            return Ok(Err(Refusal::STORAGE));
        }
        let row = Promise {
            slot,
            ballot: Some(state.promised.clone()),
            accepted: state.accepted.clone(),
        };
        self.slots.insert(&key, row.encode_to_vec().as_slice())?;
        if is_new {
            self.stored += SLOT_BYTES;
        }
        Ok(Ok(()))
    }

    /// Number and time of expiry of a lane's oldest cell.
    fn first_cell(&self, lane: &LaneId, end: u64) -> Result<Option<(u64, Millis)>, StoreError> {
        let mut range = self
            .cells
            .range::<&super::Numbered>(&numbered(lane, 0)..&numbered(lane, end))?;
        let Some(row) = range.next() else {
            return Ok(None);
        };
        let (key, row) = row?;
        Ok(Some((number_of(key.value()), timed(row.value())?.0)))
    }

    fn is_live(&self, key: &Numbered) -> Result<bool, StoreError> {
        let Some(row) = self.cells.get(key)? else {
            return Ok(false);
        };
        Ok(timed(row.value())?.0 > self.now)
    }

    fn has_room(&self, bytes: u64) -> bool {
        self.stored.saturating_add(bytes) <= self.limits.store_bytes
    }

    fn until(&self, ttl_seconds: u32) -> Millis {
        self.now.saturating_add(u64::from(ttl_seconds) * 1000)
    }
}

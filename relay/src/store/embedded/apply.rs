//! Writing what is small: lanes, promises, values, blobs and accounts, in one transaction with all others of the group.

use super::super::{Account, AccountId, Lane, Millis, Outcome, StoreError, Usage, Write, log::Log};
use super::rows::{
    ACCOUNTS, BLOBS, DEVICES, EXPIRES_LANE, EXPIRES_VALUE, EXPIRY, Expiry, GRAVES, HOLDS, Hold,
    LANES, LaneRow, NUMBERS, Numbered, POSITIONS, Position, PositionRow, SLOTS, Serial, USAGE,
    VALUES, WATCHERS, Watcher, lane_row, serial_id, slot_row, split, value_row,
};
use crate::{
    config::Limits,
    refusal::Refusal,
    slot::{Accepting, SlotState},
};
use bytes::Bytes;
use parking_lot::Mutex;
use prost::Message;
use redb::{ReadableTable, ReadableTableMetadata, Table, WriteTransaction};
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};
use ume_wire::{
    auth::LaneId,
    relay::{Ballot, LaneNew, Promise, Vote},
};

/// For so long a member who asked for a promise is not overtaken by a joiner.
const MEMBER_FIRST: Duration = Duration::from_secs(5);
/// How far beyond the last accepted slot a lane with several acceptors may go.
const SLOTS_AHEAD_MAX: u64 = 1024;
/// What a lane counts for among the store's bytes.
pub(super) const LANE_BYTES: u64 = 512;
/// What a slot's promises count for.
pub(super) const SLOT_BYTES: u64 = 256;
/// A lane with nothing in it goes when nobody has written for its time to live and so long.
pub(super) const IDLE_MS: Millis = 400 * 24 * 3600 * 1000;

type Ids<'t> = Table<'t, &'static [u8; 32], &'static [u8]>;
type Rows<'t> = Table<'t, Numbered, &'static [u8]>;

/// Who asked last for a promise among the members of a lane: slot and time. Lost at a restart, which is harmless.
pub(super) type Members = Mutex<HashMap<Serial, (u64, Instant)>>;

/// One transaction while it is made.
pub(super) struct Applying<'t> {
    pub(super) lanes: Ids<'t>,
    pub(super) positions: Table<'t, Serial, PositionRow>,
    pub(super) slots: Rows<'t>,
    pub(super) values: Rows<'t>,
    pub(super) blobs: Ids<'t>,
    pub(super) holds: Table<'t, Hold, Millis>,
    pub(super) expiry: Table<'t, Expiry, ()>,
    pub(super) graves: Table<'t, Serial, AccountId>,
    pub(super) devices: Ids<'t>,
    pub(super) watchers: Table<'t, Watcher<'static>, ()>,
    accounts: Table<'t, AccountId, &'static [u8]>,
    usage: Table<'t, AccountId, (u64, u64)>,
    numbers: Table<'t, &'static str, u64>,
    members: &'t Members,
    pub(super) limits: &'t Limits,
    log: &'t Log,
    /// What there may be in all.
    bytes_max: u64,
    pub(super) now: Millis,
    /// Bytes of cells in the log.
    pub(super) beside: u64,
    pub(super) changes: Changes,
}

/// What has to be known outside once a transaction is durable.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Bytes in the tables.
    pub(super) stored: u64,
    /// Lanes that are not what they were.
    pub(super) lanes: HashSet<LaneId>,
    /// Lanes that are no more.
    pub(super) gone: Vec<Serial>,
    pub(super) accounts: bool,
    pub(super) usage: HashMap<AccountId, Usage>,
}

impl<'t> Applying<'t> {
    pub(super) fn begin(
        transaction: &'t WriteTransaction,
        limits: &'t Limits,
        members: &'t Members,
        log: &'t Log,
        (now, bytes_max): (Millis, u64),
    ) -> Result<Self, StoreError> {
        let numbers = transaction.open_table(NUMBERS)?;
        let stored = numbers.get("stored")?.map_or(0, |value| value.value());
        Ok(Self {
            lanes: transaction.open_table(LANES)?,
            positions: transaction.open_table(POSITIONS)?,
            slots: transaction.open_table(SLOTS)?,
            values: transaction.open_table(VALUES)?,
            blobs: transaction.open_table(BLOBS)?,
            holds: transaction.open_table(HOLDS)?,
            expiry: transaction.open_table(EXPIRY)?,
            graves: transaction.open_table(GRAVES)?,
            devices: transaction.open_table(DEVICES)?,
            watchers: transaction.open_table(WATCHERS)?,
            accounts: transaction.open_table(ACCOUNTS)?,
            usage: transaction.open_table(USAGE)?,
            numbers,
            members,
            limits,
            log,
            bytes_max,
            now,
            beside: log.cell_bytes(),
            changes: Changes {
                stored,
                ..Changes::default()
            },
        })
    }

    /// Writes what was counted, and tells what has changed.
    pub(super) fn finish(mut self) -> Result<Changes, StoreError> {
        self.numbers.insert("stored", self.changes.stored)?;
        Ok(self.changes)
    }

    /// Applies one write that is not about cells, or refuses it without a trace.
    pub(super) fn write(&mut self, write: &Write) -> Result<Outcome, StoreError> {
        match write {
            Write::LaneNew { new, account } => self.lane_new(new, *account),
            Write::LaneKeys { lane, writers } => self.lane_keys(lane, writers),
            Write::LaneDelete(lane) => self.lane_delete(lane),
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
                account,
            } => self.blob_put(id, cells, *ttl_seconds, *account),
            Write::BlobTouch {
                id,
                ttl_seconds,
                account,
            } => self.blob_touch(id, *ttl_seconds, *account),
            Write::AccountPut(account) => self.account_put(account),
            Write::AccountClear(account) => self.account_clear(*account),
            Write::Device(write) => self.device(write),
            // The log's.
            Write::Append { .. } | Write::Acknowledge { .. } => Ok(Refusal::UNKNOWN.into()),
        }
    }

    fn lane_new(
        &mut self,
        new: &LaneNew,
        account: Option<AccountId>,
    ) -> Result<Outcome, StoreError> {
        let Ok(lane) = LaneId::try_from(&new.lane[..]) else {
            return Ok(Refusal::MALFORMED.into());
        };
        let made = LaneNew {
            work: 0,
            access: Bytes::new(),
            ..new.clone()
        };
        if let Some(old) = lane_row(&self.lanes, &lane)? {
            return Ok(if old.made == made {
                Outcome::Done
            } else {
                Refusal::CONFLICT.into()
            });
        }
        // Not only by their bytes: each may take memory as long as there is something in it.
        if self.lanes.len()? >= self.limits.store_lanes {
            return Ok(Refusal::STORAGE.into());
        }
        let account = account.unwrap_or(0);
        if let Err(refusal) = self.take(account, LANE_BYTES, 1)? {
            return Ok(refusal.into());
        }
        let serial = self.next("serial")?;
        let ttl = u64::from(made.ttl_seconds) * 1000;
        let row = LaneRow {
            serial,
            account,
            made,
            writers: Vec::new(),
            look: self.now.saturating_add(ttl).saturating_add(IDLE_MS),
        };
        let position = Position {
            first: 1,
            end: 1,
            written: self.now,
            account,
        };
        self.positions.insert(serial, position.row())?;
        self.look_at_lane(&lane, &row)?;
        self.changes.lanes.insert(lane);
        Ok(Outcome::Done)
    }

    /// Writes a lane that is to be looked at when its row says so.
    pub(super) fn look_at_lane(&mut self, lane: &LaneId, row: &LaneRow) -> Result<(), StoreError> {
        self.lanes.insert(lane, row.encode_to_vec().as_slice())?;
        let key = (row.look, EXPIRES_LANE, lane, row.serial);
        self.expiry.insert(key, ())?;
        Ok(())
    }

    fn lane_keys(&mut self, lane: &LaneId, writers: &[Bytes]) -> Result<Outcome, StoreError> {
        let Some(mut row) = lane_row(&self.lanes, lane)? else {
            return Ok(Refusal::DENIED.into());
        };
        row.writers = writers.to_vec();
        self.lanes.insert(lane, row.encode_to_vec().as_slice())?;
        self.changes.lanes.insert(*lane);
        Ok(Outcome::Done)
    }

    /// Its rows may be many: they go bit by bit, with what expires.
    pub(super) fn lane_delete(&mut self, lane: &LaneId) -> Result<Outcome, StoreError> {
        let Some(row) = lane_row(&self.lanes, lane)? else {
            return Ok(Refusal::DENIED.into());
        };
        self.lanes.remove(lane)?;
        let look = (row.look, EXPIRES_LANE, lane, row.serial);
        self.expiry.remove(look)?;
        self.positions.remove(row.serial)?;
        self.graves.insert(row.serial, row.account)?;
        self.forget_watchers(lane)?;
        self.give_back(row.account, LANE_BYTES, 1)?;
        self.changes.lanes.insert(*lane);
        self.changes.gone.push(row.serial);
        Ok(Outcome::Done)
    }

    fn prepare(
        &mut self,
        lane: &LaneId,
        slot: u64,
        ballot: &Ballot,
        writer: usize,
    ) -> Result<Outcome, StoreError> {
        let Some(row) = lane_row(&self.lanes, lane)? else {
            return Ok(Refusal::DENIED.into());
        };
        if let Err(refusal) = self.is_in_order(row.serial, slot, row.made.acceptors)? {
            return Ok(refusal.into());
        }
        let state = slot_row(&self.slots, (row.serial, slot))?;
        if state.accepted.is_none() && !self.may_ask(row.serial, slot, writer) {
            return Ok(Refusal::LIMIT.into());
        }
        let promised = match state.prepare(ballot) {
            Ok(promised) => promised,
            Err(refusal) => return Ok(refusal.into()),
        };
        if let Err(refusal) = self.put_slot(&row, slot, &promised)? {
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
        let Some(row) = lane_row(&self.lanes, lane)? else {
            return Ok(Refusal::DENIED.into());
        };
        let acceptors = row.made.acceptors;
        if let Err(refusal) = self.is_in_order(row.serial, slot, acceptors)? {
            return Ok(refusal.into());
        }
        let state = slot_row(&self.slots, (row.serial, slot))?;
        let (vote, fresh) = match state.accept(vote, acceptors) {
            Err(refusal) => return Ok(refusal.into()),
            Ok(Accepting::Already(vote)) => (vote, None),
            Ok(Accepting::New(state)) => (vote.clone(), Some(state)),
        };
        let accepted = Outcome::Accepted {
            lane: *lane,
            slot,
            ballot: vote.ballot.unwrap_or_default(),
            value_hash: vote.value_hash,
            new: fresh.is_some(),
        };
        let Some(state) = fresh else {
            return Ok(accepted);
        };
        if let Err(refusal) = self.put_value(&row, slot, cells)? {
            return Ok(refusal.into());
        }
        if let Err(refusal) = self.put_slot(&row, slot, &state)? {
            return Ok(refusal.into());
        }
        Ok(accepted)
    }

    /// Puts a value in the place of the one that may be there, or refuses without a trace.
    fn put_value(
        &mut self,
        row: &LaneRow,
        slot: u64,
        cells: &[Bytes],
    ) -> Result<Result<(), Refusal>, StoreError> {
        // The slot's own row is made after this and may not fail for want of room.
        let size: u64 = cells.iter().map(|cell| cell.len() as u64).sum();
        let new_slot = self.slots.get((row.serial, slot))?.is_none();
        let rows = if new_slot { SLOT_BYTES } else { 0 };
        if let Err(refusal) = self.take(row.account, size + rows, 0)? {
            return Ok(Err(refusal));
        }
        self.give_back(row.account, rows, 0)?;
        let until = self.until(row.made.ttl_seconds);
        let old = self
            .values
            .insert(
                (row.serial, slot),
                value_row(until, row.account, cells).as_slice(),
            )?
            .map(|old| split(old.value()).map(|(time, _, cells)| (time, cells.len() as u64)))
            .transpose()?;
        let id = serial_id(row.serial);
        if let Some((time, bytes)) = old {
            self.expiry.remove((time, EXPIRES_VALUE, &id, slot))?;
            self.give_back(row.account, bytes, 0)?;
        }
        self.expiry.insert((until, EXPIRES_VALUE, &id, slot), ())?;
        self.wrote(row, slot.saturating_add(1))?;
        Ok(Ok(()))
    }

    fn account_put(&mut self, account: &Account) -> Result<Outcome, StoreError> {
        if account.name.is_empty() || account.key_hash.len() != 32 {
            return Ok(Refusal::MALFORMED.into());
        }
        let mut id = None;
        for row in self.accounts.iter()? {
            let (known, row) = row?;
            let other = Account::decode(row.value()).map_err(|_| StoreError::Damaged)?;
            if other.name == account.name {
                id = Some(known.value());
            } else if other.key_hash == account.key_hash {
                return Ok(Refusal::CONFLICT.into());
            }
        }
        let id = match id {
            Some(id) => id,
            None => self.next("account")?,
        };
        self.accounts
            .insert(id, account.encode_to_vec().as_slice())?;
        self.changes.accounts = true;
        Ok(Outcome::Done)
    }

    /// Deletes the lanes and blobs that an account pays for.
    fn account_clear(&mut self, account: AccountId) -> Result<Outcome, StoreError> {
        let mut lanes = Vec::new();
        for row in self.lanes.iter()? {
            let (lane, row) = row?;
            let row = LaneRow::decode(row.value()).map_err(|_| StoreError::Damaged)?;
            if account != 0 && row.account == account {
                lanes.push(*lane.value());
            }
        }
        for lane in &lanes {
            self.lane_delete(lane)?;
        }
        self.let_go_all(account)?;
        Ok(Outcome::Done)
    }

    fn is_in_order(
        &self,
        serial: Serial,
        slot: u64,
        acceptors: u32,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let end = self.position(serial)?.end;
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
    fn may_ask(&self, serial: Serial, slot: u64, writer: usize) -> bool {
        let (mut members, now) = (self.members.lock(), Instant::now());
        if writer == 0 {
            members.retain(|_, (_, asked)| now.saturating_duration_since(*asked) < MEMBER_FIRST);
            members.insert(serial, (slot, now));
            return true;
        }
        !members.get(&serial).is_some_and(|(asked_slot, asked)| {
            *asked_slot == slot && now.saturating_duration_since(*asked) < MEMBER_FIRST
        })
    }

    fn put_slot(
        &mut self,
        row: &LaneRow,
        slot: u64,
        state: &SlotState,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let key = (row.serial, slot);
        if self.slots.get(key)?.is_none()
            && let Err(refusal) = self.take(row.account, SLOT_BYTES, 0)?
        {
            return Ok(Err(refusal));
        }
        let promise = Promise {
            slot,
            ballot: Some(state.promised.clone()),
            accepted: state.accepted.clone(),
        };
        self.slots.insert(key, promise.encode_to_vec().as_slice())?;
        self.wrote(row, 0)?;
        Ok(Ok(()))
    }

    /// A lane as it is after what was applied so far.
    pub(super) fn lane(&self, lane: &LaneId) -> Result<Option<Lane>, StoreError> {
        Ok(lane_row(&self.lanes, lane)?.map(LaneRow::into_lane))
    }

    /// Where a lane stands that there is.
    pub(super) fn position(&self, serial: Serial) -> Result<Position, StoreError> {
        let row = self.positions.get(serial)?.ok_or(StoreError::Damaged)?;
        Ok(row.value().into())
    }

    /// Notes a write to a slot lane, whose next number is at least `end` now.
    fn wrote(&mut self, row: &LaneRow, end: u64) -> Result<(), StoreError> {
        let mut position = self.position(row.serial)?;
        position.end = position.end.max(end);
        position.written = self.now;
        self.positions.insert(row.serial, position.row())?;
        Ok(())
    }

    /// Counts what is about to be written, or says why it may not be.
    pub(super) fn take(
        &mut self,
        account: AccountId,
        bytes: u64,
        lanes: u64,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let stored = self.changes.stored.saturating_add(self.beside);
        if stored.saturating_add(bytes) > self.bytes_max {
            return Ok(Err(Refusal::STORAGE));
        }
        if let Err(refusal) = self.charge(account, bytes, lanes)? {
            return Ok(Err(refusal));
        }
        self.changes.stored += bytes;
        Ok(Ok(()))
    }

    /// Counts what is gone.
    pub(super) fn give_back(
        &mut self,
        account: AccountId,
        bytes: u64,
        lanes: u64,
    ) -> Result<(), StoreError> {
        self.changes.stored = self.changes.stored.saturating_sub(bytes);
        self.refund(account, bytes, lanes)
    }

    /// Counts what an account is to pay for, or says why it cannot.
    pub(super) fn charge(
        &mut self,
        account: AccountId,
        bytes: u64,
        lanes: u64,
    ) -> Result<Result<(), Refusal>, StoreError> {
        if account == 0 {
            return Ok(Ok(()));
        }
        let terms = match self.accounts.get(account)? {
            Some(row) => Account::decode(row.value()).map_err(|_| StoreError::Damaged)?,
            None => return Ok(Err(Refusal::QUOTA)),
        };
        let mut usage = self.usage(account)?;
        usage.bytes = usage.bytes.saturating_add(bytes);
        usage.lanes = usage.lanes.saturating_add(lanes);
        let held = usage.bytes.saturating_add(self.log.account_bytes(account));
        if held > terms.bytes_max || usage.lanes > terms.lanes_max {
            return Ok(Err(Refusal::QUOTA));
        }
        self.set_usage(account, usage)?;
        Ok(Ok(()))
    }

    /// Counts what an account does not pay for any more.
    pub(super) fn refund(
        &mut self,
        account: AccountId,
        bytes: u64,
        lanes: u64,
    ) -> Result<(), StoreError> {
        if account != 0 {
            let mut usage = self.usage(account)?;
            usage.bytes = usage.bytes.saturating_sub(bytes);
            usage.lanes = usage.lanes.saturating_sub(lanes);
            self.set_usage(account, usage)?;
        }
        Ok(())
    }

    fn set_usage(&mut self, account: AccountId, usage: Usage) -> Result<(), StoreError> {
        self.usage.insert(account, (usage.bytes, usage.lanes))?;
        self.changes.usage.insert(account, usage);
        Ok(())
    }

    fn usage(&self, account: AccountId) -> Result<Usage, StoreError> {
        let usage = self.usage.get(account)?;
        let (bytes, lanes) = usage.map_or((0, 0), |row| row.value());
        Ok(Usage { bytes, lanes })
    }

    /// A number that was never given before and never will be again.
    fn next(&mut self, name: &'static str) -> Result<u64, StoreError> {
        let next = self.numbers.get(name)?.map_or(1, |row| row.value());
        self.numbers.insert(name, next + 1)?;
        Ok(next)
    }

    pub(super) fn until(&self, ttl_seconds: u32) -> Millis {
        self.now.saturating_add(u64::from(ttl_seconds) * 1000)
    }
}

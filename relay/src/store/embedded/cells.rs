//! What a group does to logs and queues: numbers and repetitions, before anything is written.

use super::super::{
    AccountId, Lane, Millis, Outcome, StoreError,
    log::{Group, Log, Serial, Standing},
};
use crate::{config::Limits, refusal::Refusal};
use bytes::Bytes;
use std::collections::HashMap;
use ume_wire::{auth::Hash, relay::LaneKind};

/// The cells of one group while it is made.
pub(super) struct CellWrites<'a> {
    log: &'a Log,
    limits: &'a Limits,
    /// What there may be in all.
    bytes_max: u64,
    now: Millis,
    pub(super) group: Group,
    /// Where lanes will stand after what was taken so far.
    lanes: HashMap<Serial, Standing>,
    fresh: HashMap<(Serial, Hash), u64>,
    /// New bytes by who pays; all of them under 0.
    bytes: HashMap<AccountId, u64>,
}

impl<'a> CellWrites<'a> {
    pub(super) fn new(log: &'a Log, limits: &'a Limits, (now, bytes_max): (Millis, u64)) -> Self {
        Self {
            log,
            limits,
            bytes_max,
            now,
            group: Group::new(now),
            lanes: HashMap::new(),
            fresh: HashMap::new(),
            bytes: HashMap::new(),
        }
    }

    /// Bytes of cells in the store, with those of this group.
    pub(super) fn stored(&self) -> u64 {
        self.log.cell_bytes() + self.bytes.get(&0).copied().unwrap_or(0)
    }

    /// Appends a cell, unless the lane holds it already. `beside` is what is stored beside cells: in all, and of this
    /// account with what it may have at most.
    pub(super) fn append(
        &mut self,
        lane: &Lane,
        cell: (&Hash, &Bytes),
        beside: (u64, Option<(u64, u64)>),
        position: impl FnOnce() -> Result<Standing, StoreError>,
    ) -> Result<Outcome, StoreError> {
        let (hash, cell) = cell;
        let mut standing = self.standing(lane.serial, position)?;
        let known = match self.fresh.get(&(lane.serial, *hash)) {
            Some(seq) => Some(*seq),
            None => self.log.find(lane.serial, hash, self.now)?,
        };
        if let Some(seq) = known.filter(|seq| *seq >= standing.first) {
            return Ok(Outcome::Appended { seq, new: false });
        }
        if lane.new.kind == i32::from(LaneKind::Queue)
            && standing.end - standing.first >= self.limits.queue_cells
        {
            return Ok(Refusal::LIMIT.into());
        }
        let size = cell.len() as u64;
        let account = lane.account.unwrap_or(0);
        if beside.0 + self.stored() + size > self.bytes_max {
            return Ok(Refusal::STORAGE.into());
        }
        if let (Some((held, max)), true) = (beside.1, account != 0) {
            let pending = self.bytes.get(&account).copied().unwrap_or(0);
            if held + self.log.account_bytes(account) + pending + size > max {
                return Ok(Refusal::QUOTA.into());
            }
            *self.bytes.entry(account).or_default() += size;
        }
        *self.bytes.entry(0).or_default() += size;
        let seq = standing.end;
        standing.end += 1;
        self.lanes.insert(lane.serial, standing);
        self.fresh.insert((lane.serial, *hash), seq);
        self.group.append(
            (lane.serial, account),
            seq,
            *hash,
            cell.clone(),
            (self.now, lane.new.ttl_seconds),
        );
        Ok(Outcome::Appended { seq, new: true })
    }

    /// Takes everything up to a number out of a queue.
    pub(super) fn acknowledge(
        &mut self,
        serial: Serial,
        upto: u64,
        position: impl FnOnce() -> Result<Standing, StoreError>,
    ) -> Result<Outcome, StoreError> {
        let mut standing = self.standing(serial, position)?;
        let first = upto.saturating_add(1).min(standing.end);
        if first > standing.first {
            standing.first = first;
            self.lanes.insert(serial, standing);
            self.group.trim(serial, first);
        }
        Ok(Outcome::Done)
    }

    /// Leaves a deleted lane out.
    pub(super) fn forget(&mut self, serial: Serial) {
        self.group.forget(serial);
        self.lanes.remove(&serial);
    }

    fn standing(
        &self,
        serial: Serial,
        position: impl FnOnce() -> Result<Standing, StoreError>,
    ) -> Result<Standing, StoreError> {
        if let Some(standing) = self.lanes.get(&serial) {
            return Ok(*standing);
        }
        match self.log.standing(serial) {
            Some(standing) => Ok(standing),
            None => position(),
        }
    }
}

//! Devices that are woken by Web Push, and what they watch.
//!
//! A device counts for a fixed number of bytes that nobody pays for, and goes when it was not named for so long. One that
//! watches nothing goes after an hour: it would only take a place.

use super::super::{Device, DeviceId, DeviceWrite, Millis, Outcome, StoreError};
use super::apply::Applying;
use super::rows::{DEVICES, EXPIRES_DEVICE, WATCHERS, Watcher};
use crate::refusal::Refusal;
use bytes::Bytes;
use prost::Message;
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata};
use ume_wire::{auth::LaneId, limits::PUSH_WATCHES_MAX};

/// What a device with all that it watches counts for among the store's bytes.
const DEVICE_BYTES: u64 = 8 << 10;
/// A device that watches nothing is kept for so long.
const IDLE_MS: Millis = 3600 * 1000;
/// When a device goes is kept to the day, so that not every connection is noted.
const DAY_MS: Millis = 24 * 3600 * 1000;

/// A row of `devices`.
#[derive(Clone, PartialEq, Message)]
struct DeviceRow {
    #[prost(message, required, tag = "1")]
    device: Device,
    /// When it goes: the time of its row in `expiry`.
    #[prost(uint64, tag = "2")]
    until: Millis,
    /// What it watches, in the order in which it asked.
    #[prost(bytes = "bytes", repeated, tag = "3")]
    lanes: Vec<Bytes>,
}

impl DeviceRow {
    fn decode_row(bytes: &[u8]) -> Result<Self, StoreError> {
        Self::decode(bytes).map_err(|_| StoreError::Damaged)
    }

    /// Strikes a lane off; tells whether it was there.
    fn strike(&mut self, lane: &LaneId) -> bool {
        let before = self.lanes.len();
        self.lanes.retain(|other| other[..] != lane[..]);
        self.lanes.len() < before
    }
}

/// A device that there is.
pub(super) fn device(
    transaction: &ReadTransaction,
    id: &DeviceId,
) -> Result<Option<Device>, StoreError> {
    let row = transaction.open_table(DEVICES)?.get(id)?;
    let row = row.map(|row| DeviceRow::decode_row(row.value()));
    Ok(row.transpose()?.map(|row| row.device))
}

/// Who watches these lanes; each lane by its place.
pub(super) fn watchers(
    transaction: &ReadTransaction,
    lanes: &[LaneId],
) -> Result<Vec<(usize, DeviceId)>, StoreError> {
    let table = transaction.open_table(WATCHERS)?;
    let mut found = Vec::new();
    for (place, lane) in lanes.iter().enumerate() {
        for row in table.range(all_of(lane))? {
            let (key, _) = row?;
            found.push((place, *key.value().1));
        }
    }
    Ok(found)
}

fn all_of(lane: &LaneId) -> std::ops::RangeInclusive<Watcher<'_>> {
    (lane, &[0; 32])..=(lane, &[0xff; 32])
}

impl Applying<'_> {
    /// Applies a change of devices, or refuses it without a trace.
    pub(super) fn device(&mut self, write: &DeviceWrite) -> Result<Outcome, StoreError> {
        match write {
            DeviceWrite::Set(id, device) => self.device_set(id, device),
            DeviceWrite::Watch(id, lane) => self.device_watch(id, lane),
            DeviceWrite::Unwatch(id, lane) => self.device_unwatch(id, lane),
            DeviceWrite::End(id) => self.device_end(id),
            DeviceWrite::Gone(id, device) => match self.device_row(id)? {
                Some(row) if row.device == *device => self.device_end(id),
                _ => Ok(Outcome::Done),
            },
        }
    }

    fn device_set(&mut self, id: &DeviceId, device: &Device) -> Result<Outcome, StoreError> {
        let old = self.device_row(id)?;
        let made = old.is_none();
        let new = if let Some(old) = &old {
            DeviceRow {
                device: device.clone(),
                ..old.clone()
            }
        } else {
            if self.devices.len()? >= self.limits.push_devices {
                return Ok(Refusal::LIMIT.into());
            }
            if let Err(refusal) = self.take(0, DEVICE_BYTES, 0)? {
                return Ok(refusal.into());
            }
            DeviceRow {
                device: device.clone(),
                until: 0,
                lanes: Vec::new(),
            }
        };
        self.put_device(id, old.as_ref(), new)?;
        Ok(Outcome::Made(made))
    }

    fn device_watch(&mut self, id: &DeviceId, lane: &LaneId) -> Result<Outcome, StoreError> {
        let Some(old) = self.device_row(id)? else {
            return Ok(Refusal::DENIED.into());
        };
        if self.lanes.get(lane)?.is_none() {
            return Ok(Refusal::DENIED.into());
        }
        if self.watchers.get((lane, id))?.is_some() {
            return Ok(Outcome::Done);
        }
        let mut new = old.clone();
        // It may have watched another lane of this id, which is gone.
        new.strike(lane);
        while new.lanes.len() >= PUSH_WATCHES_MAX {
            let oldest = new.lanes.remove(0);
            let oldest = LaneId::try_from(&oldest[..]).map_err(|_| StoreError::Damaged)?;
            self.watchers.remove((&oldest, id))?;
        }
        new.lanes.push(Bytes::copy_from_slice(lane));
        self.watchers.insert((lane, id), ())?;
        self.put_device(id, Some(&old), new)?;
        Ok(Outcome::Done)
    }

    fn device_unwatch(&mut self, id: &DeviceId, lane: &LaneId) -> Result<Outcome, StoreError> {
        let Some(old) = self.device_row(id)? else {
            return Ok(Refusal::DENIED.into());
        };
        let mut new = old.clone();
        if new.strike(lane) {
            self.watchers.remove((lane, id))?;
            self.put_device(id, Some(&old), new)?;
        }
        Ok(Outcome::Done)
    }

    fn device_end(&mut self, id: &DeviceId) -> Result<Outcome, StoreError> {
        let Some(row) = self.device_row(id)? else {
            return Ok(Outcome::Done);
        };
        for lane in &row.lanes {
            let lane = LaneId::try_from(&lane[..]).map_err(|_| StoreError::Damaged)?;
            self.watchers.remove((&lane, id))?;
        }
        self.expiry.remove((row.until, EXPIRES_DEVICE, id, 0))?;
        self.devices.remove(id)?;
        self.give_back(0, DEVICE_BYTES, 0)?;
        Ok(Outcome::Done)
    }

    /// Removes a device if its own time has come: it may have been named since.
    pub(super) fn expire_device(&mut self, id: &DeviceId) -> Result<(), StoreError> {
        let row = self.device_row(id)?;
        if row.is_some_and(|row| row.until <= self.now) {
            self.device_end(id)?;
        }
        Ok(())
    }

    /// Nobody watches a lane that is gone.
    pub(super) fn forget_watchers(&mut self, lane: &LaneId) -> Result<(), StoreError> {
        let mut watching = Vec::new();
        for row in self.watchers.range(all_of(lane))? {
            let (key, _) = row?;
            watching.push(*key.value().1);
        }
        for id in &watching {
            self.watchers.remove((lane, id))?;
        }
        Ok(())
    }

    fn device_row(&self, id: &DeviceId) -> Result<Option<DeviceRow>, StoreError> {
        let row = self.devices.get(id)?;
        let row = row.map(|row| DeviceRow::decode_row(row.value()));
        row.transpose()
    }

    /// Writes a device that was named just now, unless it is as it was.
    fn put_device(
        &mut self,
        id: &DeviceId,
        old: Option<&DeviceRow>,
        mut new: DeviceRow,
    ) -> Result<(), StoreError> {
        let unused = u64::try_from(self.limits.push_unused.as_millis()).unwrap_or(u64::MAX);
        new.until = if new.lanes.is_empty() {
            self.now.saturating_add(IDLE_MS)
        } else {
            let until = self.now.saturating_add(unused);
            until.div_ceil(DAY_MS).saturating_mul(DAY_MS)
        };
        if old == Some(&new) {
            return Ok(());
        }
        if let Some(old) = old {
            self.expiry.remove((old.until, EXPIRES_DEVICE, id, 0))?;
        }
        self.expiry.insert((new.until, EXPIRES_DEVICE, id, 0), ())?;
        self.devices.insert(id, new.encode_to_vec().as_slice())?;
        Ok(())
    }
}

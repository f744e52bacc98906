//! Tables, and what their rows look like.

use super::super::{AccountId, Lane, Millis, StoreError};
use bytes::Bytes;
use prost::Message;
use redb::{ReadableTable, TableDefinition};
use ume_wire::{
    auth::LaneId,
    relay::{LaneNew, Promise},
};

pub(super) type Serial = u64;
/// Serial and number.
pub(super) type Numbered = (Serial, u64);
/// Blob and account.
pub(super) type Hold = (&'static [u8; 32], AccountId);
/// Lane and device.
pub(super) type Watcher<'a> = (&'a [u8; 32], &'a [u8; 32]);
/// Time, what, id, number.
pub(super) type Expiry = (Millis, u8, &'static [u8; 32], u64);

pub(super) const LANES: TableDefinition<'static, &[u8; 32], &[u8]> = TableDefinition::new("lanes");
pub(super) const POSITIONS: TableDefinition<'static, Serial, PositionRow> =
    TableDefinition::new("positions");
pub(super) const SLOTS: TableDefinition<'static, Numbered, &[u8]> = TableDefinition::new("slots");
pub(super) const VALUES: TableDefinition<'static, Numbered, &[u8]> = TableDefinition::new("values");
pub(super) const BLOBS: TableDefinition<'static, &[u8; 32], &[u8]> = TableDefinition::new("blobs");
pub(super) const HOLDS: TableDefinition<'static, Hold, Millis> = TableDefinition::new("holds");
pub(super) const EXPIRY: TableDefinition<'static, Expiry, ()> = TableDefinition::new("expiry");
pub(super) const GRAVES: TableDefinition<'static, Serial, AccountId> =
    TableDefinition::new("graves");
pub(super) const ACCOUNTS: TableDefinition<'static, AccountId, &[u8]> =
    TableDefinition::new("accounts");
pub(super) const USAGE: TableDefinition<'static, AccountId, (u64, u64)> =
    TableDefinition::new("usage");
pub(super) const DEVICES: TableDefinition<'static, &[u8; 32], &[u8]> =
    TableDefinition::new("devices");
pub(super) const WATCHERS: TableDefinition<'static, Watcher<'static>, ()> =
    TableDefinition::new("watchers");
pub(super) const NUMBERS: TableDefinition<'static, &str, u64> = TableDefinition::new("numbers");

/// Oldest kept number, next number, time of the last write, account.
pub(super) type PositionRow = (u64, u64, Millis, AccountId);

/// Where a lane stands. For a lane of cells as of the last segment that was sealed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Position {
    pub(super) first: u64,
    pub(super) end: u64,
    pub(super) written: Millis,
    pub(super) account: AccountId,
}

impl Position {
    pub(super) fn row(self) -> PositionRow {
        (self.first, self.end, self.written, self.account)
    }
}

impl From<PositionRow> for Position {
    fn from((first, end, written, account): PositionRow) -> Self {
        Self {
            first,
            end,
            written,
            account,
        }
    }
}

/// What a row of `expiry` is about. A value's serial stands in the first 8 bytes of the id.
pub(super) const EXPIRES_VALUE: u8 = 2;
/// Somebody's hold on a blob; the number is the account.
pub(super) const EXPIRES_HOLD: u8 = 3;
/// A lane that may have been idle for long enough; the number is its serial.
pub(super) const EXPIRES_LANE: u8 = 4;
/// A device that was not named for so long.
pub(super) const EXPIRES_DEVICE: u8 = 5;

/// Bytes of time and account in front of values.
const HEAD_BYTES: usize = 16;

/// A row of `lanes`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct LaneRow {
    #[prost(uint64, tag = "1")]
    pub(super) serial: Serial,
    /// 0: nobody pays.
    #[prost(uint64, tag = "2")]
    pub(super) account: AccountId,
    /// As it was made, so that asking for the same again is recognised.
    #[prost(message, required, tag = "3")]
    pub(super) made: LaneNew,
    /// The writers that its owner has set since.
    #[prost(bytes = "bytes", repeated, tag = "4")]
    pub(super) writers: Vec<Bytes>,
    /// When it is looked at whether it is still used: the time of its row in `expiry`.
    #[prost(uint64, tag = "5")]
    pub(super) look: Millis,
}

impl LaneRow {
    pub(super) fn into_lane(self) -> Lane {
        let mut new = self.made;
        if !self.writers.is_empty() {
            new.writers = self.writers;
        }
        Lane {
            new,
            serial: self.serial,
            account: (self.account != 0).then_some(self.account),
        }
    }
}

pub(super) fn lane_row(
    lanes: &impl ReadableTable<&'static [u8; 32], &'static [u8]>,
    lane: &LaneId,
) -> Result<Option<LaneRow>, StoreError> {
    let Some(row) = lanes.get(lane)? else {
        return Ok(None);
    };
    LaneRow::decode(row.value())
        .map(Some)
        .map_err(|_| StoreError::Damaged)
}

pub(super) fn slot_row(
    slots: &impl ReadableTable<Numbered, &'static [u8]>,
    key: Numbered,
) -> Result<crate::slot::SlotState, StoreError> {
    let Some(row) = slots.get(key)? else {
        return Ok(crate::slot::SlotState::default());
    };
    let state = Promise::decode(row.value()).map_err(|_| StoreError::Damaged)?;
    Ok(crate::slot::SlotState {
        promised: state.ballot.unwrap_or_default(),
        accepted: state.accepted,
    })
}

/// A serial in the place of an id in `expiry`.
pub(super) fn serial_id(serial: Serial) -> [u8; 32] {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&serial.to_be_bytes());
    id
}

/// The serial that stands in the place of an id.
pub(super) fn id_serial(id: &[u8; 32]) -> Serial {
    let mut serial = [0; 8];
    serial.copy_from_slice(&id[..8]);
    Serial::from_be_bytes(serial)
}

/// A row of `values`: time of expiry, account, cells.
pub(super) fn value_row(until: Millis, account: AccountId, cells: &[Bytes]) -> Vec<u8> {
    let length: usize = cells.iter().map(Bytes::len).sum();
    let mut row = Vec::with_capacity(HEAD_BYTES + length);
    row.extend_from_slice(&until.to_le_bytes());
    row.extend_from_slice(&account.to_le_bytes());
    for cell in cells {
        row.extend_from_slice(cell);
    }
    row
}

/// The parts of a [`value_row`].
pub(super) fn split(row: &[u8]) -> Result<(Millis, AccountId, &[u8]), StoreError> {
    let (until, rest) = row.split_first_chunk::<8>().ok_or(StoreError::Damaged)?;
    let (account, cells) = rest.split_first_chunk::<8>().ok_or(StoreError::Damaged)?;
    Ok((
        Millis::from_le_bytes(*until),
        AccountId::from_le_bytes(*account),
        cells,
    ))
}

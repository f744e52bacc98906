//! What is on disk, behind a trait that another engine could fill as well.
//!
//! Writes come in groups and are durable when [`Store::apply`] returns; reads see the last durable state and never wait
//! for a writer.

mod device;
mod disk;
mod embedded;
mod log;
#[cfg(test)]
mod measure;
#[cfg(test)]
mod tests;

pub(crate) use device::{Device, DeviceId, DeviceWrite};
pub(crate) use embedded::EmbeddedStore;

use crate::{refusal::Refusal, slot::SlotState};
use bytes::Bytes;
use std::{path::Path, sync::Arc};
use ume_wire::{
    auth::{Hash, LaneId},
    relay::{Ballot, LaneNew, Vote},
};

/// Why the store fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The engine fails: disk full, disk broken, or another process has the store open.
    #[error("the store fails: {0}")]
    Engine(#[source] Box<redb::Error>),
    /// A row is not what this program wrote: a damaged disk or a foreign file.
    #[error("the store holds a damaged row")]
    Damaged,
    /// The store was written by another version.
    #[error("the store has format {0}, which this version does not know")]
    Format(u64),
    /// The engine failed before and could not be opened again yet.
    #[error("the store is closed after a failure")]
    Closed,
    /// The relay stops before something long was done.
    #[error("the relay stops; what was begun is undone")]
    Stopped,
    /// A file of the store or of a backup cannot be used.
    #[error("a file of the store fails: {0}")]
    File(#[from] std::io::Error),
}

/// Says whether something long is to be given up.
pub(crate) type Stopping<'a> = &'a dyn Fn() -> bool;

/// Milliseconds since 1970.
pub(crate) type Millis = u64;

/// Who pays for lanes and blobs: given by the store, never twice, and never 0.
pub(crate) type AccountId = u64;

/// What was agreed with somebody who holds an access key.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Account {
    /// What the operator calls it; no two have the same.
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    /// SHA-256 of the access key.
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) key_hash: Bytes,
    #[prost(uint64, tag = "3")]
    pub(crate) bytes_max: u64,
    #[prost(uint64, tag = "4")]
    pub(crate) lanes_max: u64,
    #[prost(uint64, tag = "5")]
    pub(crate) made: Millis,
    /// From then on the key opens nothing; 0: never.
    #[prost(uint64, tag = "6")]
    pub(crate) until: Millis,
    #[prost(bool, tag = "7")]
    pub(crate) revoked: bool,
}

/// What an account holds at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    pub(crate) bytes: u64,
    pub(crate) lanes: u64,
}

/// A lane as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lane {
    /// With the writers that it has now; without work and access key.
    pub(crate) new: LaneNew,
    /// Tells this lane from all that ever were, also from an earlier one with the same id.
    pub(crate) serial: u64,
    /// Who pays for it.
    pub(crate) account: Option<AccountId>,
}

/// How much there is, of everything together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Stats {
    pub(crate) lanes: u64,
    /// Cells of logs and queues that are live.
    pub(crate) cells: u64,
    /// What counts towards the store's limit.
    pub(crate) bytes: u64,
    pub(crate) segments: u64,
    /// What the store's files take on disk.
    pub(crate) disk_bytes: u64,
    /// What the file system has left.
    pub(crate) free_bytes: u64,
    /// Records found damaged since the start: skipped, never served.
    pub(crate) damaged: u64,
    /// Devices that are woken by Web Push.
    pub(crate) devices: u64,
}

/// Something to write.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    LaneNew {
        new: LaneNew,
        account: Option<AccountId>,
    },
    LaneKeys {
        lane: LaneId,
        writers: Vec<Bytes>,
    },
    LaneDelete(LaneId),
    Append {
        lane: LaneId,
        hash: Hash,
        cell: Bytes,
    },
    Acknowledge {
        lane: LaneId,
        upto: u64,
    },
    Prepare {
        lane: LaneId,
        slot: u64,
        ballot: Ballot,
        writer: usize,
    },
    Accept {
        lane: LaneId,
        slot: u64,
        vote: Vote,
        cells: Vec<Bytes>,
    },
    BlobPut {
        id: Hash,
        cells: Vec<Bytes>,
        ttl_seconds: u32,
        account: Option<AccountId>,
    },
    /// Somebody else wants a blob that is there, or the same one for longer.
    BlobTouch {
        id: Hash,
        ttl_seconds: u32,
        account: Option<AccountId>,
    },
    /// Makes the account of this name, or gives it other terms.
    AccountPut(Account),
    /// Deletes the lanes and blobs that it pays for.
    AccountClear(AccountId),
    /// About devices that are woken by Web Push.
    Device(DeviceWrite),
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Done,
    /// Done, and whether there was nothing before.
    Made(bool),
    Appended {
        seq: u64,
        new: bool,
    },
    Promised {
        slot: u64,
        ballot: Ballot,
        accepted: Option<Vote>,
    },
    Accepted {
        lane: LaneId,
        slot: u64,
        ballot: Ballot,
        value_hash: Bytes,
        new: bool,
    },
    Refused(Refusal),
}

/// Cells of a log or queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cells {
    pub(crate) items: Vec<(u64, Bytes)>,
    /// Oldest number before `upto` and `end` that is still kept, or the lower of the two.
    pub(crate) first: u64,
    /// Number that follows the last one looked at.
    pub(crate) next: u64,
    /// Number that the next new cell will get.
    pub(crate) end: u64,
}

/// A value with its vote.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Value {
    pub(crate) slot: u64,
    pub(crate) vote: Vote,
    /// All cells, one after the other.
    pub(crate) cells: Bytes,
}

/// Values of a slot lane.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Values {
    pub(crate) items: Vec<Value>,
    pub(crate) first: u64,
    pub(crate) next: u64,
    pub(crate) end: u64,
}

/// Some cells of a blob.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BlobPart {
    /// How many the blob has.
    pub(crate) total: usize,
    /// The cells that were asked for, one after the other.
    pub(crate) cells: Bytes,
}

/// A relay's memory.
pub(crate) trait Store: Send + Sync {
    /// Does all of this, in order, and returns once it is durable. A write that the state does not allow is refused by its
    /// outcome and changes nothing. After an error nothing may be acknowledged: some of the group may have been written,
    /// as when an answer is lost, and none of it harms whoever asks again.
    fn apply(&self, now: Millis, writes: &[Write]) -> Result<Vec<Outcome>, StoreError>;

    /// One short slice of upkeep: removes about `max` rows whose time has come, or moves as many cells together; tells
    /// whether there is more to do.
    fn expire(&self, now: Millis, max: usize) -> Result<bool, StoreError>;

    /// Tries to come back after a failure.
    fn reopen(&self) -> Result<(), StoreError>;

    /// A lane that there is.
    fn lane(&self, lane: &LaneId) -> Result<Option<Arc<Lane>>, StoreError>;

    /// At most `max` cells with numbers in `from..upto`.
    fn cells(
        &self,
        now: Millis,
        lane: &LaneId,
        from: u64,
        upto: u64,
        max: usize,
    ) -> Result<Cells, StoreError>;

    /// Values of slots in `from..upto`, with `max_cells` cells in all, but at least one value.
    fn values(
        &self,
        now: Millis,
        lane: &LaneId,
        from: u64,
        upto: u64,
        max_cells: usize,
    ) -> Result<Values, StoreError>;

    /// Number that the next new cell or value will get; 1 without such a lane.
    fn end(&self, lane: &LaneId) -> Result<u64, StoreError>;

    /// What is promised and accepted for a slot.
    fn slot(&self, lane: &LaneId, slot: u64) -> Result<SlotState, StoreError>;

    /// Up to `max` cells of a blob from an index on.
    fn blob(
        &self,
        now: Millis,
        id: &Hash,
        from: usize,
        max: usize,
    ) -> Result<Option<BlobPart>, StoreError>;

    /// How many cells a blob has, if there is such a blob.
    fn blob_cells(&self, now: Millis, id: &Hash) -> Result<Option<usize>, StoreError>;

    /// The account whose access key has this SHA-256.
    fn account(&self, key_hash: &Hash) -> Option<(AccountId, Account)>;

    /// All accounts and what they hold, in the order in which they were made.
    fn accounts(&self) -> Result<Vec<(AccountId, Account, Usage)>, StoreError>;

    /// A device that is woken by Web Push.
    fn device(&self, id: &DeviceId) -> Result<Option<Device>, StoreError>;

    /// Which devices watch these lanes; each lane by its place in the list.
    fn watchers(&self, lanes: &[LaneId]) -> Result<Vec<(usize, DeviceId)>, StoreError>;

    /// Totals.
    fn stats(&self) -> Result<Stats, StoreError>;

    /// Whether the disk has so little room left that nothing new is stored.
    fn is_short(&self) -> bool;

    /// Does all upkeep that there is, now.
    fn gc(&self, now: Millis, stopping: Stopping<'_>) -> Result<(), StoreError>;

    /// Writes a copy of one moment into an empty or missing directory, while everything goes on. It can be opened as a
    /// store once this returns; after an error nothing of it is left.
    fn backup(&self, to: &Path, stopping: Stopping<'_>) -> Result<(), StoreError>;
}

//! What is on disk, behind a trait that another engine could fill as well.
//!
//! Writes come in groups and are durable when [`Store::apply`] returns; reads see the last durable state and never wait
//! for a writer.

mod embedded;

pub(crate) use embedded::EmbeddedStore;

use crate::{refusal::Refusal, slot::SlotState};
use bytes::Bytes;
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
}

/// Milliseconds since 1970.
pub(crate) type Millis = u64;

/// Something to write.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    LaneNew(LaneNew),
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
    },
    BlobTouch {
        id: Hash,
        ttl_seconds: u32,
    },
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Done,
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
    /// Does all of this in one transaction, in order, and returns once it is durable. A write that the state does not
    /// allow is refused by its outcome and changes nothing; an error means that nothing at all was written.
    fn apply(&self, now: Millis, writes: &[Write]) -> Result<Vec<Outcome>, StoreError>;

    /// Removes up to `max` rows whose time has come; tells whether there may be more.
    fn expire(&self, now: Millis, max: usize) -> Result<bool, StoreError>;

    /// Tries to come back after a failure.
    fn reopen(&self) -> Result<(), StoreError>;

    /// A lane as it was made.
    fn lane(&self, lane: &LaneId) -> Result<Option<LaneNew>, StoreError>;

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

    /// Number that the next new cell or value will get.
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

    /// Whether there is such a blob.
    fn has_blob(&self, now: Millis, id: &Hash) -> Result<bool, StoreError>;
}

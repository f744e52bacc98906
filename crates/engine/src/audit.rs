//! What a test may compare between devices: public facts and counts, no keys.

pub use crate::community::Void;
pub use crate::entry::Refusal;
pub use crate::ledger::LedgerError;
pub use crate::pack::BadPack;

use std::collections::{BTreeMap, BTreeSet};
use ume_api::{Departure, EntryId};
use ume_wire::auth::Hash;

/// The state of one community on one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Ledger hash with which the group began anew, the last time.
    pub reborn: Option<Hash>,
    /// Generation that the last record led to.
    pub generation: u32,
    /// The last slot judged.
    pub slot: u64,
    /// Hash of the last record that held.
    pub record: Hash,
    /// Ledger hash.
    pub ledger: Hash,
    /// Statements in the ledger.
    pub ledger_length: u32,
    /// Epoch of the group, if there is one.
    pub epoch: Option<u64>,
    /// Equal on two devices exactly if they agree on everything in their epoch (RFC 9420, section 8.7).
    pub authenticator: Option<Vec<u8>>,
    /// All entries here in their order, and whether each still waits for a relay.
    pub entries: Vec<(EntryId, bool)>,
    /// The posts among them with a hash of their texts, owners and ends, as they are shown.
    pub posts: BTreeMap<EntryId, Hash>,
    /// Whether and how this person's membership ended.
    pub departed: Option<Departure>,
    /// The latest point of the ledger that an entry here was written at.
    pub newest_point: u32,
    /// Up to date as of the last word with the relay.
    pub live: bool,
    /// Rows in the outbox.
    pub unsettled: usize,
    /// Entries known to be missing.
    pub missing: usize,
    /// Entries of this device that stand nowhere else.
    pub refused: usize,
    /// All entries of this device that did stand and do not any longer.
    pub marked: BTreeSet<EntryId>,
    /// What was not taken since the engine was opened, by what it was and why, with how often. Differs from device to
    /// device: not everybody is shown the same forgeries.
    pub rejected: BTreeMap<Rejected, u32>,
}

/// What was not taken, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Rejected {
    /// A record of the commit lane: void for everybody alike.
    #[error("record: {0}")]
    Record(Void),
    /// An entry that is not what it says.
    #[error("entry: {0}")]
    Unsound(LedgerError),
    /// An entry that is sound and does not stand.
    #[error("entry: {0}")]
    Entry(Refusal),
    /// A pack that is not what its announcement says.
    #[error("pack: {0}")]
    Pack(BadPack),
    /// What a device said to its person's recovery.
    #[error("contest: {0}")]
    Contest(LedgerError),
    /// What somebody says who asks to come in.
    #[error("request: {0}")]
    Request(LedgerError),
}

/// Whether a community on one device is what its ledger makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// A hash of all that follows from the ledger here: people, roles, keys, rules, invites, offers, owners of posts.
    pub people: Hash,
    /// The same of the ledger replayed from nothing.
    pub replayed: Option<Hash>,
    /// Leaf keys of the devices that the ledger has in.
    pub devices: BTreeSet<Hash>,
    /// Leaf keys in the group, if there is one.
    pub group: Option<BTreeSet<Hash>>,
}

//! What a test may compare between devices: public facts and counts, no keys.

use ume_api::EntryId;
use ume_wire::auth::Hash;

/// The state of one community on one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// The last slot judged.
    pub slot: u64,
    /// Hash of the last record that held.
    pub record: Hash,
    /// Ledger hash.
    pub ledger: Hash,
    /// Epoch of the group, if there is one.
    pub epoch: Option<u64>,
    /// Equal on two devices exactly if they agree on everything in their epoch (RFC 9420, section 8.7).
    pub authenticator: Option<Vec<u8>>,
    /// All entries here in their order, and whether each still waits for a relay.
    pub entries: Vec<(EntryId, bool)>,
    /// Up to date as of the last word with the relay.
    pub live: bool,
    /// Rows in the outbox.
    pub unsettled: usize,
    /// Entries known to be missing.
    pub missing: usize,
}

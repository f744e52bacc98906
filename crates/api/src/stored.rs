//! What of a profile takes how much room on this device.

use serde::{Deserialize, Serialize};

/// What a table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kept {
    /// Who this profile is.
    Profile,
    /// The communities: who is in them, by which rules, how far this device is.
    Communities,
    /// The groups' keys.
    Keys,
    /// Posts and all else that people said.
    Posts,
    /// What no relay has taken yet.
    Outbox,
    /// Files of posts.
    Files,
}

/// One table of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StoredView {
    /// What it holds.
    pub what: Kept,
    /// Its rows.
    pub rows: u32,
    /// Their bytes, sealed as they are, without what the browser adds.
    pub bytes: u64,
}

//! What an operator asks of a relay: access keys, totals, backup, upkeep.
//!
//! A relay that runs answers on a Unix socket in its data directory, which only its own user and root may use. Where none
//! runs, the command opens the store itself. Either way [`Desk`] does the work.
//!
//! On the socket a question and an answer are each a length (4 bytes, little endian) and so many bytes of JSON: one
//! question for each connection.

mod ask;
mod desk;
mod restore;
mod running;
mod show;
mod socket;

pub use ask::ask;
pub(crate) use desk::{Desk, Running};
pub use restore::{RestoreError, restore};
pub(crate) use running::AtWork;
pub(crate) use socket::Socket;

use serde::{Deserialize, Serialize};
use std::{io, path::PathBuf};
use zeroize::Zeroizing;

/// The socket's name in the data directory.
const SOCKET: &str = "admin.sock";
/// Longest question.
const QUESTION_BYTES_MAX: usize = 16 << 10;
/// Longest answer.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// Bytes of a length.
const LENGTH_BYTES: usize = 4;

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Question {
    /// A new access key.
    Issue {
        /// What the operator calls it.
        name: String,
        /// What it is good for.
        terms: Terms,
    },
    /// All access keys.
    List,
    /// Other terms for an access key.
    Set {
        /// Its name.
        name: String,
        /// What changes.
        terms: Terms,
    },
    /// Nothing new is made with an access key any more.
    Revoke {
        /// Its name.
        name: String,
        /// Whether what it paid for goes at once.
        delete: bool,
    },
    /// Totals.
    Stats,
    /// A copy of the store as it is at one moment, with the relay's key.
    Backup {
        /// A directory that is empty or missing; an absolute path.
        to: PathBuf,
    },
    /// All upkeep that there is, now.
    Gc,
}

/// What an access key is good for. What is not said stays, or has its default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Bytes that may be stored with it.
    pub bytes: Option<u64>,
    /// Lanes that may be made with it.
    pub lanes: Option<u64>,
    /// Milliseconds since 1970 from which on it opens nothing; 0: never.
    pub until_ms: Option<u64>,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The new access key. It is shown this once.
    Key(Zeroizing<String>),
    /// All access keys.
    Keys(Vec<KeyLine>),
    /// Totals.
    Totals(Totals),
    /// It is done.
    Done,
    /// Why it was not done.
    Failed(String),
}

/// One access key in a list. What it is cannot be told any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLine {
    /// What the operator calls it.
    pub name: String,
    /// Bytes stored with it, and how many may be.
    pub bytes: u64,
    /// How many may be.
    pub bytes_max: u64,
    /// Lanes made with it that are still there.
    pub lanes: u64,
    /// How many there may be.
    pub lanes_max: u64,
    /// When it was issued, in milliseconds since 1970.
    pub made_ms: u64,
    /// From when on it opens nothing; 0: never.
    pub until_ms: u64,
    /// Whether it was taken back.
    pub revoked: bool,
}

/// Numbers about everything together; nothing about single lanes, keys or people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Of the program.
    pub version: String,
    /// What only a relay that runs can say.
    pub running: Option<RunningTotals>,
    /// Lanes that there are.
    pub lanes: u64,
    /// Cells of logs and queues.
    pub cells: u64,
    /// Bytes that count towards the limit.
    pub bytes: u64,
    /// Files of the log.
    pub segments: u64,
    /// Bytes of all files of the store.
    pub disk_bytes: u64,
    /// Bytes that the file system has left.
    pub free_bytes: u64,
    /// Records found damaged since the start; they are not served.
    pub damaged: u64,
    /// Access keys that are good.
    pub access_keys: u64,
}

/// What only a relay that runs can say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningTotals {
    /// Seconds since it started.
    pub uptime_seconds: u64,
    /// Connections that are open.
    pub connections: u64,
    /// Bytes that the store may hold.
    pub bytes_max: u64,
    /// Lanes that the store may hold.
    pub lanes_max: u64,
    /// Work that a new lane takes at the moment.
    pub work_bits: u32,
    /// Whether lanes and blobs take an access key.
    pub access_needed: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// Nothing of a relay is in the directory.
    #[error("no relay has run in {0} yet")]
    NoRelay(PathBuf),
    /// The socket is there and fails.
    #[error("cannot speak with the relay that runs: {0}")]
    Socket(#[source] io::Error),
    /// Something else than an answer came.
    #[error("the relay that runs answers in another way: it is of another version")]
    Other,
    /// The relay refuses, or failed.
    #[error("{0}")]
    Failed(String),
    /// No relay runs, and the store does not open.
    #[error("no relay answers in the data directory, and its store does not open: {0}")]
    Store(#[from] crate::StoreError),
    /// No relay runs, and its key cannot be used.
    #[error(transparent)]
    Identity(#[from] crate::IdentityError),
}

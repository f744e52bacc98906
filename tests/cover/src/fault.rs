//! What goes wrong in the harness itself.

use std::{io, path::PathBuf};

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// A file could not be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// The network of this machine.
    #[error(transparent)]
    Network(#[from] io::Error),
    /// A trace is not one.
    #[error(transparent)]
    Trace(#[from] crate::trace::Malformed),
    /// Bars are missed, or controls were not caught.
    #[error("{0} rows of the tables fail")]
    Failed(usize),
    /// Anything else, in words.
    #[error("{0}")]
    Text(String),
}

/// What came of it, or why nothing did.
pub(crate) type Result<T = ()> = std::result::Result<T, Fault>;

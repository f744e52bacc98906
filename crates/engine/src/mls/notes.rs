//! What we remember about a group beside what OpenMLS stores: one row of our own.

use serde::{Deserialize, Serialize};

use super::MlsError;
use super::rows::{Kind, Rows};

/// Our own row.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Notes {
    /// SHA-256 of the external commit by which this device joins, until it is known to be chosen.
    pub(super) joining: Option<[u8; 32]>,
    /// The first epoch of this device: messages of earlier ones were never for it.
    pub(super) first_epoch: u64,
}

impl Notes {
    /// Of a device whose membership begins with this epoch.
    pub(super) fn new(first_epoch: u64, joining: Option<[u8; 32]>) -> Self {
        Self {
            joining,
            first_epoch,
        }
    }

    /// Reads the row.
    pub(super) fn read(rows: &Rows) -> Result<Self, MlsError> {
        rows.get(Kind::Notes)
            .map_err(|error| MlsError::Stored(error.to_string()))?
            .ok_or_else(|| MlsError::Stored("no notes".into()))
    }

    /// Writes the row.
    pub(super) fn write(&self, rows: &Rows) -> Result<(), MlsError> {
        rows.put(Kind::Notes, self).map_err(MlsError::refused)
    }
}

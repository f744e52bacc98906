//! What we remember about a group beside what OpenMLS stores: one row of our own.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::rows::{Kind, Rows};
use super::{MlsError, PAST_EPOCHS};

/// Index of a leaf, and its key.
type Leaf = (u32, [u8; 32]);

/// Our own row.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Notes {
    /// SHA-256 of the external commit by which this device joins, until it is known to be chosen.
    pub(super) joining: Option<[u8; 32]>,
    /// The first epoch of this device: messages of earlier ones were never for it.
    pub(super) first_epoch: u64,
    /// Leaf keys in past epochs, oldest first: OpenMLS keeps them but does not tell.
    past: VecDeque<(u64, Vec<Leaf>)>,
}

impl Notes {
    /// Of a device whose membership begins with this epoch.
    pub(super) fn new(first_epoch: u64, joining: Option<[u8; 32]>) -> Self {
        Self {
            joining,
            first_epoch,
            past: VecDeque::new(),
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

    /// Remembers the leaf keys of an epoch that ends, and forgets the oldest.
    pub(super) fn end_epoch(&mut self, epoch: u64, leaves: Vec<Leaf>) {
        self.past.push_back((epoch, leaves));
        while self.past.len() > PAST_EPOCHS {
            self.past.pop_front();
        }
    }

    /// The key of a leaf in a past epoch.
    pub(super) fn leaf_key(&self, epoch: u64, index: u32) -> Option<[u8; 32]> {
        let (_, leaves) = self.past.iter().find(|(past, _)| *past == epoch)?;
        leaves
            .iter()
            .find(|(leaf, _)| *leaf == index)
            .map(|(_, key)| *key)
    }
}

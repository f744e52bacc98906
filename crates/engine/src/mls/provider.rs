//! What OpenMLS works with: RustCrypto, a seeded generator, and rows in memory whose changes can be taken out.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError, RwLock};

use openmls_memory_storage::MemoryStorage;
use openmls_rust_crypto::RustCrypto;
use openmls_traits::OpenMlsProvider;
use openmls_traits::random::OpenMlsRand;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};

/// One group's cryptography, randomness and rows.
#[derive(Debug)]
pub(super) struct Provider {
    crypto: RustCrypto,
    rand: SeededRand,
    storage: MemoryStorage,
    /// Hash of every row as it was handed out last.
    saved: BTreeMap<Vec<u8>, [u8; 32]>,
}

impl Provider {
    /// Without any rows.
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self::with_rows(HashMap::new(), seed)
    }

    /// With rows that are stored already.
    pub(super) fn with_rows(rows: HashMap<Vec<u8>, Vec<u8>>, seed: [u8; 32]) -> Self {
        let saved = rows
            .iter()
            .map(|(key, row)| (key.clone(), hash(row)))
            .collect();
        Self {
            crypto: RustCrypto::default(),
            rand: SeededRand(Mutex::new(ChaCha20Rng::from_seed(seed))),
            storage: MemoryStorage {
                values: RwLock::new(rows),
            },
            saved,
        }
    }

    /// What changed since the last call: a row to put, or `None` for one to delete.
    pub(super) fn take_changes(&mut self) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
        let rows = self
            .storage
            .values
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let mut changes = BTreeMap::new();
        for (key, row) in rows.iter() {
            let now = hash(row);
            if self.saved.insert(key.clone(), now) != Some(now) {
                changes.insert(key.clone(), Some(row.clone()));
            }
        }
        self.saved.retain(|key, _| {
            let kept = rows.contains_key(key);
            if !kept {
                changes.insert(key.clone(), None);
            }
            kept
        });
        changes
    }

    /// Puts a row of our own beside those of OpenMLS.
    pub(super) fn put(&self, key: &[u8], row: Vec<u8>) {
        self.storage
            .values
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.to_vec(), row);
    }
}

fn hash(row: &[u8]) -> [u8; 32] {
    Sha256::digest(row).into()
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = RustCrypto;
    type RandProvider = SeededRand;
    type StorageProvider = MemoryStorage;

    fn storage(&self) -> &MemoryStorage {
        &self.storage
    }

    fn crypto(&self) -> &RustCrypto {
        &self.crypto
    }

    fn rand(&self) -> &SeededRand {
        &self.rand
    }
}

/// A generator whose whole output follows from its seed.
#[derive(Debug)]
pub(super) struct SeededRand(Mutex<ChaCha20Rng>);

/// Randomness could not be had; does not happen with a seeded generator.
#[derive(Debug, thiserror::Error)]
#[error("no randomness")]
pub(super) struct NoRandomness;

impl OpenMlsRand for SeededRand {
    type Error = NoRandomness;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], NoRandomness> {
        let mut bytes = [0; N];
        self.0
            .lock()
            .map_err(|_| NoRandomness)?
            .fill_bytes(&mut bytes);
        Ok(bytes)
    }

    fn random_vec(&self, len: usize) -> Result<Vec<u8>, NoRandomness> {
        let mut bytes = vec![0; len];
        self.0
            .lock()
            .map_err(|_| NoRandomness)?
            .fill_bytes(&mut bytes);
        Ok(bytes)
    }
}

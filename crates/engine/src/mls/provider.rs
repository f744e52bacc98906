//! What OpenMLS works with: our suites' cryptography, a seeded generator, and a group's rows.

use std::sync::Mutex;

use openmls_traits::OpenMlsProvider;
use openmls_traits::random::OpenMlsRand;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore as _, SeedableRng as _};

use super::crypto::Crypto;
use super::rows::Rows;

/// One group's cryptography, randomness and rows.
#[derive(Debug)]
pub(super) struct Provider {
    crypto: Crypto,
    rand: SeededRand,
    rows: Rows,
}

impl Provider {
    /// With the rows to work on.
    pub(super) fn new(rows: Rows, seed: [u8; 32]) -> Self {
        Self {
            crypto: Crypto::default(),
            rand: SeededRand(Mutex::new(ChaCha20Rng::from_seed(seed))),
            rows,
        }
    }
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = Crypto;
    type RandProvider = SeededRand;
    type StorageProvider = Rows;

    fn storage(&self) -> &Rows {
        &self.rows
    }

    fn crypto(&self) -> &Crypto {
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

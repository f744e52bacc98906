use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce, Tag};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use rand_core::{CryptoRng, RngCore};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Version of the sealed record that is written; bound into each.
pub const RECORD_VERSION: u8 = 1;

const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const HEAD_BYTES: usize = 1 + NONCE_BYTES;
const LENGTH_BYTES: usize = 4;
const BUCKET_MIN: usize = 64;
const BUCKET_STEP: usize = 4096;
/// Longest id and longest value; far above anything that is stored, and well below what a length field can say.
const PART_BYTES_MAX: usize = 64 << 20;

/// A record was not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The id or the value is longer than 64 MiB. Cause: a bug in the caller.
    #[error("the record is too long to seal")]
    TooLong,
}

/// A record did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It was written by a newer version. Remedy: update; the record is fine.
    #[error("the record was sealed by a newer version")]
    Newer,
    /// It is not what was sealed under this key, table and name: a damaged disk, another profile's data, or an attack.
    #[error("the record does not open")]
    Damaged,
}

/// A record as the store keeps it. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRecord {
    /// The name of the row in its table.
    pub name: [u8; 32],
    /// The sealed id and value.
    pub value: Vec<u8>,
}

/// Seals and opens the records of one browser profile.
///
/// The vault key and all derived keys are wiped when dropped.
pub struct Vault {
    key: Zeroizing<[u8; 32]>,
}

impl Vault {
    /// A vault over a vault key of 32 uniformly random bytes.
    #[must_use]
    pub fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self { key }
    }

    /// The vault key, to be wrapped in a slot and for nothing else.
    #[must_use]
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The name that a row is stored under in a table.
    #[must_use]
    pub fn name(&self, table: &str, id: &[u8]) -> [u8; 32] {
        let key = self.derive(b"ume/1/vault/name", table);
        // HMAC takes keys of any length: this branch does not exist for 32 bytes.
        let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key.as_slice()) else {
            return [0; 32];
        };
        mac.update(id);
        mac.finalize().into_bytes().into()
    }

    /// Seals one row.
    ///
    /// # Errors
    /// [`SealError::TooLong`].
    pub fn seal<R: RngCore + CryptoRng>(
        &self,
        table: &str,
        id: &[u8],
        value: &[u8],
        rng: &mut R,
    ) -> Result<SealedRecord, SealError> {
        if id.len() > PART_BYTES_MAX || value.len() > PART_BYTES_MAX {
            return Err(SealError::TooLong);
        }
        let name = self.name(table, id);
        let mut nonce = [0; NONCE_BYTES];
        rng.fill_bytes(&mut nonce);

        let padded = bucket(2 * LENGTH_BYTES + id.len() + value.len());
        // Plaintext is written straight into the buffer that becomes the ciphertext, which never grows: no copy stays behind.
        let mut sealed = Vec::with_capacity(HEAD_BYTES + padded + TAG_BYTES);
        sealed.push(RECORD_VERSION);
        sealed.extend_from_slice(&nonce);
        for part in [id, value] {
            sealed.extend_from_slice(&length(part)?);
            sealed.extend_from_slice(part);
        }
        sealed.resize(HEAD_BYTES + padded, 0);
        let tag = self
            .cipher(table)
            .encrypt_in_place_detached(
                Nonce::from_slice(&nonce),
                &associated(table, &name, RECORD_VERSION),
                sealed.get_mut(HEAD_BYTES..).unwrap_or_default(),
            )
            .map_err(|_| SealError::TooLong)?;
        sealed.extend_from_slice(&tag);
        Ok(SealedRecord {
            name,
            value: sealed,
        })
    }

    /// Opens one row: its id and its value.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(
        &self,
        table: &str,
        name: &[u8; 32],
        sealed: &[u8],
    ) -> Result<(Vec<u8>, Vec<u8>), OpenError> {
        let (&version, rest) = sealed.split_first().ok_or(OpenError::Damaged)?;
        if version > RECORD_VERSION {
            return Err(OpenError::Newer);
        }
        if version != RECORD_VERSION || rest.len() < NONCE_BYTES + TAG_BYTES {
            return Err(OpenError::Damaged);
        }
        let (nonce, rest) = rest.split_at(NONCE_BYTES);
        let (body, tag) = rest.split_at(rest.len() - TAG_BYTES);
        let mut plain = Zeroizing::new(body.to_vec());
        self.cipher(table)
            .decrypt_in_place_detached(
                Nonce::from_slice(nonce),
                &associated(table, name, version),
                &mut plain,
                Tag::from_slice(tag),
            )
            .map_err(|_| OpenError::Damaged)?;
        let (id, rest) = part(&plain).ok_or(OpenError::Damaged)?;
        let (value, _padding) = part(rest).ok_or(OpenError::Damaged)?;
        Ok((id.to_vec(), value.to_vec()))
    }

    fn cipher(&self, table: &str) -> Aes256Gcm {
        let key = self.derive(b"ume/1/vault/seal", table);
        Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key.as_slice()))
    }

    fn derive(&self, label: &[u8], table: &str) -> Zeroizing<[u8; 32]> {
        let mut derived = Zeroizing::new([0; 32]);
        // Neither step can fail for 32 bytes in and 32 bytes out; a zero key would not open anything and is never stored.
        if let Ok(hkdf) = Hkdf::<Sha256>::from_prk(self.key.as_slice()) {
            let expanded =
                hkdf.expand_multi_info(&[label, &[0], table.as_bytes()], derived.as_mut_slice());
            debug_assert!(expanded.is_ok());
        }
        derived
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(..)")
    }
}

/// The padded size, in bytes, of a plaintext of `bytes` bytes.
#[must_use]
pub fn bucket(bytes: usize) -> usize {
    if bytes <= BUCKET_STEP {
        bytes.next_power_of_two().max(BUCKET_MIN)
    } else {
        bytes.div_ceil(BUCKET_STEP).saturating_mul(BUCKET_STEP)
    }
}

fn associated(table: &str, name: &[u8; 32], version: u8) -> Vec<u8> {
    let mut associated = Vec::with_capacity(LENGTH_BYTES + table.len() + name.len() + 1);
    // Tables have short constant names; the length keeps table and name apart whatever they are.
    associated.extend_from_slice(&u32::try_from(table.len()).unwrap_or(u32::MAX).to_le_bytes());
    associated.extend_from_slice(table.as_bytes());
    associated.extend_from_slice(name);
    associated.push(version);
    associated
}

fn length(part: &[u8]) -> Result<[u8; LENGTH_BYTES], SealError> {
    u32::try_from(part.len())
        .map(u32::to_le_bytes)
        .map_err(|_| SealError::TooLong)
}

fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests;

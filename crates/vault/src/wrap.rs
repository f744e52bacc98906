//! The keys that slots are wrapped under, and wrapping itself. The device's own key is not here: the browser keeps it and
//! does that wrapping.

use crate::{Argon2Params, Slot, SlotError, WrappedKey};
use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce, Tag};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use bip39::{Language, Mnemonic};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// Longest passphrase, bytes of UTF-8.
pub const PASSPHRASE_BYTES_MAX: usize = 1024;
/// How many recovery words there are: 128 bits and a checksum.
pub const WORDS: usize = 12;
/// Randomness behind the recovery words, bytes.
pub const WORDS_ENTROPY_BYTES: usize = 16;

const KEY_BYTES: usize = 32;

/// A slot was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnlockError {
    /// The key is another one: a mistyped passphrase, another profile's words, or a damaged slot. Which one cannot be told.
    #[error("the key does not open this slot")]
    Wrong,
    /// This is no row of recovery words: one of them is mistyped, missing, or in another place.
    #[error("these are no recovery words")]
    NoWords,
    /// There is no memory for Argon2id. Remedy: close something.
    #[error("there is too little memory")]
    Memory,
    /// The cost is out of bounds, or the passphrase is empty or too long.
    #[error("the passphrase or its cost is out of bounds")]
    Bounds,
}

impl From<SlotError> for UnlockError {
    fn from(_: SlotError) -> Self {
        Self::Bounds
    }
}

/// The key of a slot. Wiped when dropped.
pub struct SlotKey(Zeroizing<[u8; KEY_BYTES]>);

impl std::fmt::Debug for SlotKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SlotKey(..)")
    }
}

impl SlotKey {
    /// From a passphrase, by Argon2id (RFC 9106). Takes about a second on a phone, and `params.memory_kib` of memory, which is
    /// wiped afterwards.
    ///
    /// # Errors
    /// [`UnlockError::Bounds`], [`UnlockError::Memory`].
    pub fn from_passphrase(
        passphrase: &[u8],
        params: Argon2Params,
        salt: &[u8; 16],
    ) -> Result<Self, UnlockError> {
        if passphrase.is_empty() || passphrase.len() > PASSPHRASE_BYTES_MAX {
            return Err(UnlockError::Bounds);
        }
        let Argon2Params {
            memory_kib,
            passes,
            lanes,
        } = params.check()?;
        let params = Params::new(memory_kib, passes, lanes, Some(KEY_BYTES))
            .map_err(|_| UnlockError::Bounds)?;
        let mut memory = Vec::new();
        // A phone may refuse: an error is better than the end of the worker.
        memory
            .try_reserve_exact(params.block_count())
            .map_err(|_| UnlockError::Memory)?;
        memory.resize(params.block_count(), Block::new());
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        let made = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(passphrase, salt, key.as_mut_slice(), &mut memory);
        for block in &mut memory {
            block.zeroize();
        }
        made.map_err(|_| UnlockError::Bounds)?;
        Ok(Self(key))
    }

    /// From recovery words as a person types them: case and white space do not matter.
    ///
    /// # Errors
    /// [`UnlockError::NoWords`].
    pub fn from_words(typed: &str, salt: &[u8; 32]) -> Result<Self, UnlockError> {
        if typed.len() > PASSPHRASE_BYTES_MAX {
            return Err(UnlockError::NoWords);
        }
        let mut clean = Zeroizing::new(String::with_capacity(typed.len()));
        for word in typed.split_whitespace() {
            if !clean.is_empty() {
                clean.push(' ');
            }
            clean.extend(word.chars().map(|letter| letter.to_ascii_lowercase()));
        }
        let words = Mnemonic::parse_in_normalized(Language::English, &clean)
            .map_err(|_| UnlockError::NoWords)?;
        if words.word_count() != WORDS {
            return Err(UnlockError::NoWords);
        }
        let (mut entropy, length) = words.to_entropy_array();
        let key = expand(
            &Hkdf::<Sha256>::new(Some(salt), entropy.get(..length).unwrap_or_default()),
            b"ume/1/vault/words\0",
        );
        entropy.zeroize();
        Ok(key)
    }

    /// From the output of a passkey's PRF, which is random already.
    #[must_use]
    pub fn from_passkey(output: &[u8; 32], salt: &[u8; 32]) -> Self {
        expand(
            &Hkdf::<Sha256>::new(Some(salt), output),
            b"ume/1/vault/passkey\0",
        )
    }

    /// Puts the vault key into a slot, whose own wrapped key is written over.
    ///
    /// # Errors
    /// [`UnlockError::Bounds`], which AES-GCM has for what is longer than 64 GiB only.
    pub fn wrap(
        &self,
        mut slot: Slot,
        vault_key: &[u8; 32],
        nonce: [u8; 12],
    ) -> Result<Slot, UnlockError> {
        let associated = slot.associated();
        let mut sealed = [0; 48];
        let (body, tail) = sealed.split_at_mut(KEY_BYTES);
        body.copy_from_slice(vault_key);
        let tag =
            self.cipher()
                .encrypt_in_place_detached(Nonce::from_slice(&nonce), &associated, body);
        let Ok(tag) = tag else {
            sealed.zeroize();
            return Err(UnlockError::Bounds);
        };
        tail.copy_from_slice(&tag);
        if let Some(wrapped) = slot.wrapped_mut() {
            *wrapped = WrappedKey { nonce, sealed };
        }
        Ok(slot)
    }

    /// Takes the vault key out of a slot.
    ///
    /// # Errors
    /// [`UnlockError::Wrong`].
    pub fn unwrap(&self, slot: &Slot) -> Result<Zeroizing<[u8; 32]>, UnlockError> {
        let wrapped = slot.wrapped().ok_or(UnlockError::Wrong)?;
        let (body, tag) = wrapped.sealed.split_at(KEY_BYTES);
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        key.copy_from_slice(body);
        self.cipher()
            .decrypt_in_place_detached(
                Nonce::from_slice(&wrapped.nonce),
                &slot.associated(),
                key.as_mut_slice(),
                Tag::from_slice(tag),
            )
            .map_err(|_| UnlockError::Wrong)?;
        Ok(key)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(self.0.as_slice()))
    }
}

/// The recovery words of some randomness, with single spaces between them.
///
/// # Errors
/// [`UnlockError::NoWords`], which for this much randomness does not exist.
pub fn words(entropy: &[u8; WORDS_ENTROPY_BYTES]) -> Result<Zeroizing<String>, UnlockError> {
    let words = Mnemonic::from_entropy(entropy).map_err(|_| UnlockError::NoWords)?;
    // Long enough never to grow: the longest word has eight letters.
    let mut text = Zeroizing::new(String::with_capacity(WORDS * 9));
    for word in words.words() {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    Ok(text)
}

fn expand(hkdf: &Hkdf<Sha256>, info: &[u8]) -> SlotKey {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    // 32 bytes can always be had.
    let expanded = hkdf.expand(info, key.as_mut_slice());
    debug_assert!(expanded.is_ok());
    SlotKey(key)
}

#[cfg(test)]
mod tests;

//! What lies on disk: sealed records, the names they are kept under, and the slots that hold the vault key.
//!
//! No I/O and no browser here: bytes in, bytes out, randomness from the caller. The store that keeps the bytes sees
//! tables, counts, padded sizes and 32-byte names that mean nothing without the key.
//!
//! # Keys
//!
//! The *vault key* is 32 random bytes, made once per browser profile. Everything else is derived from it with
//! HKDF-SHA-256, expand step only (the vault key is uniform already), 32 bytes each. `info` is the label, a zero byte
//! and the name of the table:
//!
//! | label | ctx | key for |
//! |---|---|---|
//! | `ume/1/vault/seal` | table | AES-256-GCM over the table's records |
//! | `ume/1/vault/name` | table | HMAC-SHA-256 that turns a row's id into the name it is stored under |
//!
//! # A sealed record
//!
//! ```text
//! stored name  = HMAC-SHA-256(name key, id)                                  32 bytes
//! stored value = version u8 | nonce 12 | AES-256-GCM(seal key, plaintext) | tag 16
//! associated   = length of table u32 | table | stored name | version u8
//! plaintext    = length of id u32 | id | length of value u32 | value | zeros up to the bucket
//! ```
//!
//! Integers are little-endian. Buckets are powers of two from 64 bytes to 4 KiB, then multiples of 4 KiB. Nonces are 96
//! random bits: with 2^32 records written under one table's key the chance of a repeat is 2^-33, and a profile is far
//! below that. A record moved to another name or table, or with any bit changed, does not open. What sealing cannot show is that a
//! record was deleted or put back to an older state by somebody who writes to this disk.
//!
//! # Slots
//!
//! A [`Slot`] is one way to get the vault key back; see there for the bytes. A [`SlotKey`] wraps and unwraps it:
//!
//! | slot | its key |
//! |---|---|
//! | device | a key of the browser that cannot be extracted; not here |
//! | passphrase | Argon2id (version 0x13) of the passphrase and the salt, 32 bytes |
//! | passkey | HKDF-SHA-256 of the PRF's 32 bytes, salted, info `ume/1/vault/passkey` and a zero byte |
//! | words | HKDF-SHA-256 of the words' 16 bytes (BIP-39, English), salted, info `ume/1/vault/words` and a zero byte |
#![deny(missing_docs)]

mod record;
mod slot;
mod wrap;

pub use record::{OpenError, RECORD_VERSION, SealError, SealedRecord, Vault, bucket};
pub use slot::{
    Argon2Params, CREDENTIAL_BYTES_MAX, SLOTS_VERSION, Slot, SlotError, UNKNOWN_BYTES_MAX,
    WrappedKey, decode_slots, encode_slots,
};
pub use wrap::{PASSPHRASE_BYTES_MAX, SlotKey, UnlockError, WORDS, WORDS_ENTROPY_BYTES, words};

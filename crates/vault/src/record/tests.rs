use super::*;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};

fn vault(byte: u8) -> Vault {
    Vault::new(Zeroizing::new([byte; 32]))
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([7; 32])
}

#[test]
fn sizes_fall_into_buckets() {
    let expected = [
        (0, 64),
        (64, 64),
        (65, 128),
        (2049, 4096),
        (4096, 4096),
        (4097, 8192),
        (12_289, 16_384),
    ];
    for (bytes, padded) in expected {
        assert_eq!(bucket(bytes), padded, "{bytes}");
    }
}

#[test]
fn every_flipped_bit_is_an_error() {
    let vault = vault(1);
    let record = vault.seal("entry", b"id", b"value", &mut rng()).unwrap();
    for bit in 0..record.value.len() * 8 {
        let mut sealed = record.value.clone();
        sealed[bit / 8] ^= 1 << (bit % 8);
        assert!(
            vault.open("entry", &record.name, &sealed).is_err(),
            "value bit {bit}"
        );
    }
    for bit in 0..256 {
        let mut name = record.name;
        name[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            vault.open("entry", &name, &record.value),
            Err(OpenError::Damaged),
            "name bit {bit}"
        );
    }
}

#[test]
fn another_table_or_key_does_not_open() {
    let record = vault(1).seal("entry", b"id", b"value", &mut rng()).unwrap();
    assert_eq!(
        vault(1).open("outbox", &record.name, &record.value),
        Err(OpenError::Damaged)
    );
    assert_eq!(
        vault(2).open("entry", &record.name, &record.value),
        Err(OpenError::Damaged)
    );
    assert_ne!(vault(1).name("outbox", b"id"), record.name);
    assert_ne!(vault(2).name("entry", b"id"), record.name);
}

#[test]
fn a_newer_record_is_said_to_be_newer() {
    let mut record = vault(1).seal("entry", b"id", b"value", &mut rng()).unwrap();
    record.value[0] = RECORD_VERSION + 1;
    assert_eq!(
        vault(1).open("entry", &record.name, &record.value),
        Err(OpenError::Newer)
    );
}

/// Computed with Python's `cryptography` from the module's description, not with this code: it must never change.
#[test]
fn the_format_is_pinned() {
    let record = vault(1)
        .seal("entry", b"id", b"value", &mut Counting)
        .unwrap();
    assert_eq!(hex(&record.name), NAME);
    assert_eq!(hex(&record.value), VALUE);
}

#[test]
fn debug_shows_no_key() {
    assert_eq!(format!("{:?}", vault(0xab)), "Vault(..)");
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap();
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

struct Counting;

impl RngCore for Counting {
    fn next_u32(&mut self) -> u32 {
        0
    }
    fn next_u64(&mut self) -> u64 {
        0
    }
    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for (at, byte) in (0u8..).zip(bytes) {
            *byte = at;
        }
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Counting {}

const NAME: &str = "80f410a63fbb6cc6eb25185af9ecbfb086e52bf7e3e0140dc613d5dfb62c3206";
const VALUE: &str = "01000102030405060708090a0b89783d51f25d846d03297d4f5e92d9651a7693e188d98284a87d2e831b8894c48951c0823f6332aa55524a6778e02c09f4f0bef8926ac4276bf6e4de778e0317173600ee9ff782353b72dc7005fe39fe";

proptest! {
    #[test]
    fn what_is_sealed_opens(
        id in proptest::collection::vec(any::<u8>(), 0..80),
        value in proptest::collection::vec(any::<u8>(), 0..9000),
        key: [u8; 32],
    ) {
        let vault = Vault::new(Zeroizing::new(key));
        let record = vault.seal("mls", &id, &value, &mut rng()).unwrap();
        prop_assert_eq!(record.value.len(), HEAD_BYTES + TAG_BYTES + bucket(8 + id.len() + value.len()));
        prop_assert_eq!(vault.open("mls", &record.name, &record.value), Ok((id, value)));
    }

    #[test]
    fn anything_else_is_an_error(sealed in proptest::collection::vec(any::<u8>(), 0..200), name: [u8; 32]) {
        prop_assert!(vault(1).open("mls", &name, &sealed).is_err());
    }
}

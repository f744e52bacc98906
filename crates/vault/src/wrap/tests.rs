use super::*;
use crate::{decode_slots, encode_slots};
use proptest::prelude::*;

const VAULT_KEY: [u8; 32] = [7; 32];

fn passphrase_slot(params: Argon2Params) -> Slot {
    Slot::Passphrase {
        params,
        salt: [3; 16],
        wrapped: WrappedKey::NONE,
    }
}

fn words_slot() -> Slot {
    Slot::Words {
        salt: [4; 32],
        wrapped: WrappedKey::NONE,
    }
}

fn words_of(byte: u8) -> Zeroizing<String> {
    words(&[byte; 16]).unwrap()
}

/// What the reference implementation gives for the passphrase, sixteen ones, 19 MiB, two passes, one lane.
const REFERENCE: [u8; 32] = [
    0xe5, 0x99, 0x8b, 0x19, 0xf8, 0x7c, 0x4c, 0xbb, 0x86, 0xf2, 0x22, 0x4e, 0x77, 0x28, 0x46, 0x82,
    0xef, 0x25, 0xea, 0xa3, 0x82, 0x7e, 0x88, 0x31, 0x9d, 0x7a, 0x34, 0x92, 0xfc, 0xe6, 0xe0, 0x2e,
];

#[test]
fn argon2id_gives_what_others_give_and_another_key_for_anything_else() {
    let key = |passphrase: &[u8], params, salt| {
        SlotKey::from_passphrase(passphrase, params, salt)
            .unwrap()
            .0
    };
    let one = key(b"a passphrase", Argon2Params::FLOOR, &[1; 16]);
    assert_eq!(*one, REFERENCE);
    assert_ne!(*one, *key(b"a passphrasf", Argon2Params::FLOOR, &[1; 16]));
    assert_ne!(*one, *key(b"a passphrase", Argon2Params::FLOOR, &[2; 16]));
    let dearer = Argon2Params {
        passes: 3,
        ..Argon2Params::FLOOR
    };
    assert_ne!(*one, *key(b"a passphrase", dearer, &[1; 16]));
}

#[test]
fn a_cheap_cost_a_dear_one_and_an_empty_passphrase_are_refused_before_any_work() {
    let cheap = Argon2Params {
        memory_kib: 19 * 1024 - 1,
        ..Argon2Params::FLOOR
    };
    let dear = Argon2Params {
        memory_kib: u32::MAX,
        ..Argon2Params::FLOOR
    };
    for params in [cheap, dear] {
        assert_eq!(
            SlotKey::from_passphrase(b"a passphrase", params, &[1; 16]).err(),
            Some(UnlockError::Bounds)
        );
    }
    for passphrase in [&[][..], &[b'x'; PASSPHRASE_BYTES_MAX + 1]] {
        assert_eq!(
            SlotKey::from_passphrase(passphrase, Argon2Params::FLOOR, &[1; 16]).err(),
            Some(UnlockError::Bounds)
        );
    }
}

#[test]
fn a_passphrase_opens_its_slot_and_another_does_not() {
    let params = Argon2Params::FLOOR;
    let right = SlotKey::from_passphrase(b"right", params, &[3; 16]).unwrap();
    let wrong = SlotKey::from_passphrase(b"wrong", params, &[3; 16]).unwrap();
    let slot = right
        .wrap(passphrase_slot(params), &VAULT_KEY, [9; 12])
        .unwrap();
    assert_eq!(*right.unwrap(&slot).unwrap(), VAULT_KEY);
    assert_eq!(wrong.unwrap(&slot).err(), Some(UnlockError::Wrong));
}

#[test]
fn words_open_their_slot_however_they_are_typed() {
    let words = words_of(1);
    assert_eq!(words.split(' ').count(), WORDS);
    let key = SlotKey::from_words(&words, &[4; 32]).unwrap();
    let slot = key.wrap(words_slot(), &VAULT_KEY, [9; 12]).unwrap();
    let typed = format!("  {}\n", words.to_uppercase().replace(' ', " \t "));
    let again = SlotKey::from_words(&typed, &[4; 32]).unwrap();
    assert_eq!(*again.unwrap(&slot).unwrap(), VAULT_KEY);
    let others = SlotKey::from_words(&words_of(2), &[4; 32]).unwrap();
    assert_eq!(others.unwrap(&slot).err(), Some(UnlockError::Wrong));
}

#[test]
fn the_words_are_those_of_the_standard() {
    // BIP-39's own vectors: all zeros, and 0x7f.
    assert_eq!(
        *words(&[0; 16]).unwrap(),
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
    );
    assert_eq!(
        *words(&[0x7f; 16]).unwrap(),
        "legal winner thank year wave sausage worth useful legal winner thank yellow"
    );
}

#[test]
fn mistyped_words_are_known_as_such() {
    let words = words_of(1);
    let fewer = words.rsplit_once(' ').unwrap().0;
    let long = "abandon ".repeat(500);
    // 24 words, a checksum that fits, but not as many as we make.
    let more = format!("{}art", "abandon ".repeat(23));
    for typed in [
        "",
        "no such words",
        fewer,
        &long,
        &more,
        "abandon \u{1F600}",
    ] {
        assert_eq!(
            SlotKey::from_words(typed, &[4; 32]).err(),
            Some(UnlockError::NoWords),
            "{typed}"
        );
    }
}

#[test]
fn a_passkey_opens_its_slot_and_another_does_not() {
    let slot = Slot::Passkey {
        credential: vec![1, 2, 3],
        salt: [5; 32],
        wrapped: WrappedKey::NONE,
    };
    let key = SlotKey::from_passkey(&[6; 32], &[5; 32]);
    let slot = key.wrap(slot, &VAULT_KEY, [9; 12]).unwrap();
    assert_eq!(*key.unwrap(&slot).unwrap(), VAULT_KEY);
    let other = SlotKey::from_passkey(&[8; 32], &[5; 32]);
    assert_eq!(other.unwrap(&slot).err(), Some(UnlockError::Wrong));
}

#[test]
fn debug_shows_no_slot_key() {
    assert_eq!(
        format!("{:?}", SlotKey::from_passkey(&[6; 32], &[5; 32])),
        "SlotKey(..)"
    );
}

proptest! {
    /// One flipped bit anywhere in a list of slots: the list is refused, or the slot does not open, or the bit belongs to
    /// another slot. Never another vault key, and never a panic.
    #[test]
    fn a_flipped_bit_never_gives_another_key(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let words = words_of(1);
        let key = SlotKey::from_words(&words, &[4; 32]).unwrap();
        let passkey = SlotKey::from_passkey(&[6; 32], &[5; 32]);
        let slots = [
            key.wrap(words_slot(), &VAULT_KEY, [9; 12]).unwrap(),
            passkey.wrap(
                Slot::Passkey { credential: vec![1, 2, 3], salt: [5; 32], wrapped: WrappedKey::NONE },
                &VAULT_KEY,
                [8; 12],
            ).unwrap(),
        ];
        let mut bytes = encode_slots(&slots).unwrap();
        let place = at.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let Ok(read) = decode_slots(&bytes) else { return Ok(()) };
        let mut opened = 0;
        for slot in &read {
            let found = match slot {
                Slot::Words { salt, .. } => SlotKey::from_words(&words, salt).unwrap().unwrap(slot),
                Slot::Passkey { salt, .. } => SlotKey::from_passkey(&[6; 32], salt).unwrap(slot),
                _ => Err(UnlockError::Wrong),
            };
            if let Ok(found) = found {
                prop_assert_eq!(*found, VAULT_KEY);
                opened += 1;
            }
        }
        prop_assert!(opened < slots.len(), "the flipped bit went unnoticed");
    }

    #[test]
    fn any_words_are_read_or_refused(typed in ".{0,200}") {
        let _ = SlotKey::from_words(&typed, &[4; 32]);
    }
}

use super::*;
use proptest::prelude::*;

fn wrapped() -> impl Strategy<Value = WrappedKey> {
    (any::<[u8; 12]>(), any::<[u8; 32]>(), any::<[u8; 16]>()).prop_map(|(nonce, key, tag)| {
        let mut sealed = [0; 48];
        sealed[..32].copy_from_slice(&key);
        sealed[32..].copy_from_slice(&tag);
        WrappedKey { nonce, sealed }
    })
}

fn slot() -> impl Strategy<Value = Slot> {
    let cost = (19 * 1024..=1024 * 1024u32, 2..=16u32, 1..=8u32);
    prop_oneof![
        wrapped().prop_map(|wrapped| Slot::Device { wrapped }),
        (cost, any::<[u8; 16]>(), wrapped()).prop_map(
            |((memory_kib, passes, lanes), salt, wrapped)| {
                Slot::Passphrase {
                    params: Argon2Params {
                        memory_kib,
                        passes,
                        lanes,
                    },
                    salt,
                    wrapped,
                }
            }
        ),
        (
            proptest::collection::vec(any::<u8>(), 0..=CREDENTIAL_BYTES_MAX),
            any::<[u8; 32]>(),
            wrapped()
        )
            .prop_map(|(credential, salt, wrapped)| Slot::Passkey {
                credential,
                salt,
                wrapped
            }),
        (any::<[u8; 16]>(), any::<[u8; 32]>(), wrapped())
            .prop_map(|(id, salt, wrapped)| Slot::KeyFile { id, salt, wrapped }),
        (any::<[u8; 32]>(), wrapped()).prop_map(|(salt, wrapped)| Slot::Words { salt, wrapped }),
        (6..=255u8, proptest::collection::vec(any::<u8>(), 0..300))
            .prop_map(|(kind, body)| Slot::Unknown { kind, body }),
    ]
}

fn device() -> Slot {
    Slot::Device {
        wrapped: WrappedKey {
            nonce: [1; 12],
            sealed: [2; 48],
        },
    }
}

fn passphrase(params: Argon2Params) -> Slot {
    Slot::Passphrase {
        params,
        salt: [3; 16],
        wrapped: WrappedKey {
            nonce: [1; 12],
            sealed: [2; 48],
        },
    }
}

#[test]
fn the_format_is_pinned() {
    let bytes = encode_slots(&[device()]).unwrap();
    let mut expected = vec![1, 1, 60, 0, 0, 0];
    expected.extend([1; 12]);
    expected.extend([2; 48]);
    assert_eq!(bytes, expected);
}

#[test]
fn a_weakened_passphrase_slot_is_refused() {
    let mut good = encode_slots(&[passphrase(Argon2Params::FLOOR)]).unwrap();
    assert!(decode_slots(&good).is_ok());
    let memory = 1 + 1 + 4;
    good[memory..memory + 4].copy_from_slice(&(19 * 1024 - 1u32).to_le_bytes());
    assert_eq!(decode_slots(&good), Err(SlotError::Downgrade));

    let one_pass = Argon2Params {
        passes: 1,
        ..Argon2Params::DEFAULT
    };
    assert_eq!(
        encode_slots(&[passphrase(one_pass)]),
        Err(SlotError::Downgrade)
    );
    let all_memory = Argon2Params {
        memory_kib: u32::MAX,
        ..Argon2Params::DEFAULT
    };
    assert_eq!(
        encode_slots(&[passphrase(all_memory)]),
        Err(SlotError::Malformed)
    );
}

#[test]
fn newer_and_older_lists_are_told_apart() {
    let mut bytes = encode_slots(&[device()]).unwrap();
    bytes[0] = SLOTS_VERSION + 1;
    assert_eq!(decode_slots(&bytes), Err(SlotError::Newer));
    bytes[0] = 0;
    assert_eq!(decode_slots(&bytes), Err(SlotError::Malformed));
    assert_eq!(decode_slots(&[]), Err(SlotError::Malformed));
}

#[test]
fn the_wrap_is_bound_to_kind_and_cost() {
    let weaker = Argon2Params {
        passes: 2,
        ..Argon2Params::DEFAULT
    };
    assert_ne!(
        passphrase(Argon2Params::DEFAULT).associated(),
        passphrase(weaker).associated()
    );
    assert_eq!(device().associated(), b"ume/1/vault/slot\0\x01");
}

#[test]
fn debug_shows_no_key() {
    assert_eq!(
        format!("{:?}", device()),
        "Device { wrapped: WrappedKey(..) }"
    );
}

proptest! {
    #[test]
    fn what_is_written_is_read(slots in proptest::collection::vec(slot(), 0..6)) {
        let bytes = encode_slots(&slots).unwrap();
        prop_assert_eq!(decode_slots(&bytes), Ok(slots));
    }

    #[test]
    fn a_cut_list_is_an_error_or_shorter(slots in proptest::collection::vec(slot(), 1..4), cut in any::<prop::sample::Index>()) {
        let bytes = encode_slots(&slots).unwrap();
        if let Ok(read) = decode_slots(&bytes[..cut.index(bytes.len())]) {
            prop_assert!(read.len() < slots.len());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(slots) = decode_slots(&bytes) {
            prop_assert_eq!(encode_slots(&slots).unwrap(), bytes);
        }
    }
}

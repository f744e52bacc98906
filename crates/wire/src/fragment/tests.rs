use super::*;
use proptest::prelude::*;

fn id(n: u8) -> MessageId {
    [n; 16]
}

proptest! {
    #[test]
    fn any_message_survives_any_order(
        message in proptest::collection::vec(any::<u8>(), 0..4 * FRAGMENT_BYTES),
        rotate in 0usize..8,
    ) {
        let mut fragments = split(7, id(1), &message).unwrap();
        let turn = rotate % fragments.len();
        fragments.rotate_left(turn);
        let mut reassembler = Reassembler::new();
        let (last, rest) = fragments.split_last().unwrap();
        for (seq, fragment) in (10..).zip(rest) {
            prop_assert_eq!(reassembler.take(seq, fragment).unwrap(), None);
        }
        if !rest.is_empty() {
            prop_assert_eq!(reassembler.needed_from(), Some(10));
            // A repeated fragment changes nothing.
            prop_assert_eq!(reassembler.take(99, &rest[0]).unwrap(), None);
        }
        let whole = reassembler.take(20, last).unwrap().unwrap();
        prop_assert_eq!(whole.bytes, message);
        prop_assert_eq!(whole.kind, 7);
        prop_assert_eq!(reassembler.needed_from(), None);
        prop_assert_eq!(reassembler.fragments, 0);
    }

    #[test]
    fn taking_never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..64), whole in any::<bool>()) {
        if whole {
            bytes.resize(CELL_PLAIN_BYTES, 1);
            bytes[0] = VERSION;
        }
        let _ = Reassembler::new().take(1, &bytes);
    }
}

#[test]
fn too_long_is_refused() {
    assert_eq!(
        split(0, id(0), &vec![0; MESSAGE_BYTES_MAX + 1]),
        Err(FragmentError::TooLong)
    );
    assert_eq!(
        split(0, id(0), &vec![0; MESSAGE_BYTES_MAX]).unwrap().len(),
        FRAGMENTS_MAX
    );
}

#[test]
fn unfinished_messages_are_bounded_and_the_oldest_goes_first() {
    let mut reassembler = Reassembler::new();
    let message = vec![1; 2 * FRAGMENT_BYTES];
    let count = OPEN_MESSAGES_MAX as u64 + 5;
    for n in 0..count {
        let mut name = id(0);
        name[..8].copy_from_slice(&n.to_be_bytes());
        assert_eq!(
            reassembler.take(n, &split(0, name, &message).unwrap()[0]),
            Ok(None)
        );
    }
    assert_eq!(reassembler.open.len(), OPEN_MESSAGES_MAX);
    assert_eq!(reassembler.needed_from(), Some(5));
}

#[test]
fn contradicting_fragments_are_refused() {
    let mut reassembler = Reassembler::new();
    let long = split(0, id(1), &[1; 3 * FRAGMENT_BYTES]).unwrap();
    let short = split(0, id(1), &[1; 2 * FRAGMENT_BYTES]).unwrap();
    assert_eq!(reassembler.take(1, &long[0]), Ok(None));
    assert_eq!(reassembler.take(2, &short[1]), Err(FragmentError::Disagree));
}

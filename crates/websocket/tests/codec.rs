//! The codec against any bytes in any pieces, and against the cases of RFC 6455.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

use proptest::prelude::*;
use ume_websocket::{Decoder, Event, Limits, Reason, Violation, encode};

const LIMITS: Limits = Limits {
    message_bytes: 2048,
};

/// A frame as a client sends it, in the shortest form.
fn client(flags: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x5a, 0x01, 0xc3, 0x7f];
    let mut frame = vec![flags];
    match payload.len() {
        short @ 0..=125 => frame.push(0x80 | u8::try_from(short).unwrap()),
        middle @ 126..=0xffff => {
            frame.push(0x80 | 0x7e);
            frame.extend(u16::try_from(middle).unwrap().to_be_bytes());
        }
        long => {
            frame.push(0x80 | 0x7f);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend(mask);
    frame.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    frame
}

/// What comes out of bytes in pieces of these sizes, again and again; and what was broken at the end.
fn decode(bytes: &[u8], pieces: &[usize]) -> (Vec<Event>, Option<Violation>) {
    let mut decoder = Decoder::new(LIMITS);
    let (mut events, mut rest, mut sizes) = (Vec::new(), bytes, pieces.iter().cycle());
    while !rest.is_empty() {
        let (mut piece, after) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
        rest = after;
        loop {
            match decoder.decode(&mut piece) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(violation) => {
                    assert_eq!(decoder.decode(&mut piece), Err(violation));
                    return (events, Some(violation));
                }
            }
        }
        assert!(piece.is_empty(), "everything is taken");
    }
    (events, None)
}

fn whole(bytes: &[u8]) -> (Vec<Event>, Option<Violation>) {
    decode(bytes, &[usize::MAX])
}

fn broken(bytes: &[u8]) -> Option<Violation> {
    whole(bytes).1
}

/// Frames that are mostly right, so that the decoder gets far.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let flags = prop_oneof![
        8 => proptest::sample::select(vec![0x01u8, 0x02, 0x00, 0x80, 0x81, 0x82, 0x89, 0x8a]),
        1 => Just(0x88u8),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        4 => "[a-zäß€😀]{0,60}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..300),
        1 => Just(vec![0x41; 2048]),
    ];
    proptest::collection::vec((flags, payload), 0..12).prop_map(|frames| {
        let frames = frames
            .iter()
            .map(|(flags, payload)| client(*flags, payload));
        frames.collect::<Vec<_>>().concat()
    })
}

proptest! {
    #[test]
    fn pieces_make_no_difference(
        bytes in prop_oneof![frames(), proptest::collection::vec(any::<u8>(), 0..400)],
        pieces in proptest::collection::vec(1usize..40, 1..8),
    ) {
        prop_assert_eq!(decode(&bytes, &pieces), whole(&bytes));
        prop_assert_eq!(decode(&bytes, &[1]), whole(&bytes));
    }

    #[test]
    fn messages_come_out_as_they_went_in(
        payload in proptest::collection::vec(any::<u8>(), 0..2048),
        cuts in proptest::collection::vec(1usize..700, 1..6),
    ) {
        let (mut bytes, mut rest, mut flags) = (Vec::new(), &payload[..], 0x02);
        for cut in cuts {
            let (part, after) = rest.split_at(cut.min(rest.len()));
            rest = after;
            bytes.extend(client(flags, part));
            bytes.extend(client(0x89, b"amid"));
            flags = 0;
        }
        bytes.extend(client(flags | 0x80, rest));
        let (events, violation) = whole(&bytes);
        prop_assert_eq!(violation, None);
        prop_assert_eq!(events.last(), Some(&Event::Binary(payload.into())));
    }

    #[test]
    fn what_a_server_sends_is_what_a_client_would(payload in proptest::collection::vec(any::<u8>(), 0..2048)) {
        // The same frame with a mask of zeros in its place, and the bit that announces it.
        let frame = encode::binary(&payload);
        let (header, body) = frame.split_at(encode::header_bytes(payload.len()));
        let mut bytes = header.to_vec();
        bytes[1] |= 0x80;
        bytes.extend([0; 4]);
        bytes.extend(body);
        prop_assert_eq!(whole(&bytes), (vec![Event::Binary(payload.into())], None));
    }
}

#[test]
fn a_giant_is_refused_from_its_header() {
    let mut header = vec![0x82, 0x80 | 0x7f];
    header.extend((1u64 << 30).to_be_bytes());
    assert_eq!(broken(&header), Some(Violation::TooBig));
    assert_eq!(
        broken(&[0x82, 0x80 | 0x7e, 0x08, 0x01]),
        Some(Violation::TooBig)
    );
    // Also if only all of its parts together are one.
    let parts = [client(0x02, &[1; 2000]), client(0x80, &[1; 49])].concat();
    assert_eq!(broken(&parts), Some(Violation::TooBig));
}

#[test]
fn lengths_have_one_form() {
    assert_eq!(
        broken(&[0x82, 0x80 | 0x7e, 0, 125]),
        Some(Violation::Length)
    );
    let mut long = vec![0x82, 0x80 | 0x7f];
    long.extend(0xffffu64.to_be_bytes());
    assert_eq!(broken(&long), Some(Violation::Length));
    assert_eq!(
        broken(&[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        Some(Violation::Length)
    );
}

#[test]
fn what_the_rules_forbid_is_refused() {
    assert_eq!(broken(&[0x82, 0x05]), Some(Violation::Mask));
    assert_eq!(broken(&client(0xc2, b"")), Some(Violation::Reserved));
    for opcode in [3, 7, 11, 15] {
        assert_eq!(broken(&client(0x80 | opcode, b"")), Some(Violation::Opcode));
    }
    assert_eq!(broken(&client(0x09, b"")), Some(Violation::Control));
    assert_eq!(broken(&client(0x89, &[0; 126])), Some(Violation::Control));
    assert_eq!(broken(&client(0x80, b"of nothing")), Some(Violation::Order));
    let twice = [client(0x02, b"a"), client(0x82, b"b")].concat();
    assert_eq!(broken(&twice), Some(Violation::Order));
}

#[test]
fn empty_parts_have_an_end() {
    let mut bytes = client(0x02, b"");
    for _ in 0..15 {
        bytes.extend(client(0x00, b""));
    }
    assert_eq!(broken(&bytes), None);
    bytes.extend(client(0x00, b""));
    assert_eq!(broken(&bytes), Some(Violation::Empty));
}

#[test]
fn text_is_judged_before_its_end() {
    let mut decoder = Decoder::new(LIMITS);
    let frame = client(0x01, b"ok \xf4\x90");
    let mut input = &frame[..];
    assert_eq!(decoder.decode(&mut input), Err(Violation::Text));
    // A character may be cut in two, but has to have an end.
    let euro = "€".as_bytes();
    let cut = [client(0x01, &euro[..1]), client(0x80, &euro[1..])].concat();
    let text = Event::Text("€".into());
    assert_eq!(whole(&cut), (vec![text], None));
    assert_eq!(broken(&client(0x81, &euro[..2])), Some(Violation::Text));
}

#[test]
fn closes_say_why() {
    assert_eq!(whole(&client(0x88, b"")).0, [Event::Close(None)]);
    let reason = Reason {
        code: 1001,
        text: "bye".into(),
    };
    let close = [&1001u16.to_be_bytes()[..], b"bye"].concat();
    assert_eq!(whole(&client(0x88, &close)).0, [Event::Close(Some(reason))]);
    assert_eq!(broken(&client(0x88, b"x")), Some(Violation::Close));
    for code in [0u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
        assert_eq!(
            broken(&client(0x88, &code.to_be_bytes())),
            Some(Violation::Close)
        );
    }
    let bad = [&1000u16.to_be_bytes()[..], b"\xff"].concat();
    assert_eq!(broken(&client(0x88, &bad)), Some(Violation::Text));
}

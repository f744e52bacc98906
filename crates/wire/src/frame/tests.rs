use super::*;
use crate::limits::*;
use crate::relay::{Accept, Ballot, Frame, Pad, Vote, frame::Body};
use proptest::prelude::*;

fn id() -> Bytes {
    Bytes::from_static(&[0xff; ID_BYTES])
}

#[test]
fn the_largest_message_fits() {
    let ballot = Ballot {
        round: u32::MAX,
        tie: Bytes::from_static(&[1; BALLOT_TIE_BYTES]),
    };
    let vote = Vote {
        ballot: Some(ballot),
        value_hash: id(),
        cells: u32::MAX,
        signature: Bytes::from_static(&[2; SIGNATURE_BYTES]),
    };
    let accept = Accept {
        lane: id(),
        slot: u64::MAX,
        vote: Some(vote),
        index: u32::MAX,
        cell: Bytes::from_static(&[3; CELL_BYTES]),
    };
    let frame = relay::Frame {
        request: u32::MAX,
        body: Some(Body::Accept(accept)),
    };
    let bytes = encode(&frame).unwrap();
    assert_eq!(bytes.len(), FRAME_BYTES);
    assert_eq!(decode(&bytes).unwrap(), frame);
}

#[test]
fn the_longest_request_and_answer_about_pushes_fit() {
    let of = |length: usize| Bytes::from(vec![0xff; length]);
    let set = relay::PushSet {
        id: id(),
        endpoint: "a".repeat(PUSH_ENDPOINT_BYTES_MAX),
        p256dh: of(PUSH_KEY_BYTES),
        auth: of(PUSH_AUTH_BYTES),
        origin: "a".repeat(PUSH_ORIGIN_BYTES_MAX),
    };
    let succession = relay::Succession {
        old_key: of(KEY_BYTES),
        new_key: of(KEY_BYTES),
        time_ms: u64::MAX,
        signature: of(SIGNATURE_BYTES),
    };
    let welcome = relay::Welcome {
        version: u32::MAX,
        relay_key: of(KEY_BYTES),
        signature: of(SIGNATURE_BYTES),
        time_ms: u64::MAX,
        ttl_max_seconds: u32::MAX,
        blob_bytes_max: u32::MAX,
        challenge: of(CHALLENGE_BYTES),
        work_bits: u32::MAX,
        access_needed: true,
        frames_burst: u32::MAX,
        frames_per_second: u32::MAX,
        subscriptions_max: u32::MAX,
        queue_cells_max: u64::MAX,
        successions: vec![succession; SUCCESSIONS_MAX],
        paced: true,
        push_key: of(PUSH_KEY_BYTES),
    };
    for body in [Body::PushSet(set), Body::Welcome(welcome)] {
        let frame = relay::Frame {
            request: u32::MAX,
            body: Some(body),
        };
        assert_eq!(decode(&encode(&frame).unwrap()).unwrap(), frame);
    }
}

#[test]
fn a_message_too_long_is_refused() {
    let append = relay::Append {
        cell: Bytes::from_static(&[0; FRAME_BYTES]),
        ..Default::default()
    };
    let frame = relay::Frame {
        request: 1,
        body: Some(Body::Append(append)),
    };
    assert_eq!(encode(&frame), Err(FrameError::TooLong));
}

#[test]
fn an_unknown_body_is_tolerated() {
    // Field 1000, length-delimited, empty: what a later version may send.
    let message = [0xc2, 0x3e, 0x00];
    let mut bytes = vec![1, 3, 0];
    bytes.extend_from_slice(&message);
    bytes.resize(FRAME_BYTES, 0);
    assert_eq!(
        decode(&bytes.into()).unwrap(),
        relay::Frame {
            request: 0,
            body: None
        }
    );
}

proptest! {
    #[test]
    fn decoding_never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..FRAME_BYTES + 2), whole in any::<bool>()) {
        if whole {
            bytes.resize(FRAME_BYTES, 0);
            bytes[0] = 1;
        }
        let _ = decode(&bytes.into());
    }

    #[test]
    fn appends_survive(lane in any::<[u8; 32]>(), request: u32, fill: u8) {
        let append = relay::Append {
            lane: Bytes::copy_from_slice(&lane),
            cell: Bytes::from(vec![fill; CELL_BYTES]),
            signature: Bytes::from(vec![fill; SIGNATURE_BYTES]),
        };
        let frame = relay::Frame { request, body: Some(Body::Append(append)) };
        prop_assert_eq!(decode(&encode(&frame).unwrap()).unwrap(), frame);
    }
}

#[test]
fn a_field_without_meaning_changes_nothing() {
    let frame = Frame {
        request: 7,
        body: Some(Body::Pad(Pad {})),
    };
    for field in [crate::limits::GREASE.start, crate::limits::GREASE.end - 1] {
        let bytes = encode_with(&frame, field, &[1, 2, 3]).unwrap();
        assert_ne!(bytes, encode(&frame).unwrap());
        assert_eq!(decode(&bytes), Ok(frame.clone()));
    }
    let unknown = Frame {
        request: 7,
        body: None,
    };
    assert_eq!(
        decode(&encode_with(&unknown, 1000, &[]).unwrap()),
        Ok(unknown)
    );
}

//! Formats that relay and clients share.

use crate::input::Input;
use bytes::Bytes;
use prost::Message as _;
use ume_websocket::{Decoder, Event, Limits, Violation};
use ume_wire::{
    auth,
    fragment::{Reassembler, split},
    frame::{self, FrameError},
    grease,
    limits::{CELL_PLAIN_BYTES, FRAME_BYTES, FRAME_HEADER_BYTES, MESSAGE_BYTES_MAX},
    relay::{Frame, frame::Body},
};

/// Refused, or understood, and then the same when it is sent again.
pub(crate) fn frame(bytes: &[u8]) {
    let raw = frame::decode(&Bytes::copy_from_slice(bytes));
    if bytes.len() != FRAME_BYTES {
        assert_eq!(raw, Err(FrameError::Size(bytes.len())));
    }
    let Some(frame) = framed(bytes).and_then(|whole| frame::decode(&whole).ok()) else {
        return;
    };
    match &frame.body {
        Some(Body::LaneNew(new)) => {
            let sound = auth::lane_new_is_sound(new);
            let mut bound = new.clone();
            bound.lane = Bytes::copy_from_slice(&auth::bound_lane_id(new));
            assert!(auth::lane_id_fits(&bound));
            assert!(!sound || new.lane.len() == 32);
        }
        Some(Body::Welcome(welcome)) => {
            let known = auth::relay_id(&welcome.relay_key);
            let _ = auth::follow_successions(&known, &welcome.successions, &welcome.relay_key);
        }
        Some(Body::Append(append)) => {
            let statement = auth::Statement::Append(&append.lane, &[0; 32]);
            assert!(statement.verify(&append.lane, &append.signature).is_err());
        }
        _ => {}
    }
    // What is unknown in it is left out.
    let Ok(again) = frame::encode(&frame) else {
        assert!(frame.encoded_len() > FRAME_BYTES - FRAME_HEADER_BYTES);
        return;
    };
    assert_eq!(frame::decode(&again).as_ref(), Ok(&frame));
    assert_eq!(again.len(), FRAME_BYTES);
    // With grease it says the same.
    let random = bytes.iter().fold(7u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(*byte))
    });
    let mut out = bytes::BytesMut::new();
    if frame::encode_into(&frame, &grease::field(random), &mut out).is_ok() {
        assert_eq!(frame::decode(&out.freeze()), Ok(frame));
    }
}

/// A whole frame with this message; none if it does not fit.
pub(crate) fn framed(message: &[u8]) -> Option<Bytes> {
    let length = u16::try_from(message.len()).ok()?;
    let mut whole = vec![0; FRAME_BYTES];
    whole[0] = 1;
    whole[1..FRAME_HEADER_BYTES].copy_from_slice(&length.to_le_bytes());
    let place = whole.get_mut(FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + message.len())?;
    place.copy_from_slice(message);
    Some(whole.into())
}

/// The message of a frame, if these bytes are one.
pub(crate) fn message(bytes: &[u8]) -> Option<Frame> {
    frame::decode(&framed(bytes)?).ok()
}

/// In any order: what is open stays bounded, and a message is what was split.
pub(crate) fn fragments(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let length = usize::try_from(input.number()).map_or(0, |n| n % (3 * CELL_PLAIN_BYTES));
    let (kind, turn) = (input.byte(), input.byte());
    let rest = input.rest();
    let sent: Vec<u8> = rest
        .iter()
        .copied()
        .cycle()
        .take(length.min(rest.len() * length))
        .collect();
    let mut parts = split(kind, [7; 16], &sent).unwrap_or_default();
    let turn = usize::from(turn) % parts.len().max(1);
    parts.rotate_left(turn);

    let mut reassembler = Reassembler::new();
    let mut seq = 0;
    let mut take = |reassembler: &mut Reassembler, plain: &[u8]| {
        seq += 1;
        let taken = reassembler.take(seq, plain);
        if let Ok(Some(message)) = &taken {
            assert!(message.bytes.len() <= MESSAGE_BYTES_MAX);
            assert!(message.first_seq <= seq);
        }
        assert!(reassembler.needed_from().is_none_or(|from| from <= seq));
        taken
    };
    // A stranger's fragments among those of an honest message.
    let mut whole = None;
    let mut strange = rest.chunks(DRAWN);
    for part in &parts {
        if let Some(drawn) = strange.next() {
            let _ = take(&mut reassembler, &plain(drawn));
        }
        if let Ok(Some(message)) = take(&mut reassembler, part) {
            whole = Some(message.bytes);
        }
    }
    for drawn in strange {
        let _ = take(&mut reassembler, &plain(drawn));
    }
    // A stranger cannot know the id; if he guessed it, the message may be lost, and is never another.
    let guessed = rest
        .chunks(DRAWN)
        .any(|drawn| plain(drawn)[12..28] == [7; 16]);
    assert!(guessed || whole == Some(sent));
    // Of any other length it is none.
    assert!(reassembler.take(0, bytes).is_err() || bytes.len() == CELL_PLAIN_BYTES);
}

/// So much of a stranger's fragment is drawn from the input; the rest is zeros.
const DRAWN: usize = 40;

fn plain(drawn: &[u8]) -> Vec<u8> {
    let mut plain = vec![0; CELL_PLAIN_BYTES];
    plain[..drawn.len()].copy_from_slice(drawn);
    plain
}

const MESSAGE_BYTES: usize = 2048;

/// Whole and in pieces: the same events, the same fault, and nothing held beyond the longest message.
pub(crate) fn websocket(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let piece = usize::from(input.byte()).max(1);
    let bytes = input.rest();
    let whole = decode(bytes, bytes.len().max(1));
    assert_eq!(decode(bytes, piece), whole);
    for event in &whole.0 {
        match event {
            Event::Text(payload) | Event::Binary(payload) => {
                assert!(payload.len() <= MESSAGE_BYTES);
            }
            Event::Ping(payload) | Event::Pong(payload) => assert!(payload.len() <= 125),
            Event::Close(reason) => {
                let code = reason.as_ref().map(|reason| reason.code);
                let text = reason.as_ref().map_or("", |reason| reason.text.as_str());
                // What is answered is a frame that the same rules allow.
                let answer = ume_websocket::encode::close(code, text);
                assert!(answer.len() <= 127);
            }
        }
    }
    // The only part of the handshake that is ours.
    let accept = ume_websocket::accept_key(bytes);
    assert_eq!(accept.len(), 28);
}

fn decode(bytes: &[u8], piece: usize) -> (Vec<Event>, Option<Violation>) {
    let mut decoder = Decoder::new(Limits {
        message_bytes: MESSAGE_BYTES,
    });
    let mut events = Vec::new();
    for mut part in bytes.chunks(piece) {
        loop {
            match decoder.decode(&mut part) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(violation) => return (events, Some(violation)),
            }
        }
    }
    (events, None)
}

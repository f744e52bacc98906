//! Frames on their way out: encoded once, with the header of a WebSocket message before them, for everybody who gets
//! them. An answer to a `POST` leaves the header away.

use bytes::{Bytes, BytesMut};
use rand_core::{OsRng, RngCore};
use ume_websocket::encode::{binary_header, header_bytes};
use ume_wire::{
    frame, grease,
    limits::{FRAME_BYTES, FRAME_HEADER_BYTES},
    relay::{Frame, Pad, frame::Body},
};

const HEADER_BYTES: usize = header_bytes(FRAME_BYTES);
/// A frame with the header of its message.
pub(crate) const BYTES: usize = HEADER_BYTES + FRAME_BYTES;
/// One in so many of the frames that may be greased is.
const GREASE_EVERY: u64 = 8;

/// Encodes an answer. `None` cannot happen with fields of the right sizes.
pub(crate) fn encode(request: u32, body: Body) -> Option<Bytes> {
    let grease = match &body {
        Body::Welcome(_) | Body::Pad(_) | Body::Head(_) => now_and_then(),
        _ => Vec::new(),
    };
    let body = Some(body);
    let mut out = BytesMut::with_capacity(BYTES);
    header(&mut out);
    frame::encode_into(&Frame { request, body }, &grease, &mut out).ok()?;
    Some(out.freeze())
}

/// Puts what comes before a frame.
pub(crate) fn header(out: &mut BytesMut) {
    binary_header(out, FRAME_BYTES);
}

/// A frame without meaning. Always the same: what fills a place must not cost more than what takes it.
pub(crate) fn pad() -> Bytes {
    let frame = Frame {
        request: 0,
        body: Some(Body::Pad(Pad {})),
    };
    let mut out = BytesMut::with_capacity(BYTES);
    header(&mut out);
    // An empty message fits.
    let _ = frame::encode_into(&frame, &[], &mut out);
    out.freeze()
}

/// The frame alone.
pub(crate) fn bare(packet: &[u8]) -> &[u8] {
    packet.get(HEADER_BYTES..).unwrap_or_default()
}

/// The message in its frame, encoded.
pub(crate) fn message(packet: &[u8]) -> &[u8] {
    let frame = bare(packet);
    let length = frame.get(1..FRAME_HEADER_BYTES).map_or(0, |bytes| {
        (bytes.iter().rev()).fold(0, |length, byte| length << 8 | usize::from(*byte))
    });
    frame
        .get(FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + length)
        .unwrap_or_default()
}

fn now_and_then() -> Vec<u8> {
    let mut random = [0; 8];
    // Without chance there is no grease.
    if OsRng.try_fill_bytes(&mut random).is_err() {
        return Vec::new();
    }
    let random = u64::from_le_bytes(random);
    if (random >> 32).is_multiple_of(GREASE_EVERY) {
        grease::field(random)
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_one_message_with_one_frame() {
        let greased = (0..200).filter(|_| {
            let packet = encode(7, Body::Pad(Pad {})).unwrap();
            assert_eq!(packet.len(), BYTES);
            assert_eq!(packet[..4], [0x82, 126, 8, 0]);
            let frame = Bytes::copy_from_slice(bare(&packet));
            let plain = Frame {
                request: 7,
                body: Some(Body::Pad(Pad {})),
            };
            assert_eq!(frame::decode(&frame).unwrap(), plain);
            frame != frame::encode(&plain).unwrap()
        });
        assert!((1..200).contains(&greased.count()));
    }
}

//! Frames as a server sends them: unmasked, never fragmented, header and payload in one piece.

use bytes::{BufMut, Bytes, BytesMut};

const FIN: u8 = 0x80;
/// Longest payload of a control frame (RFC 6455 section 5.5).
const CONTROL_BYTES_MAX: usize = 125;

/// A kind of frame, as it is on the wire (RFC 6455 section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Opcode {
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// Bytes of the header of a frame with so much payload.
pub const fn header_bytes(payload: usize) -> usize {
    match payload {
        0..=125 => 2,
        126..=0xffff => 4,
        _ => 10,
    }
}

/// Puts the header of a binary message; `payload` bytes have to follow it.
pub fn binary_header(out: &mut impl BufMut, payload: usize) {
    header(out, Opcode::Binary, payload);
}

#[allow(clippy::cast_possible_truncation)] // every arm has looked at what fits
fn header(out: &mut impl BufMut, opcode: Opcode, payload: usize) {
    out.put_u8(FIN | opcode as u8);
    match payload {
        0..=125 => out.put_u8(payload as u8),
        126..=0xffff => {
            out.put_u8(126);
            out.put_u16(payload as u16);
        }
        _ => {
            out.put_u8(127);
            out.put_u64(payload as u64);
        }
    }
}

fn frame(opcode: Opcode, payload: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(header_bytes(payload.len()) + payload.len());
    header(&mut out, opcode, payload.len());
    out.extend_from_slice(payload);
    out.freeze()
}

/// A binary message.
pub fn binary(payload: &[u8]) -> Bytes {
    frame(Opcode::Binary, payload)
}

/// A text message.
pub fn text(payload: &str) -> Bytes {
    frame(Opcode::Text, payload.as_bytes())
}

/// A ping without payload.
pub fn ping() -> Bytes {
    Bytes::from_static(&[FIN | Opcode::Ping as u8, 0])
}

/// The answer to a ping, with its payload.
pub fn pong(payload: &[u8]) -> Bytes {
    frame(
        Opcode::Pong,
        &payload[..payload.len().min(CONTROL_BYTES_MAX)],
    )
}

/// The last frame: a code and words, cut to what fits. Without a code it is empty.
pub fn close(code: Option<u16>, reason: &str) -> Bytes {
    let mut payload = Vec::new();
    if let Some(code) = code {
        payload.extend_from_slice(&code.to_be_bytes());
        let end = reason.floor_char_boundary(CONTROL_BYTES_MAX - 2);
        payload.extend_from_slice(&reason.as_bytes()[..end]);
    }
    frame(Opcode::Close, &payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_shortest_form() {
        for (payload, header) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let frame = binary(&vec![7; payload]);
            assert_eq!(
                (frame.len(), header_bytes(payload)),
                (payload + header, header)
            );
        }
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let frame = close(Some(1012), &"ä".repeat(100));
        assert_eq!(frame.len(), 2 + 2 + 122);
        assert!(std::str::from_utf8(&frame[4..]).is_ok());
    }
}

//! The client's half of RFC 6455: the request that opens, masked frames out, headers of frames in.

/// What a frame is (RFC 6455, section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opcode {
    /// Text, binary and what continues them.
    Data,
    /// The peer ends the connection.
    Close,
    /// Wants a pong with the same content.
    Ping,
    /// Answers a ping.
    Pong,
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) opcode: Opcode,
    /// Bytes of the header itself.
    pub(crate) length: usize,
    /// Bytes that follow it.
    pub(crate) payload: usize,
}

/// Longest header of a server's frame.
pub(crate) const HEADER_MAX: usize = 10;

/// Reads the header of a server's frame, if all of it is there.
pub(crate) fn header(bytes: &[u8]) -> Option<Header> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (length, payload) = match second & 0x7f {
        126 => (
            4,
            usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
        ),
        127 => {
            let length = u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?);
            (10, usize::try_from(length).unwrap_or(usize::MAX))
        }
        short => (2, usize::from(short)),
    };
    let opcode = match first & 0x0f {
        8 => Opcode::Close,
        9 => Opcode::Ping,
        10 => Opcode::Pong,
        _ => Opcode::Data,
    };
    Some(Header {
        opcode,
        length,
        payload,
    })
}

/// The first bits of a client's frame: final, and what it is.
pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const PONG: u8 = 0x8a;

/// Any mask serves here, as nothing between us and the server caches; 0 would let a server skip the work.
const MASK: [u8; 4] = [0x5a, 0x13, 0xc7, 0x88];

/// Appends a masked frame.
pub(crate) fn frame(first: u8, payload: &[u8], out: &mut Vec<u8>) {
    out.push(first);
    match payload.len() {
        short @ 0..=125 => out.push(0x80 | short as u8),
        middle @ 126..=0xffff => {
            out.push(0x80 | 0x7e);
            out.extend_from_slice(&(middle as u16).to_be_bytes());
        }
        long => {
            out.push(0x80 | 0x7f);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    let start = out.len();
    out.extend_from_slice(payload);
    let mask = u64::from_ne_bytes([
        MASK[0], MASK[1], MASK[2], MASK[3], MASK[0], MASK[1], MASK[2], MASK[3],
    ]);
    let (words, rest) = out[start..].as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ mask).to_ne_bytes();
    }
    for (at, byte) in rest.iter_mut().enumerate() {
        *byte ^= MASK[at % 4];
    }
}

/// The request that opens a WebSocket. The key need not be random, as nobody tells these connections apart.
pub(crate) fn request(path: &str, protocol: Option<&str>) -> Vec<u8> {
    let protocol = protocol.map_or_else(String::new, |name| {
        format!("Sec-WebSocket-Protocol: {name}\r\n")
    });
    format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{protocol}\r\n"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_masked_and_has_the_shortest_length() {
        for length in [0, 1, 7, 125, 126, 2048, 65_535, 65_536] {
            let payload: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let mut out = Vec::new();
            frame(BINARY, &payload, &mut out);
            let head = header(&out).unwrap();
            assert_eq!((head.opcode, head.payload), (Opcode::Data, length));
            let body = &out[head.length + 4..];
            let plain: Vec<u8> = body
                .iter()
                .enumerate()
                .map(|(at, byte)| byte ^ MASK[at % 4])
                .collect();
            assert_eq!(plain, payload);
        }
    }

    #[test]
    fn a_header_in_parts_is_waited_for() {
        assert_eq!(header(&[0x82]), None);
        assert_eq!(header(&[0x82, 126, 8]), None);
        assert_eq!(header(&[0x82, 126, 8, 0]).unwrap().payload, 2048);
        assert_eq!(header(&[0x89, 0]).unwrap().opcode, Opcode::Ping);
    }
}

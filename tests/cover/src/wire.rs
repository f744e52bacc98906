//! What passes in one direction of a connection, read without holding anything up: WebSocket messages behind the head of an
//! HTTP request or answer, or, where all is encrypted, the records of TLS.

use bytes::Bytes;
use ume_wire::frame;
use ume_wire::relay::frame::Body;

/// Something that passed whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A message of binary data: bytes of header and payload, and whether it holds anything that somebody wanted.
    Message {
        /// Of header and payload.
        bytes: u32,
        /// Not just a frame that means nothing.
        real: bool,
    },
    /// A ping, a pong, a close, a text: its code and its size.
    Control(u8, u32),
    /// A record of TLS: its type and its size, header included.
    Record(u8, u32),
}

/// Why a stream cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// A part of a message: nobody here sends those.
    #[error("a message in parts")]
    Parts,
    /// A message larger than anything that is sent.
    #[error("a message of {0} bytes")]
    Large(u64),
    /// No head of HTTP.
    #[error("a head without an end")]
    Head,
}

const HEAD_MAX: usize = 64 * 1024;
const MESSAGE_MAX: u64 = 1024 * 1024;
/// First byte of what begins a connection of TLS (a record of type handshake).
const TLS: u8 = 22;
const RECORD_HEADER: usize = 5;
const BINARY: u8 = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Start,
    Head,
    Messages,
    Records,
    /// An answer or request that is no WebSocket: not looked at.
    Other,
}

/// Reads one direction.
pub(crate) struct Reader {
    state: State,
    rest: Vec<u8>,
}

impl Reader {
    /// At the beginning of a connection.
    pub(crate) fn new() -> Self {
        Self {
            state: State::Start,
            rest: Vec::new(),
        }
    }

    /// Takes more bytes and gives what is complete now.
    ///
    /// # Errors
    /// [`Unreadable`]; nothing is read on then.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<Vec<Seen>, Unreadable> {
        if self.state == State::Other {
            return Ok(Vec::new());
        }
        self.rest.extend_from_slice(bytes);
        let mut seen = Vec::new();
        loop {
            let (taken, what) = match self.state {
                State::Start => match self.rest.first() {
                    Some(first) => {
                        self.state = if *first == TLS {
                            State::Records
                        } else {
                            State::Head
                        };
                        continue;
                    }
                    None => return Ok(seen),
                },
                State::Head => {
                    if !self.head()? {
                        return Ok(seen);
                    }
                    continue;
                }
                State::Messages => match message(&self.rest)? {
                    Some(taken) => taken,
                    None => return Ok(seen),
                },
                State::Records => match record(&self.rest) {
                    Some(taken) => taken,
                    None => return Ok(seen),
                },
                State::Other => {
                    self.rest.clear();
                    return Ok(seen);
                }
            };
            self.rest.drain(..taken);
            seen.push(what);
        }
    }

    /// Goes past the head, when it is complete.
    fn head(&mut self) -> Result<bool, Unreadable> {
        let Some(end) = find(&self.rest, b"\r\n\r\n") else {
            return if self.rest.len() > HEAD_MAX {
                Err(Unreadable::Head)
            } else {
                Ok(false)
            };
        };
        let head = self.rest[..end].to_ascii_lowercase();
        self.state = match find(&head, b"\r\nupgrade: websocket") {
            Some(_) => State::Messages,
            None => State::Other,
        };
        self.rest.drain(..end + 4);
        Ok(true)
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// The first message and its size, if it is complete (RFC 6455 section 5.2).
fn message(bytes: &[u8]) -> Result<Option<(usize, Seen)>, Unreadable> {
    let [first, second, ..] = *bytes else {
        return Ok(None);
    };
    let (extended, masked) = (usize::from(second & 0x7f), second & 0x80 != 0);
    let wide = match extended {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let header = 2 + wide + if masked { 4 } else { 0 };
    if bytes.len() < header {
        return Ok(None);
    }
    let length = match wide {
        0 => extended as u64,
        _ => bytes[2..2 + wide]
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    };
    if length > MESSAGE_MAX {
        return Err(Unreadable::Large(length));
    }
    let end = header + length as usize;
    if bytes.len() < end {
        return Ok(None);
    }
    let mut payload = bytes[header..end].to_vec();
    if masked {
        let mask = &bytes[header - 4..header];
        payload
            .iter_mut()
            .zip(mask.iter().cycle())
            .for_each(|(byte, mask)| *byte ^= mask);
    }
    let seen = match (first & 0x0f, first & 0x80 != 0) {
        (BINARY, true) => Seen::Message {
            bytes: end as u32,
            real: real(payload),
        },
        (0..=2, _) => return Err(Unreadable::Parts),
        (code, _) => Seen::Control(code, end as u32),
    };
    Ok(Some((end, seen)))
}

/// Whether a frame says anything. What is no frame does, too: cover is only what looks like cover to those who can read it.
fn real(payload: Vec<u8>) -> bool {
    match frame::decode(&Bytes::from(payload)) {
        Ok(frame) => !matches!(frame.body, Some(Body::Pad(_))),
        Err(_) => true,
    }
}

/// The first record of TLS and its size, if it is complete (RFC 8446 section 5.1).
fn record(bytes: &[u8]) -> Option<(usize, Seen)> {
    let [kind, _, _, high, low, ..] = *bytes else {
        return None;
    };
    let end = RECORD_HEADER + usize::from(u16::from_be_bytes([high, low]));
    (bytes.len() >= end).then_some((end, Seen::Record(kind, end as u32)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ume_wire::relay::{Done, Frame, Pad};

    fn body(body: Body) -> Vec<u8> {
        let frame = Frame {
            request: 1,
            body: Some(body),
        };
        frame::encode(&frame).unwrap().to_vec()
    }

    fn sent(payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
        let mut bytes = vec![0x82, 0x7e | if mask.is_some() { 0x80 } else { 0 }];
        bytes.extend((payload.len() as u16).to_be_bytes());
        let mask_bytes = mask.unwrap_or_default();
        bytes.extend(mask.iter().flatten());
        bytes.extend(
            payload
                .iter()
                .zip(mask_bytes.iter().cycle())
                .map(|(a, b)| a ^ b),
        );
        bytes
    }

    const HEAD: &[u8] = b"GET /v1/ws HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\n\r\n";

    #[test]
    fn messages_are_labelled_however_they_are_cut() {
        let mask = Some([1, 2, 3, 4]);
        let mut stream = HEAD.to_vec();
        stream.extend(sent(&body(Body::Pad(Pad {})), mask));
        stream.extend(sent(
            &body(Body::Done(Done {
                unfinished: true,
                ..Done::default()
            })),
            mask,
        ));
        stream.extend([0x89, 0x80, 0, 0, 0, 0]);
        stream.extend(sent(b"no frame", mask));
        let expected = [
            Seen::Message {
                bytes: 2_056,
                real: false,
            },
            Seen::Message {
                bytes: 2_056,
                real: true,
            },
            Seen::Control(9, 6),
            Seen::Message {
                bytes: 16,
                real: true,
            },
        ];
        for step in [1, 7, 1_000, stream.len()] {
            let mut reader = Reader::new();
            let seen: Vec<Seen> = stream
                .chunks(step)
                .flat_map(|chunk| reader.read(chunk).unwrap())
                .collect();
            assert_eq!(seen, expected, "{step}");
        }
    }

    #[test]
    fn messages_of_a_relay_have_no_mask() {
        let mut reader = Reader::new();
        let head = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\n\r\n";
        assert!(reader.read(head).unwrap().is_empty());
        let seen = reader.read(&sent(&body(Body::Pad(Pad {})), None)).unwrap();
        assert_eq!(
            seen,
            [Seen::Message {
                bytes: 2_052,
                real: false
            }]
        );
    }

    #[test]
    fn other_requests_are_not_looked_at() {
        let mut reader = Reader::new();
        assert!(
            reader
                .read(b"GET / HTTP/1.1\r\n\r\n\x82\x7f")
                .unwrap()
                .is_empty()
        );
        assert_eq!(reader.state, State::Other);
    }

    #[test]
    fn parts_and_giants_are_refused() {
        let read = |bytes: &[u8]| {
            let mut reader = Reader::new();
            reader.read(HEAD).unwrap();
            reader.read(bytes)
        };
        assert_eq!(read(&[0x02, 0x00]), Err(Unreadable::Parts));
        assert_eq!(
            read(&[0x82, 0x7f, 1, 0, 0, 0, 0, 0, 0, 0]),
            Err(Unreadable::Large(1 << 56))
        );
        assert_eq!(
            Reader::new().read(&vec![b'x'; 70_000]),
            Err(Unreadable::Head)
        );
    }

    #[test]
    fn records_of_tls_are_counted_and_not_read() {
        let stream = [22, 3, 1, 0, 2, 9, 9, 23, 3, 3, 0, 1, 7];
        let mut reader = Reader::new();
        let seen: Vec<Seen> = stream
            .chunks(3)
            .flat_map(|chunk| reader.read(chunk).unwrap())
            .collect();
        assert_eq!(seen, [Seen::Record(22, 7), Seen::Record(23, 6)]);
    }
}

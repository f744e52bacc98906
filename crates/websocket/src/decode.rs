//! Bytes of a client to events.

use crate::{code, mask};
use bytes::Bytes;
use std::mem;

/// Longest header of a client's frame: two bytes, length, mask.
const HEADER_BYTES_MAX: usize = 14;
/// Longest payload of a control frame (RFC 6455 section 5.5).
const CONTROL_BYTES_MAX: usize = 125;
/// Frames of one message that carry nothing. All others bring it nearer to its end.
const EMPTY_PARTS_MAX: u8 = 16;
/// A message up to this length gets its memory at once.
const WHOLE_BYTES_MAX: usize = 4096;

/// What a decoder takes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest message, all its frames together.
    pub message_bytes: usize,
}

/// What a client says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A text message. It is UTF-8.
    Text(Bytes),
    /// A binary message.
    Binary(Bytes),
    /// To be answered by a pong with the same payload.
    Ping(Bytes),
    /// The answer to a ping, or a sign of life.
    Pong(Bytes),
    /// Nothing follows; to be answered by a close.
    Close(Option<Reason>),
}

/// Why a client closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// One that may be sent (RFC 6455 section 7.4).
    pub code: u16,
    /// In words; may be empty.
    pub text: String,
}

/// How a client broke the rules. Nothing can be decoded afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A client's frame has to be masked (section 5.1).
    #[error("the frame is not masked")]
    Mask,
    /// A reserved bit is set, and no extension gives it a meaning (section 5.2).
    #[error("a reserved bit is set")]
    Reserved,
    /// A kind of frame that there is not.
    #[error("unknown opcode")]
    Opcode,
    /// A control frame that is fragmented or longer than 125 bytes (section 5.5).
    #[error("a control frame is fragmented or too long")]
    Control,
    /// A length that is not in its shortest form, or has its first bit set (section 5.2).
    #[error("the length is written in a wrong way")]
    Length,
    /// A continuation of nothing, or a new message amid another (section 5.4).
    #[error("fragments are out of order")]
    Order,
    /// Too many frames that carry nothing.
    #[error("too many empty fragments")]
    Empty,
    /// The message is longer than the limit.
    #[error("the message is too long")]
    TooBig,
    /// A text or a reason is not UTF-8.
    #[error("the text is not UTF-8")]
    Text,
    /// A close with half a code, or with one that must not be sent.
    #[error("the close is malformed")]
    Close,
}

impl Violation {
    /// The code to close with.
    pub fn code(self) -> u16 {
        match self {
            Self::TooBig => code::TOO_BIG,
            Self::Text => code::INVALID,
            Self::Empty => code::POLICY,
            _ => code::PROTOCOL,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opcode {
    Continuation,
    Start(Kind),
    Close,
    Ping,
    Pong,
}

impl Opcode {
    fn new(bits: u8) -> Result<Self, Violation> {
        Ok(match bits {
            0 => Self::Continuation,
            1 => Self::Start(Kind::Text),
            2 => Self::Start(Kind::Binary),
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return Err(Violation::Opcode),
        })
    }

    fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// A frame whose payload is coming.
#[derive(Debug)]
struct Frame {
    opcode: Opcode,
    is_last: bool,
    /// Turned to the next byte.
    mask: [u8; 4],
    left: usize,
}

/// Decodes what one client sends.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    /// The beginning of a header.
    header: [u8; HEADER_BYTES_MAX],
    header_have: usize,
    frame: Option<Frame>,
    /// The kind of a message that is not complete.
    open: Option<Kind>,
    message: Vec<u8>,
    /// So much of a text is known to be UTF-8.
    checked: usize,
    empty_parts: u8,
    control: Vec<u8>,
    failed: Option<Violation>,
}

impl Decoder {
    /// One that has seen nothing.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            header: [0; HEADER_BYTES_MAX],
            header_have: 0,
            frame: None,
            open: None,
            message: Vec::new(),
            checked: 0,
            empty_parts: 0,
            control: Vec::new(),
            failed: None,
        }
    }

    /// Takes bytes from the front of `input` until an event is complete; `None` means that all were taken.
    ///
    /// # Errors
    /// [`Violation`], now and ever after.
    pub fn decode(&mut self, input: &mut &[u8]) -> Result<Option<Event>, Violation> {
        if let Some(violation) = self.failed {
            return Err(violation);
        }
        let decoded = self.advance(input);
        self.failed = decoded.as_ref().err().copied();
        decoded
    }

    /// Whether the rules were broken.
    pub fn failed(&self) -> Option<Violation> {
        self.failed
    }

    fn advance(&mut self, input: &mut &[u8]) -> Result<Option<Event>, Violation> {
        loop {
            let Some(mut frame) = self.frame.take() else {
                match self.header(input)? {
                    Some(frame) => self.frame = Some(frame),
                    None => return Ok(None),
                }
                continue;
            };
            let (now, rest) = input.split_at(frame.left.min(input.len()));
            *input = rest;
            frame.left -= now.len();
            if frame.opcode.is_control() {
                mask::append(&mut self.control, now, &mut frame.mask);
            } else {
                if self.message.capacity() == 0 && frame.is_last {
                    let whole = now.len() + frame.left;
                    self.message.reserve_exact(whole.min(WHOLE_BYTES_MAX));
                }
                mask::append(&mut self.message, now, &mut frame.mask);
                self.check_text()?;
            }
            if frame.left > 0 {
                self.frame = Some(frame);
                return Ok(None);
            }
            if let Some(event) = self.finish(&frame)? {
                return Ok(Some(event));
            }
        }
    }

    /// Gathers a header; `None` while it is not complete.
    fn header(&mut self, input: &mut &[u8]) -> Result<Option<Frame>, Violation> {
        let first = 2;
        if !self.gather(input, first) {
            return Ok(None);
        }
        let [flags, length, ..] = self.header;
        let opcode = Opcode::new(flags & 0x0f)?;
        let is_last = flags & 0x80 != 0;
        let short = usize::from(length & 0x7f);
        if flags & 0x70 != 0 {
            return Err(Violation::Reserved);
        }
        if length & 0x80 == 0 {
            return Err(Violation::Mask);
        }
        if opcode.is_control() && (!is_last || short > CONTROL_BYTES_MAX) {
            return Err(Violation::Control);
        }
        if !opcode.is_control() && (opcode == Opcode::Continuation) != self.open.is_some() {
            return Err(Violation::Order);
        }
        let extended = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        // The length is judged as soon as it is there, before the mask.
        if !self.gather(input, first + extended) {
            return Ok(None);
        }
        let length = Self::length(short, &self.header[first..first + extended])?;
        if !opcode.is_control() && length > self.limits.message_bytes - self.message.len() {
            return Err(Violation::TooBig);
        }
        if !self.gather(input, first + extended + 4) {
            return Ok(None);
        }
        if !opcode.is_control() && length == 0 && !is_last {
            self.empty_parts += 1;
            if self.empty_parts > EMPTY_PARTS_MAX {
                return Err(Violation::Empty);
            }
        }
        let mut mask = [0; 4];
        mask.copy_from_slice(&self.header[first + extended..first + extended + 4]);
        self.header_have = 0;
        if let Opcode::Start(kind) = opcode {
            self.open = Some(kind);
        }
        Ok(Some(Frame {
            opcode,
            is_last,
            mask,
            left: length,
        }))
    }

    /// Whether the header has at least so many bytes now.
    fn gather(&mut self, input: &mut &[u8], wanted: usize) -> bool {
        let missing = wanted.saturating_sub(self.header_have);
        let (now, rest) = input.split_at(missing.min(input.len()));
        self.header[self.header_have..self.header_have + now.len()].copy_from_slice(now);
        self.header_have += now.len();
        *input = rest;
        self.header_have >= wanted
    }

    fn length(short: usize, extended: &[u8]) -> Result<usize, Violation> {
        if extended.is_empty() {
            return Ok(short);
        }
        let length = extended
            .iter()
            .fold(0u64, |length, byte| (length << 8) | u64::from(*byte));
        let least = if extended.len() == 2 { 126 } else { 0x1_0000 };
        if length < least || length >> 63 != 0 {
            return Err(Violation::Length);
        }
        // What no memory holds is over any limit.
        usize::try_from(length).map_err(|_| Violation::TooBig)
    }

    /// Looks at what is new in a text, so that nonsense is refused before its end.
    fn check_text(&mut self) -> Result<(), Violation> {
        if self.open != Some(Kind::Text) {
            return Ok(());
        }
        match std::str::from_utf8(&self.message[self.checked..]) {
            Ok(text) => self.checked += text.len(),
            Err(error) if error.error_len().is_none() => self.checked += error.valid_up_to(),
            Err(_) => return Err(Violation::Text),
        }
        Ok(())
    }

    fn finish(&mut self, frame: &Frame) -> Result<Option<Event>, Violation> {
        match frame.opcode {
            Opcode::Close => close(&mem::take(&mut self.control)).map(Some),
            Opcode::Ping => Ok(Some(Event::Ping(mem::take(&mut self.control).into()))),
            Opcode::Pong => Ok(Some(Event::Pong(mem::take(&mut self.control).into()))),
            Opcode::Continuation | Opcode::Start(_) if !frame.is_last => Ok(None),
            Opcode::Continuation | Opcode::Start(_) => {
                let message = mem::take(&mut self.message);
                let checked = mem::take(&mut self.checked);
                self.empty_parts = 0;
                match self.open.take() {
                    // The text ends within a character.
                    Some(Kind::Text) if checked < message.len() => Err(Violation::Text),
                    Some(Kind::Text) => Ok(Some(Event::Text(message.into()))),
                    _ => Ok(Some(Event::Binary(message.into()))),
                }
            }
        }
    }
}

fn close(payload: &[u8]) -> Result<Event, Violation> {
    let Some((code, text)) = payload.split_first_chunk() else {
        return if payload.is_empty() {
            Ok(Event::Close(None))
        } else {
            Err(Violation::Close)
        };
    };
    let code = u16::from_be_bytes(*code);
    // 1004 to 1006 and 1015 are never sent; what is not registered has no meaning (section 7.4.2).
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::Close);
    }
    let text = std::str::from_utf8(text).map_err(|_| Violation::Text)?;
    let text = text.to_owned();
    Ok(Event::Close(Some(Reason { code, text })))
}

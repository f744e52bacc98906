//! Frames: 2,048 bytes each, both directions, always.
//!
//! | offset | bytes | meaning |
//! |---|---|---|
//! | 0 | 1 | protocol version, 1 |
//! | 1 | 2 | length of the message, little endian |
//! | 3 | length | a `Frame` of `proto/relay.proto` |
//! | then | rest | zeros; not checked, so that a later version may use them |

use crate::limits::{FRAME_BYTES, FRAME_HEADER_BYTES, VERSION};
use crate::relay;
use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};

/// Why some bytes are not a frame, or a message does not fit into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Not exactly [`FRAME_BYTES`] long: cut on the way, or not ume.
    #[error("a frame has {FRAME_BYTES} bytes, not {0}")]
    Size(usize),
    /// A version that this build does not know.
    #[error("unknown frame version {0}")]
    Version(u8),
    /// The length field points outside the frame.
    #[error("the frame's length field points outside it")]
    Length,
    /// The message is not valid protobuf.
    #[error("the frame's message is malformed")]
    Message,
    /// The message to send does not fit: a field is longer than the protocol allows.
    #[error("the message does not fit into a frame")]
    TooLong,
}

/// Encodes a message into a whole frame.
///
/// # Errors
/// [`FrameError::TooLong`].
pub fn encode(frame: &relay::Frame) -> Result<Bytes, FrameError> {
    let mut out = BytesMut::with_capacity(FRAME_BYTES);
    encode_into(frame, &[], &mut out)?;
    Ok(out.freeze())
}

/// The same with one more field, of type bytes: one that this version gives no meaning to.
///
/// # Errors
/// [`FrameError::TooLong`].
pub fn encode_with(frame: &relay::Frame, field: u32, bytes: &[u8]) -> Result<Bytes, FrameError> {
    let mut extra = Vec::with_capacity(bytes.len() + 8);
    encode_key(field, WireType::LengthDelimited, &mut extra);
    encode_varint(bytes.len() as u64, &mut extra);
    extra.extend_from_slice(bytes);
    let mut out = BytesMut::with_capacity(FRAME_BYTES);
    encode_into(frame, &extra, &mut out)?;
    Ok(out.freeze())
}

/// Encodes a message into a whole frame behind what `out` holds. `grease` are further fields of the message, encoded
/// ([`crate::grease`]).
///
/// # Errors
/// [`FrameError::TooLong`]; `out` is as it was.
pub fn encode_into(
    frame: &relay::Frame,
    grease: &[u8],
    out: &mut BytesMut,
) -> Result<(), FrameError> {
    let length = frame.encoded_len() + grease.len();
    if length > FRAME_BYTES - FRAME_HEADER_BYTES {
        return Err(FrameError::TooLong);
    }
    let end = out.len() + FRAME_BYTES;
    out.reserve(FRAME_BYTES);
    #[allow(clippy::cast_possible_truncation)] // VERSION is 1, and length is below FRAME_BYTES
    {
        out.put_u8(VERSION as u8);
        out.put_u16_le(length as u16);
    }
    frame.encode(out).map_err(|_| FrameError::TooLong)?;
    out.put_slice(grease);
    out.resize(end, 0);
    Ok(())
}

/// Decodes a frame; byte fields of the result share the input's memory.
///
/// # Errors
/// All of [`FrameError`] but `TooLong`.
pub fn decode(frame: &Bytes) -> Result<relay::Frame, FrameError> {
    if frame.len() != FRAME_BYTES {
        return Err(FrameError::Size(frame.len()));
    }
    if u32::from(frame[0]) != VERSION {
        return Err(FrameError::Version(frame[0]));
    }
    let length = usize::from(u16::from_le_bytes([frame[1], frame[2]]));
    if length > FRAME_BYTES - FRAME_HEADER_BYTES {
        return Err(FrameError::Length);
    }
    relay::Frame::decode(frame.slice(FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + length))
        .map_err(|_| FrameError::Message)
}

#[cfg(test)]
mod tests;

//! Protobuf by hand, for messages that only the engine knows.

use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint};

/// A field of bytes.
pub(crate) fn part(field: u32, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_key(field, WireType::LengthDelimited, &mut out);
    encode_varint(content.len() as u64, &mut out);
    out.extend_from_slice(content);
    out
}

/// A field that is a number.
pub(crate) fn number(field: u32, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    encode_key(field, WireType::Varint, &mut out);
    encode_varint(value, &mut out);
    out
}

/// The first field of bytes with a number.
pub(crate) fn bytes(mut message: &[u8], wanted: u32) -> Option<Vec<u8>> {
    while !message.is_empty() {
        let (field, kind) = decode_key(&mut message).ok()?;
        let value = decode_varint(&mut message).ok()?;
        if kind == WireType::LengthDelimited {
            let (content, rest) = message.split_at_checked(usize::try_from(value).ok()?)?;
            if field == wanted {
                return Some(content.to_vec());
            }
            message = rest;
        }
    }
    None
}

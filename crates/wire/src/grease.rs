//! Grease (the idea of RFC 8701): fields that mean nothing, sent now and then, so that whoever cannot stand what it does
//! not know is found out before it matters. Their numbers, 1000 to 1999, are never given a meaning.

use prost::encoding::{WireType, encode_key, encode_varint};

const FIRST: u64 = 1000;
const COUNT: u64 = 1000;

/// An encoded field without meaning, chosen by a random number: any number and any type that there is.
pub fn field(random: u64) -> Vec<u8> {
    let mut out = Vec::new();
    let number = u32::try_from(FIRST + random % COUNT).unwrap_or(1000);
    let [_, _, kind, length, noise @ ..] = random.to_le_bytes();
    match kind % 4 {
        0 => {
            encode_key(number, WireType::Varint, &mut out);
            encode_varint(random, &mut out);
        }
        1 => {
            encode_key(number, WireType::SixtyFourBit, &mut out);
            out.extend(random.to_le_bytes());
        }
        2 => {
            encode_key(number, WireType::ThirtyTwoBit, &mut out);
            out.extend_from_slice(&noise);
        }
        _ => {
            encode_key(number, WireType::LengthDelimited, &mut out);
            let length = usize::from(length % 16);
            encode_varint(length as u64, &mut out);
            out.extend(noise.iter().cycle().take(length));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::field;
    use crate::{
        frame::{decode, encode, encode_into},
        relay::{Frame, Pad, frame::Body},
    };
    use bytes::BytesMut;

    #[test]
    fn grease_changes_nothing() {
        let frame = Frame {
            request: 7,
            body: Some(Body::Pad(Pad {})),
        };
        let plain = encode(&frame).unwrap();
        for n in 0..2000u64 {
            let mut out = BytesMut::new();
            let random = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            encode_into(&frame, &field(random), &mut out).unwrap();
            assert_ne!(out, plain);
            assert_eq!(decode(&out.freeze()).unwrap(), frame);
        }
    }
}

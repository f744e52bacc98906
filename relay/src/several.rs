//! Short messages that share a frame: taken apart where they come in, put together where they leave.

use crate::{packet, refusal::Refusal};
use bytes::{Bytes, BytesMut};
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};
use ume_wire::{
    frame,
    limits::{FRAME_BYTES, FRAME_HEADER_BYTES, SEVERAL_MAX},
    relay::{Frame, Several},
};

/// The field of a `Frame` that holds a `Several`.
const SEVERAL_FIELD: u32 = 17;
/// The field of a `Several` that holds a message.
const FRAMES_FIELD: u32 = 1;
/// What a frame has room for.
const MESSAGE_BYTES: usize = FRAME_BYTES - FRAME_HEADER_BYTES;

/// The messages of a frame, in their order. One that is a `Several` itself is refused when its turn comes.
pub(crate) fn apart(several: Several) -> Result<Vec<Frame>, Refusal> {
    if (1..=SEVERAL_MAX).contains(&several.frames.len()) {
        Ok(several.frames)
    } else {
        Err(Refusal::MALFORMED)
    }
}

/// What leaves in one frame: a message, and of those that follow it as many as there is room for.
#[derive(Debug)]
pub(crate) enum Load {
    /// One, in its packet, which it may share with other connections.
    One(Bytes),
    /// More, as the content of a `Several`.
    More { content: Vec<u8>, count: usize },
}

impl Load {
    /// Takes the message of one more packet, if there is room; tells whether there was.
    pub(crate) fn join(&mut self, packet: &[u8]) -> bool {
        let message = packet::message(packet);
        let bytes = field_bytes(FRAMES_FIELD, message.len());
        match self {
            Self::One(first) => {
                let first = packet::message(first);
                let both = field_bytes(FRAMES_FIELD, first.len()) + bytes;
                if field_bytes(SEVERAL_FIELD, both) > MESSAGE_BYTES {
                    return false;
                }
                let mut content = Vec::with_capacity(both);
                put_field(&mut content, FRAMES_FIELD, first);
                put_field(&mut content, FRAMES_FIELD, message);
                *self = Self::More { content, count: 2 };
            }
            Self::More { content, count } => {
                let all = content.len() + bytes;
                if *count == SEVERAL_MAX || field_bytes(SEVERAL_FIELD, all) > MESSAGE_BYTES {
                    return false;
                }
                put_field(content, FRAMES_FIELD, message);
                *count += 1;
            }
        }
        true
    }

    /// Puts it behind what `out` holds, as one packet.
    pub(crate) fn put(&self, out: &mut BytesMut) {
        match self {
            Self::One(packet) => out.extend_from_slice(packet),
            Self::More { content, .. } => {
                let mut field = Vec::with_capacity(FRAME_BYTES);
                put_field(&mut field, SEVERAL_FIELD, content);
                packet::header(out);
                // It fits: that was looked at when it was joined.
                let _ = frame::encode_into(&Frame::default(), &field, out);
            }
        }
    }
}

/// Bytes of a field with so many bytes of content.
fn field_bytes(number: u32, content: usize) -> usize {
    let key = u64::from(number << 3);
    encoded_len_varint(key) + encoded_len_varint(content as u64) + content
}

fn put_field(out: &mut Vec<u8>, number: u32, content: &[u8]) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(content.len() as u64, out);
    out.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{bare, encode};
    use ume_wire::{
        limits::CELL_BYTES,
        relay::{Appended, Delivery, Done, frame::Body},
    };

    fn done(request: u32) -> (Frame, Bytes) {
        with(request, Body::Done(Done::default()))
    }

    fn with(request: u32, body: Body) -> (Frame, Bytes) {
        let packet = encode(request, body.clone()).unwrap();
        let body = Some(body);
        (Frame { request, body }, packet)
    }

    /// The messages of the packet that a load makes.
    fn messages(load: &Load) -> Vec<Frame> {
        let mut out = BytesMut::from(&b"before"[..]);
        load.put(&mut out);
        let packet = out.split_off(6).freeze();
        assert_eq!(packet.len(), packet::BYTES);
        assert_eq!(packet[..4], [0x82, 126, 8, 0]);
        let frame = frame::decode(&Bytes::copy_from_slice(bare(&packet))).unwrap();
        match frame.body {
            Some(Body::Several(several)) => apart(several).unwrap(),
            _ => vec![frame],
        }
    }

    #[test]
    fn short_ones_share_a_frame_in_their_order() {
        let all: Vec<_> = (1..=100).map(done).collect();
        let mut load = Load::One(all[0].1.clone());
        assert_eq!(messages(&load), [all[0].0.clone()]);
        let joined = all[1..].iter().take_while(|(_, packet)| load.join(packet));
        assert_eq!(joined.count(), SEVERAL_MAX - 1);
        let wanted: Vec<_> = all[..SEVERAL_MAX]
            .iter()
            .map(|(frame, _)| frame.clone())
            .collect();
        assert_eq!(messages(&load), wanted);
    }

    #[test]
    fn a_cell_takes_short_ones_behind_it_and_no_second_cell() {
        let cell = |request| {
            let body = Body::Delivery(Delivery {
                lane: vec![7; 32].into(),
                seq: u64::MAX,
                cell: vec![8; CELL_BYTES].into(),
            });
            with(request, body)
        };
        let mut load = Load::One(cell(1).1);
        assert!(!load.join(&cell(2).1));
        assert_eq!(messages(&load), [cell(1).0]);
        let short: Vec<_> = (2..)
            .map(|n| with(n, Body::Appended(Appended { seq: u64::MAX })))
            .take_while(|(_, packet)| load.join(packet))
            .map(|(frame, _)| frame)
            .collect();
        assert!(short.len() > 4, "{}", short.len());
        assert_eq!(messages(&load)[0], cell(1).0);
        assert_eq!(messages(&load)[1..], short);
        assert!(!load.join(&cell(2).1));
    }

    #[test]
    fn whatever_fits_by_the_sum_is_put_whole() {
        // Contents around the places where a length takes one byte more.
        for first in 100..200 {
            for second in (1700..1990).step_by(7) {
                let make = |n: usize| {
                    let body = Body::Delivery(Delivery {
                        cell: vec![1; n].into(),
                        ..Delivery::default()
                    });
                    with(1, body)
                };
                let mut load = Load::One(make(first).1);
                if load.join(&make(second).1) {
                    assert_eq!(messages(&load), [make(first).0, make(second).0]);
                } else {
                    assert!(first + second > 1980);
                }
            }
        }
    }

    #[test]
    fn none_and_too_many_are_malformed() {
        for count in [0, SEVERAL_MAX + 1] {
            let frames = vec![Frame::default(); count];
            assert_eq!(apart(Several { frames }), Err(Refusal::MALFORMED));
        }
    }
}

//! ume: frames of 2,048 bytes, lanes, signatures. A payload of 2, 4 or 16 KiB is a message of 1, 3 or 10 cells.

use super::{Seen, Session, TAG, Tag, Todo, Unit};
use crate::ws;
use bytes::Bytes;
use ed25519_dalek::SigningKey;
use ume_wire::{
    auth::{Hash, LaneId, Statement, Work, hash, relay_id},
    frame,
    limits::{CELL_BYTES, FRAGMENT_BYTES, FRAME_BYTES},
    relay::{Append, Frame, Hello, LaneKind, LaneNew, Pad, RefusedCode, Subscribe, frame::Body},
};

/// Which lanes are made.
#[derive(Clone, Debug)]
pub(crate) struct Ume {
    /// 0: cells go to whoever is there, and are never stored.
    pub(crate) ttl_seconds: u32,
    /// Makes the lanes of one run others than those of the last.
    pub(crate) run: u64,
    /// What pays for lanes, at a relay that asks for it.
    pub(crate) access: Bytes,
}

/// What a `Welcome` says about signing on this connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Here {
    relay: Hash,
    challenge: Bytes,
    work_bits: u32,
}

/// How many cells carry a payload. 2 KiB stands for one frame, not for a payload of that size.
pub(crate) fn parts(size: usize) -> u16 {
    if size <= FRAME_BYTES {
        1
    } else {
        size.div_ceil(FRAGMENT_BYTES) as u16
    }
}

/// All lanes have these keys: who may do what is not what is measured.
fn key(role: u8) -> SigningKey {
    SigningKey::from_bytes(&[role; 32])
}

const WRITER: u8 = 1;
const READER: u8 = 2;
const OWNER: u8 = 3;

fn public(role: u8) -> Bytes {
    Bytes::copy_from_slice(key(role).verifying_key().as_bytes())
}

impl Ume {
    fn lane(&self, topic: u32) -> LaneId {
        let mut name = b"load".to_vec();
        name.extend_from_slice(&self.run.to_le_bytes());
        name.extend_from_slice(&topic.to_le_bytes());
        let mut lane = hash(&name);
        // A first bit of 1 would bind the id to the lane's content.
        lane[0] &= 0x7f;
        lane
    }

    pub(super) fn ask(&self, todo: Todo, session: &mut Session, out: &mut Vec<u8>) -> bool {
        let body = match todo {
            Todo::Hello => Body::Hello(Hello {
                version_min: 1,
                version_max: 1,
                nonce: Bytes::from_static(&[7; 32]),
                pace: None,
            }),
            Todo::Create(topic) => Body::LaneNew(self.lane_new(topic, &session.here)),
            Todo::Subscribe(topic) => {
                let lane = self.lane(topic);
                let here = &session.here;
                let signature =
                    Statement::ReadHere(&here.relay, &here.challenge, &lane).sign(&key(READER));
                Body::Subscribe(Subscribe {
                    lane: Bytes::copy_from_slice(&lane),
                    from: 1,
                    signature: Bytes::copy_from_slice(&signature),
                })
            }
        };
        send(session.next(), body, out);
        true
    }

    fn lane_new(&self, topic: u32, here: &Here) -> LaneNew {
        let lane = self.lane(topic);
        let work = Work::new(&here.relay, &here.challenge, &lane);
        LaneNew {
            lane: Bytes::copy_from_slice(&lane),
            kind: LaneKind::Log.into(),
            writers: vec![public(WRITER)],
            reader: public(READER),
            owner: public(OWNER),
            ttl_seconds: self.ttl_seconds,
            acceptors: 0,
            work: (0..u64::MAX)
                .find(|&number| work.bits(number) >= here.work_bits)
                .unwrap_or_default(),
            access: self.access.clone(),
        }
    }

    pub(super) fn publish(
        &self,
        topic: u32,
        number: u64,
        size: usize,
        session: &mut Session,
        out: &mut Vec<u8>,
    ) {
        let parts = parts(size);
        let lane = self.lane(topic);
        let here = &session.here;
        let signature = match session.signed {
            Some((signed, signature)) if signed == topic => signature,
            _ => Statement::AppendHere(&here.relay, &here.challenge, &lane).sign(&key(WRITER)),
        };
        session.signed = Some((topic, signature));
        for part in 0..parts {
            let mut cell = vec![0x5e; CELL_BYTES];
            let tag = Tag {
                number,
                part,
                parts,
            };
            cell[..TAG].copy_from_slice(&tag.bytes());
            let append = Append {
                lane: Bytes::copy_from_slice(&lane),
                cell: cell.into(),
                signature: Bytes::copy_from_slice(&signature),
            };
            send(session.next(), Body::Append(append), out);
        }
    }
}

/// A frame that means nothing and is answered by its like.
pub(crate) fn pad(session: &mut Session, out: &mut Vec<u8>) {
    send(session.next(), Body::Pad(Pad {}), out);
}

fn send(request: u32, body: Body, out: &mut Vec<u8>) {
    let frame = Frame {
        request,
        body: Some(body),
    };
    // Everything that is sent here fits, whatever an access key has for a length.
    if let Ok(frame) = frame::encode(&frame) {
        ws::frame(ws::BINARY, &frame, out);
    }
}

/// Bytes in which the tag of a delivery is found, unless something unknown stands before it.
const LOOK: usize = 256;

pub(super) fn unit(bytes: &[u8]) -> Option<Unit> {
    if bytes.len() < LOOK {
        return None;
    }
    let seen = match delivered(bytes) {
        Some(tag) => Seen::Delivered(tag),
        // Anything else is rare enough to be read as it should be.
        None => answer(&frame::decode(&Bytes::copy_from_slice(bytes.get(..FRAME_BYTES)?)).ok()?),
    };
    Some(Unit {
        length: FRAME_BYTES,
        seen,
    })
}

fn answer(frame: &Frame) -> Seen {
    match &frame.body {
        Some(Body::Welcome(welcome)) => Seen::Welcome(Box::new(Here {
            relay: relay_id(&welcome.relay_key),
            challenge: welcome.challenge.clone(),
            work_bits: welcome.work_bits,
        })),
        Some(Body::Done(_) | Body::Head(_) | Body::Pad(_)) => Seen::Ready,
        Some(Body::Appended(_)) => Seen::Acked,
        Some(Body::Delivery(delivery)) => {
            Tag::read(&delivery.cell).map_or(Seen::Nothing, Seen::Delivered)
        }
        Some(Body::Refused(refused)) => Seen::Refused(
            RefusedCode::try_from(refused.code)
                .map_or("an unknown refusal", |code| code.as_str_name())
                .to_owned(),
        ),
        _ => Seen::Nothing,
    }
}

/// The tag of a delivered cell, found without decoding the frame: a generator that decodes would be the bottleneck.
fn delivered(frame: &[u8]) -> Option<Tag> {
    const DELIVERY: u64 = 35 << 3 | 2;
    const CELL: u64 = 3 << 3 | 2;
    let mut rest = &frame[3..];
    let mut inside = false;
    loop {
        let field = varint(&mut rest)?;
        let value = varint(&mut rest)?;
        match (field, inside) {
            (DELIVERY, false) => inside = true,
            (CELL, true) => return Tag::read(rest),
            _ if wire_type(field) == 0 => {}
            _ if wire_type(field) == 2 => rest = rest.get(usize::try_from(value).ok()?..)?,
            _ => return None,
        }
    }
}

/// How a field's value is written (the protobuf encoding, "Message Structure").
fn wire_type(field: u64) -> u64 {
    field & 7
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use ume_wire::relay::Delivery;

    #[test]
    fn the_tag_of_a_delivery_is_found_as_decoding_finds_it() {
        let tag = Tag {
            number: 77,
            part: 2,
            parts: 3,
        };
        let mut cell = vec![1; CELL_BYTES];
        cell[..TAG].copy_from_slice(&tag.bytes());
        for request in [0, 1, 300] {
            let frame = frame::encode(&Frame {
                request,
                body: Some(Body::Delivery(Delivery {
                    lane: Bytes::from_static(&[9; 32]),
                    seq: 1 << 40,
                    cell: cell.clone().into(),
                })),
            })
            .unwrap();
            assert_eq!(delivered(&frame), Some(tag));
            assert_eq!(
                answer(&frame::decode(&frame).unwrap()),
                Seen::Delivered(tag)
            );
        }
        let mut out = Vec::new();
        send(5, Body::Pad(Pad {}), &mut out);
        assert_eq!(out.len(), 8 + FRAME_BYTES);
    }

    #[test]
    fn a_payload_has_the_cells_that_it_needs() {
        assert_eq!([2048, 4096, 16_384].map(parts), [1, 3, 10]);
    }
}

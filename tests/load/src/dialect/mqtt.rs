//! MQTT 3.1.1: quality of service 0, or 1 with acknowledgements.

use super::{Seen, Session, Tag, Todo, Unit};
use crate::ws;

#[derive(Clone, Debug)]
pub(crate) struct Mqtt {
    pub(crate) qos: u8,
    /// Makes the client ids of one run others than those of the last.
    pub(crate) clients: std::sync::Arc<std::sync::atomic::AtomicU32>,
}

impl Mqtt {
    pub(super) fn ask(&self, todo: Todo, out: &mut Vec<u8>) -> bool {
        let packet = match todo {
            Todo::Hello => {
                let number = self
                    .clients
                    .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                // Protocol "MQTT" level 4, a clean session, no keep-alive (section 3.1).
                let mut body = b"\0\x04MQTT\x04\x02\0\0".to_vec();
                string(&format!("load{number}"), &mut body);
                packet(0x10, &[&body])
            }
            Todo::Create(_) => return false,
            Todo::Subscribe(topic) => {
                let mut body = b"\0\x01".to_vec();
                string(&name(topic), &mut body);
                body.push(0); // Deliveries are never acknowledged: the peers do not do it either.
                packet(0x82, &[&body])
            }
        };
        ws::frame(ws::BINARY, &packet, out);
        true
    }

    pub(super) fn publish(
        &self,
        topic: u32,
        number: u64,
        size: usize,
        session: &mut Session,
        out: &mut Vec<u8>,
    ) {
        let mut head = Vec::new();
        string(&name(topic), &mut head);
        if self.qos > 0 {
            let id = session.next() % 0xffff + 1;
            head.extend_from_slice(&(id as u16).to_be_bytes());
        }
        let mut payload = Tag::whole(number).bytes().to_vec();
        payload.resize(size, 0x5e);
        let packet = packet(0x30 | self.qos << 1, &[&head, &payload]);
        ws::frame(ws::BINARY, &packet, out);
    }
}

fn name(topic: u32) -> String {
    format!("t/{topic}")
}

fn string(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn packet(first: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = vec![first];
    let mut length: usize = parts.iter().map(|part| part.len()).sum();
    loop {
        let low = (length & 0x7f) as u8;
        length >>= 7;
        out.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

pub(super) fn unit(bytes: &[u8]) -> Option<Unit> {
    let first = *bytes.first()?;
    let (mut length, mut at) = (0, 1);
    loop {
        let byte = *bytes.get(at)?;
        length |= usize::from(byte & 0x7f) << (7 * (at - 1));
        at += 1;
        if byte < 0x80 {
            break;
        }
    }
    let body = &bytes[at..];
    let seen = match first >> 4 {
        3 => {
            let topic = usize::from(u16::from_be_bytes([*body.first()?, *body.get(1)?]));
            // Deliveries are of QoS 0 and have no packet id.
            Seen::Delivered(Tag::read(body.get(2 + topic..)?)?)
        }
        2 | 9 if *body.get(length - 1)? >= 0x80 || (first >> 4 == 2 && body[1] != 0) => {
            Seen::Refused("the broker refuses".to_owned())
        }
        2 | 9 => Seen::Ready,
        4 => Seen::Acked,
        _ => Seen::Nothing,
    };
    Some(Unit {
        length: at + length,
        seen,
    })
}

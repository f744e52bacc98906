//! Raw TCP, to the server of `reference.rs`: the limit of what any server can reach.

use super::{Seen, TAG, Tag, Todo, Unit};

pub(crate) const SUBSCRIBE: u8 = b'S';
pub(crate) const PUBLISH: u8 = b'P';
/// What a connection says first: its role and topic.
pub(crate) const GREETING: usize = 5;
/// Length before every message. A length of 0 answers a greeting.
const LENGTH: usize = 4;

pub(super) fn ask(todo: Todo, out: &mut Vec<u8>) -> bool {
    let (role, topic) = match todo {
        Todo::Hello => return false,
        Todo::Create(topic) => (PUBLISH, topic),
        Todo::Subscribe(topic) => (SUBSCRIBE, topic),
    };
    out.push(role);
    out.extend_from_slice(&topic.to_le_bytes());
    true
}

pub(super) fn publish(number: u64, size: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&(size as u32).to_le_bytes());
    let end = out.len() + size;
    out.extend_from_slice(&Tag::whole(number).bytes());
    out.resize(end, 0x5e);
}

pub(super) fn unit(bytes: &[u8]) -> Option<Unit> {
    let (length, body) = bytes.split_first_chunk::<LENGTH>()?;
    let length = u32::from_le_bytes(*length) as usize;
    if length == 0 {
        return Some(Unit {
            length: LENGTH,
            seen: Seen::Ready,
        });
    }
    Some(Unit {
        length: LENGTH + length,
        seen: Seen::Delivered(Tag::read(body.get(..TAG)?)?),
    })
}

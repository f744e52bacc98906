//! nostr (NIP-01): JSON events signed with Schnorr signatures. The payload is base64 in an event's content: the same opaque
//! bytes delivered, at the price of its protocol.

use super::{Seen, TAG, Tag, Todo, Unit};
use crate::ws;
use data_encoding::{BASE64, HEXLOWER};
use k256::schnorr::{SigningKey, signature::hazmat::PrehashSigner};
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use ume_wire::auth::hash;

/// Encodes 12 bytes without padding, so that the tag stands for itself at the start of the content.
const TAG_TEXT: usize = TAG / 3 * 4;
/// Longest start of an event within which its content begins.
const LOOK: usize = 700;

#[derive(Clone)]
pub(crate) struct Nostr {
    key: Arc<SigningKey>,
}

impl Nostr {
    pub(crate) fn new() -> Option<Self> {
        let key = SigningKey::from_bytes(&[0x11; 32]).ok()?;
        Some(Self { key: Arc::new(key) })
    }

    /// Topics are kinds of events that relays store and pass on like notes.
    fn kind(topic: u32) -> u32 {
        1000 + topic
    }

    pub(super) fn ask(todo: Todo, out: &mut Vec<u8>) -> bool {
        let Todo::Subscribe(topic) = todo else {
            return false;
        };
        let text = format!("[\"REQ\",\"s\",{{\"kinds\":[{}]}}]", Self::kind(topic));
        ws::frame(ws::TEXT, text.as_bytes(), out);
        true
    }

    pub(super) fn publish(&self, topic: u32, number: u64, size: usize, out: &mut Vec<u8>) {
        let mut payload = Tag::whole(number).bytes().to_vec();
        payload.resize(size, 0x5e);
        let content = BASE64.encode(&payload);
        let public = HEXLOWER.encode(&self.key.verifying_key().to_bytes());
        let time = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| time.as_secs());
        let kind = Self::kind(topic);
        let id = hash(format!("[0,\"{public}\",{time},{kind},[],\"{content}\"]").as_bytes());
        // Signing fails for no hash of 32 bytes.
        let Ok(signature) = self.key.sign_prehash(&id) else {
            return;
        };
        let text = format!(
            "[\"EVENT\",{{\"id\":\"{}\",\"pubkey\":\"{public}\",\"created_at\":{time},\"kind\":{kind},\"tags\":[],\"content\":\"{content}\",\"sig\":\"{}\"}}]",
            HEXLOWER.encode(&id),
            HEXLOWER.encode(&signature.to_bytes())
        );
        ws::frame(ws::TEXT, text.as_bytes(), out);
    }
}

pub(super) fn unit(bytes: &[u8], frame: usize) -> Option<Unit> {
    if bytes.len() < LOOK.min(frame) {
        return None;
    }
    let seen = if bytes.starts_with(b"[\"EVENT\"") {
        let mark = b"\"content\":\"";
        let start = bytes.windows(mark.len()).position(|text| text == mark)? + mark.len();
        let tag = BASE64.decode(bytes.get(start..start + TAG_TEXT)?).ok()?;
        Seen::Delivered(Tag::read(&tag)?)
    } else if bytes.starts_with(b"[\"EOSE\"") {
        Seen::Ready
    } else if bytes.starts_with(b"[\"OK\"") {
        if bytes[..frame].windows(5).any(|word| word == b",true") {
            Seen::Acked
        } else {
            Seen::Refused(String::from_utf8_lossy(&bytes[..frame]).into_owned())
        }
    } else {
        Seen::Nothing
    };
    Some(Unit {
        length: frame,
        seen,
    })
}

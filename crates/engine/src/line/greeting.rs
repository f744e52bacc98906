//! What a relay said of itself when it greeted, and what is signed for this one connection because of it.

use bytes::Bytes;
use ed25519_dalek::SigningKey;
use std::collections::BTreeMap;
use ume_wire::auth::{Hash, LaneId, Statement, follow_successions, relay_id};
use ume_wire::limits::{CHALLENGE_BYTES, SUCCESSIONS_MAX, VERSION, VERSION_OLDEST};
use ume_wire::relay::{Welcome, frame::Body};

/// Signatures kept for one connection, at most.
const SIGNATURES_MAX: usize = 1024;

/// A relay that greeted and holds its key.
#[derive(Debug)]
pub(crate) struct Greeting {
    /// The id of its current key.
    pub(crate) relay: Hash,
    /// Its current key.
    pub(crate) key: [u8; 32],
    /// Its clock.
    pub(crate) time_ms: u64,
    /// Lanes and blobs are made with an access key only.
    pub(crate) access_needed: bool,
    /// For how long it keeps what is left with it, at most, seconds.
    pub(super) keeps_seconds: u32,
    /// The largest blob that it takes, bytes.
    pub(super) blob_bytes: u32,
    /// How many cells it keeps for a reader who does not come.
    pub(super) queue_cells: u64,
    /// How long it took to greet, milliseconds.
    pub(super) greeted_ms: u64,
    /// By which push services know it; empty: it wakes nobody.
    pub(crate) push_key: Vec<u8>,
    pub(super) challenge: Bytes,
    /// Under which ids it may be known: those of its own key and of the keys that it came from.
    known_as: Vec<Hash>,
    /// What was signed on this connection: the same bytes serve every cell and every reading of a lane.
    signatures: BTreeMap<(bool, LaneId, Hash), Bytes>,
}

impl Greeting {
    /// Checks a greeting against the nonce that was sent so many milliseconds ago.
    pub(super) fn check(nonce: &[u8], welcome: &Welcome, greeted_ms: u64) -> Option<Self> {
        let spoken = (VERSION_OLDEST..=VERSION).contains(&welcome.version);
        let holds = Statement::Welcome(nonce, &welcome.challenge)
            .verify(&welcome.relay_key, &welcome.signature)
            .is_ok();
        let key: [u8; 32] = welcome.relay_key[..].try_into().ok()?;
        let challenge = &welcome.challenge;
        if !spoken || !holds || challenge.len() != CHALLENGE_BYTES {
            return None;
        }
        let successions = &welcome.successions[..welcome.successions.len().min(SUCCESSIONS_MAX)];
        let mut known_as = vec![relay_id(&key)];
        for one in successions {
            let id = relay_id(&one.old_key);
            if follow_successions(&id, successions, &key).is_ok() {
                known_as.push(id);
            }
        }
        Some(Self {
            relay: relay_id(&key),
            key,
            time_ms: welcome.time_ms,
            access_needed: welcome.access_needed,
            keeps_seconds: welcome.ttl_max_seconds,
            blob_bytes: welcome.blob_bytes_max,
            queue_cells: welcome.queue_cells_max,
            greeted_ms,
            push_key: welcome.push_key[..].to_vec(),
            challenge: challenge.clone(),
            known_as,
            signatures: BTreeMap::new(),
        })
    }

    /// Whether this is the relay of that id, perhaps with a later key.
    pub(crate) fn is(&self, id: &Hash) -> bool {
        self.known_as.contains(id)
    }

    /// Signs what is signed anew on every connection.
    pub(super) fn sign(&mut self, body: &mut Body, key: &SigningKey) {
        match body {
            Body::Append(append) => {
                append.signature = self.signature(true, &append.lane, key);
            }
            Body::Read(read) => read.signature = self.signature(false, &read.lane, key),
            Body::Subscribe(one) => one.signature = self.signature(false, &one.lane, key),
            Body::PushWatch(one) => one.signature = self.signature(false, &one.lane, key),
            _ => {}
        }
    }

    fn signature(&mut self, writes: bool, lane: &[u8], key: &SigningKey) -> Bytes {
        let signed = |statement: Statement<'_>| Bytes::copy_from_slice(&statement.sign(key));
        let statement = if writes {
            Statement::AppendHere(&self.relay, &self.challenge, lane)
        } else {
            Statement::ReadHere(&self.relay, &self.challenge, lane)
        };
        let Ok(lane) = lane.try_into() else {
            return signed(statement);
        };
        if self.signatures.len() >= SIGNATURES_MAX {
            self.signatures.clear();
        }
        let name = (writes, lane, key.verifying_key().to_bytes());
        self.signatures
            .entry(name)
            .or_insert_with(|| Bytes::copy_from_slice(&statement.sign(key)))
            .clone()
    }
}

//! What is signed in the relay protocol, and how it is checked: Ed25519 (RFC 8032) over a label and fixed-size fields.

use crate::relay::{Ballot, LaneNew, Succession, Vote};
use bytes::Bytes;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

/// SHA-256.
pub type Hash = [u8; 32];
/// Id of a lane.
pub type LaneId = [u8; 32];

/// A signature does not fit, or its key is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// SHA-256 of some bytes.
pub fn hash(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// SHA-256 of cells, one after the other: names a value or a blob.
pub fn hash_cells<C: AsRef<[u8]>>(cells: &[C]) -> Hash {
    let mut digest = Sha256::new();
    for cell in cells {
        digest.update(cell.as_ref());
    }
    digest.finalize().into()
}

/// A relay's id: SHA-256 of its key.
pub fn relay_id(key: &[u8]) -> Hash {
    hash(key)
}

/// What is signed. Every variant has its own label, so that a signature for one use is worth nothing for another.
#[derive(Clone, Copy, Debug)]
pub enum Statement<'a> {
    /// A relay proves that it holds its key, and that the challenge is its own: the nonce of the `Hello`, the challenge.
    /// In the answer to a POST the challenge is empty.
    Welcome(&'a [u8], &'a [u8]),
    /// A writer appends the cell with this hash.
    Append(&'a [u8], &'a Hash),
    /// A writer writes to a lane on this connection: relay id, challenge, lane. One signature serves all cells.
    AppendHere(&'a Hash, &'a [u8], &'a [u8]),
    /// A reader reads or subscribes.
    Read(&'a [u8]),
    /// A reader reads or subscribes on this connection: relay id, challenge, lane.
    ReadHere(&'a Hash, &'a [u8], &'a [u8]),
    /// An owner says who may write to a queue from now on.
    Keys(&'a [u8], &'a [Bytes]),
    /// A relay's old key names the new one: new key, milliseconds since 1970.
    Succession(&'a [u8], u64),
    /// An owner has taken everything up to a number.
    Acknowledge(&'a [u8], u64),
    /// An owner deletes the lane.
    Delete(&'a [u8]),
    /// A writer asks for a promise for a slot.
    Prepare(&'a [u8], u64, &'a Ballot),
    /// A writer votes for a value.
    Accept(&'a [u8], u64, &'a Vote),
    /// A relay has accepted the value with this hash, durably.
    Accepted(&'a [u8], u64, &'a Ballot, &'a [u8]),
}

impl Statement<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(160);
        let mut put = |label: &str, fields: &[&[u8]]| {
            out.extend_from_slice(label.as_bytes());
            for field in fields {
                // Lengths make the joining of fields unambiguous whatever a peer puts into them.
                out.extend_from_slice(
                    &u32::try_from(field.len()).unwrap_or(u32::MAX).to_le_bytes(),
                );
                out.extend_from_slice(field);
            }
        };
        match *self {
            Self::Welcome(nonce, challenge) => put("ume/1/welcome", &[nonce, challenge]),
            Self::Append(lane, cell) => put("ume/1/append", &[lane, cell]),
            Self::AppendHere(relay, challenge, lane) => {
                put("ume/1/append-here", &[relay, challenge, lane]);
            }
            Self::Read(lane) => put("ume/1/read", &[lane]),
            Self::ReadHere(relay, challenge, lane) => {
                put("ume/1/read-here", &[relay, challenge, lane]);
            }
            Self::Keys(lane, writers) => {
                let fields: Vec<&[u8]> = std::iter::once(lane)
                    .chain(writers.iter().map(|key| &key[..]))
                    .collect();
                put("ume/1/keys", &fields);
            }
            Self::Succession(key, time) => put("ume/1/succession", &[key, &time.to_le_bytes()]),
            Self::Acknowledge(lane, upto) => put("ume/1/acknowledge", &[lane, &upto.to_le_bytes()]),
            Self::Delete(lane) => put("ume/1/delete", &[lane]),
            Self::Prepare(lane, slot, ballot) => {
                put(
                    "ume/1/prepare",
                    &[
                        lane,
                        &slot.to_le_bytes(),
                        &ballot.round.to_le_bytes(),
                        &ballot.tie,
                    ],
                );
            }
            Self::Accept(lane, slot, vote) => {
                let (round, tie) = vote
                    .ballot
                    .as_ref()
                    .map_or((0, &[][..]), |ballot| (ballot.round, &ballot.tie[..]));
                let fields: [&[u8]; 6] = [
                    lane,
                    &slot.to_le_bytes(),
                    &round.to_le_bytes(),
                    tie,
                    &vote.value_hash,
                    &vote.cells.to_le_bytes(),
                ];
                put("ume/1/accept", &fields);
            }
            Self::Accepted(lane, slot, ballot, value) => {
                let fields: [&[u8]; 5] = [
                    lane,
                    &slot.to_le_bytes(),
                    &ballot.round.to_le_bytes(),
                    &ballot.tie,
                    value,
                ];
                put("ume/1/accepted", &fields);
            }
        }
        out
    }

    /// Signs.
    pub fn sign(&self, key: &SigningKey) -> [u8; 64] {
        key.sign(&self.bytes()).to_bytes()
    }

    /// Checks a signature, strictly (RFC 8032, no small-order keys).
    ///
    /// # Errors
    /// [`BadSignature`], also for a key or signature of a wrong size.
    pub fn verify(&self, key: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        let key: &[u8; 32] = key.try_into().map_err(|_| BadSignature)?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| BadSignature)?;
        let signature = Signature::from_slice(signature).map_err(|_| BadSignature)?;
        key.verify_strict(&self.bytes(), &signature)
            .map_err(|_| BadSignature)
    }
}

/// Orders ballots: by round, then by the tie-breaking bytes.
pub fn ballot_order(ballot: &Ballot) -> (u32, &[u8]) {
    (ballot.round, &ballot.tie)
}

/// Whether a `LaneNew` has fields of the right sizes.
pub fn lane_new_is_sound(new: &LaneNew) -> bool {
    use crate::limits::{ID_BYTES, KEY_BYTES, TTL_SECONDS_MAX, WRITERS_MAX};
    new.lane.len() == ID_BYTES
        && (1..=WRITERS_MAX).contains(&new.writers.len())
        && new.writers.iter().all(|key| key.len() == KEY_BYTES)
        && new.reader.len() == KEY_BYTES
        && (new.owner.is_empty() || new.owner.len() == KEY_BYTES)
        && new.ttl_seconds <= TTL_SECONDS_MAX
}

/// The id of a lane that nobody else can take: the hash of what the lane is, with the first bit set. `lane`, `work` and
/// `access` of the `LaneNew` play no part.
pub fn bound_lane_id(new: &LaneNew) -> LaneId {
    let mut digest = Sha256::new();
    digest.update(b"ume/1/lane");
    let mut put = |field: &[u8]| {
        digest.update(u32::try_from(field.len()).unwrap_or(u32::MAX).to_le_bytes());
        digest.update(field);
    };
    put(&new.kind.to_le_bytes());
    put(&u32::try_from(new.writers.len())
        .unwrap_or(u32::MAX)
        .to_le_bytes());
    new.writers.iter().for_each(|key| put(key));
    put(&new.reader);
    put(&new.owner);
    put(&new.ttl_seconds.to_le_bytes());
    put(&new.acceptors.to_le_bytes());
    let mut id: LaneId = digest.finalize().into();
    id[0] |= BOUND_BIT;
    id
}

/// Whether a lane may have the id that it asks for: one with the first bit set has to be its [`bound_lane_id`].
pub fn lane_id_fits(new: &LaneNew) -> bool {
    new.lane
        .first()
        .is_some_and(|first| first & BOUND_BIT == 0 || new.lane[..] == bound_lane_id(new))
}

const BOUND_BIT: u8 = 0x80;

/// The work for one lane on one connection, ready to try many numbers: the part of the hash that they share is done once.
#[derive(Clone)]
pub struct Work(Sha256);

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Work(..)")
    }
}

impl Work {
    /// For a relay, its challenge on a connection, and a lane.
    pub fn new(relay: &Hash, challenge: &[u8], lane: &[u8]) -> Self {
        let digest = Sha256::new();
        Self(
            digest
                .chain_update(b"ume/1/work")
                .chain_update(relay)
                .chain_update(challenge)
                .chain_update(lane),
        )
    }

    /// The zero bits at the start of the hash with this number.
    pub fn bits(&self, work: u64) -> u32 {
        let hash = self.0.clone().chain_update(work.to_le_bytes()).finalize();
        let mut bits = 0;
        for byte in hash {
            bits += byte.leading_zeros();
            if byte != 0 {
                break;
            }
        }
        bits
    }
}

/// How much work a number shows for a lane on a connection: the zero bits at the start of a SHA-256 over relay id,
/// challenge, lane and number (the idea of Hashcash).
pub fn work_bits(relay: &Hash, challenge: &[u8], lane: &[u8], work: u64) -> u32 {
    Work::new(relay, challenge, lane).bits(work)
}

/// The key at the end of a chain of successions that begins with the key of this id, or with the current key itself.
///
/// # Errors
/// [`BadSignature`] if no unbroken chain leads from that id to `current`.
pub fn follow_successions(
    id: &Hash,
    successions: &[Succession],
    current: &[u8],
) -> Result<(), BadSignature> {
    let mut known = *id;
    for one in successions {
        if relay_id(&one.old_key) != known {
            continue;
        }
        Statement::Succession(&one.new_key, one.time_ms).verify(&one.old_key, &one.signature)?;
        known = relay_id(&one.new_key);
    }
    if relay_id(current) == known {
        Ok(())
    } else {
        Err(BadSignature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane() -> LaneNew {
        LaneNew {
            kind: 1,
            writers: vec![Bytes::from_static(&[1; 32])],
            reader: Bytes::from_static(&[2; 32]),
            ttl_seconds: 60,
            ..LaneNew::default()
        }
    }

    #[test]
    fn a_bound_id_fits_its_own_lane_only() {
        let mut new = lane();
        new.lane = Bytes::copy_from_slice(&bound_lane_id(&new));
        assert!(lane_id_fits(&new));
        new.work = 7;
        assert!(lane_id_fits(&new));
        new.ttl_seconds += 1;
        assert!(!lane_id_fits(&new));
        new.lane = Bytes::from_static(&[0x7f; 32]);
        assert!(lane_id_fits(&new));
        new.lane = Bytes::new();
        assert!(!lane_id_fits(&new));
    }

    #[test]
    fn work_counts_the_zero_bits() {
        let best = (0..5_000)
            .map(|work| work_bits(&[1; 32], &[2; 32], &[3; 32], work))
            .max();
        assert!(best.is_some_and(|bits| (8..32).contains(&bits)));
    }

    #[test]
    fn a_chain_of_successions_leads_from_any_earlier_key() {
        let keys: Vec<SigningKey> = (1..4).map(|n| SigningKey::from_bytes(&[n; 32])).collect();
        let public = |n: usize| keys[n].verifying_key().to_bytes();
        let step = |from: usize, to: usize| Succession {
            old_key: Bytes::copy_from_slice(&public(from)),
            new_key: Bytes::copy_from_slice(&public(to)),
            time_ms: 5,
            signature: Bytes::copy_from_slice(
                &Statement::Succession(&public(to), 5).sign(&keys[from]),
            ),
        };
        let chain = [step(0, 1), step(1, 2)];
        for from in 0..3 {
            let id = relay_id(&public(from));
            assert_eq!(follow_successions(&id, &chain, &public(2)), Ok(()));
        }
        let id = relay_id(&public(0));
        assert!(follow_successions(&id, &chain[1..], &public(2)).is_err());
        assert!(follow_successions(&id, &chain, &public(1)).is_err());
        let mut forged = step(1, 2);
        forged.time_ms = 6;
        assert!(follow_successions(&id, &[step(0, 1), forged], &public(2)).is_err());
    }

    #[test]
    fn a_signature_fits_its_own_statement_only() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = key.verifying_key().to_bytes();
        let lane = [1; 32];
        let cell = hash(b"cell");
        let signature = Statement::Append(&lane, &cell).sign(&key);
        assert_eq!(
            Statement::Append(&lane, &cell).verify(&public, &signature),
            Ok(())
        );
        assert_eq!(
            Statement::Append(&lane, &hash(b"other")).verify(&public, &signature),
            Err(BadSignature)
        );
        assert_eq!(
            Statement::Read(&lane).verify(&public, &signature),
            Err(BadSignature)
        );
        assert_eq!(
            Statement::Append(&lane, &cell).verify(&public[..31], &signature),
            Err(BadSignature)
        );
        assert_eq!(
            Statement::Append(&lane, &cell).verify(&[0; 32], &signature),
            Err(BadSignature)
        );
    }
}

//! What is signed in the relay protocol, and how it is checked: Ed25519 (RFC 8032) over a label and fixed-size fields.

use crate::relay::{Ballot, LaneNew, Vote};
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
    /// A relay proves that it holds its key: the nonce of the `Hello`.
    Welcome(&'a [u8]),
    /// A writer appends the cell with this hash.
    Append(&'a [u8], &'a Hash),
    /// A reader reads or subscribes.
    Read(&'a [u8]),
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
            Self::Welcome(nonce) => put("ume/1/welcome", &[nonce]),
            Self::Append(lane, cell) => put("ume/1/append", &[lane, cell]),
            Self::Read(lane) => put("ume/1/read", &[lane]),
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

#[cfg(test)]
mod tests {
    use super::*;

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

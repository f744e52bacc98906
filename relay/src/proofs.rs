//! Signatures that were checked on a connection.
//!
//! What a client signs to append or read names the relay, the connection's challenge and the lane, so the same bytes come
//! with every cell. They are verified once, and compared afterwards.

use crate::refusal::Refusal;
use bytes::Bytes;
use std::collections::HashMap;
use ume_wire::{
    auth::{LaneId, Statement},
    limits::{SIGNATURE_BYTES, SUBSCRIPTIONS_MAX},
};

/// Signatures that are remembered. Who uses more lanes than that has some verified again.
const KNOWN_MAX: usize = 2 * SUBSCRIPTIONS_MAX;

/// What a signature is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Right {
    Append,
    Read,
}

#[derive(Debug)]
struct Proof {
    signature: [u8; SIGNATURE_BYTES],
    key: Bytes,
}

/// The signatures of one connection.
#[derive(Debug, Default)]
pub(crate) struct Proofs(HashMap<(Right, LaneId), Proof>);

impl Proofs {
    /// Checks that one of these keys, which are the lane's at this moment, signed the statement. It has to be the same
    /// statement for a right to a lane every time.
    pub(crate) fn check(
        &mut self,
        right: Right,
        lane: &LaneId,
        keys: &[Bytes],
        statement: &Statement<'_>,
        signature: &[u8],
    ) -> Result<(), Refusal> {
        // Nobody learns anything from how long this comparison takes: it is the client's own signature.
        let is_known = self
            .0
            .get(&(right, *lane))
            .is_some_and(|proof| proof.signature == *signature && keys.contains(&proof.key));
        if is_known {
            return Ok(());
        }
        let fits = |key: &&Bytes| statement.verify(key, signature).is_ok();
        let key = keys.iter().find(fits).ok_or(Refusal::DENIED)?;
        let signature = signature.try_into().map_err(|_| Refusal::DENIED)?;
        if self.0.len() >= KNOWN_MAX {
            self.0.clear();
        }
        // A copy: the key may be a part of something larger.
        let key = Bytes::copy_from_slice(key);
        self.0.insert((right, *lane), Proof { signature, key });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;

    #[test]
    fn a_key_that_is_taken_away_opens_nothing_any_more() {
        let signing = SigningKey::from_bytes(&[5; 32]);
        let key = Bytes::copy_from_slice(signing.verifying_key().as_bytes());
        let other = Bytes::copy_from_slice(&[1; 32]);
        let (lane, relay) = ([1; 32], [2; 32]);
        let statement = Statement::AppendHere(&relay, &[3; 32], &lane);
        let signature = statement.sign(&signing);
        let mut proofs = Proofs::default();
        let mut check = |right, keys: &[Bytes], signature: &[u8]| {
            proofs.check(right, &lane, keys, &statement, signature)
        };
        for _ in 0..2 {
            assert_eq!(
                check(Right::Append, &[other.clone(), key.clone()], &signature),
                Ok(())
            );
        }
        assert_eq!(
            check(Right::Append, &[other], &signature),
            Err(Refusal::DENIED)
        );
        let keys = [key];
        let mut forged = signature;
        forged[3] ^= 1;
        assert_eq!(check(Right::Append, &keys, &forged), Err(Refusal::DENIED));
        assert_eq!(
            check(Right::Append, &keys, &signature[..63]),
            Err(Refusal::DENIED)
        );
    }
}

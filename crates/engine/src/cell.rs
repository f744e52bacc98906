//! Sealed cells: XChaCha20-Poly1305 over one fragment, with a random nonce in front, so that a cell looks like 1,792
//! random bytes whatever it carries. The lane's id is bound as associated data: a relay cannot move a cell elsewhere.

use crate::keys::{LaneKeys, Secret};
use bytes::Bytes;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use rand_core::RngCore;
use ume_wire::auth::Hash;
use ume_wire::fragment::{self, FragmentError};
use ume_wire::limits::{CELL_BYTES, CELL_NONCE_BYTES};

/// A cell does not open: changed on the way, or written by somebody without the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cell does not open")]
pub(crate) struct NotSealed;

/// Splits a message and seals every fragment for a lane.
pub(crate) fn seal(
    lane: &LaneKeys,
    kind: u8,
    message: &[u8],
    rng: &mut impl RngCore,
) -> Result<Vec<Bytes>, FragmentError> {
    seal_for(&lane.seal, &lane.id, kind, message, rng)
}

/// The same for any place that has a name of its own.
pub(crate) fn seal_for(
    key: &Secret,
    place: &Hash,
    kind: u8,
    message: &[u8],
    rng: &mut impl RngCore,
) -> Result<Vec<Bytes>, FragmentError> {
    let mut id = fragment::MessageId::default();
    rng.fill_bytes(&mut id);
    let cipher = XChaCha20Poly1305::new(key.bytes().into());
    let fragments = fragment::split(kind, id, message)?;
    let mut cells = Vec::with_capacity(fragments.len());
    for fragment in fragments {
        let mut cell = Vec::with_capacity(CELL_BYTES);
        let mut nonce = XNonce::default();
        rng.fill_bytes(&mut nonce);
        cell.extend_from_slice(&nonce);
        let sealed = cipher
            .encrypt(
                &nonce,
                Payload {
                    msg: &fragment,
                    aad: place,
                },
            )
            .map_err(|_| FragmentError::TooLong)?;
        cell.extend_from_slice(&sealed);
        cells.push(cell.into());
    }
    Ok(cells)
}

/// Opens a cell of a lane; gives the fragment inside.
pub(crate) fn open(lane: &LaneKeys, cell: &[u8]) -> Result<Vec<u8>, NotSealed> {
    open_for(&lane.seal, &lane.id, cell)
}

/// The same for any place that has a name of its own.
pub(crate) fn open_for(key: &Secret, place: &Hash, cell: &[u8]) -> Result<Vec<u8>, NotSealed> {
    if cell.len() != CELL_BYTES {
        return Err(NotSealed);
    }
    let (nonce, sealed) = cell.split_at(CELL_NONCE_BYTES);
    XChaCha20Poly1305::new(key.bytes().into())
        .decrypt(
            XNonce::from_slice(nonce),
            Payload {
                msg: sealed,
                aad: place,
            },
        )
        .map_err(|_| NotSealed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::post_lane;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    #[test]
    fn a_cell_opens_in_its_own_lane_and_unchanged_only() {
        let mut rng = ChaCha20Rng::from_seed([0; 32]);
        let lane = post_lane(&Secret::new([1; 32]), &[2; 32]).keys;
        let cells = seal(&lane, 1, &[7; 4000], &mut rng).unwrap();
        assert_eq!(cells.len(), 3);
        let mut reassembler = fragment::Reassembler::new();
        let mut whole = None;
        for (seq, cell) in (1..).zip(&cells) {
            assert_eq!(cell.len(), CELL_BYTES);
            whole = reassembler.take(seq, &open(&lane, cell).unwrap()).unwrap();
        }
        assert_eq!(whole.unwrap().bytes, [7; 4000]);
        let other = LaneKeys {
            id: [9; 32],
            ..lane.clone()
        };
        assert_eq!(open(&other, &cells[0]), Err(NotSealed));
        for bit in [0, 200, 8 * CELL_BYTES - 1] {
            let mut cell = cells[0].to_vec();
            cell[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&lane, &cell), Err(NotSealed));
        }
        assert_eq!(open(&lane, &cells[0][1..]), Err(NotSealed));
    }
}

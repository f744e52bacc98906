//! Records of the log, byte by byte.
//!
//! | offset | bytes | meaning |
//! |---|---|---|
//! | 0 | 4 | CRC-32 of everything that follows, begun with the segment's salt |
//! | 4 | 1 | kind: 1 cell, 2 trim |
//! | 5 | 1 | 0 |
//! | 6 | 2 | length of the cell: 1,792, or 0 |
//! | 8 | 8 | serial of the lane |
//! | 16 | 8 | number of the cell; of a trim, the first number that is kept |
//! | 24 | 4 | second since 1970 at which it is over |
//! | 28 | 4 | offset in the segment at which the record's group begins |
//! | 32 | 32 | SHA-256 of the cell |
//! | 64 | 1,792 | the cell |
//!
//! Integers are little endian. Records begin at multiples of 64. The salt is random and new each time a segment is used,
//! so that neither what an earlier use left in the file nor the content of a cell can pass for a record.

use super::Serial;
use ume_wire::{auth::Hash, limits::CELL_BYTES};

/// Records begin at multiples of this.
pub(super) const ALIGN: usize = 64;
pub(super) const HEAD_BYTES: usize = 64;
/// A record with a cell.
pub(in crate::store) const CELL_RECORD_BYTES: usize = HEAD_BYTES + CELL_BYTES;

const CELL: u8 = 1;
const TRIM: u8 = 2;

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// A cell is there.
    Cell,
    /// What comes before a number was taken.
    Trim,
}

/// A record without its cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) kind: Kind,
    pub(super) serial: Serial,
    pub(super) number: u64,
    /// In seconds, so that it takes half the room in memory.
    pub(super) until: u32,
    pub(super) group: u32,
    pub(super) hash: Hash,
}

impl Record {
    /// Bytes of the whole record.
    pub(super) fn bytes(&self) -> usize {
        match self.kind {
            Kind::Cell => CELL_RECORD_BYTES,
            Kind::Trim => HEAD_BYTES,
        }
    }

    /// Writes the record behind what is there. `cell` is empty for a trim.
    pub(super) fn encode(&self, cell: &[u8], salt: u32, out: &mut Vec<u8>) {
        let start = out.len();
        let (kind, length) = match self.kind {
            Kind::Cell => (CELL, CELL_BYTES),
            Kind::Trim => (TRIM, 0),
        };
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&[kind, 0]);
        out.extend_from_slice(&u16::try_from(length).unwrap_or(0).to_le_bytes());
        out.extend_from_slice(&self.serial.to_le_bytes());
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.until.to_le_bytes());
        out.extend_from_slice(&self.group.to_le_bytes());
        out.extend_from_slice(&self.hash);
        out.extend_from_slice(cell);
        let crc = checksum(salt, &out[start + 4..]);
        out[start..start + 4].copy_from_slice(&crc.to_le_bytes());
    }

    /// The record at the start of some bytes, if it is whole.
    pub(super) fn decode(bytes: &[u8], salt: u32) -> Option<Self> {
        let head = bytes.get(..HEAD_BYTES)?;
        let kind = match (head[4], head[5], u16::from_le_bytes([head[6], head[7]])) {
            (CELL, 0, length) if usize::from(length) == CELL_BYTES => Kind::Cell,
            (TRIM, 0, 0) => Kind::Trim,
            _ => return None,
        };
        let record = Self {
            kind,
            serial: u64_at(head, 8),
            number: u64_at(head, 16),
            until: u32_at(head, 24),
            group: u32_at(head, 28),
            hash: head[32..64].try_into().ok()?,
        };
        let body = bytes.get(4..record.bytes())?;
        (checksum(salt, body) == u32_at(head, 0)).then_some(record)
    }
}

pub(super) fn checksum(salt: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(salt);
    hasher.update(bytes);
    hasher.finalize()
}

/// The number at an offset that is within the bytes.
pub(super) fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[offset..offset + 8]);
    u64::from_le_bytes(number)
}

/// The number at an offset that is within the bytes.
pub(super) fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[offset..offset + 4]);
    u32::from_le_bytes(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(kind: Kind) -> Record {
        Record {
            kind,
            serial: 7,
            number: 9,
            until: 11,
            group: 4096,
            hash: [3; 32],
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        for (kind, cell) in [(Kind::Cell, &[5; CELL_BYTES][..]), (Kind::Trim, &[])] {
            let mut bytes = Vec::new();
            record(kind).encode(cell, 77, &mut bytes);
            assert_eq!(bytes.len() % ALIGN, 0);
            assert_eq!(Record::decode(&bytes, 77), Some(record(kind)));
            assert_eq!(Record::decode(&bytes, 78), None, "another use of the file");
            assert_eq!(Record::decode(&bytes[..bytes.len() - 1], 77), None);
            for bit in 0..bytes.len() * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(Record::decode(&bytes, 77), None, "bit {bit}");
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..3000), salt: u32) {
            prop_assert_eq!(Record::decode(&bytes, salt), None);
        }
    }
}

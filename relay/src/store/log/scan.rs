//! Finding the records of a segment that has no index.

use super::record::{ALIGN, Record};

/// What is in a segment.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Scanned {
    /// Records with their offsets, in the order in which they were written.
    pub(super) records: Vec<(u32, Record)>,
    /// Where they end.
    pub(super) end: u32,
    /// Places where something was that is damaged.
    pub(super) damaged: u64,
}

/// Looks through a segment's bytes from an offset on.
///
/// With `complete`, all of the bytes were acknowledged. Otherwise the segment was the last one to be written, and the
/// last group in it may be torn: it is cut off at its first record that is not whole. Something damaged before the last
/// group is skipped, since a group is only begun when the one before it is on disk.
pub(super) fn scan(bytes: &[u8], salt: u32, from: u32, complete: bool) -> Scanned {
    let mut scanned = Scanned {
        end: from,
        ..Scanned::default()
    };
    let mut at = usize::try_from(from).unwrap_or(usize::MAX);
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let mut in_hole = false;
    while at < bytes.len() {
        match Record::decode(&bytes[at..], salt) {
            // A record says where its group began; an older record cannot stand in front of it.
            Some(record) if record.group <= offset(at) => {
                scanned.records.push((offset(at), record));
                at += record.bytes();
                scanned.end = offset(at);
                in_hole = false;
            }
            _ => {
                if !in_hole && !complete && !has_later_group(bytes, salt, at) {
                    break;
                }
                scanned.damaged += u64::from(!in_hole);
                in_hole = true;
                at += ALIGN;
            }
        }
    }
    if complete {
        scanned.end = offset(bytes.len());
    }
    scanned
}

/// Whether a group was begun behind a place.
fn has_later_group(bytes: &[u8], salt: u32, at: usize) -> bool {
    let rest = (at + ALIGN..bytes.len()).step_by(ALIGN);
    rest.into_iter().any(|other| {
        Record::decode(&bytes[other..], salt)
            .and_then(|record| usize::try_from(record.group).ok())
            .is_some_and(|group| group > at && group <= other)
    })
}

#[cfg(test)]
mod tests {
    use super::super::record::{CELL_RECORD_BYTES, Kind};
    use super::*;
    use ume_wire::limits::CELL_BYTES;

    const SALT: u32 = 5;
    const START: u32 = 4096;

    /// Groups of so many cells each; the number of a cell is its place among all.
    fn segment(groups: &[usize]) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        let mut number = 0;
        for count in groups {
            let group = u32::try_from(bytes.len()).unwrap();
            for _ in 0..*count {
                number += 1;
                let record = Record {
                    kind: Kind::Cell,
                    serial: 1,
                    number,
                    until: 1,
                    group,
                    hash: [1; 32],
                };
                record.encode(&[9; CELL_BYTES], SALT, &mut bytes);
            }
        }
        bytes.resize(bytes.len() + 8192, 0);
        bytes
    }

    fn damage(bytes: &mut [u8], number: usize) {
        bytes[4096 + (number - 1) * CELL_RECORD_BYTES + 700] ^= 1;
    }

    fn numbers(bytes: &[u8]) -> (Vec<u64>, u64) {
        let scanned = scan(bytes, SALT, START, false);
        let numbers = scanned.records.iter().map(|(_, record)| record.number);
        (numbers.collect(), scanned.damaged)
    }

    #[test]
    fn a_torn_last_group_is_cut_off() {
        let mut bytes = segment(&[3, 3]);
        assert_eq!(numbers(&bytes), ((1..=6).collect(), 0));
        damage(&mut bytes, 5);
        assert_eq!(numbers(&bytes), ((1..=4).collect(), 0));
        damage(&mut bytes, 4);
        assert_eq!(numbers(&bytes), ((1..=3).collect(), 0));
    }

    #[test]
    fn damage_before_the_last_group_is_skipped() {
        for broken in 1..=3 {
            let mut bytes = segment(&[3, 2]);
            damage(&mut bytes, broken);
            let rest = (1..=5).filter(|number| *number != broken as u64).collect();
            assert_eq!(numbers(&bytes), (rest, 1));
        }
    }

    #[test]
    fn what_was_acknowledged_is_not_cut() {
        let mut bytes = segment(&[3, 3]);
        bytes.truncate(4096 + 6 * CELL_RECORD_BYTES);
        damage(&mut bytes, 6);
        let scanned = scan(&bytes, SALT, START, true);
        assert_eq!((scanned.records.len(), scanned.damaged), (5, 1));
        assert_eq!(scanned.end as usize, bytes.len());
    }

    #[test]
    fn a_cell_that_looks_like_records_is_a_cell() {
        // Somebody who knew the salt could write records into cells: they are found only where records are looked for.
        let mut inner = segment(&[1]);
        inner.drain(..4096);
        let mut bytes = vec![0; 4096];
        let record = Record {
            kind: Kind::Cell,
            serial: 2,
            number: 1,
            until: 1,
            group: START,
            hash: [1; 32],
        };
        record.encode(&inner[..CELL_BYTES], SALT, &mut bytes);
        let scanned = scan(&bytes, SALT, START, false);
        assert_eq!(scanned.records, [(START, record)]);
    }
}

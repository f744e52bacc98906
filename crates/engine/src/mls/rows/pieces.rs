//! A value in rows. A long one is cut where its content says so, and each piece has a row and a number of its own; a list
//! says in which order they come. So a change in the middle, also one that makes the value longer, changes the rows of the
//! pieces around it and the list, and no others: of a tree of a thousand members, what one commit touches.

use super::RowError;
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// Bytes of a value that is one row.
const WHOLE_MAX: usize = 4_096;
/// Bytes of a piece; only a value's last one is shorter.
const PIECE: std::ops::RangeInclusive<usize> = 1_024..=4_096;
/// A piece ends where so many bits of the hash of the bytes before are zero: after 2 KiB, on average.
const END_BITS: u32 = 11;

/// Bytes that are compared at once.
const BLOCK: usize = 256;

/// What a row is: the last byte of its key.
const WHOLE: u8 = 0;
const LIST: u8 = 1;
const PART: u8 = 2;

/// A value and how it is cut.
#[derive(Default)]
pub(super) struct Value {
    bytes: Zeroizing<Vec<u8>>,
    /// Number and end of each piece; none if the value is one row.
    pieces: Vec<(u32, usize)>,
}

impl Value {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Cuts new bytes. Pieces that the old value had as well keep their numbers. Where a piece ends follows from its own bytes
    /// alone, so only what lies between the first change and the last is cut.
    pub(super) fn new(bytes: Zeroizing<Vec<u8>>, old: &Self) -> Self {
        if bytes.len() <= WHOLE_MAX {
            let pieces = vec![];
            return Self { bytes, pieces };
        }
        let (front, back) = alike(&old.bytes, &bytes);
        // The last piece may have ended for want of bytes.
        let ended = old.pieces.split_last().map_or(&[][..], |(_, ended)| ended);
        let kept = ended.partition_point(|(_, end)| *end <= front);
        // Those that begin before the bytes that are alike at the back.
        let before = |(_, end): &(u32, usize)| *end < old.bytes.len() - back;
        let between = (old.pieces.partition_point(before) + 1).saturating_sub(kept);
        let mut known: BTreeMap<&[u8], Vec<u32>> = BTreeMap::new();
        for (number, piece) in old.parts().skip(kept).take(between) {
            known.entry(piece).or_default().push(number);
        }
        let numbers = old.pieces.iter().map(|(number, _)| number + 1);
        let mut fresh = numbers.max().unwrap_or(0);
        let mut pieces = old.pieces[..kept].to_vec();
        let mut begin = pieces.last().map_or(0, |(_, end)| *end);
        while begin < bytes.len() {
            if let Some(rest) = old.rest(bytes.len() - begin, back) {
                let moved = |end: usize| end + bytes.len() - old.bytes.len();
                pieces.extend(rest.iter().map(|(number, end)| (*number, moved(*end))));
                break;
            }
            let end = begin + cut(&bytes[begin..]);
            let same = known.get_mut(&bytes[begin..end]).and_then(Vec::pop);
            let number = same.unwrap_or_else(|| {
                fresh += 1;
                fresh - 1
            });
            pieces.push((number, end));
            begin = end;
        }
        Self { bytes, pieces }
    }

    /// The pieces that its last `left` bytes are, if they are whole ones and among the last `back`.
    fn rest(&self, left: usize, back: usize) -> Option<&[(u32, usize)]> {
        if left > back {
            return None;
        }
        let begin = self.bytes.len() - left;
        let before = self.pieces.binary_search_by_key(&begin, |(_, end)| *end);
        before.ok().map(|before| &self.pieces[before + 1..])
    }

    fn parts(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let mut begin = 0;
        self.pieces.iter().map(move |(number, end)| {
            let piece = &self.bytes[begin..*end];
            begin = *end;
            (*number, piece)
        })
    }

    /// The rows of a value by that name; only those that the value does not have from which it was cut.
    pub(super) fn rows(&self, key: &[u8], but: &Self) -> Vec<(Vec<u8>, Vec<u8>)> {
        if self.is_empty() {
            return vec![];
        }
        if self.pieces.is_empty() {
            let same = but.pieces.is_empty() && but.bytes == self.bytes;
            let row = || ([key, &[WHOLE]].concat(), self.bytes.to_vec());
            return if same { vec![] } else { vec![row()] };
        }
        let known: BTreeSet<u32> = but.pieces.iter().map(|(number, _)| *number).collect();
        let parts = self.parts();
        let parts = parts.filter(|(number, _)| !known.contains(number));
        let mut rows: Vec<_> = parts
            .map(|(number, piece)| (part_key(key, number), piece.to_vec()))
            .collect();
        let (list, other) = (self.list(), but.list());
        if list != other {
            rows.push(([key, &[LIST]].concat(), list));
        }
        rows
    }

    /// Keys of the rows that another value in its place does not have.
    pub(super) fn keys_without(&self, key: &[u8], other: &Self) -> Vec<Vec<u8>> {
        let kind = |value: &Self| match (value.is_empty(), value.pieces.is_empty()) {
            (true, _) => None,
            (false, whole) => Some(if whole { WHOLE } else { LIST }),
        };
        let kept: BTreeSet<u32> = other.pieces.iter().map(|(number, _)| *number).collect();
        let parts = self.pieces.iter().map(|(number, _)| *number);
        let gone = parts.filter(|number| !kept.contains(number));
        let mut keys: Vec<_> = gone.map(|number| part_key(key, number)).collect();
        keys.extend(
            kind(self)
                .filter(|now| kind(other) != Some(*now))
                .map(|kind| [key, &[kind]].concat()),
        );
        keys
    }

    fn list(&self) -> Vec<u8> {
        let numbers = self.pieces.iter().map(|(number, _)| *number);
        // Writing numbers into memory does not fail.
        postcard::to_allocvec(&numbers.collect::<Vec<u32>>()).unwrap_or_default()
    }
}

/// How many bytes two values have alike at their fronts, and how many of the others, in whole blocks, at their backs.
fn alike(one: &[u8], other: &[u8]) -> (usize, usize) {
    let same = |(one, other): &(&[u8], &[u8])| one == other;
    let blocks = one.chunks_exact(BLOCK).zip(other.chunks_exact(BLOCK));
    let front = BLOCK * blocks.take_while(same).count();
    let (one, other) = (&one[front..], &other[front..]);
    let bytes = one.iter().zip(other);
    let more = bytes.take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[more..], &other[more..]);
    let blocks = one.rchunks_exact(BLOCK).zip(other.rchunks_exact(BLOCK));
    (front + more, BLOCK * blocks.take_while(same).count())
}

fn part_key(key: &[u8], number: u32) -> Vec<u8> {
    [key, &number.to_be_bytes(), &[PART]].concat()
}

/// Where the first piece ends: a hash of the last 64 bytes decides (a gear hash, as in `FastCDC`).
fn cut(bytes: &[u8]) -> usize {
    let most = bytes.len().min(*PIECE.end());
    let mut hash = 0_u64;
    for (at, byte) in bytes
        .iter()
        .enumerate()
        .take(most)
        .skip(*PIECE.start() - 64)
    {
        hash = (hash << 1).wrapping_add(GEAR[usize::from(*byte)]);
        if at + 1 >= *PIECE.start() && hash >> (64 - END_BITS) == 0 {
            return at + 1;
        }
    }
    most
}

/// A random-looking number for each byte (splitmix64).
const GEAR: [u64; 256] = {
    let mut gear = [0; 256];
    let mut state = 0_u64;
    let mut at = 0;
    while at < 256 {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut one = state;
        one = (one ^ (one >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        one = (one ^ (one >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        gear[at] = one ^ (one >> 31);
        at += 1;
    }
    gear
};

/// Rows of one value, as they are found.
#[derive(Default)]
struct Found {
    whole: Option<Vec<u8>>,
    list: Option<Vec<u8>>,
    parts: BTreeMap<u32, Vec<u8>>,
}

/// Puts values together again from all their rows.
pub(super) fn values(
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
) -> Result<BTreeMap<Vec<u8>, Value>, RowError> {
    let mut found: BTreeMap<Vec<u8>, Found> = BTreeMap::new();
    for (row_key, row) in rows {
        let (kind, rest) = row_key.split_last().ok_or(RowError::Unreadable)?;
        match *kind {
            WHOLE => found.entry(rest.to_vec()).or_default().whole = Some(row),
            LIST => found.entry(rest.to_vec()).or_default().list = Some(row),
            PART => {
                let (key, number) = rest.split_last_chunk().ok_or(RowError::Unreadable)?;
                let parts = &mut found.entry(key.to_vec()).or_default().parts;
                parts.insert(u32::from_be_bytes(*number), row);
            }
            _ => return Err(RowError::Unreadable),
        }
    }
    let values = found.into_iter();
    values
        .map(|(key, found)| Ok((key, found.value()?)))
        .collect()
}

impl Found {
    fn value(mut self) -> Result<Value, RowError> {
        let list = match (self.whole, self.list) {
            (Some(whole), None) if self.parts.is_empty() => {
                let bytes = Zeroizing::new(whole);
                let pieces = vec![];
                return Ok(Value { bytes, pieces });
            }
            (None, Some(list)) => list,
            _ => return Err(RowError::Unreadable),
        };
        let numbers: Vec<u32> = postcard::from_bytes(&list).map_err(|_| RowError::Unreadable)?;
        let mut value = Value::default();
        for number in numbers {
            let part = self.parts.remove(&number).ok_or(RowError::Unreadable)?;
            value.bytes.extend_from_slice(&part);
            value.pieces.push((number, value.bytes.len()));
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(bytes: Vec<u8>, old: &Value) -> Value {
        Value::new(Zeroizing::new(bytes), old)
    }

    fn bytes(count: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        (0..count).map(next).collect()
    }

    #[test]
    fn a_change_in_the_middle_changes_few_rows() {
        let old = value(bytes(300_000), &Value::default());
        let all = old.rows(b"k", &Value::default());
        assert!(all.len() > 70);
        for (grows, mut changed) in [(0, bytes(300_000)), (1_216, bytes(300_000))] {
            changed[150_000] ^= 1;
            changed.splice(170_000..170_000, vec![7; grows]);
            let new = value(changed, &old);
            let rows = new.rows(b"k", &old);
            assert!((1..10).contains(&rows.len()), "{}", rows.len());
        }
    }

    /// However it changed, a value is cut as if nothing had been known of it, and what the store holds is what it is.
    #[test]
    fn what_is_known_of_a_value_changes_no_cut() {
        let original = bytes(60_000);
        let twice = [&original[..], &original[..]].concat();
        let mut variants: Vec<Vec<u8>> =
            vec![original.clone(), twice.clone(), vec![], bytes(3_000)];
        for at in [0, 1, 2_047, 20_000, 59_999] {
            for (out, put) in [(0, 1), (1, 0), (1, 1), (5_000, 0), (0, 5_000), (300, 9_000)] {
                let end = (at + out).min(original.len());
                let mut changed = original.clone();
                changed.splice(at..end, vec![9; put]);
                variants.push(changed);
            }
        }
        for begun in [&original, &twice] {
            let mut old = value(begun.clone(), &Value::default());
            let mut stored: BTreeMap<_, _> =
                old.rows(b"k", &Value::default()).into_iter().collect();
            for changed in variants.iter().flat_map(|changed| [changed, begun]) {
                let new = value(changed.clone(), &old);
                let ends =
                    |value: &Value| value.pieces.iter().map(|(_, end)| *end).collect::<Vec<_>>();
                assert_eq!(ends(&new), ends(&value(changed.clone(), &Value::default())));
                for key in old.keys_without(b"k", &new) {
                    assert!(stored.remove(&key).is_some());
                }
                stored.extend(new.rows(b"k", &old));
                let found = values(stored.clone()).unwrap();
                let found = found.get(&b"k"[..]).map_or(&[][..], Value::bytes);
                assert_eq!(found, changed);
                old = new;
            }
        }
    }

    #[test]
    fn rows_come_together_again_and_not_without_one() {
        for count in [1, 4_096, 4_097, 50_000] {
            let old = value(bytes(50_000), &Value::default());
            let mut longer = bytes(count);
            longer.extend_from_slice(b"end");
            let value = value(longer.clone(), &old);
            let rows: BTreeMap<_, _> = value.rows(b"k", &Value::default()).into_iter().collect();
            let again = values(rows.clone()).unwrap();
            assert_eq!(again[&b"k"[..]].bytes(), longer);
            for row in rows.keys() {
                let mut rows = rows.clone();
                rows.remove(row);
                assert!(values(rows).is_err() || count == 1);
            }
        }
    }
}

//! Set reconciliation: two members find out which entries each of them alone has, without naming those that both have.
//!
//! This is the Negentropy protocol, version 1, by Doug Hoyte (<https://github.com/hoytech/negentropy>), over entries as
//! (time, id). One side names ranges with the fingerprint of what it has in each; the other answers where hers differs,
//! with smaller ranges or, where little is left, with ids. Who answers keeps nothing between two steps. A step may be kept
//! as small as a cell: what does not fit is named by one more fingerprint, and is the matter of a later step.
//!
//! A fingerprint is no proof: who writes entries for the purpose can make two sets look alike that are not, and then these
//! entries are not found. Nothing is taken for what it says but ids; what they stand for is verified like any other entry.

use std::collections::BTreeSet;
use ume_wire::auth::{Hash, hash};

/// First byte of every message: version 1.
const VERSION: u8 = 0x61;
const SKIP: u64 = 0;
const FINGERPRINT: u64 = 1;
const IDS: u64 = 2;
const FINGERPRINT_BYTES: usize = 16;
const ID_BYTES: usize = 32;
/// Into how many parts a range is split that differs.
const PARTS: usize = 16;
/// A bound with a whole id, and what stands before its ids, at most.
const BOUND_BYTES: usize = 56;
/// Kept free at the end of a message for what closes it.
const CLOSING_BYTES: usize = 100;
/// The end of all ranges. No entry has this time.
const END_MS: u64 = u64::MAX;

/// The longest step between two members, bytes: twelve cells. One cell is enough where little differs, and where much does,
/// larger steps need fewer cells in all: what does not fit has to be found anew.
pub const STEP_BYTES: usize = 20_000;
/// What is around a step on its way, at most, bytes: who says it to whom, seal and signature.
pub const AROUND_BYTES: usize = 280;
/// The smallest limit of a step, bytes: a range's ids, its bound and what closes the message have to fit.
pub const STEP_BYTES_MIN: usize = 1_280;

/// A message that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no message of a reconciliation")]
pub struct Malformed;

/// What a side has: entries as (time, id).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set(Vec<(u64, Hash)>);

/// What came out of it, so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Ids that only the side has which began.
    pub have: BTreeSet<Hash>,
    /// Ids that only the other side has.
    pub need: BTreeSet<Hash>,
}

/// Where a range ends: before the first entry that is not less.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Bound {
    time: u64,
    /// The first bytes of an id; those that follow count as zeros.
    prefix: Vec<u8>,
}

impl Set {
    /// The set of these entries.
    pub fn new(entries: impl IntoIterator<Item = (u64, Hash)>) -> Self {
        let entries = entries.into_iter();
        let mut entries: Vec<_> = entries
            .map(|(time, id)| (time.min(END_MS - 1), id))
            .collect();
        entries.sort_unstable();
        entries.dedup();
        Self(entries)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first message, of the side that begins.
    #[must_use]
    pub fn begin(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.split(0, self.len(), &Bound::end(), &mut writer);
        writer.message
    }

    /// The other side's answer, `limit` bytes at most.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn answer(&self, message: &[u8], limit: usize) -> Result<Vec<u8>, Malformed> {
        self.step(message, limit, None)
    }

    /// Takes the other side's answer into what was found; the next message, `limit` bytes at most, or `None`: this was all.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn compare(
        &self,
        message: &[u8],
        limit: usize,
        found: &mut Found,
    ) -> Result<Option<Vec<u8>>, Malformed> {
        let next = self.step(message, limit, Some(found))?;
        Ok((next.len() > 1).then_some(next))
    }

    /// Answers range by range. Only the side that began says what it found, and answers no ids with ids.
    fn step(
        &self,
        message: &[u8],
        limit: usize,
        mut found: Option<&mut Found>,
    ) -> Result<Vec<u8>, Malformed> {
        let room = limit.max(STEP_BYTES_MIN) - CLOSING_BYTES;
        let mut reader = Reader::new(message)?;
        let mut writer = Writer::new();
        // Up to where all was answered.
        let mut lower = 0;
        let mut before = Bound::start();
        while !reader.is_done() {
            let bound = reader.bound()?;
            if bound < before {
                return Err(Malformed);
            }
            let upper = self.at(&bound).max(lower);
            let mut part = writer.clone();
            let mut cut = upper;
            match reader.number()? {
                SKIP => part.skipping = true,
                FINGERPRINT => {
                    if reader.take(FINGERPRINT_BYTES)? == self.fingerprint(lower, upper) {
                        part.skipping = true;
                    } else {
                        part.skip_to(&before);
                        self.split(lower, upper, &bound, &mut part);
                    }
                }
                IDS => {
                    let mut theirs = reader.ids()?;
                    let ours = self.0.get(lower..upper).unwrap_or_default();
                    if let Some(found) = &mut found {
                        let alone = ours.iter().filter(|(_, id)| !theirs.remove(id));
                        found.have.extend(alone.map(|(_, id)| *id));
                        found.need.extend(theirs);
                        part.skipping = true;
                    } else {
                        part.skip_to(&before);
                        let left = room.saturating_sub(part.message.len() + BOUND_BYTES) / ID_BYTES;
                        // As many as fit; the rest is named below.
                        cut = upper.min(lower.saturating_add(left));
                        let end = self.end_of(cut, upper, &bound);
                        part.ids(&end, self.0.get(lower..cut).unwrap_or_default());
                    }
                }
                _ => return Err(Malformed),
            }
            // Of a range that holds something, a part that says nothing of it is no answer. Its end could even lie before
            // its beginning, as the shortest bound that tells our entries apart may be less than the other side's.
            let said = part.message.len() <= room && (cut > lower || lower == upper);
            if said {
                before = self.end_of(cut, upper, &bound);
                (writer, lower) = (part, cut);
            } else {
                writer.skip_to(&before);
            }
            if !said || cut < upper {
                writer.fingerprint(&Bound::end(), &self.fingerprint(lower, self.len()));
                break;
            }
        }
        Ok(writer.message)
    }

    /// Where the answer to a range ends that was answered up to `cut`.
    fn end_of(&self, cut: usize, upper: usize, bound: &Bound) -> Bound {
        if cut < upper {
            self.bound_before(cut)
        } else {
            bound.clone()
        }
    }

    /// Names a range by the fingerprints of its parts, or by its ids if they are few.
    fn split(&self, lower: usize, upper: usize, end: &Bound, writer: &mut Writer) {
        let count = upper - lower;
        if count < 2 * PARTS {
            writer.ids(end, self.0.get(lower..upper).unwrap_or_default());
            return;
        }
        let mut from = lower;
        for part in 0..PARTS {
            let to = from + count / PARTS + usize::from(part < count % PARTS);
            let bound = if to == upper {
                end.clone()
            } else {
                self.bound_before(to)
            };
            writer.fingerprint(&bound, &self.fingerprint(from, to));
            from = to;
        }
    }

    /// The shortest bound between an entry and the one before it.
    fn bound_before(&self, index: usize) -> Bound {
        let before = index.checked_sub(1).and_then(|index| self.0.get(index));
        match (before, self.0.get(index)) {
            (_, None) => Bound::end(),
            (Some((time, before)), Some((at, id))) if time == at => {
                let common = before.iter().zip(id).take_while(|(a, b)| a == b).count();
                let prefix = id.iter().take(common + 1).copied().collect();
                Bound { time: *at, prefix }
            }
            (_, Some((at, _))) => Bound {
                time: *at,
                prefix: vec![],
            },
        }
    }

    /// The first entry that is not below a bound.
    fn at(&self, bound: &Bound) -> usize {
        let mut id = Hash::default();
        id.iter_mut()
            .zip(&bound.prefix)
            .for_each(|(to, from)| *to = *from);
        self.0.partition_point(|entry| *entry < (bound.time, id))
    }

    /// SHA-256 over the sum of the ids, as numbers of 256 bits, and their count.
    fn fingerprint(&self, lower: usize, upper: usize) -> [u8; FINGERPRINT_BYTES] {
        let ids = self.0.get(lower..upper).unwrap_or_default();
        let mut sum = [0u64; 4];
        for (_, id) in ids {
            let mut carry = false;
            for (limb, bytes) in sum.iter_mut().zip(id.as_chunks::<8>().0) {
                let (added, over) = limb.overflowing_add(u64::from_le_bytes(*bytes));
                let (added, over_by_carry) = added.overflowing_add(u64::from(carry));
                *limb = added;
                carry = over || over_by_carry;
            }
        }
        let mut whole: Vec<u8> = sum.iter().flat_map(|limb| limb.to_le_bytes()).collect();
        put_number(&mut whole, ids.len() as u64);
        let mut first = [0; FINGERPRINT_BYTES];
        first.copy_from_slice(&hash(&whole)[..FINGERPRINT_BYTES]);
        first
    }
}

impl Bound {
    fn start() -> Self {
        Self {
            time: 0,
            prefix: vec![],
        }
    }

    fn end() -> Self {
        Self {
            time: END_MS,
            prefix: vec![],
        }
    }
}

/// A number, seven bits to the byte, the highest first.
fn put_number(to: &mut Vec<u8>, number: u64) {
    let bytes = (64 - number.leading_zeros()).div_ceil(7).max(1);
    for place in (0..bytes).rev() {
        let bits = u8::try_from(number >> (7 * place) & 0x7f).unwrap_or_default();
        to.push(if place > 0 { bits | 0x80 } else { bits });
    }
}

#[derive(Clone)]
struct Writer {
    message: Vec<u8>,
    /// Times are told as what they are later than the one before.
    time: u64,
    /// Whether there is nothing to say since the last bound, and that has not been said.
    skipping: bool,
}

impl Writer {
    fn new() -> Self {
        Self {
            message: vec![VERSION],
            time: 0,
            skipping: false,
        }
    }

    fn bound(&mut self, bound: &Bound) {
        let told = if bound.time == END_MS {
            0
        } else {
            bound.time.saturating_sub(self.time).saturating_add(1)
        };
        self.time = bound.time;
        put_number(&mut self.message, told);
        put_number(&mut self.message, bound.prefix.len() as u64);
        self.message.extend_from_slice(&bound.prefix);
    }

    /// Says that there is nothing to say up to a bound, if that has not been said.
    fn skip_to(&mut self, bound: &Bound) {
        if std::mem::take(&mut self.skipping) {
            self.bound(bound);
            put_number(&mut self.message, SKIP);
        }
    }

    fn fingerprint(&mut self, bound: &Bound, fingerprint: &[u8; FINGERPRINT_BYTES]) {
        self.bound(bound);
        put_number(&mut self.message, FINGERPRINT);
        self.message.extend_from_slice(fingerprint);
    }

    fn ids(&mut self, bound: &Bound, entries: &[(u64, Hash)]) {
        self.bound(bound);
        put_number(&mut self.message, IDS);
        put_number(&mut self.message, entries.len() as u64);
        for (_, id) in entries {
            self.message.extend_from_slice(id);
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    time: u64,
}

impl<'a> Reader<'a> {
    fn new(message: &'a [u8]) -> Result<Self, Malformed> {
        match message.split_first() {
            Some((&VERSION, rest)) => Ok(Self { rest, time: 0 }),
            _ => Err(Malformed),
        }
    }

    fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u64, Malformed> {
        let mut number: u64 = 0;
        loop {
            let byte = *self.take(1)?.first().ok_or(Malformed)?;
            number = number.checked_mul(128).ok_or(Malformed)? | u64::from(byte & 0x7f);
            if byte < 0x80 {
                return Ok(number);
            }
        }
    }

    fn length(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.number()?).map_err(|_| Malformed)
    }

    fn bound(&mut self) -> Result<Bound, Malformed> {
        self.time = match self.number()? {
            0 => END_MS,
            later => self.time.saturating_add(later - 1),
        };
        let length = self.length()?;
        if length > ID_BYTES {
            return Err(Malformed);
        }
        Ok(Bound {
            time: self.time,
            prefix: self.take(length)?.to_vec(),
        })
    }

    fn ids(&mut self) -> Result<BTreeSet<Hash>, Malformed> {
        let bytes = self.length()?.checked_mul(ID_BYTES).ok_or(Malformed)?;
        Ok(self.take(bytes)?.as_chunks().0.iter().copied().collect())
    }
}

#[cfg(test)]
mod tests;

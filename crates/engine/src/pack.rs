//! Packs: the entries of a span of days as blobs, which lie at the relay when the lanes of those days are empty.
//!
//! What was written on a day is sealed under keys of that day, so whoever may read from some day on opens exactly that
//! much. The nonces follow from the day's key and from what is sealed: all who have the same entries make the same blobs,
//! byte for byte. A relay keeps one of each, and whoever wants them kept for longer sends the first cell again.
//!
//! Nothing in a pack is believed because it is there. Entries are verified like any other, and stand in one order only, so
//! that nobody can have others read the same things without end.

use crate::cell;
use crate::community::{LATEST_DAY, invites::day_of};
use crate::entry::{self, Entry};
use crate::keys::{Label, Secret};
use crate::ledger::LedgerError;
use crate::parcel::Blob;
use crate::proto;
use bytes::Bytes;
use prost::Message;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use ume_api::EntryId;
use ume_wire::auth::{Hash, hash, hash_cells};
use ume_wire::fragment::Reassembler;
use ume_wire::limits::FRAGMENTS_MAX;
use ume_wire::relay::{BlobGet, BlobPart, Refused, RefusedCode, frame::Body};

/// Days whose entries make a pack.
pub(crate) const SPAN_DAYS: u64 = 30;
/// Blobs of a pack, at most: 280 MB.
pub(crate) const BLOBS_MAX: usize = 256;
/// Kind of the messages in a blob.
const PACK: u8 = 2;
/// Entries in a message, and bytes of them unless a single one has more.
const ENTRIES_MAX: usize = 512;
const ENTRIES_BYTES: usize = 64 * 1024;
/// Answers in a row that bring nothing new before a blob is given up: a relay that spoils one cell in ten by chance gets all
/// of them through with all but certainty.
const ANSWERS_MAX: u8 = 8;

/// Where an entry stands among all others: its time and its id.
pub(crate) type Stamp = (u64, EntryId);

/// A pack that is not what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum BadPack {
    /// A part was not sealed for its day, or is no list of entries.
    #[error("a part that makes no sense")]
    Part,
    /// Entries of another day, out of order, or more or fewer than were announced.
    #[error("entries that were not announced")]
    Order,
    /// An entry does not hold.
    #[error("an entry: {0}")]
    Entry(LedgerError),
}

/// The days of a span.
pub(crate) fn days(span: u64) -> RangeInclusive<u64> {
    let first = span.saturating_mul(SPAN_DAYS);
    first..=first.saturating_add(SPAN_DAYS - 1)
}

/// What an announcement says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) span: u64,
    pub(crate) contents: Contents,
    pub(crate) blobs: Vec<Hash>,
}

/// What a pack holds: how many entries, and a hash of their ids and of whether their texts are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) entries: u32,
    pub(crate) digest: Hash,
}

impl Contents {
    /// Of entries in their order.
    pub(crate) fn of(entries: impl IntoIterator<Item = (EntryId, bool)>) -> Self {
        let mut all = Vec::new();
        for (id, has_text) in entries {
            all.extend_from_slice(&id.0);
            all.push(has_text.into());
        }
        Self {
            entries: u32::try_from(all.len() / 33).unwrap_or(u32::MAX),
            digest: hash(&all),
        }
    }
}

impl Announced {
    /// Reads the body of an entry.
    pub(crate) fn read(content: &[u8]) -> Option<Self> {
        let pack = proto::Pack::decode(content).ok()?;
        let blobs = pack.blobs.iter().map(|id| id[..].try_into().ok());
        let blobs: Vec<Hash> = blobs.collect::<Option<_>>()?;
        let span = u64::from(pack.span);
        let sound = (1..=BLOBS_MAX).contains(&blobs.len())
            && pack.entries > 0
            && *days(span).end() <= LATEST_DAY;
        sound.then_some(Self {
            span,
            contents: Contents {
                entries: pack.entries,
                digest: pack.contents[..].try_into().ok()?,
            },
            blobs,
        })
    }

    /// What [`Self::read`] reads.
    pub(crate) fn write(&self) -> Vec<u8> {
        let pack = proto::Pack {
            span: u32::try_from(self.span).unwrap_or(u32::MAX),
            entries: self.contents.entries,
            contents: self.contents.digest.to_vec(),
            blobs: self.blobs.iter().map(|id| id.to_vec()).collect(),
        };
        pack.encode_to_vec()
    }
}

/// An entry as packs have it: one that ends is there without its text, which nobody is to have one day.
pub(crate) fn packed(entry: &Entry) -> proto::Written {
    let mut written = entry.written.clone();
    if entry.expires_ms.is_some() {
        written.body.clear();
    }
    written
}

/// What the cells of a day are bound to.
pub(crate) fn place(day: u64) -> Hash {
    hash(&[&b"ume/1/pack"[..], &day.to_le_bytes()].concat())
}

/// Seals a message for a day, by the day's history key.
pub(crate) fn seal(key: &Secret, day: u64, relay: &Hash, message: &[u8]) -> Option<Vec<Bytes>> {
    let seed = [&relay[..], &hash(message)].concat();
    let seed = key.derive(Label::PackNonces, &seed);
    let mut nonces = ChaCha20Rng::from_seed(*seed.bytes());
    let key = key.derive(Label::PackSeal, relay);
    cell::seal_for(&key, &place(day), PACK, message, &mut nonces).ok()
}

/// Makes a blob of as many entries as fit, and gives the last one that did. `entries` are in their order, `key_of` gives a
/// day's history key.
pub(crate) fn blob<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    key_of: impl Fn(u64) -> Option<Secret>,
    relay: &Hash,
) -> Option<(Blob, Stamp)> {
    let mut entries = entries.peekable();
    let (mut cells, mut last) = (Vec::new(), None);
    while let Some(first) = entries.peek() {
        let day = day_of(first.time_ms);
        let (mut given, mut bytes, mut end) = (proto::Given::default(), 0, (0, first.id));
        while let Some(entry) = entries.peek().filter(|entry| day_of(entry.time_ms) == day) {
            let written = packed(entry);
            bytes += written.encoded_len();
            let full = bytes > ENTRIES_BYTES || given.entries.len() == ENTRIES_MAX;
            if full && !given.entries.is_empty() {
                break;
            }
            end = (entry.time_ms, entry.id);
            given.entries.push(written);
            entries.next();
        }
        let sealed = seal(&key_of(day)?, day, relay, &given.encode_to_vec())?;
        if cells.len() + sealed.len() > FRAGMENTS_MAX {
            break;
        }
        cells.extend(sealed);
        last = Some(end);
    }
    let id = hash_cells(&cells);
    Some((Blob { id, cells }, last?))
}

/// A day that may be read.
#[derive(Debug)]
struct Day {
    day: u64,
    key: Secret,
}

/// A cell that came, and what is in it: on which of the days that may be read, and its inside.
#[derive(Debug)]
struct Part {
    cell: Bytes,
    opened: Option<(usize, Vec<u8>)>,
}

/// Reading a pack, blob by blob.
#[derive(Debug)]
pub(crate) struct Reading {
    announced: Announced,
    community: Hash,
    /// In order. Those before the first one may not be read.
    days: Vec<Day>,
    done: usize,
    parts: BTreeMap<u32, Part>,
    /// The day of the cell that was opened last.
    at: usize,
    last: Option<Stamp>,
    entries: u32,
    asked: bool,
    brought: bool,
    fruitless: u8,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Fetching,
    /// All cells of the blob are here.
    Whole,
    Lost,
}

/// What came of reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// It is under way.
    NotYet,
    /// Entries of another blob, verified; whether they were the last ones.
    Entries(Vec<Entry>, bool),
    /// The relay does not have it, or not as it was put there.
    Lost,
}

impl Reading {
    /// `key_of` gives the history keys of the days that may be read; `None` if none of them may be.
    pub(crate) fn new(
        announced: Announced,
        community: Hash,
        relay: &Hash,
        key_of: impl Fn(u64) -> Option<Secret>,
    ) -> Option<Self> {
        let days = days(announced.span).filter_map(|day| {
            let key = key_of(day)?.derive(Label::PackSeal, relay);
            Some(Day { day, key })
        });
        let days: Vec<Day> = days.collect();
        (!days.is_empty()).then_some(Self {
            announced,
            community,
            days,
            done: 0,
            parts: BTreeMap::new(),
            at: 0,
            last: None,
            entries: 0,
            asked: false,
            brought: false,
            fruitless: 0,
            state: State::Fetching,
        })
    }

    /// The connection is gone, and with it what was asked for.
    pub(crate) fn restart(&mut self) {
        self.asked = false;
    }

    /// What is to be asked for now.
    pub(crate) fn ask(&mut self) -> Option<Body> {
        if self.asked || self.state != State::Fetching {
            return None;
        }
        let id = Bytes::copy_from_slice(self.announced.blobs.get(self.done)?);
        self.asked = true;
        self.brought = false;
        Some(Body::BlobGet(BlobGet { id }))
    }

    /// A cell arrived.
    pub(crate) fn take(&mut self, part: &BlobPart) {
        let current = self.announced.blobs.get(self.done).copied();
        let sound = part.cells as usize <= FRAGMENTS_MAX && part.index < part.cells;
        if self.state != State::Fetching || !sound || current.is_none_or(|id| part.id[..] != id[..])
        {
            return;
        }
        let known = self.parts.get(&part.index);
        if known.is_none_or(|known| known.opened.is_none()) {
            let opened = self.open(&part.cell);
            self.brought |= opened.is_some();
            let cell = part.cell.clone();
            self.parts.insert(part.index, Part { cell, opened });
        }
        // A relay sends them in order. What got lost on the way is asked for again.
        if self.asked && part.index + 1 == part.cells {
            self.parts.retain(|index, _| *index < part.cells);
            let cells: Vec<&Bytes> = self.parts.values().map(|part| &part.cell).collect();
            if current == Some(hash_cells(&cells)) {
                self.state = State::Whole;
            } else {
                self.ended();
            }
        }
    }

    /// Opens a cell with the key of the day at which reading is, or of another one.
    fn open(&mut self, cell: &[u8]) -> Option<(usize, Vec<u8>)> {
        let all = self.days.len();
        let order = (self.at..all).chain(0..self.at.min(all));
        let mut opened = order.filter_map(|at| {
            let day = self.days.get(at)?;
            let plain = cell::open_for(&day.key, &place(day.day), cell).ok()?;
            Some((at, plain))
        });
        let opened = opened.next()?;
        self.at = opened.0;
        Some(opened)
    }

    /// How many cells of the blob that is being fetched were opened.
    #[cfg(test)]
    pub(crate) fn opened(&self) -> usize {
        let parts = self.parts.values();
        parts.filter(|part| part.opened.is_some()).count()
    }

    fn ended(&mut self) {
        self.asked = false;
        if !self.brought {
            self.fruitless += 1;
            // What opens may still be a cell of elsewhere.
            self.parts.clear();
        }
        if self.fruitless >= ANSWERS_MAX {
            self.state = State::Lost;
        }
    }

    /// The relay refused.
    pub(crate) fn refused(&mut self, refused: &Refused) {
        self.ended();
        if refused.code == i32::from(RefusedCode::RefusedDenied) {
            self.state = State::Lost;
        }
    }

    /// What came of it. Entries that are known as they are here need not be verified again.
    ///
    /// # Errors
    /// [`BadPack`] if this was not made by whoever keeps to the rules.
    pub(crate) fn result(&mut self, known: impl Fn(&EntryId) -> bool) -> Result<Read, BadPack> {
        match self.state {
            State::Fetching => return Ok(Read::NotYet),
            State::Lost => return Ok(Read::Lost),
            State::Whole => self.state = State::Fetching,
        }
        self.asked = false;
        self.fruitless = 0;
        self.done += 1;
        let entries = self.unpack(known)?;
        let last = self.done == self.announced.blobs.len();
        let (read, announced) = (self.entries, self.announced.contents.entries);
        let is_partial = self.is_partial();
        if read > announced || last && read != announced && !is_partial {
            return Err(BadPack::Order);
        }
        Ok(Read::Entries(entries, last))
    }

    /// Whether some of its days may not be read.
    fn is_partial(&self) -> bool {
        let first = *days(self.announced.span).start();
        self.days.first().is_none_or(|one| one.day != first)
    }

    fn unpack(&mut self, known: impl Fn(&EntryId) -> bool) -> Result<Vec<Entry>, BadPack> {
        let (mut messages, mut entries) = (Reassembler::new(), Vec::new());
        let mut before = self.is_partial() && self.last.is_none();
        for (index, part) in std::mem::take(&mut self.parts) {
            let Some((at, plain)) = part.opened else {
                // What lies before the window comes first.
                if before {
                    continue;
                }
                return Err(BadPack::Part);
            };
            before = false;
            let message = messages.take(index.into(), &plain);
            let Some(message) = message.map_err(|_| BadPack::Part)? else {
                continue;
            };
            let given = proto::Given::decode(&message.bytes[..]).map_err(|_| BadPack::Part)?;
            let day = self.days.get(at).map(|day| day.day);
            for written in given.entries {
                let entry = self.verify(&written, &known)?;
                let stamp = Some((entry.time_ms, entry.id));
                if stamp <= self.last || Some(day_of(entry.time_ms)) != day {
                    return Err(BadPack::Order);
                }
                self.last = stamp;
                self.entries = self.entries.saturating_add(1);
                entries.push(entry);
            }
        }
        let is_whole = messages.needed_from().is_none();
        is_whole.then_some(entries).ok_or(BadPack::Part)
    }

    fn verify(
        &self,
        written: &proto::Written,
        known: impl Fn(&EntryId) -> bool,
    ) -> Result<Entry, BadPack> {
        let is_known = entry::id(written).is_some_and(|id| known(&id));
        let entry = if is_known {
            entry::parse(written)
        } else {
            entry::verify(written, &self.community)
        };
        entry.map_err(BadPack::Entry)
    }
}

#[cfg(test)]
mod tests;

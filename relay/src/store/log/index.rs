//! Where the cells are: in memory, about 30 bytes for each.
//!
//! Lanes with live cells are here, and lanes that were written to since the last segment was sealed; where all others
//! stand is in the tables. Cells of a lane are kept in order, so a number is a place in a queue; what expires or was
//! taken leaves at the queue's front.

use super::{AccountId, Serial};
use hashbrown::{HashMap, HashTable};
use parking_lot::RwLock;
use std::collections::VecDeque;
use ume_wire::auth::Hash;

/// Parts that are locked and that grow by themselves.
const SHARDS: usize = 256;
/// A number this far from what its lane holds is none that this program wrote.
const FAR: u64 = 1 << 24;

/// Where a cell is. Segment 0: nowhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) segment: u32,
    pub(super) offset: u32,
    /// Second since 1970.
    pub(super) until: u32,
    pub(super) fingerprint: u32,
}

impl Place {
    const NOWHERE: Self = Self {
        segment: 0,
        offset: 0,
        until: 0,
        fingerprint: 0,
    };

    pub(super) fn is_somewhere(&self) -> bool {
        self.segment != 0
    }
}

/// The cells of a lane.
#[derive(Debug)]
pub(super) struct LaneCells {
    /// Number of the front of the queue.
    pub(super) first: u64,
    pub(super) places: VecDeque<Place>,
    pub(super) account: AccountId,
    /// The newest segment that a cell or a trim of it went to.
    pub(super) touched: u32,
    /// Second since 1970 of the last write.
    pub(super) written: u32,
    /// Whether it waits among those that expire.
    pub(super) waits: bool,
}

impl LaneCells {
    pub(super) fn new(first: u64, account: AccountId) -> Self {
        Self {
            first,
            places: VecDeque::new(),
            account,
            touched: 0,
            written: 0,
            waits: false,
        }
    }

    /// Number that the next cell gets.
    pub(super) fn end(&self) -> u64 {
        self.first + self.places.len() as u64
    }

    pub(super) fn place(&self, number: u64) -> Option<Place> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.places.get(index).copied().filter(Place::is_somewhere)
    }

    /// Makes room up to a number.
    pub(super) fn reach(&mut self, end: u64) {
        let missing = end.saturating_sub(self.end()).min(FAR);
        for _ in 0..missing {
            self.push(Place::NOWHERE);
        }
    }

    fn push(&mut self, place: Place) {
        // By a quarter, not by doubling: memory is what the number of cells is bounded by.
        if self.places.len() == self.places.capacity() {
            self.places.reserve_exact(4.max(self.places.len() / 4));
        }
        self.places.push_back(place);
    }

    /// Puts a cell at its number, wherever that is. Gives what was there, or `Err` if the number cannot be.
    fn put(&mut self, number: u64, place: Place) -> Result<Place, ()> {
        if self.places.is_empty() {
            self.first = number;
        }
        if number < self.first {
            let missing = self.first - number;
            if missing > FAR {
                return Err(());
            }
            for _ in 0..missing {
                self.places.push_front(Place::NOWHERE);
            }
            self.first = number;
        }
        if number - self.first >= FAR.max(2 * self.places.len() as u64) {
            return Err(());
        }
        self.reach(number + 1);
        let index = usize::try_from(number - self.first).map_err(|_| ())?;
        let old = self.places.get_mut(index).ok_or(())?;
        Ok(std::mem::replace(old, place))
    }
}

/// One cell among those that are recognised by their content: 48 bits of its lane's serial and 32 of its number. The lane
/// has the fingerprint.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Seen([u16; 5]);

impl Seen {
    fn new(serial: Serial, number: u64) -> Self {
        let part = |value: u64, index: u32| u16::try_from((value >> (16 * index)) & 0xffff);
        let parts = [
            part(serial, 0),
            part(serial, 1),
            part(serial, 2),
            part(number, 0),
            part(number, 1),
        ];
        Self(parts.map(|part| part.unwrap_or(0)))
    }

    fn serial(self) -> Serial {
        let [a, b, c, ..] = self.0.map(u64::from);
        a | b << 16 | c << 32
    }

    /// Where it belongs in the table.
    fn name(&self, lanes: &HashMap<Serial, LaneCells>) -> u64 {
        let lane = lanes.get(&self.serial());
        let place = lane.and_then(|lane| lane.place(self.number(lane.first)));
        mix(self.serial(), place.map_or(0, |place| place.fingerprint))
    }

    /// The number in a lane that begins at `first`.
    fn number(self, first: u64) -> u64 {
        let [.., a, b] = self.0.map(u64::from);
        let low = a | b << 16;
        first + (low.wrapping_sub(first) & 0xffff_ffff)
    }
}

#[derive(Debug, Default)]
pub(super) struct Shard {
    lanes: HashMap<Serial, LaneCells>,
    seen: HashTable<Seen>,
}

impl Shard {
    pub(super) fn lane(&self, serial: Serial) -> Option<&LaneCells> {
        self.lanes.get(&serial)
    }

    pub(super) fn lane_mut(&mut self, serial: Serial) -> Option<&mut LaneCells> {
        self.lanes.get_mut(&serial)
    }

    /// The lane, made if it is not there.
    pub(super) fn lane_or(
        &mut self,
        serial: Serial,
        make: impl FnOnce() -> LaneCells,
    ) -> &mut LaneCells {
        self.lanes.entry(serial).or_insert_with(make)
    }

    /// Puts a cell where it is now. Gives where it was before, or `None` if its number cannot be.
    pub(super) fn put(&mut self, serial: Serial, number: u64, place: Place) -> Option<Place> {
        let lane = self.lanes.get_mut(&serial)?;
        let old = lane.put(number, place).ok()?;
        if old.is_somewhere() && old.fingerprint != place.fingerprint {
            self.unsee(serial, number, old.fingerprint);
        }
        if !old.is_somewhere() || old.fingerprint != place.fingerprint {
            let lanes = &self.lanes;
            self.seen.insert_unique(
                mix(serial, place.fingerprint),
                Seen::new(serial, number),
                |seen| seen.name(lanes),
            );
        }
        Some(old)
    }

    /// Puts a cell where it is, while a log is opened. Cells are recognised after [`Shard::recognise`]. `None`: its number
    /// cannot be.
    pub(super) fn fill(&mut self, serial: Serial, number: u64, place: Place) -> Option<()> {
        self.lanes.get_mut(&serial)?.put(number, place).ok()?;
        Some(())
    }

    /// Makes all cells known by their content: for one shard after the other, because only one fits into a processor's
    /// cache.
    pub(super) fn recognise(&mut self) {
        let lanes = &self.lanes;
        let is_cell = |place: &&Place| place.is_somewhere();
        let cells = lanes
            .values()
            .map(|lane| lane.places.iter().filter(is_cell).count());
        self.seen.clear();
        // There is nothing to rehash yet.
        self.seen.reserve(cells.sum(), |_| 0);
        for (serial, lane) in lanes {
            for (number, place) in (lane.first..).zip(&lane.places) {
                if place.is_somewhere() {
                    self.seen.insert_unique(
                        mix(*serial, place.fingerprint),
                        Seen::new(*serial, number),
                        |seen| seen.name(lanes),
                    );
                }
            }
        }
    }

    /// Numbers of cells in a lane that may have this content.
    pub(super) fn find(&self, serial: Serial, fingerprint: u32) -> Vec<(u64, Place)> {
        let Some(lane) = self.lanes.get(&serial) else {
            return Vec::new();
        };
        let fits = |seen: &Seen| seen.serial() == serial;
        self.seen
            .iter_hash(mix(serial, fingerprint))
            .filter(|seen| fits(seen))
            .filter_map(|seen| {
                let number = seen.number(lane.first);
                Some((number, lane.place(number)?))
            })
            .filter(|(_, place)| place.fingerprint == fingerprint)
            .collect()
    }

    /// Takes the cell at a lane's front out.
    pub(super) fn pop(&mut self, serial: Serial) -> Option<Place> {
        let lane = self.lanes.get(&serial)?;
        let (number, place) = (lane.first, *lane.places.front()?);
        if place.is_somewhere() {
            self.unsee(serial, number, place.fingerprint);
        }
        let lane = self.lanes.get_mut(&serial)?;
        lane.places.pop_front();
        lane.first += 1;
        if lane.places.len() < lane.places.capacity() / 4 {
            lane.places.shrink_to(lane.places.len() * 2);
        }
        Some(place)
    }

    /// Forgets where a cell is; its number stays taken.
    pub(super) fn drop_cell(&mut self, serial: Serial, number: u64) {
        let Some(place) = self.lane(serial).and_then(|lane| lane.place(number)) else {
            return;
        };
        self.unsee(serial, number, place.fingerprint);
        if let Some(lane) = self.lanes.get_mut(&serial) {
            let _ = lane.put(number, Place::NOWHERE);
        }
    }

    /// Takes a lane out, with all its cells.
    pub(super) fn remove(&mut self, serial: Serial) -> Option<LaneCells> {
        let lane = self.lanes.get(&serial)?;
        let cells: Vec<(u64, u32)> = (lane.first..)
            .zip(&lane.places)
            .filter(|(_, place)| place.is_somewhere())
            .map(|(number, place)| (number, place.fingerprint))
            .collect();
        for (number, fingerprint) in cells {
            self.unsee(serial, number, fingerprint);
        }
        self.lanes.remove(&serial)
    }

    fn unsee(&mut self, serial: Serial, number: u64, fingerprint: u32) {
        let seen = Seen::new(serial, number);
        if let Ok(entry) = self
            .seen
            .find_entry(mix(serial, fingerprint), |other| *other == seen)
        {
            entry.remove();
        }
    }

    pub(super) fn serials(&self) -> impl Iterator<Item = Serial> {
        self.lanes.keys().copied()
    }
}

fn shard_of(serial: Serial) -> usize {
    usize::try_from(serial % SHARDS as u64).unwrap_or(0)
}

/// Spreads what is in a fingerprint and a serial over the table. The fingerprint is secret already.
fn mix(serial: Serial, fingerprint: u32) -> u64 {
    (serial ^ u64::from(fingerprint) << 32)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(26)
        .wrapping_mul(0xd6e8_feb8_6659_fd93)
}

/// All of it.
#[derive(Debug)]
pub(super) struct Index {
    shards: Vec<RwLock<Shard>>,
    /// Secret, so that nobody can make cells that look alike here.
    secret: [u64; 4],
}

impl Index {
    pub(super) fn new(secret: [u64; 4]) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            secret,
        }
    }

    /// A short name for a cell's hash: multilinear hashing (Carter and Wegman).
    pub(super) fn fingerprint(&self, hash: &Hash) -> u32 {
        let mut sum = 0u64;
        for (key, word) in self.secret.iter().zip(hash.chunks_exact(8)) {
            let word = super::record::u64_at(word, 0);
            // Each half by a key of its own.
            sum = sum
                .wrapping_add((word >> 32).wrapping_mul(*key))
                .wrapping_add((word & 0xffff_ffff).wrapping_mul(key.rotate_left(32) | 1));
        }
        u32::try_from(sum >> 32).unwrap_or(0)
    }

    pub(super) fn shard(&self, serial: Serial) -> &RwLock<Shard> {
        &self.shards[shard_of(serial)]
    }

    /// The same, while nobody else has it.
    pub(super) fn shard_mut(&mut self, serial: Serial) -> &mut Shard {
        self.shards[shard_of(serial)].get_mut()
    }

    /// All of them, while nobody else has them.
    pub(super) fn shards_mut(&mut self) -> impl Iterator<Item = &mut Shard> {
        self.shards.iter_mut().map(RwLock::get_mut)
    }

    pub(super) fn shards(&self) -> impl Iterator<Item = &RwLock<Shard>> {
        self.shards.iter()
    }
}

/// Where a lane stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::store) struct Standing {
    pub(in crate::store) first: u64,
    pub(in crate::store) end: u64,
    /// Second since 1970 of the last write.
    pub(in crate::store) written: u32,
}

impl Standing {
    pub(super) fn of(lane: &LaneCells) -> Self {
        Self {
            first: lane.first,
            end: lane.end(),
            written: lane.written,
        }
    }
}

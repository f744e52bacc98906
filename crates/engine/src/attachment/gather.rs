//! Fetching one blob of an attachment as it lies at the relay, cell by cell.

use crate::cell;
use crate::keys::Secret;
use bytes::Bytes;
use std::collections::BTreeMap;
use ume_wire::auth::{Hash, hash_cells};
use ume_wire::relay::{BlobGet, BlobPart, Refused, RefusedCode, frame::Body};

/// Answers in a row that bring nothing new before a blob is given up, as for parcels.
const ANSWERS_MAX: u8 = 8;

/// A blob that is being gathered.
#[derive(Debug)]
pub(crate) struct Gather {
    id: Hash,
    key: Secret,
    place: Hash,
    /// How many it has.
    count: usize,
    /// Those that opened: others are not what was put there.
    cells: BTreeMap<u32, Bytes>,
    asked: bool,
    brought: bool,
    fruitless: u8,
    lost: Option<Gathered>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Gathered {
    NotYet,
    /// All cells, one after the other.
    Whole(Vec<u8>),
    /// The relay does not have it.
    Absent,
    /// The relay has something else.
    Broken,
}

impl Gather {
    pub(super) fn new(id: Hash, key: Secret, place: Hash, count: usize) -> Self {
        Self {
            id,
            key,
            place,
            count,
            cells: BTreeMap::new(),
            asked: false,
            brought: false,
            fruitless: 0,
            lost: None,
        }
    }

    /// The connection is gone, and with it what was asked for.
    pub(crate) fn restart(&mut self) {
        self.asked = false;
    }

    /// How much of it is here: cells, of how many.
    pub(crate) fn progress(&self) -> (usize, usize) {
        (self.cells.len(), self.count)
    }

    /// What is to be asked for now.
    pub(crate) fn ask(&mut self) -> Option<Body> {
        if self.asked || self.lost.is_some() || self.cells.len() == self.count {
            return None;
        }
        self.asked = true;
        self.brought = false;
        let id = Bytes::copy_from_slice(&self.id);
        Some(Body::BlobGet(BlobGet { id }))
    }

    /// A cell arrived.
    pub(crate) fn take(&mut self, part: &BlobPart) {
        let index = usize::try_from(part.index).unwrap_or(usize::MAX);
        if part.id[..] != self.id[..] || self.lost.is_some() {
            return;
        }
        let fits = index < self.count && !self.cells.contains_key(&part.index);
        if fits && cell::open_for(&self.key, &self.place, &part.cell).is_ok() {
            self.cells.insert(part.index, part.cell.clone());
            self.brought = true;
        }
        // A relay sends them in order. What got lost on the way is asked for again.
        if self.asked && part.index.saturating_add(1) >= part.cells {
            self.ended();
        }
    }

    /// The relay refused.
    pub(crate) fn refused(&mut self, refused: &Refused) {
        self.ended();
        if refused.code == i32::from(RefusedCode::RefusedDenied) {
            self.lost = Some(Gathered::Absent);
        }
    }

    fn ended(&mut self) {
        self.asked = false;
        self.fruitless = if self.brought { 0 } else { self.fruitless + 1 };
        if self.fruitless >= ANSWERS_MAX {
            self.lost = Some(Gathered::Broken);
        }
    }

    /// What came of it.
    pub(crate) fn result(&mut self) -> Gathered {
        if let Some(lost) = &self.lost {
            return lost.clone();
        }
        if self.cells.len() < self.count {
            return Gathered::NotYet;
        }
        let cells: Vec<&Bytes> = self.cells.values().collect();
        if hash_cells(&cells) == self.id {
            return Gathered::Whole(cells.into_iter().flatten().copied().collect());
        }
        // Each of them opens in its place, and they are not what was attached: whoever made this has the key.
        self.lost = Some(Gathered::Broken);
        Gathered::Broken
    }
}

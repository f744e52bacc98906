//! Parcels: what is too long for a message. The content is cut, sealed in cells under a key of its own, and put on the
//! relay as blobs; whoever has the [`proto::Parcel`] fetches and opens them. Every cell opens in its own place only, so a
//! relay can withhold one and do nothing else.

use crate::cell;
use crate::keys::Secret;
use crate::proto;
use bytes::Bytes;
use rand_core::RngCore;
use std::collections::BTreeSet;
use ume_wire::auth::{Hash, hash, hash_cells};
use ume_wire::fragment::Reassembler;
use ume_wire::limits::MESSAGE_BYTES_MAX;
use ume_wire::relay::{BlobGet, BlobPart, Refused, RefusedCode, frame::Body};

/// Blobs of a parcel, at most: 35 MB.
const BLOBS_MAX: usize = 32;
/// Kind of the message in a blob.
const PART: u8 = 1;
/// Answers in a row that bring nothing new before a parcel is given up: a relay that spoils one cell in ten by chance gets
/// all of them through with all but certainty.
const ANSWERS_MAX: u8 = 8;

/// A blob as it is put on a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    /// Hash of its cells.
    pub(crate) id: Hash,
    pub(crate) cells: Vec<Bytes>,
}

/// Cuts and seals; `None` if the content is longer than any parcel may be.
pub(crate) fn seal(content: &[u8], rng: &mut impl RngCore) -> Option<(proto::Parcel, Vec<Blob>)> {
    let (key, digest) = (Secret::random(rng), hash(content));
    let mut blobs = Vec::new();
    for (number, part) in (0..).zip(content.chunks(MESSAGE_BYTES_MAX)) {
        let cells = cell::seal_for(&key, &place(&digest, number), PART, part, rng).ok()?;
        let id = hash_cells(&cells);
        blobs.push(Blob { id, cells });
    }
    let parcel = proto::Parcel {
        key: key.bytes().to_vec(),
        hash: digest.to_vec(),
        length: content.len() as u64,
        blobs: blobs.iter().map(|blob| blob.id.to_vec()).collect(),
    };
    Fetch::new(&parcel).map(|_| (parcel, blobs))
}

/// Opens what is here already: the cells of each blob, in their order. `None` if they are not what was sealed.
pub(crate) fn open(
    parcel: &proto::Parcel,
    blobs: impl Iterator<Item = Vec<Bytes>>,
) -> Option<Vec<u8>> {
    let mut fetch = Fetch::new(parcel)?;
    for (id, cells) in parcel.blobs.iter().zip(blobs) {
        let count = u32::try_from(cells.len()).ok()?;
        for (index, cell) in (0..).zip(cells) {
            fetch.take(&BlobPart {
                id: Bytes::copy_from_slice(id),
                cells: count,
                index,
                cell,
            });
        }
    }
    match fetch.result() {
        Fetched::Whole(_) => Some(fetch.content),
        _ => None,
    }
}

/// What a cell of the part with this number is bound to.
pub(crate) fn place(digest: &Hash, number: u32) -> Hash {
    hash(&[b"ume/1/parcel", &digest[..], &number.to_le_bytes()].concat())
}

/// Fetching a parcel, blob by blob.
#[derive(Debug)]
pub(crate) struct Fetch {
    key: Secret,
    digest: Hash,
    length: usize,
    blobs: Vec<Hash>,
    /// Parts that are whole, one after the other.
    content: Vec<u8>,
    done: usize,
    cells: Reassembler,
    seen: BTreeSet<u32>,
    asked: bool,
    fruitless: u8,
    brought: bool,
    lost: bool,
}

/// What came of fetching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fetched<'a> {
    /// It is under way.
    NotYet,
    Whole(&'a [u8]),
    /// The relay does not have it, or not as it was put there.
    Lost,
}

impl Fetch {
    /// `None` if there can be no such parcel.
    pub(crate) fn new(parcel: &proto::Parcel) -> Option<Self> {
        let length = usize::try_from(parcel.length).ok()?;
        let blobs = parcel.blobs.iter().map(|id| id[..].try_into().ok());
        let blobs: Vec<Hash> = blobs.collect::<Option<_>>()?;
        let sound = (1..=BLOBS_MAX).contains(&blobs.len())
            && length > 0
            && length.div_ceil(MESSAGE_BYTES_MAX) == blobs.len();
        sound.then_some(Self {
            key: Secret::from_slice(&parcel.key)?,
            digest: parcel.hash[..].try_into().ok()?,
            length,
            blobs,
            content: vec![],
            done: 0,
            cells: Reassembler::new(),
            seen: BTreeSet::new(),
            asked: false,
            fruitless: 0,
            brought: false,
            lost: false,
        })
    }

    /// The connection is gone, and with it what was asked for.
    pub(crate) fn restart(&mut self) {
        self.asked = false;
    }

    /// What is to be asked for now.
    pub(crate) fn ask(&mut self) -> Option<Body> {
        if self.asked || self.lost {
            return None;
        }
        let id = self.blobs.get(self.done)?;
        self.asked = true;
        self.brought = false;
        let id = Bytes::copy_from_slice(id);
        Some(Body::BlobGet(BlobGet { id }))
    }

    /// A cell arrived.
    pub(crate) fn take(&mut self, part: &BlobPart) {
        let current = self.blobs.get(self.done);
        if self.lost || current.is_none_or(|id| part.id[..] != id[..]) {
            return;
        }
        self.open(part);
        // A relay sends them in order. What got lost on the way is asked for again.
        if self.asked && part.index.saturating_add(1) >= part.cells {
            self.ended();
        }
    }

    fn open(&mut self, part: &BlobPart) {
        let number = u32::try_from(self.done).unwrap_or(u32::MAX);
        let place = place(&self.digest, number);
        if self.seen.contains(&part.index) {
            return;
        }
        let Ok(plain) = cell::open_for(&self.key, &place, &part.cell) else {
            return;
        };
        self.seen.insert(part.index);
        self.brought = true;
        if let Ok(Some(whole)) = self.cells.take(u64::from(part.index), &plain) {
            self.content.extend_from_slice(&whole.bytes);
            self.done += 1;
            self.cells = Reassembler::new();
            self.seen.clear();
            self.asked = false;
            self.fruitless = 0;
            if self.done == self.blobs.len() {
                let fits = self.content.len() == self.length && hash(&self.content) == self.digest;
                self.lost = !fits;
            }
        }
    }

    fn ended(&mut self) {
        self.asked = false;
        self.fruitless = if self.brought { 0 } else { self.fruitless + 1 };
        self.lost |= self.fruitless >= ANSWERS_MAX;
    }

    /// The relay refused.
    pub(crate) fn refused(&mut self, refused: &Refused) {
        self.ended();
        self.lost |= refused.code == i32::from(RefusedCode::RefusedDenied);
    }

    /// What came of it.
    pub(crate) fn result(&self) -> Fetched<'_> {
        if self.lost {
            Fetched::Lost
        } else if self.done == self.blobs.len() {
            Fetched::Whole(&self.content)
        } else {
            Fetched::NotYet
        }
    }
}

#[cfg(test)]
mod tests;

//! Answers that consist of many frames: cells, values and blobs, a page at a time.

use crate::{
    commit::now,
    hub::Life,
    packet::encode,
    refusal::Refusal,
    store::{Store, StoreError},
};
use bytes::Bytes;
use ume_wire::{
    auth::{Hash, LaneId},
    limits::{CELL_BYTES, READ_FRAMES_MAX},
    relay::{BlobPart, Delivery, Head, Value, frame::Body},
};

/// A lane to read, checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) lane: LaneId,
    pub(crate) place: Place,
    pub(crate) content: Content,
    pub(crate) life: Life,
}

/// Where a reader stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    /// The number to go on with.
    pub(crate) number: u64,
    /// Of a value: the cell to go on with. A value can have many more than a page.
    pub(crate) part: usize,
}

impl Place {
    /// Before a number.
    pub(crate) fn at(number: u64) -> Self {
        Self { number, part: 0 }
    }
}

/// What a lane gives to its readers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Content {
    Cells,
    /// `may_change`: there are several acceptors, and a value may be replaced or come out of order.
    Values {
        may_change: bool,
    },
    /// Nothing: its cells are not stored.
    Fleeting,
}

/// Frames, and where they end.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) frames: Vec<Bytes>,
    pub(crate) place: Place,
    /// Oldest number that is still kept, or `end` if none is; of a part of a lane, the end of the part.
    pub(crate) first: u64,
    /// Number that the next new cell or value will get.
    pub(crate) end: u64,
    /// The next value does not fit into the answer any more.
    pub(crate) is_full: bool,
}

impl Page {
    /// Of a lane that stores nothing.
    pub(crate) fn fleeting(end: u64) -> Self {
        Self {
            frames: Vec::new(),
            place: Place::at(end),
            first: end,
            end,
            is_full: false,
        }
    }
}

/// Encodes one cell of a lane.
pub(crate) fn delivery(request: u32, lane: &LaneId, seq: u64, cell: &Bytes) -> Option<Bytes> {
    let (lane, cell) = (Bytes::copy_from_slice(lane), cell.clone());
    encode(request, Body::Delivery(Delivery { lane, seq, cell }))
}

/// Encodes the end of an answer, at which a page stands.
pub(crate) fn head(request: u32, reading: &Reading, page: &Page) -> Option<Bytes> {
    encode(
        request,
        Body::Head(Head {
            lane: Bytes::copy_from_slice(&reading.lane),
            next: page.place.number,
            end: page.end,
            first: page.first,
            life: Bytes::copy_from_slice(&reading.life),
        }),
    )
}

/// Room for frames: in the page, and in the answer that it belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) page: usize,
    /// A value that does not fit into this begins the next answer; one that fits into none has an answer of its own.
    pub(crate) answer: usize,
}

/// Reads from where a reader stands up to a number.
pub(crate) fn page(
    store: &dyn Store,
    request: u32,
    reading: &Reading,
    upto: u64,
    room: Room,
) -> Result<Page, StoreError> {
    let (lane, from) = (&reading.lane, reading.place.number);
    match reading.content {
        Content::Fleeting => Ok(Page::fleeting(from)),
        Content::Cells => {
            let max = room.page.min(room.answer);
            let cells = store.cells(now(), lane, from, upto, max)?;
            let frames = cells
                .items
                .iter()
                .filter_map(|(seq, cell)| delivery(request, lane, *seq, cell));
            Ok(Page {
                frames: frames.collect(),
                place: Place::at(cells.next),
                first: cells.first,
                end: cells.end,
                is_full: false,
            })
        }
        Content::Values { .. } => values(store, request, reading, upto, room),
    }
}

fn values(
    store: &dyn Store,
    request: u32,
    reading: &Reading,
    upto: u64,
    room: Room,
) -> Result<Page, StoreError> {
    let Place { number, part } = reading.place;
    let values = store.values(now(), &reading.lane, number, upto, room.page)?;
    let lane = Bytes::copy_from_slice(&reading.lane);
    let mut page = Page {
        frames: Vec::new(),
        place: Place::at(values.next),
        first: values.first,
        end: values.end,
        is_full: false,
    };
    for value in &values.items {
        // What was read of a value counts only if it is still the one to read next.
        let done = if value.slot == number { part } else { 0 };
        let left = room.answer.saturating_sub(page.frames.len());
        let is_alone = left == READ_FRAMES_MAX;
        if done == 0 && !is_alone && value.cells.len() / CELL_BYTES > left {
            page.place = Place::at(value.slot);
            page.is_full = true;
            return Ok(page);
        }
        for (index, cell) in split(&value.cells).enumerate().skip(done) {
            if page.frames.len() == room.page {
                page.place = Place {
                    number: value.slot,
                    part: index,
                };
                return Ok(page);
            }
            let body = Body::Value(Value {
                lane: lane.clone(),
                slot: value.slot,
                vote: Some(value.vote.clone()),
                index: count(index),
                cell,
            });
            page.frames.extend(encode(request, body));
        }
    }
    Ok(page)
}

/// Up to `max` frames of a blob from an index on, and how many it has.
pub(crate) fn blob(
    store: &dyn Store,
    request: u32,
    id: &Hash,
    from: usize,
    max: usize,
) -> Result<(Vec<Bytes>, usize), Refusal> {
    let part = store.blob(now(), id, from, max)?.ok_or(Refusal::DENIED)?;
    let (id, cells) = (Bytes::copy_from_slice(id), count(part.total));
    let frames = (from..)
        .zip(split(&part.cells))
        .filter_map(|(index, cell)| {
            let (id, index) = (id.clone(), count(index));
            let body = Body::BlobPart(BlobPart {
                id,
                cells,
                index,
                cell,
            });
            encode(request, body)
        });
    Ok((frames.collect(), part.total))
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn split(cells: &Bytes) -> impl Iterator<Item = Bytes> + '_ {
    (0..cells.len() / CELL_BYTES)
        .map(|index| cells.slice(index * CELL_BYTES..(index + 1) * CELL_BYTES))
}

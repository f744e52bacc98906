//! Answers that consist of many frames: cells, values and blobs.

use crate::{
    commit::now,
    refusal::Refusal,
    server::Core,
    store::{Store, StoreError},
};
use bytes::Bytes;
use ume_wire::{
    auth::{Hash, LaneId},
    frame,
    limits::CELL_BYTES,
    relay::{BlobPart, Delivery, Frame, Head, Value, frame::Body},
};

/// A lane to read, checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) lane: LaneId,
    pub(crate) from: u64,
    pub(crate) content: Content,
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

/// Frames, and where they are in their lane.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) frames: Vec<Bytes>,
    pub(crate) numbers: Numbers,
}

/// Where an answer is in its lane; all of one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Numbers {
    /// Oldest number that is still kept, or `end` if none is; of a part of a lane, the end of the part.
    pub(crate) first: u64,
    /// Number that follows the last one looked at.
    pub(crate) next: u64,
    /// Number that the next new cell or value will get.
    pub(crate) end: u64,
}

impl Numbers {
    /// Of a lane that stores nothing.
    pub(crate) fn fleeting(end: u64) -> Self {
        Self {
            first: end,
            next: end,
            end,
        }
    }
}

/// Encodes an answer. `None` cannot happen with fields of the right sizes.
pub(crate) fn encode(request: u32, body: Body) -> Option<Bytes> {
    frame::encode(&Frame {
        request,
        body: Some(body),
    })
    .ok()
}

/// Encodes one cell of a lane.
pub(crate) fn delivery(request: u32, lane: &LaneId, seq: u64, cell: &Bytes) -> Option<Bytes> {
    let lane = Bytes::copy_from_slice(lane);
    encode(
        request,
        Body::Delivery(Delivery {
            lane,
            seq,
            cell: cell.clone(),
        }),
    )
}

/// Encodes the end of an answer.
pub(crate) fn head(request: u32, lane: &LaneId, numbers: Numbers) -> Option<Bytes> {
    let (lane, Numbers { first, next, end }) = (Bytes::copy_from_slice(lane), numbers);
    encode(
        request,
        Body::Head(Head {
            lane,
            next,
            end,
            first,
        }),
    )
}

/// Reads numbers `from..upto`, about `max` frames.
pub(crate) fn page(
    store: &dyn Store,
    request: u32,
    reading: &Reading,
    upto: u64,
    max: usize,
) -> Result<Page, StoreError> {
    let (lane, from) = (&reading.lane, reading.from);
    match reading.content {
        Content::Fleeting => Ok(Page::default()),
        Content::Cells => {
            let cells = store.cells(now(), lane, from, upto, max)?;
            let frames = cells
                .items
                .iter()
                .filter_map(|(seq, cell)| delivery(request, lane, *seq, cell));
            Ok(Page {
                frames: frames.collect(),
                numbers: Numbers {
                    first: cells.first,
                    next: cells.next,
                    end: cells.end,
                },
            })
        }
        Content::Values { .. } => {
            let values = store.values(now(), lane, from, upto, max)?;
            let lane = Bytes::copy_from_slice(lane);
            let mut frames = Vec::new();
            for value in &values.items {
                for (index, cell) in (0..).zip(split(&value.cells)) {
                    let (lane, vote) = (lane.clone(), Some(value.vote.clone()));
                    let body = Body::Value(Value {
                        lane,
                        slot: value.slot,
                        vote,
                        index,
                        cell,
                    });
                    frames.extend(encode(request, body));
                }
            }
            Ok(Page {
                frames,
                numbers: Numbers {
                    first: values.first,
                    next: values.next,
                    end: values.end,
                },
            })
        }
    }
}

/// As [`page`], to the end; for a lane without storage only its numbers.
pub(crate) fn stored_or_fleeting(
    core: &Core,
    request: u32,
    reading: &Reading,
    max: usize,
) -> Result<Page, StoreError> {
    if reading.content == Content::Fleeting {
        let end = core.hub.fleeting_end(&reading.lane);
        return Ok(Page {
            frames: Vec::new(),
            numbers: Numbers::fleeting(end),
        });
    }
    page(&*core.store, request, reading, u64::MAX, max)
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
    let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
    let (id, total) = (Bytes::copy_from_slice(id), number(part.total));
    let frame = |(index, cell)| {
        let (id, index) = (id.clone(), number(index));
        encode(
            request,
            Body::BlobPart(BlobPart {
                id,
                cells: total,
                index,
                cell,
            }),
        )
    };
    Ok((
        (from..).zip(split(&part.cells)).filter_map(frame).collect(),
        part.total,
    ))
}

fn split(cells: &Bytes) -> impl Iterator<Item = Bytes> + '_ {
    (0..cells.len() / CELL_BYTES)
        .map(|index| cells.slice(index * CELL_BYTES..(index + 1) * CELL_BYTES))
}

//! Blobs: cells that are kept under the hash of all of them, until the time is over for which they were put.

use super::{Session, refused};
use bytes::Bytes;
use std::collections::BTreeMap;
use ume_wire::auth::hash_cells;
use ume_wire::limits::{CELL_BYTES, FRAGMENTS_MAX};
use ume_wire::relay::{BlobPart, BlobPut, Done, RefusedCode, frame::Body};

#[derive(Clone, Default)]
pub(crate) struct Blobs {
    pub(crate) whole: BTreeMap<Bytes, Vec<Bytes>>,
    /// Until when each of them is kept.
    holds: BTreeMap<Bytes, u64>,
    /// Cells of those that are not whole yet, by who sends them.
    parts: BTreeMap<(Session, Bytes), BTreeMap<u32, Bytes>>,
}

impl Blobs {
    pub(super) fn closed(&mut self, session: Session) {
        self.parts.retain(|(one, _), _| *one != session);
    }

    /// Takes a cell; `pays`: with an access key that is good, or none is asked for.
    pub(super) fn put(&mut self, now_ms: u64, session: Session, put: BlobPut, pays: bool) -> Body {
        let sound = put.cell.len() == CELL_BYTES
            && put.cells > 0
            && put.cells as usize <= FRAGMENTS_MAX
            && put.index < put.cells
            && put.ttl_seconds > 0;
        if !sound {
            return refused(RefusedCode::RefusedMalformed, 0);
        }
        if !pays {
            return refused(RefusedCode::RefusedAccess, 0);
        }
        let until = now_ms.saturating_add(u64::from(put.ttl_seconds) * 1000);
        if self.has(now_ms, &put.id) {
            let hold = self.holds.entry(put.id).or_default();
            *hold = until.max(*hold);
            return Body::Done(Done::default());
        }
        let of = (session, put.id.clone());
        let parts = self.parts.entry(of.clone()).or_default();
        parts.insert(put.index, put.cell);
        if parts.len() < put.cells as usize {
            return Body::Done(Done {
                unfinished: true,
                ..Done::default()
            });
        }
        let parts = self.parts.remove(&of).unwrap_or_default();
        let cells: Vec<Bytes> = parts.into_values().collect();
        if hash_cells(&cells)[..] != put.id[..] {
            return refused(RefusedCode::RefusedMalformed, 0);
        }
        self.holds.insert(put.id.clone(), until);
        self.whole.insert(put.id, cells);
        Body::Done(Done::default())
    }

    fn has(&self, now_ms: u64, id: &Bytes) -> bool {
        self.whole.contains_key(id) && self.holds.get(id).is_none_or(|until| *until > now_ms)
    }

    pub(super) fn get(&self, now_ms: u64, id: &Bytes) -> Vec<Body> {
        let there = self.has(now_ms, id);
        let Some(cells) = self.whole.get(id).filter(|_| there) else {
            return vec![refused(RefusedCode::RefusedDenied, 0)];
        };
        let count = u32::try_from(cells.len()).unwrap_or(u32::MAX);
        let part = |(index, cell): (u32, &Bytes)| {
            Body::BlobPart(BlobPart {
                id: id.clone(),
                cells: count,
                index,
                cell: cell.clone(),
            })
        };
        (0..).zip(cells).map(part).collect()
    }
}

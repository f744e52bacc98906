//! Blobs on their way to the relay, one after the other, so that a relay holds one unfinished thing of ours at most.
//!
//! Nothing of this is stored. What has to lie at the relay before something else is said is put again after a crash; of a
//! blob that is there already the relay takes the first cell for all of them.

use super::{Community, Ctx, Tag};
use crate::io::Millis;
use crate::keys::LONG_TTL;
use crate::parcel::Blob;
use bytes::Bytes;
use std::collections::{BTreeSet, VecDeque};
use ume_api::Failure;
use ume_wire::auth::Hash;
use ume_wire::relay::{BlobPut, RefusedCode, frame::Body};

/// Cells of a blob under way at once.
const WINDOW: usize = 64;

/// What is to be put, and what is there.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    waiting: VecDeque<Blob>,
    /// Cells of the first one that have left and are not acknowledged,
    flying: BTreeSet<u32>,
    /// and how many have left.
    left: usize,
    stored: BTreeSet<Hash>,
    /// Not before then.
    pause_until: Millis,
}

impl Uploads {
    /// Puts blobs there that are not there, as far as is known.
    pub(super) fn put(&mut self, blobs: &[Blob]) {
        for blob in blobs {
            if !self.has(&blob.id) && self.waiting.iter().all(|one| one.id != blob.id) {
                self.waiting.push_back(blob.clone());
            }
        }
    }

    /// Puts a blob there, or sees to it that one that is there is kept for longer.
    pub(super) fn renew(&mut self, blob: &Blob) {
        self.stored.remove(&blob.id);
        self.put(std::slice::from_ref(blob));
    }

    /// Whether nothing is on its way.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How much of a blob is acknowledged: cells, of how many.
    pub(super) fn progress(&self, id: &Hash) -> (usize, usize) {
        let first = self.waiting.front().filter(|blob| blob.id == *id);
        first.map_or((0, 1), |blob| {
            (
                self.left - self.flying.len().min(self.left),
                blob.cells.len(),
            )
        })
    }

    /// Whether a blob is on the relay's disk.
    pub(super) fn has(&self, id: &Hash) -> bool {
        self.stored.contains(id)
    }

    /// Nobody needs these any more.
    pub(super) fn drop(&mut self, unneeded: impl Fn(&Hash) -> bool) {
        let first = self.waiting.front().map(|blob| blob.id);
        self.waiting.retain(|blob| !unneeded(&blob.id));
        if first != self.waiting.front().map(|blob| blob.id) {
            self.begin();
        }
    }

    /// The relay may have forgotten what it took.
    pub(super) fn doubt(&mut self) {
        self.stored.clear();
    }

    /// Begins with the first one, once more if need be: what a relay has of an unfinished blob it may have forgotten.
    pub(super) fn begin(&mut self) {
        self.flying.clear();
        self.left = 0;
    }

    pub(super) fn due(&self) -> Option<Millis> {
        (!self.waiting.is_empty()).then_some(self.pause_until)
    }

    fn next(&mut self) -> Option<(u32, usize, Bytes, Hash)> {
        let blob = self.waiting.front()?;
        // The first cell alone tells whether the blob is there.
        let window = if self.left > 0 && !self.flying.contains(&0) {
            WINDOW
        } else {
            1
        };
        let cell = blob
            .cells
            .get(self.left)
            .filter(|_| self.flying.len() < window)?;
        let index = u32::try_from(self.left).ok()?;
        self.left += 1;
        self.flying.insert(index);
        Some((index, blob.cells.len(), cell.clone(), blob.id))
    }

    /// The answer to a cell.
    fn answered(&mut self, id: &Hash, index: u32, body: &Body) -> Answered {
        let Some(blob) = self.waiting.front().filter(|blob| blob.id == *id) else {
            return Answered::Nothing;
        };
        match body {
            Body::Done(done) if !done.unfinished => {
                self.stored.insert(*id);
                self.waiting.pop_front();
                self.begin();
                Answered::GoesOn
            }
            Body::Done(_) => {
                self.flying.remove(&index);
                let all = self.flying.is_empty() && self.left == blob.cells.len();
                if all {
                    Answered::Again
                } else {
                    Answered::GoesOn
                }
            }
            Body::Refused(refused) => match refused.code() {
                RefusedCode::RefusedAccess => Answered::Unpaid(Failure::AccessRefused),
                RefusedCode::RefusedQuota => Answered::Unpaid(Failure::AccessUsedUp),
                _ => Answered::Again,
            },
            _ => Answered::Again,
        }
    }
}

enum Answered {
    Nothing,
    GoesOn,
    /// All of it has to be put again, after a pause.
    Again,
    Unpaid(Failure),
}

impl Community {
    pub(super) fn advance_uploads(&mut self, ctx: &mut Ctx<'_>) {
        if self.uploads.pause_until > ctx.now {
            return;
        }
        let access = self.access();
        let access = access.map_or_else(Bytes::new, |key| Bytes::copy_from_slice(key.bytes()));
        while let Some((index, cells, cell, id)) = self.uploads.next() {
            let put = BlobPut {
                id: Bytes::copy_from_slice(&id),
                cells: u32::try_from(cells).unwrap_or(u32::MAX),
                index,
                cell,
                ttl_seconds: LONG_TTL,
                access: access.clone(),
            };
            ctx.ask(Tag::Put(id, index), Some(Body::BlobPut(put).into()));
        }
    }

    /// The answer to a cell of a blob.
    pub(super) fn uploaded(&mut self, ctx: &mut Ctx<'_>, id: &Hash, index: u32, body: &Body) {
        match self.uploads.answered(id, index, body) {
            Answered::Nothing => {}
            Answered::GoesOn => ctx.news.goes_on = true,
            Answered::Again => {
                self.uploads.begin();
                self.uploads.pause_until = ctx.now.plus(super::PAUSE_MS);
            }
            Answered::Unpaid(why) => {
                self.uploads.begin();
                self.uploads.pause_until = ctx.now.plus(super::UNPAID_MS);
                ctx.news.unpaid = Some(why);
            }
        }
    }
}

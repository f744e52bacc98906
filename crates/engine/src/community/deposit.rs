//! What can leave without this program: cells of the outbox as frames that stand for themselves, for whoever may send them
//! when no page of ours is open any more.
//!
//! A deposit changes nothing about the outbox. Its cells are those that the line would send, so the relay knows them when
//! they come again, and what arrived by a deposit is noticed as such only then.

use super::outbox::What;
use super::{Community, Ctx, LaneState, Part};
use crate::keys::LaneKeys;
use crate::mls::Group;
use bytes::Bytes;
use std::collections::BTreeSet;
use ume_wire::auth::{LaneId, Statement, hash};
use ume_wire::frame;
use ume_wire::relay::{Append, Frame, frame::Body};

/// Lanes of earlier connections that are remembered.
const MADE_MAX: usize = 64;

/// What waits in an outbox, as far as a deposit is about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waits {
    epoch: u64,
    /// Whether anything may be sealed.
    proven: bool,
    /// Rows, and which of their parts a relay has: the members' lane, the history lane.
    rows: Vec<(u64, bool, bool)>,
}

impl Waits {
    /// Nothing does.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// What a deposit may go by, of this run.
#[derive(Debug, Default)]
pub(super) struct Basis {
    /// Lanes that there were on earlier connections.
    made: BTreeSet<LaneId>,
    /// The store is no older than what its own device said.
    pub(super) proven: bool,
}

impl Community {
    /// What waits to leave. A deposit is made anew when it is another.
    pub(crate) fn waits(&self) -> Waits {
        let rows = self.outbox.iter();
        let rows = rows.filter(|(_, out)| matches!(out.what, What::Entry(_)) && out.waits());
        Waits {
            epoch: self.group.as_ref().map_or(0, Group::epoch),
            proven: self.basis.proven,
            rows: rows
                .map(|(key, out)| (*key, out.posted, out.in_history))
                .collect(),
        }
    }

    /// The first entries that wait, as at most so many frames, whole or not at all: what is in the members' lane counts,
    /// since who missed the history lane's copy can be given it later.
    pub(crate) fn deposit(&mut self, ctx: &mut Ctx<'_>, room: usize) -> Vec<Bytes> {
        let mut frames = Vec::new();
        // Nothing is sealed anew before this run has seen that the store is up to date with its own device (post_lane.rs).
        if !self.basis.proven
            || self.departed().is_some()
            || self.watch.is_some()
            || self.holds_back()
        {
            return frames;
        }
        for (key, posted, in_history) in self.waits().rows {
            let post = if posted {
                Some(vec![])
            } else {
                self.frames_of(ctx, key, Part::Post)
            };
            let history = if in_history {
                Some(vec![])
            } else {
                self.frames_of(ctx, key, Part::History)
            };
            let Some(post) = post.filter(|post| frames.len() + post.len() <= room) else {
                break;
            };
            frames.extend(post);
            if let Some(history) = history.filter(|one| frames.len() + one.len() <= room) {
                frames.extend(history);
            }
        }
        frames
    }

    /// The cells of a part as frames that stand for themselves, and the making of their lane before them if the relay may
    /// not have it. Where making it has to be paid for that is left to the line: what pays stays sealed.
    fn frames_of(&mut self, ctx: &mut Ctx<'_>, key: u64, part: Part) -> Option<Vec<Bytes>> {
        let (lane, new) = self.lane_of(ctx, key, part)?;
        let sealed = self.sealed_of(ctx, key, part)?;
        let mut frames = Vec::new();
        if !self.is_made(&lane.id) {
            if self.access().is_some() {
                return None;
            }
            frames.push(standing_frame(Body::LaneNew(new))?);
        }
        for cell in sealed.cells() {
            frames.push(standing_frame(append(&lane, cell)?)?);
        }
        Some(frames)
    }

    /// Whether the relay had this lane.
    fn is_made(&self, lane: &LaneId) -> bool {
        self.lanes.get(lane) == Some(&LaneState::Ready) || self.basis.made.contains(lane)
    }

    /// The line went down: which lanes there are is not forgotten.
    pub(super) fn remember_lanes(&mut self) {
        let lanes = std::mem::take(&mut self.lanes);
        let ready = lanes
            .into_iter()
            .filter(|(_, state)| *state == LaneState::Ready);
        // Days and epochs go by.
        if self.basis.made.len() > MADE_MAX {
            self.basis.made.clear();
        }
        self.basis.made.extend(ready.map(|(lane, _)| lane));
    }
}

/// Signed for this cell alone, as whoever sends it has no connection's challenge.
fn append(lane: &LaneKeys, cell: &[u8]) -> Option<Body> {
    let writer = lane.writer.as_ref()?;
    let signature = Statement::Append(&lane.id, &hash(cell)).sign(writer);
    Some(Body::Append(Append {
        lane: Bytes::copy_from_slice(&lane.id),
        cell: Bytes::copy_from_slice(cell),
        signature: Bytes::copy_from_slice(&signature),
    }))
}

fn standing_frame(body: Body) -> Option<Bytes> {
    let frame = Frame {
        request: 1,
        body: Some(body),
    };
    frame::encode(&frame).ok()
}

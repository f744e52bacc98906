//! Cells of values and blobs that are not complete yet, in memory. They are lost with the process, and whoever sent them
//! sends them again: nothing was promised.

use crate::refusal::Refusal;
use bytes::Bytes;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use ume_wire::{
    auth::{Hash, LaneId},
    relay::{Done, frame::Body},
};

/// Nobody waits for the rest of something longer than this.
const IDLE: Duration = Duration::from_mins(1);
/// The part of all room that one sender may take.
const SHARE: usize = 8;

/// Who sends: a connection, or whoever sends by `POST`. One sender's cells never meet another's: they carry no signature
/// each, and a wrong one would spoil the whole.
pub(crate) type Sender = u64;

/// What the cells are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Thing {
    /// A value: lane, slot, hash of the vote with its signature.
    Value(LaneId, u64, Hash),
    /// A blob: id and number of cells.
    Blob(Hash, u32),
}

/// What the cells belong to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Whole {
    pub(crate) sender: Sender,
    pub(crate) thing: Thing,
}

/// What one more cell leads to.
#[derive(Debug, PartialEq)]
pub(crate) enum Staged {
    /// There are cells missing.
    More,
    /// These are all, in order.
    Complete(Vec<Bytes>),
}

#[derive(Debug)]
struct Parts {
    cells: Vec<Option<Bytes>>,
    have: usize,
    touched: Instant,
}

/// All that is incomplete.
#[derive(Debug)]
pub(crate) struct Stage {
    wholes: HashMap<Whole, Parts>,
    /// Cells that the wholes have room for: what they can grow to without being asked again.
    reserved: usize,
    reserved_max: usize,
}

impl Stage {
    /// An empty one for wholes of at most so many cells together.
    pub(crate) fn new(reserved_max: usize) -> Self {
        Self {
            wholes: HashMap::new(),
            reserved: 0,
            reserved_max,
        }
    }

    /// Whether some cells of it are there.
    pub(crate) fn knows(&self, whole: &Whole) -> bool {
        self.wholes.contains_key(whole)
    }

    /// Takes a cell. `index` is below `total`, and `total` is the same for every cell of a whole.
    pub(crate) fn put(
        &mut self,
        whole: &Whole,
        total: usize,
        index: usize,
        cell: &[u8],
        now: Instant,
    ) -> Result<Staged, Refusal> {
        if !self.wholes.contains_key(whole) {
            self.make_room(whole.sender, total, now)?;
            self.reserved += total;
        }
        let parts = self.wholes.entry(whole.clone()).or_insert_with(|| Parts {
            cells: vec![None; total],
            have: 0,
            touched: now,
        });
        parts.touched = now;
        let place = parts.cells.get_mut(index).ok_or(Refusal::MALFORMED)?;
        // A copy, because the cell that came is a window into a larger buffer of its connection.
        if place.replace(Bytes::copy_from_slice(cell)).is_none() {
            parts.have += 1;
        }
        if parts.have < total {
            return Ok(Staged::More);
        }
        Ok(Staged::Complete(
            self.remove(whole).into_iter().flatten().collect(),
        ))
    }

    /// Forgets what nobody goes on with.
    pub(crate) fn sweep(&mut self, now: Instant) {
        let wholes = self.wholes.iter();
        let idle = wholes.filter(|(_, parts)| now.saturating_duration_since(parts.touched) > IDLE);
        for whole in idle.map(|(whole, _)| whole.clone()).collect::<Vec<_>>() {
            self.remove(&whole);
        }
    }

    fn remove(&mut self, whole: &Whole) -> Vec<Option<Bytes>> {
        let cells = self
            .wholes
            .remove(whole)
            .map(|parts| parts.cells)
            .unwrap_or_default();
        self.reserved -= cells.len();
        cells
    }

    fn make_room(&mut self, sender: Sender, total: usize, now: Instant) -> Result<(), Refusal> {
        if total > self.reserved_max {
            return Err(Refusal::LIMIT);
        }
        let share = (self.reserved_max / SHARE).max(total);
        while self.reserved_by(sender) + total > share {
            self.remove_oldest(|whole| whole.sender == sender)?;
        }
        if self.reserved + total > self.reserved_max {
            self.sweep(now);
        }
        while self.reserved + total > self.reserved_max {
            self.remove_oldest(|_| true)?;
        }
        Ok(())
    }

    fn reserved_by(&self, sender: Sender) -> usize {
        let own = self
            .wholes
            .iter()
            .filter(|(whole, _)| whole.sender == sender);
        own.map(|(_, parts)| parts.cells.len()).sum()
    }

    /// Whoever was idle for longest gives way: an upload that goes on is touched all the time.
    fn remove_oldest(&mut self, is_candidate: impl Fn(&Whole) -> bool) -> Result<(), Refusal> {
        let candidates = self.wholes.iter().filter(|(whole, _)| is_candidate(whole));
        let oldest = candidates.min_by_key(|(_, parts)| parts.touched);
        let whole = oldest
            .map(|(whole, _)| whole.clone())
            .ok_or(Refusal::LIMIT)?;
        self.remove(&whole);
        Ok(())
    }
}

/// The answer to a cell of a blob that lacks others.
pub(crate) fn unfinished() -> Body {
    Body::Done(Done {
        unfinished: true,
        ..Done::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(sender: Sender, n: u8, cells: u32) -> Whole {
        let thing = Thing::Blob([n; 32], cells);
        Whole { sender, thing }
    }

    #[test]
    fn cells_come_in_any_order_and_twice() {
        let (mut stage, now) = (Stage::new(10), Instant::now());
        let whole = blob(1, 1, 3);
        assert_eq!(stage.put(&whole, 3, 2, b"c", now), Ok(Staged::More));
        assert_eq!(stage.put(&whole, 3, 0, b"x", now), Ok(Staged::More));
        assert_eq!(stage.put(&whole, 3, 0, b"a", now), Ok(Staged::More));
        // Somebody else's cell changes nothing.
        let other = blob(2, 1, 3);
        assert_eq!(stage.put(&other, 3, 1, b"?", now), Ok(Staged::More));
        assert!(stage.knows(&whole));
        let complete = stage.put(&whole, 3, 1, b"b", now).unwrap();
        assert_eq!(
            complete,
            Staged::Complete(vec!["a".into(), "b".into(), "c".into()])
        );
        assert!(!stage.knows(&whole) && stage.knows(&other));
        assert_eq!(stage.reserved, 3);
    }

    #[test]
    fn memory_is_bounded_and_the_idle_give_way() {
        let (mut stage, now) = (Stage::new(10), Instant::now());
        for n in 0..5u8 {
            let later = now + Duration::from_millis(n.into());
            assert_eq!(
                stage.put(&blob(n.into(), n, 4), 4, 0, b"", later),
                Ok(Staged::More)
            );
        }
        assert_eq!(stage.reserved, 8);
        assert!(!stage.knows(&blob(2, 2, 4)));
        assert!(stage.knows(&blob(4, 4, 4)));
        assert_eq!(
            stage.put(&blob(9, 9, 11), 11, 0, b"", now),
            Err(Refusal::LIMIT)
        );
        stage.sweep(now + Duration::from_mins(2));
        assert_eq!(stage.reserved, 0);
    }

    #[test]
    fn one_sender_pushes_out_its_own_first() {
        let (mut stage, now) = (Stage::new(80), Instant::now());
        assert_eq!(stage.put(&blob(1, 0, 4), 4, 0, b"", now), Ok(Staged::More));
        for n in 1..100 {
            let later = now + Duration::from_millis(n.into());
            assert_eq!(
                stage.put(&blob(2, n, 4), 4, 0, b"", later),
                Ok(Staged::More)
            );
        }
        assert!(stage.knows(&blob(1, 0, 4)));
        assert_eq!(stage.reserved_by(2), 8);
    }
}

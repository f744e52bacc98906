//! Cells of values and blobs that are not complete yet, in memory. They are lost with the process, and whoever sent them
//! sends them again: nothing was promised.

use crate::refusal::Refusal;
use bytes::Bytes;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use ume_wire::auth::{Hash, LaneId};

/// Nobody waits for the rest of something longer than this.
const IDLE: Duration = Duration::from_mins(1);

/// What the cells belong to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Whole {
    /// A value: lane, slot, hash of the vote with its signature.
    Value(LaneId, u64, Hash),
    /// A blob: id and number of cells.
    Blob(Hash, u32),
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
            self.make_room(total, now)?;
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

    fn make_room(&mut self, total: usize, now: Instant) -> Result<(), Refusal> {
        if total > self.reserved_max {
            return Err(Refusal::LIMIT);
        }
        if self.reserved + total > self.reserved_max {
            self.sweep(now);
        }
        while self.reserved + total > self.reserved_max {
            // Whoever was idle for longest gives way: an upload that goes on is touched all the time.
            let oldest = self.wholes.iter().min_by_key(|(_, parts)| parts.touched);
            let Some(whole) = oldest.map(|(whole, _)| whole.clone()) else {
                return Err(Refusal::LIMIT);
            };
            self.remove(&whole);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_come_in_any_order_and_twice() {
        let (mut stage, now) = (Stage::new(10), Instant::now());
        let whole = Whole::Blob([1; 32], 3);
        assert_eq!(stage.put(&whole, 3, 2, b"c", now), Ok(Staged::More));
        assert_eq!(stage.put(&whole, 3, 0, b"x", now), Ok(Staged::More));
        assert_eq!(stage.put(&whole, 3, 0, b"a", now), Ok(Staged::More));
        assert!(stage.knows(&whole));
        let complete = stage.put(&whole, 3, 1, b"b", now).unwrap();
        assert_eq!(
            complete,
            Staged::Complete(vec!["a".into(), "b".into(), "c".into()])
        );
        assert!(!stage.knows(&whole));
        assert_eq!(stage.reserved, 0);
    }

    #[test]
    fn memory_is_bounded_and_the_idle_give_way() {
        let (mut stage, now) = (Stage::new(10), Instant::now());
        for n in 0..5u8 {
            let later = now + Duration::from_millis(n.into());
            assert_eq!(
                stage.put(&Whole::Blob([n; 32], 4), 4, 0, b"", later),
                Ok(Staged::More)
            );
        }
        assert_eq!(stage.reserved, 8);
        assert!(!stage.knows(&Whole::Blob([2; 32], 4)));
        assert!(stage.knows(&Whole::Blob([4; 32], 4)));
        assert_eq!(
            stage.put(&Whole::Blob([9; 32], 11), 11, 0, b"", now),
            Err(Refusal::LIMIT)
        );
        stage.sweep(now + Duration::from_mins(2));
        assert_eq!(stage.reserved, 0);
    }
}

//! Lanes that were asked for lately, so that not every request reads them from disk.

use super::super::Lane;
use parking_lot::Mutex;
use std::{collections::HashMap, mem, sync::Arc};
use ume_wire::auth::LaneId;

/// Lanes in one of the two halves.
const HALF: usize = 4096;

/// A bounded cache: two generations, of which the older one is dropped when the younger one is full.
#[derive(Debug, Default)]
pub(super) struct LaneCache(Mutex<Halves>);

#[derive(Debug, Default)]
struct Halves {
    young: HashMap<LaneId, Arc<Lane>>,
    old: HashMap<LaneId, Arc<Lane>>,
    /// Counts changes: what was read before one may not be put in after it.
    changes: u64,
}

/// The state of the cache at which something was looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen(u64);

impl LaneCache {
    /// The lane, or what to hand in with it once it is read.
    pub(super) fn get(&self, id: &LaneId) -> Result<Arc<Lane>, Seen> {
        let mut halves = self.0.lock();
        if let Some(lane) = halves.young.get(id) {
            return Ok(lane.clone());
        }
        match halves.old.remove(id) {
            Some(lane) => {
                halves.put(*id, lane.clone());
                Ok(lane)
            }
            None => Err(Seen(halves.changes)),
        }
    }

    /// Puts in what was read, unless something has changed since.
    pub(super) fn put(&self, id: LaneId, lane: &Arc<Lane>, seen: Seen) {
        let mut halves = self.0.lock();
        if halves.changes == seen.0 {
            halves.put(id, lane.clone());
        }
    }

    /// Forgets lanes that have just changed on disk.
    pub(super) fn forget<'a>(&self, ids: impl IntoIterator<Item = &'a LaneId>) {
        let mut halves = self.0.lock();
        halves.changes += 1;
        for id in ids {
            halves.young.remove(id);
            halves.old.remove(id);
        }
    }

    /// Forgets all.
    pub(super) fn clear(&self) {
        let mut halves = self.0.lock();
        *halves = Halves {
            changes: halves.changes + 1,
            ..Halves::default()
        };
    }
}

impl Halves {
    fn put(&mut self, id: LaneId, lane: Arc<Lane>) {
        if self.young.len() >= HALF {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(id, lane);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ume_wire::relay::LaneNew;

    fn lane(serial: u64) -> Arc<Lane> {
        Arc::new(Lane {
            new: LaneNew::default(),
            serial,
            account: None,
        })
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept() {
        let cache = LaneCache::default();
        let seen = cache.get(&[1; 32]).unwrap_err();
        cache.put([1; 32], &lane(1), seen);
        assert_eq!(cache.get(&[1; 32]).unwrap().serial, 1);
        let seen = cache.get(&[2; 32]).unwrap_err();
        cache.forget(&[[1; 32]]);
        cache.put([2; 32], &lane(2), seen);
        assert!(cache.get(&[1; 32]).is_err() && cache.get(&[2; 32]).is_err());
    }

    #[test]
    fn it_is_bounded_and_keeps_what_is_used() {
        let cache = LaneCache::default();
        for n in 0..10 * HALF as u64 {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&n.to_le_bytes());
            let seen = cache.get(&id).unwrap_err();
            cache.put(id, &lane(n), seen);
            if n > 0 {
                assert_eq!(cache.get(&[0; 32]).unwrap().serial, 0);
            }
        }
        let halves = cache.0.lock();
        assert!(halves.young.len() <= HALF && halves.old.len() <= HALF);
    }
}

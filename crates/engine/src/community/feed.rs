//! The entries of one community that are here, in the order in which they are shown, and what is known to be missing.

use crate::entry::{Entry, PARENTS_MAX};
use std::collections::{BTreeMap, BTreeSet};
use ume_api::EntryId;
use ume_wire::auth::Hash;

/// An entry and how far it is.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) entry: Entry,
    /// Written here and not yet at a relay.
    pub(crate) waiting: bool,
    /// Written by this device.
    pub(crate) own: bool,
}

/// What is known of one device's entries.
#[derive(Debug, Default)]
struct Line {
    by_seq: BTreeMap<u64, EntryId>,
}

/// All entries of a community on this device.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    order: BTreeSet<(u64, EntryId)>,
    entries: BTreeMap<EntryId, Kept>,
    lines: BTreeMap<Hash, Line>,
    latest_ms: u64,
    /// Absent entries that one of the same device names as the one before it, with that one's device and number.
    absent_previous: BTreeMap<EntryId, (Hash, u64)>,
    /// Absent entries that somebody had seen.
    absent_parents: BTreeSet<EntryId>,
}

impl Feed {
    /// Adds an entry; `false` if it was here already.
    pub(crate) fn add(&mut self, kept: Kept) -> bool {
        let entry = &kept.entry;
        if self.entries.contains_key(&entry.id) {
            return false;
        }
        self.order.insert((entry.time_ms, entry.id));
        self.lines
            .entry(entry.leaf)
            .or_default()
            .by_seq
            .insert(entry.seq, entry.id);
        self.latest_ms = self.latest_ms.max(entry.time_ms);
        self.absent_previous.remove(&entry.id);
        self.absent_parents.remove(&entry.id);
        for id in entry
            .previous
            .iter()
            .filter(|id| !self.entries.contains_key(id))
        {
            self.absent_previous.insert(*id, (entry.leaf, entry.seq));
        }
        for id in entry
            .parents
            .iter()
            .filter(|id| !self.entries.contains_key(id))
        {
            self.absent_parents.insert(*id);
        }
        self.entries.insert(entry.id, kept);
        true
    }

    pub(crate) fn get(&self, id: &EntryId) -> Option<&Kept> {
        self.entries.get(id)
    }

    /// Marks an own entry as taken by a relay; `false` if it was.
    pub(crate) fn sent(&mut self, id: &EntryId) -> bool {
        self.entries
            .get_mut(id)
            .is_some_and(|kept| std::mem::take(&mut kept.waiting))
    }

    /// Time of the newest entry.
    pub(crate) fn latest_ms(&self) -> u64 {
        self.latest_ms
    }

    /// The last entry of a device: its number and id.
    pub(crate) fn last_of(&self, leaf: &Hash) -> Option<(u64, EntryId)> {
        self.lines
            .get(leaf)?
            .by_seq
            .last_key_value()
            .map(|(seq, id)| (*seq, *id))
    }

    /// The newest entries of devices other than this one.
    pub(crate) fn tips(&self, own: &Hash) -> Vec<EntryId> {
        let mut tips: Vec<_> = self
            .lines
            .iter()
            .filter(|(leaf, _)| *leaf != own)
            .filter_map(|(_, line)| line.by_seq.last_key_value())
            .filter_map(|(_, id)| self.entries.get(id).map(|kept| (kept.entry.time_ms, *id)))
            .collect();
        tips.sort_unstable_by(|a, b| b.cmp(a));
        tips.truncate(PARENTS_MAX);
        tips.into_iter().map(|(_, id)| id).collect()
    }

    /// The newest entries, or those before one; oldest first. The second part says whether there are still older ones.
    pub(crate) fn page(&self, before: Option<&EntryId>, count: usize) -> (Vec<&Kept>, bool) {
        let end = before
            .and_then(|id| self.entries.get(id))
            .map(|kept| (kept.entry.time_ms, kept.entry.id));
        let mut older = match end {
            Some(end) => self.order.range(..end),
            None => self.order.range(..),
        };
        let mut page: Vec<_> = older
            .by_ref()
            .rev()
            .take(count)
            .filter_map(|(_, id)| self.entries.get(id))
            .collect();
        page.reverse();
        (page, older.next().is_some())
    }

    /// How many entries must exist, because a later one of the same device or somebody's parent says so, and are not
    /// here. For a member whose view begins at `from_ms`, what the first entries of the window point to is not counted.
    pub(crate) fn missing(&self, from_ms: u64) -> usize {
        if from_ms == 0 {
            let parents = self
                .absent_parents
                .iter()
                .filter(|id| !self.absent_previous.contains_key(id));
            return self.absent_previous.len() + parents.count();
        }
        let inside = |(leaf, seq): &&(Hash, u64)| {
            let first = self
                .lines
                .get(leaf)
                .and_then(|line| line.by_seq.first_key_value());
            first.is_some_and(|(first, _)| first < seq)
        };
        self.absent_previous.values().filter(inside).count()
    }

    /// All entries, in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Kept> {
        self.order.iter().filter_map(|(_, id)| self.entries.get(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(leaf: u8, seq: u64, time_ms: u64, previous: Option<EntryId>) -> Kept {
        let mut id = [leaf; 32];
        id[0] = u8::try_from(seq).unwrap();
        let entry = Entry {
            id: EntryId(id),
            community: [0; 32],
            author: [leaf; 32],
            leaf: [leaf; 32],
            seq,
            previous,
            parents: vec![],
            time_ms,
            text: String::new(),
            signed: crate::proto::Signed::default(),
        };
        Kept {
            entry,
            waiting: false,
            own: false,
        }
    }

    #[test]
    fn pages_go_back_in_order() {
        let mut feed = Feed::default();
        for seq in [3, 1, 2, 5, 4] {
            assert!(feed.add(entry(1, seq, seq * 10, None)));
        }
        assert!(!feed.add(entry(1, 3, 30, None)));
        let seqs = |page: Vec<&Kept>| page.iter().map(|kept| kept.entry.seq).collect::<Vec<_>>();
        let (page, older) = feed.page(None, 2);
        let first = page[0].entry.id;
        assert_eq!((seqs(page), older), (vec![4, 5], true));
        let (page, older) = feed.page(Some(&first), 3);
        assert_eq!((seqs(page), older), (vec![1, 2, 3], false));
    }

    #[test]
    fn a_hole_shows_until_it_is_filled() {
        let mut feed = Feed::default();
        let (one, two, three) = (
            entry(1, 1, 1, None),
            entry(1, 2, 2, None),
            entry(1, 3, 3, None),
        );
        let chained = |mut kept: Kept, previous: &Kept| {
            kept.entry.previous = Some(previous.entry.id);
            kept
        };
        let two = chained(two, &one);
        let three = chained(three, &two);
        feed.add(three);
        assert_eq!(
            feed.missing(0),
            1,
            "a member from the start should have them all"
        );
        assert_eq!(
            feed.missing(1),
            0,
            "for a newcomer this is where the window begins"
        );
        feed.add(one);
        assert_eq!(feed.missing(1), 1);
        feed.add(two);
        assert_eq!(feed.missing(1), 0);
    }
}

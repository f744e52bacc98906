//! The entries of one community that are here, in the order in which they are shown, and what is known to be missing.

use crate::entry::{Entry, Kind, PARENTS_MAX};
use crate::search::Index;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use ume_api::EntryId;
use ume_wire::auth::Hash;

/// Entries that do not stand and are remembered, at most.
const NEVER_MAX: usize = 65_536;
/// What it takes to look at an entry, as bytes of text that take as long to be put into the index.
const ENTRY_COST: usize = 64;

/// An entry and how far it is.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) entry: Entry,
    /// Written here and not yet at a relay.
    pub(crate) waiting: bool,
    /// Written by this device.
    pub(crate) own: bool,
    /// Written here and not taken: it stands nowhere else.
    pub(crate) refused: bool,
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
    /// Entries that do not stand: nobody misses them.
    never: BTreeSet<EntryId>,
    /// Edits and unpublishings, by the post that they are about, in the order of their times.
    about: BTreeMap<EntryId, BTreeSet<(u64, EntryId)>>,
    /// Comments, by the post in whose thread they stand, in the order of their times.
    threads: BTreeMap<EntryId, BTreeSet<(u64, EntryId)>>,
    /// Pictures of people, in the order of their times.
    portraits: BTreeMap<Hash, BTreeSet<(u64, EntryId)>>,
    /// Entries whose text is not here and was not taken away.
    bare: BTreeSet<EntryId>,
    /// Posts that last for a time and have their texts, by when they end.
    ending: BTreeSet<(u64, EntryId)>,
    /// What is known of the chains that end in the last entries of cut devices.
    chains: BTreeMap<EntryId, BTreeMap<u64, EntryId>>,
    /// The words of all texts, once somebody looked for some.
    index: Index,
}

impl Feed {
    /// Adds an entry; `false` if it was here already.
    pub(crate) fn add(&mut self, kept: Kept) -> bool {
        let entry = &kept.entry;
        if self.entries.contains_key(&entry.id) {
            return false;
        }
        self.order.insert((entry.time_ms, entry.id));
        self.index.put(entry);
        self.ending.extend(end_of(entry));
        if let (Some(post), false) = (entry.kind.target(), kept.refused) {
            let about = self.about.entry(post).or_default();
            about.insert((entry.time_ms, entry.id));
        }
        if let Kind::Comment(post) = entry.kind {
            let thread = self.threads.entry(post).or_default();
            thread.insert((entry.time_ms, entry.id));
        }
        if entry.kind == Kind::Portrait && !kept.refused {
            let portraits = self.portraits.entry(entry.author).or_default();
            portraits.insert((entry.time_ms, entry.id));
        }
        if kept.refused {
            self.entries.insert(entry.id, kept);
            return true;
        }
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
            .filter(|id| !self.entries.contains_key(id) && !self.never.contains(id))
        {
            self.absent_previous.insert(*id, (entry.leaf, entry.seq));
        }
        for id in entry
            .parents
            .iter()
            .filter(|id| !self.entries.contains_key(id) && !self.never.contains(id))
        {
            self.absent_parents.insert(*id);
        }
        self.entries.insert(entry.id, kept);
        true
    }

    /// Takes an entry out again.
    pub(crate) fn remove(&mut self, id: &EntryId) -> Option<Kept> {
        let kept = self.entries.remove(id)?;
        let entry = &kept.entry;
        self.order.remove(&(entry.time_ms, entry.id));
        self.index.take(entry);
        self.ending.retain(|(_, one)| one != id);
        self.bare.remove(id);
        if let Kind::Comment(post) = entry.kind
            && let Some(thread) = self.threads.get_mut(&post)
        {
            thread.remove(&(entry.time_ms, entry.id));
        }
        if let Some(portraits) = self.portraits.get_mut(&entry.author) {
            portraits.remove(&(entry.time_ms, entry.id));
        }
        if let Some(about) = entry
            .kind
            .target()
            .and_then(|post| self.about.get_mut(&post))
        {
            about.remove(&(entry.time_ms, entry.id));
        }
        if let Some(line) = self.lines.get_mut(&entry.leaf)
            && line.by_seq.get(&entry.seq) == Some(id)
        {
            line.by_seq.remove(&entry.seq);
        }
        Some(kept)
    }

    /// This entry does not stand, whoever points to it.
    pub(crate) fn never(&mut self, id: EntryId) {
        self.absent_previous.remove(&id);
        self.absent_parents.remove(&id);
        if self.never.len() < NEVER_MAX {
            self.never.insert(id);
        }
    }

    /// A device's last entry by the ledger: if it is not here, it is missing.
    pub(crate) fn expect(&mut self, leaf: &Hash, (seq, id): (u64, EntryId)) {
        if !self.entries.contains_key(&id) {
            self.absent_previous
                .insert(id, (*leaf, seq.saturating_add(1)));
        }
    }

    /// The entry with a lower number in the chain that ends in an entry, as far as the chain is here.
    pub(crate) fn ancestor(&mut self, from: (u64, EntryId), seq: u64) -> Option<EntryId> {
        let chain = self.chains.entry(from.1).or_default();
        chain.entry(from.0).or_insert(from.1);
        while let Some((lowest, id)) = chain.first_key_value()
            && *lowest > seq
        {
            let previous = self.entries.get(id)?.entry.previous?;
            let below = lowest.checked_sub(1)?;
            chain.insert(below, previous);
        }
        chain.get(&seq).copied()
    }

    /// What was said about a post, oldest first.
    pub(crate) fn about(&self, post: &EntryId) -> impl Iterator<Item = &Entry> {
        let about = self.about.get(post).into_iter().flatten();
        about.filter_map(|(_, id)| self.entries.get(id).map(|kept| &kept.entry))
    }

    /// What stands in the thread of a post, oldest first.
    pub(crate) fn thread(&self, post: &EntryId) -> impl DoubleEndedIterator<Item = &Kept> {
        let thread = self.threads.get(post).into_iter().flatten();
        let kept = thread.filter_map(|(_, id)| self.entries.get(id));
        kept.filter(|kept| self.is_shown(kept))
    }

    /// The newest picture of a person.
    pub(crate) fn portrait(&self, person: &Hash) -> Option<&Entry> {
        let (_, id) = self.portraits.get(person)?.last()?;
        self.entries.get(id).map(|kept| &kept.entry)
    }

    /// How many pictures of people there are.
    pub(crate) fn portraits(&self) -> usize {
        self.portraits.values().map(BTreeSet::len).sum()
    }

    /// Whether an entry is in the chain of its device that ends in another.
    pub(crate) fn leads_to(&self, entry: &Entry, (seq, last): (u64, EntryId)) -> bool {
        let mut at = Some(last);
        for _ in entry.seq..seq {
            at = at
                .and_then(|id| self.entries.get(&id))
                .and_then(|kept| kept.entry.previous);
        }
        entry.seq <= seq && at == Some(entry.id)
    }

    /// Gives an entry its text, or takes it away for good.
    pub(crate) fn put_text(&mut self, entry: Entry, gone: bool) {
        self.note_bare(&entry, gone);
        self.ending.retain(|(_, id)| *id != entry.id);
        self.ending.extend(end_of(&entry));
        if let Some(kept) = self.entries.get_mut(&entry.id) {
            self.index.take(&kept.entry);
            self.index.put(&entry);
            kept.entry = entry;
        }
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// Puts older entries into the index, as many as have so many bytes of text; `false` when it had them all before.
    pub(crate) fn index_some(&mut self, bytes: &mut usize) -> bool {
        let Some(from) = self.index.lacks() else {
            return false;
        };
        for (_, id) in self.order.range(..from).rev() {
            if *bytes == 0 {
                return true;
            }
            if let Some(kept) = self.entries.get(id) {
                // Also what has no text takes time.
                let cost = kept.entry.text.as_ref().map_or(0, String::len) + ENTRY_COST;
                *bytes = bytes.saturating_sub(cost);
                self.index.go_back(&kept.entry);
            }
        }
        self.index.complete();
        true
    }

    /// Notes whether a text is missing.
    pub(crate) fn note_bare(&mut self, entry: &Entry, gone: bool) {
        if entry.is_bare() && !entry.has_ended() && !gone {
            self.bare.insert(entry.id);
        } else {
            self.bare.remove(&entry.id);
        }
    }

    /// All entries of a device that count.
    pub(crate) fn of_leaf(&self, leaf: &Hash) -> impl Iterator<Item = &Entry> {
        let all = self.entries.values().filter(|kept| !kept.refused);
        all.map(|kept| &kept.entry)
            .filter(move |entry| entry.leaf == *leaf)
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

    /// The last entry of a device before which none waits to leave.
    pub(crate) fn last_sent_of(&self, leaf: &Hash) -> Option<(u64, EntryId)> {
        let line = self.lines.get(leaf)?.by_seq.iter();
        let waits = |id: &EntryId| self.entries.get(id).is_some_and(|kept| kept.waiting);
        let sent = line.take_while(|(_, id)| !waits(id)).last();
        sent.map(|(seq, id)| (*seq, *id))
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

    /// The newest posts, or comments of a post, or those before one; oldest first. The second part says whether there are
    /// still older ones.
    pub(crate) fn page(
        &self,
        thread: Option<&EntryId>,
        before: Option<&EntryId>,
        count: usize,
    ) -> (Vec<&Kept>, bool) {
        let end = before
            .and_then(|id| self.entries.get(id))
            .map(|kept| (kept.entry.time_ms, kept.entry.id));
        let none = BTreeSet::new();
        let all = thread.map_or(&self.order, |post| self.threads.get(post).unwrap_or(&none));
        let older = match end {
            Some(end) => all.range(..end),
            None => all.range(..),
        };
        let shown = |id: &EntryId| {
            let kept = self.entries.get(id).filter(|kept| self.is_shown(kept))?;
            (thread.is_some() || kept.entry.kind == Kind::Post).then_some(kept)
        };
        let mut posts = older.rev().filter_map(|(_, id)| shown(id));
        let mut page: Vec<_> = posts.by_ref().take(count).collect();
        page.reverse();
        let more = posts.next().is_some();
        (page, more)
    }

    /// Whether an entry has a place in the feed or in a thread.
    pub(crate) fn is_shown(&self, kept: &Kept) -> bool {
        let has_text = !self.bare.contains(&kept.entry.id) && !kept.entry.has_ended();
        kept.entry.kind.is_writing() && has_text
    }

    /// How many entries are missing.
    #[cfg(test)]
    pub(crate) fn missing(&self, from_ms: u64) -> usize {
        self.gaps(from_ms).len()
    }

    /// Entries that must exist, because a later one of the same device or somebody's parent says so, and are not here, or
    /// not whole. For a member whose view begins at `from_ms`, what the first entries of the window point to does not
    /// count.
    pub(crate) fn gaps(&self, from_ms: u64) -> BTreeSet<EntryId> {
        let bare = self.bare.iter();
        if from_ms == 0 {
            let absent = self.absent_previous.keys().chain(&self.absent_parents);
            return absent.chain(bare).copied().collect();
        }
        let inside = |(leaf, seq): &(Hash, u64)| {
            let first = self
                .lines
                .get(leaf)
                .and_then(|line| line.by_seq.first_key_value());
            first.is_some_and(|(first, _)| first < seq)
        };
        let absent = self.absent_previous.iter();
        let absent = absent.filter(|(_, place)| inside(place)).map(|(id, _)| id);
        absent.chain(bare).copied().collect()
    }

    /// A post whose time is over by this clock and that still has its text.
    pub(crate) fn over(&self, time_ms: u64) -> Option<EntryId> {
        let (at, id) = self.ending.first()?;
        (*at <= time_ms).then_some(*id)
    }

    /// When the next post ends.
    pub(crate) fn next_end(&self) -> Option<u64> {
        self.ending.first().map(|(at, _)| *at)
    }

    /// All entries after one, in order.
    pub(crate) fn after(&self, stamp: (u64, EntryId)) -> impl Iterator<Item = &Kept> {
        let later = self.order.range((Bound::Excluded(stamp), Bound::Unbounded));
        later.filter_map(|(_, id)| self.entries.get(id))
    }

    /// All entries, in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Kept> {
        self.order.iter().filter_map(|(_, id)| self.entries.get(id))
    }
}

fn end_of(entry: &Entry) -> Option<(u64, EntryId)> {
    let at = entry.expires_ms.filter(|_| !entry.is_bare())?;
    Some((at, entry.id))
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
            kind: Kind::Post,
            author: [leaf; 32],
            leaf: [leaf; 32],
            seq,
            previous,
            parents: vec![],
            time_ms,
            expires_ms: None,
            text: Some(String::new()),
            picture: None,
            files: vec![],
            ledger: 1,
            written: crate::proto::Written::default(),
        };
        Kept {
            entry,
            waiting: false,
            own: false,
            refused: false,
        }
    }

    #[test]
    fn what_waits_and_what_comes_after_it_is_not_named_as_sent() {
        let mut feed = Feed::default();
        for seq in 1..=4 {
            let one = entry(1, seq, seq * 10, None);
            let waiting = seq == 3;
            assert!(feed.add(Kept { waiting, ..one }));
        }
        assert_eq!(feed.last_of(&[1; 32]).map(|(seq, _)| seq), Some(4));
        assert_eq!(feed.last_sent_of(&[1; 32]).map(|(seq, _)| seq), Some(2));
        let third = feed.lines[&[1; 32]].by_seq[&3];
        assert!(feed.sent(&third));
        assert_eq!(feed.last_sent_of(&[1; 32]).map(|(seq, _)| seq), Some(4));
    }

    #[test]
    fn pages_go_back_in_order() {
        let mut feed = Feed::default();
        for seq in [3, 1, 2, 5, 4] {
            assert!(feed.add(entry(1, seq, seq * 10, None)));
        }
        assert!(!feed.add(entry(1, 3, 30, None)));
        let seqs = |page: Vec<&Kept>| page.iter().map(|kept| kept.entry.seq).collect::<Vec<_>>();
        let (page, older) = feed.page(None, None, 2);
        let first = page[0].entry.id;
        assert_eq!((seqs(page), older), (vec![4, 5], true));
        let (page, older) = feed.page(None, Some(&first), 3);
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

//! What this person keeps to themselves: how far they have read, what they are writing, and whether they want to hear of
//! what is new. It stays on this device.
//!
//! How far somebody has read is a mark in the order of the feed: what others wrote after it is unread, until they saw it or
//! something later. What arrives late, with a time before the mark, is unread all the same. Threads have marks of their own,
//! and count where this person has a part in them.

use super::{Community, Ctx, Kept};
use crate::entry::{Entry, Kind};
use crate::io::Table;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use ume_api::{EntryId, Failure, Place, TEXT_BYTES_MAX, Unread};

const READ: &[u8] = b"read";
/// Drafts begin so; the place follows.
const DRAFT: &[u8] = b"draft";
/// Threads with a mark of their own, at most. The oldest marks become that of all threads.
const THREADS_MAX: usize = 512;
/// Late arrivals that are remembered as unread, at most.
const LATE_MAX: usize = 512;
/// Places with a draft, at most.
const DRAFTS_MAX: usize = 512;
/// Longest draft, bytes: more than can be sent, since one shortens what is too long.
const DRAFT_BYTES_MAX: usize = 4 * TEXT_BYTES_MAX;

/// A place in the order of the feed.
type Stamp = (u64, EntryId);

/// After everything of that time.
const fn end_of(time_ms: u64) -> Stamp {
    (time_ms, EntryId([0xff; 32]))
}

/// How far this person has read.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Marks {
    /// What was written until then was never unread here.
    from_ms: u64,
    feed: Stamp,
    /// In threads without a mark of their own.
    floor: Stamp,
    threads: BTreeMap<EntryId, Stamp>,
    /// Arrived after the mark had passed them.
    late: BTreeSet<EntryId>,
    muted: bool,
}

impl Marks {
    fn at(time_ms: u64) -> Self {
        Self {
            from_ms: time_ms,
            feed: end_of(time_ms),
            floor: end_of(time_ms),
            threads: BTreeMap::new(),
            late: BTreeSet::new(),
            muted: false,
        }
    }

    fn of(&self, thread: Option<&EntryId>) -> Stamp {
        let Some(post) = thread else { return self.feed };
        let own = self.threads.get(post).copied();
        own.map_or(self.floor, |own| own.max(self.floor))
    }

    /// Moves a mark on, never back; whether it moved.
    fn reach(&mut self, thread: Option<&EntryId>, to: Stamp) -> bool {
        if to <= self.of(thread) {
            return false;
        }
        let Some(post) = thread else {
            self.feed = to;
            return true;
        };
        self.threads.insert(*post, to);
        while self.threads.len() > THREADS_MAX {
            let oldest = self.threads.values().min().copied();
            self.floor = oldest.map_or(self.floor, |oldest| oldest.max(self.floor));
            self.threads.retain(|_, mark| *mark > self.floor);
        }
        true
    }
}

/// See above.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// None: the community is new to this device.
    marks: Option<Marks>,
    unread: Unread,
    drafts: BTreeMap<Place, String>,
    changed: bool,
    recount: bool,
}

impl Desk {
    /// What is unread is to be counted anew: something that counted may not any more.
    pub(super) fn recount(&mut self) {
        self.recount = true;
    }

    pub(super) fn is_muted(&self) -> bool {
        self.marks.as_ref().is_some_and(|marks| marks.muted)
    }

    pub(super) fn unread(&self) -> Unread {
        self.unread
    }
}

impl Community {
    /// Takes back what was stored, once the entries are here.
    pub(super) fn load_desk(&mut self, rows: &BTreeMap<Vec<u8>, Vec<u8>>) {
        let marks = rows.get(READ).map(|row| postcard::from_bytes(row));
        if matches!(marks, Some(Err(_))) {
            self.damaged += 1;
        }
        let known = marks.and_then(Result::ok);
        self.desk.changed = known.is_none();
        self.desk.marks = Some(known.unwrap_or_else(|| Marks::at(self.feed.latest_ms())));
        for (key, row) in rows {
            let Some(place) = key.strip_prefix(DRAFT) else {
                continue;
            };
            match (postcard::from_bytes(place), postcard::from_bytes(row)) {
                (Ok(place), Ok(text)) => drop(self.desk.drafts.insert(place, text)),
                _ => self.damaged += 1,
            }
        }
        self.desk.unread = self.count_unread();
    }

    /// Writes what changed into the batch, and counts what is unread if that may be another number.
    pub(super) fn flush_desk(&mut self, ctx: &mut Ctx<'_>) {
        if self.desk.marks.is_none() {
            // Whoever comes in has nothing unread from before.
            self.desk.marks = Some(Marks::at(ctx.time.0));
            self.desk.changed = true;
        }
        if std::mem::take(&mut self.desk.recount) {
            self.desk.unread = self.count_unread();
        }
        if std::mem::take(&mut self.desk.changed)
            && let Some(marks) = &self.desk.marks
        {
            self.put_row(ctx, Table::Community, READ, marks);
        }
    }

    /// Erases all rows.
    pub(super) fn erase_desk(&mut self, ctx: &mut Ctx<'_>) {
        self.drop_drafts(ctx);
        self.erase_row(ctx, Table::Community, READ);
        self.desk = Desk::default();
    }

    /// Erases what was being written.
    pub(super) fn drop_drafts(&mut self, ctx: &mut Ctx<'_>) {
        let places: Vec<Place> = self.desk.drafts.keys().copied().collect();
        for place in places {
            self.drop_draft(ctx, place);
        }
    }

    /// How far this person has read in the feed, or in a thread.
    pub(crate) fn read_to(&self, thread: Option<&EntryId>) -> (u64, EntryId) {
        let marks = self.desk.marks.as_ref();
        marks.map_or(end_of(u64::MAX), |marks| marks.of(thread))
    }

    /// This person saw a post, or a comment, and what stands before it.
    pub(crate) fn saw(&mut self, id: &EntryId) -> Result<(), Failure> {
        let kept = self.feed.get(id).ok_or(Failure::NotHere)?;
        let (stamp, kind) = ((kept.entry.time_ms, *id), kept.entry.kind);
        let thread = match &kind {
            Kind::Post => None,
            Kind::Comment(post) => Some(post),
            _ => return Err(Failure::NotHere),
        };
        let feed = &self.feed;
        let seen = |one: &EntryId| {
            let one = feed.get(one).map(|kept| &kept.entry);
            one.is_none_or(|one| {
                let there = match (thread, &one.kind) {
                    (None, Kind::Post) => true,
                    (Some(post), Kind::Comment(of)) => post == of,
                    _ => false,
                };
                there && (one.time_ms, one.id) <= stamp
            })
        };
        if let Some(marks) = &mut self.desk.marks {
            let late = marks.late.len();
            marks.late.retain(|one| !seen(one));
            if marks.reach(thread, stamp) || marks.late.len() != late {
                self.desk.changed = true;
                self.desk.recount = true;
            }
        }
        Ok(())
    }

    /// This person wants to know of nothing that is here as unread.
    pub(crate) fn saw_all(&mut self) {
        let to = end_of(self.feed.latest_ms());
        if let Some(marks) = &mut self.desk.marks {
            marks.feed = marks.feed.max(to);
            marks.floor = marks.floor.max(to);
            marks.threads.clear();
            marks.late.clear();
            self.desk.changed = true;
            self.desk.recount = true;
        }
    }

    /// Whether this person wants to be told of what is unread.
    pub(crate) fn mute(&mut self, on: bool) {
        if let Some(marks) = &mut self.desk.marks {
            self.desk.changed |= marks.muted != on;
            marks.muted = on;
        }
    }

    /// Something has its place in the feed or in a thread from now on.
    pub(super) fn note_new(&mut self, id: &EntryId) {
        let Some(kept) = self.feed.get(id) else {
            return;
        };
        let (entry, wanted) = (&kept.entry, self.is_wanted(kept));
        let (stamp, kind) = ((entry.time_ms, *id), entry.kind);
        let own = entry.author == self.saved.persona;
        let Some(marks) = &mut self.desk.marks else {
            return;
        };
        match kind {
            // Who answers has read.
            Kind::Comment(post) if own => {
                self.desk.changed |= marks.reach(Some(&post), stamp);
                self.desk.recount = true;
            }
            Kind::Post | Kind::Comment(_) if wanted => {
                let thread = match &kind {
                    Kind::Comment(post) => Some(post),
                    _ => None,
                };
                if stamp <= marks.of(thread) && marks.late.len() < LATE_MAX {
                    self.desk.changed |= marks.late.insert(*id);
                }
                let unread = &mut self.desk.unread;
                let count = match thread {
                    None => &mut unread.posts,
                    Some(_) => &mut unread.comments,
                };
                *count = count.saturating_add(1);
            }
            _ => {}
        }
    }

    /// Whether something can be unread at all.
    fn is_wanted(&self, kept: &Kept) -> bool {
        let entry = &kept.entry;
        let from_ms = self.desk.marks.as_ref().map(|marks| marks.from_ms);
        let theirs = entry.author != self.saved.persona && !kept.refused;
        theirs
            && from_ms.is_some_and(|from_ms| entry.time_ms > from_ms)
            && self.feed.is_shown(kept)
            && match &entry.kind {
                Kind::Post => true,
                Kind::Comment(post) => self.has_part_in(post),
                _ => false,
            }
            && self.hides(entry).is_none()
            && self.unpublished(entry).is_none()
    }

    /// Whether a thread is of this person's: they wrote or own its post, or commented in it.
    fn has_part_in(&self, post: &EntryId) -> bool {
        let me = &self.saved.persona;
        let root = self.feed.get(post).map(|kept| &kept.entry);
        root.is_some_and(|root| {
            let owns = |root: &Entry| self.chain.ledger.post_owner(root) == *me;
            let takes_part = || self.feed.thread(post).any(|one| one.entry.author == *me);
            self.hides(root).is_none() && (root.author == *me || owns(root) || takes_part())
        })
    }

    fn count_unread(&self) -> Unread {
        let mut unread = Unread::default();
        let Some(marks) = &self.desk.marks else {
            return unread;
        };
        let first = marks.feed.min(marks.floor);
        let late = marks.late.iter().filter_map(|id| self.feed.get(id));
        let late = late.filter(|kept| (kept.entry.time_ms, kept.entry.id) <= first);
        for kept in self.feed.after(first).chain(late) {
            let entry = &kept.entry;
            let thread = match &entry.kind {
                Kind::Post => None,
                Kind::Comment(post) => Some(post),
                _ => continue,
            };
            let after = (entry.time_ms, entry.id) > marks.of(thread);
            if (after || marks.late.contains(&entry.id)) && self.is_wanted(kept) {
                match thread {
                    None => unread.posts = unread.posts.saturating_add(1),
                    Some(_) => unread.comments = unread.comments.saturating_add(1),
                }
            }
        }
        unread
    }

    /// Keeps what is being written somewhere; nothing: no longer.
    pub(crate) fn keep_draft(
        &mut self,
        ctx: &mut Ctx<'_>,
        place: Place,
        text: String,
    ) -> Result<(), Failure> {
        if text.is_empty() {
            self.drop_draft(ctx, place);
            return Ok(());
        }
        let drafts = &self.desk.drafts;
        let full = drafts.len() >= DRAFTS_MAX && !drafts.contains_key(&place);
        if full || text.len() > DRAFT_BYTES_MAX {
            return Err(Failure::BadText);
        }
        self.put_row(ctx, Table::Community, &draft_key(place), &text);
        self.desk.drafts.insert(place, text);
        Ok(())
    }

    /// It was sent, in the same batch, or given up.
    pub(crate) fn drop_draft(&mut self, ctx: &mut Ctx<'_>, place: Place) {
        if self.desk.drafts.remove(&place).is_some() {
            self.erase_row(ctx, Table::Community, &draft_key(place));
        }
    }

    /// What is being written somewhere.
    pub(crate) fn draft(&self, place: Place) -> String {
        self.desk.drafts.get(&place).cloned().unwrap_or_default()
    }

    /// Whether something is being written where this person can still come to.
    pub(super) fn has_drafts(&self) -> bool {
        let there = |id: &EntryId| {
            let kept = self.feed.get(id);
            kept.is_some_and(|kept| self.feed.is_shown(kept))
        };
        self.desk.drafts.keys().any(|place| match place {
            Place::Feed => true,
            Place::Thread(post) | Place::Edit(post) => there(post),
        })
    }
}

fn draft_key(place: Place) -> Vec<u8> {
    // Writing a place to memory fails only when there is none left, and then nothing helps.
    let place = postcard::to_allocvec(&place).unwrap_or_default();
    [DRAFT, &place].concat()
}

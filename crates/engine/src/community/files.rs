//! Files of posts: kept, sent, fetched, and let go again (`crate::attachment` has what they are).
//!
//! A post goes first and its files follow, so that nobody waits for a word behind a picture; it counts as sent when all of it is
//! at the relay. What is sent or fetched is stored blob by blob, as it lies at the relay: after a crash, or without a network for
//! a while, both go on after the last whole blob. What is here and could be fetched again is let go when there is too much
//! of it; what has not been sent never is.

mod keeping;
mod sending;

use super::{Community, Ctx, Tag};
use crate::attachment::{Attachment, Gather, Gathered};
use crate::entry::Entry;
use crate::io::{Key, Millis, Table};
use crate::keys::LONG_TTL;
use sending::Sending;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use ume_api::{EntryId, Failure, Fetch, FileId, FileState, Reply};
use ume_wire::relay::frame::Body;

/// Pause before a file is asked for again that the relay does not have, milliseconds: the first, and the longest.
const PAUSE_MS: (u64, u64) = (1_000, 300_000);
/// How often it is asked for until a person asks again.
const ASKED_MAX: u32 = 14;
/// How exactly it is noted when a file was looked at last, milliseconds.
const USED_MS: u64 = 3_600_000;

/// What is stored of a file.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct FileRow {
    /// Blobs that it has,
    pieces: u32,
    /// of these are here, the first ones,
    here: u32,
    /// and, as long as it is on its way to the relay, so many there.
    there: Option<u32>,
    /// Made here.
    own: bool,
    /// What is here takes so much room.
    bytes: u64,
    /// When it was looked at last.
    used_ms: u64,
    /// What a post will say of it, as long as none does.
    draft: Option<Vec<u8>>,
}

impl FileRow {
    fn is_whole(&self) -> bool {
        self.here >= self.pieces
    }

    /// Whether it can be fetched again.
    fn may_go(&self) -> bool {
        self.there.is_none() && self.draft.is_none()
    }
}

/// The files of a community.
#[derive(Debug, Default)]
pub(super) struct Files {
    rows: BTreeMap<FileId, FileRow>,
    /// No post took them before this start.
    orphans: Vec<FileId>,
    sending: Option<Sending>,
    /// Asked for by the page, in that order.
    wanted: VecDeque<Wanted>,
    gathering: Option<(FileId, Gather)>,
    missed: BTreeMap<FileId, Missed>,
    /// Commands that wait for their rows.
    reads: Vec<Reading>,
    told: BTreeMap<FileId, FileState>,
}

/// A file that the page wants.
#[derive(Debug)]
struct Wanted {
    post: EntryId,
    attachment: Attachment,
    /// A person waits for it.
    hurried: bool,
}

/// That the relay did not have a file.
#[derive(Clone, Copy, Debug)]
struct Missed {
    state: FileState,
    times: u32,
    again_at: Millis,
}

#[derive(Debug)]
struct Reading {
    /// Of the command.
    number: u32,
    attachment: Attachment,
    pieces: BTreeMap<u32, Vec<u8>>,
}

fn piece_key(id: &FileId, number: u32) -> Vec<u8> {
    [&id.0[..], &number.to_be_bytes()].concat()
}

fn percent(part: usize, all: usize) -> u8 {
    let percent = part.saturating_mul(100).checked_div(all).unwrap_or(100);
    u8::try_from(percent.min(100)).unwrap_or(100)
}

impl Community {
    /// A file of a post: here, or where it is. `None`: the answer follows when its rows were read.
    pub(crate) fn file(
        &mut self,
        ctx: &mut Ctx<'_>,
        number: u32,
        post: EntryId,
        file: FileId,
        fetch: Fetch,
    ) -> Result<Option<Reply>, Failure> {
        let entry = self.published(&post)?;
        let mut files = entry.files.iter().flatten();
        let attachment = files.find(|one| one.id == file).ok_or(Failure::NotHere)?;
        let attachment = attachment.clone();
        if self.files.rows.get(&file).is_some_and(FileRow::is_whole) {
            self.read_pieces(ctx, number, attachment);
            return Ok(None);
        }
        if fetch != Fetch::No {
            self.want_file(post, attachment, fetch == Fetch::Now);
            self.advance(ctx);
        }
        Ok(Some(Reply::FileAt(self.file_state(&file))))
    }

    fn want_file(&mut self, post: EntryId, attachment: Attachment, hurried: bool) {
        let id = attachment.id;
        if hurried {
            self.files.missed.remove(&id);
        }
        let known = self
            .files
            .wanted
            .iter()
            .position(|one| one.attachment.id == id);
        let before = known.and_then(|at| self.files.wanted.remove(at));
        let one = Wanted {
            post,
            attachment,
            hurried: hurried || before.is_some_and(|before| before.hurried),
        };
        // The one that is being gathered stays first.
        let first = usize::from(
            self.files
                .gathering
                .as_ref()
                .is_some_and(|(of, _)| *of != id),
        );
        let first = first.min(self.files.wanted.len());
        match known {
            Some(at) if !hurried => self.files.wanted.insert(at, one),
            _ if hurried => self.files.wanted.insert(first, one),
            _ => self.files.wanted.push_back(one),
        }
        let missed = self.files.missed.get_mut(&id);
        if let Some(missed) = missed.filter(|missed| missed.times >= ASKED_MAX) {
            missed.times = 0;
        }
    }

    /// Whether somebody waits for something long.
    pub(crate) fn hurries_files(&self) -> bool {
        let paused = self.uploads.due().is_some_and(|at| at > self.looked_at);
        let sends = self.files.rows.values().any(|row| row.there.is_some());
        sends && !paused
            || self
                .files
                .wanted
                .iter()
                .any(|one| one.hurried && self.is_due(one))
    }

    fn is_due(&self, one: &Wanted) -> bool {
        let missed = self.files.missed.get(&one.attachment.id);
        missed.is_none_or(|missed| missed.again_at <= self.looked_at)
    }

    pub(super) fn files_due(&self) -> Option<Millis> {
        let wanted = self.files.wanted.iter();
        let again = wanted.filter_map(|one| self.files.missed.get(&one.attachment.id));
        again.map(|missed| missed.again_at).min()
    }

    pub(super) fn files_line_down(&mut self) {
        if let Some((_, gather)) = &mut self.files.gathering {
            gather.restart();
        }
    }

    pub(super) fn advance_files(&mut self, ctx: &mut Ctx<'_>) {
        for id in std::mem::take(&mut self.files.orphans) {
            self.drop_file(ctx, &id);
        }
        self.advance_sending(ctx);
        self.advance_fetching(ctx);
    }

    fn advance_fetching(&mut self, ctx: &mut Ctx<'_>) {
        if self.files.gathering.is_none() {
            let due = self.files.wanted.iter().position(|one| self.is_due(one));
            let Some(one) = due.and_then(|at| self.files.wanted.remove(at)) else {
                return;
            };
            let id = one.attachment.id;
            let here = self.files.rows.get(&id).map_or(0, |row| row.here);
            let gather = one.attachment.gather(here);
            self.files.wanted.push_front(one);
            let Some(gather) = gather else {
                self.give_up_file(ctx, &id, FileState::Broken);
                return;
            };
            self.files.gathering = Some((id, gather));
        }
        if let Some((_, gather)) = &mut self.files.gathering {
            ctx.ask(Tag::File, gather.ask().map(Into::into));
        }
    }

    /// A cell of a file arrived, or a refusal.
    pub(super) fn file_fetched(&mut self, ctx: &mut Ctx<'_>, body: &Body) {
        let Some((id, gather)) = &mut self.files.gathering else {
            return;
        };
        match body {
            Body::BlobPart(part) => gather.take(part),
            Body::Refused(refused) => gather.refused(refused),
            _ => return,
        }
        let id = *id;
        match gather.result() {
            Gathered::NotYet => self.tell_file(ctx, &id),
            Gathered::Whole(cells) => self.keep_piece(ctx, id, cells),
            Gathered::Absent => self.miss(ctx, id),
            Gathered::Broken => self.give_up_file(ctx, &id, FileState::Broken),
        }
    }

    fn keep_piece(&mut self, ctx: &mut Ctx<'_>, id: FileId, cells: Vec<u8>) {
        self.files.gathering = None;
        self.files.missed.remove(&id);
        let at = self
            .files
            .wanted
            .iter()
            .position(|one| one.attachment.id == id);
        let Some(pieces) = at.and_then(|at| self.files.wanted.get(at)) else {
            return;
        };
        let pieces = pieces.attachment.pieces();
        let row = self.files.rows.entry(id).or_insert(FileRow {
            pieces,
            here: 0,
            there: None,
            own: false,
            bytes: 0,
            used_ms: 0,
            draft: None,
        });
        let number = row.here;
        row.here += 1;
        row.bytes += cells.len() as u64;
        row.used_ms = ctx.time.0;
        let whole = row.is_whole();
        self.put_raw(ctx, Table::Piece, &piece_key(&id, number), Some(cells));
        self.store_file(ctx, &id);
        if whole && let Some(at) = at {
            self.files.wanted.remove(at);
        }
        ctx.news.grew = true;
        self.tell_file(ctx, &id);
    }

    /// The relay does not have it: its author's device may be sending it yet.
    fn miss(&mut self, ctx: &mut Ctx<'_>, id: FileId) {
        let wanted = self.files.wanted.iter();
        let post = wanted
            .filter(|one| one.attachment.id == id)
            .map(|one| one.post)
            .next();
        let entry = post
            .and_then(|post| self.feed.get(&post))
            .map(|kept| &kept.entry);
        let over_ms = u64::from(LONG_TTL) * 1000;
        let over = entry.is_none_or(|entry| {
            entry.author == self.saved.persona
                || entry.time_ms.saturating_add(over_ms) <= ctx.time.0
        });
        if over {
            return self.give_up_file(ctx, &id, FileState::Gone);
        }
        self.files.gathering = None;
        let times = self.files.missed.get(&id).map_or(0, |missed| missed.times) + 1;
        let pause = PAUSE_MS
            .1
            .min(PAUSE_MS.0 << times.min(16).saturating_sub(1));
        let missed = Missed {
            state: FileState::NotYet,
            times,
            again_at: ctx.now.plus(pause),
        };
        self.files.missed.insert(id, missed);
        if times >= ASKED_MAX {
            self.files.wanted.retain(|one| one.attachment.id != id);
        }
        self.tell_file(ctx, &id);
    }

    fn give_up_file(&mut self, ctx: &mut Ctx<'_>, id: &FileId, state: FileState) {
        self.files.gathering = None;
        self.files.wanted.retain(|one| one.attachment.id != *id);
        let missed = Missed {
            state,
            times: ASKED_MAX,
            again_at: ctx.now,
        };
        self.files.missed.insert(*id, missed);
        self.tell_file(ctx, id);
    }

    /// Where a file is.
    fn file_state(&self, id: &FileId) -> FileState {
        let row = self.files.rows.get(id);
        if let Some((there, row)) = row.and_then(|row| Some((row.there?, row))) {
            let (cells, of) = self.sending_progress(id);
            let there = usize::try_from(there).unwrap_or(usize::MAX);
            let pieces = usize::try_from(row.pieces).unwrap_or(usize::MAX);
            let done = there.saturating_mul(100) + usize::from(percent(cells, of));
            return FileState::Going {
                percent: percent(done, pieces.saturating_mul(100)),
            };
        }
        if row.is_some_and(FileRow::is_whole) {
            return FileState::Here;
        }
        if let Some(missed) = self.files.missed.get(id) {
            return missed.state;
        }
        let mut wanted = self.files.wanted.iter();
        let Some(one) = wanted.find(|one| one.attachment.id == *id) else {
            return FileState::Away;
        };
        let here = row.map_or(0, |row| row.here);
        let (cells, of) = match &self.files.gathering {
            Some((gathered, gather)) if gathered == id => gather.progress(),
            _ => (0, 1),
        };
        let done = usize::try_from(here)
            .unwrap_or(usize::MAX)
            .saturating_mul(100);
        let done = done.saturating_add(percent(cells, of).into());
        let all = one.attachment.parcel.blobs.len() * 100;
        FileState::Coming {
            percent: percent(done, all).min(99),
        }
    }

    /// Tells where a file is, if that is another place than was told.
    fn tell_file(&mut self, ctx: &mut Ctx<'_>, id: &FileId) {
        let state = self.file_state(id);
        if self.files.told.insert(*id, state) != Some(state) {
            ctx.news.files.push((*id, state));
        }
    }

    /// Whether a file of an entry is still to be sent.
    pub(super) fn sends_files_of(&self, entry: &Entry) -> bool {
        let mut files = entry.files.iter().flatten();
        files.any(|one| {
            let row = self.files.rows.get(&one.id);
            row.is_some_and(|row| row.there.is_some())
        })
    }

    /// Posts with this file.
    fn posts_with(&self, id: &FileId) -> BTreeSet<EntryId> {
        let has = |entry: &&Entry| entry.files.iter().flatten().any(|one| one.id == *id);
        let entries = self.feed.all().map(|kept| &kept.entry);
        entries.filter(has).map(|entry| entry.id).collect()
    }

    fn store_file(&self, ctx: &mut Ctx<'_>, id: &FileId) {
        if let Some(row) = self.files.rows.get(id) {
            self.put_row(ctx, Table::File, &id.0, row);
        }
    }

    fn piece(&self, id: &FileId, number: u32) -> Key {
        Key {
            table: Table::Piece,
            id: self.row_id(&piece_key(id, number)),
        }
    }
}

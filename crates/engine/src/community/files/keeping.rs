//! Files that are here: read for whoever looks at them, and let go.

use super::{FileRow, Reading, USED_MS, piece_key};
use crate::attachment::Attachment;
use crate::community::{Community, Ctx};
use crate::entry::Entry;
use crate::io::Table;
use std::collections::BTreeMap;
use ume_api::{Failure, FileId, FileState, Reply};

impl Community {
    /// Takes the rows of files as they are stored; whether all of them made sense.
    pub(in crate::community) fn load_files(&mut self, rows: Vec<(Vec<u8>, Vec<u8>)>) {
        for (key, bytes) in rows {
            let id = <[u8; 32]>::try_from(&key[..]).map(FileId);
            let row = postcard::from_bytes::<FileRow>(&bytes);
            let (Ok(id), Ok(row)) = (id, row) else {
                self.damaged += 1;
                continue;
            };
            if row.draft.is_some() {
                self.files.orphans.push(id);
            }
            self.files.rows.insert(id, row);
        }
    }

    /// Reads a file that is here.
    pub(super) fn read_pieces(&mut self, ctx: &mut Ctx<'_>, number: u32, attachment: Attachment) {
        let id = attachment.id;
        if let Some(row) = self.files.rows.get_mut(&id)
            && row.used_ms.saturating_add(USED_MS) <= ctx.time.0
        {
            row.used_ms = ctx.time.0;
            self.store_file(ctx, &id);
        }
        for piece in 0..attachment.pieces() {
            ctx.news.reads.push(self.piece(&id, piece));
        }
        self.files.reads.push(Reading {
            number,
            attachment,
            pieces: BTreeMap::new(),
        });
    }

    /// A row that was asked for: what it is called, without the community's number.
    pub(crate) fn take_piece(&mut self, ctx: &mut Ctx<'_>, key: &[u8], cells: Option<&[u8]>) {
        let Some((id, number)) = key.split_first_chunk::<32>() else {
            return;
        };
        let Ok(number) = number.try_into().map(u32::from_be_bytes) else {
            return;
        };
        let id = FileId(*id);
        self.piece_to_send(ctx, &id, number, cells);
        let reads = std::mem::take(&mut self.files.reads);
        for mut read in reads {
            if read.attachment.id != id {
                self.files.reads.push(read);
                continue;
            }
            let Some(cells) = cells else {
                self.unreadable(ctx, read.number, &id);
                continue;
            };
            read.pieces.insert(number, cells.to_vec());
            if read.pieces.len() < read.attachment.parcel.blobs.len() {
                self.files.reads.push(read);
                continue;
            }
            match read
                .attachment
                .open(read.pieces.values().map(Vec::as_slice))
            {
                Some(file) => ctx.news.replies.push((read.number, Ok(Reply::File(file)))),
                None => self.unreadable(ctx, read.number, &id),
            }
        }
        self.advance(ctx);
    }

    /// What is here is not the file: it has to be fetched again, and if it was to be sent it never will be.
    fn unreadable(&mut self, ctx: &mut Ctx<'_>, number: u32, id: &FileId) {
        self.drop_file(ctx, id);
        let state = FileState::Broken;
        ctx.news.replies.push((number, Ok(Reply::FileAt(state))));
    }

    /// Commands that will not be answered, because the community is about to be erased.
    pub(crate) fn unanswered_reads(&self) -> Vec<u32> {
        self.files.reads.iter().map(|read| read.number).collect()
    }

    /// Erases what is here of a file.
    pub(super) fn drop_file(&mut self, ctx: &mut Ctx<'_>, id: &FileId) {
        self.stop_sending(id);
        let Some(row) = self.files.rows.remove(id) else {
            return;
        };
        self.erase_row(ctx, Table::File, &id.0);
        for number in 0..row.here {
            self.erase_row(ctx, Table::Piece, &piece_key(id, number));
        }
        self.files.gathering.take_if(|(one, _)| one == id);
        self.tell_file(ctx, id);
    }

    /// An entry is about to lose its text, and with it what opens its files: they go, unless another post has them.
    pub(in crate::community) fn drop_files_of(&mut self, ctx: &mut Ctx<'_>, entry: &Entry) {
        for file in entry.files.iter().flatten() {
            let id = file.id;
            if self.posts_with(&id).iter().any(|one| *one != entry.id) {
                continue;
            }
            self.files.wanted.retain(|one| one.attachment.id != id);
            self.files.gathering.take_if(|(one, _)| *one == id);
            self.files.missed.remove(&id);
            self.files.told.remove(&id);
            self.drop_file(ctx, &id);
        }
    }

    /// Erases the rows of all files.
    pub(in crate::community) fn drop_all_files(&mut self, ctx: &mut Ctx<'_>) {
        let all: Vec<FileId> = self.files.rows.keys().copied().collect();
        for id in all {
            self.drop_file(ctx, &id);
        }
    }

    /// Room that files take which could be fetched again; and of these the one that was looked at longest ago.
    pub(crate) fn spare_files(&self) -> (u64, Option<(u64, FileId)>) {
        let spare = self.files.rows.iter().filter(|(id, row)| {
            let gathered = self
                .files
                .gathering
                .as_ref()
                .is_some_and(|(one, _)| one == *id);
            let read = self.files.reads.iter().any(|one| one.attachment.id == **id);
            row.may_go() && !gathered && !read
        });
        let all = spare.clone().map(|(_, row)| row.bytes).sum();
        let oldest = spare.map(|(id, row)| (row.used_ms, *id)).min();
        (all, oldest)
    }

    /// Lets a file go that could be fetched again.
    pub(crate) fn spare_file(&mut self, ctx: &mut Ctx<'_>, id: &FileId) -> Result<(), Failure> {
        let row = self.files.rows.get(id).ok_or(Failure::NotHere)?;
        if !row.may_go() {
            return Err(Failure::NotAllowed);
        }
        self.drop_file(ctx, id);
        Ok(())
    }
}

//! Files on their way to the relay: attached to what is being written, taken by a post, put there blob by blob.

use super::{FileRow, piece_key};
use crate::attachment::{self, Attachment, LIST_BYTES_MAX};
use crate::community::{Community, Ctx};
use crate::entry::{Entry, Kind};
use crate::io::Table;
use crate::parcel::Blob;
use crate::proto;
use prost::Message;
use std::collections::BTreeSet;
use ume_api::{EntryId, FILES_MAX, Failure, FileId, NewFile, Right};
use ume_wire::auth::{Hash, hash_cells};

/// Files that wait for a post at once, of one community: what several composers may hold.
const DRAFTS_MAX: usize = 4 * FILES_MAX;

/// The file that is being sent.
#[derive(Debug)]
pub(super) struct Sending {
    id: FileId,
    /// The blob that is being put, once its row was read.
    blob: Option<Hash>,
}

impl Community {
    /// Keeps a file for a post that is being written. Durable with this batch; nothing of it leaves.
    pub(crate) fn attach(&mut self, ctx: &mut Ctx<'_>, file: NewFile) -> Result<FileId, Failure> {
        if !self.chain.ledger.may(&self.saved.persona, Right::Post) {
            return Err(Failure::NotAllowed);
        }
        let drafts = self.files.rows.values().filter(|row| row.draft.is_some());
        if drafts.count() >= DRAFTS_MAX {
            return Err(Failure::BadText);
        }
        let (attachment, blobs) = attachment::seal(file, ctx.rng).ok_or(Failure::BadText)?;
        let id = attachment.id;
        let mut bytes = 0;
        for (number, blob) in (0..).zip(blobs) {
            let cells = blob.cells.concat();
            bytes += cells.len() as u64;
            self.put_raw(ctx, Table::Piece, &piece_key(&id, number), Some(cells));
        }
        let row = FileRow {
            pieces: attachment.pieces(),
            here: attachment.pieces(),
            there: None,
            own: true,
            bytes,
            used_ms: ctx.time.0,
            draft: Some(attachment.to_proto().encode_to_vec()),
        };
        self.files.rows.insert(id, row);
        self.store_file(ctx, &id);
        Ok(id)
    }

    /// Lets a file go that no post took.
    pub(crate) fn detach(&mut self, ctx: &mut Ctx<'_>, file: &FileId) -> Result<(), Failure> {
        self.draft_of(file)?;
        self.drop_file(ctx, file);
        Ok(())
    }

    fn draft_of(&self, file: &FileId) -> Result<Attachment, Failure> {
        let row = self.files.rows.get(file).ok_or(Failure::NotHere)?;
        let draft = row.draft.as_deref().ok_or(Failure::NotHere)?;
        let said = proto::Attachment::decode(draft).map_err(|_| Failure::Internal)?;
        Attachment::read(said).ok_or(Failure::Internal)
    }

    /// Writes a post or comment with files.
    pub(crate) fn publish(
        &mut self,
        ctx: &mut Ctx<'_>,
        thread: Option<EntryId>,
        text: String,
        lifetime_ms: Option<u64>,
        files: &[(FileId, String)],
    ) -> Result<EntryId, Failure> {
        let kind = match thread {
            None => Kind::Post,
            Some(post) => self.comment_on(post)?,
        };
        let different: BTreeSet<FileId> = files.iter().map(|(id, _)| *id).collect();
        if different.len() != files.len() {
            return Err(Failure::BadText);
        }
        let mut attachments = Vec::with_capacity(files.len());
        for (id, words) in files {
            let mut attachment = self.draft_of(id)?;
            attachment.describe(words);
            attachments.push(attachment);
        }
        let list = attachment::write(&attachments).ok_or(Failure::BadText)?;
        debug_assert!(list.len() <= LIST_BYTES_MAX);
        for id in different {
            if let Some(row) = self.files.rows.get_mut(&id) {
                row.draft = None;
                row.there = Some(0);
            }
            self.store_file(ctx, &id);
        }
        let written = self.write_with(ctx, kind, text.into_bytes(), lifetime_ms, &list);
        if written.is_err() {
            for attachment in &attachments {
                let id = attachment.id;
                if let Some(row) = self.files.rows.get_mut(&id) {
                    row.draft = Some(attachment.to_proto().encode_to_vec());
                    row.there = None;
                }
                self.store_file(ctx, &id);
            }
        }
        written
    }

    pub(super) fn advance_sending(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(Sending {
            id,
            blob: Some(blob),
        }) = self.files.sending
        {
            if !self.uploads.has(&blob) {
                self.tell_file(ctx, &id);
                return;
            }
            self.files.sending = None;
            self.piece_is_there(ctx, &id);
        }
        if self.files.sending.is_some() || !self.uploads.is_idle() {
            return;
        }
        let going = self
            .files
            .rows
            .iter()
            .filter(|(_, row)| row.there.is_some());
        let next = going.min_by_key(|(id, row)| (row.used_ms, **id));
        let Some((id, there)) = next.and_then(|(id, row)| Some((*id, row.there?))) else {
            return;
        };
        ctx.news.reads.push(self.piece(&id, there));
        self.files.sending = Some(Sending { id, blob: None });
        self.tell_file(ctx, &id);
    }

    fn piece_is_there(&mut self, ctx: &mut Ctx<'_>, id: &FileId) {
        let Some(row) = self.files.rows.get_mut(id) else {
            return;
        };
        let there = row.there.unwrap_or_default() + 1;
        let done = there >= row.pieces;
        row.there = (!done).then_some(there);
        self.store_file(ctx, id);
        self.tell_file(ctx, id);
        if done {
            ctx.news.grew = true;
            for post in self.posts_with(id) {
                self.show(ctx, &post);
            }
        }
    }

    /// The blob that is to be put was read.
    pub(super) fn piece_to_send(
        &mut self,
        ctx: &mut Ctx<'_>,
        id: &FileId,
        number: u32,
        cells: Option<&[u8]>,
    ) {
        let there = self.files.rows.get(id).and_then(|row| row.there);
        match &mut self.files.sending {
            Some(sending)
                if sending.id == *id && sending.blob.is_none() && there == Some(number) =>
            {
                let Some(cells) = cells else {
                    // Its row is damaged: nobody will ever have it.
                    self.files.sending = None;
                    self.drop_file(ctx, id);
                    return;
                };
                let cells = attachment::cells(cells);
                let blob = Blob {
                    id: hash_cells(&cells),
                    cells,
                };
                sending.blob = Some(blob.id);
                self.uploads.put(std::slice::from_ref(&blob));
            }
            _ => {}
        }
    }

    /// How much of the blob that is being put is there: cells, of how many.
    pub(super) fn sending_progress(&self, id: &FileId) -> (usize, usize) {
        let sending = self.files.sending.as_ref().filter(|one| one.id == *id);
        let blob = sending.and_then(|one| one.blob);
        blob.map_or((0, 1), |blob| self.uploads.progress(&blob))
    }

    /// Nobody needs the file any more that is being sent.
    pub(super) fn stop_sending(&mut self, id: &FileId) {
        if let Some(sending) = self.files.sending.take_if(|one| one.id == *id)
            && let Some(blob) = sending.blob
        {
            self.uploads.drop(|one| *one == blob);
        }
    }

    /// Nobody takes the entry: its files stay where they are.
    pub(in crate::community) fn send_no_files_of(&mut self, ctx: &mut Ctx<'_>, entry: &Entry) {
        for file in entry.files.iter().flatten() {
            let others = self.posts_with(&file.id);
            let row = self.files.rows.get_mut(&file.id);
            if let Some(row) = row.filter(|row| row.there.is_some() && others.is_empty()) {
                row.there = None;
                self.stop_sending(&file.id);
                self.store_file(ctx, &file.id);
            }
        }
    }

    /// The relay was put back: what was made here is put there again; of what is there it takes the first cell for all.
    pub(in crate::community) fn send_files_again(&mut self, ctx: &mut Ctx<'_>) {
        self.files.sending = None;
        let own = self
            .files
            .rows
            .iter_mut()
            .filter(|(_, row)| row.own && row.draft.is_none() && row.is_whole());
        let ids: Vec<FileId> = own
            .map(|(id, row)| {
                row.there = Some(0);
                *id
            })
            .collect();
        for id in ids {
            self.store_file(ctx, &id);
        }
    }
}

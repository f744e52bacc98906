//! Files of posts: what the app asks for about them, and how much of them is kept.

use super::Engine;
use crate::community::Community;
use crate::io::{Key, Output};
use ume_api::{Command, CommunityRef, EntryId, Failure, FileId, Reply, TEXT_BYTES_MAX};

/// Room for files that could be fetched again, of all communities together, bytes.
pub(crate) const SPARE_BYTES_MAX: u64 = 128 * 1024 * 1024;

impl Engine {
    /// What is asked about files.
    pub(super) fn about_files(
        &mut self,
        number: u32,
        command: Command,
    ) -> Option<Result<Reply, Failure>> {
        match command {
            Command::Attach { community, file } => self.change(community, |community, ctx| {
                community.attach(ctx, file).map(Reply::Attached)
            }),
            Command::Detach { community, file } => self.change(community, |community, ctx| {
                community.detach(ctx, &file).map(|()| Reply::Done)
            }),
            Command::Publish {
                community,
                post,
                text,
                lifetime,
                files,
            } => self.publish(community, post, &text, lifetime, &files),
            Command::File {
                community,
                post,
                file,
                fetch,
            } => {
                let found = self.with(community.0, |community, ctx| {
                    community.file(ctx, number, post, file, fetch)
                });
                found.unwrap_or(Err(Failure::NotHere)).transpose()
            }
            Command::ClearFiles => {
                self.spare_files(0);
                Some(Ok(Reply::Done))
            }
            _ => Some(Err(Failure::Internal)),
        }
    }

    fn publish(
        &mut self,
        community: CommunityRef,
        thread: Option<EntryId>,
        text: &str,
        lifetime: Option<u64>,
        files: &[(FileId, String)],
    ) -> Option<Result<Reply, Failure>> {
        if files.is_empty() {
            return self.post(community, thread, text, lifetime);
        }
        let text = text.trim_end().to_owned();
        if text.len() > TEXT_BYTES_MAX {
            return Some(Err(Failure::BadText));
        }
        let lifetime_ms = lifetime.map(|seconds| seconds.saturating_mul(1000));
        self.change(community, |community, ctx| {
            community
                .publish(ctx, thread, text, lifetime_ms, files)
                .map(Reply::Posted)
        })
    }

    /// Rows that were asked for.
    pub(super) fn take_rows(&mut self, rows: Vec<(Key, Option<Vec<u8>>)>) {
        for (key, row) in rows {
            let Some((number, rest)) = key.id.split_first_chunk::<4>() else {
                continue;
            };
            self.with(u32::from_be_bytes(*number), |community, ctx| {
                community.take_piece(ctx, rest, row.as_deref());
            });
        }
    }

    pub(super) fn read_rows(&mut self, keys: Vec<Key>) {
        if !keys.is_empty() {
            self.outputs.push(Output::Read(keys));
        }
    }

    /// Lets files go until those that could be fetched again take no more room than this, those first that nobody looked at
    /// for longest.
    pub(super) fn spare_files(&mut self, bytes_max: u64) {
        loop {
            let spare = self.communities.iter();
            let spare = spare.map(|(number, one)| (*number, one.spare_files()));
            let spare: Vec<_> = spare.collect();
            let bytes: u64 = spare.iter().map(|(_, (bytes, _))| *bytes).sum();
            let oldest = spare
                .iter()
                .filter_map(|(number, (_, oldest))| Some((oldest.as_ref()?, *number)));
            let Some(((_, id), number)) = oldest.min().filter(|_| bytes > bytes_max) else {
                return;
            };
            let gone = self.with(number, |community, ctx| community.spare_file(ctx, id));
            if gone != Some(Ok(())) {
                return;
            }
        }
    }

    /// Whoever waited for a file of a community that is erased is told.
    pub(super) fn abandon_reads(&mut self, community: &Community) {
        for number in community.unanswered_reads() {
            self.answer(number, Err(Failure::NotHere));
        }
    }
}

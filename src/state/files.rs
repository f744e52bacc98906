use super::State;
use crate::platform::{files, picture};
use leptos::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use ume_api::{Command, Cover, EntryId, Fetch, FileId, FileState, FileView, PostView, Reply};

/// Pictures up to this size are fetched when they come into sight, bytes.
const QUIET_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// Files beside the posts of the open community, as far as something showed them.
#[derive(Clone, Copy)]
pub(crate) struct Files {
    all: StoredValue<BTreeMap<FileId, One>>,
    /// The post whose pictures are looked at, and which of its files.
    pub(crate) looked_at: RwSignal<Option<(Arc<PostView>, usize)>>,
}

/// A file as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileShown {
    /// Where it is.
    pub(crate) at: FileState,
    /// Of a picture that is here: its address within this page.
    pub(crate) address: Option<String>,
}

struct One {
    post: EntryId,
    shown: ArcRwSignal<FileShown>,
    /// It is to be drawn.
    see: bool,
    /// It is to be saved under this name.
    save: Option<String>,
}

impl Files {
    pub(super) fn new() -> Self {
        Self {
            all: StoredValue::new(BTreeMap::new()),
            looked_at: RwSignal::new(None),
        }
    }

    /// Another community is open.
    pub(super) fn clear(self) {
        self.looked_at.set(None);
        let all = self
            .all
            .try_update_value(std::mem::take)
            .unwrap_or_default();
        for one in all.into_values() {
            if let Some(address) = one.shown.with_untracked(|shown| shown.address.clone()) {
                files::forget(&address);
            }
        }
    }
}

impl State {
    /// Where a file of a post is, and what it looks like.
    pub(crate) fn file(self, post: EntryId, id: FileId) -> ArcRwSignal<FileShown> {
        let shown = || {
            ArcRwSignal::new(FileShown {
                at: FileState::Away,
                address: None,
            })
        };
        let known = self.files.all.try_update_value(|all| {
            let one = all.entry(id).or_insert_with(|| One {
                post,
                shown: shown(),
                see: false,
                save: None,
            });
            one.shown.clone()
        });
        known.unwrap_or_else(shown)
    }

    /// Draws a picture: as soon as it is here, and from wherever it is as far as `fetch` says.
    pub(crate) fn see_file(self, post: EntryId, file: &FileView, fetch: Fetch) {
        let Some(id) = file.id else { return };
        let around = self.traffic.surroundings.get_untracked();
        // Where every frame counts a person says what is worth them.
        let spare = around.cover == Cover::Strong || around.saving || file.size > QUIET_BYTES_MAX;
        let fetch = match fetch {
            Fetch::Quietly if spare => Fetch::No,
            fetch => fetch,
        };
        let seen = self.change_file(id, |one| {
            one.see = true;
            one.shown.with_untracked(|shown| shown.address.is_some())
        });
        if seen != Some(true) {
            self.ask_file(post, id, fetch);
        }
    }

    /// Saves a file, as soon as it is here.
    pub(crate) fn save_file(self, post: EntryId, file: &FileView) {
        let Some(id) = file.id else { return };
        let name = file.name.clone();
        self.change_file(id, |one| one.save = Some(name));
        self.ask_file(post, id, Fetch::Now);
    }

    fn change_file<R>(self, id: FileId, change: impl FnOnce(&mut One) -> R) -> Option<R> {
        self.files
            .all
            .try_update_value(|all| all.get_mut(&id).map(change))
            .flatten()
    }

    fn ask_file(self, post: EntryId, file: FileId, fetch: Fetch) {
        let Some(community) = self.open.get_untracked() else {
            return;
        };
        let command = Command::File {
            community,
            post,
            file,
            fetch,
        };
        self.ask(command, move |answer| match answer {
            Ok(Reply::File(bytes)) => self.take_file(file, &bytes),
            Ok(Reply::FileAt(at)) => self.learn_files(vec![(file, at)]),
            _ => self.learn_files(vec![(file, FileState::Gone)]),
        });
    }

    fn take_file(self, id: FileId, bytes: &[u8]) {
        let shown = self.change_file(id, |one| {
            if let Some(name) = one.save.take() {
                files::save(&name, bytes);
            }
            let draw = one.see && one.shown.with_untracked(|shown| shown.address.is_none());
            let address = draw.then(|| picture::large_address(bytes));
            let at = match address {
                // It says that it is a picture, and is none that is drawn.
                Some(None) => FileState::Broken,
                _ => FileState::Here,
            };
            (one.shown.clone(), at, address.flatten())
        });
        if let Some((shown, at, address)) = shown {
            shown.update(|shown| {
                shown.at = at;
                shown.address = address.or(shown.address.take());
            });
        }
    }

    /// Where files are now. What was waited for is asked for again when it is here.
    pub(super) fn learn_files(self, files: Vec<(FileId, FileState)>) {
        for (id, at) in files {
            let found = self.change_file(id, |one| {
                let draws = one.see && one.shown.with_untracked(|shown| shown.address.is_none());
                (one.shown.clone(), one.post, draws || one.save.is_some())
            });
            let Some((shown, post, wanted)) = found else {
                continue;
            };
            if shown.with_untracked(|shown| shown.at != at) {
                shown.update(|shown| shown.at = at);
            }
            if at == FileState::Here && wanted {
                self.ask_file(post, id, Fetch::No);
            }
        }
    }
}

use leptos::prelude::*;
use std::sync::Arc;
use ume_api::{EntryId, Failure, FeedPage, PostState, PostView};

/// A post on its way into this device's store: shown at once, replaced by the real one within moments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ghost {
    /// Tells ghosts apart.
    pub(crate) number: u32,
    /// What was written.
    pub(crate) text: String,
    /// Set when it is stored and the real post is about to arrive.
    id: Option<EntryId>,
}

/// The posts of the open community.
#[derive(Clone, Copy)]
pub(crate) struct Feed {
    /// Ordered by (`at`, `id`); `None` until the first page is here.
    pub(crate) posts: RwSignal<Option<Vec<Arc<PostView>>>>,
    /// Own posts not yet stored.
    pub(crate) ghosts: RwSignal<Vec<Ghost>>,
    /// Whether there are older posts on this device.
    pub(crate) older: RwSignal<bool>,
    /// Whether older posts are being fetched.
    pub(crate) fetching: RwSignal<bool>,
    /// Why the feed could not be opened.
    pub(crate) failure: RwSignal<Option<Failure>>,
    /// Posts of others that arrived since the newest one was in view.
    pub(crate) fresh: RwSignal<u32>,
    /// Whether the newest post is in view; the timeline says so.
    pub(crate) at_newest: RwSignal<bool>,
    /// Posts of others that arrived since this feed was opened.
    pub(crate) arrived: RwSignal<u32>,
    last_ghost: StoredValue<u32>,
}

impl Feed {
    pub(super) fn new() -> Self {
        Self {
            posts: RwSignal::new(None),
            ghosts: RwSignal::new(Vec::new()),
            older: RwSignal::new(false),
            fetching: RwSignal::new(false),
            failure: RwSignal::new(None),
            fresh: RwSignal::new(0),
            at_newest: RwSignal::new(true),
            arrived: RwSignal::new(0),
            last_ghost: StoredValue::new(0),
        }
    }

    pub(super) fn clear(self) {
        self.posts.set(None);
        self.ghosts.set(Vec::new());
        self.older.set(false);
        self.fetching.set(false);
        self.failure.set(None);
        self.fresh.set(0);
        self.at_newest.set(true);
        self.arrived.set(0);
    }

    pub(super) fn fail(self, failure: Failure) {
        self.failure.set(Some(failure));
    }

    pub(super) fn add_page(self, page: FeedPage) {
        self.older.set(page.older);
        self.fetching.set(false);
        self.posts
            .update(|posts| merge_into(posts.get_or_insert_default(), page.posts));
    }

    /// New or changed posts. `unseen`: nobody looks at the page.
    pub(super) fn merge(self, mut arrived: Vec<PostView>, unseen: bool) {
        self.ghosts.update(|ghosts| {
            ghosts.retain(|ghost| !arrived.iter().any(|post| is_body_of(post, ghost)));
        });
        let mut fresh = 0;
        self.posts.update(|posts| {
            // Before the first page is here its posts are not new.
            let first = posts.is_none();
            let posts = posts.get_or_insert_default();
            // A change of a post that is on an older page comes with that page.
            if let (true, Some(oldest)) = (self.older.get_untracked(), posts.first()) {
                arrived.retain(|post| (post.at, post.id) >= (oldest.at, oldest.id));
            }
            if !first {
                let others = arrived
                    .iter()
                    .filter(|post| post.state == PostState::Received && post.hidden.is_none());
                let unknown = others.filter(|post| !posts.iter().any(|known| known.id == post.id));
                fresh = u32::try_from(unknown.count()).unwrap_or(u32::MAX);
            }
            merge_into(posts, arrived);
        });
        if fresh > 0 {
            self.arrived
                .update(|count| *count = count.saturating_add(fresh));
        }
        if fresh > 0 && (unseen || !self.at_newest.get_untracked()) {
            self.fresh
                .update(|count| *count = count.saturating_add(fresh));
        }
    }

    /// Posts that turned out not to stand.
    pub(super) fn remove(self, gone: &[EntryId]) {
        self.posts.update(|posts| {
            if let Some(posts) = posts {
                posts.retain(|post| !gone.contains(&post.id));
            }
        });
    }

    pub(super) fn begin_older(self) -> Option<EntryId> {
        if self.fetching.get_untracked() || !self.older.get_untracked() {
            return None;
        }
        let oldest = self
            .posts
            .with_untracked(|posts| Some(posts.as_ref()?.first()?.id))?;
        self.fetching.set(true);
        Some(oldest)
    }

    pub(super) fn give_up_older(self) {
        self.fetching.set(false);
    }

    pub(super) fn add_ghost(self, text: &str) -> u32 {
        let number = self.last_ghost.with_value(|last| last.wrapping_add(1));
        self.last_ghost.set_value(number);
        self.ghosts.update(|ghosts| {
            ghosts.push(Ghost {
                number,
                text: text.to_owned(),
                id: None,
            });
        });
        number
    }

    pub(super) fn drop_ghost(self, number: u32) {
        self.ghosts
            .update(|ghosts| ghosts.retain(|ghost| ghost.number != number));
    }

    /// The post is stored. Its ghost goes when the post itself is here.
    pub(super) fn posted(self, number: u32, id: EntryId) {
        let here = self
            .posts
            .with_untracked(|posts| posts.iter().flatten().any(|post| post.id == id));
        if here {
            return self.drop_ghost(number);
        }
        self.ghosts.update(|ghosts| {
            if let Some(ghost) = ghosts.iter_mut().find(|ghost| ghost.number == number) {
                ghost.id = Some(id);
            }
        });
    }
}

/// Whether this post is what the ghost stands for. The post can arrive before the word that it is stored.
fn is_body_of(post: &PostView, ghost: &Ghost) -> bool {
    match ghost.id {
        Some(id) => post.id == id,
        None => post.state == PostState::Waiting && post.text == ghost.text,
    }
}

/// Replaces posts that are here and puts the others where they belong.
fn merge_into(posts: &mut Vec<Arc<PostView>>, arrived: Vec<PostView>) {
    for post in arrived {
        // News is near the end.
        if let Some(at) = posts.iter().rposition(|known| known.id == post.id) {
            posts.remove(at);
        }
        let place = posts.partition_point(|known| (known.at, known.id) < (post.at, post.id));
        posts.insert(place, Arc::new(post));
    }
}

#[cfg(test)]
mod tests;

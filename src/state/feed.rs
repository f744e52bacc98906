use leptos::prelude::*;
use std::sync::Arc;
use ume_api::{EntryId, Failure, FeedPage, PostState, PostView};

/// The place of a post in the order of its feed.
pub(crate) type Stamp = (u64, EntryId);

/// The place of a post.
pub(crate) fn stamp(post: &PostView) -> Stamp {
    (post.at, post.id)
}

/// Before every post.
const NOWHERE: Stamp = (0, EntryId([0; 32]));

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

/// Where somebody is in a feed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks {
    /// The first post that was new to this person when they came, or came back.
    pub(crate) news: Option<Stamp>,
    /// The post that is to be brought into view.
    pub(crate) aim: Option<Stamp>,
    /// How far they have read.
    pub(crate) seen: Stamp,
    /// The engine is about to be told that they saw this.
    pub(super) to_tell: Option<Stamp>,
    /// What it was told last, and how much was unread then.
    pub(super) told: (EntryId, u32),
    /// Counts the states of the list of posts.
    pub(crate) version: u32,
}

impl Marks {
    const NONE: Self = Self {
        news: None,
        aim: None,
        seen: NOWHERE,
        to_tell: None,
        told: (NOWHERE.1, 0),
        version: 0,
    };
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
    /// Pages are being fetched until what they have not read is here.
    pub(crate) seeking: RwSignal<bool>,
    /// Whether the newest post is in view; the timeline says so.
    pub(crate) at_newest: RwSignal<bool>,
    /// Posts of others that arrived since this feed was opened.
    pub(crate) arrived: RwSignal<u32>,
    marks: StoredValue<Marks>,
    /// Counts their changes.
    moved: RwSignal<u32>,
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
            seeking: RwSignal::new(false),
            at_newest: RwSignal::new(true),
            arrived: RwSignal::new(0),
            marks: StoredValue::new(Marks::NONE),
            moved: RwSignal::new(0),
            last_ghost: StoredValue::new(0),
        }
    }

    /// Where somebody is, for whoever follows it.
    pub(crate) fn marks(self) -> Marks {
        self.moved.get();
        self.now()
    }

    /// The same, once.
    pub(crate) fn now(self) -> Marks {
        self.marks.get_value()
    }

    pub(super) fn mark(self, change: impl FnOnce(&mut Marks)) {
        self.marks.update_value(change);
        self.moved.update(|moved| *moved = moved.wrapping_add(1));
    }

    /// Brings a post into view.
    pub(crate) fn aim_at(self, aim: Option<Stamp>) {
        self.mark(move |marks| marks.aim = aim);
    }

    /// Changes the list of posts.
    fn change(self, change: impl FnOnce(&mut Option<Vec<Arc<PostView>>>)) {
        self.marks
            .update_value(|marks| marks.version = marks.version.wrapping_add(1));
        self.posts.update(change);
    }

    pub(super) fn clear(self) {
        self.change(|posts| *posts = None);
        self.ghosts.set(Vec::new());
        self.older.set(false);
        self.fetching.set(false);
        self.failure.set(None);
        self.seeking.set(false);
        self.at_newest.set(true);
        self.arrived.set(0);
        let version = self.now().version.wrapping_add(1);
        self.mark(move |marks| {
            *marks = Marks {
                version,
                ..Marks::NONE
            };
        });
    }

    pub(super) fn fail(self, failure: Failure) {
        self.failure.set(Some(failure));
    }

    pub(super) fn add_page(self, page: FeedPage) {
        self.older.set(page.older);
        self.fetching.set(false);
        self.change(|posts| merge_into(posts.get_or_insert_default(), page.posts));
    }

    /// The first page: somebody has come. Where they had read to may be on an older one.
    pub(super) fn begin(self, page: FeedPage) {
        let read = page.read;
        self.mark(move |marks| marks.seen = read);
        self.seeking.set(true);
        self.add_page(page);
    }

    /// Whether pages are to be fetched until what is not read is here.
    pub(super) fn lacks_unread(self) -> bool {
        let read = self.now().seen;
        self.older.get_untracked()
            && self.posts.with_untracked(|posts| {
                let oldest = posts.iter().flatten().next();
                oldest.is_some_and(|oldest| stamp(oldest) > read)
            })
    }

    /// All that is not read is here, or it would be too much: it is shown.
    pub(super) fn end_seeking(self) {
        self.go_to_fresh();
        self.mark(|marks| marks.news = marks.aim);
        self.seeking.set(false);
    }

    /// Where the first post of somebody else stands after a place.
    fn first_after(self, place: Stamp) -> Option<Stamp> {
        self.posts.with_untracked(|posts| {
            let mut later = posts.iter().flatten();
            let first = later.find(|post| stamp(post) > place && is_others(post));
            first.map(|post| stamp(post))
        })
    }

    /// Posts of others that this person has not seen.
    pub(crate) fn fresh(self) -> u32 {
        let seen = self.marks().seen;
        self.posts.with(|posts| {
            let later = posts.iter().flatten().rev();
            let later = later.take_while(|post| stamp(post) > seen);
            let fresh = later.filter(|post| is_others(post)).count();
            u32::try_from(fresh).unwrap_or(u32::MAX)
        })
    }

    /// Whatever is here counts as seen.
    pub(super) fn see_all(self) {
        let last = self.posts.with_untracked(|posts| {
            let last = posts.iter().flatten().next_back();
            last.map(|post| stamp(post))
        });
        if let Some(last) = last {
            self.mark(move |marks| marks.seen = marks.seen.max(last));
        }
    }

    /// Leads to the first of them.
    pub(crate) fn go_to_fresh(self) {
        self.aim_at(self.first_after(self.now().seen));
    }

    /// Somebody looks again. What came meanwhile is new to them, and where they come to.
    pub(crate) fn come_back(self) {
        let first = self.first_after(self.now().seen);
        let follows = self.at_newest.get_untracked();
        if first.is_some() {
            self.mark(move |marks| {
                marks.news = first;
                if follows {
                    marks.aim = first;
                }
            });
        }
    }

    /// New or changed posts.
    pub(super) fn merge(self, mut arrived: Vec<PostView>) {
        self.ghosts.update(|ghosts| {
            ghosts.retain(|ghost| !arrived.iter().any(|post| is_body_of(post, ghost)));
        });
        let mut fresh = 0;
        self.change(|posts| {
            // Before the first page is here its posts are not new.
            let first = posts.is_none();
            let posts = posts.get_or_insert_default();
            // A change of a post that is on an older page comes with that page.
            if let (true, Some(oldest)) = (self.older.get_untracked(), posts.first()) {
                arrived.retain(|post| (post.at, post.id) >= (oldest.at, oldest.id));
            }
            if !first {
                let others = arrived.iter().filter(|post| is_others(post));
                let unknown = others.filter(|post| place_of(posts, post).is_err());
                fresh = u32::try_from(unknown.count()).unwrap_or(u32::MAX);
            }
            merge_into(posts, arrived);
        });
        if fresh > 0 {
            self.arrived
                .update(|count| *count = count.saturating_add(fresh));
        }
    }

    /// Posts that turned out not to stand.
    pub(super) fn remove(self, gone: &[EntryId]) {
        self.change(|posts| {
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
    // A page comes before all that is here: at once, or each of its posts would move all others.
    let before = |last: &PostView| posts.first().is_none_or(|first| stamp(last) < stamp(first));
    if arrived.last().is_some_and(before) && arrived.is_sorted_by_key(stamp) {
        posts.splice(0..0, arrived.into_iter().map(Arc::new));
        return;
    }
    for post in arrived {
        match (place_of(posts, &post), Arc::new(post)) {
            (Ok(place), post) => posts[place] = post,
            (Err(place), post) => posts.insert(place, post),
        }
    }
}

/// Where a post is, or where it belongs: its time never changes.
fn place_of(posts: &[Arc<PostView>], post: &PostView) -> Result<usize, usize> {
    posts.binary_search_by_key(&stamp(post), |known| stamp(known))
}

/// Whether it counts as unread where it was not seen.
fn is_others(post: &PostView) -> bool {
    post.state == PostState::Received && post.hidden.is_none() && post.unpublished_by.is_none()
}

#[cfg(test)]
mod tests;

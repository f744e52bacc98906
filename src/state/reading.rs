//! How far this person has read, and how much is unread.
use super::{Feed, Stamp, State};
use crate::platform::{tabs, timer};
use leptos::prelude::*;
use ume_api::{Command, CommunityRef, CommunityView, EntryId, FeedPage, Reply};
use wasm_bindgen_futures::spawn_local;

/// Pages that are fetched at most to begin where somebody had stopped reading.
const PAGES_MAX: usize = 25;
/// What was seen within this time is told to the engine in one go.
const SEEN_MS: u64 = 250;

impl State {
    /// A community was opened: where this person had stopped reading is fetched, too.
    pub(super) async fn seek_unread(self, community: CommunityRef, page: FeedPage) {
        let feed = self.feed;
        feed.begin(page);
        for _ in 0..PAGES_MAX {
            let oldest = feed.lacks_unread().then(|| feed.begin_older()).flatten();
            let Some(before) = oldest else { break };
            let answer = self.engine.ask(Command::Older { community, before }).await;
            if self.open.get_untracked() != Some(community) {
                return;
            }
            match answer {
                Ok(Reply::Feed(page)) => feed.add_page(page),
                _ => feed.give_up_older(),
            }
        }
        feed.end_seeking();
    }

    /// A post, or a comment of the open thread, is in view, and whatever stands above it was.
    pub(crate) fn saw(self, thread: Option<EntryId>, place: Stamp) {
        let feed = self.feed_of(thread);
        if tabs::hidden() || feed.seeking.get_untracked() {
            return;
        }
        let Some(open) = self.open.get_untracked() else {
            return;
        };
        let (marks, unread) = (feed.now(), self.unread_now(open));
        let news = place > marks.seen;
        // What arrived late stands above, and is told by the number alone.
        if !news && (unread == 0 || marks.told == (place.1, unread)) {
            return;
        }
        feed.mark(move |marks| {
            marks.seen = marks.seen.max(place);
            marks.to_tell = marks.to_tell.max(Some(place));
        });
        if marks.to_tell.is_none() {
            timer::after(SEEN_MS, move || {
                if self.open.get_untracked() == Some(open) {
                    self.tell_seen(feed);
                }
            });
        }
    }

    /// Tells the engine, if it has not been told yet.
    fn tell_seen(self, feed: Feed) {
        let (to_tell, open) = (feed.now().to_tell, self.open.get_untracked());
        if let (Some((_, upto)), Some(community)) = (to_tell, open) {
            let told = (upto, self.unread_now(community));
            feed.mark(move |marks| (marks.to_tell, marks.told) = (None, told));
            self.ask(Command::Saw { community, upto }, |_| ());
        }
    }

    /// Another community is about to be opened.
    pub(super) fn stop_reading(self) {
        self.tell_seen(self.feed);
        self.tell_seen(self.thread.feed);
    }

    /// Nothing is unread any more, in any community.
    pub(crate) fn saw_all(self) {
        let all = self.communities.get_untracked().unwrap_or_default();
        for one in all.into_iter().filter(|one| one.unread.all() > 0) {
            let community = one.id;
            spawn_local(async move {
                // What is unread follows as news.
                let _ = self.engine.ask(Command::SawAll { community }).await;
            });
        }
        self.feed.see_all();
        self.thread.feed.see_all();
    }

    /// Tells no more of what is unread in the open community, or again.
    pub(crate) fn mute(self, on: bool) {
        if let Some(community) = self.open.get_untracked() {
            self.ask(Command::Mute { community, on }, |_| ());
        }
    }

    /// How much is unread in a community, of what its person wants to hear about.
    pub(crate) fn unread(self, one: &CommunityView) -> u32 {
        if one.muted {
            return 0;
        }
        let mut unread = one.unread;
        // The engine hears a moment later of what is being read.
        if self.open.get() == Some(one.id) && !self.traffic.surroundings.get().hidden {
            unread.posts = unread.posts.min(self.feed.fresh());
        }
        unread.all()
    }

    /// The same of all communities together.
    pub(crate) fn unread_in_all(self) -> u32 {
        self.communities.with(|all| {
            let unread = all.iter().flatten().map(|one| self.unread(one));
            unread.fold(0, u32::saturating_add)
        })
    }

    fn unread_now(self, community: CommunityRef) -> u32 {
        self.communities.with_untracked(|all| {
            let one = all.iter().flatten().find(|one| one.id == community);
            one.map_or(0, |one| one.unread.all())
        })
    }
}

use super::{Feed, State};
use crate::platform::{focus, tabs};
use leptos::prelude::*;
use std::sync::Arc;
use ume_api::{Command, EntryId, Failure, PostView, Reply};
use wasm_bindgen_futures::spawn_local;

/// The thread that is open beside the feed.
#[derive(Clone, Copy)]
pub(crate) struct Thread {
    /// Its post, as it is now.
    pub(crate) of: RwSignal<Option<Arc<PostView>>>,
    /// Its comments.
    pub(crate) feed: Feed,
}

impl Thread {
    pub(super) fn new() -> Self {
        Self {
            of: RwSignal::new(None),
            feed: Feed::new(),
        }
    }

    pub(super) fn clear(self) {
        self.of.set(None);
        self.feed.clear();
    }

    fn id(self) -> Option<EntryId> {
        self.of.with_untracked(|of| of.as_ref().map(|of| of.id))
    }

    /// New or changed posts and comments; those of this thread are taken.
    pub(super) fn learn(self, posts: &[PostView], mut comments: Vec<PostView>) {
        let Some(id) = self.id() else { return };
        if let Some(post) = posts.iter().find(|post| post.id == id) {
            self.of.set(Some(Arc::new(post.clone())));
        }
        comments.retain(|one| one.thread == Some(id));
        if !comments.is_empty() {
            self.feed.merge(comments);
        }
    }

    pub(super) fn remove(self, gone: &[EntryId]) {
        if self.id().is_some_and(|id| gone.contains(&id)) {
            return self.clear();
        }
        self.feed.remove(gone);
    }
}

impl State {
    /// Opens the thread of a post beside the feed, or in its place where there is no room.
    pub(crate) fn open_thread(self, post: Arc<PostView>) {
        self.open_thread_at(post, None);
    }

    /// The same; the keyboard goes to the post, or to one of its comments, wherever that stands.
    pub(super) fn open_thread_at(self, post: Arc<PostView>, at: Option<EntryId>) {
        let Some(community) = self.open.get_untracked() else {
            return;
        };
        let thread = self.thread;
        let id = post.id;
        if thread.id().is_none() {
            tabs::step();
        }
        thread.clear();
        thread.of.set(Some(post));
        let command = Command::Thread {
            community,
            post: id,
            before: None,
        };
        spawn_local(async move {
            let answer = self.engine.ask(command).await;
            if thread.id() == Some(id) {
                match answer {
                    Ok(Reply::Feed(page)) => {
                        thread.feed.begin(page);
                        thread.feed.end_seeking();
                    }
                    answer => thread.feed.fail(answer.err().unwrap_or(Failure::Internal)),
                }
            }
            match at {
                Some(at) if at == id => focus::soon("thread-title".into()),
                Some(at) => self.find_comment(id, at).await,
                None => {}
            }
        });
    }

    /// Goes back from it, as the tab's own *back* does: no step is left behind.
    pub(crate) fn leave_thread(self) {
        if self.thread.id().is_some() {
            tabs::back();
        }
    }

    /// Turns pages of the open thread until a comment is there.
    async fn find_comment(self, post: EntryId, comment: EntryId) {
        let feed = self.thread.feed;
        let here = || {
            let is_it = |one: &Arc<PostView>| one.id == comment;
            feed.posts
                .with_untracked(|all| all.iter().flatten().any(is_it))
        };
        while !here() && self.thread.id() == Some(post) {
            let (Some(community), Some(before)) = (self.open.get_untracked(), feed.begin_older())
            else {
                return focus::soon("thread-title".into());
            };
            let before = Some(before);
            let command = Command::Thread {
                community,
                post,
                before,
            };
            match self.engine.ask(command).await {
                Ok(Reply::Feed(page)) => feed.add_page(page),
                _ => return feed.give_up_older(),
            }
        }
        focus::soon(super::handle(comment));
    }

    /// Closes it; the keyboard goes back to the post.
    pub(crate) fn close_thread(self) {
        if let Some(id) = self.thread.id() {
            self.thread.clear();
            focus::settle(super::handle(id));
        }
    }
}

//! What the app knows: views that the engine sent, and where in the app the person is.
mod bells;
mod drafts;
mod feed;
mod files;
mod keys;
mod navigation;
mod people;
mod pictures;
mod posts;
mod reading;
mod searching;
mod sharing;
mod threads;
mod traffic;

pub(crate) use bells::Bells;
pub(crate) use drafts::Drafts;
pub(crate) use feed::{Feed, Stamp, stamp};
pub(crate) use files::{FileShown, Files};
pub(crate) use keys::{Act, Keys, Said, Shown, Step, refused};
pub(crate) use navigation::Page;
pub(crate) use people::{People, Voice, voice};
pub(crate) use pictures::Pictures;
pub(crate) use posts::{About, Handing, Posts, handle};
pub(crate) use searching::{Filter, Searching};
pub(crate) use sharing::{Link, Sharing};
pub(crate) use threads::Thread;
pub(crate) use traffic::{SHOWN_MS, Traffic, word};

use crate::engine::Engine;
use crate::later::Code;
use crate::platform::{boot, intl, memory, tabs, timer};
use leptos::prelude::*;
use std::ops::Deref;
use ume_api::{
    Command, CommunityRef, CommunityView, Connection, EntryId, Failure, FileId, FromEngine, News,
    Notice, PostView, Reply,
};
use wasm_bindgen_futures::spawn_local;

/// The engine says something within this time, or it never will.
const BOOT_PATIENCE_MS: u64 = 15_000;
const TICK_MS: u64 = 30_000;

/// How the engine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Asked, no word yet.
    Booting,
    /// Asked too long ago.
    Silent,
    /// It works for this page.
    Ready,
    /// It works for another tab.
    Held,
    /// It worked for this page until another tab took it.
    Yielded,
    /// It cannot work.
    Failed(Failure),
    /// It waits for a key.
    Locked,
    /// Everything here was erased.
    Erased,
}

/// All of the app's state; copies are the same state. It lives as long as the page, so whatever listens holds an address only.
#[derive(Clone, Copy)]
pub(crate) struct State(&'static Parts);

impl Deref for State {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        self.0
    }
}

/// What the state is made of.
pub(crate) struct Parts {
    /// How the engine is.
    pub(crate) stage: RwSignal<Stage>,
    /// All communities of this profile; `None` until the engine has named them.
    pub(crate) communities: RwSignal<Option<Vec<CommunityView>>>,
    /// Which one is open.
    pub(crate) open: RwSignal<Option<CommunityRef>>,
    /// The posts of the open one.
    pub(crate) feed: Feed,
    /// The thread that is open beside them.
    pub(crate) thread: Thread,
    /// The page that the person is on.
    pub(crate) page: RwSignal<Page>,
    /// The line to the relays.
    pub(crate) connection: RwSignal<Connection>,
    /// What a person should know; each once.
    pub(crate) notices: RwSignal<Vec<Notice>>,
    /// The people and links of the open one.
    pub(crate) people: People,
    /// What is being done with single posts.
    pub(crate) posts: Posts,
    /// The pictures that people show.
    pub(crate) pictures: Pictures,
    /// What is looked for.
    pub(crate) searching: Searching,
    /// The files beside posts.
    pub(crate) files: Files,
    /// The share sheet.
    pub(crate) sharing: Sharing,
    /// The lock and the keys.
    pub(crate) keys: Keys,
    /// What passes on the lines, and how far to hide.
    pub(crate) traffic: Traffic,
    /// Being woken when no page is open.
    pub(crate) bells: Bells,
    /// Milliseconds since 1970, twice a minute: keeps "2 minutes ago" true.
    pub(crate) now: RwSignal<u64>,
    /// The module that comes after the first screen.
    pub(crate) code: RwSignal<Code>,
    /// Whether a new version of the app waits.
    pub(crate) update: RwSignal<bool>,
    /// What is being written.
    pub(super) drafts: StoredValue<Drafts>,
    /// The line to the engine.
    pub(crate) engine: Engine,
}

impl State {
    /// The state of a page that just opened; `link` is the invite that its address carried.
    pub(crate) fn new(link: Option<String>) -> Self {
        Self(Box::leak(Box::new(Parts {
            stage: RwSignal::new(Stage::Booting),
            communities: RwSignal::new(None),
            open: RwSignal::new(None),
            feed: Feed::new(),
            thread: Thread::new(),
            page: RwSignal::new(link.map_or_else(first_page, Page::Redeem)),
            connection: RwSignal::new(Connection::Connecting),
            notices: RwSignal::new(Vec::new()),
            people: People::new(),
            posts: Posts::new(),
            pictures: Pictures::new(),
            searching: Searching::new(),
            files: Files::new(),
            sharing: Sharing::new(),
            keys: Keys::new(),
            traffic: Traffic::new(),
            bells: Bells::new(),
            now: RwSignal::new(intl::now()),
            code: RwSignal::new(Code::Coming),
            update: RwSignal::new(false),
            drafts: StoredValue::new(Drafts::default()),
            engine: Engine::new(),
        })))
    }

    /// Starts the engine and listens to it.
    pub(crate) fn start(self) {
        let around = self.traffic.surroundings.get_untracked();
        self.engine
            .connect(around, move |message| self.hear(message));
        self.follow_surroundings();
        self.follow_unread();
        self.watch_lock();
        self.watch_drafts();
        timer::after(BOOT_PATIENCE_MS, move || {
            if self.stage.get_untracked() == Stage::Booting {
                self.stage.set(Stage::Silent);
            }
        });
    }

    /// Keeps the time, and shows what came while nobody looked.
    pub(crate) fn keep_time(self) {
        timer::every(TICK_MS, move || self.now.set(intl::now()));
        tabs::on_seen(move || {
            self.now.set(intl::now());
            self.feed.come_back();
            self.thread.feed.come_back();
        });
    }

    /// The view of the open community.
    pub(crate) fn community(self) -> Option<CommunityView> {
        let open = self.open.get()?;
        self.communities.with(|all| {
            all.as_ref()?
                .iter()
                .find(|community| community.id == open)
                .cloned()
        })
    }

    /// The same, once.
    pub(crate) fn community_now(self) -> Option<CommunityView> {
        untrack(move || self.community())
    }

    /// Whether this profile can write in the open community, as of now.
    pub(crate) fn speaks(self) -> bool {
        let open = self.open.get_untracked();
        self.communities.with_untracked(|all| {
            let mut all = all.iter().flatten();
            all.any(|one| Some(one.id) == open && voice(one) == Voice::Speaks)
        })
    }

    /// Opens a community and shows it.
    pub(crate) fn enter(self, community: CommunityRef) {
        if self.open.get_untracked() != Some(community) {
            self.follow(community);
        }
        self.go(Page::Home);
    }

    /// Makes this page the one that has the engine.
    pub(crate) fn take_over(self) {
        self.engine.take_over();
    }

    /// The posts of the open community, or the comments of the open thread.
    pub(crate) fn feed_of(self, thread: Option<EntryId>) -> Feed {
        thread.map_or(self.feed, |_| self.thread.feed)
    }

    /// Asks for the posts, or comments of a thread, before the oldest one here.
    pub(crate) fn older(self, thread: Option<EntryId>) {
        let feed = self.feed_of(thread);
        let Some(community) = self.open.get_untracked() else {
            return;
        };
        let Some(before) = feed.begin_older() else {
            return;
        };
        let command = match thread {
            None => Command::Older { community, before },
            Some(post) => Command::Thread {
                community,
                post,
                before: Some(before),
            },
        };
        spawn_local(async move {
            let answer = self.engine.ask(command).await;
            let of = |post| {
                let open = self.thread.of;
                open.with_untracked(|open| open.as_ref().is_some_and(|open| open.id == post))
            };
            // Pages are fetched ahead: somebody may be elsewhere by now.
            if self.open.get_untracked() != Some(community) || !thread.is_none_or(of) {
                return;
            }
            match answer {
                Ok(Reply::Feed(page)) => feed.add_page(page),
                _ => feed.give_up_older(),
            }
        });
    }

    /// Publishes, in the feed or in a thread; the text is shown at once and comes back as a draft if it could not be kept.
    /// `lifetime`: seconds after which it ends; `files`: what goes with it, in that order.
    pub(crate) fn post(
        self,
        thread: Option<EntryId>,
        text: String,
        lifetime: Option<u64>,
        files: Vec<(FileId, String)>,
        on_failure: impl FnOnce(Failure, String) + 'static,
    ) {
        let Some(community) = self.open.get_untracked() else {
            return;
        };
        let feed = self.feed_of(thread);
        let ghost = feed.add_ghost(&text);
        let written = text.clone();
        let command = match thread {
            post if !files.is_empty() => Command::Publish {
                community,
                post,
                text,
                lifetime,
                files,
            },
            None => Command::Post {
                community,
                text,
                lifetime,
            },
            Some(post) => Command::Comment {
                community,
                post,
                text,
                lifetime,
            },
        };
        spawn_local(async move {
            match self.engine.ask(command).await {
                Ok(Reply::Posted(id)) => {
                    feed.posted(ghost, id);
                    self.has_something_to_lose();
                }
                answer => {
                    feed.drop_ghost(ghost);
                    on_failure(answer.err().unwrap_or(Failure::Internal), written);
                }
            }
        });
    }

    /// Tries the relays now.
    pub(crate) fn reconnect(self) {
        self.connection.set(Connection::Connecting);
        spawn_local(async move {
            // The outcome arrives as news.
            let _ = self.engine.ask(Command::Reconnect).await;
        });
    }

    /// Tries again to open what could not be opened.
    pub(crate) fn reopen(self) {
        if let Some(community) = self.open.get_untracked() {
            self.follow(community);
        }
    }

    fn follow(self, community: CommunityRef) {
        self.stop_reading();
        self.open.set(Some(community));
        self.feed.clear();
        self.thread.clear();
        self.people.clear();
        self.posts.clear();
        self.files.clear();
        memory::keep(memory::OPEN, Some(&community.0.to_string()));
        spawn_local(async move {
            let answer = self.engine.ask(Command::Open { community }).await;
            if self.open.get_untracked() != Some(community) {
                return;
            }
            match answer {
                Ok(Reply::Feed(page)) => self.seek_unread(community, page).await,
                answer => self.feed.fail(answer.err().unwrap_or(Failure::Internal)),
            }
        });
    }

    fn hear(self, message: FromEngine) {
        match message {
            FromEngine::Ready => {
                // After a take-over the views of before are stale.
                self.forget_drafts();
                self.open.set(None);
                self.feed.clear();
                self.thread.clear();
                self.people.clear();
                self.posts.clear();
                self.searching.clear();
                self.files.clear();
                self.unlocked();
                self.stage.set(Stage::Ready);
            }
            FromEngine::Held => self.stage.set(Stage::Held),
            FromEngine::Yielded => self.stage.set(Stage::Yielded),
            FromEngine::Failed(failure) => self.stage.set(Stage::Failed(failure)),
            FromEngine::Locked(lock) => self.locked(lock),
            FromEngine::News(news) => self.learn(news),
            FromEngine::Answer { .. } => {}
        }
    }

    fn learn(self, news: News) {
        match news {
            News::Communities(communities) => {
                memory::keep(memory::KNOWN, (!communities.is_empty()).then_some("1"));
                let open = self.open.get_untracked();
                let still = communities
                    .iter()
                    .any(|community| Some(community.id) == open);
                let next = if still { None } else { choose(&communities) };
                self.communities.set(Some(communities));
                if let Some(community) = next {
                    self.follow(community);
                }
            }
            News::Posts { community, posts } => {
                if self.open.get_untracked() == Some(community) {
                    let in_threads = |post: &PostView| post.thread.is_some();
                    let (comments, posts): (Vec<_>, Vec<_>) =
                        posts.into_iter().partition(in_threads);
                    self.thread.learn(&posts, comments);
                    if !posts.is_empty() {
                        self.feed.merge(posts);
                    }
                }
            }
            News::Gone { community, posts } => {
                if self.open.get_untracked() == Some(community) {
                    self.feed.remove(&posts);
                    self.thread.remove(&posts);
                }
            }
            News::Files { community, files } => {
                if self.open.get_untracked() == Some(community) {
                    self.learn_files(files);
                }
            }
            News::Connection(connection) => self.connection.set(connection),
            News::Traffic(view) => self.traffic.learn(view),
            News::Bells(all) => self.learn_bells(all),
            News::Vault(view) => self.keys.change(move |shown| shown.view = view),
            News::Notice(notice) => self.notices.update(|notices| {
                let kind = std::mem::discriminant(&notice);
                notices.retain(|other| std::mem::discriminant(other) != kind);
                notices.push(notice);
            }),
        }
    }
}

/// Where a shortcut leads, else home.
fn first_page() -> Page {
    match boot::goal().as_deref() {
        Some("add") => Page::Add,
        Some("start") => Page::Start,
        Some("settings") => Page::Settings,
        #[cfg(debug_assertions)]
        Some("gallery") => Page::Gallery,
        _ => Page::Home,
    }
}

/// The one that was open last, else the first.
fn choose(communities: &[CommunityView]) -> Option<CommunityRef> {
    let last = memory::recall(memory::OPEN)
        .and_then(|number| number.parse().ok())
        .map(CommunityRef);
    communities
        .iter()
        .find(|community| Some(community.id) == last)
        .or(communities.first())
        .map(|community| community.id)
}

/// The app's state, from any component.
pub(crate) fn state() -> State {
    expect_context()
}

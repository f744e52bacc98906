use super::State;
use crate::platform::{focus, intl, timer};
use leptos::prelude::*;
use std::sync::Arc;
use ume_api::{
    Command, CommunityRef, Failure, Found, FoundPage, FoundPlace, Person, PersonId, Reply, Search,
};
use wasm_bindgen_futures::spawn_local;

/// The engine is asked when nothing was typed for so long, milliseconds.
const PAUSE_MS: u64 = 120;
/// What was found is said when nothing changed for so long, milliseconds: not at every letter.
const SAID_MS: u64 = 900;

/// What narrows it down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) community: Option<CommunityRef>,
    pub(crate) author: Option<PersonId>,
    /// Days as their fields have them, the last one included.
    pub(crate) from: String,
    pub(crate) until: String,
}

/// What somebody looks for, and what was found. It stays while they look at what they found; nowhere but in memory.
#[derive(Clone, Copy)]
pub(crate) struct Searching {
    pub(crate) text: RwSignal<String>,
    pub(crate) filter: RwSignal<Filter>,
    /// Who wrote in the chosen community.
    pub(crate) people: RwSignal<Vec<Person>>,
    /// What was found; `None`: nothing is looked for, or not yet answered.
    pub(crate) found: RwSignal<Option<FoundPage>>,
    pub(crate) busy: RwSignal<bool>,
    pub(crate) failure: RwSignal<Option<Failure>>,
    /// How many were found, and whether there are more, once nothing changes any more.
    pub(crate) said: RwSignal<Option<(usize, bool)>>,
    /// Which search is the newest: an answer to another one comes too late.
    turn: StoredValue<u32>,
}

impl Searching {
    pub(super) fn new() -> Self {
        Self {
            text: RwSignal::new(String::new()),
            filter: RwSignal::new(Filter::default()),
            people: RwSignal::new(Vec::new()),
            found: RwSignal::new(None),
            busy: RwSignal::new(false),
            failure: RwSignal::new(None),
            said: RwSignal::new(None),
            turn: StoredValue::new(0),
        }
    }

    /// Forgets what was looked for.
    pub(super) fn clear(self) {
        self.text.set(String::new());
        self.filter.set(Filter::default());
        self.people.set(Vec::new());
        self.found.set(None);
        self.next();
    }

    fn next(self) -> u32 {
        self.turn.update_value(|turn| *turn = turn.wrapping_add(1));
        self.turn.get_value()
    }

    fn is_newest(self, turn: u32) -> bool {
        self.turn.get_value() == turn
    }

    fn wanted(self, after: Option<FoundPlace>) -> Search {
        let filter = self.filter.get_untracked();
        Search {
            text: self.text.get_untracked().trim().to_owned(),
            community: filter.community,
            author: filter.author,
            from: intl::midnight(&filter.from, 0),
            until: intl::midnight(&filter.until, 1),
            after,
        }
    }
}

impl State {
    /// Looks for what is in the fields, as soon as nobody types.
    pub(crate) fn look_soon(self) {
        let turn = self.searching.next();
        timer::after(PAUSE_MS, move || {
            if self.searching.is_newest(turn) {
                self.look(None);
            }
        });
    }

    /// Looks for what is in the fields, from the beginning or after a place. If that is nothing, the engine reads all posts so that it
    /// is ready when it is something.
    pub(crate) fn look(self, after: Option<FoundPlace>) {
        let searching = self.searching;
        let turn = searching.next();
        let search = searching.wanted(after);
        let nothing = search == Search::default();
        searching.busy.set(!nothing);
        searching.failure.set(None);
        if nothing {
            searching.found.set(None);
        }
        spawn_local(async move {
            let answer = self.engine.ask(Command::Search(search)).await;
            if nothing || !searching.is_newest(turn) {
                return;
            }
            searching.busy.set(false);
            match answer {
                Ok(Reply::Found(page)) => searching.learn(turn, page, after.is_some()),
                answer => {
                    let failure = answer.err().unwrap_or(Failure::Internal);
                    searching.failure.set(Some(failure));
                }
            }
        });
    }

    /// Chooses where to look, and learns who wrote there.
    pub(crate) fn look_in(self, community: Option<CommunityRef>) {
        let searching = self.searching;
        searching.people.set(Vec::new());
        searching.filter.update(|filter| {
            filter.community = community;
            filter.author = None;
        });
        self.look(None);
        let Some(community) = community else { return };
        spawn_local(async move {
            let members = self.engine.ask(Command::Members { community }).await;
            let former = self.engine.ask(Command::Former { community }).await;
            let (Ok(Reply::Members(members)), Ok(Reply::Former(former))) = (members, former) else {
                return;
            };
            let chosen = searching.filter.with_untracked(|filter| filter.community);
            if chosen == Some(community) {
                let members = members.into_iter().map(|one| one.person);
                let former = former.into_iter().map(|one| one.person);
                searching.people.set(members.chain(former).collect());
            }
        });
    }

    /// Opens the thread of what was found, in its community. `gone`: it is not here any more.
    pub(crate) fn open_found(self, found: &Found, gone: Callback<()>) {
        let (community, id) = (found.community, found.id);
        let post = found.thread.as_ref().map_or(id, |(post, _)| *post);
        spawn_local(async move {
            let answer = self.engine.ask(Command::Single { community, post }).await;
            let Ok(Reply::Feed(mut page)) = answer else {
                return gone.run(());
            };
            let Some(post) = page.posts.pop() else {
                return gone.run(());
            };
            if self.open.get_untracked() != Some(community) {
                self.follow(community);
            }
            self.page.set(super::Page::Home);
            self.open_thread_at(Arc::new(post), Some(id));
        });
    }
}

impl Searching {
    fn learn(self, turn: u32, page: FoundPage, further: bool) {
        let mut page = page;
        let known = self.found.get_untracked().filter(|_| further);
        if let Some(known) = known {
            // Whoever asked for more goes on reading there.
            let first = page.found.first().map(|one| super::handle(one.id));
            focus::soon(first.unwrap_or_default());
            page.found.splice(0..0, known.found);
        }
        let said = (page.found.len(), page.more.is_some());
        self.found.set(Some(page));
        timer::after(SAID_MS, move || {
            if self.is_newest(turn) {
                self.said.set(Some(said));
            }
        });
    }
}

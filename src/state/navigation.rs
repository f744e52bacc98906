use super::State;
use crate::platform::{focus, tabs};
use leptos::prelude::*;

/// Where in the app a person can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// The open community's feed, or the first run.
    Home,
    /// Who is in the open community, by which links people come, and its rules.
    People,
    /// What passes between this device and its relays, and how far to hide it.
    Traffic,
    /// What opens the vault, and when ume locks.
    Keys,
    /// How ume looks, what it stores, how its relays are.
    Settings,
    /// Looking for posts.
    Search,
    /// All components, for whoever works on them.
    #[cfg(debug_assertions)]
    Gallery,
    /// Join or start another community.
    Add,
    /// Start a community.
    Start,
    /// Look at the invite of this link.
    Redeem(String),
}

impl State {
    /// Goes to a page; *back* leads home.
    pub(crate) fn go(self, page: Page) {
        let here = self.page.get_untracked();
        if here == page {
            return;
        }
        if here == Page::Home {
            tabs::step();
        }
        self.page.set(page);
    }

    /// Goes looking for posts, if there can be any; the keyboard is in the field.
    pub(crate) fn go_search(self) {
        let some = self
            .communities
            .with_untracked(|all| all.as_ref().is_some_and(|all| !all.is_empty()));
        if some && self.stage.get_untracked() == super::Stage::Ready {
            self.go(Page::Search);
            focus::later("#search-text");
        }
    }

    /// Follows the tab's own *back*.
    pub(crate) fn follow_back(self) {
        tabs::on_back(move || {
            self.close_thread();
            self.page.set(Page::Home);
        });
    }
}

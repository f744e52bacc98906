use super::State;
use leptos::prelude::*;
use std::collections::BTreeMap;
use ume_api::{
    Command, CommunityRef, Failure, HistoryWindow, InviteKind, InviteState, InviteTerms, Reply,
    Role,
};
use wasm_bindgen_futures::spawn_local;

/// Terms as a key: the same community and terms give the same link again while the page lives, until one of this person's
/// links has ended. Which one it was is not known here, so none is given again then.
type Key = (
    CommunityRef,
    bool,
    Option<u64>,
    Option<u32>,
    (u8, u16),
    Role,
    usize,
);

/// What the share sheet shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// None was asked for with these terms.
    None,
    /// The engine makes one.
    Making,
    /// Here it is.
    Made(String),
    /// None could be made.
    Failed(Failure),
}

/// The share sheet's state.
#[derive(Clone, Copy)]
pub(crate) struct Sharing {
    /// Whether the sheet is open.
    pub(crate) open: RwSignal<bool>,
    /// The terms chosen in it.
    pub(crate) terms: RwSignal<InviteTerms>,
    /// The link for these terms.
    pub(crate) link: RwSignal<Link>,
    made: StoredValue<BTreeMap<Key, String>>,
    /// How many of this person's links have ended.
    ended: StoredValue<usize>,
}

impl Sharing {
    pub(super) fn new() -> Self {
        Self {
            open: RwSignal::new(false),
            terms: RwSignal::new(InviteTerms::default()),
            link: RwSignal::new(Link::None),
            made: StoredValue::new(BTreeMap::new()),
            ended: StoredValue::new(0),
        }
    }
}

impl State {
    /// Opens the share sheet with a link under the usual terms.
    pub(crate) fn share(self) {
        let sharing = self.sharing;
        let Some(community) = self.open.get_untracked() else {
            return;
        };
        let closed = self
            .community_now()
            .is_some_and(|one| one.rules.private_only);
        let mut terms = InviteTerms::default();
        if closed {
            terms.kind = InviteKind::Private;
        }
        sharing.terms.set(terms);
        sharing.open.set(true);
        if closed {
            // Each private link is for one person: one is made when it is asked for.
            return sharing.link.set(Link::None);
        }
        sharing.link.set(Link::Making);
        spawn_local(async move {
            if let Ok(Reply::Invites(invites)) =
                self.engine.ask(Command::Invites { community }).await
            {
                let own = invites.iter().filter(|one| one.issuer.me);
                let ended = own.filter(|one| one.state != InviteState::Open).count();
                sharing.ended.set_value(ended);
            }
            let unchanged = sharing
                .terms
                .with_untracked(|terms| *terms == InviteTerms::default());
            if unchanged && sharing.open.get_untracked() {
                self.make_link();
            }
        });
    }

    /// Changes the terms. A link for them is made when the person asks, as each is an invite that stays valid.
    pub(crate) fn set_terms(self, change: impl FnOnce(&mut InviteTerms)) {
        self.sharing.terms.update(change);
        let Some(key) = self.sharing_key() else {
            return;
        };
        let made = self.sharing.made.with_value(|made| made.get(&key).cloned());
        self.sharing.link.set(made.map_or(Link::None, Link::Made));
    }

    /// Makes a link for the chosen terms, unless there is one.
    pub(crate) fn make_link(self) {
        let sharing = self.sharing;
        let Some(key) = self.sharing_key() else {
            return;
        };
        if let Some(link) = sharing.made.with_value(|made| made.get(&key).cloned()) {
            return sharing.link.set(Link::Made(link));
        }
        sharing.link.set(Link::Making);
        let terms = sharing.terms.get_untracked();
        let command = Command::Share {
            community: key.0,
            terms,
        };
        spawn_local(async move {
            let link = match self.engine.ask(command).await {
                Ok(Reply::Link(link)) => {
                    // A private link is for one person, and not given again.
                    if terms.kind == InviteKind::Open {
                        sharing
                            .made
                            .update_value(|made| drop(made.insert(key, link.clone())));
                    }
                    Link::Made(link)
                }
                answer => Link::Failed(answer.err().unwrap_or(Failure::Internal)),
            };
            if self.sharing_key() == Some(key) && sharing.terms.get_untracked() == terms {
                sharing.link.set(link);
            }
        });
    }

    fn sharing_key(self) -> Option<Key> {
        let terms = self.sharing.terms.get_untracked();
        let history = match terms.history {
            HistoryWindow::None => (0, 0),
            HistoryWindow::Days(days) => (1, days),
            HistoryWindow::All => (2, 0),
        };
        Some((
            self.open.get_untracked()?,
            terms.kind == InviteKind::Private,
            terms.expires_in,
            terms.max_uses,
            history,
            terms.role,
            self.sharing.ended.get_value(),
        ))
    }
}

//! What is being written, by place. The engine keeps it, sealed, a moment after it was typed and at once when nobody looks any
//! more; the engine also lets go of it in the same stroke in which it is published.
use super::State;
use crate::platform::{boot, tabs, timer};
use leptos::prelude::*;
use ume_api::{Command, CommunityRef, Place, Reply};
use wasm_bindgen_futures::spawn_local;

/// After so long what was typed is kept.
const KEEP_MS: u64 = 400;
/// Locking waits so long for what is to be kept.
const LOCK_MS: u64 = 1_000;

/// Where something is written.
pub(crate) type Desk = (CommunityRef, Place);

/// What is being written, as far as this page knows.
#[derive(Default)]
pub(crate) struct Drafts {
    texts: Vec<(Desk, String, Kept)>,
    /// Some are about to be kept.
    due: bool,
}

/// Whether the engine has a draft as it is.
type Kept = bool;

impl Drafts {
    fn put(&mut self, at: Desk, text: Option<(String, Kept)>) {
        self.texts.retain(|(other, ..)| *other != at);
        if let Some((text, kept)) = text {
            self.texts.push((at, text, kept));
        }
    }

    /// The engine could not keep it.
    fn missed(&mut self, at: Desk) {
        let mut texts = self.texts.iter_mut();
        if let Some((.., kept)) = texts.find(|(other, ..)| *other == at) {
            *kept = false;
        }
    }
}

impl State {
    /// What is being written there, as far as this page knows.
    pub(crate) fn draft(self, at: Desk) -> Option<String> {
        self.drafts.with_value(|drafts| {
            let mut texts = drafts.texts.iter();
            let found = texts.find(|(other, ..)| *other == at);
            found.map(|(_, text, _)| text.clone())
        })
    }

    /// Somebody wrote, or emptied it.
    pub(crate) fn write(self, at: Desk, text: String) {
        let due = self.drafts.try_update_value(|drafts| {
            drafts.put(at, Some((text, false)));
            std::mem::replace(&mut drafts.due, true)
        });
        if due == Some(false) {
            timer::after(KEEP_MS, move || self.keep_drafts());
        }
    }

    /// It is published, or nobody wants it any more; the engine knows.
    pub(crate) fn sent(self, at: Desk) {
        self.drafts.update_value(|drafts| drafts.put(at, None));
    }

    /// Hands over what was being written there when that is known; nothing is handed over where nothing was.
    pub(crate) fn recall(self, at: Desk, then: impl FnOnce(String) + 'static) {
        if let Some(text) = self.draft(at) {
            if !text.is_empty() {
                then(text);
            }
            return;
        }
        let (community, place) = at;
        self.ask(Command::Draft { community, place }, move |answer| {
            // What is typed by now counts.
            if let (Ok(Reply::Draft(text)), None) = (answer, self.draft(at))
                && !text.is_empty()
            {
                let known = Some((text.clone(), true));
                self.drafts.update_value(|drafts| drafts.put(at, known));
                then(text);
            }
        });
    }

    /// Has the engine keep what it does not have yet.
    pub(super) fn keep_drafts(self) {
        self.keep_drafts_and(|| ());
    }

    /// Locks ume once what is written is kept.
    pub(crate) fn lock(self) {
        self.keep_drafts_and(boot::lock);
        // Whatever keeps it from that: locking goes first.
        timer::after(LOCK_MS, boot::lock);
    }

    fn keep_drafts_and(self, then: impl FnOnce() + 'static) {
        let unkept = self.drafts.try_update_value(|drafts| {
            drafts.due = false;
            let unkept = drafts.texts.iter_mut().filter(|(.., kept)| !*kept);
            let unkept = unkept.map(|(at, _, kept)| {
                *kept = true;
                *at
            });
            unkept.collect::<Vec<Desk>>()
        });
        let mut unkept = unkept.unwrap_or_default();
        let last = unkept.pop();
        for at in unkept {
            self.keep_draft(at, None);
        }
        match last {
            // They are answered in their order.
            Some(last) => self.keep_draft(last, Some(Box::new(then))),
            None => then(),
        }
    }

    fn keep_draft(self, at: Desk, then: Option<Box<dyn FnOnce()>>) {
        let (community, place) = at;
        let keep = Command::Keep {
            community,
            place,
            text: self.draft(at).unwrap_or_default(),
        };
        spawn_local(async move {
            // What cannot be kept stays on the page, and is tried again with the next that is.
            if self.engine.ask(keep).await.is_err() {
                self.drafts.update_value(|drafts| drafts.missed(at));
            }
            if let Some(then) = then {
                then();
            }
        });
    }

    /// The engine is another one: what it has counts, and what it was not told.
    pub(super) fn forget_drafts(self) {
        self.drafts
            .update_value(|drafts| drafts.texts.retain(|(.., kept)| !kept));
    }

    /// Keeps at once what is written, and what was read, when nobody looks any more.
    pub(super) fn watch_drafts(self) {
        tabs::on_turn(move || {
            if tabs::hidden() {
                self.keep_drafts();
                self.stop_reading();
            }
        });
    }
}

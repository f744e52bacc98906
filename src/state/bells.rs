use super::State;
use crate::components::live::effect;
use crate::i18n::{I18n, t_string};
use crate::platform::{bell, boot, memory, tabs};
use leptos::prelude::*;
use ume_api::{BellView, Command};
use wasm_bindgen_futures::spawn_local;

/// Hours of the day in which no notice is to be heard, from and to; the same twice: none.
pub(crate) type Hours = (u8, u8);

/// Being woken when no page is open.
#[derive(Clone, Copy)]
pub(crate) struct Bells {
    /// Relays that do it, or could.
    pub(crate) all: RwSignal<Vec<BellView>>,
    /// Somebody wants it.
    pub(crate) wanted: RwSignal<bool>,
    /// It is being set up.
    pub(crate) busy: RwSignal<bool>,
    /// The browser, or the person, did not want to.
    pub(crate) failed: RwSignal<bool>,
    /// The hours that are to be quiet.
    pub(crate) hours: RwSignal<Hours>,
}

impl Bells {
    pub(super) fn new() -> Self {
        Self {
            all: RwSignal::new(Vec::new()),
            wanted: RwSignal::new(memory::recall(memory::NOTICES).is_some_and(|word| word == "on")),
            busy: RwSignal::new(false),
            failed: RwSignal::new(false),
            hours: RwSignal::new(hours().unwrap_or_default()),
        }
    }

    /// Whether there is a relay that could do it.
    pub(crate) fn offered(self) -> bool {
        self.all.with(|all| all.iter().any(|one| !one.refused))
    }
}

impl State {
    /// What relays offer is another. One that is new is asked as well, if that is wanted.
    pub(super) fn learn_bells(self, all: Vec<BellView>) {
        let missing = all.iter().any(|one| !one.on && !one.key.is_empty());
        self.bells.all.set(all);
        if missing && self.bells.wanted.get_untracked() && bell::is_allowed() {
            spawn_local(async move {
                self.ring_all().await;
            });
        }
    }

    /// Wants to be woken; asks the browser, which asks the person.
    pub(crate) fn want_notices(self) {
        let bells = self.bells;
        bells.busy.set(true);
        bells.failed.set(false);
        spawn_local(async move {
            let mut rings = false;
            if bell::allow().await {
                memory::keep(memory::NOTICES, Some("on"));
                bells.wanted.set(true);
                rings = self.ring_all().await;
            }
            bells.failed.set(!rings);
            bells.busy.set(false);
        });
    }

    /// Does not want to be woken any more, or was asked and said no.
    pub(crate) fn refuse_notices(self) {
        memory::keep(memory::NOTICES, Some("off"));
        self.bells.wanted.set(false);
        let all = self.bells.all.get_untracked();
        spawn_local(async move {
            for one in all.into_iter().filter(|one| one.on) {
                let relay = one.relay;
                let _ = self.engine.ask(Command::Ring { relay, to: None }).await;
            }
            bell::still().await;
        });
    }

    /// Asks every relay that offers it; whether one wakes this browser then.
    async fn ring_all(self) -> bool {
        let all = self.bells.all.get_untracked();
        let mut rings = all.iter().any(|one| one.on);
        for one in all {
            if one.on || one.key.is_empty() {
                continue;
            }
            let to = bell::ring(&one.key).await;
            if to.is_some() {
                let relay = one.relay;
                rings |= self.engine.ask(Command::Ring { relay, to }).await.is_ok();
            }
        }
        rings
    }

    /// While nobody looks at this page relays wake nobody, since it is connected: it says itself that something is new.
    pub(super) fn follow_unread(self) {
        let mut before = 0;
        effect(move || {
            let unread = self.unread_in_all();
            let more = unread > std::mem::replace(&mut before, unread);
            if more && tabs::hidden() && self.bells.wanted.get_untracked() {
                spawn_local(bell::hint());
            }
        });
    }

    /// Chooses the hours that are to be quiet.
    pub(crate) fn choose_hours(self, hours: Hours) {
        memory::keep(memory::QUIET, Some(&format!("{}-{}", hours.0, hours.1)));
        self.bells.hours.set(hours);
    }

    /// Leaves what a notice says, in the language of the person, whenever that is another.
    pub(crate) fn leave_words(self, i18n: I18n) {
        let bells = self.bells;
        effect(move || {
            if !bells.wanted.get() {
                return;
            }
            let (title, hours) = (boot::brand().name, bells.hours.get());
            let body = t_string!(i18n, notices.something).to_owned();
            spawn_local(async move {
                bell::leave_words(&title, &body, hours).await;
            });
        });
    }
}

fn hours() -> Option<Hours> {
    let kept = memory::recall(memory::QUIET)?;
    let (from, to) = kept.split_once('-')?;
    let hour = |text: &str| text.parse().ok().filter(|hour| *hour < 24);
    Some((hour(from)?, hour(to)?))
}

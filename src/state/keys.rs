//! What opens the vault, and when ume locks itself.
use super::{Stage, State};
use crate::components::live::effect;
use crate::platform::{boot, intl, memory, tabs, timer};
use leptos::prelude::*;
use ume_api::{Failure, LockRules, LockView, Reply, Secret, UnlockKey, VaultDeed, VaultView};
use wasm_bindgen_futures::spawn_local;

/// How often it is looked whether nobody touched ume for too long, milliseconds.
const LOOK_MS: u64 = 5_000;

/// The lock and the keys, as the page knows them.
#[derive(Clone, Copy)]
pub(crate) struct Keys {
    /// The lock, while it is shut.
    pub(crate) lock: RwSignal<Option<LockView>>,
    /// What opens the vault.
    pub(crate) view: RwSignal<VaultView>,
    /// Whether something is being tried or changed.
    pub(crate) busy: RwSignal<bool>,
    /// Why the last change was not made.
    pub(crate) failure: RwSignal<Option<Failure>>,
    /// Whether to remind of keeping the key.
    pub(crate) remind: RwSignal<bool>,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self {
            lock: RwSignal::new(None),
            view: RwSignal::new(VaultView::default()),
            busy: RwSignal::new(false),
            failure: RwSignal::new(None),
            remind: RwSignal::new(false),
        }
    }

    /// Whether ume can be locked: a person is asked for a key.
    pub(crate) fn lockable(self) -> bool {
        self.view.with(|view| view.passphrase && !view.device)
    }
}

impl State {
    pub(super) fn locked(self, lock: LockView) {
        self.keys.busy.set(false);
        self.keys.lock.set(Some(lock));
        self.stage.set(Stage::Locked);
    }

    /// Tries a key on the lock.
    pub(crate) fn unlock(self, key: UnlockKey) {
        if !self.keys.busy.get_untracked() {
            self.keys.busy.set(true);
            self.engine.unlock(key);
        }
    }

    /// Changes what opens the vault.
    pub(crate) fn keep(self, deed: VaultDeed, done: impl FnOnce(Reply) + 'static) {
        let keys = self.keys;
        if keys.busy.get_untracked() {
            return;
        }
        keys.busy.set(true);
        keys.failure.set(None);
        let done: Box<dyn FnOnce(Reply)> = Box::new(done);
        spawn_local(async move {
            let answer = self.engine.keep(deed).await;
            keys.busy.set(false);
            match answer {
                Ok(reply) => done(reply),
                Err(failure) => keys.failure.set(Some(failure)),
            }
        });
    }

    /// Locks ume by itself, as the rules say.
    pub(crate) fn watch_lock(self) {
        let touched = StoredValue::new(intl::now());
        tabs::on_touch(move || touched.set_value(intl::now()));
        let keys = self.keys;
        let rules = move || {
            untrack(|| keys.lockable())
                .then(|| keys.view.with_untracked(|view| view.rules))
                .unwrap_or_default()
        };
        timer::every(LOOK_MS, move || {
            let minutes = u64::from(rules().idle_minutes);
            let idle = intl::now().saturating_sub(touched.get_value());
            if minutes > 0 && idle >= minutes * 60_000 {
                boot::lock();
            }
        });
        tabs::on_turn(move || {
            if rules().hide && tabs::hidden() {
                boot::lock();
            }
        });
        // Nobody looked already when the rule came.
        effect(move || {
            let LockRules { hide, .. } = keys.view.with(|view| view.rules);
            if hide && keys.lockable() && tabs::hidden() {
                boot::lock();
            }
        });
    }

    /// After a post: storage is asked to last, and the person is reminded, until they say that they know.
    pub(super) fn has_something_to_lose(self) {
        if memory::recall(memory::REMINDED).is_none() {
            boot::persist();
            self.keys.remind.set(true);
        }
    }

    /// Does not remind again.
    pub(crate) fn reminded(self) {
        memory::keep(memory::REMINDED, Some("1"));
        self.keys.remind.set(false);
    }
}

/// What was typed, as it is sent.
pub(crate) fn secret(typed: RwSignal<String>) -> Secret {
    Secret(typed.with_untracked(|typed| intl::composed(typed).into_bytes()))
}

//! What opens the vault, and when ume locks itself.
use super::{Page, Stage, State};
use crate::platform::{boot, focus, form, intl, keys, memory, tabs, timer};
use leptos::prelude::*;
use ume_api::{
    Failure, LockRules, LockView, PASSPHRASE_LETTERS_MIN, Refused, Reply, Secret, UnlockKey,
    VaultDeed, VaultView,
};
use wasm_bindgen_futures::spawn_local;

/// How often it is looked whether nobody touched ume for too long, milliseconds.
const LOOK_MS: u64 = 5_000;

/// All that the lock and the page of keys show: one signal, since each type of signal makes the app larger.
#[derive(Default)]
pub(crate) struct Shown {
    /// The lock, while it is shut.
    pub(crate) lock: Option<LockView>,
    /// What opens the vault.
    pub(crate) view: VaultView,
    /// Whether something is being tried or changed.
    pub(crate) busy: bool,
    /// What is under way.
    pub(crate) step: Step,
    /// What went wrong.
    pub(crate) said: Said,
    /// Recovery words that were made, and which two are asked for.
    pub(crate) words: (Vec<String>, [u8; 2]),
    /// Whether to remind of keeping the key.
    pub(crate) remind: bool,
}

/// What is under way on one of these pages.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Step {
    #[default]
    Rest,
    Passphrase,
    WordsShown,
    WordsAsked,
    /// At the lock: words and not the passphrase.
    ByWords,
    Erase,
}

/// What went wrong.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Said {
    #[default]
    Nothing,
    Short,
    Differ,
    Passkey,
    Erase,
    Failure(Failure),
}

/// What a person does there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Nothing,
    Begin(Step),
    Open,
    OpenByPasskey,
    SavePassphrase,
    RemovePassphrase,
    Lock,
    Rules,
    MakeWords,
    KeepWords,
    DropWords,
    AddPasskey,
    DropPasskey(usize),
    Erase,
    /// To the page of keys, from the reminder.
    Keep,
    /// No reminder any more.
    Dismiss,
}

/// The lock and the keys, as the page knows them.
#[derive(Clone, Copy)]
pub(crate) struct Keys {
    pub(crate) shown: RwSignal<Shown>,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self {
            shown: RwSignal::new(Shown::default()),
        }
    }

    /// Whether ume can be locked, and when it locks itself.
    fn rules(self) -> LockRules {
        self.shown.with_untracked(|Shown { view, .. }| {
            if view.passphrase && !view.device {
                view.rules
            } else {
                LockRules::default()
            }
        })
    }

    fn set(self, step: Step, said: Said) {
        self.change(move |shown| (shown.step, shown.said, shown.busy) = (step, said, false));
    }

    /// Boxed, so that what keeps the pages in step is compiled once.
    pub(super) fn change(self, how: impl FnOnce(&mut Shown) + 'static) {
        change_of(self.shown, Box::new(how));
    }
}

fn change_of(shown: RwSignal<Shown>, how: Box<dyn FnOnce(&mut Shown)>) {
    shown.update(how);
}

impl State {
    /// Does what a button says.
    pub(crate) fn act(self, act: Act) {
        let keys = self.keys;
        let (step, busy) = keys.shown.with_untracked(|shown| (shown.step, shown.busy));
        if busy {
            return;
        }
        match act {
            Act::Nothing => {}
            Act::Begin(step) => {
                if step == Step::Rest {
                    keys.change(|shown| shown.words = Default::default());
                }
                keys.set(step, Said::Nothing);
                focus::later(".keys-form .field input");
            }
            Act::Open => {
                let key = secret("key");
                if !key.0.is_empty() {
                    self.unlock(if step == Step::ByWords {
                        UnlockKey::Words(key)
                    } else {
                        UnlockKey::Passphrase(key)
                    });
                }
            }
            Act::SavePassphrase => self.save_passphrase(),
            Act::RemovePassphrase => {
                let current = secret("current");
                self.keep(VaultDeed::NoPassphrase { current });
            }
            Act::Lock => self.lock(),
            Act::Rules => self.keep(VaultDeed::Rules(LockRules {
                idle_minutes: form::chosen("idle"),
                hide: form::ticked("hide"),
            })),
            Act::MakeWords => self.keep(VaultDeed::MakeWords),
            Act::KeepWords => {
                let answers = [secret("word-one"), secret("word-two")];
                self.keep(VaultDeed::KeepWords { answers });
            }
            Act::DropWords => self.keep(VaultDeed::NoWords),
            Act::DropPasskey(at) => {
                let passkey = |shown: &Shown| shown.view.passkeys.get(at).cloned();
                if let Some(passkey) = keys.shown.with_untracked(passkey) {
                    let credential = passkey.credential;
                    self.keep(VaultDeed::NoPasskey { credential });
                }
            }
            Act::AddPasskey | Act::OpenByPasskey | Act::Erase => {
                keys.change(|shown| shown.busy = true);
                spawn_local(self.ask_browser(act));
            }
            Act::Keep => {
                self.reminded();
                self.go(Page::Keys);
            }
            Act::Dismiss => self.reminded(),
        }
    }

    /// What only the browser can do.
    async fn ask_browser(self, act: Act) {
        let keys = self.keys;
        let (passkeys, step) = keys.shown.with_untracked(|shown| {
            let lock = shown.lock.as_ref();
            let passkeys = lock.map_or(&shown.view.passkeys, |lock| &lock.passkeys);
            (passkeys.clone(), shown.step)
        });
        if act == Act::Erase {
            if keys::erase().await {
                self.stage.set(Stage::Erased);
            } else {
                keys.set(step, Said::Erase);
            }
            return;
        }
        let given = keys::passkey(&passkeys, act == Act::AddPasskey).await;
        keys.set(step, Said::Nothing);
        match given {
            Some((passkey, output)) if act == Act::AddPasskey => {
                self.keep(VaultDeed::Passkey { passkey, output });
            }
            Some((passkey, output)) => self.unlock(UnlockKey::Passkey {
                credential: passkey.credential,
                output,
            }),
            None => keys.set(step, Said::Passkey),
        }
    }

    fn save_passphrase(self) {
        let keys = self.keys;
        let has = keys.shown.with_untracked(|shown| shown.view.passphrase);
        let new = form::typed("new");
        let wants = !new.is_empty() || !has;
        if wants && new.chars().count() < PASSPHRASE_LETTERS_MIN {
            keys.set(Step::Passphrase, Said::Short);
        } else if wants && new != form::typed("again") {
            keys.set(Step::Passphrase, Said::Differ);
        } else {
            self.keep(VaultDeed::Passphrase {
                current: has.then(|| secret("current")),
                new: wants.then(|| Secret(new.into_bytes())),
                alone: form::ticked("alone"),
            });
        }
    }

    /// Tries a key on the lock.
    fn unlock(self, key: UnlockKey) {
        self.keys.change(|shown| shown.busy = true);
        self.engine.unlock(key);
    }

    /// Changes what opens the vault.
    fn keep(self, deed: VaultDeed) {
        let keys = self.keys;
        let here = focus::here();
        keys.change(|shown| shown.busy = true);
        spawn_local(async move {
            let answer = self.engine.keep(deed).await;
            let step = keys.shown.with_untracked(|shown| shown.step);
            match answer {
                Ok(Reply::Words { words, asked }) => {
                    let words = String::from_utf8_lossy(&words.0);
                    let words = words.split(' ').map(str::to_owned).collect();
                    keys.change(move |shown| shown.words = (words, asked));
                    keys.set(Step::WordsShown, Said::Nothing);
                }
                Ok(_) => {
                    keys.change(|shown| shown.words = Default::default());
                    keys.set(Step::Rest, Said::Nothing);
                    focus::settle(here);
                }
                Err(failure) => {
                    keys.set(step, Said::Failure(failure));
                    focus::later(".keys-form .field input");
                }
            }
        });
    }

    pub(super) fn locked(self, lock: LockView) {
        let keys = self.keys;
        let wait = lock.wait_ms;
        keys.change(move |shown| {
            shown.busy = false;
            shown.said = Said::Nothing;
            shown.lock = Some(lock);
        });
        self.stage.set(Stage::Locked);
        if wait > 0 {
            timer::after(u64::from(wait), move || {
                keys.change(|shown| {
                    if let Some(lock) = &mut shown.lock {
                        (lock.wait_ms, lock.refused) = (0, None);
                    }
                });
            });
        }
        focus::later("#key");
    }

    pub(super) fn unlocked(self) {
        self.keys.change(|shown| {
            *shown = Shown {
                view: std::mem::take(&mut shown.view),
                ..Shown::default()
            };
        });
    }

    /// Locks ume by itself, as the rules say.
    pub(crate) fn watch_lock(self) {
        let touched = StoredValue::new(intl::now());
        tabs::on_touch(move || touched.set_value(intl::now()));
        let keys = self.keys;
        timer::every(LOOK_MS, move || {
            let minutes = u64::from(keys.rules().idle_minutes);
            let idle = intl::now().saturating_sub(touched.get_value());
            if minutes > 0 && idle >= minutes * 60_000 {
                self.lock();
            }
        });
        tabs::on_turn(move || {
            if keys.rules().hide && tabs::hidden() {
                self.lock();
            }
        });
    }

    /// After a post: storage is asked to last, and the person is reminded, until they say that they know.
    pub(super) fn has_something_to_lose(self) {
        if memory::recall(memory::REMINDED).is_none() {
            boot::persist();
            self.keys.change(|shown| shown.remind = true);
        }
    }

    fn reminded(self) {
        memory::keep(memory::REMINDED, Some("1"));
        self.keys.change(|shown| shown.remind = false);
    }
}

/// What was typed into a field, as it is sent.
fn secret(id: &str) -> Secret {
    Secret(form::typed(id).into_bytes())
}

/// Why the lock did not open, where that is more than a pause.
pub(crate) fn refused(shown: &Shown) -> Option<Refused> {
    shown.lock.as_ref()?.refused.filter(|_| !shown.busy)
}

//! The vault is locked: the one thing to do is to open it.
use crate::components::erase::erase;
use crate::components::live::{effect, part};
use crate::components::mark::mark;
use crate::components::secret::secret_field;
use crate::i18n::{choose, t, t_string, use_i18n};
use crate::platform::{intl, keys, timer};
use crate::state::{secret, state};
use leptos::prelude::*;
use ume_api::{Refused, Secret, UnlockKey};
use wasm_bindgen_futures::spawn_local;

/// The lock.
#[component]
pub(crate) fn Unlock() -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let (lock, busy) = (state.keys.lock, state.keys.busy);
    let typed = RwSignal::new(String::new());
    let by_words = RwSignal::new(false);
    let left = RwSignal::new(0_u32);
    let unused = RwSignal::new(false);
    effect(move || {
        let view = lock.get();
        left.set(view.as_ref().map_or(0, |view| view.wait_ms.div_ceil(1000)));
        if view.is_some_and(|view| view.refused == Some(Refused::Wrong)) {
            typed.set(String::new());
        }
    });
    timer::while_here(1_000, move || {
        left.update(|left| *left = left.saturating_sub(1));
    });
    let open = move || {
        if left.get_untracked() > 0 || typed.with_untracked(String::is_empty) {
            return;
        }
        unused.set(false);
        let key = secret(typed);
        state.unlock(if by_words.get_untracked() {
            UnlockKey::Words(key)
        } else {
            UnlockKey::Passphrase(key)
        });
    };
    let passkey = move |_| {
        let passkeys = lock.with_untracked(|view| {
            view.as_ref()
                .map(|view| view.passkeys.clone())
                .unwrap_or_default()
        });
        unused.set(false);
        spawn_local(async move {
            match keys::ask_passkey(&passkeys).await {
                Some((credential, output)) => state.unlock(UnlockKey::Passkey {
                    credential,
                    output: Secret(output),
                }),
                None => unused.set(true),
            }
        });
    };
    let trouble = move || {
        if busy.get() {
            return String::new();
        }
        if unused.get() {
            return t_string!(i18n, vault.passkey_unused).to_owned();
        }
        let refused = lock.with(|view| view.as_ref().and_then(|view| view.refused));
        match refused {
            Some(Refused::Wrong) => t_string!(i18n, vault.wrong).to_owned(),
            Some(Refused::NoWords) => t_string!(i18n, vault.no_words).to_owned(),
            Some(Refused::Memory) => t_string!(i18n, vault.memory).to_owned(),
            Some(Refused::TooSoon) | None => String::new(),
        }
    };
    let wait = move || {
        let left = left.get();
        (left > 0).then(|| {
            let wait = intl::duration(i18n.get_locale(), u64::from(left));
            t!(i18n, vault.wait, wait = wait.clone())
        })
    };
    let has_words = move || lock.with(|view| view.as_ref().is_some_and(|view| view.words));
    let has_passkey = move || {
        lock.with(|view| view.as_ref().is_some_and(|view| !view.passkeys.is_empty()))
            && keys::passkeys_work()
    };
    view! { class="u",
        <main id="main" class="page page-centre" data-test="locked">
            {mark()}
            <h1 tabindex="-1">{t!(i18n, vault.title)}</h1>
            <p class="lead">{t!(i18n, vault.lead)}</p>
            <form class="card unlock" on:submit=move |event| { event.prevent_default(); open(); }>
                {move || {
                    typed.set(String::new());
                    if by_words.get() {
                        secret_field("key", t!(i18n, vault.words), t!(i18n, vault.words_hint), typed, "off")
                    } else {
                        secret_field("key", t!(i18n, vault.passphrase), Signal::stored(String::new()), typed, "current-password")
                    }
                }}
                <p class="field-wrong" role="alert">{trouble}</p>
                <p class="hint" role="status" data-test="wait">{wait}</p>
                <button type="submit" class="button primary wide" disabled=move || busy.get() || left.get() != 0>
                    {choose(move || busy.get(), t!(i18n, vault.going), t!(i18n, vault.go))}
                </button>
                {part(has_words, move || view! { class="u",
                    <button type="button" class="button quiet wide" on:click=move |_| by_words.update(|by| *by = !*by)>
                        {choose(move || by_words.get(), t!(i18n, vault.use_passphrase), t!(i18n, vault.use_words))}
                    </button>
                }.into_any())}
                {part(has_passkey, move || view! { class="u",
                    <button type="button" class="button quiet wide" disabled=move || busy.get() || left.get() != 0 on:click=passkey>
                        {t!(i18n, vault.use_passkey)}
                    </button>
                }.into_any())}
            </form>
            <details class="forgotten">
                <summary>{t!(i18n, vault.forgotten)}</summary>
                <p>{t!(i18n, vault.forgotten_text)}</p>
                {erase()}
            </details>
        </main>
    }
}

//! The vault is locked: the one thing to do is to open it.
use crate::components::mark::mark;
use crate::components::panel::{PRIMARY, Part, QUIET, Section, section};
use crate::i18n::{I18n, t, t_string, use_i18n};
use crate::pages::keys::erase;
use crate::platform::{boot, intl, keys};
use crate::state::{Act, Said, Shown, Step, refused, state};
use leptos::prelude::*;
use ume_api::Refused;

/// The lock.
#[component]
pub(crate) fn Unlock() -> impl IntoView {
    let i18n = use_i18n();
    let shown = state().keys.shown;
    let form = move || shown.with(|shown| form(i18n, shown));
    let forgotten =
        move || shown.with(|shown| erase(i18n, shown, t_string!(i18n, vault.forgotten_text)));
    view! { class="u",
        <main id="main" class="page page-centre" data-test="locked">
            {mark()}
            <h1 tabindex="-1">{t!(i18n, vault.title)}</h1>
            <p class="lead">{t!(i18n, vault.lead)}</p>
            {form}
            <details class="forgotten">
                <summary>{t!(i18n, vault.forgotten)}</summary>
                {forgotten}
            </details>
        </main>
    }
}

fn form(i18n: I18n, shown: &Shown) -> AnyView {
    let lock = shown.lock.as_ref();
    let wrong = match (refused(shown), shown.said) {
        (Some(Refused::Wrong), _) => t_string!(i18n, vault.wrong),
        (Some(Refused::NoWords), _) => t_string!(i18n, vault.no_words),
        (Some(Refused::Memory), _) => t_string!(i18n, vault.memory),
        (_, Said::Passkey) => t_string!(i18n, vault.passkey_unused),
        _ => "",
    };
    let wait = lock.map_or(0, |lock| lock.wait_ms.div_ceil(1000));
    let mut parts = Vec::new();
    if wait > 0 {
        let wait = intl::duration(i18n.get_locale(), u64::from(wait));
        parts.push(Part::Text(t_string!(i18n, vault.wait, wait = wait)));
    } else {
        let by_words = shown.step == Step::ByWords;
        let (label, hint, fill) = if by_words {
            let words = t_string!(i18n, vault.words);
            (words, t_string!(i18n, vault.words_hint), "off")
        } else {
            (t_string!(i18n, vault.passphrase), "", "current-password")
        };
        let go = if shown.busy {
            t_string!(i18n, vault.going)
        } else {
            t_string!(i18n, vault.go)
        };
        let mut deeds = vec![(go, PRIMARY, None)];
        if by_words {
            let other = Act::Begin(Step::Rest);
            deeds.push((t_string!(i18n, vault.use_passphrase), QUIET, Some(other)));
        } else if lock.is_some_and(|lock| lock.words) {
            let other = Act::Begin(Step::ByWords);
            deeds.push((t_string!(i18n, vault.use_words), QUIET, Some(other)));
        }
        if lock.is_some_and(|lock| !lock.passkeys.is_empty()) && keys::passkeys_work() {
            let by_passkey = Act::OpenByPasskey;
            deeds.push((t_string!(i18n, vault.use_passkey), QUIET, Some(by_passkey)));
        }
        parts.push(Part::Secret("key", label.to_owned(), hint, fill));
        parts.push(Part::Wrong(wrong));
        parts.push(Part::Actions(deeds));
    }
    section(Section {
        name: "unlock",
        title: "",
        submit: Act::Open,
        parts,
    })
}

/// Nothing is here any more.
#[component]
pub(crate) fn Erased() -> impl IntoView {
    let i18n = use_i18n();
    view! { class="u",
        <main id="main" class="page page-centre" data-test="erased">
            {mark()}
            <h1 tabindex="-1">{t!(i18n, vault.erased)}</h1>
            <p class="lead">{t!(i18n, vault.erased_text)}</p>
            <button type="button" class="button" on:click=move |_| boot::reload()>{t!(i18n, vault.anew)}</button>
        </main>
    }
}

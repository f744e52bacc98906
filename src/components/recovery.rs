//! Recovery words: shown once, and kept once two of them were typed.
use super::live::part;
use super::secret::secret_field;
use crate::i18n::{choose, t, t_string, use_i18n};
use crate::state::{secret, state};
use leptos::prelude::*;
use ume_api::{Failure, Reply, VaultDeed};

/// How far one is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Rest,
    Shown,
    Asked,
}

/// The section about them.
pub(crate) fn recovery() -> AnyView {
    let i18n = use_i18n();
    let state = state();
    let keys = state.keys;
    let has = move || keys.view.with(|view| view.words);
    let step = RwSignal::new(Step::Rest);
    let words = RwSignal::new(Vec::<String>::new());
    let asked = RwSignal::new([0_u8; 2]);
    let (one, other) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let is = move |which| move || step.get() == which;
    let end = move || {
        for typed in [one, other] {
            typed.set(String::new());
        }
        words.set(Vec::new());
        step.set(Step::Rest);
    };
    let make = move |_| {
        state.keep(VaultDeed::MakeWords, move |reply| {
            if let Reply::Words {
                words: made,
                asked: two,
            } = reply
            {
                let made = String::from_utf8_lossy(&made.0);
                words.set(made.split(' ').map(str::to_owned).collect());
                asked.set(two);
                step.set(Step::Shown);
            }
        });
    };
    let keep = move || {
        let answers = [secret(one), secret(other)];
        state.keep(VaultDeed::KeepWords { answers }, move |_| end());
    };
    let label = move |at: usize| {
        crate::i18n::text(move || {
            let [first, second] = asked.get();
            let number = u32::from(if at == 0 { first } else { second }) + 1;
            t_string!(i18n, keys.word, number = number).to_owned()
        })
    };
    let said = move || match keys.failure.get() {
        Some(Failure::KeyWrong) => t_string!(i18n, keys.word_wrong),
        Some(_) => t_string!(i18n, failure.internal),
        None => "",
    };
    view! { class="u",
        <section class="card" data-test="words">
            <h2>{t!(i18n, vault.words)}</h2>
            <p>{choose(has, t!(i18n, keys.words_there), t!(i18n, keys.words_about))}</p>
            {part(is(Step::Rest), move || view! { class="u",
                <div class="actions">
                    <button type="button" class="button" disabled=keys.busy on:click=make>
                        {choose(has, t!(i18n, keys.words_anew), t!(i18n, keys.words_make))}
                    </button>
                    {part(has, move || view! { class="u",
                        <button type="button" class="button danger" disabled=keys.busy on:click=move |_| state.keep(VaultDeed::NoWords, |_| ())>
                            {t!(i18n, keys.drop)}
                        </button>
                    }.into_any())}
                </div>
            }.into_any())}
            {part(is(Step::Shown), move || view! { class="u",
                <p role="status">{t!(i18n, keys.words_write)}</p>
                <ol class="keys-words" translate="no" lang="en">
                    {words.get_untracked().into_iter().map(|word| view! { class="u", <li>{word}</li> }).collect_view()}
                </ol>
                <div class="actions">
                    <button type="button" class="button primary" on:click=move |_| step.set(Step::Asked)>{t!(i18n, keys.words_written)}</button>
                    <button type="button" class="button" on:click=move |_| end()>{t!(i18n, people.cancel)}</button>
                </div>
            }.into_any())}
            {part(is(Step::Asked), move || view! { class="u",
                <form class="keys-form" on:submit=move |event| { event.prevent_default(); keep(); }>
                    {secret_field("word-one", label(0), Signal::stored(String::new()), one, "off")}
                    {secret_field("word-two", label(1), Signal::stored(String::new()), other, "off")}
                    <p class="field-wrong" role="alert">{said}</p>
                    <div class="actions">
                        <button type="submit" class="button primary" disabled=keys.busy>{t!(i18n, keys.save)}</button>
                        <button type="button" class="button" on:click=move |_| step.set(Step::Shown)>{t!(i18n, app.back)}</button>
                    </div>
                </form>
            }.into_any())}
        </section>
    }
    .into_any()
}

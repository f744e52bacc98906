//! How ume looks and speaks here, how far it hides, what it stores, how its relays are, and which ume it is.
use crate::components::about::about;
use crate::components::appearance::appearance;
use crate::components::avatar::avatar;
use crate::components::bells;
use crate::components::cover;
use crate::components::live::{list, part};
use crate::components::relays::relays;
use crate::components::room::room;
use crate::components::storage::storage;
use crate::i18n::{t, use_i18n};
use crate::state::{Page, state};
use leptos::prelude::*;

/// The page.
#[component]
pub(crate) fn Settings() -> impl IntoView {
    let i18n = use_i18n();
    let content = view! { class="u",
        {appearance()}
        {hiding()}
        {bells::section()}
        {keys()}
        {storage()}
        {relays()}
        {about()}
    };
    room("settings", t!(i18n, settings.title), content.into_any())
}

fn hiding() -> AnyView {
    let i18n = use_i18n();
    let state = state();
    view! { class="u",
        <section class="card">
            <h2>{t!(i18n, settings.hide)}</h2>
            <p>{t!(i18n, settings.hide_text)}</p>
            <p class="choice">
                <span>{t!(i18n, traffic.cover)}</span>
                <button type="button" class="button" data-test="cover-open" on:click=move |_| state.go(Page::Traffic)>
                    {move || cover::name(i18n, state.traffic.surroundings.get().cover)}
                </button>
            </p>
        </section>
    }
    .into_any()
}

/// The same drawing on every device is the same key.
fn keys() -> AnyView {
    let i18n = use_i18n();
    let state = state();
    let all = move || state.communities.get().unwrap_or_default();
    view! { class="u",
        <section class="card" data-test="keys">
            <h2>{t!(i18n, settings.keys)}</h2>
            <p>{t!(i18n, settings.keys_text)}</p>
            {part(move || all().is_empty(), move || view! { class="u",
                <p class="nothing">{t!(i18n, settings.keys_none)}</p>
            }.into_any())}
            <ul class="key-pictures" role="list">
                {list(all, |one| (one.id, one.name.clone(), one.me.mark), |one| view! { class="u",
                    <li>
                        <span class="key-picture">{avatar(one.me.mark)}</span>
                        <bdi>{one.name}</bdi>
                    </li>
                }.into_any())}
            </ul>
        </section>
    }
    .into_any()
}

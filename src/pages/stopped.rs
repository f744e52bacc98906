//! The engine cannot work, or does not answer.
use crate::components::mark::mark;
use crate::components::trouble::Trouble;
use crate::i18n::{t, use_i18n};
use crate::platform::boot;
use leptos::prelude::*;
use ume_api::Failure;

/// Says why, and the one thing to do.
#[component]
pub(crate) fn Stopped(failure: Failure) -> impl IntoView {
    view! { class="u",
        <main id="main" class="page page-centre" data-test="stopped">
            {mark()}
            <Trouble failure=failure page=true retry=|()| boot::reload()/>
        </main>
    }
}

/// The engine did not answer in time.
#[component]
pub(crate) fn Silent() -> impl IntoView {
    let i18n = use_i18n();
    view! { class="u",
        <main id="main" class="page page-centre" data-test="silent">
            {mark()}
            <h1 tabindex="-1">{t!(i18n, silent.title)}</h1>
            <p class="lead">{t!(i18n, silent.text)}</p>
            <button type="button" class="button primary" on:click=|_| boot::reload()>
                {t!(i18n, silent.go)}
            </button>
        </main>
    }
}

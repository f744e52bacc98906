//! A new version waits: a quiet bar, and nothing happens until it is asked to.
use super::live::part;
use crate::i18n::{t, use_i18n};
use crate::platform::updates;
use crate::state::state;
use leptos::prelude::*;

/// The bar, when there is a new version.
#[component]
pub(crate) fn UpdateBar() -> impl IntoView {
    let i18n = use_i18n();
    let ready = state().update;
    view! { class="u",
        {part(move || ready.get(), move || view! { class="u",
            <div class="update" role="status" data-test="update">
                <p>{t!(i18n, update.ready)}</p>
                <button type="button" class="button" on:click=move |_| updates::take()>
                    {t!(i18n, update.go)}
                </button>
            </div>
        }.into_any())}
    }
}

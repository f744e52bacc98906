//! Another tab has the engine.
use crate::components::mark::mark;
use crate::i18n::{choose, t, use_i18n};
use crate::state::state;
use leptos::prelude::*;

/// Offers to use ume here instead.
#[component]
pub(crate) fn Elsewhere(
    /// This tab had it until a moment ago.
    yielded: bool,
) -> impl IntoView {
    let i18n = use_i18n();
    let state = state();
    let going = RwSignal::new(false);
    view! { class="u",
        <main id="main" class="page page-centre" data-test="elsewhere">
            {mark()}
            <h1 tabindex="-1">
                {choose(move || yielded, t!(i18n, elsewhere.yielded_title), t!(i18n, elsewhere.title))}
            </h1>
            <p class="lead">{t!(i18n, elsewhere.text)}</p>
            <button
                type="button"
                class="button primary"
                disabled=move || going.get()
                on:click=move |_| { going.set(true); state.take_over(); }
            >
                {choose(move || going.get(), t!(i18n, elsewhere.going), t!(i18n, elsewhere.go))}
            </button>
        </main>
    }
}

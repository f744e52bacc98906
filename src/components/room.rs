//! The frame of a page beside the communities: a way back, a title, and one column that scrolls.
use super::icon::{Icon, icon};
use super::side::Side;
use crate::i18n::{t, use_i18n};
use crate::state::{Page, state};
use leptos::prelude::*;

/// A page with this name, for tests and as the class of its column, and this title.
pub(crate) fn room(name: &'static str, title: Signal<String>, content: AnyView) -> AnyView {
    let i18n = use_i18n();
    let state = state();
    let column = format!("people-column {name}");
    view! { class="u",
        <div class="home" data-test=name>
            <Side/>
            <main id="main" class="room">
                <header class="head">
                    <button
                        type="button"
                        class="button quiet square"
                        aria-label=t!(i18n, app.back)
                        on:click=move |_| state.go(Page::Home)
                    >
                        {icon(Icon::Back)}
                    </button>
                    <div class="head-names"><h1 tabindex="-1">{title}</h1></div>
                </header>
                <div class="people-box" tabindex="0" role="region" aria-label=title>
                    <div class=column>{content}</div>
                </div>
            </main>
        </div>
    }
    .into_any()
}

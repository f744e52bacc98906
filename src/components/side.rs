//! What stands beside a community where there is room: all of them.
use super::communities::Communities;
use super::mark::mark;
use crate::platform::boot;
use leptos::prelude::*;

/// The column of communities.
#[component]
pub(crate) fn Side() -> impl IntoView {
    view! { class="u",
        <aside class="side">
            <p class="side-brand">{mark()}<span>{boot::brand().name}</span></p>
            <Communities chosen=|()| ()/>
        </aside>
    }
}

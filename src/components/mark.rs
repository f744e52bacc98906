//! The plum blossom, on a grid of 64.
use crate::platform::boot;
use leptos::prelude::*;

const PETALS: &str = "\
    M19 17a13 13 0 1 0 26 0a13 13 0 1 0-26 0 \
    M33.3 27.4a13 13 0 1 0 26 0a13 13 0 1 0-26 0 \
    M27.8 44.1a13 13 0 1 0 26 0a13 13 0 1 0-26 0 \
    M10.2 44.1a13 13 0 1 0 26 0a13 13 0 1 0-26 0 \
    M4.7 27.4a13 13 0 1 0 26 0a13 13 0 1 0-26 0";
/// From the middle outwards, each with a grain at its end.
const STAMENS: &str = "M32 32V21M32 32l10.5-3.4M32 32l6.5 8.9M32 32l-6.5 8.9M32 32l-10.5-3.4";
const GRAINS: &str = "\
    M29.8 20a2.2 2.2 0 1 0 4.4 0a2.2 2.2 0 1 0-4.4 0 \
    M41.2 28.3a2.2 2.2 0 1 0 4.4 0a2.2 2.2 0 1 0-4.4 0 \
    M36.9 41.7a2.2 2.2 0 1 0 4.4 0a2.2 2.2 0 1 0-4.4 0 \
    M22.7 41.7a2.2 2.2 0 1 0 4.4 0a2.2 2.2 0 1 0-4.4 0 \
    M18.4 28.3a2.2 2.2 0 1 0 4.4 0a2.2 2.2 0 1 0-4.4 0";

/// The host's mark, which is ume's unless it has one of its own.
pub(crate) fn mark() -> AnyView {
    if let Some(icon) = boot::brand().icon {
        return view! { class="u", <img class="mark" src=icon alt=""/> }.into_any();
    }
    view! { class="u",
        <svg class="mark" viewBox="0 0 64 64" aria-hidden="true" focusable="false">
            <path class="mark-petals" d=PETALS></path>
            <circle class="mark-heart" cx="32" cy="32" r="6"></circle>
            <path class="mark-stamens" d=STAMENS></path>
            <path class="mark-grains" d=GRAINS></path>
        </svg>
    }
    .into_any()
}

//! How people point.
use leptos::prelude::window;

/// A mouse or the like: then there is a real keyboard, whose Enter may send.
pub(crate) fn is_fine() -> bool {
    matches("(pointer: fine)")
}

/// People who asked for less motion.
pub(crate) fn wants_less_motion() -> bool {
    matches("(prefers-reduced-motion: reduce)")
}

fn matches(query: &str) -> bool {
    let list = window().match_media(query).ok().flatten();
    list.is_some_and(|list| list.matches())
}

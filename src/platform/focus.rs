//! Where the keyboard is.
use super::timer;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

const DRAWN_MS: u64 = 50;

/// Moves the focus to the page's heading as soon as it is drawn, so that a screen reader says where one is.
pub(crate) fn heading() {
    later("h1");
}

/// Moves the focus to the heading if it is nowhere: what had it is gone.
pub(crate) fn rescue() {
    // Browsers move the focus away from what is gone only when they draw.
    timer::after(DRAWN_MS, || {
        let active = document().active_element();
        if active.is_none_or(|element| element.tag_name() == "BODY") {
            heading();
        }
    });
}

/// The id of what has the focus; empty: it has none.
pub(crate) fn here() -> String {
    document()
        .active_element()
        .map(|element| element.id())
        .unwrap_or_default()
}

/// Moves the focus to an element, or to the heading, if it is nowhere: what had it is gone, or drawn anew.
pub(crate) fn settle(id: String) {
    timer::after(DRAWN_MS, move || {
        let active = document().active_element();
        if active.is_none_or(|element| element.tag_name() == "BODY") {
            let place = document().get_element_by_id(&id);
            match place.and_then(|place| place.dyn_into::<HtmlElement>().ok()) {
                Some(place) => drop(place.focus()),
                None => heading(),
            }
        }
    });
}

/// Moves the focus to the first match as soon as it is drawn.
pub(crate) fn later(selector: &'static str) {
    request_animation_frame(move || now(selector));
}

/// Moves the focus to the first match.
pub(crate) fn now(selector: &str) {
    let found = document().query_selector(selector).ok().flatten();
    if let Some(element) = found.and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

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

/// Moves the focus to an element once it has been drawn, wherever the focus is by then.
pub(crate) fn soon(id: String) {
    timer::after(DRAWN_MS, move || {
        let place = document().get_element_by_id(&id);
        if let Some(place) = place.and_then(|place| place.dyn_into::<HtmlElement>().ok()) {
            let _ = place.focus();
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

/// Whether there is a match.
pub(crate) fn is_there(selector: &str) -> bool {
    document().query_selector(selector).ok().flatten().is_some()
}

/// Closes what is open above the page, each with what belongs to it.
pub(crate) fn hide_popovers() {
    while let Some(open) = document()
        .query_selector(":popover-open")
        .ok()
        .flatten()
        .and_then(|open| open.dyn_into::<HtmlElement>().ok())
    {
        if open.hide_popover().is_err() {
            return;
        }
    }
}

/// Moves the focus by some places among all matches, or from the place `above` into them and back; whether it did.
pub(crate) fn step(above: &str, selector: &str, by: isize) -> bool {
    let Ok(all) = document().query_selector_all(selector) else {
        return false;
    };
    let places: Vec<HtmlElement> = (0..all.length())
        .filter_map(|at| all.get(at)?.dyn_into().ok())
        .collect();
    let active = document().active_element();
    let active: Option<HtmlElement> = active.and_then(|active| active.dyn_into().ok());
    let here = places
        .iter()
        .position(|place| active.as_ref() == Some(place));
    let next = match here {
        // In a text the arrows to the sides are its own.
        None if by > 1 => Some(0),
        None => return false,
        Some(here) => here.checked_add_signed(by),
    };
    match next {
        None => now(above),
        Some(next) => {
            if let Some(place) = places.get(next) {
                let _ = place.focus();
            }
        }
    }
    true
}

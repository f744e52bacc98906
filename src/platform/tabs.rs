//! The tab itself: its title, whether anybody looks at it, and its back button.
use leptos::prelude::*;
use wasm_bindgen::JsValue;

/// What the tab, the window list and a screen reader call this page.
pub(crate) fn entitle(title: &str) {
    document().set_title(title);
    // Where the app has a window of its own it draws its title there itself.
    if let Some(body) = document().body() {
        // The name is sound, so this cannot fail.
        let _ = body.set_attribute("data-title", title);
    }
}

/// Whether nobody looks.
pub(crate) fn hidden() -> bool {
    document().hidden()
}

/// Calls back when somebody looks again.
pub(crate) fn on_seen(callback: impl Fn() + 'static) {
    on_turn(move || {
        if !hidden() {
            callback();
        }
    });
}

/// Calls back when somebody looks again, or nobody does any more.
pub(crate) fn on_turn(callback: impl Fn() + 'static) {
    let listener = window_event_listener_untyped("visibilitychange", move |_| callback());
    // For the life of the page.
    std::mem::forget(listener);
}

/// Calls back when somebody touches the page.
pub(crate) fn on_touch(callback: impl Fn() + Copy + 'static) {
    for event in ["pointerdown", "keydown", "wheel"] {
        std::mem::forget(window_event_listener_untyped(event, move |_| callback()));
    }
}

/// Puts a step into the tab's history that *back* undoes. The address stays: it must not tell where one is.
pub(crate) fn step() {
    if let Ok(history) = window().history() {
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some("/"));
    }
}

/// Undoes the last step.
pub(crate) fn back() {
    if let Ok(history) = window().history() {
        let _ = history.back();
    }
}

/// Calls back when the person went back.
pub(crate) fn on_back(callback: impl Fn() + 'static) {
    let listener = window_event_listener_untyped("popstate", move |_| callback());
    std::mem::forget(listener);
}

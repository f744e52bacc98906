//! The tab itself: its title, whether anybody looks at it, and its back button.
use super::focus;
use js_sys::{Function, Promise, Reflect};
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// What the tab, the window list and a screen reader call this page.
pub(crate) fn entitle(title: &str) {
    document().set_title(title);
    // Where the app has a window of its own it draws its title there itself.
    if let Some(body) = document().body() {
        // The name is sound, so this cannot fail.
        let _ = body.set_attribute("data-title", title);
    }
}

/// How high the window is, pixels.
pub(crate) fn height() -> f64 {
    let height = window().inner_height().ok();
    height.and_then(|one| one.as_f64()).unwrap_or_default()
}

/// Shows a number on the app's icon, where there is one; nothing for none.
pub(crate) fn badge(count: u32) {
    let navigator = window().navigator();
    let number = JsValue::from(count);
    let badge = Reflect::get(&navigator, &"setAppBadge".into()).ok();
    // Where it cannot be shown, the title says it.
    if let Some(badge) = badge.and_then(|badge| badge.dyn_into::<Function>().ok())
        && let Ok(shown) = badge.call1(&navigator, &number)
        && let Ok(shown) = shown.dyn_into::<Promise>()
    {
        wasm_bindgen_futures::spawn_local(async move {
            let _ = JsFuture::from(shown).await;
        });
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

/// Calls back when somebody presses *Control K*, or *Command K*, and is neither typing nor in something that is open above the
/// page. A letter alone would be in the way of those who speak to their machine (WCAG 2.1.4).
pub(crate) fn on_find(callback: impl Fn() + 'static) {
    let listener = window_event_listener(ev::keydown, move |event| {
        let held = (event.ctrl_key() || event.meta_key()) && !event.alt_key() && !event.shift_key();
        if !held || event.key() != "k" || event.default_prevented() {
            return;
        }
        let busy = "dialog[open], :popover-open, input:focus, textarea:focus, select:focus";
        if !focus::is_there(busy) {
            event.prevent_default();
            callback();
        }
    });
    std::mem::forget(listener);
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

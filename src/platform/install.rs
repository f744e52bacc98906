//! Making an app of the page: with a window, an icon and a place of its own.
use super::boot;
use js_sys::Reflect;
use leptos::prelude::{window, window_event_listener_untyped};
use wasm_bindgen::JsValue;

/// How that is done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The browser asks the person, if it is asked to.
    Ask,
    /// By hand, from the browser's menu of ways to share.
    Share,
}

/// The way, where there is one and it has not been gone yet.
pub(crate) fn way() -> Option<Way> {
    if in_own_window() {
        return None;
    }
    if boot::member("offered").is_some_and(|offered| offered.is_truthy()) {
        return Some(Way::Ask);
    }
    // Only browsers without the other way know this word.
    let by_hand = Reflect::get(&window().navigator(), &JsValue::from_str("standalone"));
    matches!(by_hand, Ok(word) if word.as_bool() == Some(false)).then_some(Way::Share)
}

/// Lets the browser ask.
pub(crate) fn ask() {
    boot::call("install");
}

/// Calls back when the browser offers it, or no longer does.
pub(crate) fn on_change(callback: impl Fn() + 'static) {
    // For the life of the page.
    std::mem::forget(window_event_listener_untyped("ume-install", move |_| {
        callback();
    }));
}

fn in_own_window() -> bool {
    let modes = "(display-mode: standalone), (display-mode: window-controls-overlay)";
    matches!(window().match_media(modes), Ok(Some(query)) if query.matches())
}

//! The page's `boot.js`: the invite that the address carried, the engine's worker, the last resort.
use js_sys::{Function, Reflect};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Worker;

/// The invite link that the address carried, once.
pub(crate) fn take_link() -> Option<String> {
    call("link")?.as_string()
}

/// The engine's worker; the first call starts it.
pub(crate) fn engine() -> Option<Worker> {
    call("engine")?.dyn_into().ok()
}

/// Shows the page's own last words, for when the app itself is broken.
pub(crate) fn fail() {
    call("fail");
}

/// Locks: the engine ends, in all tabs, and every page begins anew.
pub(crate) fn lock() {
    call("lock");
}

/// Asks the browser not to clear what is stored here. It may ask the person, or decide by itself.
pub(crate) fn persist() {
    call("persist");
}

/// A member of `globalThis.ume`, which `boot.js` made.
pub(super) fn member(name: &str) -> Option<JsValue> {
    let ume = Reflect::get(&js_sys::global(), &"ume".into()).ok()?;
    Reflect::get(&ume, &name.into()).ok()
}

fn call(name: &str) -> Option<JsValue> {
    let function: Function = member(name)?.dyn_into().ok()?;
    function.call0(&JsValue::UNDEFINED).ok()
}

/// Takes away what stood there before the app did.
pub(crate) fn remove_splash() {
    if let Some(splash) = document().get_element_by_id("splash") {
        splash.remove();
    }
}

/// Address of the relay that a new community starts on: this page's own, unless the page names another.
pub(crate) fn relay() -> String {
    document()
        .query_selector("meta[name=ume-relay]")
        .ok()
        .flatten()
        .and_then(|meta| meta.get_attribute("content"))
        .filter(|address| !address.is_empty())
        .unwrap_or_else(|| location().origin().unwrap_or_default())
}

/// Calls back when the address of the open page is changed to an invite.
pub(crate) fn on_link(callback: impl Fn(String) + 'static) {
    let event = leptos::ev::Custom::<web_sys::Event>::new("ume-link");
    let listener = window_event_listener(event, move |_| {
        if let Some(link) = take_link() {
            callback(link);
        }
    });
    // For the life of the page.
    std::mem::forget(listener);
}

/// Loads the page again.
pub(crate) fn reload() {
    let _ = location().reload();
}

//! Whether the browser was asked to save data, where it tells.
use js_sys::Reflect;
use leptos::prelude::window;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::EventTarget;

/// Whether it was.
pub(crate) fn asked() -> bool {
    connection()
        .and_then(|connection| {
            Reflect::get(&connection, &"saveData".into())
                .ok()?
                .as_bool()
        })
        .unwrap_or(false)
}

/// Calls back when that, or something else about the connection, changes.
pub(crate) fn on_change(callback: impl Fn() + 'static) {
    let Some(target) =
        connection().and_then(|connection| connection.dyn_into::<EventTarget>().ok())
    else {
        return;
    };
    let listener = Closure::<dyn Fn()>::new(callback);
    // Adding a listener cannot fail.
    let _ = target.add_event_listener_with_callback("change", listener.as_ref().unchecked_ref());
    // For the life of the page.
    listener.forget();
}

fn connection() -> Option<JsValue> {
    Reflect::get(&window().navigator(), &"connection".into()).ok()
}

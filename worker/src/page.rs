//! The page's side of the engine worker: messages in and out, and what happens when the engine panics.

use crate::queue::Event;
use js_sys::{Array, Uint8Array};
use ume_api::{Failure, FromEngine};
use wasm_bindgen::prelude::*;
use web_sys::DedicatedWorkerGlobalScope;

/// The one message of the page that is a string: the page became visible.
pub const WAKE: &str = "wake";

/// Reads a message of the page: `Uint8Array` or `ArrayBuffer` of an encoded [`ume_api::ToEngine`], or [`WAKE`]. `None`
/// for anything else: page and worker come from different builds.
#[must_use]
pub fn read(message: &JsValue) -> Option<Event> {
    if message.as_string().as_deref() == Some(WAKE) {
        return Some(Event::Wake);
    }
    if !message.is_object() {
        return None;
    }
    let bytes = Uint8Array::new(message).to_vec();
    ume_api::decode(&bytes).ok().map(Event::Page)
}

/// Tells the page something, as a `Uint8Array` whose buffer moves there.
pub fn tell(message: &FromEngine) {
    let Ok(bytes) = ume_api::encode(message) else {
        return;
    };
    let bytes = Uint8Array::from(bytes.as_slice());
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    // Fails only for values that cannot be copied.
    let _ = scope.post_message_with_transfer(&bytes, &Array::of1(&bytes.buffer()));
}

/// After a panic the page is told, without a word of why, and the worker ends: lock, sockets and database go with it,
/// and what was not yet durable was not yet sent.
pub fn stop_on_panic() {
    std::panic::set_hook(Box::new(|_| {
        tell(&FromEngine::Failed(Failure::Internal));
        js_sys::global()
            .unchecked_into::<DedicatedWorkerGlobalScope>()
            .close();
    }));
}

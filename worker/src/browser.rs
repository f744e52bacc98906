//! What the browser offers and `web-sys` does not bind, or binds only behind an unstable flag.

use crate::database::StoreError;
use js_sys::{Array, Function, Object, Promise};
use ume_engine::io::Millis;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{IdbTransaction, WorkerGlobalScope};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn js_set_timeout(handler: &Function, milliseconds: f64) -> f64;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn js_clear_timeout(id: f64);

    /// `navigator`, as far as locks go.
    type LockNavigator;
    #[wasm_bindgen(method, getter)]
    fn locks(this: &LockNavigator) -> Option<LockManager>;

    /// `navigator.locks`.
    pub(crate) type LockManager;
    #[wasm_bindgen(method, catch)]
    pub(crate) fn request(
        this: &LockManager,
        name: &str,
        options: &Object,
        granted: &Function,
    ) -> Result<Promise, JsValue>;

    /// An `IDBDatabase` whose transactions take options.
    pub(crate) type StrictDatabase;
    #[wasm_bindgen(method, catch)]
    pub(crate) fn transaction(
        this: &StrictDatabase,
        stores: &Array,
        mode: &str,
        options: &Object,
    ) -> Result<IdbTransaction, JsValue>;
}

/// The worker's global scope.
#[must_use]
pub fn scope() -> WorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// The lock manager; `None` outside a secure context.
pub(crate) fn locks() -> Option<LockManager> {
    scope().navigator().unchecked_ref::<LockNavigator>().locks()
}

/// The time now.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a float cast saturates, which is what is wanted
pub fn now() -> Millis {
    Millis(js_sys::Date::now() as u64)
}

/// Milliseconds since this worker began, by a clock that nobody sets.
#[must_use]
pub(crate) fn steady() -> f64 {
    scope().performance().map_or(0.0, |clock| clock.now())
}

/// Calls a function once, later; gives the number to cancel it by.
pub(crate) fn set_timeout(handler: &Function, milliseconds: u32) -> f64 {
    js_set_timeout(handler, f64::from(milliseconds))
}

/// Cancels a call.
pub(crate) fn clear_timeout(id: f64) {
    js_clear_timeout(id);
}

/// A promise that is fulfilled after some time.
pub(crate) fn after(milliseconds: u32) -> Promise {
    Promise::new(&mut |resolve, _| {
        set_timeout(&resolve, milliseconds);
    })
}

/// Waits.
pub async fn sleep(milliseconds: u32) {
    // The promise is never rejected.
    let _ = JsFuture::from(after(milliseconds)).await;
}

/// An object of names and values.
pub(crate) fn object(pairs: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in pairs {
        // Setting a property of a fresh object cannot fail.
        let _ = js_sys::Reflect::set(&object, &JsValue::from_str(name), value);
    }
    object
}

/// Fills bytes from the browser's random generator.
///
/// # Errors
/// [`StoreError::Denied`] when there is none.
pub fn random(bytes: &mut [u8]) -> Result<(), StoreError> {
    getrandom_02::getrandom(bytes).map_err(|_| StoreError::Denied)
}

//! How much of this device's storage the browser lets the page use, and whether it has promised to keep it.
use js_sys::{Function, Promise, Reflect};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// What the browser says, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    /// All that is used.
    pub(crate) used: u64,
    /// What may be used.
    pub(crate) quota: u64,
    /// Of it, the copy of the app; not every browser says.
    pub(crate) files: Option<u64>,
}

/// Asks; `None` where a browser does not say.
pub(crate) async fn estimate() -> Option<Room> {
    let estimate = ask("estimate").await?;
    let number = |of: &JsValue, name: &str| {
        let number = Reflect::get(of, &name.into()).ok()?.as_f64()?;
        // Whole numbers of bytes, far below 2^53.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let number = number as u64;
        Some(number)
    };
    let details = Reflect::get(&estimate, &"usageDetails".into()).ok();
    Some(Room {
        used: number(&estimate, "usage")?,
        quota: number(&estimate, "quota")?,
        files: details.and_then(|details| number(&details, "caches")),
    })
}

/// Whether the browser has promised to keep what is stored.
pub(crate) async fn is_kept() -> Option<bool> {
    ask("persisted").await?.as_bool()
}

/// Asks for that promise.
pub(crate) async fn keep() -> bool {
    ask("persist")
        .await
        .is_some_and(|kept| kept.as_bool() == Some(true))
}

async fn ask(what: &str) -> Option<JsValue> {
    let storage = Reflect::get(&window().navigator(), &"storage".into()).ok()?;
    let method: Function = Reflect::get(&storage, &what.into()).ok()?.dyn_into().ok()?;
    let answer: Promise = method.call0(&storage).ok()?.dyn_into().ok()?;
    JsFuture::from(answer).await.ok()
}

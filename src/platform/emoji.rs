//! The list of emoji, which is fetched when somebody looks for one.
use super::boot;
use crate::i18n::Locale;
use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Names of all emoji in a language, or in English; nothing if they cannot be had now.
pub(crate) async fn names(locale: Locale) -> Option<String> {
    let function: Function = boot::member("emoji")?.dyn_into().ok()?;
    let fetching: Promise = function
        .call1(&JsValue::UNDEFINED, &locale.as_str().into())
        .ok()?
        .dyn_into()
        .ok()?;
    JsFuture::from(fetching).await.ok()?.as_string()
}

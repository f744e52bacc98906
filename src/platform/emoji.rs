//! The list of emoji, which is fetched when somebody looks for one.
use crate::i18n::Locale;
use leptos::prelude::window;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

/// Names of all emoji in a language, or in English; nothing if they cannot be had now.
pub(crate) async fn names(locale: Locale) -> Option<String> {
    let address = if locale.as_str() == "de" {
        "/emoji/de.txt"
    } else {
        "/emoji/en.txt"
    };
    let response = JsFuture::from(window().fetch_with_str(address))
        .await
        .ok()?;
    let response: Response = response.dyn_into().ok()?;
    if !response.ok() {
        return None;
    }
    JsFuture::from(response.text().ok()?)
        .await
        .ok()?
        .as_string()
}

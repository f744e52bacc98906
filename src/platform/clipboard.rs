//! The clipboard, which a browser may refuse.
use leptos::prelude::window;
use wasm_bindgen_futures::JsFuture;

/// Copies; false when the browser does not allow it.
pub(crate) async fn copy(text: &str) -> bool {
    if !window().is_secure_context() {
        return false;
    }
    let promise = window().navigator().clipboard().write_text(text);
    JsFuture::from(promise).await.is_ok()
}

/// What the clipboard holds, if the person lets the page have it.
pub(crate) async fn paste() -> Option<String> {
    let promise = window().navigator().clipboard().read_text();
    JsFuture::from(promise).await.ok()?.as_string()
}

/// Whether a paste button makes sense here.
pub(crate) fn can_paste() -> bool {
    let clipboard = window().navigator().clipboard();
    window().is_secure_context()
        && js_sys::Reflect::has(&clipboard, &"readText".into()).unwrap_or(false)
}

//! The device's own share sheet, where there is one.
use js_sys::Reflect;
use leptos::prelude::window;
use wasm_bindgen_futures::JsFuture;
use web_sys::ShareData;

/// Whether the device has one.
pub(crate) fn supported() -> bool {
    Reflect::has(&window().navigator(), &"share".into()).unwrap_or(false)
}

/// Offers the link; the person chooses where to, or that it goes nowhere.
pub(crate) async fn offer(link: &str) {
    let data = ShareData::new();
    data.set_url(link);
    let _ = JsFuture::from(window().navigator().share_with_data(&data)).await;
}

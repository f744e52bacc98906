//! The service worker's entry points, called by `assets/sw.js`.

#[cfg(target_arch = "wasm32")]
#[allow(unreachable_pub)] // `wasm_bindgen` exports public functions only, and nothing in Rust calls them.
mod entry {
    use ume_worker::{deposit, service};
    use wasm_bindgen::prelude::*;
    use web_sys::{Request, Response};

    #[wasm_bindgen]
    pub async fn on_install() -> Result<(), JsValue> {
        service::install().await
    }

    #[wasm_bindgen]
    pub async fn on_activate() -> Result<(), JsValue> {
        service::activate().await
    }

    #[wasm_bindgen]
    pub async fn on_sync() -> Result<(), JsValue> {
        deposit::send().await
    }

    #[wasm_bindgen]
    pub async fn on_fetch(request: Request) -> Result<Response, JsValue> {
        service::answer(request).await
    }
}

fn main() {}

//! The service worker: the app's files, available offline. It holds no key, no vault and no engine.
//!
//! The list comes from `/asset-manifest.js`: `self.UME_ASSETS = {version: "...", files: ["/index.html", ...]}`. Each
//! version has its own cache, filled completely or not at all; the old ones go when the new version takes over.

use js_sys::{Array, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Cache, CacheStorage, Request, RequestCache, RequestInit, RequestMode, Response,
    ServiceWorkerGlobalScope,
};

const CACHES: &str = "ume-shell-";
const INDEX: &str = "/index.html";

/// Fills the cache of this version, past the browser's HTTP cache.
///
/// # Errors
/// Any file that cannot be had; nothing is kept then and the version is not installed.
pub async fn install() -> Result<(), JsValue> {
    let fresh = RequestInit::new();
    fresh.set_cache(RequestCache::Reload);
    let requests = Array::new();
    for file in files()?.iter() {
        let file = file.as_string().ok_or(JsValue::NULL)?;
        requests.push(&Request::new_with_str_and_init(&file, &fresh)?.into());
    }
    let cache = cache().await?;
    JsFuture::from(cache.add_all_with_request_sequence(&requests)).await?;
    Ok(())
}

/// Removes the caches of other versions and takes charge of the open pages.
///
/// # Errors
/// What the browser says.
pub async fn activate() -> Result<(), JsValue> {
    let caches = caches()?;
    let current = name()?;
    let names: Array = JsFuture::from(caches.keys()).await?.unchecked_into();
    for name in names.iter().filter_map(|name| name.as_string()) {
        if name.starts_with(CACHES) && name != current {
            JsFuture::from(caches.delete(&name)).await?;
        }
    }
    JsFuture::from(scope().clients().claim()).await?;
    Ok(())
}

/// Answers a request of this origin: a navigation gets the shell, a listed file comes from the cache, the rest goes to the
/// network. The caller leaves `/v1/` and other origins alone.
///
/// # Errors
/// What the network says.
pub async fn answer(request: Request) -> Result<Response, JsValue> {
    let cache = cache().await?;
    let wanted = if request.mode() == RequestMode::Navigate {
        JsFuture::from(cache.match_with_str(INDEX)).await?
    } else {
        JsFuture::from(cache.match_with_request(&request)).await?
    };
    if let Ok(response) = wanted.dyn_into::<Response>() {
        return Ok(response);
    }
    JsFuture::from(scope().fetch_with_request(&request))
        .await?
        .dyn_into()
}

fn scope() -> ServiceWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

fn caches() -> Result<CacheStorage, JsValue> {
    scope().caches()
}

async fn cache() -> Result<Cache, JsValue> {
    JsFuture::from(caches()?.open(&name()?)).await?.dyn_into()
}

fn name() -> Result<String, JsValue> {
    let version = Reflect::get(&assets()?, &"version".into())?
        .as_string()
        .ok_or(JsValue::NULL)?;
    Ok(format!("{CACHES}{version}"))
}

fn files() -> Result<Array, JsValue> {
    Reflect::get(&assets()?, &"files".into())?.dyn_into()
}

fn assets() -> Result<JsValue, JsValue> {
    Reflect::get(&js_sys::global(), &"UME_ASSETS".into())
}

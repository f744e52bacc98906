//! What the engine leaves to be sent when no page is open (`Output::Deposit`): frames in a cache, which the service worker
//! sends when the browser gives it a moment (Background Synchronization). It sends whatever lies there, always as much, and
//! takes nothing out: what it sends again the relay knows, and the engine puts the next deposit in its place.

use crate::address::post_url;
use bytes::Bytes;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Cache, ReferrerPolicy, Request, RequestCache, RequestCredentials, RequestInit, RequestMode,
    Response, WorkerGlobalScope,
};

const CACHE: &str = "ume-deposit";

/// Keeps frames for a relay, instead of those kept before. Where that cannot be, the next start of the app sends them.
pub fn keep(relay: &str, frames: &[Bytes]) {
    let Some(address) = post_url(relay) else {
        return;
    };
    let body = Uint8Array::from(&frames.concat()[..]);
    spawn_local(async move {
        // Nothing hangs on it.
        let _ = put(&address, body).await;
    });
}

async fn put(address: &str, body: Uint8Array) -> Result<(), JsValue> {
    let kept = Response::new_with_opt_buffer_source(Some(&body))?;
    JsFuture::from(cache().await?.put_with_str(address, &kept)).await?;
    Ok(())
}

/// Sends what is kept: one `POST` to each relay.
///
/// # Errors
/// What the network says, once all were tried; the browser tries again later then.
pub async fn send() -> Result<(), JsValue> {
    let cache = cache().await?;
    let kept: Array = JsFuture::from(cache.keys()).await?.unchecked_into();
    let mut failed = None;
    for one in kept.iter() {
        if let Err(error) = send_one(&cache, &one.unchecked_into()).await {
            failed = Some(error);
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn send_one(cache: &Cache, kept: &Request) -> Result<(), JsValue> {
    let found = JsFuture::from(cache.match_with_request(kept)).await?;
    let Ok(found) = found.dyn_into::<Response>() else {
        return Ok(());
    };
    let body = JsFuture::from(found.array_buffer()?).await?;
    let post = RequestInit::new();
    post.set_method("POST");
    post.set_body(&body);
    post.set_mode(RequestMode::Cors);
    post.set_cache(RequestCache::NoStore);
    post.set_credentials(RequestCredentials::Omit);
    post.set_referrer_policy(ReferrerPolicy::NoReferrer);
    let post = Request::new_with_str_and_init(&kept.url(), &post)?;
    let answer: Response = JsFuture::from(scope().fetch_with_request(&post))
        .await?
        .dyn_into()?;
    // Read to its end, or the browser may close before the relay has taken all.
    JsFuture::from(answer.array_buffer()?).await?;
    answer.ok().then_some(()).ok_or(JsValue::NULL)
}

async fn cache() -> Result<Cache, JsValue> {
    JsFuture::from(scope().caches()?.open(CACHE))
        .await?
        .dyn_into()
}

/// A dedicated worker's as well as the service worker's.
fn scope() -> WorkerGlobalScope {
    js_sys::global().unchecked_into()
}

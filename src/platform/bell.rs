//! Being woken by relays: `assets/bell.js`, which is loaded when somebody wants that, and `assets/push.js`, which the browser
//! wakes.
use super::boot;
use js_sys::{Array, Function, JsString, Promise, Reflect, Uint8Array};
use leptos::prelude::location;
use ume_api::PushAddress;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Response, window};

/// Whether this browser can be woken at all.
pub(crate) fn works() -> bool {
    let has = |name: &str| Reflect::has(&js_sys::global(), &name.into()).unwrap_or(false);
    has("PushManager") && has("Notification")
}

/// Whether the person said no before; then only the browser's own settings help.
pub(crate) fn is_denied() -> bool {
    permission().is_some_and(|word| word == "denied")
}

/// Whether the person said yes before.
pub(crate) fn is_allowed() -> bool {
    permission().is_some_and(|word| word == "granted")
}

fn permission() -> Option<String> {
    let notification = Reflect::get(&js_sys::global(), &"Notification".into()).ok()?;
    Reflect::get(&notification, &"permission".into())
        .ok()?
        .as_string()
}

/// Lets the browser ask the person; whether they allow it. To be called when they tap.
pub(crate) async fn allow() -> bool {
    call("allow", &[])
        .await
        .and_then(|word| word.as_string())
        .is_some_and(|word| word == "granted")
}

/// Where a relay with this key can wake this browser.
pub(crate) async fn ring(key: &[u8]) -> Option<PushAddress> {
    let given = call("ring", &[Uint8Array::from(key).into()]).await?;
    let part = |name: &str| Reflect::get(&given, &name.into()).unwrap_or_default();
    let bytes = |name: &str| Uint8Array::new(&part(name)).to_vec();
    Some(PushAddress {
        endpoint: part("endpoint").as_string()?,
        p256dh: bytes("p256dh"),
        auth: bytes("auth"),
        // Only what has TLS is named; the worker that is woken knows by itself where it is.
        origin: location()
            .origin()
            .ok()
            .filter(|origin| origin.starts_with("https://"))
            .unwrap_or_default(),
    })
}

/// Something is new, and nobody looks at this page.
pub(crate) async fn hint() {
    call("hint", &[]).await;
}

/// No relay is to wake this browser any more.
pub(crate) async fn still() {
    call("still", &[]).await;
}

/// Leaves what a notice says, and the hours in which none is to be heard, for when no page is open.
pub(crate) async fn leave_words(title: &str, body: &str, hours: (u8, u8)) -> Option<()> {
    let words = js_sys::Object::new();
    let set = |name: &str, value: &JsValue| Reflect::set(&words, &name.into(), value);
    set("title", &title.into()).ok()?;
    set("body", &body.into()).ok()?;
    let hours: Array = [hours.0, hours.1].into_iter().map(JsValue::from).collect();
    set("hours", &hours).ok()?;
    let text: JsString = js_sys::JSON::stringify(&words).ok()?;
    let response = Response::new_with_opt_str(Some(&String::from(text))).ok()?;
    let cache = JsFuture::from(window()?.caches().ok()?.open("ume-notice"))
        .await
        .ok()?;
    let cache: web_sys::Cache = cache.dyn_into().ok()?;
    JsFuture::from(cache.put_with_str("/notice", &response))
        .await
        .ok()?;
    Some(())
}

async fn call(name: &str, arguments: &[JsValue]) -> Option<JsValue> {
    let load: Function = boot::member("bell")?.dyn_into().ok()?;
    let module: Promise = load.call0(&JsValue::UNDEFINED).ok()?.dyn_into().ok()?;
    let module = JsFuture::from(module).await.ok()?;
    let function: Function = Reflect::get(&module, &name.into()).ok()?.dyn_into().ok()?;
    let arguments: Array = arguments.iter().collect();
    let done: Promise = function
        .apply(&JsValue::UNDEFINED, &arguments)
        .ok()?
        .dyn_into()
        .ok()?;
    JsFuture::from(done).await.ok()
}

//! Passkeys and erasing: `assets/keys.js`, which is loaded when it is needed.
use super::boot;
use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use ume_api::{PasskeyView, Secret};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Whether this browser has passkeys at all. Whether they give a key is known once one is made.
pub(crate) fn passkeys_work() -> bool {
    Reflect::has(&js_sys::global(), &"PublicKeyCredential".into()).unwrap_or(false)
}

/// Makes a passkey, or asks for one of those that are there: which it is, and what its PRF gave; `None`: the person or the
/// browser did not want to.
pub(crate) async fn passkey(known: &[PasskeyView], make: bool) -> Option<(PasskeyView, Secret)> {
    let bytes = |bytes: &[u8]| JsValue::from(Uint8Array::from(bytes));
    let known: Array = known
        .iter()
        .map(|one| Array::of2(&bytes(&one.credential), &bytes(&one.salt)))
        .collect();
    let given = Array::from(&call(if make { "make" } else { "ask" }, &known).await?);
    let part = |at| Uint8Array::new(&given.get(at)).to_vec();
    let passkey = PasskeyView {
        credential: part(0),
        salt: part(1).try_into().ok()?,
    };
    Some((passkey, Secret(part(2))))
}

/// Erases all that this browser keeps for ume; whether it did.
pub(crate) async fn erase() -> bool {
    call("erase", &Array::new()).await.is_some()
}

async fn call(name: &str, argument: &Array) -> Option<JsValue> {
    let load: Function = boot::member("keys")?.dyn_into().ok()?;
    let module: Promise = load.call0(&JsValue::UNDEFINED).ok()?.dyn_into().ok()?;
    let module = JsFuture::from(module).await.ok()?;
    let function: Function = Reflect::get(&module, &name.into()).ok()?.dyn_into().ok()?;
    let done: Promise = function
        .call1(&JsValue::UNDEFINED, argument)
        .ok()?
        .dyn_into()
        .ok()?;
    JsFuture::from(done).await.ok()
}

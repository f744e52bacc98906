//! Passkeys and erasing: `assets/keys.js`, which is loaded when it is needed.
use super::boot;
use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use ume_api::PasskeyView;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Whether this browser has passkeys at all. Whether they give a key is known once one is made.
pub(crate) fn passkeys_work() -> bool {
    Reflect::has(&js_sys::global(), &"PublicKeyCredential".into()).unwrap_or(false)
}

/// Makes a passkey, and what its PRF gives for the salt; `None`: the person or the browser did not want to.
pub(crate) async fn make_passkey(known: &[PasskeyView]) -> Option<(PasskeyView, Vec<u8>)> {
    let made = call("make", &listed(known)).await?;
    let part = |at| Uint8Array::new(&Array::from(&made).get(at)).to_vec();
    let passkey = PasskeyView {
        credential: part(0),
        salt: part(1).try_into().ok()?,
    };
    Some((passkey, part(2)))
}

/// Asks for one of these passkeys: which it was, and what its PRF gave.
pub(crate) async fn ask_passkey(known: &[PasskeyView]) -> Option<(Vec<u8>, Vec<u8>)> {
    let given = call("ask", &listed(known)).await?;
    let part = |at| Uint8Array::new(&Array::from(&given).get(at)).to_vec();
    Some((part(0), part(1)))
}

/// Erases all that this browser keeps for ume; whether it did.
pub(crate) async fn erase() -> bool {
    call("erase", &Array::new()).await.is_some()
}

fn listed(known: &[PasskeyView]) -> Array {
    let bytes = |bytes: &[u8]| JsValue::from(Uint8Array::from(bytes));
    known
        .iter()
        .map(|one| Array::of2(&bytes(&one.credential), &bytes(&one.salt)))
        .collect()
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

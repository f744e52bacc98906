//! The device key: AES-256-GCM inside the browser, not extractable. It wraps the vault key and never shows its bytes.

use crate::browser;
use crate::database::StoreError;
use js_sys::{Array, Promise, Uint8Array};
use ume_vault::{Slot, WrappedKey};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AesGcmParams, CryptoKey, SubtleCrypto};
use zeroize::Zeroizing;

/// Makes a device key.
///
/// # Errors
/// [`StoreError::Denied`] when the browser offers no cryptography here.
pub async fn generate() -> Result<CryptoKey, StoreError> {
    let algorithm = browser::object(&[("name", "AES-GCM".into()), ("length", 256.into())]);
    let usages = Array::of2(&"encrypt".into(), &"decrypt".into());
    let key = settle(subtle()?.generate_key_with_object(&algorithm, false, &usages))
        .await
        .ok_or(StoreError::Denied)?;
    key.dyn_into().map_err(|_| StoreError::Denied)
}

/// Wraps the vault key.
///
/// # Errors
/// [`StoreError::Denied`] when the browser offers no cryptography here, [`StoreError::Failed`].
pub async fn wrap(
    key: &CryptoKey,
    vault_key: &[u8; 32],
    nonce: [u8; 12],
) -> Result<Slot, StoreError> {
    let mut slot = Slot::Device {
        wrapped: WrappedKey {
            nonce,
            sealed: [0; 48],
        },
    };
    let plain = Uint8Array::from(vault_key.as_slice());
    let parameters = parameters(&slot, nonce);
    let sealed =
        settle(subtle()?.encrypt_with_object_and_js_u8_array(&parameters, key, &plain)).await;
    plain.fill(0, 0, plain.length());
    let bytes = Uint8Array::new(&sealed.ok_or(StoreError::Failed)?).to_vec();
    if let Slot::Device { wrapped } = &mut slot {
        wrapped.sealed = bytes.try_into().map_err(|_| StoreError::Failed)?;
    }
    Ok(slot)
}

/// Opens a device slot.
///
/// # Errors
/// [`StoreError::KeysDamaged`] when it does not open, [`StoreError::Denied`].
pub async fn unwrap(key: &CryptoKey, slot: &Slot) -> Result<Zeroizing<[u8; 32]>, StoreError> {
    let Slot::Device { wrapped } = slot else {
        return Err(StoreError::KeysDamaged);
    };
    let sealed = Uint8Array::from(wrapped.sealed.as_slice());
    let parameters = parameters(slot, wrapped.nonce);
    let opened =
        settle(subtle()?.decrypt_with_object_and_js_u8_array(&parameters, key, &sealed)).await;
    let opened = Uint8Array::new(&opened.ok_or(StoreError::KeysDamaged)?);
    let mut vault_key = Zeroizing::new([0; 32]);
    let whole = opened.length() == 32;
    if whole {
        opened.copy_to(vault_key.as_mut_slice());
    }
    opened.fill(0, 0, opened.length());
    if whole {
        Ok(vault_key)
    } else {
        Err(StoreError::KeysDamaged)
    }
}

fn parameters(slot: &Slot, nonce: [u8; 12]) -> AesGcmParams {
    let parameters = AesGcmParams::new("AES-GCM", &Uint8Array::from(nonce.as_slice()));
    parameters.set_additional_data(&Uint8Array::from(slot.associated().as_slice()));
    parameters
}

fn subtle() -> Result<SubtleCrypto, StoreError> {
    let crypto = browser::scope().crypto().map_err(|_| StoreError::Denied)?;
    let subtle = crypto.subtle();
    if subtle.is_undefined() {
        Err(StoreError::Denied)
    } else {
        Ok(subtle)
    }
}

async fn settle(started: Result<Promise, JsValue>) -> Option<JsValue> {
    JsFuture::from(started.ok()?).await.ok()
}

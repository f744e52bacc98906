//! What opens the vault, as it lies in `meta` and `keys`: found, tried and replaced, each in one transaction under the lease.

use crate::browser;
use crate::database::{Access, Database, StoreError, result};
use crate::device_key;
use crate::store::{KEYS, META, RULES, under_lease};
use js_sys::Uint8Array;
use ume_api::{LockView, PasskeyView, Refused, UnlockKey};
use ume_engine::io::Table;
use ume_vault::{Slot, SlotError, SlotKey, UnlockError, decode_slots, encode_slots};
use wasm_bindgen::prelude::*;
use web_sys::CryptoKey;
use zeroize::Zeroizing;

const SLOTS: &str = "slots";
const DEVICE: &str = "device";
/// Attempts at the lock since it was last opened, a number. Not sealed: it is written while nothing is open.
const ATTEMPTS: &str = "attempts";

/// A vault key.
pub(crate) type VaultKey = Zeroizing<[u8; 32]>;

/// What became of opening the vault.
#[derive(Debug)]
pub(crate) enum Opened {
    /// Its key, all slots that there are, and the rules of the lock as they are stored.
    Open(VaultKey, Vec<Slot>, JsValue),
    /// It wants a key that only a person has.
    Locked(Locked),
}

/// A vault that is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// What the page is shown; the session knows how long to wait.
    pub view: LockView,
    /// Attempts since it was last opened.
    pub attempts: u32,
}

/// What a change does to the device key.
#[derive(Debug)]
pub(crate) enum Device {
    /// It stays as it is.
    Same,
    /// This one takes its place.
    New(CryptoKey),
    /// It is erased.
    Erased,
}

/// Opens the vault of this database, with what the browser keeps or with `key`; a new one if nothing is stored yet. `known`
/// says how many attempts the caller has waited for: more than that are news to it, and nothing is tried.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn open(
    database: &Database,
    lease: f64,
    key: Option<&UnlockKey>,
    known: u32,
) -> Result<Opened, StoreError> {
    let found = find(database, lease).await?;
    let Some(slots) = found.slots else {
        // Rows without slots were sealed with a key that is lost: starting anew would bury them.
        return if found.empty {
            begin(database, lease).await
        } else {
            Err(StoreError::KeysDamaged)
        };
    };
    if let Some(vault_key) = by_device(found.device.as_ref(), &slots).await {
        return Ok(Opened::Open(vault_key, slots, found.rules));
    }
    if !slots.iter().any(asks) {
        return Err(StoreError::KeysDamaged);
    }
    let locked = |attempts, refused| {
        Ok(Opened::Locked(Locked {
            view: view(&slots, refused),
            attempts,
        }))
    };
    let Some(key) = key else {
        return locked(found.attempts, None);
    };
    if found.attempts > known {
        return locked(found.attempts, Some(Refused::TooSoon));
    }
    // Counted before it is tried: who ends the worker in between gains nothing.
    let attempts = found.attempts.saturating_add(1);
    put_attempts(database, lease, attempts).await?;
    match unlock(&slots, key) {
        Ok(vault_key) => {
            put_attempts(database, lease, 0).await?;
            Ok(Opened::Open(vault_key, slots, found.rules))
        }
        Err(why) => locked(attempts, Some(refused(why))),
    }
}

/// Puts other slots in the place of those before: all of it, or nothing.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn replace(
    database: &Database,
    lease: f64,
    slots: &[Slot],
    device: Device,
) -> Result<(), StoreError> {
    let slots = encode_slots(slots).map_err(|_| StoreError::Failed)?;
    under_lease(database, lease, &[KEYS], Access::Write, |transaction| {
        let keys = transaction.object_store(KEYS)?;
        match &device {
            Device::Same => {}
            Device::New(key) => drop(keys.put_with_key(key, &DEVICE.into())?),
            Device::Erased => drop(keys.delete(&DEVICE.into())?),
        }
        transaction
            .object_store(META)?
            .put_with_key(&Uint8Array::from(slots.as_slice()), &SLOTS.into())
    })
    .await?;
    Ok(())
}

/// Tries a key on the slots of its kind.
///
/// # Errors
/// [`UnlockError`].
pub(crate) fn unlock(slots: &[Slot], key: &UnlockKey) -> Result<VaultKey, UnlockError> {
    let mut why = UnlockError::Wrong;
    for slot in slots {
        let slot_key = match (slot, key) {
            (Slot::Passphrase { params, salt, .. }, UnlockKey::Passphrase(passphrase)) => {
                SlotKey::from_passphrase(&passphrase.0, *params, salt)
            }
            (Slot::Words { salt, .. }, UnlockKey::Words(words)) => std::str::from_utf8(&words.0)
                .map_err(|_| UnlockError::NoWords)
                .and_then(|words| SlotKey::from_words(words, salt)),
            (
                Slot::Passkey {
                    credential, salt, ..
                },
                UnlockKey::Passkey {
                    credential: used,
                    output,
                },
            ) if credential == used => output
                .0
                .as_slice()
                .try_into()
                .map(|output| SlotKey::from_passkey(output, salt))
                .map_err(|_| UnlockError::Wrong),
            _ => continue,
        };
        match slot_key.and_then(|slot_key| slot_key.unwrap(slot)) {
            Ok(vault_key) => return Ok(vault_key),
            Err(error) => why = error,
        }
    }
    Err(why)
}

/// The passkeys among slots, as the page is told.
pub(crate) fn passkeys(slots: &[Slot]) -> Vec<PasskeyView> {
    slots
        .iter()
        .filter_map(|slot| match slot {
            Slot::Passkey {
                credential, salt, ..
            } => Some(PasskeyView {
                credential: credential.clone(),
                salt: *salt,
            }),
            _ => None,
        })
        .collect()
}

/// A slot for the device, with a device key made for it.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn for_device(vault_key: &[u8; 32]) -> Result<(Slot, CryptoKey), StoreError> {
    let mut nonce = [0; 12];
    browser::random(&mut nonce)?;
    let device = device_key::generate().await?;
    let slot = device_key::wrap(&device, vault_key, nonce).await?;
    Ok((slot, device))
}

struct Found {
    slots: Option<Vec<Slot>>,
    device: Option<CryptoKey>,
    attempts: u32,
    rules: JsValue,
    /// Whether no row of the engine is there.
    empty: bool,
}

async fn find(database: &Database, lease: f64) -> Result<Found, StoreError> {
    let mut stores = vec![KEYS];
    stores.extend(Table::ALL.map(Table::name));
    let (slots, device, attempts, rules, counts) =
        under_lease(database, lease, &stores, Access::Read, |transaction| {
            let meta = transaction.object_store(META)?;
            let counts = Table::ALL
                .iter()
                .map(|table| transaction.object_store(table.name())?.count())
                .collect::<Result<Vec<_>, JsValue>>()?;
            Ok((
                meta.get(&SLOTS.into())?,
                transaction.object_store(KEYS)?.get(&DEVICE.into())?,
                meta.get(&ATTEMPTS.into())?,
                meta.get(&RULES.into())?,
                counts,
            ))
        })
        .await?;
    let slots = result(&slots);
    let slots = if slots.is_undefined() {
        None
    } else {
        let bytes = slots
            .dyn_ref::<Uint8Array>()
            .ok_or(StoreError::KeysDamaged)?;
        Some(decode_slots(&bytes.to_vec()).map_err(|error| match error {
            SlotError::Newer => StoreError::Newer,
            _ => StoreError::KeysDamaged,
        })?)
    };
    Ok(Found {
        slots,
        device: result(&device).dyn_into().ok(),
        attempts: count(result(&attempts).as_f64()),
        rules: result(&rules),
        empty: counts
            .iter()
            .all(|count| result(count).as_f64() == Some(0.0)),
    })
}

/// Somebody who can write here can write what they like; what is no count counts as none.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a float cast saturates, which is what is wanted
fn count(found: Option<f64>) -> u32 {
    found.unwrap_or(0.0) as u32
}

async fn by_device(device: Option<&CryptoKey>, slots: &[Slot]) -> Option<VaultKey> {
    let slot = slots
        .iter()
        .find(|slot| matches!(slot, Slot::Device { .. }))?;
    device_key::unwrap(device?, slot).await.ok()
}

/// Whether a person can open the slot by typing something.
fn asks(slot: &Slot) -> bool {
    matches!(slot, Slot::Passphrase { .. } | Slot::Words { .. })
}

fn view(slots: &[Slot], refused: Option<Refused>) -> LockView {
    LockView {
        words: slots.iter().any(|slot| matches!(slot, Slot::Words { .. })),
        passkeys: passkeys(slots),
        wait_ms: 0,
        refused,
    }
}

const fn refused(why: UnlockError) -> Refused {
    match why {
        UnlockError::NoWords => Refused::NoWords,
        UnlockError::Memory => Refused::Memory,
        _ => Refused::Wrong,
    }
}

async fn begin(database: &Database, lease: f64) -> Result<Opened, StoreError> {
    let mut vault_key = Zeroizing::new([0; 32]);
    browser::random(vault_key.as_mut_slice())?;
    let (slot, device) = for_device(&vault_key).await?;
    let slots = vec![slot];
    replace(database, lease, &slots, Device::New(device)).await?;
    Ok(Opened::Open(vault_key, slots, JsValue::UNDEFINED))
}

async fn put_attempts(database: &Database, lease: f64, attempts: u32) -> Result<(), StoreError> {
    under_lease(database, lease, &[], Access::Write, |transaction| {
        transaction
            .object_store(META)?
            .put_with_key(&attempts.into(), &ATTEMPTS.into())
    })
    .await?;
    Ok(())
}

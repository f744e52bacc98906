//! IndexedDB, as little of it as we need: open with migration, one strict transaction at a time.
//!
//! Traps that this module exists for: a transaction commits by itself as soon as nothing is asked of it, so all requests
//! are issued in one go and only `complete` is awaited; durability is relaxed unless asked for; an upgrade must never
//! remove a store; an old connection blocks an upgrade until it is closed.

use crate::browser::{self, StrictDatabase};
use js_sys::{Array, Promise};
use std::cell::Cell;
use std::rc::Rc;
use ume_api::Failure;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DomException, Event, IdbDatabase, IdbOpenDbRequest, IdbRequest, IdbTransaction};

/// How long an upgrade waits for connections of other tabs to close, ms.
const BLOCKED_WAIT: u32 = 3000;

/// Storage did not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The browser gives this page no storage, or no cryptography: a private window, blocked site data, no secure context.
    #[error("the browser allows no storage here")]
    Denied,
    /// The quota is used up. Nothing of the transaction was written.
    #[error("the browser's storage is full")]
    Full,
    /// What is stored was made by a newer version. Nothing was touched.
    #[error("the stored data is of a newer version")]
    Newer,
    /// Another tab keeps an old version of the database open.
    #[error("another tab keeps the database open")]
    Blocked,
    /// Another engine has taken the lease. Nothing of the transaction was written.
    #[error("another engine has taken over")]
    LeaseLost,
    /// The vault key cannot be had: the slots are damaged, or they were wrapped by another device's key.
    #[error("the stored keys do not open")]
    KeysDamaged,
    /// Anything else. Nothing of the transaction was written.
    #[error("the browser's storage failed")]
    Failed,
}

impl StoreError {
    /// What the page is told.
    #[must_use]
    pub fn failure(self) -> Failure {
        match self {
            Self::Denied => Failure::StorageDenied,
            Self::Full => Failure::StorageFull,
            Self::Newer => Failure::StorageNewer,
            Self::KeysDamaged => Failure::KeysDamaged,
            Self::Blocked | Self::LeaseLost | Self::Failed => Failure::StorageFailed,
        }
    }

    pub(crate) fn from_js(error: &JsValue) -> Self {
        error
            .dyn_ref::<DomException>()
            .map_or(Self::Failed, Self::from_exception)
    }

    fn from_exception(error: &DomException) -> Self {
        match error.name().as_str() {
            "QuotaExceededError" => Self::Full,
            "VersionError" => Self::Newer,
            // Storing a CryptoKey is what some private windows refuse with DataCloneError.
            "SecurityError" | "InvalidAccessError" | "NotAllowedError" | "DataCloneError" => {
                Self::Denied
            }
            _ => Self::Failed,
        }
    }
}

/// What a database is to look like.
#[derive(Clone, Debug)]
pub struct Schema {
    /// Name of the database.
    pub name: String,
    /// Version; goes up by one whenever `stores` or the meaning of a row changes.
    pub version: u32,
    /// Every object store, with out-of-line keys. A name is never removed from this list.
    pub stores: Vec<&'static str>,
}

/// An open database.
#[derive(Debug)]
pub struct Database {
    inner: IdbDatabase,
    _on_gone: Closure<dyn FnMut(Event)>,
}

impl Database {
    /// Opens the database and brings it to the schema. `gone` is called once when it had to be closed: another
    /// tab wants to upgrade or delete it, or the browser closed it.
    ///
    /// # Errors
    /// [`StoreError::Denied`], [`StoreError::Newer`], [`StoreError::Blocked`], [`StoreError::Full`], [`StoreError::Failed`].
    pub async fn open(schema: &Schema, gone: impl Fn() + 'static) -> Result<Self, StoreError> {
        let factory = browser::scope()
            .indexed_db()
            .ok()
            .flatten()
            .ok_or(StoreError::Denied)?;
        let request = factory
            .open_with_u32(&schema.name, schema.version)
            .map_err(|error| match StoreError::from_js(&error) {
                StoreError::Failed => StoreError::Denied,
                other => other,
            })?;
        let inner = opened(&request, schema.stores.clone()).await?;

        let closing = inner.clone();
        let on_gone = Closure::<dyn FnMut(Event)>::new(move |_| {
            closing.close();
            gone();
        });
        inner.set_onversionchange(Some(on_gone.as_ref().unchecked_ref()));
        inner.set_onclose(Some(on_gone.as_ref().unchecked_ref()));
        Ok(Self {
            inner,
            _on_gone: on_gone,
        })
    }

    /// Runs one transaction, strictly durable, and waits until it is complete. `issue` asks everything at once and
    /// gives the requests whose results are wanted; it may abort the transaction.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was written then.
    pub async fn transact<T>(
        &self,
        stores: &[&str],
        access: Access,
        issue: impl FnOnce(&IdbTransaction) -> Result<T, JsValue>,
    ) -> Result<T, StoreError> {
        let names: Array = stores.iter().copied().map(JsValue::from_str).collect();
        let (mode, options) = match access {
            Access::Read => ("readonly", browser::object(&[])),
            Access::Write => (
                "readwrite",
                browser::object(&[("durability", "strict".into())]),
            ),
        };
        let transaction = self
            .inner
            .unchecked_ref::<StrictDatabase>()
            .transaction(&names, mode, &options)
            .map_err(|error| StoreError::from_js(&error))?;
        let ended = Promise::new(&mut |resolve, reject| {
            transaction.set_oncomplete(Some(&resolve));
            transaction.set_onabort(Some(&reject));
        });
        let issued = match issue(&transaction) {
            Ok(issued) => issued,
            Err(error) => {
                // It may have aborted by itself; either way `ended` is rejected and nothing is written.
                let _ = transaction.abort();
                let _ = JsFuture::from(ended).await;
                return Err(StoreError::from_js(&error));
            }
        };
        match JsFuture::from(ended).await {
            Ok(_) => Ok(issued),
            Err(_) => Err(transaction.error().map_or(StoreError::Failed, |error| {
                StoreError::from_exception(&error)
            })),
        }
    }

    /// Closes the connection as soon as the running transaction is complete.
    pub fn close(&self) {
        self.inner.set_onversionchange(None);
        self.inner.set_onclose(None);
        self.inner.close();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.close();
    }
}

/// What a transaction may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read.
    Read,
    /// Read and write.
    Write,
}

/// The result of a request of a transaction that is complete.
pub(crate) fn result(request: &IdbRequest) -> JsValue {
    request.result().unwrap_or(JsValue::UNDEFINED)
}

/// Calls `then` with the result of a request, inside its transaction. Keep the closure until the transaction is over.
#[must_use]
pub(crate) fn on_success(
    request: &IdbRequest,
    then: impl FnOnce(JsValue) + 'static,
) -> Closure<dyn FnMut(Event)> {
    let asked = request.clone();
    let closure = Closure::once(move |_: Event| then(result(&asked)));
    request.set_onsuccess(Some(closure.as_ref().unchecked_ref()));
    closure
}

async fn opened(
    request: &IdbOpenDbRequest,
    stores: Vec<&'static str>,
) -> Result<IdbDatabase, StoreError> {
    let asked = request.clone();
    let upgrade = Closure::<dyn FnMut(Event) -> Result<(), JsValue>>::new(move |_: Event| {
        migrate(&asked.result()?.unchecked_into(), &stores)
    });
    request.set_onupgradeneeded(Some(upgrade.as_ref().unchecked_ref()));

    let waited_out = Rc::new(Cell::new(false));
    let mut on_blocked = None;
    let blocked = Promise::new(&mut |_, reject| {
        let waited_out = Rc::clone(&waited_out);
        let give_up = Closure::once_into_js(move || {
            waited_out.set(true);
            let _ = reject.call1(&JsValue::NULL, &JsValue::NULL);
        });
        let closure = Closure::<dyn FnMut(Event)>::new(move |_: Event| {
            browser::set_timeout(give_up.unchecked_ref(), BLOCKED_WAIT);
        });
        request.set_onblocked(Some(closure.as_ref().unchecked_ref()));
        on_blocked = Some(closure);
    });
    let done = Promise::new(&mut |resolve, reject| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    });
    let ended = JsFuture::from(Promise::race(&Array::of2(&done, &blocked))).await;
    if waited_out.get() && ended.is_err() {
        // Should the browser open it later after all, nobody may be kept waiting for this connection in turn.
        let asked = request.clone();
        let late = Closure::once_into_js(move |_: Event| {
            if let Ok(database) = asked.result() {
                database.unchecked_into::<IdbDatabase>().close();
            }
        });
        request.set_onsuccess(Some(late.unchecked_ref()));
        // It stays in place: an upgrade without it would leave a newer version without its stores.
        upgrade.forget();
        return Err(StoreError::Blocked);
    }
    request.set_onupgradeneeded(None);
    request.set_onblocked(None);
    drop(on_blocked);
    if ended.is_ok() {
        return request
            .result()
            .map(JsCast::unchecked_into)
            .map_err(|_| StoreError::Failed);
    }
    let error = request.error().ok().flatten();
    // Browsers that give a private window no storage say so in several ways; none of them is a damaged database.
    Err(match error {
        Some(error) if error.name() == "InvalidStateError" => StoreError::Denied,
        Some(error) => StoreError::from_exception(&error),
        None => StoreError::Failed,
    })
}

/// Forward only, and additive: what exists stays as it is.
fn migrate(database: &IdbDatabase, stores: &[&'static str]) -> Result<(), JsValue> {
    let existing = database.object_store_names();
    for store in stores {
        if !existing.contains(store) {
            database.create_object_store(store)?;
        }
    }
    Ok(())
}

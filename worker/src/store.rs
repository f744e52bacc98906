//! The engine's rows in IndexedDB: sealed, under keyed names, written one strict transaction per batch.
//!
//! Whoever opens the store takes the *lease*: a number in `meta` that goes up by one. Each transaction reads it again and
//! aborts when it has changed, so a tab that was frozen and thaws, or lost its lock, cannot write any more.

use crate::database::{Access, Database, Schema, StoreError, on_success, result};
use crate::slots::{self, Device, Locked, Opened};
use js_sys::{Array, Uint8Array};
use std::cell::Cell;
use std::rc::Rc;
use ume_api::{Kept, LockRules, StoredView, UnlockKey};
use ume_engine::io::{Batch, Key, Table};
use ume_vault::{OpenError, Slot, Vault};
use wasm_bindgen::prelude::*;
use web_sys::{IdbRequest, IdbTransaction};

/// Version of the database. Goes up with every new store or changed meaning.
pub const SCHEMA_VERSION: u32 = 2;
/// Name of the database.
pub const DATABASE: &str = "ume";

/// Rows about the database itself: `lease` (a number), `slots` (bytes of [`ume_vault::encode_slots`]), `attempts` (a number),
/// `rules` (sealed: when ume locks itself).
pub const META: &str = "meta";
/// The device key (`device`), a non-extractable `CryptoKey`.
pub const KEYS: &str = "keys";
/// Records that did not open, under `[table, stored name, ms when found]`, as they were.
pub const DAMAGED: &str = "damaged";

/// Rows of a large table that are read together.
const AT_ONCE: u32 = 16;
const LEASE: &str = "lease";
/// When ume locks itself, sealed.
pub(crate) const RULES: &str = "rules";

/// The schema that this version writes.
#[must_use]
pub fn schema() -> Schema {
    let mut stores = vec![META, KEYS, DAMAGED];
    stores.extend(Table::ALL.map(Table::name));
    Schema {
        name: DATABASE.to_owned(),
        version: SCHEMA_VERSION,
        stores,
    }
}

/// The open store.
#[derive(Debug)]
pub struct Store {
    database: Database,
    vault: Vault,
    slots: Vec<Slot>,
    rules: Cell<LockRules>,
    /// Whether they did not open, and nobody was told yet.
    rules_damaged: Cell<bool>,
    lease: f64,
}

/// What became of opening a store.
#[derive(Debug)]
pub enum Opening {
    /// It is open.
    Open(Store),
    /// It wants a key that only a person has. Nothing but the slots was read, and it is closed.
    Locked(Locked),
}

/// All that is stored.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Every row that opened.
    pub rows: Vec<(Key, Vec<u8>)>,
    /// How many did not and were set aside just now.
    pub damaged: u32,
}

impl Store {
    /// Opens the store, taking the lease before anything else; makes its keys at first start. `key` is what a person opens it
    /// with, who has waited for `known` attempts before. `gone` is called when the database had to be closed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(
        schema: &Schema,
        key: Option<&UnlockKey>,
        known: u32,
        gone: impl Fn() + 'static,
    ) -> Result<Opening, StoreError> {
        let database = Database::open(schema, gone).await?;
        let lease = take_lease(&database).await?;
        Ok(match slots::open(&database, lease, key, known).await? {
            Opened::Open(vault_key, slots, rules) => {
                let store = Self {
                    database,
                    vault: Vault::new(vault_key),
                    slots,
                    rules: Cell::default(),
                    rules_damaged: Cell::default(),
                    lease,
                };
                store.rules_damaged.set(!store.take_rules(&rules));
                Opening::Open(store)
            }
            Opened::Locked(locked) => Opening::Locked(locked),
        })
    }

    /// Reads and opens every row. Rows that do not open are moved to [`DAMAGED`] and counted.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when a row was sealed by a newer version, [`StoreError::KeysDamaged`] when the profile does
    /// not open: nothing was touched in either case; and the others.
    pub async fn load(&self) -> Result<Loaded, StoreError> {
        let mut loaded = Loaded::default();
        let mut damaged = Vec::new();
        for (table, names, values) in self.all_rows().await? {
            for (name, value) in names.iter().zip(values.iter()) {
                match self.open_row(table, &name, &value) {
                    Ok(row) => loaded.rows.push(row),
                    Err(OpenError::Newer) => return Err(StoreError::Newer),
                    // Without it the engine would make a new root key and bury everything that hangs on the old one.
                    Err(_) if table == Table::Profile => return Err(StoreError::KeysDamaged),
                    Err(_) => damaged.push((table, name, value)),
                }
            }
        }
        loaded.damaged = u32::try_from(damaged.len()).unwrap_or(u32::MAX);
        if !damaged.is_empty() {
            self.set_aside(&damaged).await?;
        }
        loaded.damaged += u32::from(self.rules_damaged.replace(false));
        Ok(loaded)
    }

    /// How much is stored in each table. Sealed rows are counted as they are; none is opened.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn measure(&self) -> Result<Vec<StoredView>, StoreError> {
        let what = |table| match table {
            Table::Profile => Kept::Profile,
            Table::Community => Kept::Communities,
            Table::Mls => Kept::Keys,
            Table::Entry => Kept::Posts,
            Table::Outbox => Kept::Outbox,
            Table::File | Table::Piece => Kept::Files,
        };
        let mut views: Vec<StoredView> = Vec::new();
        let mut add = |table, values: Array| {
            let lengths = values.iter();
            let lengths = lengths.filter_map(|value| Some(value.dyn_ref::<Uint8Array>()?.length()));
            let (what, bytes) = (what(table), lengths.map(u64::from).sum());
            match views.iter_mut().find(|view| view.what == what) {
                Some(view) => {
                    view.rows += values.length();
                    view.bytes += bytes;
                }
                None => views.push(StoredView {
                    what,
                    rows: values.length(),
                    bytes,
                }),
            }
        };
        for (table, _, values) in self.all_rows().await? {
            add(table, values);
        }
        for table in Table::ALL.into_iter().filter(|table| table.is_lazy()) {
            let names = self
                .transact(&[table.name()], Access::Read, |transaction| {
                    transaction.object_store(table.name())?.get_all_keys()
                })
                .await?;
            let names = array(&names)?;
            // A few at a time: all of them together may be more than there is memory.
            for from in (0..names.length()).step_by(AT_ONCE as usize) {
                let some: Vec<JsValue> = names.slice(from, from + AT_ONCE).iter().collect();
                add(table, self.values(table, &some).await?);
            }
        }
        Ok(views)
    }

    /// Reads rows, in the order of their keys; `None` in the place of one that is not there or does not open.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read(&self, keys: Vec<Key>) -> Result<Vec<(Key, Option<Vec<u8>>)>, StoreError> {
        let mut rows = Vec::with_capacity(keys.len());
        for key in keys {
            let table = key.table;
            let name = self.vault.name(table.name(), &key.id);
            let name = Uint8Array::from(name.as_slice()).into();
            let values = self.values(table, std::slice::from_ref(&name)).await?;
            let opened = self.open_row(table, &name, &values.get(0)).ok();
            let row = opened
                .filter(|(found, _)| *found == key)
                .map(|(_, row)| row);
            rows.push((key, row));
        }
        Ok(rows)
    }

    async fn values(&self, table: Table, names: &[JsValue]) -> Result<Array, StoreError> {
        let requests = self
            .transact(&[table.name()], Access::Read, |transaction| {
                let store = transaction.object_store(table.name())?;
                names
                    .iter()
                    .map(|name| store.get(name))
                    .collect::<Result<Vec<_>, JsValue>>()
            })
            .await?;
        Ok(requests.iter().map(result).collect())
    }

    /// Writes a batch: all of it, durable, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Full`], [`StoreError::LeaseLost`], [`StoreError::Failed`].
    pub async fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut tables: Vec<&str> = batch.0.keys().map(|key| key.table.name()).collect();
        tables.dedup();
        // Sealed before the transaction begins: inside it, nothing but requests.
        let mut changes = Vec::with_capacity(batch.0.len());
        for (key, value) in &batch.0 {
            let table = key.table.name();
            changes.push(match value {
                Some(value) => {
                    let record = self
                        .vault
                        .seal(table, &key.id, value, &mut rand_core::OsRng)
                        .map_err(|_| StoreError::Failed)?;
                    (table, record.name, Some(record.value))
                }
                None => (table, self.vault.name(table, &key.id), None),
            });
        }
        self.transact(&tables, Access::Write, |transaction| {
            for (table, name, value) in &changes {
                let store = transaction.object_store(table)?;
                let name = Uint8Array::from(name.as_slice());
                match value {
                    Some(value) => {
                        store.put_with_key(&Uint8Array::from(value.as_slice()), &name)?
                    }
                    None => store.delete(&name)?,
                };
            }
            Ok(())
        })
        .await
    }

    /// What opens the vault.
    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The vault key, to be wrapped and for nothing else.
    pub(crate) fn vault_key(&self) -> &[u8; 32] {
        self.vault.key()
    }

    /// Puts other slots in the place of those before: all of it, or nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn replace_slots(
        &mut self,
        slots: Vec<Slot>,
        device: Device,
    ) -> Result<(), StoreError> {
        slots::replace(&self.database, self.lease, &slots, device).await?;
        self.slots = slots;
        Ok(())
    }

    /// When ume locks itself.
    pub(crate) fn rules(&self) -> LockRules {
        self.rules.get()
    }

    /// Changes when ume locks itself. Sealed like a row, so that nobody changes it while it is locked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn keep_rules(&self, rules: LockRules) -> Result<(), StoreError> {
        let [low, high] = rules.idle_minutes.to_le_bytes();
        let record = self
            .vault
            .seal(
                META,
                RULES.as_bytes(),
                &[low, high, u8::from(rules.hide)],
                &mut rand_core::OsRng,
            )
            .map_err(|_| StoreError::Failed)?;
        self.transact(&[], Access::Write, |transaction| {
            transaction
                .object_store(META)?
                .put_with_key(&Uint8Array::from(record.value.as_slice()), &RULES.into())
        })
        .await?;
        self.rules.set(rules);
        Ok(())
    }

    /// Takes in when ume locks itself, as it is stored; whether that is as it was written. What was changed counts as the
    /// strictest rule, until somebody chooses again.
    fn take_rules(&self, stored: &JsValue) -> bool {
        if stored.is_undefined() {
            return true;
        }
        let name = self.vault.name(META, RULES.as_bytes());
        let opened = stored
            .dyn_ref::<Uint8Array>()
            .and_then(|stored| self.vault.open(META, &name, &stored.to_vec()).ok());
        let Some(&[low, high, hide]) = opened.as_ref().map(|(_, value)| value.as_slice()) else {
            self.rules.set(LockRules {
                idle_minutes: 1,
                hide: true,
            });
            return false;
        };
        self.rules.set(LockRules {
            idle_minutes: u16::from_le_bytes([low, high]),
            hide: hide != 0,
        });
        true
    }

    /// Closes the database once the running transaction is complete.
    pub fn close(&self) {
        self.database.close();
    }

    /// The rows of the tables that are read at the start.
    async fn all_rows(&self) -> Result<Vec<(Table, Array, Array)>, StoreError> {
        let mut tables = Table::ALL.to_vec();
        tables.retain(|table| !table.is_lazy());
        let names: Vec<&str> = tables.iter().map(|table| table.name()).collect();
        let requests = self
            .transact(&names, Access::Read, |transaction| {
                tables
                    .into_iter()
                    .map(|table| {
                        let store = transaction.object_store(table.name())?;
                        Ok((table, store.get_all_keys()?, store.get_all()?))
                    })
                    .collect::<Result<Vec<_>, JsValue>>()
            })
            .await?;
        requests
            .into_iter()
            .map(|(table, names, values)| Ok((table, array(&names)?, array(&values)?)))
            .collect()
    }

    fn open_row(
        &self,
        table: Table,
        name: &JsValue,
        value: &JsValue,
    ) -> Result<(Key, Vec<u8>), OpenError> {
        let name = Uint8Array::new(name)
            .to_vec()
            .try_into()
            .map_err(|_| OpenError::Damaged)?;
        let value = value
            .dyn_ref::<Uint8Array>()
            .ok_or(OpenError::Damaged)?
            .to_vec();
        let (id, value) = self.vault.open(table.name(), &name, &value)?;
        Ok((Key { table, id }, value))
    }

    async fn set_aside(&self, rows: &[(Table, JsValue, JsValue)]) -> Result<(), StoreError> {
        let mut stores = vec![DAMAGED];
        stores.extend(rows.iter().map(|(table, ..)| table.name()));
        stores.dedup();
        let found = JsValue::from_f64(js_sys::Date::now());
        self.transact(&stores, Access::Write, |transaction| {
            let aside = transaction.object_store(DAMAGED)?;
            for (table, name, value) in rows {
                aside.put_with_key(value, &Array::of3(&table.name().into(), name, &found))?;
                transaction.object_store(table.name())?.delete(name)?;
            }
            Ok(())
        })
        .await
    }

    async fn transact<T>(
        &self,
        stores: &[&str],
        access: Access,
        issue: impl FnOnce(&IdbTransaction) -> Result<T, JsValue>,
    ) -> Result<T, StoreError> {
        under_lease(&self.database, self.lease, stores, access, issue).await
    }
}

fn array(request: &IdbRequest) -> Result<Array, StoreError> {
    result(request)
        .dyn_into::<Array>()
        .map_err(|_| StoreError::Failed)
}

/// One transaction that aborts when the lease is another's.
pub(crate) async fn under_lease<T>(
    database: &Database,
    lease: f64,
    stores: &[&str],
    access: Access,
    issue: impl FnOnce(&IdbTransaction) -> Result<T, JsValue>,
) -> Result<T, StoreError> {
    let mut stores = stores.to_vec();
    stores.push(META);
    let lost = Rc::new(Cell::new(false));
    let ended = database
        .transact(&stores, access, |transaction| {
            let asked = transaction.object_store(META)?.get(&LEASE.into())?;
            let (aborting, lost) = (transaction.clone(), Rc::clone(&lost));
            // Requests are answered in order, so this runs before the transaction can commit.
            let check = on_success(&asked, move |found| {
                // Whole numbers far below 2^53: equal or not is exact.
                if found
                    .as_f64()
                    .is_none_or(|found| found.to_bits() != lease.to_bits())
                {
                    lost.set(true);
                    let _ = aborting.abort();
                }
            });
            Ok((issue(transaction)?, check))
        })
        .await;
    if lost.get() {
        return Err(StoreError::LeaseLost);
    }
    ended.map(|(issued, _)| issued)
}

async fn take_lease(database: &Database) -> Result<f64, StoreError> {
    let taken = Rc::new(Cell::new(0.0));
    let noted = Rc::clone(&taken);
    database
        .transact(&[META], Access::Write, |transaction| {
            let meta = transaction.object_store(META)?;
            let asked = meta.get(&LEASE.into())?;
            Ok(on_success(&asked, move |found| {
                let next = found.as_f64().unwrap_or(0.0) + 1.0;
                // Should this fail, the first transaction finds the lease changed and refuses.
                if meta.put_with_key(&next.into(), &LEASE.into()).is_ok() {
                    noted.set(next);
                }
            }))
        })
        .await?;
    if taken.get() > 0.0 {
        Ok(taken.get())
    } else {
        Err(StoreError::Failed)
    }
}

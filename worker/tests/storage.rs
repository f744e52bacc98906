//! The store in a real browser: strict transactions, damage, migration, lease, keys.
#![cfg(target_arch = "wasm32")]
// Clippy knows `test`, not `wasm_bindgen_test`.
#![allow(clippy::unwrap_used, clippy::panic)]

use js_sys::{Array, Reflect, Uint8Array};
use std::cell::Cell;
use std::rc::Rc;
use ume_api::Kept;
use ume_engine::io::{Batch, Key, Table};
use ume_worker::browser;
use ume_worker::database::{Access, Database, Schema, StoreError};
use ume_worker::store::{self, Opening, Store};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{IdbTransaction, WorkerGlobalScope};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

fn schema(test: &str) -> Schema {
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    let name = format!("ume-{test}-{}", js_sys::Math::random());
    assert!(scope.indexed_db().unwrap().is_some());
    Schema {
        name,
        ..store::schema()
    }
}

fn key(table: Table, id: &[u8]) -> Key {
    Key {
        table,
        id: id.to_vec(),
    }
}

type Row<'a> = (Table, &'a [u8], Option<&'a [u8]>);

fn batch(rows: &[Row<'_>]) -> Batch {
    Batch(
        rows.iter()
            .map(|(table, id, value)| (key(*table, id), value.map(<[u8]>::to_vec)))
            .collect(),
    )
}

async fn open(schema: &Schema) -> Result<Store, StoreError> {
    open_until(schema, || ()).await
}

/// Opens a store that nobody has to be asked for.
async fn open_until(schema: &Schema, gone: impl Fn() + 'static) -> Result<Store, StoreError> {
    match Store::open(schema, None, 0, gone).await? {
        Opening::Open(store) => Ok(store),
        Opening::Locked(locked) => panic!("{locked:?}"),
    }
}

async fn raw<T>(
    schema: &Schema,
    access: Access,
    issue: impl FnOnce(&IdbTransaction) -> Result<T, JsValue>,
) -> Result<T, StoreError> {
    let database = Database::open(schema, || ()).await?;
    let stores = schema.stores.clone();
    let ended = database.transact(&stores, access, issue).await;
    database.close();
    ended
}

async fn dump(schema: &Schema, table: &'static str) -> (Array, Array) {
    let (names, values) = raw(schema, Access::Read, |transaction| {
        let store = transaction.object_store(table)?;
        Ok((store.get_all_keys()?, store.get_all()?))
    })
    .await
    .unwrap();
    (
        names.result().unwrap().unchecked_into(),
        values.result().unwrap().unchecked_into(),
    )
}

#[wasm_bindgen_test]
async fn what_is_written_is_there_after_reopening() {
    let schema = schema("reopen");
    let store = open(&schema).await.unwrap();
    assert!(store.load().await.unwrap().rows.is_empty());
    store
        .write(&batch(&[
            (Table::Profile, b"me", Some(b"one")),
            (Table::Entry, b"a", Some(b"post")),
            (Table::Entry, b"b", Some(b"gone")),
        ]))
        .await
        .unwrap();
    store
        .write(&batch(&[
            (Table::Entry, b"b", None),
            (Table::Profile, b"me", Some(b"two")),
        ]))
        .await
        .unwrap();
    store.close();

    let loaded = open(&schema).await.unwrap().load().await.unwrap();
    let mut rows = loaded.rows;
    rows.sort();
    assert_eq!(
        rows,
        [
            (key(Table::Profile, b"me"), b"two".to_vec()),
            (key(Table::Entry, b"a"), b"post".to_vec())
        ]
    );
    assert_eq!(loaded.damaged, 0);
}

#[wasm_bindgen_test]
async fn large_rows_are_read_one_by_one_and_counted_all_the_same() {
    let schema = schema("lazy");
    let store = open(&schema).await.unwrap();
    let large = vec![7; 1_100_000];
    let names: Vec<[u8; 1]> = (0..20).map(|number| [number]).collect();
    let mut rows: Vec<Row<'_>> = names
        .iter()
        .map(|name| (Table::Piece, &name[..], Some(&large[..])))
        .collect();
    rows.push((Table::File, b"f", Some(b"about it")));
    store.write(&batch(&rows)).await.unwrap();
    let loaded = store.load().await.unwrap().rows;
    assert_eq!(loaded, [(key(Table::File, b"f"), b"about it".to_vec())]);

    let asked = vec![
        key(Table::Piece, &[3]),
        key(Table::Piece, b"none"),
        key(Table::Piece, &[19]),
    ];
    let read = store.read(asked.clone()).await.unwrap();
    let found: Vec<bool> = read
        .iter()
        .map(|(_, row)| row.as_ref() == Some(&large))
        .collect();
    assert_eq!(found, [true, false, true]);
    assert!(read.iter().map(|(key, _)| key).eq(&asked));

    let measured = store.measure().await.unwrap();
    let files = measured.iter().find(|one| one.what == Kept::Files).unwrap();
    assert_eq!(files.rows, 21);
    assert!(files.bytes > 22_000_000);
    store.close();
    // Whoever has another name for a row gets nothing of it.
    let (_, values) = dump(&schema, "piece").await;
    raw(&schema, Access::Write, |transaction| {
        let piece = transaction.object_store("piece")?;
        piece.clear()?;
        piece.put_with_key(&values.get(0), &Uint8Array::from(&[0; 32][..]))
    })
    .await
    .unwrap();
    let store = open(&schema).await.unwrap();
    assert_eq!(
        store.read(vec![key(Table::Piece, &[3])]).await.unwrap()[0].1,
        None
    );
    store.close();
}

#[wasm_bindgen_test]
async fn the_disk_shows_neither_ids_nor_values() {
    let schema = schema("canary");
    let store = open(&schema).await.unwrap();
    let (id, value) = (
        b"canary-id-5f2c".as_slice(),
        b"canary-value-9d1e".as_slice(),
    );
    store
        .write(&batch(&[(Table::Outbox, id, Some(value))]))
        .await
        .unwrap();
    store.close();
    let (names, values) = dump(&schema, "outbox").await;
    assert_eq!((names.length(), values.length()), (1, 1));
    for stored in [
        Uint8Array::new(&names.get(0)).to_vec(),
        Uint8Array::new(&values.get(0)).to_vec(),
    ] {
        for secret in [id, value] {
            assert!(!stored.windows(secret.len()).any(|window| window == secret));
        }
    }
}

#[wasm_bindgen_test]
async fn writes_are_strictly_durable_and_all_or_nothing() {
    let schema = schema("strict");
    let durability = raw(&schema, Access::Write, |transaction| {
        Reflect::get(transaction, &"durability".into())
    })
    .await
    .unwrap();
    assert_eq!(durability.as_string().as_deref(), Some("strict"));

    let failed = raw(&schema, Access::Write, |transaction| {
        transaction
            .object_store("entry")?
            .put_with_key(&JsValue::from(1), &JsValue::from(1))?;
        // A symbol cannot be stored: thrown at once, in the middle of the batch.
        transaction
            .object_store("entry")?
            .put_with_key(&js_sys::Symbol::iterator(), &JsValue::from(2))
    })
    .await;
    assert!(failed.is_err());
    assert_eq!(dump(&schema, "entry").await.0.length(), 0);
}

#[wasm_bindgen_test]
async fn a_flipped_bit_is_set_aside_and_counted() {
    let schema = schema("damaged");
    let store = open(&schema).await.unwrap();
    store
        .write(&batch(&[
            (Table::Entry, b"a", Some(b"good")),
            (Table::Entry, b"b", Some(b"bad")),
        ]))
        .await
        .unwrap();
    let expected = store.load().await.unwrap().rows.len();
    assert_eq!(expected, 2);
    store.close();

    let (names, values) = dump(&schema, "entry").await;
    let broken = Uint8Array::new(&values.get(0));
    broken.set_index(40, broken.get_index(40) ^ 1);
    raw(&schema, Access::Write, |transaction| {
        transaction
            .object_store("entry")?
            .put_with_key(&broken, &names.get(0))
    })
    .await
    .unwrap();
    raw(&schema, Access::Write, |transaction| {
        transaction
            .object_store("mls")?
            .put_with_key(&"no bytes".into(), &"no name".into())
    })
    .await
    .unwrap();

    let store = open(&schema).await.unwrap();
    let loaded = store.load().await.unwrap();
    assert_eq!((loaded.rows.len(), loaded.damaged), (1, 2));
    let again = store.load().await.unwrap();
    assert_eq!((again.rows.len(), again.damaged), (1, 0));
    store.close();
    let (_, aside) = dump(&schema, store::DAMAGED).await;
    assert_eq!(aside.length(), 2);
    assert_eq!(Uint8Array::new(&aside.get(0)).to_vec(), broken.to_vec());
}

#[wasm_bindgen_test]
async fn a_damaged_profile_is_not_replaced() {
    let schema = schema("profile");
    let store = open(&schema).await.unwrap();
    store
        .write(&batch(&[(Table::Profile, b"me", Some(b"root"))]))
        .await
        .unwrap();
    store.close();
    let (names, values) = dump(&schema, "profile").await;
    let broken = Uint8Array::new(&values.get(0));
    broken.set_index(40, broken.get_index(40) ^ 1);
    raw(&schema, Access::Write, |transaction| {
        transaction
            .object_store("profile")?
            .put_with_key(&broken, &names.get(0))
    })
    .await
    .unwrap();
    let store = open(&schema).await.unwrap();
    assert_eq!(store.load().await.unwrap_err(), StoreError::KeysDamaged);
    store.close();
    assert_eq!(dump(&schema, "profile").await.0.length(), 1);
}

#[wasm_bindgen_test]
async fn a_newer_record_stops_and_stays() {
    let schema = schema("newer-record");
    let store = open(&schema).await.unwrap();
    store
        .write(&batch(&[(Table::Entry, b"a", Some(b"good"))]))
        .await
        .unwrap();
    store.close();
    let (names, values) = dump(&schema, "entry").await;
    let newer = Uint8Array::new(&values.get(0));
    newer.set_index(0, ume_vault::RECORD_VERSION + 1);
    raw(&schema, Access::Write, |transaction| {
        transaction
            .object_store("entry")?
            .put_with_key(&newer, &names.get(0))
    })
    .await
    .unwrap();
    let store = open(&schema).await.unwrap();
    assert_eq!(store.load().await.unwrap_err(), StoreError::Newer);
    store.close();
    assert_eq!(dump(&schema, "entry").await.0.length(), 1);
    assert_eq!(dump(&schema, store::DAMAGED).await.0.length(), 0);
}

#[wasm_bindgen_test]
async fn a_new_schema_keeps_what_the_old_one_held() {
    let old = schema("migration");
    let store = open(&old).await.unwrap();
    store
        .write(&batch(&[(Table::Community, b"c", Some(b"kept"))]))
        .await
        .unwrap();
    store.close();

    let mut new = old.clone();
    new.version += 1;
    new.stores.push("later");
    let store = open(&new).await.unwrap();
    let loaded = store.load().await.unwrap();
    assert_eq!(
        loaded.rows,
        [(key(Table::Community, b"c"), b"kept".to_vec())]
    );
    store.close();
    assert_eq!(dump(&new, "later").await.0.length(), 0);

    // And back: refused, nothing touched.
    assert_eq!(open(&old).await.unwrap_err(), StoreError::Newer);
    assert_eq!(dump(&new, "community").await.0.length(), 1);
}

#[wasm_bindgen_test]
async fn a_schema_that_forgets_a_store_does_not_delete_it() {
    let old = schema("forgetful");
    let store = open(&old).await.unwrap();
    store
        .write(&batch(&[(Table::Mls, b"c", Some(b"kept"))]))
        .await
        .unwrap();
    store.close();
    let mut forgetful = old.clone();
    forgetful.version += 1;
    forgetful.stores.retain(|store| *store != "mls");
    raw(&forgetful, Access::Read, |_| Ok(())).await.unwrap();
    let whole = Schema {
        version: forgetful.version,
        ..old
    };
    assert_eq!(dump(&whole, "mls").await.0.length(), 1);
}

#[wasm_bindgen_test]
async fn an_old_connection_is_told_and_makes_way_for_an_upgrade() {
    let old = schema("versionchange");
    let gone = Rc::new(Cell::new(false));
    let noted = Rc::clone(&gone);
    let store = open_until(&old, move || noted.set(true)).await.unwrap();
    let new = Schema {
        version: old.version + 1,
        ..old.clone()
    };
    let newer = open(&new).await.unwrap();
    assert!(gone.get());
    assert!(
        store
            .write(&batch(&[(Table::Entry, b"a", Some(b"late"))]))
            .await
            .is_err()
    );
    assert!(newer.load().await.unwrap().rows.is_empty());
}

#[wasm_bindgen_test]
async fn who_lost_the_lease_writes_and_reads_nothing() {
    let schema = schema("lease");
    let first = open(&schema).await.unwrap();
    first
        .write(&batch(&[(Table::Entry, b"a", Some(b"first"))]))
        .await
        .unwrap();
    let second = open(&schema).await.unwrap();
    let late = batch(&[
        (Table::Entry, b"a", Some(b"late")),
        (Table::Entry, b"b", Some(b"late")),
    ]);
    assert_eq!(first.write(&late).await, Err(StoreError::LeaseLost));
    assert_eq!(first.load().await.unwrap_err(), StoreError::LeaseLost);
    second
        .write(&batch(&[(Table::Entry, b"c", Some(b"second"))]))
        .await
        .unwrap();
    let mut values: Vec<_> = second
        .load()
        .await
        .unwrap()
        .rows
        .into_iter()
        .map(|(_, value)| value)
        .collect();
    values.sort();
    assert_eq!(values, [b"first".to_vec(), b"second".to_vec()]);
}

#[wasm_bindgen_test]
async fn the_device_key_cannot_be_taken_out() {
    let schema = schema("device");
    open(&schema).await.unwrap().close();
    let (_, keys) = dump(&schema, store::KEYS).await;
    let key: web_sys::CryptoKey = keys.get(0).unchecked_into();
    assert!(!key.extractable());
}

#[wasm_bindgen_test]
async fn keys_that_do_not_open_are_said_to_be_damaged() {
    // The device key of another profile.
    let schema = schema("copied");
    let store = open(&schema).await.unwrap();
    store
        .write(&batch(&[(Table::Entry, b"a", Some(b"a"))]))
        .await
        .unwrap();
    store.close();
    let other = ume_worker::device_key::generate().await.unwrap();
    raw(&schema, Access::Write, |transaction| {
        transaction
            .object_store(store::KEYS)?
            .put_with_key(&other, &"device".into())
    })
    .await
    .unwrap();
    assert_eq!(open(&schema).await.unwrap_err(), StoreError::KeysDamaged);

    // No device key at all.
    raw(&schema, Access::Write, |transaction| {
        transaction.object_store(store::KEYS)?.clear()
    })
    .await
    .unwrap();
    assert_eq!(open(&schema).await.unwrap_err(), StoreError::KeysDamaged);

    // No slots, but rows that were sealed with a key that is gone.
    raw(&schema, Access::Write, |transaction| {
        transaction
            .object_store(store::META)?
            .delete(&"slots".into())
    })
    .await
    .unwrap();
    assert_eq!(open(&schema).await.unwrap_err(), StoreError::KeysDamaged);
    assert_eq!(dump(&schema, "entry").await.0.length(), 1);

    // Slots of a newer version.
    raw(&schema, Access::Write, |transaction| {
        transaction
            .object_store(store::META)?
            .put_with_key(&Uint8Array::from([9u8].as_slice()), &"slots".into())
    })
    .await
    .unwrap();
    assert_eq!(open(&schema).await.unwrap_err(), StoreError::Newer);
}

#[wasm_bindgen_test]
async fn a_thousand_rows_are_one_quick_transaction() {
    let schema = schema("thousand");
    let store = open(&schema).await.unwrap();
    let value = vec![7; 1024];
    let rows: Vec<_> = (0..1000u32)
        .map(|id| (key(Table::Entry, &id.to_le_bytes()), Some(value.clone())))
        .collect();
    let began = browser::now().0;
    store
        .write(&Batch(rows.into_iter().collect()))
        .await
        .unwrap();
    let written = browser::now().0;
    assert_eq!(store.load().await.unwrap().rows.len(), 1000);
    let read = browser::now().0;
    wasm_bindgen_test::console_log!(
        "1000 rows: written in {} ms, read in {} ms",
        written - began,
        read - written
    );
}

//! Blobs that several want.

use super::*;
use ume_wire::auth::hash_cells;

const SIZE: u64 = 2 * 1792;
const QUOTA: Outcome = Outcome::Refused(Refusal::QUOTA);

fn content() -> Vec<Bytes> {
    vec![Bytes::from(vec![1; 1792]), Bytes::from(vec![2; 1792])]
}

fn put(account: Option<AccountId>, ttl_seconds: u32) -> Write {
    Write::BlobPut {
        id: hash_cells(&content()),
        cells: content(),
        ttl_seconds,
        account,
    }
}

fn touch(account: Option<AccountId>, ttl_seconds: u32) -> Write {
    Write::BlobTouch {
        id: hash_cells(&content()),
        ttl_seconds,
        account,
    }
}

/// A store with accounts that may hold so many bytes, numbered from 1.
fn with_accounts(bytes: &[u64]) -> (tempfile::TempDir, EmbeddedStore) {
    let (directory, store) = store();
    for (name, bytes) in ["a", "b", "c"].iter().zip(bytes) {
        one(&store, 0, Write::AccountPut(account(name, *bytes, 9)));
    }
    (directory, store)
}

fn is_there(store: &EmbeddedStore, now: Millis) -> bool {
    store.blob_cells(now, &hash_cells(&content())).unwrap() == Some(2)
}

fn paid(store: &EmbeddedStore) -> Vec<u64> {
    let accounts = store.accounts().unwrap();
    accounts.iter().map(|(_, _, usage)| usage.bytes).collect()
}

#[test]
fn who_wants_a_blob_for_longer_pays_and_nobody_else() {
    let (directory, store) = with_accounts(&[SIZE, SIZE, SIZE - 1]);
    assert_eq!(one(&store, 0, put(Some(1), 10)), Outcome::Done);
    assert_eq!(paid(&store), [SIZE, 0, 0]);
    // By whichever of the two ways.
    assert_eq!(one(&store, 0, touch(Some(2), 100)), Outcome::Done);
    assert_eq!(one(&store, 0, put(Some(2), 50)), Outcome::Done);
    assert_eq!(paid(&store), [SIZE, SIZE, 0]);
    assert_eq!(one(&store, 0, touch(Some(3), 100)), QUOTA);
    assert_eq!(one(&store, 0, put(Some(3), 100)), QUOTA);
    assert_eq!(store.stats().unwrap().bytes, SIZE, "stored once");

    // The first one pays until the end of its own time.
    expire_all(&store, 10_000);
    assert_eq!(paid(&store), [0, SIZE, 0]);
    assert!(is_there(&store, 99_999));
    drop(store);
    let store = EmbeddedStore::open(directory.path(), Limits::default()).unwrap();
    assert!(is_there(&store, 99_999) && !is_there(&store, 100_000));
    expire_all(&store, 100_000);
    assert_eq!(
        (paid(&store), store.stats().unwrap().bytes),
        (vec![0; 3], 0)
    );
    let denied = Outcome::Refused(Refusal::DENIED);
    assert_eq!(one(&store, 100_000, touch(Some(1), 10)), denied);
}

#[test]
fn a_blob_lives_on_when_one_of_those_who_pay_is_cleared() {
    let (_directory, store) = with_accounts(&[SIZE, SIZE]);
    one(&store, 0, put(Some(1), 100));
    one(&store, 0, touch(Some(2), 10));
    one(&store, 0, Write::AccountClear(2));
    assert_eq!(paid(&store), [SIZE, 0]);
    assert!(is_there(&store, 50_000));
    one(&store, 0, Write::AccountClear(1));
    assert!(!is_there(&store, 0));
    assert_eq!(store.stats().unwrap().bytes, 0);
}

#[test]
fn what_nobody_pays_for_lasts_as_long_as_it_was_asked_for() {
    let (_directory, store) = with_accounts(&[SIZE]);
    one(&store, 0, put(None, 10));
    one(&store, 0, touch(None, 20));
    one(&store, 0, touch(None, 5));
    assert!(is_there(&store, 19_999) && !is_there(&store, 20_000));
    // And does not become free for who has paid.
    one(&store, 0, touch(Some(1), 30));
    assert_eq!(paid(&store), [SIZE]);
    expire_all(&store, 20_000);
    assert!(is_there(&store, 29_999));
    expire_all(&store, 30_000);
    assert_eq!(store.stats().unwrap().bytes, 0);
}

//! What any store must do, asked of the one in a directory.

mod devices;
mod room;
mod shared;

use super::super::tests::lane_new;
use super::*;
use bytes::Bytes;
use ume_wire::relay::{Ballot, LaneKind};

/// Longer than any lane lives without use: ten years.
const AGES: Millis = 10 * 365 * 24 * 3600 * 1000;

fn store() -> (tempfile::TempDir, EmbeddedStore) {
    store_with(Limits::default())
}

fn store_with(limits: Limits) -> (tempfile::TempDir, EmbeddedStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(directory.path(), limits).unwrap();
    (directory, store)
}

fn make(id: u8, kind: LaneKind, ttl_seconds: u32) -> Write {
    paid(id, kind, ttl_seconds, None)
}

fn paid(id: u8, kind: LaneKind, ttl_seconds: u32, account: Option<AccountId>) -> Write {
    let new = lane_new(id, kind, ttl_seconds);
    Write::LaneNew { new, account }
}

fn append(n: u16) -> Write {
    append_to(1, n)
}

fn append_to(lane: u8, n: u16) -> Write {
    let cell = Bytes::from(n.to_le_bytes().repeat(896));
    Write::Append {
        lane: [lane; 32],
        hash: ume_wire::auth::hash(&cell),
        cell,
    }
}

fn appended(seq: u64, new: bool) -> Outcome {
    Outcome::Appended { seq, new }
}

fn prepare(round: u32) -> Write {
    let tie = Bytes::from_static(&[1; 12]);
    Write::Prepare {
        lane: [1; 32],
        slot: 1,
        ballot: Ballot { round, tie },
        writer: 0,
    }
}

/// `first` of what is read of the lane's numbers below `upto`.
fn first(store: &dyn Store, now: Millis, upto: u64) -> u64 {
    let cells = store.cells(now, &[1; 32], upto, upto, 99).unwrap();
    assert!(cells.items.is_empty() && cells.first <= cells.next && cells.next <= cells.end);
    cells.first
}

fn one(store: &dyn Store, now: Millis, write: Write) -> Outcome {
    store.apply(now, &[write]).unwrap().remove(0)
}

fn expire_all(store: &dyn Store, now: Millis) {
    while store.expire(now, 3).unwrap() {}
}

#[test]
fn a_group_is_done_in_order() {
    let (_directory, store) = store();
    let writes = [
        append(1),
        make(1, LaneKind::Log, 9),
        append(1),
        append(2),
        append(1),
        Write::LaneDelete([1; 32]),
        append(3),
        make(1, LaneKind::Log, 9),
        append(3),
    ];
    let denied = Outcome::Refused(Refusal::DENIED);
    assert_eq!(
        store.apply(1000, &writes).unwrap(),
        [
            denied.clone(),
            Outcome::Done,
            appended(1, true),
            appended(2, true),
            appended(1, false),
            Outcome::Done,
            denied,
            Outcome::Done,
            appended(1, true),
        ]
    );
    assert_eq!(store.end(&[1; 32]).unwrap(), 2);
    assert_eq!(store.stats().unwrap().cells, 1);
}

#[test]
fn expiry_leaves_nothing_and_takes_only_what_is_due() {
    let (_directory, store) = store();
    one(&store, 0, make(1, LaneKind::Log, 10));
    let empty = store.stats().unwrap().bytes;
    for n in 0..20 {
        one(&store, u64::from(n) * 1000, append(n));
    }
    let cells = || store.stats().unwrap().cells;
    assert!(!store.expire(9_999, 100).unwrap());
    assert_eq!(cells(), 20);
    assert!(store.expire(14_000, 3).unwrap(), "bounded: there is more");
    expire_all(&store, 14_000);
    assert_eq!(cells(), 15);
    // What has expired is not seen even before it is removed.
    let read = store.cells(16_000, &[1; 32], 1, u64::MAX, 99).unwrap();
    assert_eq!(read.items[0].0, 8);
    assert_eq!(first(&store, 16_000, u64::MAX), 8);
    assert_eq!(first(&store, 16_000, 5), 5, "of a part: its end");
    assert_eq!(first(&store, 1_000_000, u64::MAX), 21);
    expire_all(&store, 1_000_000);
    assert_eq!((cells(), store.stats().unwrap().bytes), (0, empty));
    assert_eq!(first(&store, 1_000_000, u64::MAX), 21);
    assert_eq!(one(&store, 1_000_000, append(1)), appended(21, true));
}

#[test]
fn the_oldest_number_is_never_above_a_kept_one_however_many_are_over() {
    let (_directory, store) = store();
    one(&store, 0, make(1, LaneKind::Queue, 10));
    assert_eq!(first(&store, 0, u64::MAX), 1);
    let old: Vec<_> = (0..1500).map(append).collect();
    store.apply(0, &old).unwrap();
    one(&store, 5000, append(1500));
    assert_eq!(first(&store, 9999, u64::MAX), 1);
    assert_eq!(first(&store, 10_000, u64::MAX), 1025, "a bounded look");
    store.expire(10_000, 1500).unwrap();
    assert_eq!(first(&store, 10_000, u64::MAX), 1501);
    assert_eq!(first(&store, 15_000, u64::MAX), 1502);
    let (lane, upto) = ([1; 32], 1501);
    one(&store, 10_000, Write::Acknowledge { lane, upto });
    assert_eq!(first(&store, 10_000, u64::MAX), 1502);
}

#[test]
fn a_deleted_lane_is_gone_at_once_and_another_one_when_made_again() {
    let (directory, store) = store();
    one(&store, 0, make(1, LaneKind::Log, 10));
    let serial = store.lane(&[1; 32]).unwrap().unwrap().serial;
    let cells: Vec<_> = (0..10).map(append).collect();
    store.apply(0, &cells).unwrap();
    assert!(matches!(
        one(&store, 0, prepare(16)),
        Outcome::Promised { .. }
    ));
    assert_eq!(one(&store, 0, Write::LaneDelete([1; 32])), Outcome::Done);
    assert_eq!(store.lane(&[1; 32]).unwrap(), None);
    let read = store.cells(0, &[1; 32], 1, u64::MAX, 99).unwrap();
    assert_eq!((read.items.len(), read.first), (0, 1));
    assert_eq!(store.stats().unwrap().cells, 0);

    let group = [make(1, LaneKind::Log, 10), append(1)];
    assert_eq!(store.apply(5000, &group).unwrap()[1], appended(1, true));
    assert!(store.lane(&[1; 32]).unwrap().unwrap().serial > serial);
    let fresh = prepare(1);
    assert!(matches!(one(&store, 0, fresh), Outcome::Promised { .. }));
    drop(store);
    let store = EmbeddedStore::open(directory.path(), Limits::default()).unwrap();
    assert_eq!(store.end(&[1; 32]).unwrap(), 2);
    assert_eq!(store.stats().unwrap().cells, 1);
    one(&store, 5000, Write::LaneDelete([1; 32]));
    expire_all(&store, 20_000);
    assert_eq!(store.stats().unwrap().bytes, 0);
}

#[test]
fn a_lane_nobody_uses_is_removed_after_its_time() {
    let (directory, store) = store();
    let year = 400 * 24 * 3600 * 1000;
    one(&store, 0, make(1, LaneKind::Log, 10));
    one(&store, 0, make(2, LaneKind::Slot, 10));
    one(&store, year / 2, append(1));
    expire_all(&store, year + 10_000);
    assert!(store.lane(&[1; 32]).unwrap().is_some(), "written since");
    assert!(store.lane(&[2; 32]).unwrap().is_none());
    drop(store);
    let store = EmbeddedStore::open(directory.path(), Limits::default()).unwrap();
    one(&store, year + 20_000, append(2));
    expire_all(&store, year * 2);
    assert!(store.lane(&[1; 32]).unwrap().is_some());
    for day in 0..5 {
        expire_all(&store, AGES + day * 24 * 3600 * 1000);
    }
    assert!(store.lane(&[1; 32]).unwrap().is_none());
    assert_eq!(store.stats().unwrap().bytes, 0);
}

#[test]
fn a_queue_is_bounded_and_its_owner_sets_its_writers() {
    let limits = Limits {
        queue_cells: 3,
        ..Limits::default()
    };
    let (directory, store) = store_with(limits.clone());
    let queue = make(1, LaneKind::Queue, 10);
    let group = [queue.clone(), append(0), append(1), append(2), append(3)];
    let outcomes = store.apply(0, &group).unwrap();
    assert_eq!(outcomes[4], Outcome::Refused(Refusal::LIMIT));
    let (lane, upto) = ([1; 32], 2);
    one(&store, 0, Write::Acknowledge { lane, upto });
    assert_eq!(one(&store, 0, append(3)), appended(4, true));
    // What was taken is not recognised any more.
    assert_eq!(one(&store, 0, append(0)), appended(5, true));
    let writers = vec![Bytes::from_static(&[9; 32])];
    let keys = Write::LaneKeys {
        lane,
        writers: writers.clone(),
    };
    assert_eq!(one(&store, 0, keys), Outcome::Done);
    assert_eq!(one(&store, 0, queue), Outcome::Done, "as it was made");
    drop(store);
    let store = EmbeddedStore::open(directory.path(), limits).unwrap();
    assert_eq!(store.lane(&lane).unwrap().unwrap().new.writers, writers);
    assert_eq!(first(&store, 0, u64::MAX), 3);
    assert_eq!(one(&store, 0, append(9)), Outcome::Refused(Refusal::LIMIT));
}

fn account(name: &str, bytes_max: u64, lanes_max: u64) -> Account {
    Account {
        name: name.into(),
        key_hash: Bytes::copy_from_slice(&ume_wire::auth::hash(name.as_bytes())),
        bytes_max,
        lanes_max,
        ..Account::default()
    }
}

#[test]
fn an_account_pays_for_what_it_holds_and_no_longer() {
    let (directory, store) = store();
    let lane = apply::LANE_BYTES;
    let terms = account("a", 2 * lane + 3 * 1792, 2);
    assert_eq!(one(&store, 0, Write::AccountPut(terms)), Outcome::Done);
    one(&store, 0, Write::AccountPut(account("b", 1 << 20, 9)));
    let key = ume_wire::auth::hash(b"a");
    let id = store.account(&key).unwrap().0;
    let quota = Outcome::Refused(Refusal::QUOTA);
    let lanes: Vec<_> = (1..=3)
        .map(|n| paid(n, LaneKind::Queue, 10, Some(id)))
        .collect();
    let made = store.apply(0, &lanes).unwrap();
    assert_eq!(made, [Outcome::Done, Outcome::Done, quota.clone()]);
    let usage = |store: &EmbeddedStore| {
        let accounts = store.accounts().unwrap();
        assert_eq!(accounts.len(), 2);
        (
            accounts[0].2.bytes - accounts[0].2.lanes * lane,
            accounts[0].2.lanes,
        )
    };
    let cells: Vec<_> = (0..4).map(append).collect();
    assert_eq!(store.apply(0, &cells).unwrap()[3], quota);
    assert_eq!(usage(&store), (3 * 1792, 2));
    assert_eq!(store.lane(&[1; 32]).unwrap().unwrap().account, Some(id));
    drop(store);
    let store = EmbeddedStore::open(directory.path(), Limits::default()).unwrap();
    assert_eq!(usage(&store), (3 * 1792, 2));
    let taken = Write::Acknowledge {
        lane: [1; 32],
        upto: 2,
    };
    one(&store, 0, taken);
    assert_eq!(usage(&store), (1792, 2));
    let blob = [Bytes::from(vec![1; 1792]), Bytes::from(vec![2; 1792])];
    let blob = Write::BlobPut {
        id: ume_wire::auth::hash_cells(&blob),
        cells: blob.to_vec(),
        ttl_seconds: 5,
        account: Some(id),
    };
    assert_eq!(one(&store, 0, blob.clone()), Outcome::Done);
    assert_eq!(usage(&store), (3 * 1792, 2));
    assert_eq!(one(&store, 0, append(7)), quota);
    expire_all(&store, 5000);
    assert_eq!(usage(&store), (1792, 2));
    expire_all(&store, 10_000);
    assert_eq!(usage(&store), (0, 2));
    one(&store, 0, Write::LaneDelete([1; 32]));
    assert_eq!(usage(&store), (0, 1));
    one(&store, 0, blob);
    let none = Write::AccountClear(id);
    assert_eq!(one(&store, 0, none), Outcome::Done);
    assert_eq!(usage(&store), (0, 0));
    assert!(store.lane(&[2; 32]).unwrap().is_none());
    let other = account("a", 7, 7);
    one(&store, 0, Write::AccountPut(other.clone()));
    assert_eq!(store.account(&key), Some((id, other)), "the same account");
}

#[test]
fn a_full_store_refuses_until_something_is_over() {
    let limits = Limits {
        store_bytes: apply::LANE_BYTES + 2 * 1792,
        ..Limits::default()
    };
    let (_directory, store) = store_with(limits);
    let group = [make(1, LaneKind::Log, 10), append(0), append(1), append(2)];
    let full = Outcome::Refused(Refusal::STORAGE);
    assert_eq!(store.apply(0, &group).unwrap()[3], full);
    assert_eq!(one(&store, 0, make(2, LaneKind::Log, 10)), full);
    expire_all(&store, 10_000);
    assert_eq!(one(&store, 10_000, append(2)), appended(3, true));
}

#[test]
fn a_store_can_be_opened_again_and_a_foreign_one_is_refused() {
    let (directory, store) = store();
    store
        .apply(0, &[make(1, LaneKind::Log, 10), append(1)])
        .unwrap();
    store.reopen().unwrap();
    assert_eq!(store.end(&[1; 32]).unwrap(), 2);
    assert!(
        EmbeddedStore::open(directory.path(), Limits::default()).is_err(),
        "one process at a time"
    );
    store
        .tables
        .write(|transaction| {
            transaction.open_table(NUMBERS)?.insert("format", 1)?;
            Ok(())
        })
        .unwrap();
    drop(store);
    let error = EmbeddedStore::open(directory.path(), Limits::default())
        .err()
        .unwrap();
    assert!(matches!(error, StoreError::Format(1)));
}

use super::*;
use bytes::Bytes;
use ume_wire::relay::{Ballot, LaneKind};

fn store() -> (tempfile::TempDir, EmbeddedStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(directory.path(), Limits::default()).unwrap();
    (directory, store)
}

/// `first` of what is read of the lane's numbers below `upto`.
fn first(store: &EmbeddedStore, now: Millis, upto: u64) -> u64 {
    let cells = store.cells(now, &[1; 32], upto, upto, 99).unwrap();
    assert!(cells.items.is_empty() && cells.first <= cells.next && cells.next <= cells.end);
    cells.first
}

fn lane_new(ttl_seconds: u32) -> LaneNew {
    LaneNew {
        lane: Bytes::from_static(&[1; 32]),
        kind: LaneKind::Log.into(),
        ttl_seconds,
        ..LaneNew::default()
    }
}

fn append(n: u8) -> Write {
    let cell = Bytes::from(vec![n; 1792]);
    Write::Append {
        lane: [1; 32],
        hash: ume_wire::auth::hash(&cell),
        cell,
    }
}

fn stored(store: &EmbeddedStore) -> u64 {
    let read = |transaction: &ReadTransaction| {
        Ok(transaction
            .open_table(NUMBERS)?
            .get("stored")?
            .map(|row| row.value()))
    };
    store.read(read).unwrap().unwrap_or(0)
}

fn rows(store: &EmbeddedStore) -> (u64, u64, u64) {
    use redb::ReadableTableMetadata;
    let read = |transaction: &ReadTransaction| {
        let (cells, hashes) = (
            transaction.open_table(CELLS)?,
            transaction.open_table(HASHES)?,
        );
        Ok((
            cells.len()?,
            hashes.len()?,
            transaction.open_table(EXPIRY)?.len()?,
        ))
    };
    store.read(read).unwrap()
}

#[test]
fn a_group_is_one_transaction_in_order() {
    let (_directory, store) = store();
    let writes = [
        append(1),
        Write::LaneNew(lane_new(9)),
        append(1),
        append(2),
        append(1),
    ];
    let outcomes = store.apply(1000, &writes).unwrap();
    let appended = |seq, new| Outcome::Appended { seq, new };
    let denied = Outcome::Refused(Refusal::DENIED);
    assert_eq!(
        outcomes,
        [
            denied,
            Outcome::Done,
            appended(1, true),
            appended(2, true),
            appended(1, false)
        ]
    );
    assert_eq!(store.end(&[1; 32]).unwrap(), 3);
    assert_eq!(rows(&store), (2, 2, 1));
}

#[test]
fn expiry_leaves_nothing_and_takes_only_what_is_due() {
    let (_directory, store) = store();
    store.apply(0, &[Write::LaneNew(lane_new(10))]).unwrap();
    let empty = stored(&store);
    for n in 0..20u8 {
        store.apply(u64::from(n) * 1000, &[append(n)]).unwrap();
    }
    assert!(!store.expire(9_999, 100).unwrap());
    assert_eq!(rows(&store), (20, 20, 1));
    assert!(store.expire(14_000, 3).unwrap(), "bounded: there is more");
    while store.expire(14_000, 3).unwrap() {}
    assert_eq!(rows(&store), (15, 15, 1));
    // What has expired is not seen even before it is removed.
    assert_eq!(
        store
            .cells(16_000, &[1; 32], 1, u64::MAX, 99)
            .unwrap()
            .items[0]
            .0,
        8
    );
    assert_eq!(first(&store, 16_000, u64::MAX), 8);
    assert_eq!(first(&store, 16_000, 5), 5, "of a part: its end");
    assert_eq!(first(&store, 1_000_000, u64::MAX), 21);
    assert!(!store.expire(1_000_000, 100).unwrap());
    assert_eq!(rows(&store), (0, 0, 0));
    assert_eq!(stored(&store), empty);
    assert_eq!(first(&store, 1_000_000, u64::MAX), 21);
    assert_eq!(
        store.apply(1_000_000, &[append(1)]).unwrap(),
        [Outcome::Appended { seq: 21, new: true }]
    );
}

#[test]
fn the_oldest_number_is_never_above_a_kept_one_however_many_are_over() {
    let (_directory, store) = store();
    store.apply(0, &[Write::LaneNew(lane_new(10))]).unwrap();
    assert_eq!(first(&store, 0, u64::MAX), 1);
    let cell = |n: u16| {
        let cell = Bytes::from(n.to_le_bytes().repeat(896));
        let (lane, hash) = ([1; 32], ume_wire::auth::hash(&cell));
        Write::Append { lane, hash, cell }
    };
    let old: Vec<_> = (0..1500).map(cell).collect();
    store.apply(0, &old).unwrap();
    store.apply(5000, &[cell(1500)]).unwrap();
    assert_eq!(first(&store, 9999, u64::MAX), 1);
    assert_eq!(first(&store, 10_000, u64::MAX), 1025, "a bounded look");
    store.expire(10_000, 1024).unwrap();
    assert_eq!(first(&store, 10_000, u64::MAX), 1501);
    assert_eq!(first(&store, 15_000, u64::MAX), 1502);
    let upto = 1501;
    let lane = [1; 32];
    store
        .apply(10_000, &[Write::Acknowledge { lane, upto }])
        .unwrap();
    assert_eq!(first(&store, 10_000, u64::MAX), 1502);
}

#[test]
fn a_deleted_lane_goes_bit_by_bit_and_comes_back_empty() {
    let (_directory, store) = store();
    store.apply(0, &[Write::LaneNew(lane_new(10))]).unwrap();
    for n in 0..10 {
        store.apply(0, &[append(n)]).unwrap();
    }
    let ballot = Ballot {
        round: 1,
        tie: Bytes::from_static(&[1; 12]),
    };
    let prepare = Write::Prepare {
        lane: [1; 32],
        slot: 1,
        ballot,
        writer: 0,
    };
    assert!(matches!(
        store.apply(0, &[prepare]).unwrap()[0],
        Outcome::Promised { .. }
    ));
    assert_eq!(
        store.apply(0, &[Write::LaneDelete([1; 32])]).unwrap(),
        [Outcome::Done]
    );
    assert_eq!(store.lane(&[1; 32]).unwrap(), None);
    assert_eq!(
        store
            .cells(0, &[1; 32], 1, u64::MAX, 99)
            .unwrap()
            .items
            .len(),
        0
    );
    assert_eq!(first(&store, 0, u64::MAX), 1, "dead rows do not count");
    let again = Write::LaneNew(lane_new(10));
    assert_eq!(
        store.apply(0, std::slice::from_ref(&again)).unwrap(),
        [Outcome::Refused(Refusal::LIMIT)]
    );
    while store.expire(0, 4).unwrap() {}
    assert_eq!((rows(&store).0, stored(&store)), (0, 0));
    assert_eq!(
        store.apply(5000, &[again, append(1)]).unwrap()[1],
        Outcome::Appended { seq: 1, new: true }
    );
    // What the old lane left in the expiry table does the new one no harm.
    store.expire(11_000, 100).unwrap();
    assert_eq!(rows(&store).0, 1);
    store.expire(15_000, 100).unwrap();
    assert_eq!(rows(&store), (0, 0, 0));
}

#[test]
fn a_store_can_be_opened_again_and_a_foreign_one_is_refused() {
    let (directory, store) = store();
    store
        .apply(0, &[Write::LaneNew(lane_new(10)), append(1)])
        .unwrap();
    store.reopen().unwrap();
    assert_eq!(store.end(&[1; 32]).unwrap(), 2);
    assert!(
        EmbeddedStore::open(directory.path(), Limits::default()).is_err(),
        "one process at a time"
    );
    store
        .write(|transaction| {
            transaction.open_table(NUMBERS)?.insert("format", 2)?;
            Ok(())
        })
        .unwrap();
    drop(store);
    let error = EmbeddedStore::open(directory.path(), Limits::default())
        .err()
        .unwrap();
    assert!(matches!(error, StoreError::Format(2)));
}

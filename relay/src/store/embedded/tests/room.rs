//! Bounds of the whole store, room on the disk, and what takes long.

use super::*;
use crate::store::disk::faulty::FaultyDisk;
use std::cell::Cell;

const FULL: Outcome = Outcome::Refused(Refusal::STORAGE);

/// Rows that wait for their time.
fn waiting(store: &EmbeddedStore) -> u64 {
    store
        .tables
        .read(|transaction| Ok(transaction.open_table(rows::EXPIRY)?.len()?))
        .unwrap()
}

#[test]
fn there_are_only_so_many_lanes() {
    let limits = Limits {
        store_lanes: 2,
        ..Limits::default()
    };
    let (_directory, store) = store_with(limits);
    let lanes = [1, 2, 3].map(|id| make(id, LaneKind::Log, 10));
    assert_eq!(
        store.apply(0, &lanes).unwrap(),
        [Outcome::Done, Outcome::Done, FULL]
    );
    assert_eq!(one(&store, 0, lanes[1].clone()), Outcome::Done, "is there");
    assert_eq!(one(&store, 0, append(1)), appended(1, true));
    let group = [Write::LaneDelete([1; 32]), lanes[2].clone()];
    assert_eq!(
        store.apply(0, &group).unwrap(),
        [Outcome::Done, Outcome::Done]
    );
}

#[test]
fn a_deleted_lane_leaves_nothing() {
    let (_directory, store) = store();
    for _ in 0..5 {
        one(&store, 0, make(1, LaneKind::Log, 10));
        one(&store, 0, append(1));
        one(&store, 0, Write::LaneDelete([1; 32]));
        one(&store, 0, make(1, LaneKind::Slot, 10));
        one(&store, 0, prepare(1));
        let cells = vec![Bytes::from(vec![1; 1792])];
        let vote = ume_wire::relay::Vote {
            ballot: Some(Ballot {
                round: 1,
                tie: Bytes::from_static(&[1; 12]),
            }),
            value_hash: Bytes::copy_from_slice(&ume_wire::auth::hash_cells(&cells)),
            cells: 1,
            signature: Bytes::new(),
        };
        let accept = Write::Accept {
            lane: [1; 32],
            slot: 1,
            vote,
            cells,
        };
        assert!(matches!(one(&store, 0, accept), Outcome::Accepted { .. }));
        assert_eq!(waiting(&store), 2);
        one(&store, 0, Write::LaneDelete([1; 32]));
        expire_all(&store, 0);
    }
    assert_eq!((waiting(&store), store.stats().unwrap().bytes), (0, 0));
}

#[test]
fn with_little_room_on_the_disk_nothing_comes_and_everything_may_go() {
    let directory = tempfile::tempdir().unwrap();
    let (disk, limits) = (FaultyDisk::default(), Limits::default());
    let open = || {
        let disk = Arc::new(disk.clone());
        EmbeddedStore::open_on(disk, directory.path(), limits.clone(), (32 << 10, 64 << 10))
    };
    let store = open().unwrap();
    let group = [
        make(1, LaneKind::Queue, 1000),
        make(2, LaneKind::Log, 1000),
        append(1),
        append(2),
        append_to(2, 1),
    ];
    store.apply(0, &group).unwrap();
    let blob = Write::BlobPut {
        id: ume_wire::auth::hash_cells(&[Bytes::from(vec![7; 1792])]),
        cells: vec![Bytes::from(vec![7; 1792])],
        ttl_seconds: 9,
        account: None,
    };
    assert!(!store.is_short());
    disk.shrink(limits.disk_reserve_bytes - 1);
    assert!(store.is_short());
    let comes = [
        append(3),
        make(3, LaneKind::Log, 9),
        blob.clone(),
        append(3),
    ];
    assert_eq!(store.apply(0, &comes).unwrap(), [FULL; 4]);
    assert_eq!(one(&store, 0, append(3)), FULL);
    assert_eq!(one(&store, 0, append(2)), appended(2, false), "is there");
    let (lane, upto) = ([1; 32], 1);
    let goes = [
        Write::Acknowledge { lane, upto },
        Write::LaneDelete([2; 32]),
        append(4),
    ];
    let outcomes = store.apply(0, &goes).unwrap();
    assert_eq!(outcomes, [Outcome::Done, Outcome::Done, FULL]);
    assert_eq!(store.cells(0, &lane, 1, 9, 9).unwrap().items.len(), 1);
    drop(store);
    let store = open().unwrap();
    assert_eq!(store.cells(0, &lane, 1, 9, 9).unwrap().first, 2);
    // What goes may need a segment of its own; it is no larger than it has to be.
    for n in 0..100 {
        let upto = n + 2;
        one(&store, 0, Write::Acknowledge { lane, upto });
        disk.calm();
        one(&store, 0, append(u16::try_from(n + 10).unwrap()));
        disk.shrink(0);
    }
    assert_eq!(store.stats().unwrap().cells, 1);
    disk.calm();
    let outcomes = store.apply(0, &[append(3), blob]).unwrap();
    assert_eq!(outcomes, [appended(103, true), Outcome::Done]);
}

/// Says so from the n-th time on that it is asked.
fn after(count: u32) -> impl Fn() -> bool {
    let left = Cell::new(count);
    move || {
        left.set(left.get().saturating_sub(1));
        left.get() == 0
    }
}

#[test]
fn a_backup_that_is_given_up_leaves_nothing() {
    let (directory, store) = store();
    one(&store, 0, make(1, LaneKind::Log, 10));
    let cells: Vec<_> = (0..2000).map(append).collect();
    store.apply(0, &cells).unwrap();
    let to = directory.path().join("copy");
    for count in 1..=12 {
        let given_up = store.backup(&to, &after(count));
        assert!(matches!(given_up, Err(StoreError::Stopped)), "{count}");
        assert_eq!(fs::read_dir(&to).unwrap().count(), 0, "{count}");
    }
    store.backup(&to, &|| false).unwrap();
    let copy = EmbeddedStore::open(&to, Limits::default()).unwrap();
    assert_eq!(copy.stats().unwrap().cells, 2000);
}

#[test]
fn upkeep_that_is_given_up_goes_on_later() {
    let (_directory, store) = store();
    one(&store, 0, make(1, LaneKind::Log, 10));
    for start in [0, 2000] {
        let cells: Vec<_> = (start..start + 2000).map(append).collect();
        store.apply(0, &cells).unwrap();
    }
    let given_up = store.gc(10_000, &|| true);
    assert!(matches!(given_up, Err(StoreError::Stopped)));
    assert!(store.stats().unwrap().cells > 0);
    store.gc(10_000, &|| false).unwrap();
    assert_eq!(store.stats().unwrap().cells, 0);
}

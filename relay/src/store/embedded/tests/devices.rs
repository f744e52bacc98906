//! Devices that are woken, and what they watch.

use super::*;
use crate::store::{Device, DeviceWrite};
use std::time::Duration;
use ume_wire::limits::PUSH_WATCHES_MAX;

const HOUR: Millis = 3600 * 1000;
const DAY: Millis = 24 * HOUR;
const DENIED: Outcome = Outcome::Refused(Refusal::DENIED);

fn at(endpoint: &str) -> Device {
    Device {
        endpoint: endpoint.to_owned(),
        key: Bytes::from_static(&[4; 65]),
        auth: Bytes::from_static(&[5; 16]),
        origin: String::new(),
    }
}

fn set(id: u8, endpoint: &str) -> Write {
    Write::Device(DeviceWrite::Set([id; 32], at(endpoint)))
}

fn watch(id: u8, lane: u8) -> Write {
    Write::Device(DeviceWrite::Watch([id; 32], [lane; 32]))
}

fn unwatch(id: u8, lane: u8) -> Write {
    Write::Device(DeviceWrite::Unwatch([id; 32], [lane; 32]))
}

fn end(id: u8) -> Write {
    Write::Device(DeviceWrite::End([id; 32]))
}

/// Who watches a lane.
fn watching(store: &dyn Store, lane: u8) -> Vec<u8> {
    let found = store.watchers(&[[lane; 32]]).unwrap();
    found.into_iter().map(|(_, id)| id[0]).collect()
}

#[test]
fn a_device_is_what_it_said_last_until_it_ends() {
    let (_directory, store) = store();
    let empty = store.stats().unwrap();
    assert_eq!(one(&store, 0, watch(1, 1)), DENIED, "no such device");
    assert_eq!(one(&store, 0, set(1, "a")), Outcome::Made(true));
    assert_eq!(one(&store, 0, watch(1, 1)), DENIED, "no such lane");
    one(&store, 0, make(1, LaneKind::Log, 10));
    let before = store.stats().unwrap();
    assert_eq!(one(&store, 0, watch(1, 1)), Outcome::Done);
    assert_eq!(one(&store, 0, watch(1, 1)), Outcome::Done);
    assert_eq!(one(&store, 0, set(1, "b")), Outcome::Made(false));
    assert_eq!(store.device(&[1; 32]).unwrap(), Some(at("b")));
    assert_eq!(watching(&store, 1), [1]);
    assert_eq!(store.stats().unwrap().bytes, before.bytes);
    assert_eq!(store.stats().unwrap().devices, 1);

    assert_eq!(one(&store, 0, unwatch(1, 1)), Outcome::Done);
    assert_eq!(one(&store, 0, unwatch(1, 1)), Outcome::Done);
    assert!(watching(&store, 1).is_empty());
    one(&store, 0, watch(1, 1));
    assert_eq!(one(&store, 0, end(1)), Outcome::Done);
    assert_eq!(one(&store, 0, end(1)), Outcome::Done);
    assert!(watching(&store, 1).is_empty());
    assert_eq!(store.device(&[1; 32]).unwrap(), None);
    one(&store, 0, Write::LaneDelete([1; 32]));
    assert_eq!(store.stats().unwrap().bytes, empty.bytes);
}

#[test]
fn what_a_service_says_of_an_old_address_says_nothing_of_the_new_one() {
    let (_directory, store) = store();
    let gone = |endpoint| Write::Device(DeviceWrite::Gone([1; 32], at(endpoint)));
    one(&store, 0, set(1, "a"));
    one(&store, 0, set(1, "b"));
    assert_eq!(one(&store, 0, gone("a")), Outcome::Done);
    assert!(store.device(&[1; 32]).unwrap().is_some());
    assert_eq!(one(&store, 0, gone("b")), Outcome::Done);
    assert!(store.device(&[1; 32]).unwrap().is_none());
}

#[test]
fn the_oldest_watch_gives_way() {
    let (_directory, store) = store();
    one(&store, 0, set(9, "a"));
    let most = u8::try_from(PUSH_WATCHES_MAX).unwrap();
    for lane in 1..=most + 2 {
        one(&store, 0, make(lane, LaneKind::Log, 10));
        assert_eq!(one(&store, 0, watch(9, lane)), Outcome::Done);
    }
    let lanes: Vec<_> = (1..=most + 2).map(|lane| [lane; 32]).collect();
    let found = store.watchers(&lanes).unwrap();
    let places: Vec<_> = found.into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, (2..lanes.len()).collect::<Vec<_>>());
}

#[test]
fn a_lane_that_is_made_again_is_watched_by_nobody() {
    let (_directory, store) = store();
    one(&store, 0, make(1, LaneKind::Log, 10));
    for id in [1, 2] {
        one(&store, 0, set(id, "a"));
        one(&store, 0, watch(id, 1));
    }
    one(&store, 0, Write::LaneDelete([1; 32]));
    one(&store, 0, make(1, LaneKind::Log, 10));
    assert!(watching(&store, 1).is_empty());
    one(&store, 0, watch(2, 1));
    assert_eq!(watching(&store, 1), [2]);
}

#[test]
fn devices_are_bounded_and_go_when_nobody_names_them() {
    let (_directory, store) = store_with(Limits {
        push_devices: 3,
        push_unused: Duration::from_hours(10 * 24),
        ..Limits::default()
    });
    let empty = store.stats().unwrap().bytes;
    one(&store, 0, make(1, LaneKind::Log, 3600 * 24 * 100));
    let lane = store.stats().unwrap().bytes - empty;
    for id in [1, 2, 3] {
        one(&store, 0, set(id, "a"));
    }
    assert_eq!(
        one(&store, 0, set(4, "a")),
        Outcome::Refused(Refusal::LIMIT)
    );
    one(&store, 0, watch(1, 1));
    one(&store, 0, watch(2, 1));
    // One that watches nothing gives its place back soon.
    expire_all(&store, HOUR - 1);
    assert_eq!(store.stats().unwrap().devices, 3);
    expire_all(&store, HOUR);
    assert_eq!(store.stats().unwrap().devices, 2);
    assert_eq!(one(&store, HOUR, set(4, "a")), Outcome::Made(true));
    // Who is named stays.
    assert_eq!(one(&store, 5 * DAY, set(1, "a")), Outcome::Made(false));
    expire_all(&store, 11 * DAY);
    assert_eq!(watching(&store, 1), [1]);
    expire_all(&store, 16 * DAY);
    assert!(watching(&store, 1).is_empty());
    let stats = store.stats().unwrap();
    assert_eq!((stats.devices, stats.bytes), (0, empty + lane));
}

#[test]
fn devices_are_in_backups_and_a_store_without_them_is_taken_over() {
    let (directory, store) = store();
    one(&store, 0, make(1, LaneKind::Log, 10));
    one(&store, 0, set(1, "a"));
    one(&store, 0, watch(1, 1));
    let to = directory.path().join("backup");
    store.backup(&to, &|| false).unwrap();
    let copy = EmbeddedStore::open(&to, Limits::default()).unwrap();
    assert_eq!(copy.device(&[1; 32]).unwrap(), Some(at("a")));
    assert_eq!(watching(&copy, 1), [1]);
    copy.tables
        .write(|transaction| {
            transaction.open_table(NUMBERS)?.insert("format", 3)?;
            transaction.delete_table(DEVICES)?;
            transaction.delete_table(rows::WATCHERS)?;
            Ok(())
        })
        .unwrap();
    drop(copy);
    let taken_over = EmbeddedStore::open(&to, Limits::default()).unwrap();
    assert_eq!(taken_over.end(&[1; 32]).unwrap(), 1);
    assert_eq!(one(&taken_over, 0, set(1, "a")), Outcome::Made(true));
}

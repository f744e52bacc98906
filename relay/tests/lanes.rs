//! Logs and queues over a real WebSocket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

#[path = "support/client.rs"]
mod client;

use client::*;
use std::time::Duration;
use ume_wire::{
    limits::READ_FRAMES_MAX,
    relay::{Appended, Delivery, LaneKind, RefusedCode, frame::Body},
};

fn appended(seq: u64) -> Body {
    Body::Appended(Appended { seq })
}

/// `first` and `end` of a lane's head, which reading, subscribing and `POST` all give alike.
async fn kept(place: &Place, client: &mut Client, lane: &Lane) -> (u64, u64) {
    let read = client.ask_all(lane.read(1)).await.1;
    let subscribed = client.ask_all(lane.subscribe(1)).await.1;
    assert_eq!(subscribed, read);
    assert_eq!(client.ask(lane.unsubscribe()).await, done());
    for body in [lane.read(1), lane.subscribe(u64::MAX)] {
        let answers = post(place.relay.address(), vec![body]).await;
        assert_eq!(answers.last().unwrap().body, Some(Body::Head(read.clone())));
    }
    assert_eq!(read.next, read.end);
    (read.first, read.end)
}

fn delivery(lane: &Lane, seq: u64, n: u64) -> Delivery {
    Delivery {
        lane: lane.0.lane.clone(),
        seq,
        cell: cell(n),
    }
}

#[tokio::test]
async fn cells_are_numbered_without_holes_and_known_ones_keep_their_number() {
    let place = place().await;
    let mut client = place.connect().await;
    let lane = Lane::log(1);
    assert_eq!(client.ask(lane.create()).await, done());
    for n in 1..=5 {
        assert_eq!(client.ask(lane.append(cell(n))).await, appended(n));
    }
    assert_eq!(client.ask(lane.append(cell(2))).await, appended(2));
    assert_eq!(client.ask(lane.append(cell(6))).await, appended(6));
    let (cells, head) = client.ask_all(lane.read(4)).await;
    assert_eq!(
        cells,
        (4..=6)
            .map(|n| Body::Delivery(delivery(&lane, n, n)))
            .collect::<Vec<_>>()
    );
    assert_eq!((head.next, head.end), (7, 7));
    let (cells, head) = client.ask_all(lane.read(99)).await;
    assert_eq!((cells.len(), head.next, head.end), (0, 7, 7));
}

#[tokio::test]
async fn creating_is_idempotent_and_what_does_not_fit_is_refused_alike() {
    let place = place().await;
    let mut client = place.connect().await;
    let lane = Lane::log(1);
    // Requests take effect in order, also when nobody waits for answers.
    let first = client.send(lane.create()).await;
    let second = client.send(lane.append(cell(1))).await;
    assert_eq!(
        (client.receive().await.request, client.receive().await.body),
        (first, Some(appended(1)))
    );
    assert_eq!(second, first + 1);
    assert_eq!(client.ask(lane.create()).await, done());
    let mut other = lane.clone();
    other.0.ttl_seconds += 1;
    assert_eq!(
        client.ask(other.create()).await,
        refused(RefusedCode::RefusedConflict)
    );

    let denied = refused(RefusedCode::RefusedDenied);
    let Body::Append(mut append) = lane.append(cell(1)) else {
        panic!()
    };
    append.cell = cell(2);
    assert_eq!(client.ask(Body::Append(append)).await, denied);
    let unknown = Lane::log(2);
    for body in [
        unknown.append(cell(1)),
        unknown.read(1),
        unknown.subscribe(1),
        unknown.acknowledge(1),
        unknown.delete(),
    ] {
        assert_eq!(client.ask(body).await, denied);
    }
    assert_eq!(client.ask(blob_get(&[1; 32])).await, denied);
    let mut unowned = Lane::log(3);
    unowned.0.owner = bytes::Bytes::new();
    assert_eq!(client.ask(unowned.create()).await, done());
    assert_eq!(client.ask(unowned.delete()).await, denied);

    let malformed = refused(RefusedCode::RefusedMalformed);
    for change in [
        (|new| new.lane = bytes::Bytes::from_static(&[1; 31])) as fn(&mut ume_wire::relay::LaneNew),
        |new| new.writers.clear(),
        |new| new.kind = 0,
        |new| new.kind = 9,
        |new| new.ttl_seconds = u32::MAX,
        |new| (new.kind, new.ttl_seconds) = (LaneKind::Slot.into(), 0),
    ] {
        let mut lane = Lane::log(4);
        change(&mut lane.0);
        assert_eq!(client.ask(lane.create()).await, malformed);
    }
    assert_eq!(
        client
            .ask(lane.append(bytes::Bytes::from_static(&[1; 9])))
            .await,
        malformed
    );
    assert_eq!(
        client.ask(lane.acknowledge(1)).await,
        malformed,
        "a log is not acknowledged"
    );
    assert_eq!(
        client.ask(lane.prepare(1, &ballot(1, 1), 1)).await,
        malformed,
        "a log has no slots"
    );
}

#[tokio::test]
async fn reading_goes_page_by_page() {
    let place = place().await;
    let mut client = place.connect().await;
    let (lane, total) = (Lane::log(1), READ_FRAMES_MAX as u64 + 100);
    client.ask(lane.create()).await;
    for n in 1..=total {
        client.send(lane.append(cell(n))).await;
    }
    for n in 1..=total {
        assert_eq!(client.receive().await.body, Some(appended(n)));
    }
    let (cells, head) = client.ask_all(lane.read(1)).await;
    assert_eq!(
        (cells.len(), head.next, head.end),
        (READ_FRAMES_MAX, READ_FRAMES_MAX as u64 + 1, total + 1)
    );
    let (cells, head) = client.ask_all(lane.read(head.next)).await;
    assert_eq!(
        (cells.len(), head.next, head.end),
        (100, total + 1, total + 1)
    );
}

#[tokio::test]
async fn a_subscription_has_no_gap_and_nothing_twice_while_others_write() {
    let place = place().await;
    let lane = Lane::log(1);
    let mut writer = place.connect().await;
    writer.ask(lane.create()).await;
    let total = 1500;
    let writing = tokio::spawn({
        let lane = lane.clone();
        async move {
            for n in 1..=total {
                writer.send(lane.append(cell(n))).await;
            }
            for _ in 1..=total {
                writer.receive().await;
            }
        }
    });
    let mut readers = Vec::new();
    for pause in [0, 20, 60, 200] {
        let (mut client, lane) = (place.connect().await, lane.clone());
        readers.push(tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let request = client.send(lane.subscribe(1)).await;
            let (mut next, mut heads) = (1, 0);
            while next <= total || heads == 0 {
                let frame = client.receive().await;
                match frame.body.unwrap() {
                    Body::Delivery(cell) => {
                        assert_eq!(cell, delivery(&lane, next, next));
                        assert_eq!(frame.request, if heads == 0 { request } else { 0 });
                        next += 1;
                    }
                    Body::Head(head) => {
                        assert_eq!((frame.request, head.next, head.end), (request, next, next));
                        heads += 1;
                    }
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(heads, 1);
        }));
    }
    writing.await.unwrap();
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test]
async fn subscriptions_end_and_begin_again() {
    let place = place().await;
    let (mut client, mut writer) = (place.connect().await, place.connect().await);
    let (lane, other) = (Lane::log(1), Lane::log(2));
    client.ask(lane.create()).await;
    client.ask(other.create()).await;
    assert_eq!(client.ask_all(lane.subscribe(1)).await.1.end, 1);
    assert_eq!(client.ask_all(other.subscribe(1)).await.1.end, 1);
    writer.ask(lane.append(cell(1))).await;
    assert_eq!(client.live().await, delivery(&lane, 1, 1));
    assert_eq!(client.ask(lane.unsubscribe()).await, done());
    writer.ask(lane.append(cell(2))).await;
    writer.ask(other.append(cell(1))).await;
    assert_eq!(client.live().await, delivery(&other, 1, 1));
    let (cells, head) = client.ask_all(lane.subscribe(2)).await;
    assert_eq!(
        (cells, head.end),
        (vec![Body::Delivery(delivery(&lane, 2, 2))], 3)
    );
    writer.ask(lane.append(cell(3))).await;
    assert_eq!(client.live().await, delivery(&lane, 3, 3));
    // Again from the start, on the same lane.
    assert_eq!(client.ask_all(lane.subscribe(1)).await.0.len(), 3);
    writer.ask(lane.append(cell(4))).await;
    assert_eq!(client.live().await, delivery(&lane, 4, 4));
    // A lane that is deleted is silent, and one that is made anew begins at 1.
    assert_eq!(writer.ask(lane.delete()).await, done());
    assert_eq!(
        writer.ask(lane.append(cell(4))).await,
        refused(RefusedCode::RefusedDenied)
    );
    let mut answer = refused(RefusedCode::RefusedLimit);
    while answer == refused(RefusedCode::RefusedLimit) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        answer = writer.ask(lane.create()).await;
    }
    assert_eq!(answer, done());
    assert_eq!(writer.ask(lane.append(cell(4))).await, appended(1));
}

#[tokio::test]
async fn acknowledged_cells_of_a_queue_are_gone() {
    let place = place_with(|config| config.limits.queue_cells = 8).await;
    let mut client = place.connect().await;
    let queue = Lane::new(LaneKind::Queue, 1);
    client.ask(queue.create()).await;
    for n in 1..=8 {
        assert_eq!(client.ask(queue.append(cell(n))).await, appended(n));
    }
    assert_eq!(
        client.ask(queue.append(cell(9))).await,
        refused(RefusedCode::RefusedLimit)
    );
    assert_eq!(
        client.ask(queue.append(cell(8))).await,
        appended(8),
        "a known cell needs no place"
    );
    assert_eq!(client.ask(queue.acknowledge(5)).await, done());
    assert_eq!(client.ask(queue.acknowledge(3)).await, done());
    let (cells, head) = client.ask_all(queue.read(1)).await;
    assert_eq!(
        cells,
        (6..=8)
            .map(|n| Body::Delivery(delivery(&queue, n, n)))
            .collect::<Vec<_>>()
    );
    assert_eq!((head.next, head.end), (9, 9));
    assert_eq!(kept(&place, &mut client, &queue).await, (6, 9));
    assert_eq!(client.ask(queue.acknowledge(u64::MAX)).await, done());
    assert_eq!(kept(&place, &mut client, &queue).await, (9, 9));
    assert_eq!(client.ask(queue.append(cell(9))).await, appended(9));
}

#[tokio::test]
async fn cells_expire() {
    let place = place().await;
    let mut client = place.connect().await;
    let mut lane = Lane::log(1);
    // Kept in whole seconds: a cell may live up to one second longer.
    lane.0.ttl_seconds = 4;
    client.ask(lane.create()).await;
    assert_eq!(kept(&place, &mut client, &lane).await, (1, 1));
    client.ask(lane.append(cell(1))).await;
    let (cells, head) = client.ask_all(lane.read(1)).await;
    assert_eq!((cells.len(), head.first, head.end), (1, 1, 2));
    tokio::time::sleep(Duration::from_secs(3)).await;
    client.ask(lane.append(cell(2))).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let (cells, head) = client.ask_all(lane.read(1)).await;
    assert_eq!(cells, vec![Body::Delivery(delivery(&lane, 2, 2))]);
    assert_eq!((head.first, head.next, head.end), (2, 3, 3));
    assert_eq!(kept(&place, &mut client, &lane).await, (2, 3));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(client.ask_all(lane.read(1)).await.0.len(), 0);
    assert_eq!(kept(&place, &mut client, &lane).await, (3, 3));
    assert_eq!(
        client.ask(lane.append(cell(1))).await,
        appended(3),
        "numbers are never used again"
    );
}

#[tokio::test]
async fn cells_without_time_to_live_reach_only_those_who_are_there() {
    let place = place().await;
    let (mut client, mut writer) = (place.connect().await, place.connect().await);
    let mut lane = Lane::log(1);
    lane.0.ttl_seconds = 0;
    client.ask(lane.create()).await;
    assert_eq!(writer.ask(lane.append(cell(1))).await, appended(1));
    let (cells, head) = client.ask_all(lane.subscribe(1)).await;
    assert_eq!((cells.len(), head.next, head.end), (0, 2, 2));
    assert_eq!(writer.ask(lane.append(cell(2))).await, appended(2));
    assert_eq!(client.live().await, delivery(&lane, 2, 2));
    assert_eq!(writer.ask(lane.append(cell(2))).await, appended(2));
    assert_eq!(writer.ask(lane.append(cell(3))).await, appended(3));
    assert_eq!(client.live().await, delivery(&lane, 3, 3));
    assert_eq!(client.ask_all(lane.read(1)).await.0.len(), 0);
    assert_eq!(kept(&place, &mut client, &lane).await, (4, 4));
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let place = place().await;
    let lane = Lane::log(1);
    let mut client = place.connect().await;
    client.ask(lane.create()).await;
    client.ask(lane.append(cell(1))).await;
    let (key, data) = (place.relay.key(), place.directory.path().join("data"));
    place.relay.stop().await;
    assert_eq!(client.close_code().await, Some(1012));
    let config = ume_relay::Config::new("127.0.0.1:0".parse().unwrap(), data);
    let relay = ume_relay::Relay::start(config).await.unwrap();
    assert_eq!(relay.key(), key);
    let mut client = Client::connect(relay.address()).await.unwrap();
    assert_eq!(
        client.ask_all(lane.read(1)).await.0,
        vec![Body::Delivery(delivery(&lane, 1, 1))]
    );
    assert_eq!(client.ask(lane.append(cell(1))).await, appended(1));
}

#[tokio::test]
async fn a_full_store_refuses_and_keeps_serving() {
    let place = place_with(|config| config.limits.store_bytes = 512 + 3 * 1792).await;
    let mut client = place.connect().await;
    let queue = Lane::new(LaneKind::Queue, 1);
    client.ask(queue.create()).await;
    for n in 1..=3 {
        assert_eq!(client.ask(queue.append(cell(n))).await, appended(n));
    }
    assert_eq!(
        client.ask(queue.append(cell(4))).await,
        refused(RefusedCode::RefusedStorage)
    );
    assert_eq!(
        client.ask(Lane::log(2).create()).await,
        refused(RefusedCode::RefusedStorage)
    );
    assert_eq!(client.ask(queue.acknowledge(1)).await, done());
    assert_eq!(client.ask(queue.append(cell(4))).await, appended(4));
}

//! Strangers: bytes without sense, silence, floods. The relay stays up and bounded.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

#[path = "support/client.rs"]
mod client;

use bytes::Bytes;
use client::*;
use futures_util::{SinkExt, StreamExt};
use proptest::{
    prelude::*,
    test_runner::{Config as Cases, TestRunner},
};
use std::time::{Duration, Instant};
use tokio::{io::AsyncReadExt, net::TcpStream};
use tokio_websockets::Message;
use ume_wire::{
    frame,
    relay::{Frame, Pad, RefusedCode, frame::Body},
};

fn pad() -> Body {
    Body::Pad(Pad {})
}

/// Frames that are nearly right: a true message with some bytes changed, or noise behind a true header.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let lane = Lane::slots(1);
    let cells = [cell(1)];
    let bodies = vec![
        lane.create(),
        Lane::log(2).create(),
        Lane::log(2).append(cell(1)),
        Lane::log(2).subscribe(1),
        lane.read(1),
        lane.prepare(1, &ballot(1, 1), 1),
        lane.accepts(1, &ballot(1, 1), &cells).remove(0),
        blob_put(&[1; 32], &cells, 0),
        blob_get(&[1; 32]),
        hello(),
        pad(),
    ];
    let change = proptest::collection::vec((3usize..200, any::<u8>()), 0..4);
    let noise = proptest::collection::vec(any::<u8>(), 2048);
    (proptest::sample::select(bodies), change, noise, 0u8..4).prop_map(
        |(body, changes, noise, way)| {
            let mut bytes = frame::encode(&Frame {
                request: 1,
                body: Some(body),
            })
            .unwrap()
            .to_vec();
            for (at, to) in changes {
                bytes[at] = to;
            }
            match way {
                0 => noise,
                1 => {
                    let mut noise = noise;
                    noise[..3].copy_from_slice(&[1, 253, 7]);
                    noise
                }
                _ => bytes,
            }
        },
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_without_sense_change_nothing() {
    let place = place().await;
    let address = place.relay.address();
    let cases = tokio::task::spawn_blocking(move || {
        let mut runner = TestRunner::new(Cases {
            cases: 40,
            failure_persistence: None,
            ..Cases::default()
        });
        let handle = tokio::runtime::Handle::current();
        let result = runner.run(&proptest::collection::vec(nearly(), 1..40), |frames| {
            handle.block_on(async {
                let mut client = Client::connect(address).await.unwrap();
                for frame in &frames {
                    client
                        .socket
                        .feed(Message::binary(frame.clone()))
                        .await
                        .unwrap();
                }
                client.send(pad()).await;
                // Whatever else is answered, the pad is.
                loop {
                    if matches!(client.receive().await.body, Some(Body::Pad(_))) {
                        break;
                    }
                }
                let all: Vec<u8> = frames.concat();
                assert_eq!(http(address, "POST", "/v1/f", "", &all).await.status, 200);
            });
            Ok(())
        });
        result.unwrap();
    });
    cases.await.unwrap();
    place.connect().await;
}

#[tokio::test]
async fn messages_that_are_no_frames_end_the_connection() {
    let place = place().await;
    let short: fn() -> Message = || Message::binary(vec![1; 2047]);
    let long: fn() -> Message = || Message::binary(vec![1; 2049]);
    let text: fn() -> Message = || Message::text("x".repeat(2048));
    for (message, code) in [(short, 1008), (long, 1009), (text, 1003)] {
        let mut client = place.connect().await;
        client.socket.send(message()).await.unwrap();
        assert_eq!(client.close_code().await, Some(code));
    }
    // A message in two parts is one frame all the same.
    let mut client = place.connect().await;
    client.ask(pad()).await;
}

#[tokio::test]
async fn hello_comes_first_and_soon() {
    let place = place_with(|config| config.limits.hello_timeout = Duration::from_millis(300)).await;
    let mut client = Client::open(place.relay.address()).await.unwrap();
    assert_eq!(client.ask(pad()).await, refused(RefusedCode::RefusedOrder));
    assert_eq!(
        client.ask(Lane::log(1).create()).await,
        refused(RefusedCode::RefusedOrder)
    );
    let Body::Hello(mut newer) = hello() else {
        panic!()
    };
    (newer.version_min, newer.version_max) = (2, 9);
    assert_eq!(
        client.ask(Body::Hello(newer)).await,
        refused(RefusedCode::RefusedVersion)
    );
    assert_eq!(client.close_code().await, Some(1008));
    let mut client = Client::connect(place.relay.address()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(client.ask(pad()).await, pad());
    // A kind of request that does not exist, and one that only a relay says.
    let mut unknown = vec![1, 5, 0, 8, 7, 0xc2, 0x3e, 0];
    unknown.resize(2048, 0);
    client.socket.send(Message::binary(unknown)).await.unwrap();
    let answer = client.receive().await;
    assert_eq!(
        (answer.request, answer.body),
        (7, Some(refused(RefusedCode::RefusedUnknown)))
    );
    assert_eq!(
        client.ask(done()).await,
        refused(RefusedCode::RefusedUnknown)
    );
}

#[tokio::test]
async fn half_a_header_is_not_waited_for() {
    let place =
        place_with(|config| config.limits.header_timeout = Duration::from_millis(300)).await;
    for start in [&b""[..], b"GET / HTTP/1.1\r\nHost: x\r\n"] {
        let mut stream = TcpStream::connect(place.relay.address()).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, start)
            .await
            .unwrap();
        let mut rest = Vec::new();
        let reading = tokio::time::timeout(Duration::from_secs(3), stream.read_to_end(&mut rest));
        let _ = reading.await.expect("closed in time");
    }
}

#[tokio::test]
async fn the_silent_are_pinged_and_the_dead_are_let_go() {
    let place = place_with(|config| {
        config.limits.ping_after = Duration::from_millis(200);
        config.limits.dead_after = Duration::from_millis(600);
    })
    .await;
    let mut alive = place.connect().await;
    let message = alive.socket.next().await.unwrap().unwrap();
    assert!(message.is_ping());
    // Answered by the library when it is read: this one goes on for long.
    for _ in 0..5 {
        assert!(alive.socket.next().await.unwrap().unwrap().is_ping());
    }
    assert_eq!(alive.ask(pad()).await, pad());
    let mut dead = place.connect().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(dead.try_send(pad()).await.is_err() || dead.try_receive().await.is_err());
}

#[tokio::test]
async fn a_flood_is_slowed_down_and_not_cut_off() {
    let place = place_with(|config| {
        config.limits.frames_burst = 50;
        config.limits.frames_per_second = 100;
    })
    .await;
    let mut client = place.connect().await;
    let start = Instant::now();
    for _ in 0..150 {
        client.send(pad()).await;
    }
    for _ in 0..150 {
        assert_eq!(client.receive().await.body, Some(pad()));
    }
    let took = start.elapsed();
    assert!(
        took > Duration::from_millis(900) && took < Duration::from_secs(5),
        "{took:?}"
    );
}

#[tokio::test]
async fn who_does_not_read_holds_nothing_up() {
    let place = place_with(|config| config.limits.dead_after = Duration::from_millis(1500)).await;
    let lane = Lane::log(1);
    let mut writer = place.connect().await;
    writer.ask(lane.create()).await;
    let mut stuck = place.connect().await;
    stuck.send(lane.subscribe(1)).await;
    let mut reader = place.connect().await;
    reader.ask_all(lane.subscribe(1)).await;
    // More than sockets hold; the one that does not read is cut off, the other one gets everything.
    for n in 1..=3000 {
        writer.send(lane.append(cell(n))).await;
        if n % 100 == 0 {
            for m in n - 99..=n {
                writer.receive().await;
                assert_eq!(reader.live().await.seq, m);
            }
        }
    }
    // And it comes back from where it was.
    let mut back = place.connect().await;
    back.send(lane.subscribe(2501)).await;
    for n in 2501..=3000 {
        let Some(Body::Delivery(delivery)) = back.receive().await.body else {
            panic!()
        };
        assert_eq!(delivery.seq, n);
    }
}

#[tokio::test]
async fn subscriptions_are_bounded() {
    // So many lanes at once would take work.
    let place = place_with(|config| config.limits.admission.free_lanes_per_minute = 2000).await;
    let mut client = place.connect().await;
    for n in 0..=1024u32 {
        let mut lane = Lane::log(1);
        let mut id = [7; 32];
        id[1..5].copy_from_slice(&n.to_le_bytes());
        lane.0.lane = Bytes::copy_from_slice(&id);
        assert_eq!(client.ask(lane.create()).await, done());
        if n < 1024 {
            client.ask_all(lane.subscribe(1)).await;
        } else {
            assert_eq!(
                client.ask(lane.subscribe(1)).await,
                refused(RefusedCode::RefusedLimit)
            );
        }
    }
}

#[tokio::test]
async fn connections_are_bounded_and_a_stop_closes_them() {
    let place = place_with(|config| config.limits.connections = 2).await;
    let (mut first, second) = (place.connect().await, place.connect().await);
    let address = place.relay.address();
    let waiting = tokio::time::timeout(Duration::from_millis(300), Client::connect(address)).await;
    assert!(waiting.is_err());
    drop(second);
    let mut third = Client::connect(address).await.unwrap();
    let start = Instant::now();
    let stopping = tokio::spawn(place.relay.stop());
    assert_eq!(first.close_code().await, Some(1012));
    assert_eq!(third.close_code().await, Some(1012));
    stopping.await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(10));
}

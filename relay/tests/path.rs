//! The data path: signatures for a connection, grease, floods of what means nothing, readers that fall behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

#[path = "support/client.rs"]
mod client;

use bytes::{Bytes, BytesMut};
use client::*;
use futures_util::SinkExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_websockets::Message;
use ume_wire::{
    auth::{Statement, bound_lane_id, relay_id},
    frame, grease,
    relay::{self, Frame, Pad, RefusedCode, frame::Body},
};

fn bytes(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

/// A connection that was greeted, and what it has to sign: the relay's id and the challenge.
async fn greeted(place: &Place) -> (Client, [u8; 32], Bytes) {
    let mut client = Client::open(place.relay.address()).await.unwrap();
    let Body::Welcome(welcome) = client.ask(hello()).await else {
        panic!()
    };
    assert_eq!(welcome.challenge.len(), 32);
    let id = relay_id(&place.relay.key());
    (client, id, welcome.challenge)
}

fn append_here(lane: &Lane, id: &[u8; 32], challenge: &[u8], n: u64) -> Body {
    let statement = Statement::AppendHere(id, challenge, &lane.0.lane);
    Body::Append(relay::Append {
        lane: lane.0.lane.clone(),
        cell: cell(n),
        signature: bytes(&statement.sign(&key(1))),
    })
}

#[tokio::test]
async fn one_signature_serves_a_connection_and_no_other() {
    let place = place().await;
    let lane = Lane::log(1);
    let (mut client, id, challenge) = greeted(&place).await;
    client.ask(lane.create()).await;
    for n in 1..=20 {
        let appended = client.ask(append_here(&lane, &id, &challenge, n)).await;
        assert_eq!(appended, Body::Appended(relay::Appended { seq: n }));
    }
    let (mut other, _, others) = greeted(&place).await;
    assert_ne!(challenge, others);
    let denied = refused(RefusedCode::RefusedDenied);
    assert_eq!(
        other.ask(append_here(&lane, &id, &challenge, 21)).await,
        denied
    );
    assert_eq!(
        client
            .ask(append_here(&lane, &[1; 32], &challenge, 21))
            .await,
        denied
    );
    // It opens no other lane either.
    let second = Lane::log(2);
    client.ask(second.create()).await;
    let Body::Append(mut moved) = append_here(&lane, &id, &challenge, 21) else {
        panic!()
    };
    moved.lane = second.0.lane.clone();
    assert_eq!(client.ask(Body::Append(moved)).await, denied);
    // Reading the same.
    let read = |challenge: &[u8]| {
        let statement = Statement::ReadHere(&id, challenge, &lane.0.lane);
        Body::Read(relay::Read {
            lane: lane.0.lane.clone(),
            from: 1,
            signature: bytes(&statement.sign(&key(3))),
        })
    };
    for _ in 0..2 {
        assert_eq!(client.ask_all(read(&challenge)).await.0.len(), 20);
    }
    assert_eq!(other.ask(read(&challenge)).await, denied);
    assert_eq!(other.ask_all(read(&others)).await.0.len(), 20);
}

#[tokio::test]
async fn a_bound_id_belongs_to_one_lane() {
    let place = place().await;
    let mut client = place.connect().await;
    let mut lane = Lane::log(1);
    lane.0.lane = bytes(&bound_lane_id(&lane.0));
    assert_eq!(client.ask(lane.create()).await, done());
    lane.0.ttl_seconds += 1;
    let malformed = refused(RefusedCode::RefusedMalformed);
    assert_eq!(client.ask(lane.create()).await, malformed);
}

#[tokio::test]
async fn grease_is_passed_over() {
    let place = place().await;
    let mut client = Client::open(place.relay.address()).await.unwrap();
    for (n, body) in (0..).zip([hello(), Lane::log(1).create(), Body::Pad(Pad {})]) {
        let mut out = BytesMut::new();
        let frame = Frame {
            request: n + 1,
            body: Some(body),
        };
        let random = 0x0102_0304_0506_0708u64.rotate_left(8 * n);
        frame::encode_into(&frame, &grease::field(random), &mut out).unwrap();
        client
            .socket
            .send(Message::binary(out.freeze()))
            .await
            .unwrap();
        let answer = client.receive().await;
        assert_eq!(answer.request, n + 1);
        let is_refused = matches!(answer.body, Some(Body::Refused(_)) | None);
        assert!(!is_refused, "{answer:?}");
    }
}

#[tokio::test]
async fn floods_of_nothing_end_the_connection() {
    let place = place().await;
    let mut client = place.connect().await;
    for _ in 0..1000 {
        if client.socket.send(Message::ping("x")).await.is_err() {
            break;
        }
    }
    let code = client.close_code().await;
    assert!(matches!(code, Some(1008) | None), "{code:?}");
    let mut stream = open_raw(&place).await;
    let mut parts = vec![0x02, 0x80, 0, 0, 0, 0];
    for _ in 0..1000 {
        parts.extend([0x00, 0x80, 0, 0, 0, 0]);
    }
    assert_eq!(ends_with(&mut stream, &parts).await, 1008);
    // A giant, from its header alone.
    let mut stream = open_raw(&place).await;
    let giant = [0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0];
    assert_eq!(ends_with(&mut stream, &giant).await, 1009);
    place.connect().await;
}

/// A connection after the handshake of RFC 6455, without any library.
async fn open_raw(place: &Place) -> TcpStream {
    let mut stream = TcpStream::connect(place.relay.address()).await.unwrap();
    let request = "GET /v1/ws HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await.unwrap());
    }
    stream
}

/// The code of the close that answers these bytes.
async fn ends_with(stream: &mut TcpStream, bytes: &[u8]) -> u16 {
    // The relay need not take all of it.
    let _ = stream.write_all(bytes).await;
    let mut close = [0; 4];
    timeout(PATIENCE, stream.read_exact(&mut close))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(close[0], 0x88);
    u16::from_be_bytes([close[2], close[3]])
}

#[tokio::test]
async fn who_falls_behind_in_a_lane_without_storage_misses_some_and_goes_on() {
    let place = place().await;
    let mut lane = Lane::log(1);
    lane.0.ttl_seconds = 0;
    let (mut writer, id, challenge) = greeted(&place).await;
    writer.ask(lane.create()).await;
    let mut reader = place.connect().await;
    reader.ask_all(lane.subscribe(1)).await;
    let last = 3000;
    for n in 1..=last {
        writer.send(append_here(&lane, &id, &challenge, n)).await;
        writer.receive().await;
    }
    let (mut seq, mut count) = (0, 0);
    while seq < last {
        let delivery = reader.live().await;
        assert!(delivery.seq > seq && delivery.cell == cell(delivery.seq));
        (seq, count) = (delivery.seq, count + 1);
    }
    assert!(count >= 512, "the newest are always there: {count}");
}

#[tokio::test]
async fn long_values_come_whole_however_slowly_they_are_read() {
    let place = place().await;
    let lane = Lane::slots(1);
    let mut writer = place.connect().await;
    writer.ask(lane.create()).await;
    let sizes = [1, 640, 33, 32];
    for (slot, size) in (1..).zip(sizes) {
        let cells: Vec<Bytes> = (0..size).map(|n| cell(slot * 1000 + n)).collect();
        for accept in lane.accepts(slot, &ballot(1, 1), &cells) {
            writer.send(accept).await;
        }
        for _ in 0..size {
            assert!(!matches!(
                writer.receive().await.body,
                Some(Body::Refused(_))
            ));
        }
    }
    let expect = |bodies: &[Body], from: u64| {
        let wanted = (1..).zip(sizes).filter(|(slot, _)| *slot >= from);
        let wanted = wanted.flat_map(|(slot, size)| (0..size).map(move |n| (slot, n)));
        for ((slot, n), body) in wanted.zip(bodies) {
            let Body::Value(value) = body else { panic!() };
            assert_eq!((value.slot, u64::from(value.index)), (slot, n));
            assert_eq!(value.cell, cell(slot * 1000 + n));
        }
    };
    let mut reader = place.connect().await;
    let mut next = 1;
    for (count, then) in [(1, 2), (640, 3), (65, 5)] {
        let (bodies, head) = reader.ask_all(lane.read(next)).await;
        expect(&bodies, next);
        assert_eq!((bodies.len(), head.next, head.end), (count, then, 5));
        let posted = post(place.relay.address(), vec![lane.read(next)]).await;
        assert_eq!(posted.len(), count + 1);
        next = head.next;
    }
    let (bodies, head) = reader.ask_all(lane.subscribe(1)).await;
    expect(&bodies, 1);
    assert_eq!((bodies.len(), head.next), (706, 5));
}

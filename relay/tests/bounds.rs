//! What those who take nothing, or send drop by drop, may hold: they are cut off, and the others are served meanwhile.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

#[path = "support/client.rs"]
mod client;

use client::*;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};
use ume_wire::{
    frame,
    limits::{CELL_BYTES, FRAME_BYTES, POST_FRAMES_MAX},
    relay::{Frame, Pad, RefusedCode, Welcome, frame::Body},
};

/// As many frames as a body may have.
fn pads(count: usize) -> Vec<u8> {
    let frame = Frame {
        request: 1,
        body: Some(Body::Pad(Pad {})),
    };
    frame::encode(&frame).unwrap().repeat(count)
}

fn head(length: usize) -> String {
    format!("POST /v1/f HTTP/1.1\r\nHost: relay\r\nContent-Length: {length}\r\n\r\n")
}

/// A connection from another address of this machine.
async fn from(number: u8, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket
        .bind(SocketAddr::from(([127, 0, 1, number], 0)))
        .unwrap();
    socket.connect(to).await.unwrap()
}

/// Begins a long body and leaves it.
async fn begin(number: u8, to: SocketAddr) -> TcpStream {
    let mut stream = from(number, to).await;
    let begun = head(POST_FRAMES_MAX * FRAME_BYTES) + "x";
    stream.write_all(begun.as_bytes()).await.unwrap();
    stream
}

/// A relay that knows the addresses of this machine apart, and waits for bodies longer than this test does.
async fn crowded() -> Place {
    place_with(|config| {
        config.limits.admission.limit_loopback = true;
        config.limits.admission.prefix_connections = 1000;
        config.limits.body_timeout = Duration::from_mins(1);
    })
    .await
}

#[tokio::test]
async fn who_takes_nothing_from_a_websocket_is_cut_off() {
    let place = place_with(|config| {
        config.limits.write_timeout = Duration::from_millis(500);
        // Of its own it would stay for long.
        config.limits.dead_after = Duration::from_mins(10);
    })
    .await;
    let (lane, asked) = (Lane::log(1), 16);
    let mut writer = place.connect().await;
    assert_eq!(writer.ask(lane.create()).await, done());
    for n in 1..=500 {
        writer.send(lane.append(cell(n))).await;
    }
    for _ in 1..=500 {
        writer.receive().await;
    }
    let mut stuck = place.connect().await;
    for _ in 0..asked {
        stuck.send(lane.read(1)).await;
    }
    sleep(Duration::from_secs(2)).await;
    let mut got = 0;
    while stuck.try_receive().await.is_ok() {
        got += 1;
    }
    assert!(got < asked * 501, "{got} frames came");
    // Whoever reads what comes gets all of it.
    let (cells, head) = writer.ask_all(lane.read(1)).await;
    assert_eq!((cells.len(), head.next), (500, 501));
}

#[tokio::test]
async fn slow_bodies_from_one_place_leave_room_for_others() {
    let place = crowded().await;
    let to = place.relay.address();
    let mut slow = Vec::new();
    for _ in 0..150 {
        slow.push(begin(1, to).await);
    }
    let answer = http(to, "POST", "/v1/f", "", &pads(POST_FRAMES_MAX)).await;
    assert_eq!(answer.status, 200, "{}", answer.headers);
    assert_eq!(answer.body.len(), POST_FRAMES_MAX * FRAME_BYTES);
}

#[tokio::test]
async fn short_bodies_pass_however_many_long_ones_wait() {
    let place = crowded().await;
    let to = place.relay.address();
    let mut slow = Vec::new();
    for number in 1..=20 {
        for _ in 0..20 {
            slow.push(begin(number, to).await);
        }
    }
    for frames in [1, 4] {
        let answer = http(to, "POST", "/v1/f", "", &pads(frames)).await;
        assert_eq!(answer.status, 200, "{}", answer.headers);
        assert_eq!(answer.body.len(), frames * FRAME_BYTES);
    }
}

#[tokio::test]
async fn a_body_earns_time_by_coming() {
    let place = place_with(|config| {
        config.limits.body_timeout = Duration::from_secs(2);
        config.limits.body_rate = 1024;
    })
    .await;
    let to = place.relay.address();
    let body = pads(4);
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(head(body.len()).as_bytes()).await.unwrap();
    for part in body.chunks(512) {
        stream.write_all(part).await.unwrap();
        sleep(Duration::from_millis(200)).await;
    }
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200"));
    // Drops do not.
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(head(body.len()).as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.split();
    let mut first = [0; 12];
    let dripping = async {
        loop {
            sleep(Duration::from_millis(200)).await;
            if write.write_all(&[1; 8]).await.is_err() {
                sleep(PATIENCE).await;
            }
        }
    };
    tokio::select! {
        () = dripping => {}
        read = timeout(PATIENCE, read.read_exact(&mut first)) => {
            read.expect("answered in time").unwrap();
        }
    }
    assert_eq!(&first, b"HTTP/1.1 408");
}

/// The first line of an answer.
async fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = [0; 64];
    let count = timeout(PATIENCE, stream.read(&mut bytes)).await;
    let count = count.expect("answered in time").unwrap();
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}

/// What a relay says of its bounds to who comes now.
async fn welcome(place: &Place) -> Welcome {
    let mut client = Client::open(place.relay.address()).await.unwrap();
    match client.ask(hello()).await {
        Body::Welcome(welcome) => welcome,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_reload_counts_for_connections_that_come_then() {
    let place = place().await;
    assert_eq!(welcome(&place).await.frames_burst, 4000);
    let mut config = place.config();
    config.limits.frames_burst = 3;
    config.limits.frames_per_second = 1;
    config.limits.hello_timeout = Duration::from_millis(300);
    place.relay.reload(&config);
    let after = welcome(&place).await;
    assert_eq!((after.frames_burst, after.frames_per_second), (3, 1));
    let mut silent = Client::open(place.relay.address()).await.unwrap();
    assert_eq!(silent.close_code().await, Some(1008));
}

#[tokio::test]
async fn a_cell_for_which_there_is_no_room_loses_nothing_of_its_value() {
    let two = 2 * CELL_BYTES as u64;
    let place = place_with(|config| {
        config.limits.admission.limit_loopback = true;
        config.limits.admission.prefix_bytes_per_hour = two;
    })
    .await;
    let mut client = place.connect().await;
    let (lane, cells) = (Lane::slots(1), [cell(1), cell(2), cell(3)]);
    assert_eq!(client.ask(lane.create()).await, done());
    let parts = lane.accepts(1, &ballot(1, 1), &cells);
    for part in &parts[..2] {
        assert_eq!(client.ask(part.clone()).await, done());
    }
    let Body::Refused(refused) = client.ask(parts[2].clone()).await else {
        panic!("taken")
    };
    assert_eq!(refused.code, i32::from(RefusedCode::RefusedLimit));
    let mut config = place.config();
    config.limits.admission.limit_loopback = true;
    config.limits.admission.prefix_bytes_per_hour = two * 2;
    place.relay.reload(&config);
    let accepted = client.ask(parts[2].clone()).await;
    assert!(matches!(accepted, Body::Accepted(_)), "{accepted:?}");
}

#[tokio::test]
async fn a_lane_that_is_there_takes_no_work() {
    let place = place_with(|config| config.limits.admission.free_lanes_per_minute = 1).await;
    let mut client = place.connect().await;
    let first = Lane::log(1);
    assert_eq!(client.ask(first.create()).await, done());
    let Body::Refused(refused) = client.ask(Lane::log(2).create()).await else {
        panic!("made")
    };
    assert_eq!(refused.code, i32::from(RefusedCode::RefusedWork));
    assert_eq!(client.ask(first.create()).await, done());
    let answer = post(place.relay.address(), vec![first.create()]).await;
    assert_eq!(answer[0].body, Some(done()));
}

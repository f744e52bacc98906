//! The socket over streams that do not take or give everything at once.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test fails by panicking

use bytes::Bytes;
use std::{future::poll_fn, time::Duration};
use tokio::{
    io::{AsyncReadExt, BufWriter, duplex},
    time::timeout,
};
use ume_websocket::{Limits, Socket};

/// A stream that encrypts takes everything and keeps it until there is room below.
#[tokio::test]
async fn what_a_stream_holds_back_is_written_in_the_end() {
    let (near, mut far) = duplex(16);
    let limits = Limits { message_bytes: 125 };
    let mut socket = Socket::new(BufWriter::new(near), Bytes::new(), limits);
    socket.queue(Bytes::from(vec![7; 1000]));
    let reading = tokio::spawn(async move {
        let mut got = vec![0; 1000];
        far.read_exact(&mut got).await.map(|_| far)
    });
    let flushed = poll_fn(|context| socket.poll_flush(context));
    timeout(Duration::from_secs(10), flushed)
        .await
        .expect("written in time")
        .unwrap();
    let read = timeout(Duration::from_secs(10), reading).await;
    read.expect("all of it comes").unwrap().unwrap();
}

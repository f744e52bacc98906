//! A relay as the service manager and the system see it: ready, alive, short of memory, stopped with connections open.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

#[path = "support/client.rs"]
mod client;
#[path = "support/process.rs"]
mod process;

use client::{Client, http};
use futures_util::StreamExt;
use process::{Process, program};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::net::UnixDatagram,
    path::Path,
    time::{Duration, Instant},
};

fn start(command: std::process::Command, data: &Path, more: &[&str]) -> Process {
    let mut arguments = vec!["--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    arguments.extend(more);
    Process::run(command, &arguments, 1)
}

/// What comes until the other side closes.
fn rest(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(process::PATIENCE)).unwrap();
    let mut rest = Vec::new();
    // A reset is an end as well.
    let _ = stream.read_to_end(&mut rest);
    process::text(&rest)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_soon_and_says_when_to_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let mut relay = start(program(), &directory.path().join("data"), &[]);
    let address = relay.address();
    let mut clients = Vec::new();
    for _ in 0..50 {
        clients.push(Client::connect(address).await.unwrap());
    }
    // One that never reads, one that is idle between requests, one in the middle of a header, one in that of a body.
    let _silent = Client::open(address).await.unwrap();
    let mut streams = Vec::new();
    for start in [
        "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHo",
        "POST /v1/f HTTP/1.1\r\nHost: x\r\nContent-Length: 2048\r\n\r\nabc",
        "",
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(start.as_bytes()).unwrap();
        streams.push(stream);
    }
    assert_eq!(http(address, "GET", "/readyz", "", b"").await.status, 200);
    let begin = Instant::now();
    relay.signal("-TERM");
    let mut hints = Vec::new();
    for client in &mut clients {
        let closed = loop {
            let message = client.socket.next().await.unwrap().unwrap();
            if let Some((code, reason)) = message.as_close() {
                break (u16::from(code), reason.to_owned());
            }
        };
        assert_eq!(closed.0, 1012);
        let millis = closed
            .1
            .strip_prefix("retry=")
            .unwrap()
            .parse::<u32>()
            .unwrap();
        assert!((500..5000).contains(&millis), "{millis}");
        hints.push(millis);
    }
    hints.sort_unstable();
    hints.dedup();
    assert!(
        hints.len() > 10,
        "everybody at a time of their own: {hints:?}"
    );
    let status = tokio::task::spawn_blocking(move || relay.wait())
        .await
        .unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "{:?}",
        begin.elapsed()
    );
    for mut stream in streams {
        rest(&mut stream);
    }
}

#[test]
fn the_service_manager_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(process::PATIENCE)).unwrap();
    let mut command = program();
    command
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "300000");
    let relay = start(command, &directory.path().join("data"), &[]);
    let next = || {
        let mut message = [0; 256];
        let count = socket.recv(&mut message).unwrap();
        process::text(&message[..count])
    };
    assert!(next().contains("READY=1"));
    assert!(next().contains("WATCHDOG=1"));
    assert!(next().contains("WATCHDOG=1"));
    relay.signal("-TERM");
    while !next().contains("STOPPING=1") {}
}

#[tokio::test]
async fn short_memory_turns_away_who_is_new() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("relay.toml");
    fs::write(&file, "memory_bytes = '1 MiB'\n").unwrap();
    let data = directory.path().join("data");
    let relay = start(program(), &data, &["--config", file.to_str().unwrap()]);
    relay.wait_for("[memory-high]");
    assert!(Client::connect(relay.address()).await.is_err());
    fs::write(&file, "memory_bytes = '64 GiB'\n").unwrap();
    relay.signal("-HUP");
    relay.wait_for("[memory-fine] count>=1");
    let ready = http(relay.address(), "GET", "/readyz", "", b"").await;
    assert_eq!((ready.status, &ready.body[..]), (200, &b"ready\n"[..]));
}

#[test]
fn who_takes_nothing_or_sends_nothing_is_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let app = directory.path().join("app");
    fs::create_dir(&app).unwrap();
    fs::write(app.join("index.html"), "x").unwrap();
    // More than the sockets on both sides hold.
    fs::write(app.join("large.bin"), vec![7; 64 << 20]).unwrap();
    let arguments = [
        "--app",
        app.to_str().unwrap(),
        "--write-timeout",
        "500 ms",
        "--body-timeout",
        "500 ms",
        "--header-timeout",
        "500 ms",
    ];
    let relay = start(program(), &directory.path().join("data"), &arguments);
    let open = |start: &str| {
        let mut stream = TcpStream::connect(relay.address()).unwrap();
        stream.write_all(start.as_bytes()).unwrap();
        stream
    };
    let mut reader = open("GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut sender = open("POST /v1/f HTTP/1.1\r\nHost: x\r\nContent-Length: 2048\r\n\r\nabc");
    let mut half = open("GET / HTTP/1.1\r\nHost: x\r\nX: ");
    assert!(rest(&mut sender).starts_with("HTTP/1.1 408"));
    assert_eq!(rest(&mut half), "");
    std::thread::sleep(Duration::from_secs(2));
    assert!(rest(&mut reader).len() < 64 << 20);
    let long = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n",
        "a".repeat(17 << 10)
    );
    let mut stream = TcpStream::connect(relay.address()).unwrap();
    // It may be cut off while it still sends.
    let _ = stream.write_all(long.as_bytes());
    let answer = rest(&mut stream);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
}

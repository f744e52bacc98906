//! TLS that the relay ends itself: from files with changes while it runs, and what it takes from strangers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

#[path = "support/process.rs"]
mod process;
#[path = "support/tls.rs"]
mod tls;

use futures_util::SinkExt;
use process::{Process, program, write_pair};
use std::{fs, path::Path, time::Duration};
use tls::{connect, get};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_websockets::ClientBuilder;

const NAME: &str = "relay.test";

fn start(directory: &Path, more: &[&str]) -> Process {
    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let (data, chain, key) = (path("data"), path("chain.pem"), path("key.pem"));
    let mut arguments = vec!["--listen", "127.0.0.1:0", "--data", &data];
    arguments.extend(["--tls-certificate", &chain, "--tls-key", &key]);
    arguments.extend(more);
    Process::run(program(), &arguments, 1)
}

#[tokio::test]
async fn certificates_change_while_it_runs_and_bad_ones_do_not_count() {
    let directory = tempfile::tempdir().unwrap();
    let first = write_pair(directory.path(), NAME, -1..30);
    let relay = start(directory.path(), &[]);
    let address = relay.address();
    let ready = get(address, NAME, &first, "/readyz").await.unwrap();
    assert!(
        ready.starts_with("HTTP/1.1 200") && ready.ends_with("ready\n"),
        "{ready}"
    );
    let page = get(address, NAME, &first, "/").await.unwrap();
    assert!(
        page.contains("strict-transport-security: max-age"),
        "{page}"
    );

    // A WebSocket that is open stays open.
    let stream = connect(address, NAME, &first).await.unwrap();
    let uri = format!("wss://{NAME}/v1/ws");
    let client = ClientBuilder::new().uri(&uri).unwrap();
    let (mut socket, _) = client.connect_on(stream).await.unwrap();

    let second = write_pair(directory.path(), NAME, -1..30);
    relay.signal("-HUP");
    relay.wait_for("[certificate-new]");
    assert!(get(address, NAME, &first, "/readyz").await.is_err());
    get(address, NAME, &second, "/readyz").await.unwrap();

    // A certificate without its key, no certificate at all, and one that is over: the second one stays.
    let key = fs::read(directory.path().join("key.pem")).unwrap();
    write_pair(directory.path(), NAME, -1..30);
    fs::write(directory.path().join("key.pem"), &key).unwrap();
    relay.signal("-HUP");
    relay.wait_for("[certificate-bad]");
    fs::write(directory.path().join("chain.pem"), "nothing").unwrap();
    relay.signal("-HUP");
    relay.wait_for("does not hold a certificate chain");
    write_pair(directory.path(), NAME, -30..-1);
    relay.signal("-HUP");
    relay.wait_for("is not valid now");
    get(address, NAME, &second, "/readyz").await.unwrap();

    let ping = tokio_websockets::Message::ping("x");
    socket.send(ping).await.unwrap();
    assert_eq!(relay.stop().code(), Some(0));
}

#[tokio::test]
async fn a_certificate_that_is_over_makes_it_unready() {
    let directory = tempfile::tempdir().unwrap();
    write_pair(directory.path(), NAME, -30..-1);
    let relay = start(directory.path(), &[]);
    relay.wait_for("[certificate-late]");
    let good = write_pair(directory.path(), NAME, -1..30);
    relay.signal("-HUP");
    relay.wait_for("[certificate-new]");
    get(relay.address(), NAME, &good, "/readyz").await.unwrap();
}

#[tokio::test]
async fn who_does_not_finish_the_handshake_is_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    write_pair(directory.path(), NAME, -1..30);
    let relay = start(
        directory.path(),
        &["--tls-timeout", "300ms", "--log-level", "trace"],
    );
    let hello: &[u8] = &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc];
    for start in [&b""[..], hello, b"GET / HTTP/1.1\r\n\r\n", &[0xff; 4096]] {
        let mut stream = TcpStream::connect(relay.address()).await.unwrap();
        stream.write_all(start).await.unwrap();
        let mut rest = Vec::new();
        let read = timeout(Duration::from_secs(5), stream.read_to_end(&mut rest));
        let _ = read.await.expect("closed in time");
    }
    relay.wait_for("[handshake-failed]");
}

#[tokio::test]
async fn plain_http_is_sent_to_https() {
    let directory = tempfile::tempdir().unwrap();
    write_pair(directory.path(), NAME, -1..30);
    // Taken for a moment, so that the test knows a free one.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let relay = start(directory.path(), &["--redirect-listen", &free.to_string()]);
    let port = relay.address().port();
    for (request, answer) in [
        (
            "GET /a?b=c HTTP/1.1\r\nHost: relay.test:80\r\n\r\n",
            format!("https://relay.test:{port}/a?b=c"),
        ),
        (
            "GET / HTTP/1.1\r\nHost: RELAY.test\r\n\r\n",
            format!("https://RELAY.test:{port}/"),
        ),
        (
            "GET http://other/ HTTP/1.1\r\nHost: relay.test\r\n\r\n",
            format!("https://relay.test:{port}/"),
        ),
        ("GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 400".to_owned()),
        // Nobody gets people sent elsewhere by a host that is not ours.
        (
            "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
            "HTTP/1.1 421".to_owned(),
        ),
        (
            "GET / HTTP/1.1\r\nHost: relay.test.evil.example\r\n\r\n",
            "HTTP/1.1 421".to_owned(),
        ),
        (
            "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n",
            "HTTP/1.1 421".to_owned(),
        ),
        (
            "GET / HTTP/1.1\r\nHost: a/b@c\\\r\n\r\n",
            "HTTP/1.1 400".to_owned(),
        ),
    ] {
        let mut stream = TcpStream::connect(free).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        let read = timeout(Duration::from_secs(5), stream.read_to_string(&mut text));
        read.await.expect("answered in time").unwrap();
        assert!(
            text.replace("HTTP/1.0", "HTTP/1.1").contains(&answer),
            "{request}: {text}"
        );
    }
}

//! The real program on a disk that is really full: a small file system in memory, filled by the relay's own clients and
//! then by something else. Needs the right to mount one (root); without it the test says so and does nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

#[path = "support/client.rs"]
mod client;
#[path = "support/process.rs"]
mod process;

use bytes::Bytes;
use client::{Client, Lane, cell, done, http};
use process::{Process, program};
use std::{
    fs::{self, File},
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};
use ume_wire::relay::{LaneKind, RefusedCode, frame::Body};

/// A file system of its own; gone with this.
struct Small(tempfile::TempDir);

impl Small {
    fn mount(size: &str) -> Option<Self> {
        let place = tempfile::tempdir().unwrap();
        let option = format!("size={size}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &option, "tmpfs"])
            .arg(place.path())
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then(|| Self(place))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all room that is left.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("somebody else");
        let mut file = File::create(&path).unwrap();
        let some = vec![1; 4096];
        let full = loop {
            if let Err(error) = file.write_all(&some) {
                break error;
            }
        };
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
        path
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

fn start(data: &Path) -> Process {
    let data = data.to_str().unwrap();
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--frames-burst",
        "1000000",
        "--disk-reserve-bytes",
        "4 MiB",
        "--queue-cells",
        "1000000",
        "--data",
        data,
    ];
    Process::run(program(), &arguments, 1)
}

fn is_refused(body: &Body) -> bool {
    matches!(body, Body::Refused(refused) if refused.code() == RefusedCode::RefusedStorage)
}

async fn soon() {
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
}

/// Appends the cells of these numbers to a lane that begins with number 0, so many at a time; gives the first that was
/// refused. At the edge a later one may find room again, so there it has to be one at a time.
async fn append(
    address: SocketAddr,
    lane: &Lane,
    numbers: std::ops::Range<u64>,
    window: usize,
) -> Option<u64> {
    let mut client = Client::connect(address).await.unwrap();
    for window in numbers.collect::<Vec<_>>().chunks(window) {
        for n in window {
            client.send(lane.append(cell(*n))).await;
        }
        let mut refused = None;
        for n in window {
            match client.receive().await.body.unwrap() {
                Body::Appended(appended) if refused.is_none() => assert_eq!(appended.seq, n + 1),
                body if is_refused(&body) => refused = refused.or(Some(*n)),
                other => panic!("{other:?}"),
            }
        }
        if refused.is_some() {
            return refused;
        }
    }
    None
}

/// Compares what a lane holds: the cells of these numbers, in their order.
async fn holds(address: SocketAddr, lane: &Lane, numbers: std::ops::Range<u64>) {
    let mut client = Client::connect(address).await.unwrap();
    let (mut found, mut from): (Vec<Bytes>, u64) = (Vec::new(), 1);
    loop {
        let (bodies, head) = client.ask_all(lane.read(from)).await;
        found.extend(bodies.into_iter().map(|body| match body {
            Body::Delivery(delivery) => delivery.cell,
            other => panic!("{other:?}"),
        }));
        if head.next >= head.end {
            break;
        }
        from = head.next;
    }
    assert!(
        found
            .iter()
            .eq(numbers.map(cell).collect::<Vec<_>>().iter())
    );
}

#[tokio::test]
async fn a_full_disk_takes_nothing_loses_nothing_and_comes_back() {
    let Some(disk) = Small::mount("32m") else {
        eprintln!("SKIPPED: no file system can be mounted here; run this test as root");
        return;
    };
    let data = disk.path().join("data");
    let relay = start(&data);
    let address = relay.address();
    let (log, queue) = (Lane::log(1), Lane::new(LaneKind::Queue, 2));
    let mut client = Client::connect(address).await.unwrap();
    assert_eq!(client.ask(queue.create()).await, done());
    assert_eq!(client.ask(log.create()).await, done());
    let queued = 2_500;
    assert_eq!(append(address, &queue, 0..queued, 64).await, None);

    // Clients fill it up to the reserve.
    let refused = append(address, &log, 0..100_000, 64).await;
    let written = refused.expect("it is never full");
    assert!(written > 2_500, "{written}");
    relay.wait_for("[disk-short]");
    let ready = http(address, "GET", "/readyz", "", b"").await;
    assert_eq!(
        (ready.status, &ready.body[..]),
        (503, &b"the disk is nearly full\n"[..])
    );
    let other = Lane::log(3);
    assert!(is_refused(&client.ask(other.create()).await));
    holds(address, &log, 0..written).await;
    holds(address, &queue, 0..queued).await;
    // What makes room is done, and then there is some.
    assert_eq!(client.ask(queue.acknowledge(queued / 2)).await, done());
    holds(address, &queue, queued / 2..queued).await;
    assert_eq!(client.ask(queue.delete()).await, done());
    relay.wait_for("[disk-fine]");
    let again = written..written + 200;
    let refused = append(address, &log, again.clone(), 1).await;
    let more = refused.unwrap_or(again.end);
    assert!(more > written, "{more}");

    // Something else takes the rest: not a single byte can be written.
    let somebody_else = disk.fill();
    assert!(is_refused(&client.ask(log.append(cell(more))).await));
    assert!(is_refused(&client.ask(other.create()).await));
    holds(address, &log, 0..more).await;
    // Whatever comes of it, it is no lie.
    let mut deleted = client.ask(log.delete()).await;
    if is_refused(&deleted) {
        holds(address, &log, 0..more).await;
    }
    fs::remove_file(somebody_else).unwrap();
    while is_refused(&deleted) {
        soon().await;
        deleted = client.ask(log.delete()).await;
    }
    assert_eq!(deleted, done());
    while is_refused(&client.ask(other.create()).await) {
        soon().await;
    }
    let refused = append(address, &other, 0..200, 1).await;
    let after = refused.unwrap_or(200);
    assert!(after > 0);
    holds(address, &other, 0..after).await;
    drop(relay);

    // Killed while full: all is there again.
    let relay = start(&data);
    holds(relay.address(), &other, 0..after).await;
    let mut client = Client::connect(relay.address()).await.unwrap();
    assert_eq!(client.ask(other.delete()).await, done());
    assert!(relay.stop().success());
}

//! An operator's walk, with the real program on a bare directory: start, issue an access key, use the relay with it, run
//! into the quota, back up while it is written to, kill, restore, go on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

#[path = "support/client.rs"]
mod client;
#[path = "support/process.rs"]
mod process;

use bytes::Bytes;
use client::{Lane, blob_put, cell, hello, http, post};
use process::{Process, output, program, text};
use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use ume_wire::{
    access,
    auth::{follow_successions, hash_cells, relay_id},
    relay::{Head, LaneKind, RefusedCode, Welcome, frame::Body},
};

fn start(data: &Path) -> Process {
    let data = data.to_str().unwrap();
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--data",
        data,
        "--access",
        "keys",
    ];
    Process::run(program(), &arguments, 1)
}

/// Runs a command on a data directory; gives what it printed.
fn command(data: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut all = arguments.to_vec();
    all.extend(["--data", data.to_str().unwrap()]);
    let output = output(&all);
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

async fn ask(address: SocketAddr, body: Body) -> Body {
    post(address, vec![body]).await.remove(0).body.unwrap()
}

async fn welcome(address: SocketAddr) -> Welcome {
    match ask(address, hello()).await {
        Body::Welcome(welcome) => welcome,
        other => panic!("{other:?}"),
    }
}

/// All cells of a lane, and its head.
async fn read(address: SocketAddr, lane: &Lane) -> (Vec<Bytes>, Head) {
    let (mut cells, mut from) = (Vec::new(), 1);
    loop {
        let mut head = None;
        for frame in post(address, vec![lane.read(from)]).await {
            match frame.body.unwrap() {
                Body::Delivery(delivery) => cells.push(delivery.cell),
                Body::Head(end) => head = Some(end),
                other => panic!("{other:?}"),
            }
        }
        let head = head.unwrap();
        if head.next >= head.end {
            return (cells, head);
        }
        from = head.next;
    }
}

fn code(body: &Body) -> Option<RefusedCode> {
    match body {
        Body::Refused(refused) => Some(refused.code()),
        _ => None,
    }
}

fn with_key(lane: &Lane, key: &[u8; 32]) -> Body {
    let mut new = lane.0.clone();
    new.access = Bytes::copy_from_slice(key);
    Body::LaneNew(new)
}

fn paid(id: &[u8; 32], cells: &[Bytes], index: usize, key: &[u8; 32]) -> Body {
    let Body::BlobPut(mut put) = blob_put(id, cells, index) else {
        panic!("not a blob")
    };
    put.access = Bytes::copy_from_slice(key);
    Body::BlobPut(put)
}

#[allow(clippy::too_many_lines)] // one walk
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_is_set_up_used_backed_up_killed_and_restored() {
    let place = tempfile::tempdir().unwrap();
    let (data, backup) = (place.path().join("data"), place.path().join("backup"));
    let nothing = command(&data, &["access-key", "issue", "choir"]).unwrap_err();
    assert!(nothing.contains("no relay has run"), "{nothing}");

    let mut relay = start(&data);
    let address = relay.address();
    let arguments = [
        "access-key",
        "issue",
        "choir",
        "--bytes",
        "16 KiB",
        "--lanes",
        "2",
    ];
    let printed = command(&data, &arguments).unwrap();
    let key = access::parse(printed.trim()).unwrap();
    assert!(command(&data, &arguments).unwrap_err().contains("already"));

    // Without a key nothing is made, with it no more than was agreed.
    let lanes = [1, 2, 3].map(Lane::log);
    assert!(welcome(address).await.access_needed);
    let refused = ask(address, lanes[0].create()).await;
    assert_eq!(code(&refused), Some(RefusedCode::RefusedAccess));
    for lane in &lanes[..2] {
        assert_eq!(ask(address, with_key(lane, &key)).await, client::done());
    }
    let refused = ask(address, with_key(&lanes[2], &key)).await;
    assert_eq!(code(&refused), Some(RefusedCode::RefusedQuota));
    // Who says again what is there needs no key.
    assert_eq!(ask(address, lanes[0].create()).await, client::done());
    let mut written = 0;
    let refused = loop {
        match ask(address, lanes[0].append(cell(written))).await {
            Body::Appended(_) => written += 1,
            other => break other,
        }
    };
    assert_eq!(code(&refused), Some(RefusedCode::RefusedQuota));
    assert!((4..10).contains(&written), "{written} cells in 16 KiB");
    let terms = [
        "access-key",
        "set",
        "choir",
        "--bytes",
        "64 MiB",
        "--lanes",
        "9",
    ];
    command(&data, &terms).unwrap();
    let list = command(&data, &["access-key", "list"]).unwrap();
    assert!(
        list.contains("choir") && list.contains("2 of 9 lanes"),
        "{list}"
    );

    // A blob is paid for by who wants it, also by who wants it to last.
    let blob = [cell(1 << 20), cell(1 << 21)];
    let id = hash_cells(&blob);
    let arguments = ["access-key", "issue", "band", "--bytes", "2 KiB"];
    let printed = command(&data, &arguments).unwrap();
    let other = access::parse(printed.trim()).unwrap();
    for (index, answer) in [(0, client::unfinished()), (1, client::done())] {
        assert_eq!(ask(address, paid(&id, &blob, index, &key)).await, answer);
    }
    let refused = ask(address, blob_put(&id, &blob, 0)).await;
    assert_eq!(code(&refused), Some(RefusedCode::RefusedAccess));
    let refused = ask(address, paid(&id, &blob, 0, &other)).await;
    assert_eq!(code(&refused), Some(RefusedCode::RefusedQuota));
    assert_eq!(
        ask(address, paid(&id, &blob, 0, &key)).await,
        client::done()
    );

    // Somebody writes all the time while the backup is made.
    let (stop, acknowledged) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(written)),
    );
    let writer = tokio::spawn({
        let (stop, acknowledged, lane) = (stop.clone(), acknowledged.clone(), lanes[0].clone());
        async move {
            while !stop.load(Ordering::SeqCst) {
                let next = acknowledged.load(Ordering::SeqCst);
                match ask(address, lane.append(cell(next))).await {
                    Body::Appended(_) => acknowledged.store(next + 1, Ordering::SeqCst),
                    other => panic!("{other:?}"),
                }
            }
        }
    });
    while acknowledged.load(Ordering::SeqCst) < written + 20 {
        tokio::task::yield_now().await;
    }
    let before = acknowledged.load(Ordering::SeqCst);
    let made = tokio::task::spawn_blocking({
        let (data, backup) = (data.clone(), backup.clone());
        move || command(&data, &["backup", "--to", backup.to_str().unwrap()])
    });
    made.await.unwrap().unwrap();
    stop.store(true, Ordering::SeqCst);
    writer.await.unwrap();
    let after = acknowledged.load(Ordering::SeqCst);
    assert_eq!(
        ask(address, with_key(&lanes[2], &key)).await,
        client::done()
    );
    let old = welcome(address).await;
    let (_, old_head) = read(address, &lanes[0]).await;
    relay.child.kill().unwrap();
    relay.wait();

    // One restore by the command, one by hand.
    let by_command = place.path().join("restored");
    let restored = output(&[
        "restore",
        "--from",
        backup.to_str().unwrap(),
        "--data",
        by_command.to_str().unwrap(),
    ]);
    assert!(restored.status.success(), "{}", text(&restored.stderr));
    let by_hand = place.path().join("copied");
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .args([&backup, &by_hand])
        .status();
    assert!(copied.unwrap().success());

    for data in [by_command, by_hand] {
        let relay = start(&data);
        let address = relay.address();
        let new = welcome(address).await;
        assert_ne!(new.relay_key, old.relay_key);
        // Browsers bind what they gave out to this one.
        assert_eq!((new.push_key.len(), &new.push_key), (65, &old.push_key));
        let known = relay_id(&old.relay_key);
        assert_eq!(
            follow_successions(&known, &new.successions, &new.relay_key),
            Ok(())
        );
        // All that was acknowledged before the backup began is there, in order, and nothing that was never sent.
        let (cells, head) = read(address, &lanes[0]).await;
        let count = cells.len() as u64;
        assert!(
            (before..=after).contains(&count),
            "{before} {count} {after}"
        );
        assert!((0..).zip(&cells).all(|(n, found)| *found == cell(n)));
        assert_ne!(head.life, old_head.life);
        assert_eq!(head.life.len(), 8);
        // The lane that was made later is forgotten; the key still opens, and the account still counts.
        let forgotten = ask(address, lanes[2].read(1)).await;
        assert_eq!(code(&forgotten), Some(RefusedCode::RefusedDenied));
        assert_eq!(
            ask(address, with_key(&lanes[2], &key)).await,
            client::done()
        );
        let Body::Appended(appended) = ask(address, lanes[0].append(cell(count))).await else {
            panic!("not appended")
        };
        assert_eq!(appended.seq, count + 1);

        command(&data, &["gc"]).unwrap();
        let stats = command(&data, &["stats", "--json"]).unwrap();
        let stats: serde_json::Value = serde_json::from_str(&stats).unwrap();
        assert_eq!(stats["lanes"], 3, "{stats}");
        assert_eq!(stats["running"]["access_needed"], true, "{stats}");

        // Taken back: nothing new, and what was paid for goes if the operator says so.
        command(&data, &["access-key", "revoke", "choir"]).unwrap();
        let new_lane = Lane::new(LaneKind::Queue, 4);
        let refused = ask(address, with_key(&new_lane, &key)).await;
        assert_eq!(code(&refused), Some(RefusedCode::RefusedAccess));
        let appended = ask(address, lanes[0].append(cell(count + 1))).await;
        assert!(matches!(appended, Body::Appended(_)), "{appended:?}");
        assert!(relay.stop().success());
        // The commands work without a relay that runs as well.
        command(&data, &["access-key", "revoke", "choir", "--delete"]).unwrap();
        let relay = start(&data);
        let gone = ask(relay.address(), lanes[0].read(1)).await;
        assert_eq!(code(&gone), Some(RefusedCode::RefusedDenied));
        assert_eq!(
            http(relay.address(), "GET", "/healthz", "", b"")
                .await
                .status,
            200
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_a_backup() {
    const BLOBS: u64 = 40;
    const CELLS: u64 = 640;
    let place = tempfile::tempdir().unwrap();
    let (data, backup) = (place.path().join("data"), place.path().join("backup"));
    let arguments = ["--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    let mut relay = Process::run(program(), &arguments, 1);
    for n in 0..BLOBS {
        let cells: Vec<_> = (n * CELLS..(n + 1) * CELLS).map(cell).collect();
        let id = hash_cells(&cells);
        for part in (0..cells.len()).collect::<Vec<_>>().chunks(64) {
            let puts = part.iter().map(|index| blob_put(&id, &cells, *index));
            post(relay.address(), puts.collect()).await;
        }
    }
    let making = tokio::task::spawn_blocking({
        let (data, backup) = (data.clone(), backup.clone());
        move || command(&data, &["backup", "--to", backup.to_str().unwrap()])
    });
    // It has begun, and has all of the blobs before it.
    while !backup.join("relay.redb").exists() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let begin = std::time::Instant::now();
    relay.signal("-TERM");
    let status = tokio::task::spawn_blocking(move || (relay.wait(), relay.said()));
    let (status, said) = status.await.unwrap();
    assert_eq!(status.code(), Some(0));
    let took = begin.elapsed();
    assert!(took < std::time::Duration::from_secs(10), "{took:?}");
    assert!(
        said.contains("[stopped]") && !said.contains("[stop-"),
        "{said}"
    );
    let failed = making.await.unwrap().unwrap_err();
    assert!(failed.contains("the relay stops"), "{failed}");
    assert_eq!(std::fs::read_dir(&backup).unwrap().count(), 0);
    command(&data, &["backup", "--to", backup.to_str().unwrap()]).unwrap();
    assert!(backup.join("relay.key.backup").exists());
}

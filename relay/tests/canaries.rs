//! Nothing that could be asked for: what people send, and whence, is searched for in everything that a relay says about
//! itself, and in its files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

#[path = "support/client.rs"]
mod client;
#[path = "support/process.rs"]
mod process;

use bytes::Bytes;
use client::{Lane, ballot, blob_put, cell, hello, key, post};
use data_encoding::{BASE32_NOPAD, BASE64, BASE64URL_NOPAD, HEXLOWER};
use process::{Process, output, program, text};
use std::{fs, net::SocketAddr, path::Path};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
};
use ume_wire::{
    access,
    auth::hash_cells,
    relay::{LaneKind, frame::Body},
};

const CLIENT: &str = "127.83.71.59";
const FORWARDED: &str = "198.51.100.77";
const PATH: &str = "/canary-path-7391";

/// A secret or an id, in all the forms in which it could be found.
fn forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let texts = [
        HEXLOWER.encode(bytes),
        HEXLOWER.encode(bytes).to_uppercase(),
        BASE32_NOPAD.encode(bytes).to_lowercase(),
        BASE64.encode(bytes),
        BASE64URL_NOPAD.encode(bytes),
        format!("{bytes:?}"),
    ];
    let mut forms = vec![bytes.to_vec()];
    forms.extend(texts.map(String::into_bytes));
    forms
}

fn holds(place: &[u8], form: &[u8]) -> bool {
    place.windows(form.len()).any(|window| window == form)
}

fn assert_without(name: &str, place: &[u8], canaries: &[(&str, Vec<Vec<u8>>)]) {
    for (canary, forms) in canaries {
        for form in forms {
            assert!(!holds(place, form), "{canary} is in {name}");
        }
    }
}

fn files(directory: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            files(&entry.path(), found);
        } else if entry.file_type().unwrap().is_file() {
            // Segments are made whole in advance; their ends are zeros.
            let mut content = fs::read(entry.path()).unwrap();
            let end = content
                .iter()
                .rposition(|byte| *byte != 0)
                .map_or(0, |at| at + 1);
            content.truncate(end);
            found.push((entry.path().display().to_string(), content));
        }
    }
}

/// Sends a request from the canary's address.
async fn from_canary(address: SocketAddr, request: &str) -> Vec<u8> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{CLIENT}:0").parse().unwrap()).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

fn free_port() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

#[allow(clippy::too_many_lines)] // one relay, searched in all its corners
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_people_send_is_said_or_kept_where_it_does_not_belong() {
    let place = tempfile::tempdir().unwrap();
    let (data, backup) = (place.path().join("data"), place.path().join("backup"));
    let metrics = free_port();
    let arguments = [
        "--listen",
        "127.0.0.1:0",
        "--data",
        data.to_str().unwrap(),
        "--access",
        "keys",
        "--log-level",
        "trace",
        "--metrics-listen",
        &metrics.to_string(),
        "--trusted-proxies",
        "127.0.0.0/8",
        "--limit-loopback",
    ];
    let relay = Process::run(program(), &arguments, 1);
    let address = relay.address();
    let mut answers = Vec::new();
    let mut command = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--data", data.to_str().unwrap()]);
        let output = output(&all);
        answers.extend_from_slice(&output.stderr);
        (output.stdout, output.status.success())
    };
    let (printed, _) = command(&["access-key", "issue", "choir"]);
    let access = access::parse(text(&printed).trim()).unwrap();

    // Everything that can be asked, well and badly.
    let (log, slots) = (Lane::new(LaneKind::Queue, 0x5a), Lane::slots(0x6b));
    let create = |lane: &Lane| {
        let mut new = lane.0.clone();
        new.access = Bytes::copy_from_slice(&access);
        Body::LaneNew(new)
    };
    let cells = [cell(77), cell(78)];
    let blob = hash_cells(&cells);
    let put = |index| match blob_put(&blob, &cells, index) {
        Body::BlobPut(mut put) => {
            put.access = Bytes::copy_from_slice(&access);
            Body::BlobPut(put)
        }
        other => other,
    };
    let mut requests = vec![
        hello(),
        log.create(),
        create(&log),
        create(&slots),
        log.append(cell(1)),
        log.read(1),
        log.acknowledge(1),
        Lane::log(0x7c).append(cell(1)),
        slots.prepare(1, &ballot(1, 9), 1),
        slots.prepare(1, &ballot(1, 9), 7),
        put(0),
        put(1),
        client::blob_get(&blob),
        client::blob_get(&[9; 32]),
    ];
    requests.extend(slots.accepts(1, &ballot(1, 9), &cells));
    requests.push(log.delete());
    let answered = post(address, requests).await;
    let refused = |frame: &ume_wire::relay::Frame| matches!(frame.body, Some(Body::Refused(_)));
    assert!(answered.iter().any(refused) && !answered.iter().all(refused));
    for request in [
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        format!(
            "GET {PATH} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {FORWARDED}\r\nConnection: close\r\n\r\n"
        ),
        format!(
            "BREW {PATH} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {FORWARDED}\r\nConnection: close\r\n\r\n"
        ),
        format!(
            "POST /v1/f HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {FORWARDED}\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"
        ),
        format!("\0\0{PATH} garbage\r\n\r\n"),
    ] {
        from_canary(address, &request).await;
    }
    let scrape = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    let scraped = from_canary(metrics, scrape).await;
    assert!(scraped.starts_with(b"HTTP/1.1 200"));
    assert!(text(&scraped).contains("ume_frames_in_total"));
    let rebound = from_canary(
        metrics,
        "GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(rebound.starts_with(b"HTTP/1.1 403"));

    let mut told = Vec::new();
    for arguments in [
        &["stats"][..],
        &["stats", "--json"],
        &["access-key", "list"],
        &["access-key", "list", "--json"],
        &["access-key", "set", "choir", "--lanes", "5"],
        &["access-key", "set", "nobody", "--lanes", "5"],
        &["backup", "--to", backup.to_str().unwrap()],
        &["backup", "--to", backup.to_str().unwrap()],
        &["access-key", "revoke", "choir"],
        &["gc"],
    ] {
        told.extend(command(arguments).0);
    }
    told.extend_from_slice(&answers);
    let said = relay.said();
    assert!(relay.stop().success());

    let secret = |path: &Path| forms(&fs::read(path).unwrap()[..32]);
    let relay_key = secret(&data.join("relay.key"));
    let account_key = forms(&access);
    let addresses = ("an address", vec![CLIENT.into(), FORWARDED.into()]);
    let path = ("a path", vec![PATH.as_bytes().to_vec()]);
    let everything = [
        ("the access key", account_key.clone()),
        ("the relay's key", relay_key.clone()),
        ("a lane's id", forms(&log.0.lane)),
        ("another lane's id", forms(&slots.0.lane)),
        ("a reader's key", forms(key(3).verifying_key().as_bytes())),
        ("a writer's key", forms(key(1).verifying_key().as_bytes())),
        ("a blob's id", forms(&blob)),
        ("a cell", vec![cells[0][..16].to_vec()]),
        addresses.clone(),
        path.clone(),
    ];
    assert!(said.contains("started"), "{said}");
    assert_without("the log", said.as_bytes(), &everything);
    assert_without("the metrics", &scraped, &everything);
    assert_without("the answers to commands", &told, &everything);
    // Lanes are in the store by nature. Access keys and addresses are not, nor is the relay's key outside its file.
    let mut stored = Vec::new();
    files(&data, &mut stored);
    files(&backup, &mut stored);
    assert!(
        stored
            .iter()
            .any(|(_, content)| holds(content, &log.0.lane) || holds(content, &slots.0.lane))
    );
    for (name, content) in &stored {
        assert_without(
            name,
            content,
            &[
                ("the access key", account_key.clone()),
                addresses.clone(),
                path.clone(),
            ],
        );
        if !name.contains("relay.key") {
            assert_without(name, content, &[("the relay's key", relay_key.clone())]);
        }
    }
}

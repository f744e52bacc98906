//! The real program, killed at any moment under load: what it acknowledged is there once, and nothing else is broken.
//!
//! `UME_KILLS` says how often (200 without it). A thousand times, with all optimisations:
//!
//! ```sh
//! UME_KILLS=1000 cargo test --release -p ume-relay --test kill -- --nocapture
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

#[path = "support/client.rs"]
mod client;

use client::*;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use ume_wire::{
    auth::{Hash, hash_cells},
    relay::{LaneKind, RefusedCode, frame::Body},
};

const WRITERS: u8 = 3;
const PROPOSERS: u8 = 2;
const WINDOW: usize = 32;

struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ume-relay"))
            .args([
                "run",
                "--listen",
                "127.0.0.1:0",
                "--frames-burst",
                "1000000",
                "--data",
            ])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .trim()
            .strip_prefix("listening on http://")
            .expect("its one line")
            .parse()
            .unwrap();
        Self { child, address }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What one round of load was told.
struct Told {
    log: Lane,
    slots: Lane,
    queue: Lane,
    taken: Taken,
    /// Sequence number by cell.
    appended: BTreeMap<u64, u64>,
    /// Cells that were sent, and perhaps not answered.
    sent: BTreeSet<u64>,
    accepted: BTreeMap<u64, Hash>,
    /// Highest ballot that was promised, with its slot.
    promised: (u64, u32, u8),
}

/// What became of a queue whose reader takes what comes.
#[derive(Default)]
struct Taken {
    /// Numbers that the relay has given, by cell.
    appended: BTreeMap<u64, u64>,
    /// Highest number that the relay says it has let go.
    sure: u64,
    /// Highest number that it was asked to let go.
    asked: u64,
}

fn lane(kind: LaneKind, round: u64) -> Lane {
    let mut lane = Lane::new(kind, 0);
    let mut id = [i32::from(kind).to_le_bytes()[0]; 32];
    // The first bit stays clear: it marks ids that are bound to the lane's keys.
    id[8..16].copy_from_slice(&round.to_le_bytes());
    lane.0.lane = bytes::Bytes::copy_from_slice(&id);
    lane
}

async fn append(
    address: SocketAddr,
    lane: Lane,
    first: u64,
) -> (BTreeMap<u64, u64>, BTreeSet<u64>) {
    let (mut told, mut sent, mut waiting) = (BTreeMap::new(), BTreeSet::new(), VecDeque::new());
    let Ok(mut client) = Client::connect(address).await else {
        return (told, sent);
    };
    let (mut next, mut alive) = (first, true);
    loop {
        while alive && waiting.len() < WINDOW {
            alive = client.try_send(lane.append(cell(next))).await.is_ok();
            sent.insert(next);
            waiting.push_back(next);
            next += 1;
        }
        let Ok(frame) = client.try_receive().await else {
            return (told, sent);
        };
        let Some(Body::Appended(appended)) = frame.body else {
            panic!("{frame:?}")
        };
        told.insert(waiting.pop_front().unwrap(), appended.seq);
    }
}

/// Appends to a queue and takes from it until the relay is gone.
async fn take(address: SocketAddr, queue: Lane, first: u64) -> Taken {
    let mut taken = Taken::default();
    let Ok(mut client) = Client::connect(address).await else {
        return taken;
    };
    for n in first.. {
        let Some(answer) = try_ask(&mut client, queue.append(cell(n))).await else {
            break;
        };
        let Body::Appended(appended) = answer else {
            panic!("{answer:?}")
        };
        taken.appended.insert(n, appended.seq);
        if n % 3 != 0 {
            continue;
        }
        // All but the last two.
        taken.asked = appended.seq.saturating_sub(2);
        let Some(answer) = try_ask(&mut client, queue.acknowledge(taken.asked)).await else {
            break;
        };
        assert_eq!(answer, done());
        taken.sure = taken.asked;
    }
    taken
}

/// What was taken is gone, and nothing else.
async fn verify_queue(client: &mut Client, told: &Told) {
    let (bodies, head) = client.ask_all(told.queue.read(1)).await;
    let mut there = BTreeMap::new();
    for body in bodies {
        let Body::Delivery(delivery) = body else {
            panic!("{body:?}")
        };
        assert!(delivery.seq > told.taken.sure, "it was taken");
        there.insert(delivery.seq, delivery.cell);
    }
    for (n, seq) in &told.taken.appended {
        assert!(*seq < head.end);
        if *seq > told.taken.asked {
            assert_eq!(there.get(seq), Some(&cell(*n)), "nobody has taken it");
        }
    }
}

async fn try_ask(client: &mut Client, body: Body) -> Option<Body> {
    client.try_send(body).await.ok()?;
    client.try_receive().await.ok()?.body
}

/// Proposes for one slot after the other until the relay is gone.
async fn propose(
    address: SocketAddr,
    lane: Lane,
    tie: u8,
) -> (BTreeMap<u64, Hash>, (u64, u32, u8)) {
    let (mut accepted, mut promised) = (BTreeMap::new(), (0, 0, 0));
    let Ok(mut client) = Client::connect(address).await else {
        return (accepted, promised);
    };
    let (mut slot, mut round) = (1, 1);
    loop {
        let own = [cell(slot), cell(u64::from(tie)), cell(u64::from(round))];
        let ballot = ballot(round, tie);
        let Some(answer) = try_ask(&mut client, lane.prepare(slot, &ballot, 1)).await else {
            break;
        };
        match answer {
            Body::Promise(promise) => {
                promised = promised.max((slot, round, tie));
                if promise.accepted.is_some() {
                    (slot, round) = (slot + 1, 1);
                    continue;
                }
            }
            Body::Refused(refused) if refused.code() == RefusedCode::RefusedBallot => {
                round = u32::try_from(refused.detail).unwrap() + 1;
                continue;
            }
            other => panic!("{other:?}"),
        }
        let mut last = None;
        for body in lane.accepts(slot, &ballot, &own) {
            last = try_ask(&mut client, body).await;
        }
        match last {
            Some(Body::Accepted(_)) => {
                accepted.insert(slot, hash_cells(&own));
                (slot, round) = (slot + 1, 1);
            }
            Some(Body::Refused(_)) => round += 1,
            Some(other) => panic!("{other:?}"),
            None => break,
        }
    }
    (accepted, promised)
}

/// Loads the relay until it is killed under its users.
async fn load(process: &mut Process, round: u64) -> Told {
    let (log, slots) = (lane(LaneKind::Log, round), lane(LaneKind::Slot, round));
    let queue = lane(LaneKind::Queue, round);
    let mut client = Client::connect(process.address).await.unwrap();
    assert_eq!(client.ask(log.create()).await, done());
    assert_eq!(client.ask(slots.create()).await, done());
    assert_eq!(client.ask(queue.create()).await, done());
    let taker = tokio::spawn(take(process.address, queue.clone(), round << 40));
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let first = (round << 40) + (u64::from(writer) << 32);
        writers.push(tokio::spawn(append(process.address, log.clone(), first)));
    }
    let mut proposers = Vec::new();
    for tie in 1..=PROPOSERS {
        proposers.push(tokio::spawn(propose(process.address, slots.clone(), tie)));
    }
    tokio::time::sleep(Duration::from_millis(50 + round * 37 % 100)).await;
    process.kill();
    let mut told = Told {
        log,
        slots,
        queue,
        taken: taker.await.unwrap(),
        appended: BTreeMap::new(),
        sent: BTreeSet::new(),
        accepted: BTreeMap::new(),
        promised: (0, 0, 0),
    };
    for writer in writers {
        let (appended, sent) = writer.await.unwrap();
        told.appended.extend(appended);
        told.sent.extend(sent);
    }
    for proposer in proposers {
        let (accepted, promised) = proposer.await.unwrap();
        told.promised = told.promised.max(promised);
        for (slot, value) in accepted {
            assert!(
                told.accepted
                    .insert(slot, value)
                    .is_none_or(|other| other == value),
                "two values in slot {slot}"
            );
        }
    }
    told
}

/// Compares what was told with what is there.
async fn verify(client: &mut Client, told: &Told) {
    let (mut next, mut there) = (1, BTreeMap::new());
    loop {
        let (bodies, head) = client.ask_all(told.log.read(next)).await;
        for body in bodies {
            let Body::Delivery(delivery) = body else {
                panic!("{body:?}")
            };
            assert_eq!(delivery.seq, next, "no hole");
            next += 1;
            let n = u64::from_le_bytes(delivery.cell[..8].try_into().unwrap());
            assert_eq!(delivery.cell, cell(n), "a damaged cell");
            assert!(told.sent.contains(&n), "a cell that nobody sent");
            assert!(there.insert(n, delivery.seq).is_none(), "a cell twice");
        }
        assert_eq!(head.next, next);
        if head.next == head.end {
            break;
        }
    }
    for (n, seq) in &told.appended {
        assert_eq!(there.get(n), Some(seq), "an acknowledged cell");
    }
    let (mut next, mut values) = (1, BTreeMap::<u64, Vec<bytes::Bytes>>::new());
    loop {
        let (bodies, head) = client.ask_all(told.slots.read(next)).await;
        for body in bodies {
            let Body::Value(value) = body else {
                panic!("{body:?}")
            };
            values.entry(value.slot).or_default().push(value.cell);
        }
        next = head.next;
        if next == head.end {
            break;
        }
    }
    assert_eq!(values.len() as u64, next - 1, "no hole");
    for (slot, value) in &told.accepted {
        assert_eq!(hash_cells(&values[slot]), *value, "an accepted value");
    }
}

/// What clients do when they come back: send again what they are not sure of.
async fn send_again(client: &mut Client, told: &mut Told) {
    let (slot, round, tie) = told.promised;
    if slot > 0 {
        let lower = if tie > 0 {
            ballot(round, tie - 1)
        } else {
            ballot(round - 1, tie)
        };
        let answer = client.ask(told.slots.prepare(slot, &lower, 1)).await;
        let is_kept = matches!(&answer, Body::Refused(refused) if refused.code() == RefusedCode::RefusedBallot);
        assert!(is_kept, "a promise: {answer:?}");
    }
    // All that were not answered, and some that were.
    let unsure: Vec<u64> = told
        .sent
        .iter()
        .filter(|n| !told.appended.contains_key(n))
        .copied()
        .collect();
    let sure: Vec<u64> = told.appended.keys().rev().take(50).copied().collect();
    let again: Vec<u64> = unsure.into_iter().chain(sure).collect();
    for n in &again {
        client.send(told.log.append(cell(*n))).await;
    }
    for n in again {
        let frame = client.receive().await;
        let Some(Body::Appended(appended)) = frame.body else {
            panic!("{frame:?}")
        };
        let known = *told.appended.entry(n).or_insert(appended.seq);
        assert_eq!(appended.seq, known, "the number it had");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_or_doubled() {
    let kills: u64 = std::env::var("UME_KILLS")
        .ok()
        .and_then(|kills| kills.parse().ok())
        .unwrap_or(200);
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let mut process = Process::start(&data);
    let mut all: Vec<Told> = Vec::new();
    let (mut slowest, mut loaded) = (Duration::ZERO, Duration::ZERO);
    for round in 0..kills {
        let begun = Instant::now();
        let mut told = load(&mut process, round).await;
        loaded += begun.elapsed();
        let start = Instant::now();
        process = Process::start(&data);
        slowest = slowest.max(start.elapsed());
        let mut client = Client::connect(process.address).await.unwrap();
        verify(&mut client, &told).await;
        verify_queue(&mut client, &told).await;
        send_again(&mut client, &mut told).await;
        if let Some(earlier) = all.get(usize::try_from(round).unwrap() / 2) {
            verify(&mut client, earlier).await;
        }
        all.push(told);
    }
    let mut client = Client::connect(process.address).await.unwrap();
    for told in &all {
        verify(&mut client, told).await;
        verify_queue(&mut client, told).await;
    }
    let appended: usize = all.iter().map(|told| told.appended.len()).sum();
    let accepted: usize = all.iter().map(|told| told.accepted.len()).sum();
    let rate = (appended + accepted) as u128 * 1000 / loaded.as_millis().max(1);
    println!(
        "{kills} kills, {appended} cells, {accepted} values, {rate} a second while loaded; ready again after {slowest:?} at most"
    );
    assert!(appended > 0 && accepted > 0);
    process.kill();
}

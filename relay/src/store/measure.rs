//! Measurements of the store alone, by hand:
//!
//! ```sh
//! cargo test --release -p ume-relay --lib -- --ignored --nocapture measure::rates
//! UME_STORE_GB=10 cargo test --release -p ume-relay --lib -- --ignored --nocapture measure::opening
//! ```
//!
//! Files go to the directory that `UME_MEASURE_DIR` names, or to the system's one for temporary files.
#![allow(clippy::cast_precision_loss)] // figures for people

use super::{
    EmbeddedStore, Store, Write, disk::FileSystem, log::CELL_RECORD_BYTES, tests::lane_new,
};
use crate::config::Limits;
use bytes::Bytes;
use redb::{Database, ReadableTable, TableDefinition};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use ume_wire::{auth::hash, limits::CELL_BYTES, relay::LaneKind};

const BATCHES: [usize; 4] = [1, 16, 64, 256];
const RUN: Duration = Duration::from_secs(2);
const ROUNDS: usize = 3;
const LANES: u8 = 64;

fn directory() -> tempfile::TempDir {
    match std::env::var_os("UME_MEASURE_DIR") {
        Some(place) => tempfile::tempdir_in(place).unwrap(),
        None => tempfile::tempdir().unwrap(),
    }
}

fn limits() -> Limits {
    Limits {
        store_bytes: u64::MAX / 2,
        queue_cells: u64::MAX / 2,
        ..Limits::default()
    }
}

fn append(n: u64) -> Write {
    let mut cell = vec![0x5a; CELL_BYTES];
    cell[..8].copy_from_slice(&n.to_le_bytes());
    let cell = Bytes::from(cell);
    Write::Append {
        lane: [u8::try_from(n % u64::from(LANES)).unwrap(); 32],
        hash: hash(&cell),
        cell,
    }
}

fn store(path: &Path) -> EmbeddedStore {
    let store = EmbeddedStore::open(path, limits()).unwrap();
    let lanes: Vec<_> = (0..LANES)
        .map(|id| Write::LaneNew {
            new: lane_new(id, LaneKind::Queue, 3600),
            account: None,
        })
        .collect();
    store.apply(0, &lanes).unwrap();
    store
}

/// Processor time of this process.
fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let ticks: u64 = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().unwrap())
        .sum();
    Duration::from_millis(ticks * 10)
}

/// Calls something again and again; the groups are made before the clock starts.
fn measure(name: &str, batch: usize, mut job: impl FnMut(&[Write])) -> f64 {
    let (mut times, mut n) = (Vec::new(), 0u64);
    let (mut busy, before) = (Duration::ZERO, processor());
    let mut making = Duration::ZERO;
    while busy < RUN {
        let made = Instant::now();
        let group: Vec<_> = (0..batch as u64).map(|index| append(n + index)).collect();
        making += made.elapsed();
        n += batch as u64;
        let start = Instant::now();
        job(&group);
        times.push(start.elapsed());
        busy += start.elapsed();
    }
    let used = processor().saturating_sub(before).saturating_sub(making);
    times.sort();
    let rate = n as f64 / busy.as_secs_f64();
    println!(
        "{name:12} batch {batch:3}: {rate:8.0} cells/s, p50 {:?}, p99 {:?}, {:.1} us of processor a cell",
        times[times.len() / 2],
        times[times.len() * 99 / 100],
        used.as_secs_f64() * 1e6 / n as f64,
    );
    rate
}

fn bare(path: &Path, batch: usize) -> f64 {
    let file = super::log::zeros(&FileSystem, &path.join("bare"), 64 << 20).unwrap();
    let bytes = vec![7; batch * CELL_RECORD_BYTES];
    let mut at = 0;
    measure("bare append", batch, |_| {
        if at + bytes.len() > 64 << 20 {
            at = 0;
        }
        file.write_all_at(&bytes, at as u64).unwrap();
        file.sync().unwrap();
        at += bytes.len();
    })
}

fn ours(path: &Path, batch: usize) -> f64 {
    let store = store(path);
    let mut taken = 0;
    measure("store", batch, |group| {
        store.apply(1000, group).unwrap();
        // As the committer does, between groups.
        taken += group.len();
        if taken > 100_000 {
            taken = 0;
            store.expire(1000, 1024).unwrap();
        }
    })
}

const CELLS: TableDefinition<'static, (u64, u64), &[u8]> = TableDefinition::new("cells");
const HASHES: TableDefinition<'static, (u64, &[u8; 32]), u64> = TableDefinition::new("hashes");
const ENDS: TableDefinition<'static, u64, u64> = TableDefinition::new("ends");

/// What the store did when cells were rows of redb.
fn tables(path: &Path, batch: usize) -> f64 {
    let database = Database::create(path.join("redb")).unwrap();
    measure("redb", batch, |group| {
        let mut transaction = database.begin_write().unwrap();
        transaction.set_quick_repair(true);
        {
            let mut cells = transaction.open_table(CELLS).unwrap();
            let mut hashes = transaction.open_table(HASHES).unwrap();
            let mut ends = transaction.open_table(ENDS).unwrap();
            for write in group {
                let Write::Append { lane, hash, cell } = write else {
                    continue;
                };
                let lane = u64::from(lane[0]);
                assert!(hashes.get((lane, hash)).unwrap().is_none());
                let end = ends.get(lane).unwrap().map_or(1, |end| end.value());
                cells.insert((lane, end), &cell[..]).unwrap();
                hashes.insert((lane, hash), end).unwrap();
                ends.insert(lane, end + 1).unwrap();
            }
        }
        transaction.commit().unwrap();
    })
}

#[test]
#[ignore = "a measurement"]
fn rates() {
    for batch in BATCHES {
        let mut rates = [(); 3].map(|()| Vec::new());
        for _ in 0..ROUNDS {
            let place = directory();
            let path = place.path();
            for (rates, job) in rates.iter_mut().zip([bare, ours, tables]) {
                rates.push(job(path, batch));
            }
        }
        let median = |rates: &mut Vec<f64>| {
            rates.sort_by(f64::total_cmp);
            rates[ROUNDS / 2]
        };
        let [bare, ours, redb] = rates.each_mut().map(median);
        println!(
            "batch {batch}: bare {bare:.0}, store {ours:.0}, redb {redb:.0} cells/s; store is {:.2} x bare, {:.2} x redb",
            ours / bare,
            ours / redb
        );
    }
}

/// Room on disk for a queue that holds 66 MB all the time.
#[test]
#[ignore = "a measurement"]
fn room() {
    let place = directory();
    let store = EmbeddedStore::open(place.path(), limits()).unwrap();
    let new = lane_new(0, LaneKind::Queue, 3600);
    let lane = Write::LaneNew { new, account: None };
    store.apply(0, &[lane]).unwrap();
    let live = 66_000_000 / CELL_BYTES as u64;
    let mut most = 0;
    for turn in 0..8 * live / 64 {
        let mut group: Vec<_> = (0..64).map(|n| append((turn * 64 + n) * 64)).collect();
        group.push(Write::Acknowledge {
            lane: [0; 32],
            upto: (turn * 64).saturating_sub(live),
        });
        store.apply(0, &group).unwrap();
        if turn.is_multiple_of(16) {
            store.expire(0, 1024).unwrap();
            most = most.max(store.stats().unwrap().disk_bytes);
        }
    }
    let stats = store.stats().unwrap();
    println!("at most {most} bytes on disk; {stats:?}");
}

/// Memory of the index for each cell of a full store, in few lanes, and for a lane with one cell.
#[test]
#[ignore = "a measurement"]
fn memory() {
    const LANES: u64 = 100_000;
    let cells = Limits::default().store_bytes / CELL_BYTES as u64;
    let place = directory();
    let store = store(place.path());
    let before = resident();
    for n in (0..cells).step_by(1024) {
        let group: Vec<_> = (n..n + 1024).map(append).collect();
        store.apply(1000, &group).unwrap();
    }
    let cells = store.stats().unwrap().cells;
    let bytes = (resident() - before) as f64 / cells as f64;
    println!("{bytes:.1} bytes of memory a cell, {cells} cells");
    drop(store);

    let place = directory();
    let path = place.path();
    let fill = EmbeddedStore::open(path, limits()).unwrap();
    for n in (0..LANES).step_by(1024) {
        let lanes = n..n + 1024;
        let id = |n: u64| {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&n.to_le_bytes());
            id
        };
        let mut group: Vec<_> = lanes
            .clone()
            .map(|n| {
                let mut new = lane_new(0, LaneKind::Log, 3600);
                new.lane = Bytes::copy_from_slice(&id(n));
                Write::LaneNew { new, account: None }
            })
            .collect();
        group.extend(lanes.map(|n| match append(n) {
            Write::Append { hash, cell, .. } => Write::Append {
                lane: id(n),
                hash,
                cell,
            },
            other => other,
        }));
        fill.apply(1000, &group).unwrap();
    }
    drop(fill);
    // By another process, which has no other memory that could be used again.
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "store::measure::lanes",
        ])
        .env("UME_FILL", path)
        .status()
        .unwrap();
    assert!(status.success());
}

/// Opens a store and says what its lanes take.
#[test]
#[ignore = "a part of `memory`"]
fn lanes() {
    let Some(path) = std::env::var_os("UME_FILL") else {
        return;
    };
    let small = Limits {
        cache_bytes: 1 << 20,
        ..limits()
    };
    let before = resident();
    let store = EmbeddedStore::open(Path::new(&path), small).unwrap();
    let lanes = store.stats().unwrap().lanes;
    let bytes = (resident() - before) as f64 / lanes as f64;
    println!("{bytes:.1} bytes of memory a lane with one cell, {lanes} lanes");
}

/// Fills a store and ends without a goodbye.
#[test]
#[ignore = "a part of `opening`"]
fn fill() {
    let Some(path) = std::env::var_os("UME_FILL") else {
        return;
    };
    let gigabytes: u64 = std::env::var("UME_STORE_GB")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(10);
    let store = store(Path::new(&path));
    let mut n = 0;
    while n * CELL_BYTES as u64 / 1_000_000_000 < gigabytes {
        let group: Vec<_> = (n..n + 1024).map(append).collect();
        store.apply(1000, &group).unwrap();
        n += 1024;
    }
    std::process::abort();
}

#[test]
#[ignore = "a measurement, and 10 GB"]
fn opening() {
    let place = directory();
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "store::measure::fill"])
        .env("UME_FILL", place.path())
        .status()
        .unwrap();
    assert!(!status.success());
    for cold in [true, false] {
        if cold && std::fs::write("/proc/sys/vm/drop_caches", "3").is_err() {
            println!("caches stay warm");
        }
        let memory = resident();
        let start = Instant::now();
        let store = EmbeddedStore::open(place.path(), limits()).unwrap();
        let took = start.elapsed();
        let totals = store.stats().unwrap();
        let bytes = (resident() - memory) as f64 / totals.cells as f64;
        println!("cold {cold}: {took:?}, {bytes:.1} bytes of memory a cell, {totals:?}");
        let start = Instant::now();
        store.apply(2000, &[append(u64::MAX / 64 * 64)]).unwrap();
        println!("first append after {:?}", start.elapsed());
    }
}

fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

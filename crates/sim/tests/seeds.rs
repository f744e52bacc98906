//! Runs seeds: `UME_SIM_SEEDS` of them (200 unless told) from `UME_SIM_FIRST` on, on all cores.
#![allow(missing_docs)]

use std::sync::atomic::{AtomicU64, Ordering};
use ume_sim::Report;

/// What happened in runs, by name.
type Counts = [(&'static str, u64); 15];

/// What may be missing even in many runs: it takes a coincidence.
const RARE: [&str; 2] = ["refused", "not taken"];

fn counts(report: &Report) -> Counts {
    [
        ("crashes", report.crashes.into()),
        ("restored profiles", report.restored.into()),
        ("restored relays", report.put_back.into()),
        ("changes of posts", report.edits.into()),
        ("changes of rights", report.changes.into()),
        ("out", report.out as u64),
        ("asked", report.asked.into()),
        ("answers", report.answered.into()),
        ("contested", report.contested.into()),
        ("posts", report.posts as u64),
        ("refused", report.refused as u64),
        ("not taken", report.rejected.into()),
        ("ended", report.fleeting as u64),
        ("times all expired at the relay", report.expired.into()),
        ("frames", report.frames),
    ]
}

fn sum(mut all: Counts, more: &Counts) -> Counts {
    for (one, more) in all.iter_mut().zip(more) {
        one.1 += more.1;
    }
    all
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

#[test]
fn every_seed_ends_well() {
    let first = number("UME_SIM_FIRST", 0);
    let count = number("UME_SIM_SEEDS", 200);
    let next = AtomicU64::new(first);
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let nothing = || counts(&Report::default());
    let totals = std::thread::scope(|scope| {
        let work = || {
            let mut totals = nothing();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= first + count {
                    return totals;
                }
                match ume_sim::run(seed) {
                    Ok(report) => totals = sum(totals, &counts(&report)),
                    Err(failure) => panic!(
                        "seed {seed}: {}\nreplay: UME_SIM_FIRST={seed} UME_SIM_SEEDS=1 cargo test -p ume-sim",
                        failure.what
                    ),
                }
            }
        };
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .fold(nothing(), |all, more| sum(all, &more))
    });
    let said: Vec<_> = totals
        .iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    println!("{count} seeds: {}", said.join(", "));
    // A simulation in which nothing happens proves nothing.
    let idle = |(name, count): &(&str, u64)| *count == 0 && !RARE.contains(name);
    let idle: Vec<_> = totals.into_iter().filter(idle).collect();
    assert!(count < 100 || idle.is_empty(), "{idle:?}");
}

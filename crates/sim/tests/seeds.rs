//! Runs seeds: `UME_SIM_SEEDS` of them (200 unless told) from `UME_SIM_FIRST` on, on all cores.
#![allow(missing_docs)]

use std::sync::atomic::{AtomicU64, Ordering};

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
    let totals = std::thread::scope(|scope| {
        let work = || {
            let mut totals = [0; 11];
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= first + count {
                    return totals;
                }
                match ume_sim::run(seed) {
                    Ok(report) => {
                        totals[0] += u64::from(report.crashes);
                        totals[1] += report.posts as u64;
                        totals[2] += report.frames;
                        totals[3] += u64::from(report.restored);
                        totals[4] += u64::from(report.changes);
                        totals[5] += report.refused as u64;
                        totals[6] += u64::from(report.put_back);
                        totals[7] += report.out as u64;
                        totals[8] += u64::from(report.edits);
                        totals[9] += report.fleeting as u64;
                        totals[10] += u64::from(report.expired);
                    }
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
            .fold([0; 11], |a, b| std::array::from_fn(|n| a[n] + b[n]))
    });
    println!(
        "{count} seeds: {} crashes, {} restored profiles, {} restored relays, {} changes of posts, {} changes of rights, {} out, {} posts, {} refused, {} ended, {} times all expired at the relay, {} frames",
        totals[0],
        totals[3],
        totals[6],
        totals[8],
        totals[4],
        totals[7],
        totals[1],
        totals[5],
        totals[9],
        totals[10],
        totals[2]
    );
    // A simulation in which nothing happens proves nothing.
    assert!(count < 100 || [0, 1, 3, 4, 6, 7, 8, 9, 10].iter().all(|n| totals[*n] > 0));
}

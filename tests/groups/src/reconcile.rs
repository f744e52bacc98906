//! Two members compare 10,000 entries of which 100 differ: how often they speak, how much, and how long it takes them.

use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};
use ume_engine::reconcile::{AROUND_BYTES, Found, STEP_BYTES, Set};
use ume_wire::limits::FRAGMENT_BYTES;

const ENTRIES: u64 = 10_000;
/// Pause between two entries, milliseconds.
const APART_MS: u64 = 5 * 60_000;
const RUNS: u32 = 20;

/// Measures and prints.
pub(crate) fn run() {
    println!("reconcile: {ENTRIES} entries, one side begins, the other answers");
    print("nothing differs", 0, &|_| true, &|_| true);
    let one = |n: u64| !n.is_multiple_of(200);
    let other = |n: u64| n % 200 != 100;
    print("100 differ, scattered, 50 on each side", 100, &one, &other);
    let away = |n: u64| n < ENTRIES - 100;
    print("100 differ, the last ones of one side", 100, &away, &|_| {
        true
    });
    print("one side has nothing", 10_000, &|_| false, &|_| true);
}

fn set(has: &dyn Fn(u64) -> bool) -> Set {
    let numbers = (0..ENTRIES).filter(|n| has(*n));
    Set::new(numbers.map(|n| (n * APART_MS, Sha256::digest(n.to_le_bytes()).into())))
}

fn cells(bytes: usize) -> usize {
    (bytes + AROUND_BYTES).div_ceil(FRAGMENT_BYTES)
}

fn print(what: &str, differing: usize, one: &dyn Fn(u64) -> bool, other: &dyn Fn(u64) -> bool) {
    let (one, other) = (set(one), set(other));
    let mut taken = Duration::MAX;
    let mut sizes = vec![];
    for _ in 0..RUNS {
        let begun = Instant::now();
        let (found, sent) = compare(&one, &other);
        taken = taken.min(begun.elapsed());
        assert_eq!(found.have.len() + found.need.len(), differing, "{what}");
        sizes = sent;
    }
    println!(
        "  {what}: {} messages, {} bytes, {} cells, {:.2} ms of both sides' processors (best of {RUNS})",
        sizes.len(),
        sizes.iter().sum::<usize>(),
        sizes.iter().map(|bytes| cells(*bytes)).sum::<usize>(),
        taken.as_secs_f64() * 1000.0,
    );
}

/// What was found, and the bytes of every message.
fn compare(one: &Set, other: &Set) -> (Found, Vec<usize>) {
    let mut found = Found::default();
    let mut message = one.begin();
    let mut sizes = vec![];
    loop {
        sizes.push(message.len());
        let Ok(answer) = other.answer(&message, STEP_BYTES) else {
            return (found, sizes);
        };
        sizes.push(answer.len());
        match one.compare(&answer, STEP_BYTES, &mut found) {
            Ok(Some(next)) => message = next,
            _ => return (found, sizes),
        }
    }
}

//! What something cost one device, and the table of it.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// What something cost one device once.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    /// The thread's time on the processor.
    pub(crate) cpu: Duration,
    /// Bytes that it sent,
    pub(crate) sent: usize,
    /// and that it got.
    pub(crate) got: usize,
}

/// The same several times.
pub(crate) type Costs = Vec<Cost>;

/// Does something; the thread's time on the processor, and what came of it.
pub(crate) fn timed<T>(act: impl FnOnce() -> T) -> (Duration, T) {
    let begun = cpu();
    let done = act();
    (cpu().saturating_sub(begun), done)
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

pub(crate) fn head() {
    println!(
        "| {:24} | {:6} | {:>5} | {:18} | {:>9} | {:>9} | {:>9} | {:>9} |",
        "mls-rs with", "what", "size", "who", "ms median", "ms most", "KB sent", "KB got"
    );
    println!("|---|---|---|---|---|---|---|---|");
}

/// Medians, and the longest time.
pub(crate) fn row(suite: &str, what: &str, size: usize, who: &str, costs: &[Cost]) {
    let mut times: Vec<f64> = costs.iter().map(|cost| cost.cpu.as_secs_f64()).collect();
    times.sort_by(f64::total_cmp);
    let median = |pick: fn(&Cost) -> usize| {
        let mut all: Vec<usize> = costs.iter().map(pick).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or_default()
    };
    let Some(most) = times.last() else {
        return;
    };
    println!(
        "| {suite:24} | {what:6} | {size:5} | {who:18} | {:9.3} | {:9.3} | {:>9} | {:>9} |",
        times[times.len() / 2] * 1e3,
        most * 1e3,
        kilo(median(|cost| cost.sent)),
        kilo(median(|cost| cost.got)),
    );
}

fn kilo(bytes: usize) -> String {
    format!("{}.{:02}", bytes / 1_000, bytes % 1_000 / 10)
}

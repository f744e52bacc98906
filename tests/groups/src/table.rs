//! The table of what was measured.

use crate::scene::Cost;
use ume_wire::limits::FRAME_BYTES;

pub(crate) fn head() {
    println!(
        "| {:6} | {:>5} | {:19} | {:>9} | {:>9} | {:>6} | {:>6} | {:>9} | {:>5} | {:>8} |",
        "what", "size", "who", "ms median", "ms p95", "sent", "got", "wire KB", "rows", "row KB"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
}

/// Medians of all but the time, of which the 95th percentile is shown as well. `sent` and `got` are frames.
pub(crate) fn row(what: &str, size: usize, who: &str, costs: &[Cost]) {
    if costs.is_empty() {
        return;
    }
    let at = |pick: fn(&Cost) -> f64, part: f64| {
        let mut all: Vec<f64> = costs.iter().map(pick).collect();
        all.sort_by(f64::total_cmp);
        all[index(all.len(), part)]
    };
    let time: fn(&Cost) -> f64 = |cost| cost.cpu.as_secs_f64() * 1e3;
    let (sent, got) = (
        at(|cost| real(cost.sent), 0.5),
        at(|cost| real(cost.got), 0.5),
    );
    let wire = (sent + got) * real(FRAME_BYTES as u64) / 1e3;
    println!(
        "| {what:6} | {size:5} | {who:19} | {:9.1} | {:9.1} | {sent:6} | {got:6} | {wire:9.1} | {:5} | {:8.1} |",
        at(time, 0.5),
        at(time, 0.95),
        at(|cost| real(cost.rows), 0.5),
        at(|cost| real(cost.bytes) / 1e3, 0.5),
    );
}

#[allow(clippy::cast_precision_loss)] // counts far below 2^52
fn real(count: u64) -> f64 {
    count as f64
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)] // of a handful of figures
fn index(count: usize, part: f64) -> usize {
    (((count as f64) * part).ceil() as usize).clamp(1, count) - 1
}

//! `ume-cover`: attacks cover traffic the way an observer of links would, and shows what they find.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)] // Figures of measurements: times and counts that stay far below 2^52.

mod boost;
mod classify;
mod contest;
mod detect;
mod dice;
mod law;
mod residual;
mod roc;
mod schedule;
mod stats;
mod trace;
mod workload;

fn main() {}

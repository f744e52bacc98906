//! What was measured, beside its bound.

use crate::{attacks::Size, honest::Served};
use std::{fmt::Display, time::Duration};

/// Longest wait of 99 of 100 requests of an honest client during an attack.
const HONEST_P99: Duration = Duration::from_millis(250);

/// All rows so far are within their bounds, or not.
#[derive(Default)]
pub(crate) struct Report {
    passed: usize,
    failed: usize,
}

impl Report {
    /// One row. `within` says whether the measured value keeps its bound.
    pub(crate) fn row(
        &mut self,
        what: &str,
        measured: impl Display,
        bound: impl Display,
        within: bool,
    ) {
        let verdict = if within {
            self.passed += 1;
            "ok"
        } else {
            self.failed += 1;
            "OVER"
        };
        let (measured, bound) = (measured.to_string(), bound.to_string());
        println!("  {what:<52}{measured:>14}   bound {bound:<12}{verdict}");
    }

    /// A time and the longest it may be.
    pub(crate) fn time(&mut self, what: &str, measured: Duration, bound: Duration) {
        let (shown, limit) = (seconds(measured), seconds(bound));
        self.row(what, shown, limit, measured <= bound);
    }

    /// A count that has to be reached.
    pub(crate) fn all(&mut self, what: &str, measured: usize, of: usize) {
        self.row(what, measured, of, measured == of);
    }

    pub(crate) fn memory(&mut self, grown_kib: u64, bound_mib: u64) {
        let (whole, tenth) = (grown_kib / 1024, grown_kib % 1024 * 10 / 1024);
        self.row(
            "memory grew by",
            format!("{whole}.{tenth} MiB"),
            format!("{bound_mib} MiB"),
            grown_kib <= bound_mib * 1024,
        );
    }

    pub(crate) fn honest(&mut self, served: &Served, size: Size) {
        let what = "honest requests answered";
        self.row(
            what,
            format!("{}", served.answered),
            "all",
            served.failed == 0 && served.answered > 0,
        );
        if let Some(failure) = &served.failure {
            note("the first that was not", failure);
        }
        match size {
            Size::Full => self.time("honest requests, p99", served.p99, HONEST_P99),
            // A busy machine says nothing about the relay.
            Size::Quick => note("honest requests, p99", seconds(served.p99)),
        }
    }

    /// The last line; whether everything was within its bound.
    pub(crate) fn end(&self) -> bool {
        println!("\n{} passed, {} failed", self.passed, self.failed);
        self.failed == 0 && self.passed > 0
    }
}

/// What the rows that follow belong to.
pub(crate) fn heading(name: &str, about: &str) {
    println!("\n{name}: {about}");
}

/// A measurement that has no bound.
pub(crate) fn note(what: &str, measured: impl Display) {
    let measured = measured.to_string();
    println!("  {what:<52}{measured:>14}");
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

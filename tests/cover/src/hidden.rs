//! How a page's line worker keeps its ticks when the page is not in front, and when the browser freezes it.

use crate::fault::{Fault, Result};
use crate::report::{Table, Verdict};
use crate::stage::{self, Folder, Measure, Relay};
use std::path::Path;
use std::process::{Command, Stdio};
use ume_wire::pace::PREAMBLE;

const SCRIPT: &str = "tests/cover/browser/hidden.mjs";
/// Mean gap of balanced up, milliseconds.
const GAP_MS: f64 = 2_000.0;
/// The phase that has bars, and the one behind which nothing may be caught up.
const BEHIND: &str = "behind another tab";
const THAWED: &str = "thawed, behind";
/// Share of ticks that are kept, and milliseconds that 99 of 100 are late at most.
const KEPT: f64 = 0.99;
const LATE_MS: f64 = 20.0;
/// Seconds at the beginning of a phase in which frames are counted.
const FIRST: f64 = 5.0;

/// Watches a page for seconds in front, behind another tab, frozen, and back.
///
/// # Errors
/// When a browser or relay does not do what it should.
pub(crate) fn watch(relay: &Path, app: &Path, quicker: u32, seconds: [u64; 3]) -> Result<Table> {
    let measure = Measure {
        quicker,
        at_tick: false,
    };
    let folder = Folder::new()?;
    let hooked = folder.file("app");
    stage::app(app, &hooked, measure)?;
    let relay = Relay::start(relay, &folder, &hooked, None, measure)?;
    let [front, behind, frozen] = seconds;
    let options = format!(
        "{{\"origin\":\"http://{}\",\"visible\":{front},\"hidden\":{behind},\"frozen\":{frozen}}}",
        relay.address()
    );
    let output = Command::new("node")
        .args([SCRIPT, &options])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    relay.end()?;
    if !output.status.success() {
        return Err(Fault::Text(format!(
            "the browser ended with {}",
            output.status
        )));
    }
    let mut table = Table::new(
        "Ticks of a page that is not in front",
        &[
            "page",
            "it says it is",
            "connection",
            "ticks",
            "missed",
            "late: median",
            "99 of 100",
            "frames in the first 5 s",
        ],
    );
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let phase =
            Phase::read(line).ok_or_else(|| Fault::Text(format!("the browser says: {line}")))?;
        table.row(phase.cells(), phase.verdict(quicker));
    }
    Ok(table)
}

/// What was seen while things stood in one way.
#[derive(Debug, PartialEq)]
struct Phase<'a> {
    name: &'a str,
    state: &'a str,
    /// The connections that there were, by their numbers.
    lines: &'a str,
    ticks: u64,
    missed: u64,
    /// By how many milliseconds the median was late, and 99 of 100 at most.
    late: (f64, f64),
    first: u64,
}

impl<'a> Phase<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let words: Vec<&str> = line.split('\t').collect();
        let [name, state, lines, ticks, missed, median, most, first] = words[..] else {
            return None;
        };
        Some(Self {
            name,
            state,
            lines,
            ticks: ticks.parse().ok()?,
            missed: missed.parse().ok()?,
            late: (median.parse().ok()?, most.parse().ok()?),
            first: first.parse().ok()?,
        })
    }

    fn cells(&self) -> Vec<String> {
        let late = |ms: f64| {
            if ms.is_nan() {
                "-".to_owned()
            } else {
                format!("{ms:.2} ms")
            }
        };
        vec![
            self.name.to_owned(),
            self.state.to_owned(),
            self.lines.to_owned(),
            self.ticks.to_string(),
            self.missed.to_string(),
            late(self.late.0),
            late(self.late.1),
            self.first.to_string(),
        ]
    }

    fn verdict(&self, quicker: u32) -> Verdict {
        let kept = self.ticks as f64 / (self.ticks + self.missed).max(1) as f64;
        match self.name {
            // A page that thinks it is in front proves nothing.
            BEHIND => {
                Verdict::held(self.state == "hidden" && kept >= KEPT && self.late.1 <= LATE_MS)
            }
            // As many as there are slots in the time, if all gaps are the shortest, and one. A connection that was silent for
            // so long is made anew, and begins as each does.
            THAWED => {
                let slots = FIRST * 1_000.0 / (GAP_MS / 2.0 / f64::from(quicker)) + 1.0;
                let anew = if self.lines == "1" { 0 } else { PREAMBLE.ticks };
                Verdict::held(self.first as f64 <= slots + f64::from(anew))
            }
            _ => Verdict::Shown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_not_hidden_proves_nothing() {
        let verdict = |line: &str| Phase::read(line).unwrap().verdict(1);
        let held = Verdict::Holds;
        assert_eq!(
            verdict("behind another tab\thidden\t1\t300\t0\t0.40\t3.10\t2"),
            held
        );
        for line in [
            "behind another tab\tvisible\t1\t300\t0\t0.40\t3.10\t2",
            "behind another tab\thidden\t1\t300\t9\t0.40\t3.10\t2",
            "behind another tab\thidden\t1\t300\t0\t0.40\t23.10\t2",
            "thawed, behind\thidden\t1\t60\t0\t0.40\t3.10\t60",
        ] {
            assert_eq!(verdict(line), Verdict::Missed, "{line}");
        }
        assert_eq!(
            verdict("thawed, behind\thidden\t1\t60\t40\t0.40\t3.10\t3"),
            held
        );
        let anew = "thawed, behind\thidden\t2\t60\t40\t0.40\t3.10\t60";
        assert_eq!(verdict(anew), held, "the preamble of a new connection");
        assert!(Phase::read("frozen\tsilent\t-\t0").is_none());
        let frozen = Phase::read("frozen\tsilent\t-\t0\t0\tNaN\tNaN\t0").unwrap();
        assert_eq!(frozen.cells()[5], "-");
    }
}

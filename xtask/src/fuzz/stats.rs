//! What libFuzzer says of itself at the end.
use std::fmt;

/// Numbers of one run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stats {
    executions: u64,
    per_second: u64,
    /// Edges of the program that some input took.
    edges: u64,
    /// Inputs of this run that took new ones.
    new: u64,
    memory_mib: u64,
}

impl Stats {
    pub(super) const HEAD: &str = "executions   per second     edges       new  memory, MiB";

    pub(super) fn read(text: &str) -> Self {
        let stat = |name: &str| {
            let line = text.lines().rev().find_map(|line| {
                line.strip_prefix("stat::")?
                    .strip_prefix(name)?
                    .strip_prefix(':')
            });
            line.and_then(|value| value.trim().parse().ok())
                .unwrap_or_default()
        };
        // `#4096  pulse  cov: 512 ft: 700 corp: 20/1Kb exec/s: 2048 rss: 60Mb`
        let covered = text.lines().rev().find_map(|line| {
            let (_, rest) = line.split_once(" cov: ")?;
            rest.split_whitespace().next()?.parse().ok()
        });
        Self {
            executions: stat("number_of_executed_units"),
            per_second: stat("average_exec_per_sec"),
            edges: covered.unwrap_or_default(),
            new: stat("new_units_added"),
            memory_mib: stat("peak_rss_mb"),
        }
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            executions,
            per_second,
            edges,
            new,
            memory_mib,
        } = self;
        write!(
            out,
            "{executions:>10}{per_second:>13}{edges:>10}{new:>10}{memory_mib:>13}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Stats;

    #[test]
    fn the_last_words_are_read() {
        let text = "#2\tINITED cov: 3 ft: 4 corp: 1/1b exec/s: 0 rss: 30Mb\n#9\tDONE   cov: 12 ft: 40 corp: 5/9b\n\
                    stat::number_of_executed_units: 9\nstat::average_exec_per_sec:     4\n\
                    stat::new_units_added:          2\nstat::peak_rss_mb:              31\n";
        let stats = Stats {
            executions: 9,
            per_second: 4,
            edges: 12,
            new: 2,
            memory_mib: 31,
        };
        assert_eq!(Stats::read(text), stats);
        assert_eq!(Stats::read("nothing"), Stats::default());
    }
}

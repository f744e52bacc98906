//! What passed on a line, for the person whose device it is.

use crate::io::Millis;
use std::collections::VecDeque;
use ume_api::{Passed, Tick};

/// How far back ticks are kept one by one, milliseconds.
const RECENT_MS: u64 = 180_000;
/// Ticks kept, at most.
const RECENT_MAX: usize = 4_096;
const MINUTE_MS: u64 = 60_000;
/// Minutes kept: a day.
const MINUTES: usize = 24 * 60;

/// The last day of one line, as far as this engine was running.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    recent: VecDeque<Tick>,
    /// Ticks that nobody was told.
    fresh: usize,
    /// Newest last; each with the minute's number since 1970.
    minutes: VecDeque<(u64, Passed)>,
}

impl Traffic {
    pub(crate) fn note(&mut self, tick: Tick) {
        if self.recent.len() >= RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(tick);
        self.fresh = (self.fresh + 1).min(self.recent.len());
        let minute = tick.at / MINUTE_MS;
        if self.minutes.back().is_none_or(|(last, _)| *last < minute) {
            if self.minutes.len() >= MINUTES {
                self.minutes.pop_front();
            }
            self.minutes.push_back((minute, Passed::default()));
        }
        if let Some((_, passed)) = self.minutes.back_mut() {
            let way = if tick.up {
                &mut passed.up
            } else {
                &mut passed.down
            };
            *way += u64::from(tick.frames);
            passed.real += u64::from(tick.real);
        }
    }

    /// Ticks since the last time, or all recent ones.
    pub(crate) fn tell(&mut self, now: Millis, all: bool) -> Vec<Tick> {
        let since = now.0.saturating_sub(RECENT_MS);
        while self.recent.front().is_some_and(|tick| tick.at < since) {
            self.recent.pop_front();
        }
        let fresh = if all { self.recent.len() } else { self.fresh };
        self.fresh = 0;
        let skipped = self.recent.len().saturating_sub(fresh);
        self.recent.iter().skip(skipped).copied().collect()
    }

    /// Whether there is anything that nobody was told.
    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh > 0
    }

    /// What passed in the last so many minutes.
    pub(crate) fn passed(&self, now: Millis, minutes: u64) -> Passed {
        let since = (now.0 / MINUTE_MS + 1).saturating_sub(minutes);
        let mut sum = Passed::default();
        for (_, one) in self.minutes.iter().filter(|(at, _)| *at >= since) {
            sum.up += one.up;
            sum.down += one.down;
            sum.real += one.real;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_told_once_and_summed() {
        let mut traffic = Traffic::default();
        for second in 0..7_200 {
            traffic.note(Tick {
                at: second * 1_000,
                up: second % 2 == 0,
                frames: 1,
                real: u32::from(second % 10 == 0),
            });
        }
        let now = Millis(7_200_000);
        assert_eq!(traffic.tell(now, true).len(), 180);
        assert!(!traffic.is_fresh());
        assert!(traffic.tell(now, false).is_empty());
        let passed = traffic.passed(now, 60);
        assert_eq!((passed.up, passed.down, passed.real), (1_770, 1_770, 354));
        assert_eq!(traffic.passed(now, 1_440).up, 3_600);
    }
}

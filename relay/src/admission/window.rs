//! How much of something there was lately.

use std::time::{Duration, Instant};

/// Counts over a sliding span: what came in the span that runs, and of the span before it the share that still lies
/// within. Three numbers instead of a list of times.
#[derive(Debug)]
pub(super) struct Window {
    span: Duration,
    start: Instant,
    current: u64,
    before: u64,
}

impl Window {
    pub(super) fn new(span: Duration, now: Instant) -> Self {
        Self {
            span,
            start: now,
            current: 0,
            before: 0,
        }
    }

    /// Counts some more.
    pub(super) fn add(&mut self, amount: u64, now: Instant) {
        self.roll(now);
        self.current = self.current.saturating_add(amount);
    }

    /// How much it was in the span that ends now.
    pub(super) fn count(&mut self, now: Instant) -> u64 {
        self.roll(now);
        let (span, passed) = (self.span.as_millis(), self.passed(now).as_millis());
        let share = u128::from(self.before) * (span - passed.min(span)) / span.max(1);
        self.current
            .saturating_add(u64::try_from(share).unwrap_or(u64::MAX))
    }

    /// How long until the span that runs is over: by then there is room again.
    pub(super) fn turns_in(&mut self, now: Instant) -> Duration {
        self.roll(now);
        self.span.saturating_sub(self.passed(now))
    }

    fn passed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.start)
    }

    fn roll(&mut self, now: Instant) {
        let passed = self.passed(now);
        if passed < self.span {
            return;
        }
        let next = passed < self.span * 2;
        self.before = if next { self.current } else { 0 };
        self.start = if next { self.start + self.span } else { now };
        self.current = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SPAN: Duration = Duration::from_mins(1);

    #[test]
    fn what_was_counted_fades() {
        let start = Instant::now();
        let mut window = Window::new(SPAN, start);
        window.add(100, start + SPAN / 2);
        assert_eq!(window.count(start + SPAN / 2), 100);
        assert_eq!(window.count(start + SPAN), 100);
        assert_eq!(window.count(start + SPAN + SPAN / 4), 75);
        assert_eq!(window.count(start + SPAN * 2), 0);
        window.add(7, start + SPAN * 9);
        assert_eq!(window.count(start + SPAN * 9), 7);
    }

    proptest! {
        /// Never less than what came in the running span, never more than in the last two.
        #[test]
        fn the_count_lies_between_one_span_and_two(gaps in prop::collection::vec(0..40_000_u64, 1..60)) {
            let start = Instant::now();
            let mut window = Window::new(SPAN, start);
            let mut now = start;
            let mut times = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                window.add(1, now);
                times.push(now);
                let within = |span| times.iter().filter(|&&time| now - time < span).count() as u64;
                prop_assert!(window.count(now) <= within(SPAN * 2));
                prop_assert!(window.count(now) >= 1);
                prop_assert!(window.turns_in(now) <= SPAN);
            }
        }
    }
}

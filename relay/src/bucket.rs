//! How many frames a connection may send: a bucket of tokens that fills up again with time.

use std::time::{Duration, Instant};

/// Holds up to a burst of tokens; one frame takes one.
#[derive(Debug)]
pub(crate) struct Bucket {
    burst: f64,
    per_second: f64,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    /// A full one. Both numbers are at least 1.
    pub(crate) fn new(burst: u32, per_second: u32, now: Instant) -> Self {
        let burst = f64::from(burst.max(1));
        Self {
            burst,
            per_second: f64::from(per_second.max(1)),
            tokens: burst,
            filled: now,
        }
    }

    /// How long to wait until a token is there; zero if one is.
    pub(crate) fn wait(&mut self, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * self.per_second).min(self.burst);
        self.filled = now;
        if self.tokens >= 1.0 {
            return Duration::ZERO;
        }
        Duration::from_secs_f64((1.0 - self.tokens) / self.per_second) + Duration::from_millis(1)
    }

    /// Takes tokens; what is not there has to be waited for later.
    pub(crate) fn take(&mut self, tokens: u32) {
        self.tokens -= f64::from(tokens);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let start = Instant::now();
        let mut bucket = Bucket::new(3, 10, start);
        for _ in 0..3 {
            assert_eq!(bucket.wait(start), Duration::ZERO);
            bucket.take(1);
        }
        let wait = bucket.wait(start);
        assert!(wait >= Duration::from_millis(100) && wait < Duration::from_millis(110));
        assert_eq!(bucket.wait(start + wait), Duration::ZERO);
    }
}

//! Pace: when frames leave, and how many, drawn before anybody looks at what waits. Data only fills the frames.
//!
//! Client and relay keep the same law, each for the direction in which it sends and each with randomness of its own. The
//! law: at every tick so many frames leave, and the gap to the next tick is drawn uniformly from half to one and a half
//! times the mean. A burst is the same for a given number of ticks, before the steady law goes on.
//!
//! Why uniform gaps: a metronome shows scheduling noise and links connections by its phase, and exponential gaps make data
//! wait about twice as long for the same number of frames. Since nothing but the randomness decides, idle and busy
//! connections look the same, exactly (`docs/cover.md`).

use crate::relay;
use rand_core::RngCore;

/// Bounds of a steady law's mean gap, milliseconds.
pub const GAP_MS: std::ops::RangeInclusive<u32> = 20..=60_000;
/// Bounds of a burst's mean gap, milliseconds.
pub const BURST_GAP_MS: std::ops::RangeInclusive<u32> = 4..=60_000;
/// Frames that leave at one tick, at most.
pub const TICK_FRAMES_MAX: u32 = 16;
/// Frames of one burst, at most.
pub const BURST_FRAMES_MAX: u32 = 2_048;

/// Each connection after a longer pause begins with this, whatever waits.
pub const PREAMBLE: Burst = Burst {
    ticks: 64,
    law: Law {
        gap_ms: 125,
        frames: 1,
    },
};
/// A window for much at once: 1,024 frames (2 MiB) in about two seconds.
pub const BULK: Burst = Burst {
    ticks: 128,
    law: Law {
        gap_ms: 16,
        frames: 8,
    },
};
/// A window that opens by itself about once an hour: 512 frames (1 MiB) in about a minute.
pub const WINDOW: Burst = Burst {
    ticks: 512,
    law: Law {
        gap_ms: 125,
        frames: 1,
    },
};

/// Mean time from the end of one such window to the next, milliseconds.
pub const WINDOW_EVERY_MS: u32 = 3_600_000;

/// Ticks and what leaves at each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Law {
    /// Mean gap between two ticks, milliseconds.
    pub gap_ms: u32,
    /// Frames that leave at each tick.
    pub frames: u32,
}

/// A law for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// For so many ticks.
    pub ticks: u32,
    /// The law meanwhile.
    pub law: Law,
}

/// What one side keeps to from some moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// What comes first.
    pub burst: Option<Burst>,
    /// What follows, for good.
    pub steady: Law,
    /// About once an hour a [`WINDOW`] opens, whether or not anything waits.
    pub windows: bool,
}

/// Why a pace that somebody asks for is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pace outside its bounds")]
pub struct PaceError;

impl Law {
    fn check(self, gaps: std::ops::RangeInclusive<u32>) -> Result<Self, PaceError> {
        let holds = gaps.contains(&self.gap_ms) && (1..=TICK_FRAMES_MAX).contains(&self.frames);
        holds.then_some(self).ok_or(PaceError)
    }

    /// A gap, milliseconds.
    fn draw(self, rng: &mut impl RngCore) -> u64 {
        let gap = u64::from(self.gap_ms);
        // A remainder of 64 bits by less than 2^16: no bias that anybody could measure.
        gap / 2 + rng.next_u64() % (gap + 1)
    }
}

impl Pace {
    /// As it is sent.
    pub fn to_wire(self) -> relay::Pace {
        let law = |law: Law, ticks| relay::Law {
            gap_ms: law.gap_ms,
            frames: law.frames,
            ticks,
        };
        relay::Pace {
            steady: Some(law(self.steady, 0)),
            burst: self.burst.map(|burst| law(burst.law, burst.ticks)),
            windows: self.windows,
        }
    }

    /// What somebody asks for, within its bounds.
    ///
    /// # Errors
    /// [`PaceError`] if it is outside of them, or there is no steady law.
    pub fn from_wire(pace: &relay::Pace) -> Result<Self, PaceError> {
        let law = |law: &relay::Law| Law {
            gap_ms: law.gap_ms,
            frames: law.frames,
        };
        let steady = law(pace.steady.as_ref().ok_or(PaceError)?).check(GAP_MS)?;
        let burst = match &pace.burst {
            Some(wire) => {
                let burst = Burst {
                    ticks: wire.ticks,
                    law: law(wire).check(BURST_GAP_MS)?,
                };
                let frames = burst.ticks.checked_mul(burst.law.frames);
                let fits = frames.is_some_and(|frames| frames <= BURST_FRAMES_MAX);
                Some(fits.then_some(burst).ok_or(PaceError)?)
            }
            None => None,
        };
        Ok(Self {
            burst,
            steady,
            windows: pace.windows,
        })
    }
}

/// One side's ticks. All times are milliseconds from any start. Nothing else may draw from its randomness, or what is
/// drawn elsewhere would shift the ticks.
#[derive(Clone, Debug)]
pub struct Pacer<R> {
    rng: R,
    pace: Pace,
    next_ms: u64,
    window_ms: u64,
}

impl<R: RngCore> Pacer<R> {
    /// A pace that begins now: the first tick is a gap away.
    pub fn new(rng: R, now_ms: u64, pace: Pace) -> Self {
        let mut pacer = Self {
            rng,
            pace,
            next_ms: 0,
            window_ms: 0,
        };
        pacer.change(now_ms, pace);
        pacer
    }

    /// Another pace from now on.
    pub fn change(&mut self, now_ms: u64, pace: Pace) {
        self.pace = pace;
        self.pace.burst = pace.burst.filter(|burst| burst.ticks > 0);
        self.next_ms = now_ms.saturating_add(self.law().draw(&mut self.rng));
        self.draw_window(now_ms);
    }

    fn draw_window(&mut self, now_ms: u64) {
        let law = Law {
            gap_ms: WINDOW_EVERY_MS,
            frames: 1,
        };
        self.window_ms = now_ms.saturating_add(law.draw(&mut self.rng));
    }

    /// When the next tick is.
    pub fn next_ms(&self) -> u64 {
        self.next_ms
    }

    /// Whether a burst runs.
    pub fn in_burst(&self) -> bool {
        self.pace.burst.is_some()
    }

    /// The law of the next tick.
    pub fn law(&self) -> Law {
        self.pace.burst.map_or(self.pace.steady, |burst| burst.law)
    }

    /// Takes the tick that is due and draws the next one; gives how many frames leave now. Ticks that were missed
    /// meanwhile are dropped: what comes late is not caught up, or lateness would show as a burst.
    pub fn tick(&mut self, now_ms: u64) -> u32 {
        let frames = self.law().frames;
        loop {
            if let Some(burst) = &mut self.pace.burst {
                burst.ticks -= 1;
                if burst.ticks == 0 {
                    self.pace.burst = None;
                }
            }
            if self.pace.windows && !self.in_burst() && self.next_ms >= self.window_ms {
                self.pace.burst = Some(WINDOW);
                self.draw_window(self.next_ms);
            }
            self.next_ms = self.next_ms.saturating_add(self.law().draw(&mut self.rng));
            if self.next_ms > now_ms {
                return frames;
            }
        }
    }
}

#[cfg(test)]
mod tests;

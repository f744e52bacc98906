//! The law of ume, as both sides keep it: the code is theirs.

use crate::dice::Dice;
use crate::trace::Direction;
use rand_chacha::ChaCha8Rng;
use ume_wire::pace::{self, Pace, Pacer};

/// How much somebody lets cover cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The default.
    Balanced,
    /// The same where the browser asks to save data.
    Saving,
    /// The same while nobody looks.
    Hidden,
    /// Faster, and hidden from the relay, too.
    Strong,
}

impl Mode {
    /// The law for one way, but for bursts.
    pub(crate) fn steady(self, direction: Direction) -> pace::Law {
        let gap_ms = match (self, direction) {
            (Self::Hidden, _) => 20_000,
            (Self::Saving, Direction::Up) => 8_000,
            (Self::Saving, Direction::Down) => 4_000,
            (Self::Balanced, Direction::Up) => 2_000,
            (Self::Balanced, Direction::Down) | (Self::Strong, Direction::Up) => 1_000,
            (Self::Strong, Direction::Down) => 500,
        };
        pace::Law { gap_ms, frames: 1 }
    }
}

/// Windows open by themselves this many milliseconds apart, in the mean, both ways at once.
const WINDOWS: f64 = 3_600_000.0;

/// The ticks of one way of a connection that has long begun.
pub(crate) struct Ticks {
    pacer: Pacer<ChaCha8Rng>,
    steady: pace::Law,
    windows: Dice,
    opens: u64,
}

impl Ticks {
    /// With randomness for the ticks, and with that for windows, which both ways share.
    pub(crate) fn new(mode: Mode, direction: Direction, ticks: Dice, mut windows: Dice) -> Self {
        let steady = mode.steady(direction);
        let pace = Pace {
            burst: None,
            steady,
        };
        let opens = windows.exponential(WINDOWS) as u64;
        Self {
            pacer: Pacer::new(ticks.into_source(), 0, pace),
            steady,
            windows,
            opens,
        }
    }

    /// The next tick: when, in microseconds, and how many frames.
    pub(crate) fn next(&mut self) -> (u64, u32) {
        while self.pacer.next_ms() > self.opens {
            let pace = Pace {
                burst: Some(pace::WINDOW),
                steady: self.steady,
            };
            self.pacer.change(self.opens, pace);
            self.opens += self.windows.exponential(WINDOWS) as u64;
        }
        let at = self.pacer.next_ms();
        (at * 1_000, self.pacer.tick(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_come_as_often_as_the_law_says_and_windows_once_an_hour() {
        let dice = |kind| Dice::new(1, kind, 0);
        let mut ticks = Ticks::new(
            Mode::Balanced,
            Direction::Down,
            dice("ticks"),
            dice("windows"),
        );
        let (mut count, mut last) = (0_u32, 0);
        while last < 200 * 3_600_000_000 {
            let (at, frames) = ticks.next();
            assert!(at > last);
            (last, count) = (at, count + frames);
        }
        // 3,600 ticks, and 512 in the place of 64 an hour.
        let hour = f64::from(count) / 200.0;
        assert!((3_950.0..4_150.0).contains(&hour), "{hour}");
    }
}

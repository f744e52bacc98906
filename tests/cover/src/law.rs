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

/// A connection is up to so old when somebody begins to look: windows come at any time then.
const AGE_MS: f64 = 5_400_000.0;

/// The ticks of one way of a connection that has long begun.
pub(crate) struct Ticks {
    pacer: Pacer<ChaCha8Rng>,
    began: u64,
}

impl Ticks {
    /// With randomness that nothing else draws from.
    pub(crate) fn new(mode: Mode, direction: Direction, mut age: Dice, ticks: Dice) -> Self {
        let pace = Pace {
            burst: None,
            steady: mode.steady(direction),
            windows: matches!(mode, Mode::Balanced | Mode::Strong),
        };
        let mut pacer = Pacer::new(ticks.into_source(), 0, pace);
        let began = age.between(0.0, AGE_MS) as u64;
        while pacer.next_ms() < began {
            pacer.tick(pacer.next_ms());
        }
        Self { pacer, began }
    }

    /// The next tick: when, in microseconds, and how many frames.
    pub(crate) fn next(&mut self) -> (u64, u32) {
        let at = self.pacer.next_ms();
        ((at - self.began) * 1_000, self.pacer.tick(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_come_as_often_as_the_law_says_and_windows_once_an_hour() {
        let dice = |kind| Dice::new(1, kind, 0);
        let mut ticks = Ticks::new(Mode::Balanced, Direction::Down, dice("age"), dice("ticks"));
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

//! The law of ume as the harness asks for it.

use crate::dice::Dice;
use crate::trace::Direction;

/// How much somebody lets cover cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The default.
    Balanced,
    /// Faster, and hidden from the relay, too.
    Strong,
}

/// Gaps of one way of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Law {
    mean: u64,
}

impl Law {
    /// What this mode has for this way.
    pub(crate) fn of(mode: Mode, direction: Direction) -> Self {
        let mean = match (mode, direction) {
            (Mode::Balanced, Direction::Up) => 2_000_000,
            (Mode::Balanced, Direction::Down) | (Mode::Strong, Direction::Up) => 1_000_000,
            (Mode::Strong, Direction::Down) => 500_000,
        };
        Self { mean }
    }

    /// The next gap, in microseconds.
    pub(crate) fn gap(self, dice: &mut Dice) -> u64 {
        (self.mean as f64 * dice.between(0.5, 1.5)) as u64
    }
}

//! What a schedule costs those whom it hides: waiting, and bytes.

use crate::dice::Dice;
use crate::schedule::{self, Scheme};
use crate::stats::{mean, quantile};
use crate::trace::{Direction, Frame};
use crate::workload::{LATENCY, SECOND, seconds, spread, talk};

/// Seconds from writing a message to its last frame at a reader, without those of the network.
#[derive(Clone, Debug)]
pub(crate) struct Waits {
    pub(crate) median: f64,
    pub(crate) mean: f64,
    /// What 99 of 100 are not above.
    pub(crate) most: f64,
}

impl Waits {
    fn of(waits: &[f64]) -> Self {
        Self {
            median: quantile(waits, 0.5),
            mean: mean(waits),
            most: quantile(waits, 0.99),
        }
    }
}

/// What was measured of text chat between people who all have this schedule.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    /// How long messages of one frame wait.
    pub(crate) short: Waits,
    /// How long all messages wait.
    pub(crate) all: Waits,
    /// Megabytes an hour, up and down.
    pub(crate) megabytes: (f64, f64),
}

/// One writer and one reader a round, for an hour each.
pub(crate) fn of(scheme: Scheme, rounds: u32) -> Cost {
    let span = 3_600 * SECOND;
    let (mut short, mut all, mut bytes) = (Vec::new(), Vec::new(), (0.0, 0.0));
    for round in 0..rounds {
        let mut dice = Dice::new(7, "cost", u64::from(round));
        let messages = talk(&mut dice, span);
        let way =
            |direction, ready: &[u64]| schedule::frames(scheme, direction, ready, span, (7, round));
        let up = way(Direction::Up, &spread(&messages, &mut dice, 0));
        let left = real(&up);
        let at_relay: Vec<u64> = left.iter().map(|at| at + LATENCY / 2).collect();
        let down = way(Direction::Down, &at_relay);
        bytes.0 += size(&up);
        bytes.1 += size(&down);
        let came = real(&down);
        let mut frames = 0;
        for message in &messages {
            frames += message.frames as usize;
            // What still waits at the end is left out.
            if let Some(at) = came.get(frames - 1) {
                let wait = seconds(at.saturating_sub(message.at + LATENCY / 2));
                all.push(wait);
                if message.frames == 1 {
                    short.push(wait);
                }
            }
        }
    }
    let hours = f64::from(rounds);
    Cost {
        short: Waits::of(&short),
        all: Waits::of(&all),
        megabytes: (bytes.0 / hours / 1e6, bytes.1 / hours / 1e6),
    }
}

fn real(frames: &[Frame]) -> Vec<u64> {
    frames
        .iter()
        .filter(|frame| frame.real)
        .map(|frame| frame.at)
        .collect()
}

fn size(frames: &[Frame]) -> f64 {
    frames.iter().map(|frame| f64::from(frame.bytes)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::Mode;

    #[test]
    fn waits_and_bytes_are_those_of_the_law() {
        let off = of(Scheme::Off, 4);
        assert!(off.all.most < 0.1 && off.megabytes.0 < 1.0, "{off:?}");
        let balanced = of(Scheme::Ume(Mode::Balanced), 40);
        // Half a frame a second up and one down, and a window of 512 frames an hour.
        assert!((4.2..5.4).contains(&balanced.megabytes.0), "{balanced:?}");
        assert!((7.8..9.0).contains(&balanced.megabytes.1), "{balanced:?}");
        assert!((1.4..2.0).contains(&balanced.short.mean), "{balanced:?}");
        assert!(balanced.all.mean > balanced.short.mean, "{balanced:?}");
    }
}

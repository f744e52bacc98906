//! What a schedule costs those whom it hides: waiting, and bytes.

use crate::dice::Dice;
use crate::schedule::{self, Scheme};
use crate::stats::{mean, quantile};
use crate::trace::{Direction, Frame};
use crate::workload::{LATENCY, SECOND, seconds, spread, talk};

/// What was measured of text chat between people who all have this schedule.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    /// Seconds from writing a message to its last frame at a reader, without those of the network: middle, mean, and what 99
    /// of 100 are not above.
    pub(crate) waits: (f64, f64, f64),
    /// Megabytes an hour, up and down.
    pub(crate) megabytes: (f64, f64),
}

/// One writer and one reader a round, for an hour each.
pub(crate) fn of(scheme: Scheme, rounds: u32) -> Cost {
    let span = 3_600 * SECOND;
    let (mut waits, mut bytes) = (Vec::new(), (0.0, 0.0));
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
                waits.push(seconds(at.saturating_sub(message.at + LATENCY / 2)));
            }
        }
    }
    let hours = f64::from(rounds);
    Cost {
        waits: (quantile(&waits, 0.5), mean(&waits), quantile(&waits, 0.99)),
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
        assert!(off.waits.2 < 0.1 && off.megabytes.0 < 1.0, "{off:?}");
        let balanced = of(Scheme::Ume(Mode::Balanced), 4);
        // Half a frame a second up and one down.
        assert!(
            (balanced.megabytes.0 - 1_800.0 * 2_078.0 / 1e6).abs() < 0.1,
            "{balanced:?}"
        );
        assert!(
            (balanced.megabytes.1 - 3_600.0 * 2_074.0 / 1e6).abs() < 0.2,
            "{balanced:?}"
        );
        assert!((1.0..2.5).contains(&balanced.waits.1), "{balanced:?}");
    }
}

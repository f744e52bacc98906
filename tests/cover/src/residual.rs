//! Whether frames that somebody wanted leave later, or earlier, than cover does. What is compared is the time between when a
//! frame was to leave and when it was seen: gaps themselves say more about a schedule than about what fills it.

use crate::dice::Dice;
use crate::stats::{self, auc, distance, median};
use crate::trace::{Direction, Frame};

/// Frames of each sort below which nothing is judged.
pub(crate) const ENOUGH: usize = 10_000;
/// Bound on the difference of medians, in microseconds.
pub(crate) const MEDIANS: f64 = 100.0;
/// Bound on what the area is below, 95 times of 100.
pub(crate) const UPPER: f64 = 0.52;

/// What was found in one direction.
#[derive(Clone, Debug)]
pub(crate) struct Residuals {
    /// Frames that somebody wanted, and cover.
    pub(crate) counts: (usize, usize),
    /// By how many microseconds the median of real frames is later.
    pub(crate) later: f64,
    /// How well residuals tell them apart, folded.
    pub(crate) area: f64,
    /// What that is below, 95 times of 100.
    pub(crate) upper: f64,
    /// Standard deviation of the area when labels are dealt anew.
    pub(crate) chance: f64,
    /// The largest distance of the two distributions.
    pub(crate) distance: f64,
}

impl Residuals {
    /// Whether there is enough, and nothing to see.
    pub(crate) fn hold(&self) -> bool {
        self.counts.0.min(self.counts.1) >= ENOUGH && self.hidden()
    }

    /// Whether there is more to see than chance would show.
    pub(crate) fn shows(&self) -> bool {
        self.area > 0.5 + 5.0 * self.chance
    }

    /// Whether there is nothing to see in what is there.
    pub(crate) fn hidden(&self) -> bool {
        self.later.abs() <= MEDIANS && self.upper <= UPPER
    }
}

/// Compares the frames of one direction that have a time at which they were to leave. Nothing when one sort is missing.
pub(crate) fn compare(frames: &[Frame], direction: Direction) -> Option<Residuals> {
    let of = |real: bool| -> Vec<f64> {
        frames
            .iter()
            .filter(|frame| frame.direction == direction && frame.real == real)
            .filter_map(Frame::residual)
            .collect()
    };
    let (real, cover) = (of(true), of(false));
    let area = auc(&real, &cover)?;
    let null = stats::null(&real, &cover, 20, &mut Dice::new(1, "null", 0));
    Some(Residuals {
        counts: (real.len(), cover.len()),
        later: median(&real) - median(&cover),
        area: area.folded(),
        upper: area.upper(),
        chance: stats::deviation(&null),
        distance: distance(&real, &cover),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::Mode;
    use crate::schedule::{self, Scheme};
    use crate::workload::SECOND;

    fn residuals(scheme: Scheme) -> Residuals {
        let span = 60_000 * SECOND;
        // Half of all slots of a way with one slot a second.
        let ready: Vec<u64> = (0..span / SECOND / 2)
            .map(|index| index * 2 * SECOND)
            .collect();
        let frames = schedule::frames(scheme, Direction::Down, &ready, span, (1, 0));
        compare(&frames, Direction::Down).unwrap()
    }

    #[test]
    fn frames_sealed_before_their_tick_look_alike() {
        let residuals = residuals(Scheme::Ume(Mode::Balanced));
        assert!(residuals.hold() && !residuals.shows(), "{residuals:?}");
    }

    #[test]
    fn frames_sealed_at_their_tick_do_not() {
        let residuals = residuals(Scheme::SealedAtTick);
        assert!(
            residuals.counts.0 > ENOUGH && !residuals.hidden(),
            "{residuals:?}"
        );
        assert!(residuals.area > 0.6 && residuals.shows());
    }
}

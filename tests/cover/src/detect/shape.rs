//! Two curves: every message and every frame is a bar of some seconds, and bars add up.
//!
//! The product of two such curves is a sum over the messages of the link's curve, drawn with bars a second time: messages are
//! few, so that a pair costs little.

use crate::workload::SECOND;

/// Width of a bin.
const BIN: u64 = 400_000;
/// Width of a bar, in bins.
const BAR: usize = (20 * SECOND / BIN) as usize;
/// How much later the link may be, in bins: 5 seconds.
const LAGS: usize = 13;

/// A channel: where its frames are.
pub(super) struct Sparse {
    bins: Vec<usize>,
    square: f64,
    mean: f64,
}

impl Sparse {
    pub(super) fn new(frames: &[u64], span: u64) -> Self {
        let curve = bars(&bins(frames, span));
        Self {
            bins: frames.iter().map(|at| (at / BIN) as usize).collect(),
            square: square(&curve),
            mean: mean(&curve),
        }
    }
}

/// A link.
pub(super) struct Curve {
    /// Its curve with bars a second time, and room for the lags.
    twice: Vec<f32>,
    square: f64,
    mean: f64,
    bins: usize,
}

impl Curve {
    pub(super) fn new(frames: &[u64], span: u64) -> Self {
        let curve = bars(&bins(frames, span));
        let mut twice = bars(&curve);
        let last = twice.last().copied().unwrap_or(0.0);
        twice.extend([last; LAGS]);
        Self {
            twice,
            square: square(&curve),
            mean: mean(&curve),
            bins: curve.len(),
        }
    }

    /// How alike the curves are, and how much they rise and fall together (Pearson), at the lag that fits best.
    pub(super) fn against(&self, channel: &Sparse) -> (f32, f32) {
        let product = |lag: usize| -> f32 {
            channel
                .bins
                .iter()
                .map(|bin| self.twice.get(bin + lag).copied().unwrap_or(0.0))
                .sum()
        };
        let most = f64::from((0..LAGS).map(product).fold(0.0, f32::max));
        let count = self.bins as f64;
        let likeness = 2.0 * most / (self.square + channel.square).max(1e-9);
        let (own, other) = (
            self.square / count - self.mean * self.mean,
            channel.square / count - channel.mean * channel.mean,
        );
        let together = (most / count - self.mean * channel.mean) / (own * other).max(1e-9).sqrt();
        (likeness as f32, together as f32)
    }
}

/// How many frames each bin has.
fn bins(frames: &[u64], span: u64) -> Vec<f32> {
    let mut bins = vec![0.0; (span / BIN) as usize];
    for at in frames {
        if let Some(bin) = bins.get_mut((at / BIN) as usize) {
            *bin += 1.0;
        }
    }
    bins
}

/// The same with bars: each bin holds what is within half a bar's width of it.
fn bars(bins: &[f32]) -> Vec<f32> {
    let mut sums = vec![0.0_f64];
    for bin in bins {
        sums.push(sums[sums.len() - 1] + f64::from(*bin));
    }
    (0..bins.len())
        .map(|at| {
            let (from, to) = (
                at.saturating_sub(BAR / 2),
                (at + BAR / 2 + 1).min(bins.len()),
            );
            (sums[to] - sums[from]) as f32
        })
        .collect()
}

fn square(curve: &[f32]) -> f64 {
    curve.iter().map(|x| f64::from(*x).powi(2)).sum()
}

fn mean(curve: &[f32]) -> f64 {
    curve.iter().map(|x| f64::from(*x)).sum::<f64>() / curve.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_twenty_seconds_wide() {
        let curve = bars(&bins(&[100 * SECOND], 200 * SECOND));
        assert_eq!(curve.iter().filter(|x| **x > 0.0).count(), BAR + 1);
        assert!((square(&curve) - 51.0).abs() < 1e-6);
    }

    #[test]
    fn curves_of_the_same_frames_are_the_same() {
        let span = 600 * SECOND;
        let frames = [100 * SECOND, 104 * SECOND, 300 * SECOND];
        let later = frames.map(|at| at + 2 * SECOND);
        let other = [200 * SECOND, 400 * SECOND, 401 * SECOND];
        for link in [frames, later] {
            let (likeness, together) = Curve::new(&link, span).against(&Sparse::new(&frames, span));
            assert!((likeness - 1.0).abs() < 1e-3, "{likeness}");
            assert!((together - 1.0).abs() < 1e-3, "{together}");
        }
        let (likeness, together) = Curve::new(&other, span).against(&Sparse::new(&frames, span));
        assert!(likeness < 0.01 && together < 0.0);
    }
}

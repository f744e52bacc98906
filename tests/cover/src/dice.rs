//! Randomness of the harness: seeded, so that a figure can be had again.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// A source of random numbers. What has a purpose of its own has a source of its own.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The source for the `index`th of its kind. Different kinds and indices have nothing to do with each other.
    pub(crate) fn new(seed: u64, kind: &str, index: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&index.to_le_bytes());
        for (place, byte) in key[16..].iter_mut().zip(kind.bytes()) {
            *place = byte;
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Uniform in [0, 1).
    pub(crate) fn part(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in [`low`, `high`).
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.part()
    }

    /// Exponential with this mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.part()).ln()
    }

    /// Uniform below `count`, which is not 0.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.part() * count as f64) as usize
    }

    /// Puts things into a random order.
    pub(crate) fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            let other = self.below(last + 1);
            things.swap(last, other);
        }
    }

    /// The source itself, for code that draws on its own.
    pub(crate) fn into_source(self) -> ChaCha8Rng {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_other_kinds_and_indices_are_others() {
        let first = |seed, kind, index| Dice::new(seed, kind, index).part().to_bits();
        assert_eq!(first(1, "talk", 2), first(1, "talk", 2));
        assert_ne!(first(1, "talk", 2), first(1, "talk", 3));
        assert_ne!(first(1, "talk", 2), first(1, "tick", 2));
        assert_ne!(first(1, "talk", 2), first(2, "talk", 2));
    }

    #[test]
    fn numbers_have_the_means_they_should_have() {
        let mut dice = Dice::new(1, "mean", 0);
        let mean = |of: &mut dyn FnMut() -> f64| (0..20_000).map(|_| of()).sum::<f64>() / 2e4;
        assert!((mean(&mut || dice.part()) - 0.5).abs() < 0.01);
        assert!((mean(&mut || dice.exponential(3.0)) - 3.0).abs() < 0.1);
        assert!((mean(&mut || dice.below(5) as f64) - 2.0).abs() < 0.05);
    }
}

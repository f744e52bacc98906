//! How much two heaps of numbers differ, and how much they may by chance.

use crate::dice::Dice;

/// How well a score tells two heaps apart: the chance that a number of the first is larger than one of the second. 0.5 is a
/// coin; 1 and 0 are certainty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Auc {
    /// The area under the curve.
    pub(crate) value: f64,
    /// Its standard error, as `DeLong` estimates it.
    pub(crate) error: f64,
}

impl Auc {
    /// The area when whoever attacks may turn the score around: 0.5 or more.
    pub(crate) fn folded(self) -> f64 {
        0.5 + (self.value - 0.5).abs()
    }

    /// What the folded area is below, 95 times of 100.
    pub(crate) fn upper(self) -> f64 {
        self.folded() + 1.645 * self.error
    }
}

/// The area for these scores; equal scores count half. Nothing when a heap is empty.
pub(crate) fn auc(positive: &[f64], negative: &[f64]) -> Option<Auc> {
    if positive.is_empty() || negative.is_empty() {
        return None;
    }
    let (m, n) = (positive.len() as f64, negative.len() as f64);
    let all: Vec<f64> = positive.iter().chain(negative).copied().collect();
    let ranks = ranks(&all);
    let (among_all, among_all_negative) = ranks.split_at(positive.len());
    let over = |all: &[f64], own: &[f64], others: f64| -> Vec<f64> {
        all.iter().zip(own).map(|(a, o)| (a - o) / others).collect()
    };
    let positive = over(among_all, &self::ranks(positive), n);
    let negative = over(among_all_negative, &self::ranks(negative), m);
    let value = mean(&positive);
    let error = (variance(&positive) / m + variance(&negative) / n).sqrt();
    Some(Auc { value, error })
}

/// The area for this many random ways to part the same numbers into heaps of the same sizes.
pub(crate) fn null(positive: &[f64], negative: &[f64], rounds: usize, dice: &mut Dice) -> Vec<f64> {
    let mut all: Vec<f64> = positive.iter().chain(negative).copied().collect();
    (0..rounds)
        .filter_map(|_| {
            dice.shuffle(&mut all);
            let (first, second) = all.split_at(positive.len());
            auc(first, second).map(|auc| auc.value)
        })
        .collect()
}

/// Places in the order of all numbers, from 1; equal ones share the middle of theirs.
fn ranks(numbers: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]));
    let mut ranks = vec![0.0; numbers.len()];
    let mut start = 0;
    while start < order.len() {
        let value = numbers[order[start]];
        let equal = order[start..]
            .iter()
            .take_while(|i| numbers[**i] <= value)
            .count();
        let middle = start as f64 + f64::midpoint(equal as f64, 1.0);
        for index in &order[start..start + equal] {
            ranks[*index] = middle;
        }
        start += equal;
    }
    ranks
}

/// The mean; 0 of nothing.
pub(crate) fn mean(numbers: &[f64]) -> f64 {
    if numbers.is_empty() {
        return 0.0;
    }
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

fn variance(numbers: &[f64]) -> f64 {
    if numbers.len() < 2 {
        return 0.0;
    }
    let mean = mean(numbers);
    let sum: f64 = numbers.iter().map(|x| (x - mean).powi(2)).sum();
    sum / (numbers.len() - 1) as f64
}

/// The standard deviation; 0 of fewer than two.
pub(crate) fn deviation(numbers: &[f64]) -> f64 {
    variance(numbers).sqrt()
}

/// The smallest number that `part` of all are not above; 0 of nothing.
pub(crate) fn quantile(numbers: &[f64], part: f64) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(index.saturating_sub(1)).copied().unwrap_or(0.0)
}

/// The median.
pub(crate) fn median(numbers: &[f64]) -> f64 {
    quantile(numbers, 0.5)
}

/// The largest distance of the two distributions (Kolmogorov and Smirnov).
pub(crate) fn distance(first: &[f64], second: &[f64]) -> f64 {
    let sorted = |numbers: &[f64]| {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted
    };
    let (a, b) = (sorted(first), sorted(second));
    let (mut i, mut j, mut most) = (0, 0, 0.0_f64);
    while i < a.len() && j < b.len() {
        let value = a[i].min(b[j]);
        i += a[i..].iter().take_while(|x| **x <= value).count();
        j += b[j..].iter().take_while(|x| **x <= value).count();
        most = most.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
    }
    most
}

/// How much numbers depend on those `lag` places before them, from -1 to 1.
pub(crate) fn autocorrelation(numbers: &[f64], lag: usize) -> f64 {
    let mean = mean(numbers);
    let square: f64 = numbers.iter().map(|x| (x - mean).powi(2)).sum();
    if square <= 0.0 || lag >= numbers.len() {
        return 0.0;
    }
    let pairs = numbers.iter().zip(&numbers[lag..]);
    pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / square
}

/// How seldom chance exceeds a bound on hits that is to be met: once in a thousand times.
pub(crate) const SELDOM: f64 = 1e-3;

/// The smallest number of hits among `trials` of chance `chance` that is exceeded at most `seldom`.
pub(crate) fn most_hits(trials: u32, chance: f64, seldom: f64) -> u32 {
    let (n, p) = (f64::from(trials), chance);
    let mut exactly = (n * (1.0 - p).ln()).exp();
    let mut at_most = exactly;
    let mut hits = 0;
    while at_most < 1.0 - seldom && hits < trials {
        let done = f64::from(hits);
        exactly *= (n - done) / (done + 1.0) * p / (1.0 - p);
        at_most += exactly;
        hits += 1;
    }
    hits
}

#[cfg(test)]
mod tests;

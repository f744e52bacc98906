//! Boosted trees: many shallow trees, each of which mends what those before it got wrong.
//!
//! Numbers are cut into a few bins first, so that the best cut of a feature is found by counting. Two classes, logistic loss.

use crate::dice::Dice;

const TREES: usize = 80;
const DEPTH: u32 = 3;
const RATE: f64 = 0.1;
/// Rows that a tree sees, of all.
const SEES: f64 = 0.7;
const BINS: usize = 32;
/// Weight below which a leaf is not parted further, and by which leaves are held back.
const LEAST: f64 = 8.0;
const HELD: f64 = 1.0;

/// A trained model.
pub(crate) struct Model {
    cuts: Vec<Vec<f64>>,
    trees: Vec<Tree>,
}

impl Model {
    /// Learns to tell `yes` rows from the others. All rows have the same number of features.
    pub(crate) fn train(rows: &[&[f64]], yes: &[bool], dice: &mut Dice) -> Self {
        let cuts = cuts(rows);
        let binned: Vec<Vec<u8>> = rows.iter().map(|row| bin(row, &cuts)).collect();
        let mut scores = vec![0.0; rows.len()];
        let mut trees = Vec::with_capacity(TREES);
        for _ in 0..TREES {
            let slopes: Vec<Slope> = scores
                .iter()
                .zip(yes)
                .map(|(score, yes)| Slope::of(*score, *yes))
                .collect();
            let seen: Vec<usize> = (0..rows.len()).filter(|_| dice.part() < SEES).collect();
            let tree = Tree::grow(&binned, &slopes, seen, cuts.len(), DEPTH);
            for (score, row) in scores.iter_mut().zip(&binned) {
                *score += tree.score(row);
            }
            trees.push(tree);
        }
        Self { cuts, trees }
    }

    /// How much a row looks like `yes`.
    pub(crate) fn score(&self, row: &[f64]) -> f64 {
        let row = bin(row, &self.cuts);
        self.trees.iter().map(|tree| tree.score(&row)).sum()
    }
}

/// Where each feature is cut: at quantiles.
fn cuts(rows: &[&[f64]]) -> Vec<Vec<f64>> {
    let features = rows.first().map_or(0, |row| row.len());
    (0..features)
        .map(|feature| {
            let mut values: Vec<f64> = rows.iter().map(|row| row[feature]).collect();
            values.sort_by(f64::total_cmp);
            let mut cuts: Vec<f64> = (1..BINS)
                .map(|part| values[values.len() * part / BINS])
                .collect();
            cuts.dedup();
            cuts
        })
        .collect()
}

fn bin(row: &[f64], cuts: &[Vec<f64>]) -> Vec<u8> {
    row.iter()
        .zip(cuts)
        .map(|(value, cuts)| cuts.partition_point(|cut| cut <= value) as u8)
        .collect()
}

/// First and second derivative of the loss of a row, or their sums.
#[derive(Clone, Copy, Default)]
struct Slope {
    first: f64,
    second: f64,
}

impl Slope {
    fn of(score: f64, yes: bool) -> Self {
        let chance = 1.0 / (1.0 + (-score).exp());
        let second = chance * (1.0 - chance);
        Self {
            first: f64::from(u8::from(yes)) - chance,
            second,
        }
    }

    fn add(&mut self, other: Self) {
        self.first += other.first;
        self.second += other.second;
    }

    fn without(self, other: Self) -> Self {
        Self {
            first: self.first - other.first,
            second: self.second - other.second,
        }
    }

    fn gain(self) -> f64 {
        self.first * self.first / (self.second + HELD)
    }
}

enum Tree {
    Leaf(f64),
    Fork {
        feature: usize,
        upto: u8,
        low: Box<Tree>,
        high: Box<Tree>,
    },
}

impl Tree {
    fn grow(
        rows: &[Vec<u8>],
        slopes: &[Slope],
        seen: Vec<usize>,
        features: usize,
        depth: u32,
    ) -> Self {
        let mut sum = Slope::default();
        for row in &seen {
            sum.add(slopes[*row]);
        }
        let cut = (depth > 0)
            .then(|| best(rows, slopes, &seen, features, sum))
            .flatten();
        let Some((feature, upto)) = cut else {
            return Self::Leaf(RATE * sum.first / (sum.second + HELD));
        };
        let (low, high): (Vec<usize>, Vec<usize>) = seen
            .into_iter()
            .partition(|row| rows[*row][feature] <= upto);
        let grow = |seen| Box::new(Self::grow(rows, slopes, seen, features, depth - 1));
        Self::Fork {
            feature,
            upto,
            low: grow(low),
            high: grow(high),
        }
    }

    fn score(&self, row: &[u8]) -> f64 {
        match self {
            Self::Leaf(score) => *score,
            Self::Fork {
                feature, upto, low, ..
            } if row[*feature] <= *upto => low.score(row),
            Self::Fork { high, .. } => high.score(row),
        }
    }
}

/// The feature and the bin up to which rows go one way, where that is worth most; nothing when it is worth nothing.
fn best(
    rows: &[Vec<u8>],
    slopes: &[Slope],
    seen: &[usize],
    features: usize,
    sum: Slope,
) -> Option<(usize, u8)> {
    let mut most = (sum.gain() + 1e-6, None);
    for feature in 0..features {
        let mut bins = [Slope::default(); BINS];
        for row in seen {
            bins[usize::from(rows[*row][feature])].add(slopes[*row]);
        }
        let mut low = Slope::default();
        for (upto, slope) in bins.iter().enumerate().take(BINS - 1) {
            low.add(*slope);
            let high = sum.without(low);
            let gain = low.gain() + high.gain();
            if low.second.min(high.second) * 4.0 >= LEAST && gain > most.0 {
                most = (gain, Some((feature, upto as u8)));
            }
        }
    }
    most.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::auc;

    fn tried(yes: impl Fn(&[f64]) -> bool) -> f64 {
        let mut dice = Dice::new(1, "boost", 0);
        let row = |dice: &mut Dice| (0..4).map(|_| dice.part()).collect::<Vec<f64>>();
        let rows: Vec<Vec<f64>> = (0..3_000).map(|_| row(&mut dice)).collect();
        let labels: Vec<bool> = rows.iter().map(|row| yes(row)).collect();
        let views: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
        let model = Model::train(&views[..2_000], &labels[..2_000], &mut dice);
        let scores = |wanted: bool| -> Vec<f64> {
            let rest = views[2_000..].iter().zip(&labels[2_000..]);
            rest.filter(|(_, yes)| **yes == wanted)
                .map(|(row, _)| model.score(row))
                .collect()
        };
        auc(&scores(true), &scores(false)).unwrap().value
    }

    #[test]
    fn a_plain_rule_is_learned() {
        assert!(tried(|row| row[2] > 0.7) > 0.99);
    }

    #[test]
    fn a_rule_over_two_features_is_learned() {
        assert!(tried(|row| (row[0] > 0.5) != (row[3] > 0.4)) > 0.97);
    }

    #[test]
    fn where_nothing_is_to_learn_nothing_is() {
        let area = tried(|row| ((row[0] * 1e6) as u64).is_multiple_of(2));
        assert!((area - 0.5).abs() < 0.06, "{area}");
    }
}

//! What a detector finds when it may be wrong so often.

/// The rates of false alarms at which detectors are judged.
pub(crate) const FALSE: [f64; 3] = [1e-2, 1e-3, 1e-4];

/// The shares of `positive` that are found when these shares of `negative` are called positive too, for each of [`FALSE`].
/// Where scores are equal, a coin of the right weight decides.
pub(crate) fn found(positive: &[f32], negative: &[f32]) -> [f64; 3] {
    let mut negative = negative.to_vec();
    negative.sort_unstable_by(|a, b| b.total_cmp(a));
    FALSE.map(|rate| at(positive, &negative, rate))
}

/// `falling` are the negatives, the largest first.
fn at(positive: &[f32], falling: &[f32], rate: f64) -> f64 {
    let allowed = falling.len() as f64 * rate;
    let Some(limit) = falling.get(allowed as usize) else {
        return 1.0;
    };
    let above = falling.partition_point(|score| score > limit);
    let equal = falling[above..].partition_point(|score| score >= limit);
    let coin = (allowed - above as f64) / equal as f64;
    let sum: f64 = positive
        .iter()
        .map(|score| match score.total_cmp(limit) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => coin,
            std::cmp::Ordering::Less => 0.0,
        })
        .sum();
    sum / positive.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_above_all_is_found() {
        let negative: Vec<f32> = (0..10_000_u16).map(f32::from).collect();
        let share = |score| found(&[score; 4], &negative).map(|found| found as u32);
        assert_eq!(share(20_000.0), [1, 1, 1]);
        assert_eq!(share(0.0), [0, 0, 0]);
        assert_eq!(share(9_950.0), [1, 0, 0]);
    }

    #[test]
    fn what_is_like_the_rest_is_found_as_often_as_the_rest() {
        let same = vec![7.0_f32; 10_000];
        for (found, rate) in found(&same[..100], &same).iter().zip(FALSE) {
            assert!((found - rate).abs() < 1e-9);
        }
        let range: Vec<f32> = (0..10_000_u16).map(f32::from).collect();
        for (found, rate) in found(&range, &range).iter().zip(FALSE) {
            assert!((found - rate).abs() < 1e-9);
        }
    }
}

//! How much work a new lane takes.
//!
//! | new lanes in the last minute, against what is free | bits | hashes, on average |
//! |---|---|---|
//! | up to 1 | 0 | none |
//! | just above 1 | 10 | 1,000 |
//! | 2 | 12 | 4,000 |
//! | 4 | 14 | 16,000 |
//! | 8 | 16 | 65,000 |
//! | 16 | 18 | 260,000 |
//! | 32 and more | 20 | 1,000,000: about a second of a phone's time |
//!
//! Each doubling of the load costs four times the work, so whoever floods pays with the square of the rate, and the rate
//! settles where the work of all who want lanes meets what the relay gives away.

use ume_wire::limits::WORK_BITS_MAX;

/// The first level: too little to be noticed by a person, enough to slow a flood.
const FIRST_BITS: u32 = 10;
/// Bits by which the level rises when the rate doubles.
const BITS_PER_DOUBLING: u32 = 2;

/// Bits for so many lanes in the last minute, where so many are free. With nothing free there is always some work.
pub(super) fn bits(lanes: u64, free: u64) -> u32 {
    if lanes < free {
        return 0;
    }
    // The square of the ratio gives steps of half a doubling.
    let square = u128::from(lanes).pow(2) / u128::from(free.max(1)).pow(2);
    let half_doublings = square.max(1).ilog2();
    (FIRST_BITS + half_doublings * BITS_PER_DOUBLING / 2).min(WORK_BITS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_the_one_in_the_table() {
        let at = |ratio: u64| bits(ratio * 60, 60);
        assert_eq!(bits(59, 60), 0);
        assert_eq!(
            [1, 2, 4, 8, 16, 32, 64].map(at),
            [10, 12, 14, 16, 18, 20, 20]
        );
        assert_eq!(bits(90, 60), 11);
        assert_eq!(bits(u64::MAX, 1), WORK_BITS_MAX);
        assert_eq!(bits(0, 0), 10);
    }

    #[test]
    fn more_lanes_never_take_less_work() {
        for lanes in 0..5_000 {
            assert!(bits(lanes, 60) <= bits(lanes + 1, 60));
        }
    }
}

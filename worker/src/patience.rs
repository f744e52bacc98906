//! How long a person waits between attempts at the lock.

/// Attempts without a pause.
const FREE: u32 = 3;
/// The longest pause, ms.
const LONGEST: u32 = 300_000;

/// The pause after so many failed attempts, ms. It never gets shorter as attempts go on, and it begins anew with each start of
/// the worker, so that neither a reload nor another clock shortens it.
#[must_use]
pub fn pause(attempts: u32) -> u32 {
    match attempts.checked_sub(FREE) {
        None => 0,
        Some(more) => 2_000_u32
            .checked_shl(more.min(16))
            .unwrap_or(LONGEST)
            .min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_to_its_longest_and_never_shrinks() {
        assert_eq!(
            [0, 2, 3, 4, 5].map(pause),
            [0, 0, 2_000, 4_000, 8_000],
            "the first attempts are free"
        );
        let pauses: Vec<u32> = (0..1000).chain([u32::MAX]).map(pause).collect();
        assert!(pauses.is_sorted());
        assert_eq!(pauses.last(), Some(&LONGEST));
    }
}

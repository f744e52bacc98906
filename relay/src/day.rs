//! Days in UTC, as ISO 8601 writes them.

use std::fmt::{self, Display, Formatter};

/// The day of a time in milliseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Day(pub(crate) u64);

impl Display for Day {
    /// Days to civil date in the proleptic Gregorian calendar, with years that begin in March.
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        const DAYS_BEFORE_1970: u64 = 719_468;
        const DAYS_OF_400_YEARS: u64 = 146_097;
        let days = self.0 / 86_400_000 + DAYS_BEFORE_1970;
        let (era, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let of_year = day - (365 * year + year / 4 - year / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 {
            from_march + 3
        } else {
            from_march - 9
        };
        let year = year + era * 400 + u64::from(month <= 2);
        write!(out, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        let day = |seconds: u64| Day(seconds * 1000).to_string();
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(951_782_400), "2000-02-29");
        assert_eq!(day(951_868_800), "2000-03-01");
        assert_eq!(day(1_795_219_200), "2026-11-21");
        assert_eq!(day(4_107_542_399), "2100-02-28");
        assert_eq!(day(4_107_542_400), "2100-03-01");
    }
}

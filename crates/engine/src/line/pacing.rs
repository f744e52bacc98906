//! Which pace a line keeps: what was chosen, how things stand, and what a person does. Never what there is to say.

use crate::io::Millis;
use rand_core::RngCore;
use ume_api::{Cover, Surroundings};
use ume_wire::pace::{BULK, Burst, Law, PREAMBLE, Pace};

/// A connection begins with the preamble unless the last one began with it so short a time ago, milliseconds.
const PREAMBLE_EVERY_MS: u64 = 60_000;
/// Between these times after a page went out of sight the line becomes slower, milliseconds: a glance elsewhere does not
/// show.
const REST_MS: (u64, u64) = (600_000, 1_200_000);
/// Without a single frame from a relay that keeps a pace, a connection is taken for dead after so many of its gaps, and at
/// least so many milliseconds.
const SILENCE: (u64, u64) = (10, 30_000);

/// The pace of one line.
#[derive(Debug, Default)]
pub(super) struct Pacing {
    surroundings: Surroundings,
    /// Mean gaps kept now, up and down, milliseconds.
    gaps_ms: (u32, u32),
    /// When it becomes slower, if nothing changes until then.
    rest_at: Option<Millis>,
    preamble_at: Option<Millis>,
    /// A bulk transfer is to begin with the next connection.
    bulk_next: bool,
    /// Slots of the bulk transfer under way that have not gone by.
    bulk_left: usize,
}

/// What a change of the surroundings asks of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    /// Another pace on the same connection.
    Pace,
    /// A connection is made anew: one that had no pace has to have one, or the other way round.
    Anew,
}

impl Pacing {
    pub(super) fn surround(
        &mut self,
        now: Millis,
        surroundings: Surroundings,
        rng: &mut impl RngCore,
    ) -> Change {
        let before = std::mem::replace(&mut self.surroundings, surroundings);
        let wanted = surroundings.cover.gaps_ms(surroundings);
        if (before.cover == Cover::Off) != (surroundings.cover == Cover::Off) {
            return Change::Anew;
        }
        let chosen = before.cover != surroundings.cover;
        if wanted == self.gaps_ms {
            self.rest_at = None;
        } else if chosen || wanted.0 < self.gaps_ms.0 {
            self.rest_at = None;
            self.gaps_ms = wanted;
            return Change::Pace;
        } else if self.rest_at.is_none() {
            let spread = REST_MS.1 - REST_MS.0;
            self.rest_at = Some(now.plus(REST_MS.0 + rng.next_u64() % spread));
        }
        Change::Nothing
    }

    /// Whether it is time to become slower.
    pub(super) fn rest(&mut self, now: Millis) -> bool {
        if self.rest_at.is_none_or(|at| at > now) {
            return false;
        }
        self.rest_at = None;
        self.gaps_ms = self.surroundings.cover.gaps_ms(self.surroundings);
        true
    }

    /// How a connection that opens now begins: our pace, and the one that is asked for.
    pub(super) fn open(&mut self, now: Millis) -> Option<(Pace, Pace)> {
        self.gaps_ms = self.surroundings.cover.gaps_ms(self.surroundings);
        self.rest_at = None;
        self.bulk_left = 0;
        if self.gaps_ms.0 == 0 {
            return None;
        }
        let bulk = std::mem::take(&mut self.bulk_next);
        let greeted = self
            .preamble_at
            .is_some_and(|at| now < at.plus(PREAMBLE_EVERY_MS));
        let burst = match (bulk, greeted) {
            (true, _) => {
                self.bulk_left = BULK.ticks as usize;
                Some(BULK)
            }
            (false, true) => None,
            (false, false) => {
                self.preamble_at = Some(now);
                Some(PREAMBLE)
            }
        };
        Some(self.paces(burst))
    }

    /// A bulk transfer from now on, if none is under way: our pace and the relay's.
    pub(super) fn bulk(&mut self, is_up: bool) -> Option<(Pace, Pace)> {
        if self.surroundings.cover == Cover::Off || self.bulk_left > 0 {
            return None;
        }
        if !is_up {
            self.bulk_next = true;
            return None;
        }
        self.bulk_left = BULK.ticks as usize;
        Some(self.paces(Some(BULK)))
    }

    /// Our pace and the relay's.
    pub(super) fn paces(&self, burst: Option<Burst>) -> (Pace, Pace) {
        let pace = |gap_ms| Pace {
            burst,
            steady: Law { gap_ms, frames: 1 },
            windows: self.surroundings.cover.windows(self.surroundings),
        };
        (pace(self.gaps_ms.0), pace(self.gaps_ms.1))
    }

    pub(super) fn slots_passed(&mut self, slots: usize) {
        self.bulk_left = self.bulk_left.saturating_sub(slots);
    }

    pub(super) fn in_bulk(&self) -> bool {
        self.bulk_left > 0
    }

    pub(super) fn gaps_ms(&self) -> (u32, u32) {
        self.gaps_ms
    }

    pub(super) fn rest_at(&self) -> Option<Millis> {
        self.rest_at
    }

    /// How long a relay that keeps a pace may be silent, milliseconds.
    pub(super) fn silence_ms(&self) -> u64 {
        SILENCE.1.max(SILENCE.0 * u64::from(self.gaps_ms.1))
    }

    /// What an answer may take longer than without a pace, milliseconds: some turns of ours and of the relay's.
    pub(super) fn delay_ms(&self) -> u64 {
        2 * u64::from(self.gaps_ms.0) + 8 * u64::from(self.gaps_ms.1)
    }
}

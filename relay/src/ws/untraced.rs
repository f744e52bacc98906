//! What stands in the place of `trace.rs` in every released program: nothing is written down, and nothing is changed.

use tokio::time::Instant;
use ume_wire::pace::Pace;

/// Nothing.
pub(super) struct Trace;

impl Trace {
    pub(super) const fn begin() -> Self {
        Self
    }

    /// The pace that is kept: the one that was asked for.
    #[allow(clippy::unused_self)] // The other one has something to look at.
    pub(super) const fn pace(&self, pace: Pace) -> Pace {
        pace
    }

    /// When what a tick carries is put together: `before` it.
    #[allow(clippy::unused_self)]
    pub(super) const fn ready(&self, before: Instant, _tick: Instant) -> Instant {
        before
    }

    #[allow(clippy::unused_self)]
    pub(super) const fn put_together(&self, _real: usize) {}

    #[allow(clippy::unused_self)]
    pub(super) const fn sent(&self, _tick: Instant, _is_real: bool) {}
}

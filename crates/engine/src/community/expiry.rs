//! Posts that last for a time. When it is over, their texts are erased here, also from what is still to be sent; what is
//! left of the entries keeps chains verifiable.
//!
//! Which posts are over follows from the entry alone: it was to end, and its text is gone. So a clock that goes back brings
//! nothing back, and nobody misses a text that nobody has to have.

use super::history::DAY_MS;
use super::{Community, Ctx};
use crate::io::Millis;
use ume_api::EntryId;

/// After a start the relay's word about the time is waited for this long, milliseconds: a device's own clock may be far off.
const PATIENCE_MS: u64 = 15_000;

impl Community {
    /// Ends what is over.
    pub(super) fn advance_expiry(&mut self, ctx: &mut Ctx<'_>) {
        if self.expiry_at.is_none_or(|at| at > ctx.now) {
            return;
        }
        while let Some(post) = self.feed.over(ctx.time.0) {
            self.end_post(ctx, &post);
        }
        self.expiry_at = None;
        self.plan_expiry(ctx);
    }

    /// Sees to it that the next post ends in time.
    pub(super) fn plan_expiry(&mut self, ctx: &Ctx<'_>) {
        let Some(ends_ms) = self.feed.next_end() else {
            return;
        };
        // No timer runs for longer than a day: clocks are corrected meanwhile.
        let wait = ends_ms.saturating_sub(ctx.time.0).min(DAY_MS);
        let at = ctx.now.plus(wait);
        self.expiry_at = Some(self.expiry_at.map_or(at, |planned| planned.min(at)));
    }

    /// After a start.
    pub(crate) fn plan_first_expiry(&mut self, now: Millis) {
        if self.feed.next_end().is_some() && self.expiry_at.is_none() {
            self.expiry_at = Some(now.plus(PATIENCE_MS));
        }
    }

    fn end_post(&mut self, ctx: &mut Ctx<'_>, post: &EntryId) {
        let Some(mut entry) = self.feed.get(post).map(|kept| kept.entry.clone()) else {
            return;
        };
        self.drop_files_of(ctx, &entry);
        entry.erase();
        self.feed.put_text(entry, true);
        self.store_entry(ctx, post);
        self.desk.recount();
        self.reseal_bare(ctx, post);
        // Also texts that it was given by somebody who did not say when they end.
        self.erase_taken_back(ctx, post);
        ctx.news.gone.push(*post);
        if let Some(ended) = self.feed.get(post) {
            self.show_above(ctx, &ended.entry);
        }
    }
}

//! The end of a membership on this device: its keys are erased, what was read stays.

use super::commit::Ballot;
use super::requests::Requests;
use super::slots::CommitKeys;
use super::{Community, Ctx};
use ume_api::{Departure, Failure};

impl Community {
    /// Whether this person is no longer in.
    pub(crate) fn departed(&self) -> Option<Departure> {
        self.saved.departed
    }

    /// This person is out. Whatever could open or write anything later is erased.
    pub(super) fn depart(&mut self, ctx: &mut Ctx<'_>, why: Departure) {
        self.saved.departed = Some(why);
        self.drop_group_rows(ctx);
        self.drop_pending_rows(ctx);
        self.drop_watch(ctx);
        self.watch = None;
        self.saved.group = None;
        self.drop_kept(ctx);
        self.drop_drafts(ctx);
        self.saved.staged = None;
        self.saved.join = None;
        self.saved.entrance = None;
        self.saved.forked = false;
        self.saved.again.clear();
        self.saved.recount = 0;
        self.saved.compare = false;
        self.saved.packs.clear();
        self.packs = super::packs::Packs::default();
        self.saved.certificate = None;
        self.saved.healing = false;
        self.ballot = Ballot::None;
        self.saved.history.clear();
        self.saved.history_todo.clear();
        self.saved.invites.clear();
        self.saved.told.clear();
        self.requests = Requests::default();
        self.posts.clear();
        self.history.clear();
        self.parked.clear();
        self.beacons = super::rebirth::Beacons::default();
        self.saved.call = None;
        self.contests = super::contest::Contests::default();
        self.chain.keys = CommitKeys::none();
        self.chain.ended = None;
        self.slots = self.reader_here();
        while !self.saved.wishes.is_empty() {
            self.wish_done(ctx, Err(Failure::NotHere));
        }
        // What the others know is sent; what they do not take has been marked.
        let waiting: Vec<_> = self
            .feed
            .all()
            .filter(|kept| kept.waiting)
            .map(|kept| kept.entry.id)
            .collect();
        for id in waiting {
            self.mark_sent(ctx, &id);
        }
        let outs: Vec<u64> = self.outbox.keys().copied().collect();
        for out in outs {
            self.erase_out(ctx, out);
        }
        self.lanes_changed = true;
        self.saved_changed = true;
        ctx.news.view = true;
    }
}

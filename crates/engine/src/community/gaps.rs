//! Entries that are missing here and that no lane has any more: members hand them to each other.
//!
//! Three ways, each bounded:
//!
//! - [`asking`]: what is known to be missing is asked for by id;
//! - [`comparing`]: where something may be missing that nothing names, two members compare what they have;
//! - [`answering`]: what a device says to others, so that one of them answers and not all.
//!
//! What they say is in [`talk`]. Nothing of this is stored but the wish to compare: whoever was interrupted asks again.

mod answering;
mod asking;
mod comparing;
pub(crate) mod talk;

pub(super) use answering::turn;
pub(super) use talk::TALK;

use super::history::place_of;
use super::invites::day_of;
use super::{Community, Ctx};
use crate::entry::Entry;
use crate::io::Millis;
use crate::mls::Group;
use answering::Answering;
use asking::Asking;
use comparing::Session;
use std::collections::BTreeMap;
use ume_api::{EntryId, Missing};
use ume_wire::auth::Hash;

/// What the allowances below hold for, milliseconds.
const HOUR_MS: u64 = 3_600_000;
/// Asks of one member in an hour: so many are made, and so many are heard.
const ASKS_PER_HOUR: u32 = 30;
/// Ids in an ask, at most: they fit into one cell.
const ASK_IDS_MAX: usize = 40;
/// Entries in one message, at most.
const GIVEN_MAX: usize = 512;
/// And bytes of them, unless a single one has more.
const GIVEN_BYTES: usize = 64 * 1024;
/// Messages with entries that a device sends in an hour.
const GIVEN_PER_HOUR: u32 = 60;
/// Steps of one member's comparisons that are answered in an hour.
const STEPS_PER_HOUR: u32 = 60;
/// How long an answer is waited for, milliseconds.
const ANSWER_MS: u64 = 30_000;
/// Days that are asked about when nobody answered for all.
const SHORT_DAYS: u64 = 30;

/// Which ask an answer belongs to.
pub(super) type Request = [u8; 16];

/// So much in an hour, and then no more.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Allowance {
    hour: u64,
    used: u32,
}

impl Allowance {
    pub(super) fn has(&self, now: Millis, most: u32) -> bool {
        self.hour != now.0 / HOUR_MS || self.used < most
    }

    /// Takes one, if there is one left.
    pub(super) fn take(&mut self, now: Millis, most: u32) -> bool {
        let has = self.has(now, most);
        if self.hour != now.0 / HOUR_MS {
            *self = Self {
                hour: now.0 / HOUR_MS,
                used: 0,
            };
        }
        self.used += u32::from(has);
        has
    }
}

/// All that is under way between this device and other members' about missing entries.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    asking: Asking,
    answering: Answering,
    session: Option<Session>,
    /// When comparing is tried, and the pause before it is tried again, milliseconds.
    compare_at: Millis,
    compare_pause_ms: u64,
    /// How often it was tried.
    compared: u32,
    /// How often, one after the other, nothing was found by it with somebody who may miss something as well.
    unsure: u32,
    /// How many messages of others are heard, by what they are.
    asks_heard: BTreeMap<Hash, Allowance>,
    steps_heard: BTreeMap<Hash, Allowance>,
    /// How many messages with entries are sent.
    given: Allowance,
}

impl Community {
    /// The connection is gone, and with it whatever was waited for.
    pub(super) fn gaps_line_down(&mut self) {
        self.gaps.asking.close();
        self.gaps.answering.clear();
        self.gaps.session = None;
        self.gaps.compare_pause_ms = comparing::PAUSE_MS.0;
    }

    pub(super) fn advance_gaps(&mut self, ctx: &mut Ctx<'_>) {
        if !self.may_talk() {
            return;
        }
        self.advance_asking(ctx);
        self.advance_comparing(ctx);
        self.advance_answering(ctx);
    }

    pub(super) fn gaps_due(&self) -> Option<Millis> {
        if !self.may_talk() {
            return None;
        }
        let times = [
            self.gaps.asking.due(),
            self.gaps.answering.due(),
            self.comparing_due(),
        ];
        let ahead = |at: &Millis| *at > self.looked_at;
        times.into_iter().flatten().filter(ahead).min()
    }

    /// Whether others may be spoken to: this device is one of the group, and has read what there is.
    pub(super) fn may_talk(&self) -> bool {
        let epoch = self.group.as_ref().map(Group::epoch);
        let lane = epoch.and_then(|epoch| self.posts.get(&epoch));
        let read = lane.is_some_and(|lane| lane.reader.is_caught_up());
        read && self.is_synced() && !self.holds_back() && self.saved.history_todo.is_empty()
    }

    /// What is missing here, and what is being done about it.
    pub(super) fn missing_view(&self) -> Missing {
        let mut view = Missing::default();
        for id in &self.missing_ids {
            match self.gaps.asking.state(id) {
                asking::State::Sought => view.sought += 1,
                asking::State::Asked => view.asked += 1,
                asking::State::Nobody => view.nobody += 1,
            }
        }
        view
    }

    /// A day, as the place whose key seals what is said: from the first day that this device may read, and, where nobody
    /// answers who may read as much, from later ones on.
    fn place_to_ask(&self, ctx: &Ctx<'_>, attempt: u32) -> Option<u64> {
        let (first, now) = (self.saved.history.first()?, self.era()?);
        let day = match attempt % 3 {
            0 => return Some(place_of(first.generation, first.day)),
            1 => ctx.today().saturating_sub(SHORT_DAYS),
            _ => ctx.today(),
        };
        Some(place_of(now.generation, day.max(now.day)))
    }

    /// Whether an entry may be told to whoever reads from a place on: it is not from before.
    fn is_within(entry: &Entry, place: u64) -> bool {
        day_of(entry.time_ms) >= place & 0xffff_ffff
    }

    /// Whether an entry is here as it should be.
    fn is_whole(&self, id: &EntryId) -> bool {
        let kept = self.feed.get(id).map(|kept| &kept.entry);
        let whole = |entry: &Entry| !entry.is_bare() || entry.has_ended();
        kept.is_some_and(|entry| whole(entry) || self.is_gone_with_its_post(entry))
    }

    /// Whether nobody is to have this text any more.
    fn is_gone_with_its_post(&self, entry: &Entry) -> bool {
        let post = entry.kind.target().unwrap_or(entry.id);
        let of = self.feed.get(&post).map(|kept| &kept.entry);
        of.is_some_and(|of| self.is_gone(of))
    }
}

#[cfg(test)]
mod tests;

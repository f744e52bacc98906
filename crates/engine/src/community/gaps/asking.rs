//! Asking the others for what is missing, by id. One ask is under way at a time. It comes after the lanes were searched in
//! vain, and again after each later search, with its ever longer pauses: the entry may never have existed.

use super::super::{Community, Ctx};
use super::talk::Envelope;
use super::{ANSWER_MS, ASK_IDS_MAX, ASKS_PER_HOUR, Allowance, GIVEN_MAX, Request};
use crate::entry;
use crate::io::Millis;
use crate::proto;
use proto::talk_body::Body as Said;
use rand_core::RngCore;
use std::collections::{BTreeMap, BTreeSet};
use ume_api::EntryId;

/// So often is asked before it is said that nobody has it: from each of the places that are asked about.
const ASKS_ENOUGH: u8 = 3;

/// What is being done about a missing entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is looked for in the lanes.
    Sought,
    /// Members were asked.
    Asked,
    /// Nobody answered who has it.
    Nobody,
}

#[derive(Debug, Default)]
pub(super) struct Asking {
    /// How often each entry was asked for in vain.
    times: BTreeMap<EntryId, u8>,
    /// What another member has, by a comparison.
    wanted: BTreeSet<EntryId>,
    open: Option<Open>,
    /// The lanes have been searched: members may be asked.
    searched: bool,
    /// Which days to ask about.
    attempt: u32,
    allowance: Allowance,
}

#[derive(Debug)]
struct Open {
    request: Request,
    ids: BTreeSet<EntryId>,
    until: Millis,
}

impl Asking {
    pub(super) fn state(&self, id: &EntryId) -> State {
        let open = self.open.as_ref().is_some_and(|open| open.ids.contains(id));
        match self.times.get(id).copied().unwrap_or_default() {
            _ if open => State::Asked,
            0 => State::Sought,
            times if times < ASKS_ENOUGH => State::Asked,
            _ => State::Nobody,
        }
    }

    pub(super) fn want(&mut self, ids: impl IntoIterator<Item = EntryId>) {
        self.wanted.extend(ids);
    }

    /// Whether all that a comparison named has come, or was given up.
    pub(super) fn wants_nothing(&self) -> bool {
        self.wanted.is_empty()
    }

    pub(super) fn close(&mut self) {
        self.open = None;
    }

    pub(super) fn due(&self) -> Option<Millis> {
        self.open.as_ref().map(|open| open.until)
    }

    /// What to ask for next: those that were asked for least.
    fn choose(&self, missing: &BTreeSet<EntryId>) -> BTreeSet<EntryId> {
        let missing = missing.iter().filter(|_| self.searched);
        let times = |id: &EntryId| self.times.get(id).copied().unwrap_or_default();
        let mut ids: Vec<_> = missing.chain(&self.wanted).copied().collect();
        ids.sort_by_key(|id| (times(id), *id));
        ids.dedup();
        ids.into_iter().take(ASK_IDS_MAX).collect()
    }
}

impl Community {
    /// The lanes are being searched for what is missing; then members are asked.
    pub(in crate::community) fn ask_after_search(&mut self, ctx: &mut Ctx<'_>) {
        self.gaps.asking.searched = true;
        if self.missing_ids.len() > ASK_IDS_MAX {
            // A comparison finds all that are somewhere, however many others somebody named that never were.
            self.wish_to_compare(ctx);
        }
    }

    pub(super) fn advance_asking(&mut self, ctx: &mut Ctx<'_>) {
        let now = ctx.now;
        let asking = &mut self.gaps.asking;
        if asking.open.as_ref().is_some_and(|open| open.until <= now) {
            asking.open = None;
            asking.attempt = asking.attempt.wrapping_add(1);
            // What others said that they have, and do not give.
            let times = &asking.times;
            asking
                .wanted
                .retain(|id| times.get(id).is_none_or(|times| *times < ASKS_ENOUGH));
            ctx.news.view = true;
        }
        if asking.open.is_some() || !asking.allowance.has(now, ASKS_PER_HOUR) {
            return;
        }
        let ids = asking.choose(&self.missing_ids);
        let alone = self.chain.ledger.members.len() < 2;
        let place = self.place_to_ask(ctx, self.gaps.asking.attempt);
        let (false, false, Some(place)) = (ids.is_empty(), alone, place) else {
            return;
        };
        let mut request = Request::default();
        ctx.rng.fill_bytes(&mut request);
        let ask = proto::Ask {
            entries: ids.iter().map(|id| id.0.to_vec()).collect(),
        };
        if !self.say(ctx, place, request, None, Said::Ask(ask)) {
            return;
        }
        let asking = &mut self.gaps.asking;
        asking.allowance.take(now, ASKS_PER_HOUR);
        asking.searched = false;
        let known = |id: &EntryId| self.missing_ids.contains(id) || asking.wanted.contains(id);
        asking.times.retain(|id, _| known(id));
        for id in &ids {
            let times = asking.times.entry(*id).or_default();
            *times = times.saturating_add(1);
        }
        let until = now.plus(ANSWER_MS);
        asking.open = Some(Open {
            request,
            ids,
            until,
        });
        ctx.news.view = true;
    }

    /// Somebody hands out entries, asked for by this device or by another.
    pub(super) fn take_given(
        &mut self,
        ctx: &mut Ctx<'_>,
        envelope: &Envelope,
        entries: &[proto::Written],
    ) {
        let ids: BTreeSet<EntryId> = entries.iter().filter_map(entry::id).collect();
        self.gaps.answering.answered(envelope, Some(&ids));
        let whole = |community: &Self| ids.iter().filter(|id| community.is_whole(id)).count();
        let before = whole(self);
        for written in entries.iter().take(GIVEN_MAX) {
            self.receive(ctx, written);
        }
        let fresh = whole(self) > before;
        let asking = &mut self.gaps.asking;
        asking.wanted.retain(|id| !ids.contains(id));
        let ours = |open: &mut Open| open.request == envelope.request;
        if asking.open.take_if(ours).is_none() || !fresh {
            return;
        }
        // Who had that may have more.
        asking.searched = true;
        let missing = self.feed.gaps(self.saved.window_from_ms);
        if !missing.is_empty() {
            // What came may name what is missing as well, one after the other: better all at once.
            self.wish_to_compare(ctx);
        }
        ctx.news.view = true;
    }
}

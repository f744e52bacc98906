//! Comparing with another member what both have, where something may be missing that nothing names: when cells expired
//! before they were read, after a relay was put back, when the group's keys were lost for a time, and when what was asked
//! for turned out to be the end of a longer row.
//!
//! The wish is stored, and stays until a comparison came to its end. Who begins keeps all that is under way; who answers
//! keeps nothing.

use super::super::{Community, Ctx};
use super::answering::What;
use super::talk::Envelope;
use super::{ANSWER_MS, Request, STEPS_PER_HOUR};
use crate::io::Millis;
use crate::proto;
use crate::reconcile::{Found, STEP_BYTES, Set};
use proto::talk_body::Body as Said;
use rand_core::RngCore;
use std::collections::BTreeSet;
use ume_api::EntryId;
use ume_wire::auth::Hash;

/// First and longest pause before it is tried again, milliseconds.
pub(super) const PAUSE_MS: (u64, u64) = (60_000, 24 * 3_600_000);
/// Who wishes to compare is asked to wait so long for each member, milliseconds: after a relay was put back all do.
const SPREAD_MS: u64 = 500;
/// At most so long.
const SPREAD_MS_MAX: u64 = 600_000;
/// Who may miss something as well is not enough to compare with, unless nothing was found so often one after the other:
/// after a relay was put back all may.
const UNSURE_ENOUGH: u32 = 3;
/// Who may miss something as well answers later, milliseconds.
const DOUBT_MS: u64 = 10_000;

/// A comparison that this device began.
#[derive(Debug)]
pub(super) struct Session {
    request: Request,
    place: u64,
    set: Set,
    /// Who answered first.
    peer: Option<Hash>,
    found: Found,
    /// Whoever answered may miss something as well.
    unsure: bool,
    until: Millis,
}

impl Community {
    /// Something may be missing that nothing names.
    pub(in crate::community) fn wish_to_compare(&mut self, ctx: &mut Ctx<'_>) {
        if self.saved.compare {
            return;
        }
        self.saved.compare = true;
        self.saved_changed = true;
        let members = u64::try_from(self.chain.ledger.members.len()).unwrap_or(u64::MAX);
        let spread = members.saturating_mul(SPREAD_MS).min(SPREAD_MS_MAX);
        let wait = u64::from(ctx.rng.next_u32()) % spread.max(1);
        self.gaps.compare_at = ctx.now.plus(wait);
        self.gaps.compare_pause_ms = PAUSE_MS.0;
    }

    pub(super) fn comparing_due(&self) -> Option<Millis> {
        let session = self.gaps.session.as_ref().map(|session| session.until);
        session.or(Some(self.gaps.compare_at).filter(|_| self.saved.compare))
    }

    pub(super) fn advance_comparing(&mut self, ctx: &mut Ctx<'_>) {
        let late = |session: &mut Session| session.until <= ctx.now;
        if self.gaps.session.take_if(late).is_some() {
            self.gaps.compared = self.gaps.compared.wrapping_add(1);
            self.compare_later(ctx);
        }
        // What the relay has lost is put back first, and what was found before is taken first.
        let ready = self.saved.compare
            && self.saved.recount == 0
            && self.gaps.compare_at <= ctx.now
            && self.gaps.asking.wants_nothing();
        if !ready || self.gaps.session.is_some() {
            return;
        }
        if self.chain.ledger.members.len() < 2 {
            self.compare_done();
            return;
        }
        let Some(place) = self.place_to_ask(ctx, self.gaps.compared) else {
            return;
        };
        let mut request = Request::default();
        ctx.rng.fill_bytes(&mut request);
        let set = self.entries_from(place);
        if !self.say(ctx, place, request, None, Self::step(set.begin(), true)) {
            return;
        }
        self.gaps.session = Some(Session {
            request,
            place,
            set,
            peer: None,
            found: Found::default(),
            unsure: false,
            until: ctx.now.plus(ANSWER_MS),
        });
    }

    fn compare_later(&mut self, ctx: &Ctx<'_>) {
        let pause = self.gaps.compare_pause_ms.max(PAUSE_MS.0);
        self.gaps.compare_at = ctx.now.plus(pause);
        self.gaps.compare_pause_ms = (2 * pause).min(PAUSE_MS.1);
    }

    fn compare_done(&mut self) {
        self.saved.compare = false;
        self.saved_changed = true;
        self.gaps.compared = 0;
        self.gaps.unsure = 0;
    }

    /// What this device has from a place on. What ended or was taken back is among it, without its text, so that all have
    /// the same whenever their clocks say that it ended.
    fn entries_from(&self, place: u64) -> Set {
        let all = self
            .feed
            .all()
            .filter(|kept| !kept.refused && !kept.waiting);
        let within = all.filter(|kept| Self::is_within(&kept.entry, place));
        Set::new(within.map(|kept| (kept.entry.time_ms, kept.entry.id.0)))
    }

    /// A step of somebody's comparison.
    pub(super) fn take_step(
        &mut self,
        ctx: &mut Ctx<'_>,
        envelope: &Envelope,
        step: proto::Step,
        live: bool,
    ) {
        if step.ranges.len() > STEP_BYTES {
            return;
        }
        let me = self.leaf_public();
        match envelope.to {
            Some(to) if to != me => self.gaps.answering.answered(envelope, None),
            Some(_) if self.is_own_session(envelope) => self.compare_step(ctx, envelope, &step),
            // An old one has nobody waiting any more.
            None if !live => {}
            to => {
                let heard = self.gaps.steps_heard.entry(envelope.from).or_default();
                if !heard.take(ctx.now, STEPS_PER_HOUR) {
                    return;
                }
                let doubt = if self.saved.compare { DOUBT_MS } else { 0 };
                match to {
                    None => self.answer_in_turn(ctx, envelope, What::Step(step.ranges), doubt),
                    Some(_) => self.answer_at(ctx.now, envelope, What::Step(step.ranges)),
                }
            }
        }
    }

    fn is_own_session(&self, envelope: &Envelope) -> bool {
        let session = self.gaps.session.as_ref();
        session.is_some_and(|session| session.request == envelope.request)
    }

    /// What this device has to say to a step of another's comparison.
    pub(super) fn answer_step(
        &mut self,
        ctx: &mut Ctx<'_>,
        place: u64,
        request: Request,
        to: Hash,
        step: &[u8],
    ) {
        if let Ok(answer) = self.entries_from(place).answer(step, STEP_BYTES) {
            let unsure = self.saved.compare;
            self.say(ctx, place, request, Some(to), Self::step(answer, unsure));
        }
    }

    /// The other side's answer in a comparison of this device's.
    fn compare_step(&mut self, ctx: &mut Ctx<'_>, envelope: &Envelope, step: &proto::Step) {
        let Some(mut session) = self.gaps.session.take() else {
            return;
        };
        let peer = *session.peer.get_or_insert(envelope.from);
        if peer != envelope.from || session.place != envelope.place {
            // Somebody else was quicker.
            self.gaps.session = Some(session);
            return;
        }
        session.unsure |= step.unsure;
        match session
            .set
            .compare(&step.ranges, STEP_BYTES, &mut session.found)
        {
            Ok(Some(next)) => {
                let (place, request) = (session.place, session.request);
                if self.say(ctx, place, request, Some(peer), Self::step(next, true)) {
                    session.until = ctx.now.plus(ANSWER_MS);
                }
                self.gaps.session = Some(session);
            }
            Ok(None) => self.finish_comparing(ctx, session, peer),
            // Who says what makes no sense is not asked again soon.
            Err(_) => self.compare_later(ctx),
        }
    }

    fn step(ranges: Vec<u8>, unsure: bool) -> Said {
        Said::Step(proto::Step { ranges, unsure })
    }

    /// Both know what each alone has: it is handed over, and asked for.
    fn finish_comparing(&mut self, ctx: &mut Ctx<'_>, session: Session, peer: Hash) {
        let nothing = session.found == Found::default();
        self.gaps.unsure = if nothing { self.gaps.unsure + 1 } else { 0 };
        let sure = !session.unsure || self.gaps.unsure >= UNSURE_ENOUGH;
        if sure && session.found.need.is_empty() {
            self.compare_done();
        } else {
            // What is needed may never come, or be forgotten with a crash before it does: the next comparison tells.
            self.compare_later(ctx);
        }
        let needed = session.found.need.into_iter().map(EntryId);
        // Also what was taken back: it keeps chains whole.
        let absent = |id: &EntryId| !self.is_whole(id);
        let absent: Vec<EntryId> = needed.filter(absent).collect();
        self.gaps.asking.want(absent);
        let mut left: BTreeSet<EntryId> = session.found.have.into_iter().map(EntryId).collect();
        while !left.is_empty() {
            left = self.give(ctx, session.place, session.request, peer, &left);
        }
        self.advance_asking(ctx);
    }
}

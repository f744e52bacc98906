//! Packs of old entries at the relay, for whoever comes when nobody is there and the lanes of those days are empty: making
//! them, announcing them, having them kept for longer, and reading them ([`crate::pack`] has what they are).
//!
//! Nothing under way is stored. What is due follows from the entries that are here: a span of days that is over for long and
//! of which no announcement says that it lies at the relay as it is known here. Whoever makes it puts the blobs there
//! first and announces them then; after a crash the same blobs are made again, and those that are there are not sent twice.
//! Whose announcement says something else than what is here has its pack read, once.

use super::gaps::{Allowance, Request, turn};
use super::history::DAY_MS;
use super::{Community, Ctx};
use crate::audit::Rejected;
use crate::entry::{Entry, Kind, LIFETIME_MS_MAX};
use crate::io::Millis;
use crate::pack::{self, Announced, Contents, Read, Reading, SPAN_DAYS, Stamp, days};
use std::collections::{BTreeMap, BTreeSet};
use ume_api::EntryId;
use ume_wire::auth::{Hash, hash};
use ume_wire::relay::frame::Body;

/// A span is packed when its last day is so long past. The lanes of its first day last 70 days more.
const PAST_DAYS: u64 = 300;
/// An announcement counts for so long; the blobs lie there for 70 days more.
const FRESH_DAYS: u64 = 330;
/// A clock may be so far ahead.
const AHEAD_DAYS: u64 = 1;
/// How often is looked at what is due, milliseconds, and what was announced meanwhile.
const LOOK_MS: u64 = 3_600_000;
/// Pause before what somebody announced is looked at, milliseconds: others may announce more.
const ARRIVAL_MS: u64 = 5_000;
/// Packs that a device makes in an hour.
const PACKS_PER_HOUR: u32 = 30;
/// How long each turn takes, milliseconds: a pack is put at the relay and announced by then.
const TURN_MS: u64 = 60_000;
/// Pause before blobs are asked for again that the relay did not have, milliseconds.
const LOST_MS: u64 = 3_600_000;

/// What is being done about packs.
#[derive(Debug, Default)]
pub(super) struct Packs {
    look_at: Millis,
    work: Work,
    /// What the relay did not hand over, and when it is asked for again.
    lost: BTreeMap<EntryId, Millis>,
    /// Devices that announced what was not so: their packs are not read any more.
    liars: BTreeSet<Hash>,
    made: Allowance,
}

#[derive(Debug, Default)]
enum Work {
    #[default]
    Nothing,
    /// A span is due; it is made when it is this device's turn.
    Waiting(u64, Contents, Millis),
    Making(Box<Making>),
    /// By whom and by which entry it was announced.
    Reading(Hash, EntryId, Box<Reading>),
}

/// A pack on its way to the relay.
#[derive(Debug)]
struct Making {
    span: u64,
    contents: Contents,
    blobs: Vec<Hash>,
    /// The last entry of the blob that was made last.
    last: Stamp,
}

impl Packs {
    /// Somebody announced something.
    pub(super) fn announced(&mut self, now: Millis) {
        self.look_at = self.look_at.min(now.plus(ARRIVAL_MS));
    }

    pub(super) fn is_reading(&self) -> bool {
        matches!(self.work, Work::Reading(..))
    }

    /// The connection is gone; on the next one others may have announced something.
    pub(super) fn line_down(&mut self) {
        self.look_at = Millis::default();
        if let Work::Reading(_, _, reading) = &mut self.work {
            reading.restart();
        }
    }

    /// A cell of a pack arrived, or a refusal.
    pub(super) fn fetched(&mut self, body: &Body) {
        match (&mut self.work, body) {
            (Work::Reading(_, _, reading), Body::BlobPart(part)) => reading.take(part),
            (Work::Reading(_, _, reading), Body::Refused(refused)) => reading.refused(refused),
            _ => {}
        }
    }
}

/// Before the first entry of a span.
fn edge(span: u64) -> Stamp {
    let first_ms = days(span).start().saturating_mul(DAY_MS);
    (first_ms.saturating_sub(1), EntryId([0xff; 32]))
}

fn request(parts: &[&[u8]]) -> Request {
    let mut request = Request::default();
    request.copy_from_slice(&hash(&parts.concat())[..16]);
    request
}

impl Community {
    pub(super) fn packs_due(&self) -> Option<Millis> {
        let at = match &self.packs.work {
            Work::Nothing => self.packs.look_at,
            Work::Waiting(_, _, at) => *at,
            Work::Making(_) | Work::Reading(..) => return None,
        };
        (at > self.looked_at && self.may_talk()).then_some(at)
    }

    pub(super) fn advance_packs(&mut self, ctx: &mut Ctx<'_>) {
        // What was asked for or put is taken in any case.
        if !self.may_talk() && !self.packs.is_reading() {
            return;
        }
        match std::mem::take(&mut self.packs.work) {
            Work::Reading(leaf, id, reading) => self.read_pack(ctx, leaf, id, reading),
            making @ Work::Making(_) => {
                self.packs.work = making;
                self.advance_making(ctx);
            }
            Work::Waiting(span, contents, at) if at <= ctx.now => {
                self.look_at_packs(ctx, Some((span, contents)));
            }
            Work::Nothing if self.packs.look_at <= ctx.now => self.look_at_packs(ctx, None),
            nothing_yet => self.packs.work = nothing_yet,
        }
    }

    /// The relay was put back, and may have forgotten packs. It is believed once a day: each time all are made anew.
    pub(super) fn doubt_packs(&mut self, ctx: &Ctx<'_>) {
        if self.packs_from_ms(ctx).saturating_add(DAY_MS) <= ctx.time.0 {
            self.saved.packs_from_ms = ctx.time.0;
            self.saved_changed = true;
        }
        self.packs.lost.clear();
        self.packs.look_at = Millis::default();
        if matches!(self.packs.work, Work::Making(_)) {
            self.packs.work = Work::Nothing;
        }
    }

    /// From when on announcements say what lies at the relay. A time to come is that of a relay whose clock was wrong.
    fn packs_from_ms(&self, ctx: &Ctx<'_>) -> u64 {
        let from = Some(self.saved.packs_from_ms);
        from.filter(|from| *from <= ctx.time.0).unwrap_or_default()
    }

    /// Whether what an announcement says holds for some time yet.
    fn is_fresh(&self, ctx: &Ctx<'_>, announcement: &Entry) -> bool {
        let fresh_ms = ctx.time.0.saturating_sub(FRESH_DAYS * DAY_MS);
        announcement.time_ms >= fresh_ms.max(self.packs_from_ms(ctx))
    }

    /// Reads what is unknown, or else makes what is due: in its turn, if that has not come yet.
    pub(super) fn look_at_packs(&mut self, ctx: &mut Ctx<'_>, turn_of: Option<(u64, Contents)>) {
        self.packs.look_at = ctx.now.plus(LOOK_MS);
        if let Some((leaf, id, reading)) = self.unread_pack(ctx) {
            self.packs.work = Work::Reading(leaf, id, reading.into());
            ctx.news.view = true;
            self.advance_packs(ctx);
        } else if self.packs.made.has(ctx.now, PACKS_PER_HOUR)
            && let Some((span, contents)) = self.due_pack(ctx)
        {
            if turn_of == Some((span, contents)) {
                return self.make_span(ctx, span, contents);
            }
            let request = request(&[&span.to_le_bytes(), &contents.digest]);
            let wait = self.pack_turn(&request);
            self.packs.work = Work::Waiting(span, contents, ctx.now.plus(wait));
        }
    }

    fn pack_turn(&self, request: &Request) -> u64 {
        let others = self.chain.ledger.members.len().saturating_sub(1);
        turn(&self.leaf_public(), request, others, TURN_MS)
    }

    /// What is said about packs that may still be at the relay, the newest first.
    fn announced(&self, ctx: &Ctx<'_>) -> Vec<(&Entry, Announced)> {
        let until = ctx.time.0.saturating_add(AHEAD_DAYS * DAY_MS);
        let kept = self.feed.all().map(|kept| (kept, &kept.entry));
        let said = kept.filter(|(kept, entry)| {
            entry.kind == Kind::Pack && !kept.refused && entry.time_ms <= until
        });
        let ended = spans_ended(ctx);
        let mut all: Vec<_> = said
            .filter(|(_, entry)| !entry.is_bare() && !entry.is_over(ctx.time.0))
            .filter_map(|(_, entry)| Some((entry, Announced::read(entry.content())?)))
            .filter(|(_, announced)| announced.span < ended)
            .collect();
        all.reverse();
        all
    }

    /// The entries of a span as packs have them.
    fn entries_of(&self, span: u64, after: Stamp) -> impl Iterator<Item = &Entry> {
        let first = self.saved.history.first().map_or(u64::MAX, |era| era.day);
        let (first_ms, end_ms) = (first.saturating_mul(DAY_MS), edge(span + 1).0);
        let later = self.feed.after(after);
        let within = later.take_while(move |kept| kept.entry.time_ms <= end_ms);
        let here = within.filter(|kept| !kept.refused && !kept.waiting);
        here.map(|kept| &kept.entry)
            .filter(move |entry| entry.time_ms >= first_ms)
    }

    fn contents(&self, span: u64) -> Contents {
        let entries = self.entries_of(span, edge(span));
        let has_text = |entry: &Entry| !entry.is_bare() && entry.expires_ms.is_none();
        Contents::of(entries.map(|entry| (entry.id, has_text(entry))))
    }

    /// An announcement of something else than what is here, whose pack may hold what this device may read.
    fn unread_pack(&mut self, ctx: &mut Ctx<'_>) -> Option<(Hash, EntryId, Reading)> {
        let first = self.saved.history.first()?.day;
        let (mut known, mut unread) = (BTreeMap::new(), None);
        // What is here of each span, and whether a newer announcement says just that; and who announced something newer.
        let (mut spans, mut devices) = (BTreeMap::new(), BTreeSet::new());
        for (entry, announced) in self.announced(ctx) {
            let (id, span) = (entry.id, announced.span);
            let (here, told) = spans
                .entry(span)
                .or_insert_with(|| (self.contents(span), false));
            let same = *here == announced.contents;
            let fewer = announced.contents.entries <= here.entries;
            let overtaken = !devices.insert((entry.leaf, span)) || !same && fewer && *told;
            *told |= same;
            if let Some(sound) = self.saved.packs.get(&id) {
                known.insert(id, *sound);
                continue;
            }
            let own = entry.leaf == self.leaf_public();
            if own || same || overtaken {
                // Of those who know better than to read it, about one looks whether it lies there at all.
                let doubts = self.pack_turn(&request(&[&id.0])) < TURN_MS;
                if own || overtaken || !doubts || !self.may_pack(span) {
                    known.insert(id, own || !overtaken);
                }
                continue;
            }
            let lost = self.packs.lost.get(&id).is_some_and(|at| *at > ctx.now);
            let within = *days(span).end() >= first;
            let wanted = within && !lost && !self.packs.liars.contains(&entry.leaf);
            if wanted && unread.is_none() {
                unread = Some((entry.leaf, id, announced));
            }
        }
        if known != self.saved.packs {
            self.saved.packs = known;
            self.saved_changed = true;
        }
        let (leaf, id, announced) = unread?;
        let (community, relay) = (self.community(), self.saved.relay.id);
        let reading = Reading::new(announced, community, &relay, |day| self.day_key(day));
        Some((leaf, id, reading?))
    }

    /// Whether this device may read all of a span, and so make a pack of it.
    fn may_pack(&self, span: u64) -> bool {
        let eras = &self.saved.history;
        let follow = |pair: &[super::generation::Era]| match pair {
            [one, next] => next.generation == one.generation.saturating_add(1),
            _ => true,
        };
        let first = eras.first().map_or(u64::MAX, |era| era.day);
        let all = self.saved.window_from_ms == 0 || *days(span).start() >= first;
        all && self.era().is_some() && eras.windows(2).all(follow)
    }

    /// The oldest span that is to be packed.
    pub(super) fn due_pack(&self, ctx: &Ctx<'_>) -> Option<(u64, Contents)> {
        let mut packed: BTreeMap<u64, Vec<Contents>> = BTreeMap::new();
        for (entry, announced) in self.announced(ctx) {
            if self.is_fresh(ctx, entry) && self.saved.packs.get(&entry.id) == Some(&true) {
                let of = packed.entry(announced.span).or_default();
                of.push(announced.contents);
            }
        }
        let first = self.saved.history.first()?.day;
        let mut at = edge(first / SPAN_DAYS);
        while let Some(kept) = self.feed.after(at).next() {
            let span = kept.entry.time_ms / (SPAN_DAYS * DAY_MS);
            if span >= spans_ended(ctx) {
                break;
            }
            at = edge(span + 1);
            let contents = self.contents(span);
            let is_packed = packed.get(&span).is_some_and(|of| of.contains(&contents));
            if contents.entries > 0 && !is_packed && self.may_pack(span) {
                return Some((span, contents));
            }
        }
        None
    }

    pub(super) fn make_span(&mut self, ctx: &mut Ctx<'_>, span: u64, contents: Contents) {
        let (blobs, last) = (vec![], edge(span));
        let making = Making {
            span,
            contents,
            blobs,
            last,
        };
        self.make_next(ctx, making.into());
    }

    /// Goes on once the blob that was made last lies at the relay.
    pub(super) fn advance_making(&mut self, ctx: &mut Ctx<'_>) {
        let uploads = &self.uploads;
        let is_there = |id: &Hash| uploads.has(id);
        match std::mem::take(&mut self.packs.work) {
            Work::Making(making) if making.blobs.last().is_none_or(is_there) => {
                self.make_next(ctx, making);
            }
            other => self.packs.work = other,
        }
    }

    fn make_next(&mut self, ctx: &mut Ctx<'_>, mut making: Box<Making>) {
        let entries = self.entries_of(making.span, making.last);
        let blob = pack::blob(entries, |day| self.day_key(day), &self.saved.relay.id);
        match blob.filter(|_| making.blobs.len() < pack::BLOBS_MAX) {
            Some((blob, last)) => {
                making.blobs.push(blob.id);
                making.last = last;
                self.uploads.renew(&blob);
                self.packs.work = Work::Making(making);
                self.advance_uploads(ctx);
            }
            None => self.announce_pack(ctx, *making),
        }
    }

    /// All of a pack lies at the relay: says so, unless somebody has.
    fn announce_pack(&mut self, ctx: &mut Ctx<'_>, making: Making) {
        if making.blobs.is_empty() || self.contents(making.span) != making.contents {
            return;
        }
        self.packs.made.take(ctx.now, PACKS_PER_HOUR);
        let made = Announced {
            span: making.span,
            contents: making.contents,
            blobs: making.blobs,
        };
        let mut doubted = vec![];
        for (entry, announced) in self.announced(ctx) {
            let same = announced.span == made.span && announced.contents == made.contents;
            if same && !self.saved.packs.contains_key(&entry.id) {
                let right = self.is_fresh(ctx, entry) && announced.blobs == made.blobs;
                doubted.push((entry.id, right));
            }
        }
        let said = doubted.iter().any(|(_, right)| *right);
        self.saved.packs.extend(doubted);
        self.saved_changed = true;
        let lifetime = Some(LIFETIME_MS_MAX);
        // Whoever may not write any more leaves it to others.
        if said || self.write(ctx, Kind::Pack, made.write(), lifetime).is_ok() {
            self.packs.look_at = ctx.now;
        }
    }

    fn read_pack(&mut self, ctx: &mut Ctx<'_>, leaf: Hash, id: EntryId, mut reading: Box<Reading>) {
        if let Some(body) = reading.ask() {
            ctx.ask(super::Tag::Pack, Some(body.into()));
        }
        let known = |id: &EntryId| self.feed.get(id).is_some();
        let (entries, last) = match reading.result(known) {
            Ok(Read::NotYet) => {
                self.packs.work = Work::Reading(leaf, id, reading);
                return;
            }
            Ok(Read::Entries(entries, last)) => (entries, last),
            Ok(Read::Lost) => {
                self.packs.lost.insert(id, ctx.now.plus(LOST_MS));
                return self.pack_read(ctx);
            }
            Err(bad) => {
                self.reject(Rejected::Pack(bad));
                self.packs.liars.insert(leaf);
                self.saved.packs.insert(id, false);
                return self.pack_read(ctx);
            }
        };
        for entry in entries {
            if self.feed.get(&entry.id).is_some() {
                self.receive(ctx, &entry.written);
            } else {
                self.receive_sound(ctx, entry);
            }
        }
        if last {
            self.saved.packs.insert(id, true);
            return self.pack_read(ctx);
        }
        self.packs.work = Work::Reading(leaf, id, reading);
        self.advance_packs(ctx);
    }

    /// Reading came to its end; there may be more.
    fn pack_read(&mut self, ctx: &mut Ctx<'_>) {
        self.saved_changed = true;
        ctx.news.view = true;
        self.packs.look_at = ctx.now;
        self.advance_packs(ctx);
    }
}

/// Spans below this one are over for long enough.
fn spans_ended(ctx: &Ctx<'_>) -> u64 {
    (ctx.today() + 1).saturating_sub(PAST_DAYS) / SPAN_DAYS
}

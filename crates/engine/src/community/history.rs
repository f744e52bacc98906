//! History for newcomers: every post is also appended to the lane of its day, sealed under a key that steps forward
//! from day to day. An invite that grants thirty days carries the key of the day thirty days ago: from it all later
//! days follow, and none before. Whoever misses an entry reads these lanes again.

use super::generation::Era;
use super::invites::day_of;
use super::outbox::{Out, What};
use super::{Community, Ctx, LogReader, Tag};
use crate::entry;
use crate::io::Millis;
use crate::keys::{OwnLane, Secret, history_forward, history_lane};
use crate::proto;
use prost::Message;

/// Kind of the message in a history lane.
pub(super) const HISTORY: u8 = 2;
/// Days read at the same time.
const DAYS_AT_ONCE: usize = 8;
/// Days that are read again when something is missing.
pub(super) const HEAL_DAYS: u64 = 40;
/// A day, milliseconds.
pub(super) const DAY_MS: u64 = 24 * 3600 * 1000;
/// No time is later than this, milliseconds since 1970: the year 2100.
pub(crate) const LATEST_MS: u64 = 4_102_444_800_000;
/// The last day whose key is ever worked out.
pub(crate) const LATEST_DAY: u64 = LATEST_MS / (24 * 3600 * 1000);
/// Days that a newcomer reads at most: relays keep none longer.
const DAYS_MAX: u64 = 400;
/// First and longest pause before what was not found is looked for again, milliseconds.
pub(super) const HEAL_PAUSE_MS: (u64, u64) = (60_000, 24 * 3_600_000);
/// How long something may be missing before it is looked for, milliseconds.
pub(super) const MISSING_MS: u64 = 5_000;

pub(super) fn day(now: Millis) -> u64 {
    day_of(now.0)
}

/// A day of a generation, as one number that grows with both.
pub(super) fn place_of(generation: u32, day: u64) -> u64 {
    (u64::from(generation) << 32) | (day & 0xffff_ffff)
}

fn era_and_day(place: u64) -> (u32, u64) {
    let generation = u32::try_from(place >> 32).unwrap_or(u32::MAX);
    (generation, place & 0xffff_ffff)
}

impl Community {
    /// The lane of a day, if this member may read it.
    pub(super) fn history_lane(&self, place: u64) -> Option<OwnLane> {
        let key = self.history_key(place)?;
        Some(history_lane(&key, &self.saved.relay.id))
    }

    /// The key of a day, in the newest generation that had begun by then, if this member may read it. That who is out, and
    /// had the keys of the generation before, can open nothing of the new one.
    pub(super) fn day_key(&self, day: u64) -> Option<Secret> {
        let mut eras = self.saved.history.iter().rev();
        let era = eras.find(|era| era.day <= day)?;
        self.history_key(place_of(era.generation, day))
    }

    /// The key of a day of a generation, if this member may read it.
    pub(super) fn history_key(&self, place: u64) -> Option<Secret> {
        let (generation, day) = era_and_day(place);
        let mut eras = self.saved.history.iter();
        let era = eras.find(|era| era.generation == generation)?;
        // A day beyond all days would keep the processor busy for years.
        let steps = day.checked_sub(era.day).filter(|_| day <= LATEST_DAY + 2)?;
        Some(history_forward(&era.key, steps))
    }

    /// Where entries go today, if this member has the generation's key.
    pub(super) fn history_today(&self, now: Millis) -> Option<u64> {
        let era = self.era()?;
        Some(place_of(era.generation, day(now).max(era.day)))
    }

    /// The history of the generation that is now.
    pub(super) fn era(&self) -> Option<&Era> {
        let era = self.saved.history.last()?;
        (era.generation == self.chain.generation).then_some(era)
    }

    /// All days from one on that this member may read, up to tomorrow: a clock may be ahead.
    fn granted_days(&self, now: Millis, from: u64) -> Vec<u64> {
        let mut days = Vec::new();
        let ends = self.saved.history.iter().skip(1).map(|next| next.day);
        let ends = ends.chain(std::iter::once(day(now)));
        for (era, end) in self.saved.history.iter().zip(ends) {
            let last = end.max(era.day).min(LATEST_DAY) + 1;
            let first = era.day.max(from).max(last.saturating_sub(DAYS_MAX));
            days.extend((first..=last).map(|day| place_of(era.generation, day)));
        }
        days
    }

    /// A newcomer reads all days that were granted, today first. Tomorrow's lane exists already where the clock is ahead.
    pub(super) fn plan_history(&mut self, now: Millis) {
        let days = self.granted_days(now, 0).into_iter();
        self.saved.history_todo = days.map(|place| (place, 1)).collect();
        self.saved_changed = true;
    }

    pub(super) fn advance_history(&mut self, ctx: &mut Ctx<'_>) {
        let days: Vec<u64> = self
            .saved
            .history_todo
            .keys()
            .rev()
            .take(DAYS_AT_ONCE)
            .copied()
            .collect();
        for day in days {
            if !self.history.contains_key(&day) {
                let Some(lane) = self.history_lane(day) else {
                    self.saved.history_todo.remove(&day);
                    continue;
                };
                let cursor = self.saved.history_todo.get(&day).copied().unwrap_or(1);
                self.history.insert(day, LogReader::new(lane.keys, cursor));
            }
            let Some(reader) = self.history.get_mut(&day) else {
                continue;
            };
            let (messages, mut ask) = reader.take();
            let (id, tampered) = (reader.id(), reader.tampered);
            if reader.is_caught_up() {
                self.saved.history_todo.remove(&day);
                self.history.remove(&day);
                self.saved_changed = true;
                ctx.news.view = true;
                ask = None;
            } else if ask.is_none() {
                ask = reader.read();
            }
            if ctx.up {
                ctx.ask(Tag::Read(id), ask);
            }
            for message in messages
                .into_iter()
                .filter(|message| message.kind == HISTORY)
            {
                if let Ok(written) = proto::Written::decode(&message.bytes[..]) {
                    if let (Some(found), Some(id)) = (&mut self.restored.found, entry::id(&written))
                    {
                        found.insert(id);
                    }
                    self.receive(ctx, &written);
                }
            }
            self.count_tampered(ctx, tampered);
        }
    }

    /// Notices what is missing, and reads the history again for it after a while.
    pub(super) fn advance_missing(&mut self, ctx: &mut Ctx<'_>) {
        let missing = !self.missing_ids.is_empty();
        // Much of it comes with the packs.
        let reads = !self.saved.history_todo.is_empty() || self.packs.is_reading();
        if !missing || !self.is_synced() || reads {
            self.missing_since = missing.then(|| self.missing_since.unwrap_or(ctx.now));
            return;
        }
        let since = *self.missing_since.get_or_insert(ctx.now);
        if since.plus(MISSING_MS) > ctx.now {
            return;
        }
        // Looked for anew after ever longer pauses: it may never have existed.
        self.missing_since = Some(ctx.now.plus(self.heal_pause_ms));
        self.heal_pause_ms = (2 * self.heal_pause_ms).min(HEAL_PAUSE_MS.1);
        let from = ctx.today().saturating_sub(HEAL_DAYS);
        self.read_history_from(ctx, from);
        self.ask_after_search(ctx);
    }

    /// On a new connection, what is missing is looked for soon: whoever has it may have come.
    pub(super) fn look_for_missing_soon(&mut self, ctx: &Ctx<'_>) {
        self.heal_pause_ms = HEAL_PAUSE_MS.0;
        let soon = ctx.now.plus(HEAL_PAUSE_MS.0);
        self.missing_since = self.missing_since.map(|at| at.min(soon));
    }

    /// Reads all days again from one on.
    pub(super) fn read_history_from(&mut self, ctx: &mut Ctx<'_>, from: u64) {
        let days = self.granted_days(ctx.time, from);
        if !days.is_empty() {
            self.saved.history_todo = days.into_iter().map(|place| (place, 1)).collect();
            self.history.clear();
            self.saved_changed = true;
            self.advance_history(ctx);
        }
    }

    pub(super) fn count_missing(&mut self, ctx: &mut Ctx<'_>) {
        let missing = self.feed.gaps(self.saved.window_from_ms);
        if missing != self.missing_ids {
            self.missing_ids = missing;
            ctx.news.view = true;
        }
        if self.missing_ids.is_empty() {
            self.heal_pause_ms = HEAL_PAUSE_MS.0;
            self.missing_since = None;
        }
    }

    /// Hands newcomers what they need to take part fully, unless somebody else was quicker.
    pub(super) fn advance_handover(&mut self, ctx: &mut Ctx<'_>) {
        if !self.is_synced() {
            return;
        }
        // Who came in again by a relay that was put back may wait for these keys like any newcomer.
        let planned = self.outs_of(&What::Keys);
        if !planned.is_empty() && self.keys_for_newcomers(ctx.time).is_none() {
            for key in planned {
                self.erase_out(ctx, key);
            }
        }
        if self.handover_at.is_none_or(|at| at > ctx.now) {
            return;
        }
        self.handover_at = None;
        if self.chain.keys.member.is_some() {
            self.put_out(ctx, Out::new(What::Keys, None));
        }
    }

    /// What is handed over: the members' write key, and the history key from tomorrow on for those who were granted no
    /// past.
    pub(super) fn keys_for_newcomers(&self, now: Millis) -> Option<proto::Keys> {
        let member = self.chain.keys.member.as_ref()?;
        let era = self.era()?;
        let tomorrow = (day(now) + 1).max(era.day);
        Some(proto::Keys {
            generation: era.generation,
            lane_member: member.bytes().to_vec(),
            history_day: tomorrow,
            history_key: history_forward(&era.key, tomorrow - era.day)
                .bytes()
                .to_vec(),
        })
    }

    pub(super) fn take_keys(&mut self, keys: &proto::Keys) {
        self.handover_at = None;
        if keys.generation != self.chain.generation {
            return;
        }
        let member = Secret::from_slice(&keys.lane_member).filter(|secret| {
            secret.signing_key().verifying_key().to_bytes() == self.chain.keys.member_key
        });
        if self.chain.keys.member.is_none() && member.is_some() {
            self.chain.keys.member = member;
            self.saved_changed = true;
        }
        if self.era().is_none()
            && keys.history_day <= LATEST_DAY + 1
            && let Some(key) = Secret::from_slice(&keys.history_key)
        {
            self.saved.history.push(Era {
                generation: keys.generation,
                day: keys.history_day,
                key,
            });
            self.saved_changed = true;
        }
    }
}

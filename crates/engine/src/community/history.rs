//! History for newcomers: every post is also appended to the lane of its day, sealed under a key that steps forward
//! from day to day. An invite that grants thirty days carries the key of the day thirty days ago: from it all later
//! days follow, and none before. Whoever misses an entry reads these lanes again.

use super::invites::day_of;
use super::posts::{Out, What};
use super::{Community, Ctx, LogReader, Tag};
use crate::io::Millis;
use crate::keys::{LaneKeys, Secret, history_forward, history_lane};
use crate::proto;
use bytes::Bytes;
use prost::Message;
use ume_wire::relay::{LaneKind, LaneNew};

/// Kind of the message in a history lane.
pub(super) const HISTORY: u8 = 2;
/// How long a relay keeps a day's lane.
const TTL_SECONDS: u32 = 400 * 24 * 3600;
/// Days read at the same time.
const DAYS_AT_ONCE: usize = 8;
/// Days that are read again when something is missing.
const HEAL_DAYS: u64 = 40;
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

impl Community {
    /// The lane of a day, if this member may read it.
    pub(super) fn history_keys(&self, day: u64) -> Option<LaneKeys> {
        let (first, key) = self.saved.history.as_ref()?;
        // A day beyond all days would keep the processor busy for years.
        let steps = day.checked_sub(*first).filter(|_| day <= LATEST_DAY + 2)?;
        Some(history_lane(
            &history_forward(key, steps),
            &self.saved.relay.id,
        ))
    }

    pub(super) fn history_lane_new(keys: &LaneKeys) -> LaneNew {
        log_lane(keys, TTL_SECONDS)
    }

    /// A newcomer reads all days that were granted, today first. Tomorrow's lane exists already where the clock is ahead.
    pub(super) fn plan_history(&mut self, now: Millis) {
        let today = day(now);
        if let Some((first, _)) = self.saved.history {
            let last = today.max(first) + 1;
            let first = first.max(last.saturating_sub(DAYS_MAX));
            self.saved.history_todo = (first..=last).map(|day| (day, 1)).collect();
        }
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
                let Some(keys) = self.history_keys(day) else {
                    self.saved.history_todo.remove(&day);
                    continue;
                };
                let cursor = self.saved.history_todo.get(&day).copied().unwrap_or(1);
                self.history.insert(day, LogReader::new(keys, cursor));
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
                if let Ok(signed) = proto::Signed::decode(&message.bytes[..]) {
                    self.receive(ctx, signed);
                }
            }
            self.count_tampered(ctx, tampered);
        }
    }

    /// Notices what is missing, and reads the history again for it after a while.
    pub(super) fn advance_missing(&mut self, ctx: &mut Ctx<'_>) {
        if self.missing == 0 || !self.is_synced() || !self.saved.history_todo.is_empty() {
            self.missing_since = (self.missing > 0).then(|| self.missing_since.unwrap_or(ctx.now));
            return;
        }
        let since = *self.missing_since.get_or_insert(ctx.now);
        if since.plus(MISSING_MS) > ctx.now {
            return;
        }
        // Looked for anew after ever longer pauses: it may never have existed.
        self.missing_since = Some(ctx.now.plus(self.heal_pause_ms));
        self.heal_pause_ms = (2 * self.heal_pause_ms).min(HEAL_PAUSE_MS.1);
        let today = ctx.today();
        if let Some((first, _)) = self.saved.history {
            let from = first.max(today.saturating_sub(HEAL_DAYS));
            self.saved.history_todo = (from..=today + 1).map(|day| (day, 1)).collect();
            self.history.clear();
            self.saved_changed = true;
            self.advance_history(ctx);
        }
    }

    pub(super) fn count_missing(&mut self, ctx: &mut Ctx<'_>) {
        let missing = self.feed.missing(self.saved.window_from_ms);
        if missing != self.missing {
            self.missing = missing;
            ctx.news.view = true;
        }
        if missing == 0 {
            self.heal_pause_ms = HEAL_PAUSE_MS.0;
            self.missing_since = None;
        }
    }

    /// Hands newcomers what they need to take part fully, unless somebody else was quicker.
    pub(super) fn advance_handover(&mut self, ctx: &mut Ctx<'_>) {
        let due = self.handover_at.is_some_and(|at| at <= ctx.now);
        if !due || !self.is_synced() {
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
        let (first, key) = self.saved.history.as_ref()?;
        let tomorrow = (day(now) + 1).max(*first);
        Some(proto::Keys {
            lane_member: member.bytes().to_vec(),
            history_day: tomorrow,
            history_key: history_forward(key, tomorrow - first).bytes().to_vec(),
        })
    }

    pub(super) fn take_keys(&mut self, keys: &proto::Keys) {
        self.handover_at = None;
        let member = Secret::from_slice(&keys.lane_member).filter(|secret| {
            secret.signing_key().verifying_key().to_bytes() == self.chain.keys.member_key
        });
        if self.chain.keys.member.is_none() && member.is_some() {
            self.chain.keys.member = member;
            self.saved_changed = true;
        }
        if self.saved.history.is_none()
            && keys.history_day <= LATEST_DAY + 1
            && let Some(key) = Secret::from_slice(&keys.history_key)
        {
            self.saved.history = Some((keys.history_day, key));
            self.saved_changed = true;
        }
    }
}

/// A log lane that all who know its keys read and write, and nobody can delete.
pub(super) fn log_lane(keys: &LaneKeys, ttl_seconds: u32) -> LaneNew {
    let writer = keys
        .writer
        .as_ref()
        .map(|key| Bytes::copy_from_slice(key.verifying_key().as_bytes()));
    LaneNew {
        lane: Bytes::copy_from_slice(&keys.id),
        kind: LaneKind::Log.into(),
        writers: writer.into_iter().collect(),
        reader: Bytes::copy_from_slice(keys.reader.verifying_key().as_bytes()),
        owner: Bytes::new(),
        ttl_seconds,
        acceptors: 0,
    }
}

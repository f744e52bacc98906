//! The outbox: what has to get to the relay, row by row, until nothing can happen to it any more.
//!
//! An entry is stored, sealed for the lane of the newest epoch and for the history lane of the day, stored again with its
//! sealed cells, and only then appended. Once both lanes have it on disk it counts as sent. Only then the end of the commit
//! lane is asked for: if no commit came in between, every member who goes on to a later epoch drains this lane first, every
//! newcomer reads the history lane afterwards, and so all find the entry: the row is erased. If one did, the entry is sealed
//! again for the new epoch; whoever has it already knows it by its id.

use super::history::HISTORY;
use super::posts::{EntryRow, MLS};
use super::{Community, Ctx, Part, Tag};
use crate::cell;
use crate::io::Table;
use crate::keys::{LaneKeys, OwnLane};
use crate::line::Request;
use crate::mls::Group;
use crate::proto;
use bytes::Bytes;
use prost::Message;
use std::collections::BTreeSet;
use ume_api::EntryId;
use ume_wire::auth::Hash;
use ume_wire::relay::{Append, Head, LaneNew, frame::Body};

/// Rows of the outbox under way at once.
const FLIGHTS_MAX: usize = 64;

/// What a row of the outbox is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum What {
    Entry(EntryId),
    /// Keys for newcomers.
    Keys,
    /// The bundle or card of an invite.
    Bundle(Hash),
    /// That this person is out by mistake.
    Contest,
    /// That this person began the group anew.
    Call,
    /// The answer to somebody who asks to come in.
    Answer {
        invite: Hash,
        request: Hash,
    },
}

/// Cells that are ready to leave.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Sealed {
    /// Epoch, day or slot for which they were sealed.
    place: u64,
    cells: Vec<Vec<u8>>,
}

impl Sealed {
    pub(super) fn new(place: u64, cells: &[Bytes]) -> Self {
        Self {
            place,
            cells: cells.iter().map(|cell| cell.to_vec()).collect(),
        }
    }

    pub(super) fn cells(&self) -> &[Vec<u8>] {
        &self.cells
    }
}

/// A row of the outbox.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Out {
    pub(super) what: What,
    post: Option<Sealed>,
    history: Option<Sealed>,
    pub(super) posted: bool,
    pub(super) in_history: bool,
    settled: bool,
}

impl Out {
    pub(super) fn new(what: What, post: Option<Sealed>) -> Self {
        let plain = !matches!(what, What::Entry(_));
        Self {
            what,
            post,
            history: None,
            posted: false,
            in_history: plain,
            settled: plain,
        }
    }

    fn is_done(&self) -> bool {
        self.posted && self.in_history && self.settled
    }

    /// Whether a relay still lacks something of it.
    pub(super) fn waits(&self) -> bool {
        !self.posted || !self.in_history
    }
}

/// The cells of a row that have left and are not acknowledged.
#[derive(Debug, Default)]
pub(super) struct Flight {
    post: Option<BTreeSet<u16>>,
    history: Option<BTreeSet<u16>>,
}

impl Community {
    pub(super) fn advance_outbox(&mut self, ctx: &mut Ctx<'_>) {
        // The newest lane is read first: it tells whether this store is up to date with its own device.
        let epoch = self.group.as_ref().map(Group::epoch);
        let lane = epoch.and_then(|epoch| self.posts.get(&epoch));
        let read = lane.is_some_and(|lane| lane.reader.is_caught_up());
        if !read || !self.is_synced() || self.holds_back() {
            return;
        }
        self.basis.proven = true;
        let rows: Vec<u64> = self.outbox.keys().copied().collect();
        for key in rows {
            if self.flights.len() >= FLIGHTS_MAX && !self.flights.contains_key(&key) {
                continue;
            }
            self.send_part(ctx, key, Part::Post);
            self.send_part(ctx, key, Part::History);
        }
        self.ask_settled(ctx);
    }

    pub(super) fn send_part(&mut self, ctx: &mut Ctx<'_>, key: u64, part: Part) {
        let Some(out) = self.outbox.get(&key) else {
            return;
        };
        let (done, flying) = match part {
            Part::Post => (
                out.posted,
                self.flights
                    .get(&key)
                    .is_some_and(|flight| flight.post.is_some()),
            ),
            Part::History => (
                out.in_history,
                self.flights
                    .get(&key)
                    .is_some_and(|flight| flight.history.is_some()),
            ),
        };
        if done || flying {
            return;
        }
        let Some((lane, sealed)) = self.seal_part(ctx, key, part) else {
            return;
        };
        let Some(writer) = &lane.writer else { return };
        for (index, cell) in (0..).zip(&sealed.cells) {
            let append = Append {
                lane: Bytes::copy_from_slice(&lane.id),
                cell: Bytes::copy_from_slice(cell),
                ..Append::default()
            };
            ctx.asks.push((
                Tag::Append {
                    out: key,
                    part,
                    index,
                    place: sealed.place,
                },
                Request::signed_by(writer, Body::Append(append)),
            ));
        }
        let flight = self.flights.entry(key).or_default();
        let all = (0..).zip(&sealed.cells).map(|(index, _)| index).collect();
        match part {
            Part::Post => flight.post = Some(all),
            Part::History => flight.history = Some(all),
        }
    }

    /// The cells of a part and the lane that they go to, once that lane exists. Seals them if that has not been done.
    fn seal_part(&mut self, ctx: &mut Ctx<'_>, key: u64, part: Part) -> Option<(LaneKeys, Sealed)> {
        let out = self.outbox.get(&key)?.clone();
        match (part, out.what) {
            (Part::Post, What::Bundle(invite)) => {
                let (lane, new) = self.bundle_lane(&invite)?;
                let ready = self.ensure_lane(ctx, lane.id, || new);
                ready.then_some((lane, out.post?))
            }
            (Part::Post, What::Contest) => {
                let OwnLane { keys, new } = self.own_contest_lane();
                let ready = self.ensure_lane(ctx, keys.id, || new);
                ready.then_some((keys, out.post?))
            }
            (Part::Post, What::Call) => {
                let OwnLane { keys, new } = self.own_beacon_lane();
                let ready = self.may_call() && self.ensure_lane(ctx, keys.id, || new);
                ready.then_some((keys, out.post?))
            }
            (Part::Post, What::Answer { invite, request }) => {
                let (lane, new) = self.answer_lane(&invite, &request)?;
                let ready = self.ensure_lane(ctx, lane.id, || new);
                ready.then_some((lane, out.post?))
            }
            (Part::Post | Part::History, _) => {
                let (lane, new) = self.lane_of(ctx, key, part)?;
                if !self.ensure_lane(ctx, lane.id, || new) {
                    return None;
                }
                Some((lane, self.sealed_of(ctx, key, part)?))
            }
        }
    }

    /// The lane that a part of what is for all members goes to, and how it is made.
    pub(super) fn lane_of(
        &self,
        ctx: &Ctx<'_>,
        key: u64,
        part: Part,
    ) -> Option<(LaneKeys, LaneNew)> {
        let out = self.outbox.get(&key)?;
        match (part, out.what) {
            (Part::Post, _) => {
                let epoch = self.group.as_ref().map(Group::epoch)?;
                let lane = self.posts.get(&epoch)?;
                Some((lane.reader.keys().clone(), lane.new.clone()))
            }
            (Part::History, What::Entry(_)) => {
                let today = self.history_today(ctx.time)?;
                let day = out.history.as_ref().map_or(today, |sealed| sealed.place);
                let OwnLane { keys, new } = self.history_lane(day)?;
                Some((keys, new))
            }
            (Part::History, _) => None,
        }
    }

    /// The same part's cells. Seals them if that has not been done for where it goes now.
    pub(super) fn sealed_of(&mut self, ctx: &mut Ctx<'_>, key: u64, part: Part) -> Option<Sealed> {
        let (lane, _) = self.lane_of(ctx, key, part)?;
        let out = self.outbox.get(&key)?.clone();
        match (part, out.what) {
            (Part::Post, what) => {
                let epoch = self.group.as_ref().map(Group::epoch)?;
                if let Some(sealed) = out.post.filter(|sealed| sealed.place == epoch) {
                    return Some(sealed);
                }
                let post = proto::Post {
                    body: Some(self.content(ctx, what)?),
                }
                .encode_to_vec();
                let message = self.group.as_mut()?.protect(&post).ok()?;
                self.count_own_message();
                if let Some(lane) = self.posts.get_mut(&epoch) {
                    lane.echo.sealed();
                    self.lanes_changed = true;
                }
                let sealed = Sealed::new(epoch, &cell::seal(&lane, MLS, &message, ctx.rng).ok()?);
                self.change_out(ctx, key, |out| out.post = Some(sealed.clone()));
                Some(sealed)
            }
            (Part::History, What::Entry(id)) => {
                if let Some(sealed) = out.history {
                    return Some(sealed);
                }
                let day = self.history_today(ctx.time)?;
                let written = self.written(&id)?.encode_to_vec();
                let sealed = Sealed::new(day, &cell::seal(&lane, HISTORY, &written, ctx.rng).ok()?);
                self.change_out(ctx, key, |out| out.history = Some(sealed.clone()));
                Some(sealed)
            }
            (Part::History, _) => None,
        }
    }

    fn content(&self, ctx: &Ctx<'_>, what: What) -> Option<proto::post::Body> {
        match what {
            What::Entry(id) => self.written(&id).map(proto::post::Body::Entry),
            What::Keys => self
                .keys_for_newcomers(ctx.time)
                .map(proto::post::Body::Keys),
            What::Bundle(_) | What::Contest | What::Call | What::Answer { .. } => None,
        }
    }

    /// Whether the cells of a row that now count are those sealed for this epoch, day or slot.
    pub(super) fn is_sealed_for(&self, key: u64, part: Part, place: u64) -> bool {
        let sealed = self.outbox.get(&key).and_then(|out| match part {
            Part::Post => out.post.as_ref(),
            Part::History => out.history.as_ref(),
        });
        sealed.is_some_and(|sealed| sealed.place == place)
    }

    /// A cell is on the relay's disk.
    pub(super) fn appended(&mut self, ctx: &mut Ctx<'_>, key: u64, part: Part, index: u16) {
        let Some(flight) = self.flights.get_mut(&key) else {
            return;
        };
        let cells = match part {
            Part::Post => &mut flight.post,
            Part::History => &mut flight.history,
        };
        let Some(left) = cells else { return };
        left.remove(&index);
        if !left.is_empty() {
            return;
        }
        *cells = None;
        if flight.post.is_none() && flight.history.is_none() {
            self.flights.remove(&key);
        }
        self.change_out(ctx, key, |out| match part {
            Part::Post => out.posted = true,
            Part::History => out.in_history = true,
        });
        let Some(out) = self.outbox.get(&key) else {
            return;
        };
        let no_history = self.era().is_none();
        match out.what {
            What::Entry(id) if out.posted && (out.in_history || no_history) => {
                self.mark_sent(ctx, &id);
            }
            What::Bundle(invite) => ctx.news.published.push(invite),
            _ => {}
        }
        self.finish_out(ctx, key);
    }

    pub(super) fn mark_sent(&mut self, ctx: &mut Ctx<'_>, id: &EntryId) {
        if !self.feed.sent(id) {
            return;
        }
        if let Some(kept) = self.feed.get(id) {
            self.put_row(ctx, Table::Entry, &id.0, &EntryRow::of(kept));
            self.show(ctx, id);
        }
    }

    /// Asks whether a commit overtook what was posted.
    fn ask_settled(&mut self, ctx: &mut Ctx<'_>) {
        if self.settling.is_some() {
            return;
        }
        let rows: Vec<u64> = self
            .outbox
            .iter()
            .filter(|(_, out)| out.posted && out.in_history && !out.settled)
            .map(|(key, _)| *key)
            .collect();
        if !rows.is_empty() {
            self.settle_round = self.settle_round.wrapping_add(1);
            ctx.ask(Tag::Settle(self.settle_round), Some(self.slots.probe()));
            self.settling = Some(rows);
        }
    }

    pub(super) fn settled(&mut self, ctx: &mut Ctx<'_>, round: u32, head: &Head) {
        if round != self.settle_round {
            return;
        }
        let rows = self.settling.take().unwrap_or_default();
        if head.end != self.chain.slot + 1 {
            self.slots.doubt();
            return;
        }
        let Some(epoch) = self.group.as_ref().map(Group::epoch) else {
            return;
        };
        for key in rows {
            let current = self.outbox.get(&key).is_some_and(|out| {
                out.posted
                    && out
                        .post
                        .as_ref()
                        .is_some_and(|sealed| sealed.place == epoch)
            });
            if current {
                self.change_out(ctx, key, |out| out.settled = true);
                self.finish_out(ctx, key);
            }
        }
    }

    /// A commit came: what is not settled goes out again, for the new epoch.
    pub(super) fn reseal_unsettled(&mut self, ctx: &mut Ctx<'_>) {
        self.settling = None;
        let rows: Vec<u64> = self
            .outbox
            .iter()
            .filter(|(_, out)| !out.settled || matches!(out.what, What::Keys))
            .map(|(key, _)| *key)
            .collect();
        for key in rows {
            if let Some(flight) = self.flights.get_mut(&key) {
                flight.post = None;
            }
            self.change_out(ctx, key, |out| {
                out.posted = false;
                out.post = None;
            });
        }
    }

    /// The relay has forgotten what it took: all that is on its way leaves again, as the same cells.
    pub(super) fn send_again(&mut self, ctx: &mut Ctx<'_>) {
        self.settling = None;
        self.flights.clear();
        let rows: Vec<u64> = self.outbox.keys().copied().collect();
        for key in rows {
            self.change_out(ctx, key, |out| {
                let entry = matches!(out.what, What::Entry(_));
                out.posted = false;
                out.in_history &= !entry;
                out.settled &= !entry;
            });
        }
    }

    /// A generation began: what no history lane has yet goes to the new one's.
    pub(super) fn reseal_history(&mut self, ctx: &mut Ctx<'_>) {
        let rows: Vec<u64> = self
            .outbox
            .iter()
            .filter(|(_, out)| !out.in_history)
            .map(|(key, _)| *key)
            .collect();
        for key in rows {
            if let Some(flight) = self.flights.get_mut(&key) {
                flight.history = None;
            }
            self.change_out(ctx, key, |out| out.history = None);
        }
    }

    fn finish_out(&mut self, ctx: &mut Ctx<'_>, key: u64) {
        if self.outbox.get(&key).is_some_and(Out::is_done) {
            self.erase_out(ctx, key);
        }
    }

    /// Rows of the outbox that are about something.
    pub(super) fn outs_of(&self, what: &What) -> Vec<u64> {
        let about = self.outbox.iter().filter(|(_, out)| out.what == *what);
        about.map(|(key, _)| *key).collect()
    }

    pub(super) fn put_out(&mut self, ctx: &mut Ctx<'_>, out: Out) {
        let key = self.saved.next_out;
        self.saved.next_out = key.wrapping_add(1);
        self.saved_changed = true;
        self.put_row(ctx, Table::Outbox, &key.to_be_bytes(), &out);
        self.outbox.insert(key, out);
    }

    fn change_out(&mut self, ctx: &mut Ctx<'_>, key: u64, change: impl FnOnce(&mut Out)) {
        if let Some(out) = self.outbox.get_mut(&key) {
            change(out);
            let out = out.clone();
            self.put_row(ctx, Table::Outbox, &key.to_be_bytes(), &out);
        }
    }

    pub(super) fn erase_out(&mut self, ctx: &mut Ctx<'_>, key: u64) {
        self.outbox.remove(&key);
        self.flights.remove(&key);
        self.erase_row(ctx, Table::Outbox, &key.to_be_bytes());
    }

    /// Seals anew what has not left yet of an entry whose text was taken away.
    pub(super) fn reseal_bare(&mut self, ctx: &mut Ctx<'_>, id: &EntryId) {
        for key in self.outs_of(&What::Entry(*id)) {
            self.flights.remove(&key);
            self.change_out(ctx, key, |out| {
                if !out.posted || !out.settled {
                    out.posted = false;
                    out.post = None;
                }
                if !out.in_history {
                    out.history = None;
                }
            });
        }
    }

    fn written(&self, id: &EntryId) -> Option<proto::Written> {
        self.feed.get(id).map(|kept| kept.entry.written.clone())
    }
}

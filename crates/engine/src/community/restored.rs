//! A relay that was restored from a backup has forgotten what it took since. Whoever still has it puts it back.
//!
//! Records: each device keeps the values of the last slots as they were, and a public snapshot of the group from before
//! them. When the commit lane has another life than before, or ends before the group's place, its slots are compared
//! with what is kept, generation by generation, each in its own lane. What the relay forgot is proposed again, cell by
//! cell the same, by whoever has it. If a slot was taken by another record meanwhile, this device goes back to the
//! snapshot, follows the relay's records from there, and comes in again as itself (see [`super::again`] for when).
//!
//! Entries: the history lanes of the last weeks are read, and entries that are here and not there go out again; one's own
//! first, and after a while what others should have put back and did not.

use super::chain::Ended;
use super::commit::{Ballot, Staged};
use super::generation::Era;
use super::outbox::{Out, What};
use super::slots::{Chosen, CommitKeys, Place, SlotReader};
use super::watch::Watch;
use super::{Community, Ctx, Intent, history, invites};
use crate::io::Table;
use crate::link::Link;
use crate::proto;
use prost::Message;
use rand_core::RngCore;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use ume_api::{EntryId, InviteKind};
use ume_wire::auth::Hash;
use ume_wire::relay::Head;

/// Rows of kept values begin so; generation and slot follow.
const VALUE: &[u8] = b"value";
/// Rows of snapshots begin so; generation and slot follow.
const BASE: &[u8] = b"base";
/// Values from one snapshot to the next. They are kept from the older one of two on.
const VALUES_PER_BASE: usize = 32;
/// Rounds of counting entries: one's own, then everybody's.
pub(super) const ROUNDS: u8 = 2;
/// Pause between the rounds, milliseconds: at least, and what is drawn on top.
const ROUND_MS: (u64, u32) = (20_000, 40_000);
/// Pause before the invite is looked at again, milliseconds: its bundle may not be there yet.
const ASTRAY_MS: u64 = 60_000;

/// The value of a slot, as it was chosen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct KeptValue {
    hash: Hash,
    cells: Vec<Vec<u8>>,
    /// The lane of the next generation, if it is the last one of its own.
    next: Option<CommitKeys>,
}

/// A snapshot of the group's public state. The ledger there is the beginning of the one that is known now.
#[derive(Debug, Serialize, Deserialize)]
struct Base {
    /// How many statements it has, and what they come to.
    ledger: (u32, Hash),
    /// All else.
    snapshot: Vec<u8>,
}

impl Base {
    fn read(&self) -> Option<proto::JoinBundle> {
        proto::JoinBundle::decode(&self.snapshot[..]).ok()
    }

    /// The snapshot, for whoever knows the ledger's statements.
    fn open(&self, community: &Hash, said: &[Arc<[u8]>]) -> Option<Watch> {
        let (length, head) = self.ledger;
        let said = said.get(..usize::try_from(length).ok()?)?;
        let bundle = proto::JoinBundle {
            statements: said.iter().map(|one| one.to_vec()).collect(),
            ..self.read()?
        };
        Watch::open(community, bundle).filter(|watch| watch.chain.ledger.head() == head)
    }
}

/// What is kept for a relay that forgets, and what is under way because one did.
#[derive(Default)]
pub(super) struct Restored {
    values: BTreeMap<Place, KeptValue>,
    /// Snapshots, by the place that they reach to.
    bases: BTreeMap<Place, Base>,
    /// A kept value that is being proposed again.
    pub(super) proposal: Option<Staged>,
    /// The life of the newest commit lane on this connection.
    life: Option<Vec<u8>>,
    /// The relay has said on this connection where the lane ends.
    greeted: bool,
    /// It has shown the record that began the generation.
    turned: bool,
    /// The lanes' slots are compared with what is kept.
    comparing: bool,
    /// The relay's records are others than ours from before all that is kept; the invite is looked at again then.
    astray: Option<crate::io::Millis>,
    /// Entries found in the history lanes so far.
    pub(super) found: Option<BTreeSet<EntryId>>,
    recount_at: crate::io::Millis,
}

impl Restored {
    /// What the relay said holds for one connection.
    pub(super) fn line_down(&mut self) {
        self.greeted = false;
        self.turned = false;
        self.life = None;
        self.astray = None;
    }
}

/// Where a snapshot begins: its place, the lane there, and the end of the generation before.
struct Edge {
    place: Place,
    keys: CommitKeys,
    ended: Option<Ended>,
}

impl Edge {
    fn of(base: &Base) -> Option<Self> {
        let base = base.read()?;
        Some(Self {
            place: (base.generation, base.slot),
            keys: CommitKeys::from_parts(
                &base.lane,
                [&base.lane_reader, &base.lane_joiner, &base.lane_seal],
                &base.lane_member,
            )?,
            ended: base.ended.as_ref().and_then(Ended::open),
        })
    }

    /// Reads from the end of the generation before on, or, if that is not known or was read, in this one.
    fn reader(self, within: bool) -> SlotReader {
        let (generation, slot) = self.place;
        match self.ended.filter(|_| !within) {
            Some(ended) => SlotReader::new(ended.keys, (generation - 1, ended.slot)),
            None => SlotReader::new(self.keys, (generation, slot.max(1))),
        }
    }

    /// The slot in which the generation before ended, and its value.
    fn end_before(&self) -> Option<(Place, Hash)> {
        let ended = self.ended.as_ref()?;
        Some(((self.place.0 - 1, ended.slot), ended.value))
    }
}

impl Community {
    /// Takes back what was stored.
    pub(super) fn load_kept(&mut self, rows: &BTreeMap<Vec<u8>, Vec<u8>>) {
        let mut damaged = load_by_place(rows, VALUE, &mut self.restored.values);
        damaged += load_by_place(rows, BASE, &mut self.restored.bases);
        self.damaged += damaged;
        self.load_parcels(rows);
    }

    /// The slot up to which the records are known here.
    pub(super) fn place(&self) -> Place {
        let watched = self.watch.as_ref().map(|watch| watch.chain.place());
        watched.unwrap_or(self.chain.place())
    }

    /// Keeps the value of the slot that has just been dealt with.
    pub(super) fn keep_value(&mut self, ctx: &mut Ctx<'_>, chosen: &Chosen) {
        let at = self.slots.place();
        let watch = self.watch.as_mut().map(|watch| &mut watch.chain);
        for chain in [Some(&mut self.chain), watch].into_iter().flatten() {
            chain.came_by(self.slots.keys(), at, chosen.value_hash);
        }
        let ends = self.generation() != at.0;
        let value = KeptValue {
            hash: chosen.value_hash,
            cells: chosen.cells.iter().map(|cell| cell.to_vec()).collect(),
            next: ends.then(|| self.commit_keys().clone()),
        };
        self.put_row(ctx, Table::Community, &key_of(VALUE, at), &value);
        self.restored.values.insert(at, value);
    }

    /// Takes a snapshot when it is time, and lets go of what is older than the one before.
    pub(super) fn advance_kept(&mut self, ctx: &mut Ctx<'_>) {
        let last = self
            .restored
            .bases
            .last_key_value()
            .map(|(place, _)| *place);
        let since = last.map(|(generation, slot)| {
            let newer = self.restored.values.range((generation, slot + 1)..);
            newer.count()
        });
        if since.is_some_and(|count| count < VALUES_PER_BASE) || self.is_lost() {
            return;
        }
        let Some(snapshot) = self.snapshot() else {
            return;
        };
        let place = self.place();
        let ledger = self.ledger_ahead();
        let base = Base {
            ledger: (ledger.len(), ledger.head()),
            snapshot: proto::JoinBundle {
                statements: vec![],
                ..snapshot
            }
            .encode_to_vec(),
        };
        self.put_row(ctx, Table::Community, &key_of(BASE, place), &base);
        self.restored.bases.insert(place, base);
        while self.restored.bases.len() > 2 {
            if let Some((place, _)) = self.restored.bases.pop_first() {
                self.erase_row(ctx, Table::Community, &key_of(BASE, place));
            }
        }
        let bases = &self.restored.bases;
        let (generation, slot) = bases.first_key_value().map_or((0, 0), |(place, _)| *place);
        let newer = self.restored.values.split_off(&(generation, slot + 1));
        let older = std::mem::replace(&mut self.restored.values, newer);
        self.erase_values(ctx, older);
    }

    fn erase_bases(&mut self, ctx: &mut Ctx<'_>, erased: impl Fn(Place) -> bool) {
        let places: Vec<Place> = self.restored.bases.keys().copied().collect();
        for place in places.into_iter().filter(|place| erased(*place)) {
            self.restored.bases.remove(&place);
            self.erase_row(ctx, Table::Community, &key_of(BASE, place));
        }
    }

    fn erase_values(&mut self, ctx: &mut Ctx<'_>, values: BTreeMap<Place, KeptValue>) {
        for place in values.into_keys() {
            self.drop_parcel(ctx, place);
            self.erase_row(ctx, Table::Community, &key_of(VALUE, place));
        }
    }

    /// Erases all that is kept.
    pub(super) fn drop_kept(&mut self, ctx: &mut Ctx<'_>) {
        self.forget_records(ctx);
        self.restored = Restored::default();
    }

    /// Whether the relay's records are being compared with those kept here.
    pub(super) fn is_comparing(&self) -> bool {
        self.restored.comparing
    }

    /// The group began anew, and its lane is new to everybody: entries are counted and what is to be at the relay is put there
    /// as after a relay was put back.
    pub(super) fn begin_comparing(&mut self) {
        self.generation_shown();
        self.restored.astray = None;
        self.restored.comparing = true;
    }

    /// The relay has just shown the record that began the generation: its lane is new to this device, and that is right.
    pub(super) fn generation_shown(&mut self) {
        self.restored.turned = true;
        self.restored.life = None;
    }

    /// The relay said where the commit lane ends.
    pub(super) fn commit_head(&mut self, head: &Head) {
        self.slots.head(head);
        let (generation, known) = &self.saved.life;
        let newest = self.slots.place().0 == self.generation();
        if newest && !head.life.is_empty() {
            self.restored.life = Some(head.life.to_vec());
        }
        if std::mem::replace(&mut self.restored.greeted, true) {
            return;
        }
        let other = if *generation == self.generation() {
            !known.is_empty()
                && self
                    .restored
                    .life
                    .as_ref()
                    .is_some_and(|life| life != known)
        } else {
            !self.restored.turned
        };
        if other || head.end < self.slots.next() {
            self.restored.comparing = true;
        }
        if self.restored.comparing {
            let oldest = self.restored.bases.first_key_value();
            let edge = oldest.and_then(|(_, base)| Edge::of(base));
            self.slots = edge.map_or_else(
                || {
                    let (generation, slot) = self.place();
                    SlotReader::new(self.commit_keys().clone(), (generation, slot.max(1)))
                },
                |edge| edge.reader(false),
            );
        }
    }

    /// Compares the value of a slot that was known before; whether it is the same.
    pub(super) fn compare(&mut self, ctx: &mut Ctx<'_>, chosen: &Chosen) -> bool {
        let at = self.slots.place();
        let known = self.known_value(at);
        if known.is_none_or(|hash| hash == chosen.value_hash) {
            if self.restored.proposal.take().is_some() {
                self.ballot = Ballot::None;
            }
            self.slots.done();
            self.cross(at);
            return true;
        }
        self.go_back(ctx, at);
        false
    }

    fn oldest(&self) -> Option<Edge> {
        Edge::of(self.restored.bases.first_key_value()?.1)
    }

    /// Hash of the value that a slot held before. Of the slots that the oldest snapshot reaches to nothing else is kept.
    fn known_value(&self, at: Place) -> Option<Hash> {
        let kept = self.restored.values.get(&at).map(|kept| kept.hash);
        let base = || {
            let bundle = self.restored.bases.get(&at)?.read()?;
            bundle.value[..].try_into().ok()
        };
        let before = || {
            let (end, value) = self.oldest()?.end_before()?;
            (end == at).then_some(value)
        };
        kept.or_else(base).or_else(before)
    }

    /// Goes over into the next generation after the slot that ended one.
    fn cross(&mut self, at: Place) {
        let kept = self.restored.values.get(&at);
        if let Some(next) = kept.and_then(|kept| kept.next.clone()) {
            self.slots = SlotReader::new(next, (at.0 + 1, 1));
        } else if let Some(edge) = self.oldest()
            && edge.end_before().is_some_and(|(end, _)| end == at)
        {
            self.slots = edge.reader(true);
        }
    }

    /// What is to be proposed now: what the relay forgot comes first.
    pub(super) fn proposal(&self) -> Option<&Staged> {
        let own = self.saved.staged.as_ref();
        self.restored
            .proposal
            .as_ref()
            .or_else(|| own.filter(|_| self.slots.place() > self.place()))
            // One that was staged in a later generation, before a restart, waits until that is reached again.
            .filter(|staged| staged.generation == self.slots.place().0)
    }

    pub(super) fn advance_restored(&mut self, ctx: &mut Ctx<'_>) {
        if self.is_lost() && self.saved.join.is_none() && !self.awaits_rescue() {
            self.look_for_way_in(ctx);
        }
        if !self.slots.is_caught_up() {
            return;
        }
        let at = self.slots.place();
        if at <= self.place() {
            let kept = self.restored.values.get(&at);
            if let (None, Some(kept)) = (&self.restored.proposal, kept) {
                let mut tie = [0; 12];
                ctx.rng.fill_bytes(&mut tie);
                let proposal = Staged::again(at, kept, tie);
                self.restored.proposal = Some(proposal);
                self.ballot = Ballot::None;
            }
            return;
        }
        let life = self.restored.life.clone();
        let life = life.map(|life| (self.generation(), life));
        if let Some(life) = life.filter(|life| *life != self.saved.life) {
            self.saved.life = life;
            self.saved_changed = true;
        }
        if std::mem::take(&mut self.restored.comparing) {
            self.saved.recount = ROUNDS;
            self.wish_to_compare(ctx);
            self.doubt_packs(ctx);
            self.restored.found = None;
            self.restored.recount_at = ctx.now;
            self.send_again(ctx);
            self.put_parcels_again();
            self.send_files_again(ctx);
            self.draft = None;
            for own in &mut self.saved.invites {
                own.bundle_at = None;
                own.card = None;
            }
            self.saved.told.clear();
            self.call_again(ctx);
            if self.chain.keys.member.is_some() {
                self.hand_over_soon(ctx);
            }
            self.saved_changed = true;
        }
    }

    /// The relay's records are others than ours from a slot on: back to before it.
    fn go_back(&mut self, ctx: &mut Ctx<'_>, at: Place) {
        let base = self.restored.bases.range(..at).next_back();
        let community = self.chain.ledger.community;
        let opened = base.and_then(|(_, base)| base.open(&community, &self.said));
        match opened {
            Some(watch) => self.follow_from(ctx, watch),
            None => self.look_for_way_in(ctx),
        }
    }

    /// Only the invite by which this device came may lead to where the relay's records are now.
    pub(super) fn look_for_way_in(&mut self, ctx: &mut Ctx<'_>) {
        if self.restored.astray.is_none_or(|again| again <= ctx.now) {
            self.restored.astray = Some(ctx.now.plus(ASTRAY_MS));
            ctx.news.astray = true;
        }
    }

    /// Where the way in begins again: the invite by which this device came.
    pub(crate) fn way_in(&self) -> Option<Link> {
        let plan = self.saved.join.as_ref().or(self.saved.entrance.as_ref())?;
        Some(Link {
            kind: InviteKind::Open,
            secret: plan.secret.clone(),
            community: self.chain.ledger.community,
            ledger_min: 0,
            relays: vec![self.saved.relay.clone()],
        })
    }

    /// The invite leads to the relay's records; what is kept of others is of no use.
    pub(crate) fn begin_again(&mut self, ctx: &mut Ctx<'_>, watch: Watch, history: Vec<Era>) {
        // Meanwhile the records may have come back that this device knows.
        if self.restored.astray.take().is_none() {
            return;
        }
        self.forget_records(ctx);
        self.follow_from(ctx, watch);
        // Keys of generations that nobody else has would lead to lanes that nobody reads.
        self.saved.history = history;
        self.advance_kept(ctx);
        self.advance(ctx);
    }

    /// What is kept of records that nobody goes on from is of no use.
    pub(super) fn forget_records(&mut self, ctx: &mut Ctx<'_>) {
        let values = std::mem::take(&mut self.restored.values);
        self.erase_values(ctx, values);
        self.erase_bases(ctx, |_| true);
        self.drop_parcels(ctx);
    }

    /// Lets go of the group and follows the relay's records from outside.
    pub(super) fn follow_from(&mut self, ctx: &mut Ctx<'_>, mut watch: Watch) {
        if watch.chain.keys.member_key == self.chain.keys.member_key {
            let member = &self.chain.keys.member;
            watch.chain.keys.member.clone_from(member);
        }
        self.do_again(&watch.chain.ledger);
        self.wish_again(&watch);
        self.answer_again(&watch);
        let generation = watch.chain.generation;
        self.saved
            .history
            .retain(|era| era.generation <= generation);
        let staged = self.saved.staged.take();
        if let Some(staged) = &staged {
            self.drop_parcel(ctx, (staged.generation, staged.slot));
        }
        if let (Some(_), None, Some(group)) = (staged, &self.watch, self.group.as_mut()) {
            let cleared = group.clear_pending();
            debug_assert!(cleared.is_ok());
        }
        self.drop_pending_rows(ctx);
        self.saved.certificate = None;
        self.saved.forked = self.saved.join.is_none();
        self.restored.proposal = None;
        self.ballot = Ballot::None;
        let (generation, slot) = watch.chain.place();
        self.posts.clear();
        self.lanes_changed = true;
        let lost = self.restored.values.split_off(&(generation, slot + 1));
        self.erase_values(ctx, lost);
        self.erase_bases(ctx, |place| place > (generation, slot));
        self.watch = Some(watch);
        self.slots = self.reader_here();
        self.reseal_history(ctx);
        self.save_watch(ctx);
        ctx.news.view = true;
    }

    /// Invites made here that only the forgotten records knew.
    fn wish_again(&mut self, watch: &Watch) {
        let known = &watch.chain.ledger.invites;
        let lost: Vec<Intent> = self
            .saved
            .invites
            .iter()
            .filter_map(|own| {
                let id = invites::invite_id(&own.secret);
                let invite = self.chain.ledger.invites.get(&id)?;
                let lost = !known.contains_key(&id) && !invite.revoked;
                lost.then(|| Intent::Invite {
                    kind: own.kind,
                    first_day: (invite.private.as_ref())
                        .map(|private| private.first_day)
                        .unwrap_or_default(),
                    secret: own.secret.clone(),
                    expires_ms: invite.expires_ms,
                    max_uses: invite.max_uses,
                    window: invite.window,
                    role: invite.role,
                })
            })
            .collect();
        for intent in lost {
            self.intend(intent);
        }
    }

    /// Looks which entries the relay still has, and puts back the others.
    pub(super) fn advance_recount(&mut self, ctx: &mut Ctx<'_>) {
        let Some(first) = self.saved.history.first().map(|era| era.day) else {
            return;
        };
        if self.saved.recount == 0 || !self.is_synced() || !self.saved.history_todo.is_empty() {
            return;
        }
        let from = first.max(ctx.today().saturating_sub(history::HEAL_DAYS));
        let Some(found) = self.restored.found.take() else {
            if self.restored.recount_at <= ctx.now {
                self.restored.found = Some(BTreeSet::new());
                self.read_history_from(ctx, from);
            }
            return;
        };
        let everybodys = self.saved.recount < ROUNDS;
        let going: BTreeSet<EntryId> = self
            .outbox
            .values()
            .filter_map(|out| match out.what {
                What::Entry(id) => Some(id),
                _ => None,
            })
            .collect();
        // All that may be read is read: nothing is too old to be there, whatever its author's clock said.
        let from_ms = if from == first {
            0
        } else {
            from.saturating_mul(history::DAY_MS)
        };
        let lost: Vec<EntryId> = self
            .feed
            .all()
            .filter(|kept| kept.entry.time_ms >= from_ms && !kept.refused)
            .filter(|kept| kept.own || everybodys)
            .map(|kept| kept.entry.id)
            .filter(|id| !found.contains(id) && !going.contains(id))
            .collect();
        for id in lost {
            self.put_out(ctx, Out::new(What::Entry(id), None));
        }
        self.saved.recount -= 1;
        self.wait_for_recount(ctx);
    }

    /// Somebody was taken out by this device. What they had posted, and had no time to put into a history lane, is put there
    /// for those who come later, after whoever it belongs to had their time.
    pub(super) fn count_for_the_absent(&mut self, ctx: &mut Ctx<'_>) {
        if self.saved.recount == 0 {
            self.saved.recount = 1;
            self.restored.found = None;
            self.wait_for_recount(ctx);
        }
    }

    fn wait_for_recount(&mut self, ctx: &mut Ctx<'_>) {
        self.saved_changed = true;
        let wait = ROUND_MS.0 + u64::from(ctx.rng.next_u32() % ROUND_MS.1);
        self.restored.recount_at = ctx.now.plus(wait);
    }

    /// When the next round of counting begins.
    pub(super) fn recount_due(&self) -> Option<crate::io::Millis> {
        let waits = self.saved.recount > 0 && self.restored.found.is_none();
        waits.then_some(self.restored.recount_at)
    }
}

/// Reads the rows that begin so; how many could not be read.
pub(super) fn load_by_place<T: serde::de::DeserializeOwned>(
    rows: &BTreeMap<Vec<u8>, Vec<u8>>,
    kind: &[u8],
    into: &mut BTreeMap<Place, T>,
) -> u32 {
    let mut damaged = 0;
    for (key, bytes) in rows {
        let Some(place) = key.strip_prefix(kind).and_then(place_of_key) else {
            continue;
        };
        match postcard::from_bytes(bytes) {
            Ok(row) => {
                into.insert(place, row);
            }
            Err(_) => damaged += 1,
        }
    }
    damaged
}

pub(super) fn key_of(kind: &[u8], (generation, slot): Place) -> Vec<u8> {
    [kind, &generation.to_be_bytes(), &slot.to_be_bytes()].concat()
}

fn place_of_key(rest: &[u8]) -> Option<Place> {
    let (generation, slot) = rest.split_first_chunk()?;
    let slot = u64::from_be_bytes(slot.try_into().ok()?);
    Some((u32::from_be_bytes(*generation), slot))
}

impl Staged {
    /// A value that was chosen before, as it was.
    fn again((generation, slot): Place, kept: &KeptValue, tie: [u8; 12]) -> Self {
        Self {
            generation,
            slot,
            removes: BTreeSet::new(),
            aad: vec![],
            value_hash: kept.hash,
            cells: kept.cells.clone(),
            round: 1,
            tie,
        }
    }
}

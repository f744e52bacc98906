//! What is stored of a community, and how it is loaded again.

use super::begin::Newcomer;
use super::chain::{Chain, Ended};
use super::commit::{Ballot, Staged};
use super::feed::Feed;
use super::files::Files;
use super::gaps::Gaps;
use super::generation::Era;
use super::intent::Wish;
use super::invites::{OwnInvite, invite_id};
use super::outbox::Out;
use super::packs::Packs;
use super::post_lane::{Echo, PostLane};
use super::posts::EntryRow;
use super::requests::{Requests, Told};
use super::rescues::Rescues;
use super::restored::{ROUNDS, Restored};
use super::slots::{CommitKeys, SLOTS_MAX, SlotReader};
use super::statements;
use super::uploads::Uploads;
use super::watch::Watch;
use super::{Community, Ctx, Kept, LATEST_DAY, Taking};
use crate::entry;
use crate::io::{Key, Millis, Table};
use crate::keys::Secret;
use crate::ledger::Ledger;
use crate::link::RelayRef;
use crate::mls::{Group, LeafKey};
use crate::proto;
use prost::Message;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use ume_api::{Act, Departure, EntryId, Hidden};
use ume_wire::auth::Hash;

const MAIN: &[u8] = b"main";
const LANES: &[u8] = b"lanes";
const WATCH: &[u8] = b"watch";

/// Which of the two places in the store holds the group, and its MLS id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct GroupPlace {
    pub(super) which: u8,
    pub(super) id: Vec<u8>,
}

/// A join that is not yet known to be chosen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct JoinPlan {
    pub(crate) name: String,
    pub(crate) secret: Secret,
}

impl JoinPlan {
    pub(super) fn invite(&self) -> Hash {
        invite_id(&self.secret)
    }
}

/// The main row of a community.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)] // what was done or is to be done, each apart from the others
pub(crate) struct Saved {
    pub(super) number: u32,
    pub(super) relay: RelayRef,
    pub(super) persona: Hash,
    /// Seed of this device's leaf key.
    pub(super) leaf: Secret,
    pub(super) cert: Vec<u8>,
    genesis: Vec<u8>,
    /// How long the ledger is, and what it comes to. Its statements have rows of their own.
    ledger: (u32, Hash),
    generation: u32,
    began_ms: u64,
    keys: CommitKeys,
    slot: u64,
    value: Hash,
    record: Hash,
    time_ms: u64,
    ended: Option<Ended>,
    pub(super) group: Option<GroupPlace>,
    /// MLS id of the group that a staged external commit makes.
    pub(super) pending_id: Option<Vec<u8>>,
    pub(super) staged: Option<Staged>,
    pub(super) wishes: Vec<Wish>,
    pub(super) next_wish: u32,
    pub(super) join: Option<JoinPlan>,
    /// What may be read of the past: for each generation, oldest first, its first day with that day's key.
    pub(super) history: Vec<Era>,
    /// Nothing from before is expected here; 0: everything is.
    pub(super) window_from_ms: u64,
    /// Days whose history is still to be read, with cursors.
    pub(super) history_todo: BTreeMap<u64, u64>,
    pub(super) invites: Vec<OwnInvite>,
    pub(super) certificate: Option<(u64, Vec<u8>)>,
    pub(super) next_out: u64,
    pub(super) own_messages: u32,
    /// The relay's access key that pays for the lanes.
    pub(super) access: Option<Secret>,
    /// The life of the commit lane in which the records were read, and its generation.
    pub(super) life: (u32, Vec<u8>),
    /// By which this device came in, for the case that the relay forgets it.
    pub(super) entrance: Option<JoinPlan>,
    /// The group is followed from a snapshot: the relay has other records than this device had.
    pub(super) forked: bool,
    /// What stood in records that the relay replaced, and has to be done again before anything else.
    pub(super) again: Vec<Act>,
    /// Rounds that are left of looking which entries the relay still has.
    pub(super) recount: u8,
    /// The group's keys are not to be used any more, whatever the next record says.
    pub(super) healing: bool,
    /// What those were told who ask to come in, by this device.
    pub(super) told: BTreeMap<Hash, Told>,
    /// What this person does not want to see.
    pub(super) hidden: Vec<Hidden>,
    /// This person is out.
    pub(super) departed: Option<Departure>,
    /// This device said that it was out by mistake.
    pub(super) contested: bool,
    /// Something may be missing that nothing names: to be compared with another member.
    pub(super) compare: bool,
    /// Announcements of packs that need not be looked at any more, and whether they count.
    pub(super) packs: BTreeMap<EntryId, bool>,
    /// The relay may not have what was announced before.
    pub(super) packs_from_ms: u64,
    /// This device's call, by which the group began anew.
    pub(super) call: Option<Vec<u8>>,
}

impl Saved {
    /// Whether numbers are within their bounds: the store's seal makes sure of more, but not of what an older build wrote.
    fn is_sound(&self) -> bool {
        let days = self.history.iter().all(|era| era.day <= LATEST_DAY + 1);
        let which = self.group.as_ref().map_or(0, |place| place.which);
        self.recount <= ROUNDS && self.slot <= SLOTS_MAX && days && which <= 1
    }

    /// The place in the store that the current group does not use.
    pub(super) fn pending_which(&self) -> u8 {
        self.group.as_ref().map_or(0, |place| 1 - place.which)
    }
}

#[derive(Serialize, Deserialize)]
struct LaneRow {
    secret: Secret,
    cursor: u64,
    retired: bool,
    echo: Echo,
    life: Option<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
struct WatchRow {
    tree: Vec<u8>,
    group_info: Vec<u8>,
    eras: Vec<Era>,
    /// The encoded parcel that leads on.
    parcel: Option<Vec<u8>>,
}

impl Community {
    /// The main row of a community that begins here.
    pub(super) fn saved(
        who: &Newcomer,
        persona: Hash,
        leaf: Secret,
        cert: Vec<u8>,
        chain: &Chain,
    ) -> Saved {
        Saved {
            number: who.number,
            relay: who.relay.clone(),
            persona,
            leaf,
            cert,
            genesis: chain.ledger.genesis_bytes().to_vec(),
            ledger: (chain.ledger.len(), chain.ledger.head()),
            generation: chain.generation,
            began_ms: chain.began_ms,
            keys: chain.keys.clone(),
            slot: chain.slot,
            value: chain.value,
            record: chain.record,
            time_ms: chain.time_ms,
            ended: chain.ended.clone(),
            group: None,
            pending_id: None,
            staged: None,
            wishes: vec![],
            next_wish: 0,
            join: None,
            history: vec![],
            window_from_ms: 0,
            history_todo: BTreeMap::new(),
            invites: vec![],
            certificate: None,
            next_out: 0,
            own_messages: 0,
            access: who.access.clone(),
            life: (chain.generation, vec![]),
            entrance: None,
            forked: false,
            again: vec![],
            recount: 0,
            healing: false,
            told: BTreeMap::new(),
            hidden: vec![],
            departed: None,
            contested: false,
            compare: false,
            packs: BTreeMap::new(),
            packs_from_ms: 0,
            call: None,
        }
    }

    pub(super) fn assemble(saved: Saved, chain: Chain) -> Self {
        Self {
            slots: SlotReader::new(chain.keys.clone(), (chain.generation, chain.slot + 1)),
            saved,
            said: vec![],
            chain,
            group: None,
            pending: None,
            watch: None,
            posts: BTreeMap::new(),
            history: BTreeMap::new(),
            requests: Requests::default(),
            feed: Feed::default(),
            parked: BTreeMap::new(),
            rejected: BTreeMap::new(),
            outbox: BTreeMap::new(),
            flights: BTreeMap::new(),
            settling: None,
            settle_round: 0,
            lanes: BTreeMap::new(),
            basis: super::deposit::Basis::default(),
            ballot: Ballot::None,
            pause_until: Millis::default(),
            poll_at: Millis::default(),
            looked_at: Millis::default(),
            handover_at: None,
            restored: Restored::default(),
            upkeep_at: None,
            dangles: None,
            taking: Taking::default(),
            contests: super::contest::Contests::default(),
            beacons: super::rebirth::Beacons::default(),
            #[cfg(feature = "unruly")]
            unruly: crate::unruly::Unruly::default(),
            missing_since: None,
            missing_ids: BTreeSet::new(),
            gaps: Gaps::default(),
            missing_changed: false,
            heal_pause_ms: super::history::HEAL_PAUSE_MS.0,
            expiry_at: None,
            mls_rows: BTreeMap::new(),
            uploads: Uploads::default(),
            packs: Packs::default(),
            files: Files::default(),
            draft: None,
            rescues: Rescues::default(),
            tampered: 0,
            damaged: 0,
            saved_changed: true,
            lanes_changed: true,
            desk: super::desk::Desk::default(),
        }
    }

    /// Loads a community from its rows; `None` if its main row or its group is not whole.
    pub(crate) fn load(rows: Rows, seed: impl FnMut() -> [u8; 32]) -> Option<Self> {
        let mut seed = seed;
        let saved: Saved = postcard::from_bytes(rows.community.get(MAIN)?).ok()?;
        if !saved.is_sound() {
            return None;
        }
        let said = statements::stored(&rows.community);
        let own = said.get(..usize::try_from(saved.ledger.0).ok()?)?;
        let ledger = Ledger::stored(&saved.genesis, own).ok()?;
        if (ledger.len(), ledger.head()) != saved.ledger {
            return None;
        }
        let chain = Chain {
            ledger,
            generation: saved.generation,
            began_ms: saved.began_ms,
            keys: saved.keys.clone(),
            slot: saved.slot,
            value: saved.value,
            record: saved.record,
            time_ms: saved.time_ms,
            ended: saved.ended.clone(),
        };
        let leaf = LeafKey::from_seed(saved.leaf.bytes());
        let mut places = rows.mls;
        let mls_rows = places
            .iter()
            .map(|(which, rows)| (*which, rows.keys().cloned().collect()))
            .collect();
        let mut open = |which: u8, id: &[u8]| {
            Group::load(places.remove(&which).unwrap_or_default(), id, &leaf, seed()).ok()
        };
        let group = match &saved.group {
            Some(place) => Some(open(place.which, &place.id)?),
            None => None,
        };
        let pending = match (&saved.pending_id, &saved.staged) {
            (Some(id), Some(_)) => open(saved.pending_which(), id),
            _ => None,
        };
        let mut community = Self::assemble(saved, chain);
        community.said = said;
        community.saved_changed = false;
        community.lanes_changed = false;
        community.group = group;
        community.pending = pending;
        community.mls_rows = mls_rows;
        community.load_kept(&rows.community);
        let from_outside = community.saved.join.is_some() || community.saved.forked;
        if community.saved.healing && !from_outside {
            community.watch_own();
        }
        if from_outside {
            let row: WatchRow = postcard::from_bytes(rows.community.get(WATCH)?).ok()?;
            let chain = community.chain.clone();
            let mut watch = Watch::new(chain, &row.tree, row.group_info).ok()?;
            watch.eras = row.eras;
            let parcel = row.parcel.map(|bytes| proto::Parcel::decode(&bytes[..]));
            watch.set_parcel(parcel.transpose().ok()?);
            community.watch = Some(watch);
        }
        if let Some(lanes) = rows.community.get(LANES)
            && !community.load_lanes(lanes)
        {
            community.damaged += 1;
        }
        for (key, bytes) in rows.outbox {
            if let (Ok(key), Ok(out)) = (
                key[..].try_into().map(u64::from_be_bytes),
                postcard::from_bytes::<Out>(&bytes),
            ) {
                community.outbox.insert(key, out);
            } else {
                community.damaged += 1;
            }
        }
        community.load_entries(rows.entries);
        community.load_desk(&rows.community);
        community.load_files(rows.files);
        Some(community)
    }

    fn load_lanes(&mut self, bytes: &[u8]) -> bool {
        let Ok(lanes) = postcard::from_bytes::<BTreeMap<u64, LaneRow>>(bytes) else {
            return false;
        };
        for (epoch, row) in lanes {
            let mut lane = PostLane::new(row.secret, &self.saved.relay.id, row.cursor);
            lane.echo = row.echo;
            lane.reader = lane.reader.in_life(row.life);
            if row.retired {
                lane.retire();
            }
            self.posts.insert(epoch, lane);
        }
        true
    }

    fn load_entries(&mut self, rows: Vec<Vec<u8>>) {
        for bytes in rows {
            let Ok(row) = postcard::from_bytes::<EntryRow>(&bytes) else {
                self.damaged += 1;
                continue;
            };
            // Verified when it was stored; the store's own seal covers it since.
            if let Ok(entry) = entry::parse(&row.written()) {
                self.feed.add(Kept {
                    entry,
                    waiting: row.waiting,
                    own: row.own,
                    refused: row.refused,
                });
            } else {
                self.damaged += 1;
            }
        }
        self.note_bare_posts();
        self.missing_ids = self.feed.gaps(self.saved.window_from_ms);
    }

    /// Writes what changed into the batch. Called once at the end of every input.
    pub(crate) fn flush(&mut self, ctx: &mut Ctx<'_>) {
        self.flush_desk(ctx);
        if std::mem::take(&mut self.missing_changed) {
            self.count_missing(ctx);
        }
        if std::mem::take(&mut self.saved_changed) {
            self.sync_saved();
            let saved = self.saved.clone();
            self.put_row(ctx, Table::Community, MAIN, &saved);
            self.put_statements(ctx);
        }
        if std::mem::take(&mut self.lanes_changed) {
            let lanes: BTreeMap<u64, LaneRow> = self
                .posts
                .iter()
                .map(|(epoch, lane)| {
                    let (secret, cursor) = (lane.secret.clone(), lane.reader.cursor());
                    (
                        *epoch,
                        LaneRow {
                            secret,
                            cursor,
                            retired: lane.is_retired(),
                            echo: lane.echo,
                            life: lane.reader.life().cloned(),
                        },
                    )
                })
                .collect();
            self.put_row(ctx, Table::Community, LANES, &lanes);
        }
        let place = self.saved.group.as_ref().map(|place| place.which);
        let current = place.into_iter().zip(self.group.as_mut());
        let pending = std::iter::once(self.saved.pending_which()).zip(self.pending.as_mut());
        for (which, group) in current.chain(pending) {
            let known = self.mls_rows.entry(which).or_default();
            for (key, value) in group.take_changes() {
                if value.is_some() {
                    known.insert(key.clone());
                } else {
                    known.remove(&key);
                }
                let id = mls_id(self.saved.number, which, &key);
                ctx.batch.0.insert(
                    Key {
                        table: Table::Mls,
                        id,
                    },
                    value,
                );
            }
        }
    }

    fn sync_saved(&mut self) {
        let saved = &mut self.saved;
        saved.ledger = (self.chain.ledger.len(), self.chain.ledger.head());
        saved.generation = self.chain.generation;
        saved.began_ms = self.chain.began_ms;
        saved.keys = self.chain.keys.clone();
        saved.slot = self.chain.slot;
        saved.value = self.chain.value;
        saved.record = self.chain.record;
        saved.time_ms = self.chain.time_ms;
        saved.ended.clone_from(&self.chain.ended);
    }

    /// Stores where following from outside has come to, for a join that outlives a restart.
    pub(super) fn save_watch(&mut self, ctx: &mut Ctx<'_>) {
        let Some(watch) = &self.watch else { return };
        let Ok(tree) = watch.tree() else { return };
        let row = WatchRow {
            tree,
            group_info: watch.group_info().to_vec(),
            eras: watch.eras.clone(),
            parcel: watch.parcel().map(Message::encode_to_vec),
        };
        self.chain = watch.chain.clone();
        self.put_row(ctx, Table::Community, WATCH, &row);
        self.saved_changed = true;
    }

    pub(super) fn drop_watch(&mut self, ctx: &mut Ctx<'_>) {
        self.erase_row(ctx, Table::Community, WATCH);
    }

    /// Erases every row of this community.
    pub(crate) fn erase(&mut self, ctx: &mut Ctx<'_>) {
        for key in [MAIN, LANES, WATCH] {
            self.erase_row(ctx, Table::Community, key);
        }
        self.erase_statements(ctx);
        self.erase_desk(ctx);
        self.drop_kept(ctx);
        self.drop_group_rows(ctx);
        self.drop_pending_rows(ctx);
        self.drop_all_files(ctx);
        let outs: Vec<u64> = self.outbox.keys().copied().collect();
        for key in outs {
            self.erase_out(ctx, key);
        }
        for kept in self.feed.all() {
            let id = self.row_id(&kept.entry.id.0);
            let table = Table::Entry;
            ctx.batch.0.insert(Key { table, id }, None);
        }
    }

    /// Drops the group that is about to be replaced, with its rows.
    pub(super) fn drop_group_rows(&mut self, ctx: &mut Ctx<'_>) {
        self.group = None;
        if let Some(which) = self.saved.group.as_ref().map(|place| place.which) {
            self.drop_place(ctx, which);
        }
    }

    /// Drops a group that was not chosen, with its rows.
    pub(super) fn drop_pending_rows(&mut self, ctx: &mut Ctx<'_>) {
        self.pending = None;
        self.drop_place(ctx, self.saved.pending_which());
        self.saved.pending_id = None;
        self.saved_changed = true;
    }

    fn drop_place(&mut self, ctx: &mut Ctx<'_>, which: u8) {
        for key in self.mls_rows.remove(&which).unwrap_or_default() {
            let id = mls_id(self.saved.number, which, &key);
            ctx.batch.0.insert(
                Key {
                    table: Table::Mls,
                    id,
                },
                None,
            );
        }
    }

    pub(super) fn row_id(&self, key: &[u8]) -> Vec<u8> {
        [&self.saved.number.to_be_bytes()[..], key].concat()
    }

    pub(super) fn erase_row(&self, ctx: &mut Ctx<'_>, table: Table, key: &[u8]) {
        self.put_raw(ctx, table, key, None);
    }

    pub(super) fn put_raw(
        &self,
        ctx: &mut Ctx<'_>,
        table: Table,
        key: &[u8],
        row: Option<Vec<u8>>,
    ) {
        let id = self.row_id(key);
        ctx.batch.0.insert(Key { table, id }, row);
    }

    pub(super) fn put_row<T: Serialize>(
        &self,
        ctx: &mut Ctx<'_>,
        table: Table,
        key: &[u8],
        row: &T,
    ) {
        // Serialising these types fails only when memory is out, and then nothing helps.
        if let Ok(bytes) = postcard::to_allocvec(row) {
            ctx.batch.0.insert(
                Key {
                    table,
                    id: self.row_id(key),
                },
                Some(bytes),
            );
        }
    }
}

fn mls_id(number: u32, which: u8, key: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &[which], key].concat()
}

/// All rows of one community, sorted by what they are.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) community: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) mls: BTreeMap<u8, BTreeMap<Vec<u8>, Vec<u8>>>,
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) outbox: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) files: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Rows {
    pub(crate) fn is_empty(&self) -> bool {
        self.community.is_empty()
            && self.mls.is_empty()
            && self.entries.is_empty()
            && self.outbox.is_empty()
            && self.files.is_empty()
    }
}

/// Sorts stored rows by community number.
pub(crate) fn sort_rows(rows: Vec<(Key, Vec<u8>)>) -> BTreeMap<u32, Rows> {
    let mut sorted: BTreeMap<u32, Rows> = BTreeMap::new();
    for (key, bytes) in rows {
        if key.table == Table::Profile {
            continue;
        }
        let Some((number, rest)) = key.id.split_first_chunk::<4>() else {
            continue;
        };
        let rows = sorted.entry(u32::from_be_bytes(*number)).or_default();
        match (key.table, rest) {
            (Table::Community, rest) => {
                rows.community.insert(rest.to_vec(), bytes);
            }
            (Table::Mls, [which, rest @ ..]) => {
                rows.mls
                    .entry(*which)
                    .or_default()
                    .insert(rest.to_vec(), bytes);
            }
            (Table::Entry, _) => rows.entries.push(bytes),
            (Table::Outbox, rest) => rows.outbox.push((rest.to_vec(), bytes)),
            (Table::File, rest) => rows.files.push((rest.to_vec(), bytes)),
            _ => {}
        }
    }
    sorted
}

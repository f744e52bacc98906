//! What is stored of a community, and how it comes to be: founded, joined, or loaded.

use super::chain::Chain;
use super::commit::{Ballot, Intent, Staged};
use super::feed::Feed;
use super::invites::{OwnInvite, invite_id};
use super::post_lane::{Echo, PostLane};
use super::posts::{EntryRow, Out};
use super::slots::{CommitKeys, SLOTS_MAX, SlotReader};
use super::watch::Watch;
use super::{Community, Ctx, Kept, LATEST_DAY, history};
use crate::entry;
use crate::io::{Key, Millis, Table};
use crate::keys::{EXPORT_GENERATION, Label, Secret};
use crate::ledger::{self, Ledger};
use crate::link::RelayRef;
use crate::mls::{Group, LeafKey, MlsError, Suite};
use crate::proto;
use prost::Message;
use rand_core::RngCore;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
pub(crate) struct Saved {
    pub(super) number: u32,
    pub(super) relay: RelayRef,
    pub(super) persona: Hash,
    /// Seed of this device's leaf key.
    pub(super) leaf: Secret,
    pub(super) cert: Vec<u8>,
    genesis: Vec<u8>,
    statements: Vec<Vec<u8>>,
    generation: u32,
    keys: CommitKeys,
    slot: u64,
    record: Hash,
    time_ms: u64,
    pub(super) group: Option<GroupPlace>,
    /// MLS id of the group that a staged external commit makes.
    pub(super) pending_id: Option<Vec<u8>>,
    pub(super) staged: Option<Staged>,
    pub(super) intents: Vec<Intent>,
    pub(super) join: Option<JoinPlan>,
    /// The first day whose history may be read, with its key.
    pub(super) history: Option<(u64, Secret)>,
    /// Nothing from before is expected here; 0: everything is.
    pub(super) window_from_ms: u64,
    /// Days whose history is still to be read, with cursors.
    pub(super) history_todo: BTreeMap<u64, u64>,
    pub(super) invites: Vec<OwnInvite>,
    pub(super) certificate: Option<(u64, Vec<u8>)>,
    pub(super) next_out: u64,
    pub(super) own_messages: u32,
    /// The group's keys are not to be used any more, whatever the next record says.
    pub(super) healing: bool,
}

impl Saved {
    /// Whether numbers are within their bounds: the store's seal makes sure of more, but not of what an older build wrote.
    fn is_sound(&self) -> bool {
        let day = self.history.as_ref().map_or(0, |(day, _)| *day);
        let which = self.group.as_ref().map_or(0, |place| place.which);
        self.slot <= SLOTS_MAX && day <= LATEST_DAY + 1 && which <= 1
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
}

#[derive(Serialize, Deserialize)]
struct WatchRow {
    tree: Vec<u8>,
    group_info: Vec<u8>,
}

/// Who this device is in a community that it founds or joins.
pub(crate) struct Newcomer {
    pub(crate) number: u32,
    pub(crate) relay: RelayRef,
    pub(crate) name: String,
}

impl Community {
    /// Founds a community: a group of one, complete before anybody hears of it.
    pub(crate) fn found(
        ctx: &mut Ctx<'_>,
        root: &Secret,
        who: &Newcomer,
        name: String,
    ) -> Result<Self, MlsError> {
        let mut salt = [0; 32];
        ctx.rng.fill_bytes(&mut salt);
        let persona = Self::persona_key(root, &salt);
        let suite = Suite::Hybrid;
        let genesis = proto::Genesis {
            salt: salt.to_vec(),
            name,
            owner: persona.verifying_key().to_bytes().to_vec(),
            suite: suite.number().into(),
            relays: vec![proto::Relay {
                address: who.relay.address.clone(),
                id: who.relay.id.to_vec(),
            }],
            quorum: 1,
            created_ms: ctx.time.0,
        };
        let refused = |_| MlsError::Refused("the founding statements".into());
        let mut ledger = Ledger::begin(&genesis.encode_to_vec()).map_err(refused)?;
        let leaf = Secret::random(ctx.rng);
        let leaf_key = leaf.signing_key();
        let cert = ledger::make_cert(
            &persona,
            &ledger.community,
            leaf_key.verifying_key().as_bytes(),
            1,
        );
        let admit = proto::Admit {
            cert: cert.clone(),
            name: who.name.clone(),
            claim: None,
        };
        let admit = ledger::make_statement(&leaf_key, proto::statement::Body::Admit(admit));
        ledger.apply(&admit, ctx.time.0).map_err(refused)?;
        let group = Group::create(suite, &LeafKey::from_seed(leaf.bytes()), &cert, ctx.seed())?;
        let generation: Secret = group.export(EXPORT_GENERATION, &[])?.into();
        let relay = &who.relay.id;
        let member = generation.derive(Label::CommitMember, relay);
        let keys = CommitKeys {
            id: *generation.derive(Label::CommitId, relay).bytes(),
            reader: generation.derive(Label::CommitReader, relay),
            joiner: generation.derive(Label::CommitJoiner, relay),
            seal: generation.derive(Label::CommitSeal, relay),
            member_key: member.signing_key().verifying_key().to_bytes(),
            member: Some(member),
        };
        let chain = Chain {
            ledger,
            generation: 1,
            keys,
            slot: 0,
            record: [0; 32],
            time_ms: ctx.time.0,
        };
        let persona = persona.verifying_key().to_bytes();
        let mut saved = Self::saved(who, persona, leaf, cert, &chain);
        saved.history = Some((history::day(ctx.time), Secret::random(ctx.rng)));
        saved.group = Some(GroupPlace {
            which: 0,
            id: group.id(),
        });
        let mut community = Self::assemble(saved, chain);
        community.group = Some(group);
        community.begin_epoch(ctx);
        Ok(community)
    }

    /// Begins to join, from where the invite's bundle and the records since lead.
    pub(crate) fn join(
        ctx: &mut Ctx<'_>,
        root: &Secret,
        who: Newcomer,
        watch: Watch,
        invite: Secret,
        history: Option<(u64, Secret)>,
    ) -> Self {
        let chain = watch.chain.clone();
        let persona = Self::persona_key(root, &chain.ledger.genesis.salt);
        let leaf = Secret::random(ctx.rng);
        let leaf_key = leaf.signing_key();
        let cert = ledger::make_cert(
            &persona,
            &chain.ledger.community,
            leaf_key.verifying_key().as_bytes(),
            1,
        );
        let mut saved = Self::saved(&who, persona.verifying_key().to_bytes(), leaf, cert, &chain);
        saved.join = Some(JoinPlan {
            name: who.name,
            secret: invite,
        });
        saved.window_from_ms = ctx.time.0.max(1);
        if let Some((day, _)) = &history {
            let from = day * 24 * 3600 * 1000;
            let created_day = history::day(Millis(chain.ledger.genesis.created_ms));
            saved.window_from_ms = if *day <= created_day { 0 } else { from };
        }
        saved.history = history;
        let mut community = Self::assemble(saved, chain);
        community.watch = Some(watch);
        community.save_watch(ctx);
        community.saved_changed = true;
        community
    }

    fn saved(who: &Newcomer, persona: Hash, leaf: Secret, cert: Vec<u8>, chain: &Chain) -> Saved {
        Saved {
            number: who.number,
            relay: who.relay.clone(),
            persona,
            leaf,
            cert,
            genesis: chain.ledger.genesis_bytes().to_vec(),
            statements: chain.ledger.statements().to_vec(),
            generation: chain.generation,
            keys: chain.keys.clone(),
            slot: chain.slot,
            record: chain.record,
            time_ms: chain.time_ms,
            group: None,
            pending_id: None,
            staged: None,
            intents: vec![],
            join: None,
            history: None,
            window_from_ms: 0,
            history_todo: BTreeMap::new(),
            invites: vec![],
            certificate: None,
            next_out: 0,
            own_messages: 0,
            healing: false,
        }
    }

    fn assemble(saved: Saved, chain: Chain) -> Self {
        Self {
            slots: SlotReader::new(chain.keys.clone(), chain.slot + 1),
            saved,
            chain,
            group: None,
            pending: None,
            watch: None,
            posts: BTreeMap::new(),
            history: BTreeMap::new(),
            feed: Feed::default(),
            parked: vec![],
            outbox: BTreeMap::new(),
            flights: BTreeMap::new(),
            settling: None,
            settle_round: 0,
            lanes: BTreeMap::new(),
            ballot: Ballot::None,
            pause_until: Millis::default(),
            poll_at: Millis::default(),
            handover_at: None,
            missing_since: None,
            missing: 0,
            missing_changed: false,
            heal_pause_ms: super::history::HEAL_PAUSE_MS.0,
            mls_rows: BTreeMap::new(),
            tampered: 0,
            damaged: 0,
            saved_changed: true,
            lanes_changed: true,
        }
    }

    /// Loads a community from its rows; `None` if its main row or its group is not whole.
    pub(crate) fn load(rows: Rows, seed: impl FnMut() -> [u8; 32]) -> Option<Self> {
        let mut seed = seed;
        let saved: Saved = postcard::from_bytes(rows.community.get(MAIN)?).ok()?;
        if !saved.is_sound() {
            return None;
        }
        let community = ume_wire::auth::hash(&saved.genesis);
        let ledger = Ledger::replay(&community, &saved.genesis, &saved.statements).ok()?;
        let chain = Chain {
            ledger,
            generation: saved.generation,
            keys: saved.keys.clone(),
            slot: saved.slot,
            record: saved.record,
            time_ms: saved.time_ms,
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
        community.saved_changed = false;
        community.lanes_changed = false;
        community.group = group;
        community.pending = pending;
        community.mls_rows = mls_rows;
        if community.saved.healing {
            community.watch_own();
        }
        if community.saved.join.is_some() {
            let row: WatchRow = postcard::from_bytes(rows.community.get(WATCH)?).ok()?;
            community.watch =
                Some(Watch::new(community.chain.clone(), &row.tree, row.group_info).ok()?);
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
        Some(community)
    }

    fn load_lanes(&mut self, bytes: &[u8]) -> bool {
        let Ok(lanes) = postcard::from_bytes::<BTreeMap<u64, LaneRow>>(bytes) else {
            return false;
        };
        for (epoch, row) in lanes {
            let mut lane = PostLane::new(row.secret, &self.saved.relay.id, row.cursor);
            lane.echo = row.echo;
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
            let signed = proto::Signed {
                content: row.content,
                signature: row.signature,
            };
            // Verified when it was stored; the store's own seal covers it since.
            if let Ok(entry) = entry::parse(&signed) {
                self.feed.add(Kept {
                    entry,
                    waiting: row.waiting,
                    own: row.own,
                });
            } else {
                self.damaged += 1;
            }
        }
        self.missing = self.feed.missing(self.saved.window_from_ms);
    }

    /// Writes what changed into the batch. Called once at the end of every input.
    pub(crate) fn flush(&mut self, ctx: &mut Ctx<'_>) {
        if std::mem::take(&mut self.missing_changed) {
            self.count_missing(ctx);
        }
        if std::mem::take(&mut self.saved_changed) {
            self.sync_saved();
            let saved = self.saved.clone();
            self.put_row(ctx, Table::Community, MAIN, &saved);
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
        if saved.statements.len() != self.chain.ledger.statements().len() {
            saved.statements = self.chain.ledger.statements().to_vec();
        }
        saved.generation = self.chain.generation;
        saved.keys = self.chain.keys.clone();
        saved.slot = self.chain.slot;
        saved.record = self.chain.record;
        saved.time_ms = self.chain.time_ms;
    }

    /// Stores where following from outside has come to, for a join that outlives a restart.
    pub(super) fn save_watch(&mut self, ctx: &mut Ctx<'_>) {
        let Some(watch) = &self.watch else { return };
        let Ok(tree) = watch.tree() else { return };
        let row = WatchRow {
            tree,
            group_info: watch.group_info().to_vec(),
        };
        self.chain = watch.chain.clone();
        self.put_row(ctx, Table::Community, WATCH, &row);
        self.saved_changed = true;
    }

    pub(super) fn drop_watch(&mut self, ctx: &mut Ctx<'_>) {
        let id = self.row_id(WATCH);
        ctx.batch.0.insert(
            Key {
                table: Table::Community,
                id,
            },
            None,
        );
    }

    /// Erases every row of this community.
    pub(crate) fn erase(&mut self, ctx: &mut Ctx<'_>) {
        for key in [MAIN, LANES, WATCH] {
            let id = self.row_id(key);
            ctx.batch.0.insert(
                Key {
                    table: Table::Community,
                    id,
                },
                None,
            );
        }
        self.drop_group_rows(ctx);
        self.drop_pending_rows(ctx);
        let outs: Vec<u64> = self.outbox.keys().copied().collect();
        for key in outs {
            self.erase_out(ctx, key);
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
            _ => {}
        }
    }
    sorted
}

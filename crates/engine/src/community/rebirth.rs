//! When nothing else helps: the group's keys are gone for everybody, or the relay lacks records that nobody keeps. An owner
//! then begins the group anew, for the same people and posts: a call on a lane of the owner's device alone brings the whole
//! ledger, a group of the caller, and for every device that is in the secret of the new records' lane. The caller throws the
//! group away and comes in like everybody else, so that there is one way in.
//!
//! Whom to follow: owners in this device's own ledger, and only while this device cannot go on otherwise. Of two calls for one
//! incarnation that with the lower ledger hash counts, also for whoever follows the other already. Who is out stays out
//! ([`super::again`]).

#[cfg(feature = "fuzzing")]
pub(crate) mod trial;

use super::chain::covers;
use super::generation::{self, Era};
use super::intent::refusal;
use super::outbox::{Out, Sealed, What};
use super::slots::CommitKeys;
use super::watch::Watch;
use super::{Community, Ctx, LogReader, Tag};
use crate::cell;
use crate::io::Millis;
use crate::keys::{EXPORT_GENERATION, OwnLane, Secret, beacon_lane};
use crate::ledger::{INCARNATION, Ledger, Purpose, check, sign};
use crate::mls::Group;
use crate::parcel::{self, Blob, Fetch, Fetched};
use crate::proto::{self, statement::Body as StatementBody};
use prost::Message;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use ume_api::{Act, Departure, Failure, PersonId, Reborn, Role, Stalled};
use ume_wire::auth::Hash;
use ume_wire::relay::frame::Body;

/// Kind of the message in the lane.
const CALL: u8 = 4;
/// Cells that are read of one device's lane.
const CELLS_MAX: u64 = 64;
/// For how long a device has to be connected, to have read all that there is, and not to get on, before nothing else
/// helps, milliseconds: others may be about to put it right.
const STUCK_MS: u64 = 5 * 60_000;

/// By this calls are told apart: the later incarnation comes first, then the lower hash.
pub(super) type Rank = (Reverse<u32>, Hash);

/// A call as it is said, what it brings, the same as blobs, and where it leads.
type Made = (Vec<u8>, Vec<u8>, Vec<Blob>, Watch);

/// A call that was heard.
#[derive(Debug)]
struct Heard {
    leaf: Hash,
    parcel: proto::Parcel,
}

/// Whether this device gets on, and what owners say if not.
#[derive(Debug, Default)]
pub(super) struct Beacons {
    /// Of one connection.
    pub(super) readers: BTreeMap<Hash, LogReader>,
    heard: BTreeMap<Rank, Heard>,
    fetch: Option<(Rank, Fetch)>,
    /// Since when it does not.
    since: Option<Millis>,
    stuck: bool,
    /// After this record nobody takes what this device makes to come back.
    pub(super) futile: Option<Hash>,
}

impl Beacons {
    pub(super) fn line_down(&mut self) {
        let futile = self.futile;
        *self = Self {
            futile,
            ..Self::default()
        };
    }

    pub(super) fn due(&self) -> Option<Millis> {
        let since = self.since.filter(|_| !self.stuck)?;
        Some(since.plus(STUCK_MS))
    }
}

impl Community {
    /// Whether nothing else helps than an owner who begins anew, and none is known to have done so.
    pub(super) fn stalled(&self) -> Option<Stalled> {
        let beacons = &self.beacons;
        let heard = beacons.readers.values().all(LogReader::is_caught_up);
        // Who waits for somebody to be taken out waits for that.
        let open = beacons.stuck && heard && beacons.fetch.is_none() && !self.waits_for_a_removal();
        let last = self.watch.as_ref().and_then(Watch::committer);
        let suspect = last.and_then(|leaf| self.ledger_ahead().current(&leaf).ok());
        let other = suspect.filter(|who| **who != self.saved.persona);
        open.then(|| Stalled {
            suspect: other.map(|who| self.person(who)),
        })
    }

    /// Who began the group anew, the last time.
    pub(super) fn reborn(&self) -> Option<Reborn> {
        let last = self.ledger_ahead().rebirths.last()?;
        Some(Reborn {
            by: self.person(&last.by),
            at: last.time_ms,
        })
    }

    fn beacon_lane(&self, leaf: &Hash) -> OwnLane {
        beacon_lane(&self.chain.ledger.community, leaf, &self.saved.relay.id)
    }

    /// The lane in which this device calls.
    pub(super) fn own_beacon_lane(&self) -> OwnLane {
        let mut lane = self.beacon_lane(&self.leaf_public());
        lane.keys.writer = Some(self.saved.leaf.signing_key());
        lane
    }

    /// Begins the group anew, without somebody if they are named. Durable with this batch; everybody who cannot go on
    /// otherwise follows by themselves.
    pub(crate) fn begin_anew(
        &mut self,
        ctx: &mut Ctx<'_>,
        without: Option<PersonId>,
    ) -> Result<(), Failure> {
        let owner = self.ledger_ahead().role(&self.saved.persona) == Some(Role::Owner);
        let needed = self.stalled().is_some();
        #[cfg(feature = "unruly")]
        let needed = needed || self.unruly.calls;
        if !needed || !owner {
            return Err(Failure::NotAllowed);
        }
        // What is known of the others' records counts, also where this device could not follow with its group.
        let ahead = self.watch.as_ref().map(|watch| watch.chain.clone());
        let before = ahead.map(|ahead| std::mem::replace(&mut self.chain, ahead));
        let made = self.call(ctx, without);
        if let Some(before) = before {
            self.chain = before;
        }
        let (said, _, blobs, watch) = made?;
        let generation = watch.chain.generation;
        self.follow_call(ctx, watch);
        self.keep_parcel(ctx, (generation, 0), blobs);
        self.saved.call = Some(said);
        self.call_again(ctx);
        self.advance(ctx);
        Ok(())
    }

    /// Makes a call, and looks at it like those who will hear it.
    pub(super) fn call(
        &self,
        ctx: &mut Ctx<'_>,
        without: Option<PersonId>,
    ) -> Result<Made, Failure> {
        let internal = || Failure::Internal;
        let time_ms = ctx.time.0;
        let number = self.chain.generation / INCARNATION + 1;
        let generation = number.checked_mul(INCARNATION).ok_or_else(internal)?;
        let removal = without.map(|person| Act::Remove { person, ban: false });
        let removal = removal.and_then(|act| self.statement(&act, time_ms));
        let rebirth = StatementBody::Rebirth(proto::Rebirth {
            generation,
            time_ms,
        });
        let leaf = self.saved.leaf.signing_key();
        let bodies = removal.into_iter().chain([rebirth]).collect();
        let proposal = self.chain.propose(&leaf, bodies, time_ms);
        let ledger = proposal.map_err(refusal)?.ledger;
        let suite = generation::suite(&ledger.genesis).ok_or_else(internal)?;
        let group = Group::create(suite, &self.leaf(), &self.saved.cert, ctx.seed());
        let group = group.map_err(|_| internal())?;
        let secret = group.export(EXPORT_GENERATION, &[]);
        let secret: Secret = secret.map_err(|_| internal())?.into();
        let statements = ledger.statements().iter().map(|one| one.to_vec());
        let time_ms = time_ms.max(self.chain.time_ms);
        let beginning = proto::Beginning {
            rescues: generation::rescues(&secret, &ledger, generation),
            bundle: Some(proto::JoinBundle {
                genesis: ledger.genesis_bytes().to_vec(),
                statements: statements.collect(),
                generation,
                value: vec![0; 32],
                record: ledger.head().to_vec(),
                time_ms,
                generation_ms: time_ms,
                tree: group.tree().map_err(|_| internal())?,
                group_info: group.group_info().map_err(|_| internal())?,
                ..proto::JoinBundle::default()
            }),
        };
        let content = beginning.encode_to_vec();
        let (parcel, blobs) = parcel::seal(&content, ctx.rng).ok_or_else(internal)?;
        let call = proto::Call {
            generation,
            head: ledger.head().to_vec(),
            parcel: Some(parcel),
        };
        let rank = (Reverse(generation), ledger.head());
        let watch = self.begun(rank, &self.leaf_public(), &content);
        let said = sign(&leaf, Purpose::Rebirth, call.encode_to_vec());
        let watch = watch.ok_or_else(internal)?;
        Ok((said.encode_to_vec(), content, blobs, watch))
    }

    /// The place where an incarnation begins, if a call holds: it is of an owner in both ledgers, brings what it says, and
    /// leaves out nobody who is in by its ledger. Who is out by it gets no keys.
    pub(super) fn begun(
        &self,
        (Reverse(generation), head): Rank,
        leaf: &Hash,
        content: &[u8],
    ) -> Option<Watch> {
        let proto::Beginning { bundle, rescues } = proto::Beginning::decode(content).ok()?;
        let bundle = bundle.filter(|one| one.generation == generation && one.slot == 0)?;
        let known = &self.chain.ledger;
        let place = (generation, bundle.generation_ms);
        let rescuer = generation::Rescuer::new(&self.saved.leaf, known)?;
        let secret = rescuer.open(&rescues, generation);
        let keys = secret.as_ref().map_or_else(CommitKeys::none, |secret| {
            CommitKeys::of_generation(secret, &self.saved.relay.id)
        });
        let mut watch = Watch::open_with(&known.community, bundle, keys)?;
        let ledger = &watch.chain.ledger;
        let last = ledger.rebirths.last()?;
        let sound = is_owner(ledger, leaf)
            && (last.generation, last.head) == (generation, head)
            && ledger.head() == head
            && watch.chain.record == head
            && ledger.current(leaf) == Ok(&last.by)
            && watch.leaf_keys() == [*leaf].into()
            && covers(&rescues, ledger);
        let me = self.leaf_public();
        if !sound || (secret.is_none() && !ledger.is_out(&me)) {
            return None;
        }
        if let Some(secret) = secret {
            watch.eras = vec![Era::of(&secret, place.0, place.1)];
        }
        Some(watch)
    }

    /// Goes where a call leads.
    fn follow_call(&mut self, ctx: &mut Ctx<'_>, watch: Watch) {
        let generation = watch.chain.generation;
        for out in self.outs_of(&What::Call) {
            self.erase_out(ctx, out);
        }
        self.saved.call = None;
        if watch.chain.ledger.is_out(&self.leaf_public()) {
            self.chain = watch.chain;
            self.depart(ctx, Departure::Removed);
            return;
        }
        self.forget_records(ctx);
        self.follow_from(ctx, watch);
        self.saved.history.retain(|era| era.generation < generation);
        self.recheck(ctx, 0);
        self.retry_parked(ctx, |_| true);
        self.begin_comparing();
        self.advance_kept(ctx);
        self.advance_rebirth(ctx);
    }

    /// Puts this device's own call into the outbox, unless it is there.
    pub(super) fn call_again(&mut self, ctx: &mut Ctx<'_>) {
        let Some(said) = self.saved.call.clone() else {
            return;
        };
        if self.outs_of(&What::Call).is_empty() {
            let lane = self.own_beacon_lane().keys;
            let Ok(cells) = cell::seal(&lane, CALL, &said, ctx.rng) else {
                return;
            };
            self.put_out(ctx, Out::new(What::Call, Some(Sealed::new(0, &cells))));
        }
    }

    /// Whether what belongs to this device's call is at the relay.
    pub(super) fn may_call(&mut self) -> bool {
        let generation = self.chain.ledger.incarnation();
        self.parcel_is_there((generation, 0))
    }

    /// Looks whether this device gets on, and what owners call to if it does not.
    pub(super) fn advance_rebirth(&mut self, ctx: &mut Ctx<'_>) {
        let read = self.slots.is_caught_up() || self.is_lost();
        if self.is_synced() || self.saved.join.is_some() || !read {
            self.beacons.since = None;
            self.beacons.stuck = false;
        } else {
            let since = *self.beacons.since.get_or_insert(ctx.now);
            self.beacons.stuck = since.plus(STUCK_MS) <= ctx.now;
        }
        if self.saved.join.is_some() {
            return;
        }
        self.read_beacons(ctx);
        self.heed(ctx);
    }

    /// Reads the owners' lanes, if this device needs a call or came by one.
    fn read_beacons(&mut self, ctx: &mut Ctx<'_>) {
        let ledger = self.ledger_ahead();
        if !self.beacons.stuck && ledger.incarnation() == 0 {
            return;
        }
        let owners = ledger.members.values();
        let owners = owners.filter(|one| one.role == Role::Owner);
        let me = self.leaf_public();
        let leaves = owners.flat_map(|one| one.leaves.clone());
        let leaves: Vec<Hash> = leaves.filter(|leaf| *leaf != me).collect();
        let mut readers = std::mem::take(&mut self.beacons.readers);
        readers.retain(|leaf, _| leaves.contains(leaf));
        self.beacons
            .heard
            .retain(|_, one| leaves.contains(&one.leaf));
        for leaf in leaves {
            let OwnLane { keys, new } = self.beacon_lane(&leaf);
            let reader = readers
                .entry(leaf)
                .or_insert_with(|| LogReader::new(keys, 1));
            if reader.cursor() > CELLS_MAX {
                continue;
            }
            let messages = self.follow_own(ctx, new, reader);
            let calls = messages.into_iter().filter(|one| one.kind == CALL);
            for call in calls {
                self.hear_call(leaf, &call.bytes);
            }
        }
        self.beacons.readers = readers;
    }

    pub(super) fn hear_call(&mut self, leaf: Hash, bytes: &[u8]) -> Option<()> {
        let (rank, parcel) = open_call(&leaf, bytes)?;
        self.beacons.heard.insert(rank, Heard { leaf, parcel });
        Some(())
    }

    /// Whether this device is to go there: it needs to, or has gone where another call for the same led, and that is to yield.
    fn is_for_me(&self, (Reverse(generation), head): &Rank) -> bool {
        let ledger = self.ledger_ahead();
        match ledger.rebirths.last() {
            Some(last) if last.generation == *generation => *head < last.head,
            _ => self.beacons.stuck && *generation > self.generation(),
        }
    }

    /// Takes the first of the calls that holds.
    fn heed(&mut self, ctx: &mut Ctx<'_>) {
        let best = self.beacons.heard.keys().find(|rank| self.is_for_me(rank));
        let Some(rank) = best.copied() else {
            self.beacons.fetch = None;
            return;
        };
        let fetching = self.beacons.fetch.take().filter(|(of, _)| *of == rank);
        let Some(Heard { leaf, parcel }) = self.beacons.heard.get(&rank) else {
            return;
        };
        let (leaf, fetch) = (*leaf, fetching.map(|(_, fetch)| fetch));
        let Some(mut fetch) = fetch.or_else(|| Fetch::new(parcel)) else {
            self.beacons.heard.remove(&rank);
            return;
        };
        ctx.ask(Tag::Call, fetch.ask().map(Into::into));
        let watch = match fetch.result() {
            Fetched::NotYet => {
                self.beacons.fetch = Some((rank, fetch));
                return;
            }
            Fetched::Lost => None,
            Fetched::Whole(content) => self.begun(rank, &leaf, content),
        };
        // What does not hold, or is not there, is not looked at again on this connection.
        self.beacons.heard.remove(&rank);
        match watch {
            Some(watch) => {
                self.follow_call(ctx, watch);
                self.advance(ctx);
            }
            None => self.heed(ctx),
        }
    }

    /// A cell of what a call brings arrived, or a refusal.
    pub(super) fn call_fetched(&mut self, body: &Body) {
        match (&mut self.beacons.fetch, body) {
            (Some((_, fetch)), Body::BlobPart(part)) => fetch.take(part),
            (Some((_, fetch)), Body::Refused(refused)) => fetch.refused(refused),
            _ => {}
        }
    }
}

/// What a device says in its lane, if it did say it: where it calls to, and what it brings.
fn open_call(leaf: &Hash, bytes: &[u8]) -> Option<(Rank, proto::Parcel)> {
    let said = proto::Signed::decode(bytes).ok()?;
    check(leaf, Purpose::Rebirth, &said.content, &said.signature).ok()?;
    let call = proto::Call::decode(&said.content[..]).ok()?;
    let rank = (Reverse(call.generation), call.head[..].try_into().ok()?);
    Some((rank, call.parcel?))
}

fn is_owner(ledger: &Ledger, leaf: &Hash) -> bool {
    let persona = ledger.current(leaf).ok();
    persona.and_then(|one| ledger.role(one)) == Some(Role::Owner)
}

//! Following a group from outside: with everything that is public and no member's secrets. Who joins does it, and who
//! fell out of the group's keys.

use super::chain::{Chain, Ended, Judged};
use super::generation::{Era, Rescuer};
use super::slots::{Chosen, CommitKeys, SLOTS_MAX};
use crate::keys::Secret;
use crate::ledger::{Effect, Ledger};
use crate::mls::{Committer, Follower, MlsError, PublicIncoming, Suite};
use crate::proto;
use std::collections::BTreeSet;
use ume_wire::auth::Hash;

/// A place in the chain with the group's public state there.
pub(crate) struct Watch {
    pub(crate) chain: Chain,
    follower: Follower,
    /// `GroupInfo` of the epoch here: what an external commit starts from.
    group_info: Vec<u8>,
    /// The history of generations that began meanwhile.
    pub(crate) eras: Vec<Era>,
    /// Leaf key of the member who made the last record, unless somebody from outside did.
    committer: Option<Hash>,
    /// Where the way into the generation lies that has begun, if it does not lie in its record.
    parcel: Option<proto::Parcel>,
}

impl Watch {
    /// Begins at a place with the tree and the `GroupInfo` of its epoch.
    pub(crate) fn new(chain: Chain, tree: &[u8], group_info: Vec<u8>) -> Result<Self, MlsError> {
        Ok(Self {
            chain,
            follower: Follower::new(tree, &group_info)?,
            group_info,
            eras: vec![],
            committer: None,
            parcel: None,
        })
    }

    /// Begins where a snapshot was taken.
    pub(crate) fn open(community: &Hash, snapshot: proto::JoinBundle) -> Option<Self> {
        let keys = CommitKeys::from_parts(
            &snapshot.lane,
            [
                &snapshot.lane_reader,
                &snapshot.lane_joiner,
                &snapshot.lane_seal,
            ],
            &snapshot.lane_member,
        )?;
        Self::open_with(community, snapshot, keys)
    }

    /// The same for whoever knows the keys of the lane from elsewhere.
    pub(crate) fn open_with(
        community: &Hash,
        snapshot: proto::JoinBundle,
        keys: CommitKeys,
    ) -> Option<Self> {
        let ledger = Ledger::replay(community, &snapshot.genesis, &snapshot.statements).ok()?;
        let began = ledger.incarnation();
        let first = snapshot.generation == began.max(1);
        if snapshot.slot > SLOTS_MAX
            || snapshot.generation < began
            || first != snapshot.ended.is_none()
        {
            return None;
        }
        let ended = match &snapshot.ended {
            Some(ended) => Some(Ended::open(ended)?),
            None => None,
        };
        let chain = Chain {
            ledger,
            generation: snapshot.generation,
            began_ms: snapshot.generation_ms,
            slot: snapshot.slot,
            value: snapshot.value[..].try_into().ok()?,
            record: snapshot.record[..].try_into().ok()?,
            time_ms: snapshot.time_ms,
            keys,
            ended,
        };
        Self::new(chain, &snapshot.tree, snapshot.group_info).ok()
    }

    /// Takes the next slot's value; see [`Self::take`].
    pub(crate) fn take_value(&mut self, chosen: &Chosen) {
        let (generation, slot) = self.chain.place();
        let lane = self.chain.keys.clone();
        self.take(chosen.record.as_deref(), None);
        let at = (generation, slot + 1);
        self.chain.came_by(&lane, at, chosen.value_hash);
    }

    /// Takes what the next slot holds; what it did. `rescuer` opens what is there for this device if it is a member's.
    pub(crate) fn take(
        &mut self,
        record: Option<&[u8]>,
        rescuer: Option<(&Rescuer, &Hash)>,
    ) -> Vec<Effect> {
        let judged = record.and_then(|bytes| self.judge(bytes));
        let Some((judged, incoming, record)) = judged else {
            self.chain.advance(None);
            return vec![];
        };
        let committer = match &incoming.facts.committer {
            Committer::Member(member) => Some(member.leaf_key),
            Committer::External(_) => None,
        };
        if self.follower.merge(incoming).is_err() {
            self.chain.advance(None);
            return vec![];
        }
        let (turns, effects) = (judged.turns, judged.effects.clone());
        self.chain.advance(Some(judged));
        if turns {
            self.turn(&record, rescuer);
        }
        self.group_info = record.group_info;
        self.committer = committer;
        effects
    }

    fn turn(&mut self, record: &proto::Record, rescuer: Option<(&Rescuer, &Hash)>) {
        let (generation, time_ms) = (self.chain.generation, self.chain.time_ms);
        self.chain.keys = CommitKeys::none();
        self.parcel = None;
        let Some((rescuer, relay)) = rescuer else {
            return;
        };
        match rescuer.open(&record.rescues, generation) {
            Some(secret) => self.enter(&secret, relay, Era::of(&secret, generation, time_ms)),
            None => self.parcel.clone_from(&record.rescue_parcel),
        }
    }

    fn enter(&mut self, secret: &Secret, relay: &Hash, era: Era) {
        self.chain.keys = CommitKeys::of_generation(secret, relay);
        self.eras.push(era);
        self.parcel = None;
    }

    /// Where the way on lies, if it is to be fetched.
    pub(crate) fn parcel(&self) -> Option<&proto::Parcel> {
        self.parcel.as_ref()
    }

    /// The same, for a place that was stored.
    pub(crate) fn set_parcel(&mut self, parcel: Option<proto::Parcel>) {
        self.parcel = parcel;
    }

    /// What the parcel held; whether it leads on.
    pub(crate) fn rescued(
        &mut self,
        held: &[proto::Rescue],
        rescuer: &Rescuer,
        relay: &Hash,
    ) -> bool {
        let (generation, time_ms) = (self.chain.generation, self.chain.time_ms);
        let Some(secret) = rescuer.open(held, generation) else {
            return false;
        };
        self.enter(&secret, relay, Era::of(&secret, generation, time_ms));
        true
    }

    /// Whether the group has gone where it cannot be followed with what is known here.
    pub(crate) fn is_lost(&self) -> bool {
        self.chain.keys.is_none()
    }

    /// What a record of the next slot comes to, as everybody judges it.
    pub(crate) fn judge(&self, bytes: &[u8]) -> Option<(Judged, PublicIncoming, proto::Record)> {
        let record: proto::Record = self.chain.read(bytes).ok()?;
        let incoming = self.follower.process(&record.commit).ok()?;
        let judged = self.chain.judge(bytes, &record, &incoming.facts).ok()?;
        Some((judged, incoming, record))
    }

    /// Whose device made the last record, if a member's did.
    pub(crate) fn committer(&self) -> Option<Hash> {
        self.committer
    }

    /// Leaf keys of all devices in the group's tree.
    pub(crate) fn leaf_keys(&self) -> BTreeSet<Hash> {
        let members = self.follower.members().into_iter();
        members.map(|member| member.leaf_key).collect()
    }

    /// Whether everybody in the group's tree is a device that the ledger knows. Who went may still be in the tree.
    pub(crate) fn all_admitted(&self) -> bool {
        let ledger = &self.chain.ledger;
        self.follower
            .members()
            .iter()
            .all(|member| ledger.persona_of(&member.leaf_key).is_some())
    }

    pub(crate) fn suite(&self) -> Option<Suite> {
        self.follower.suite().ok()
    }

    pub(crate) fn tree(&self) -> Result<Vec<u8>, MlsError> {
        self.follower.tree()
    }

    pub(crate) fn group_info(&self) -> &[u8] {
        &self.group_info
    }

    /// What an external commit starts from, if it may lead into the group at all: tree and `GroupInfo`.
    pub(crate) fn way_in(&self) -> Result<(Vec<u8>, &[u8]), MlsError> {
        self.follower.check_group_info(&self.group_info)?;
        Ok((self.tree()?, &self.group_info))
    }
}

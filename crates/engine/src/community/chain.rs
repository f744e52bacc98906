//! The chain of records: what a slot's record means, judged from public facts alone, so that everybody who reads the
//! lane comes to the same verdict. A record that fails any rule is void: its slot counts, and nothing else changes.

use super::slots::{CommitKeys, Place, SLOTS_MAX};
use crate::ledger::{self, Applied, Effect, Ledger, LedgerError};
use crate::mls::{CommitFacts, Committer};
use crate::parcel::Fetch;
use crate::proto;
use ed25519_dalek::SigningKey;
use prost::Message;
use ume_wire::auth::{Hash, hash};

/// Slots after which a generation ends.
const SLOTS_PER_GENERATION: u64 = 256;
/// Time after which it ends, milliseconds.
const GENERATION_MS: u64 = 30 * 24 * 3600 * 1000;

/// Devices whose rescues a record holds itself. Those of more lie beside it, so that not everybody has to fetch them.
pub(super) const RESCUES_HERE: usize = 32;

/// How a record reaches devices that have lost the group's keys: it holds their rescues, or says where they are.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    pub(super) here: Vec<proto::Rescue>,
    pub(super) parcel: Option<proto::Parcel>,
}

#[cfg(feature = "unruly")]
impl Ways {
    /// As a changed program might make them.
    pub(crate) fn spoil(&mut self) {
        for rescue in &mut self.here {
            rescue.sealed.clear();
        }
    }
}

/// Why a record is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Void {
    /// It is no record, or its commit names no place.
    #[error("malformed")]
    Malformed,
    /// Its commit breaks the public rules of MLS or ours.
    #[error("its commit breaks the rules of MLS or ours")]
    Commit,
    /// It was made for another slot, generation, or after another record.
    #[error("made for another place in the chain")]
    Place,
    /// It says to be earlier than the record before.
    #[error("its time runs backwards")]
    Time,
    /// Its statements do not lead to the ledger that its committer signed.
    #[error("its statements do not lead to the ledger that it names")]
    Ledger,
    /// One of its statements does not hold.
    #[error("{0}")]
    Statement(#[from] LedgerError),
    /// The committer may not do what it does, or not for these people.
    #[error("the committer may not do this")]
    Authority,
    /// It ends its generation, and somebody who is in would not find the next one.
    #[error("it leaves somebody without the keys of the generation that it begins")]
    Rescues,
}

/// A place in the chain and everything public that follows from the records up to it.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) ledger: Ledger,
    pub(crate) generation: u32,
    /// When it began: the time of the record that ended the one before.
    pub(crate) began_ms: u64,
    /// The lane that orders its commits.
    pub(crate) keys: CommitKeys,
    /// The last slot that was judged; 0 at the beginning of a generation.
    pub(crate) slot: u64,
    /// Hash of the value that it holds, as cells; zeros before the first.
    pub(crate) value: Hash,
    /// Hash of the last record that was not void.
    pub(crate) record: Hash,
    /// Its time.
    pub(crate) time_ms: u64,
    /// Where the generation before ended; not in the first one.
    pub(crate) ended: Option<Ended>,
}

/// Where a generation ended.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Ended {
    pub(crate) keys: CommitKeys,
    /// The slot of the record that ended it,
    pub(crate) slot: u64,
    /// and the hash of its value.
    pub(crate) value: Hash,
}

impl Ended {
    /// As a message has it.
    pub(crate) fn open(ended: &proto::Ended) -> Option<Self> {
        let keys = CommitKeys::from_parts(
            &ended.lane,
            [&ended.lane_reader, &ended.lane_joiner, &ended.lane_seal],
            &ended.lane_member,
        )?;
        let slot = (1..=SLOTS_MAX)
            .contains(&ended.slot)
            .then_some(ended.slot)?;
        let value = ended.value[..].try_into().ok()?;
        Some(Self { keys, slot, value })
    }

    /// For a message.
    pub(crate) fn message(&self) -> proto::Ended {
        let keys = &self.keys;
        proto::Ended {
            lane: keys.id.to_vec(),
            lane_reader: keys.reader.bytes().to_vec(),
            lane_joiner: keys.joiner.bytes().to_vec(),
            lane_seal: keys.seal.bytes().to_vec(),
            lane_member: keys.member_key.to_vec(),
            slot: self.slot,
            value: self.value.to_vec(),
        }
    }
}

/// A record that holds.
#[derive(Debug)]
pub(crate) struct Judged {
    ledger: Ledger,
    record: Hash,
    time_ms: u64,
    pub(crate) effects: Vec<Effect>,
    /// Whether it ends its generation. The keys of the next one are then to be set.
    pub(crate) turns: bool,
}

impl Judged {
    /// The ledger that it leads to.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}

/// A record that is to be proposed for the slot after a place.
pub(crate) struct Proposal {
    pub(crate) slot: u64,
    pub(crate) aad: Vec<u8>,
    /// The ledger that it leads to.
    pub(crate) ledger: Ledger,
    /// Whether it ends the generation, if a member makes it; removing somebody ends it in any case.
    pub(crate) turns: bool,
    statements: Vec<Vec<u8>>,
}

impl Chain {
    /// Reads a record of the next slot; its commit is then to be given to MLS.
    pub(crate) fn read(&self, bytes: &[u8]) -> Result<proto::Record, Void> {
        let record = proto::Record::decode(bytes).map_err(|_| Void::Malformed)?;
        if record.slot != self.slot + 1 || record.generation != self.generation {
            return Err(Void::Place);
        }
        Ok(record)
    }

    /// Judges a record by what its commit does.
    pub(crate) fn judge(
        &self,
        bytes: &[u8],
        record: &proto::Record,
        facts: &CommitFacts,
    ) -> Result<Judged, Void> {
        let context = proto::CommitContext::decode(&facts.aad[..]).map_err(|_| Void::Malformed)?;
        if context.previous != self.record || context.slot != record.slot {
            return Err(Void::Place);
        }
        if context.time_ms < self.time_ms {
            return Err(Void::Time);
        }
        let mut ledger = self.ledger.clone();
        let mut applied = Vec::new();
        for statement in &record.statements {
            applied.push(ledger.apply(statement, context.time_ms)?);
        }
        if context.ledger != ledger.head() {
            return Err(Void::Ledger);
        }
        self.authorise(facts, &applied, &ledger)?;
        let effects: Vec<Effect> = applied.into_iter().map(|one| one.effect).collect();
        let turns = match &facts.committer {
            Committer::Member(_) => {
                let turns = self.turns(!facts.removed.is_empty(), &effects, context.time_ms);
                if turns && !reaches_all(record, &ledger) {
                    return Err(Void::Rescues);
                }
                turns
            }
            Committer::External(_) => false,
        };
        Ok(Judged {
            ledger,
            record: hash(bytes),
            time_ms: context.time_ms,
            effects,
            turns,
        })
    }

    /// Whether a member's record ends the generation: somebody is out, or a link is, or it has lasted long enough.
    fn turns(&self, removes: bool, effects: &[Effect], time_ms: u64) -> bool {
        let ends = |effect: &Effect| {
            matches!(
                effect,
                Effect::Removed { .. } | Effect::InviteRevoked | Effect::LinksClosed
            )
        };
        removes || effects.iter().any(ends) || self.is_old(time_ms)
    }

    /// Whether the next record of a member ends the generation in any case.
    pub(crate) fn is_old(&self, time_ms: u64) -> bool {
        self.slot + 1 >= SLOTS_PER_GENERATION
            || time_ms >= self.began_ms.saturating_add(GENERATION_MS)
    }

    /// A member may renew its keys, carry statements of its own, and removes from the group exactly the devices that the
    /// ledger has out; a device from outside may come in as the one person that the record admits, or come back as itself.
    /// What a statement's signer may do, the ledger has judged.
    fn authorise(
        &self,
        facts: &CommitFacts,
        applied: &[Applied],
        after: &Ledger,
    ) -> Result<(), Void> {
        let committer = match &facts.committer {
            Committer::Member(member) | Committer::External(member) => member,
        };
        // A group begins anew by a call, never by one of its own records.
        let own = |one: &Applied| one.signer == committer.leaf_key && one.effect != Effect::Reborn;
        if !facts.added.is_empty() || !applied.iter().all(own) {
            return Err(Void::Authority);
        }
        let effects: Vec<&Effect> = applied.iter().map(|one| &one.effect).collect();
        if let Committer::Member(member) = &facts.committer {
            self.ledger.current(&member.leaf_key)?;
            let admits = |effect: &&Effect| matches!(effect, Effect::Admitted { .. });
            // Who goes cannot remove itself; the next one does it.
            let goes = effects.contains(&&Effect::Left);
            let stays =
                |leaf: &Hash| after.current(leaf).is_ok() || (goes && *leaf == member.leaf_key);
            let fits = facts.staying.iter().all(stays)
                && !facts.removed.iter().any(|old| stays(&old.leaf_key));
            return if fits && !effects.iter().any(admits) {
                Ok(())
            } else {
                Err(Void::Authority)
            };
        }
        let cert = ledger::open_cert(&committer.identity, &self.ledger.community)?;
        if cert.leaf != committer.leaf_key {
            return Err(Void::Authority);
        }
        match (&effects[..], &facts.removed[..]) {
            ([Effect::Admitted { persona, leaf }], [])
                if *persona == cert.persona && *leaf == cert.leaf =>
            {
                Ok(())
            }
            // Not in the tree, and in by the ledger: so it is where the group began anew, and nowhere else.
            ([], [])
                if !facts.staying.contains(&cert.leaf)
                    && self.ledger.current(&cert.leaf) == Ok(&cert.persona) =>
            {
                Ok(())
            }
            ([], [old])
                if old.leaf_key == cert.leaf
                    && *self.ledger.current(&cert.leaf)? == cert.persona =>
            {
                Ok(())
            }
            _ => Err(Void::Authority),
        }
    }

    /// Goes on past the next slot, with the record that holds there or with none.
    pub(crate) fn advance(&mut self, judged: Option<Judged>) {
        self.slot += 1;
        if let Some(judged) = judged {
            self.ledger = judged.ledger;
            self.record = judged.record;
            self.time_ms = judged.time_ms;
            if judged.turns {
                self.generation += 1;
                self.began_ms = judged.time_ms;
                self.slot = 0;
            }
        }
    }

    /// The slot that this is the place of.
    pub(crate) fn place(&self) -> Place {
        (self.generation, self.slot)
    }

    /// Notes by which value it came here, if that is so.
    pub(crate) fn came_by(&mut self, lane: &CommitKeys, at: Place, value: Hash) {
        if self.place() == at {
            self.value = value;
        } else if self.place() == (at.0 + 1, 0) {
            self.value = [0; 32];
            self.ended = Some(Ended {
                keys: lane.clone(),
                slot: at.1,
                value,
            });
        }
    }

    /// Prepares a record for the next slot, with statements that this device's leaf key signs for their place.
    pub(crate) fn propose(
        &self,
        leaf: &SigningKey,
        bodies: Vec<proto::statement::Body>,
        now_ms: u64,
    ) -> Result<Proposal, LedgerError> {
        let time_ms = now_ms.max(self.time_ms);
        let mut ledger = self.ledger.clone();
        let (mut statements, mut effects) = (Vec::new(), Vec::new());
        for body in bodies {
            let statement = ledger::make_statement(leaf, &ledger.head(), body);
            effects.push(ledger.apply(&statement, time_ms)?.effect);
            statements.push(statement);
        }
        let context = proto::CommitContext {
            previous: self.record.to_vec(),
            slot: self.slot + 1,
            ledger: ledger.head().to_vec(),
            time_ms,
        };
        Ok(Proposal {
            slot: self.slot + 1,
            aad: context.encode_to_vec(),
            turns: self.turns(false, &effects, time_ms),
            ledger,
            statements,
        })
    }

    /// Completes a proposal with the commit that carries it.
    pub(crate) fn record(
        &self,
        proposal: Proposal,
        commit: Vec<u8>,
        group_info: Vec<u8>,
        previous: Option<proto::Certificate>,
        rescues: Ways,
    ) -> Vec<u8> {
        let record = proto::Record {
            generation: self.generation,
            slot: proposal.slot,
            statements: proposal.statements,
            commit,
            group_info,
            previous,
            rescues: rescues.here,
            rescue_parcel: rescues.parcel,
        };
        record.encode_to_vec()
    }
}

/// Whether a record has something for every device that is in after it. For the committer's as well: its store may be put
/// back to before it made the record. In a large group it says where that lies instead.
fn reaches_all(record: &proto::Record, after: &Ledger) -> bool {
    if let (true, Some(parcel)) = (record.rescues.is_empty(), &record.rescue_parcel) {
        return after.devices().count() > RESCUES_HERE && Fetch::new(parcel).is_some();
    }
    covers(&record.rescues, after)
}

/// Whether these are for every device that is in.
pub(super) fn covers(rescues: &[proto::Rescue], after: &Ledger) -> bool {
    let mut reached: Vec<&[u8]> = rescues.iter().map(|one| &one.leaf[..]).collect();
    reached.sort_unstable();
    let mut all: Vec<&[u8]> = after.devices().map(|(leaf, _)| &leaf[..]).collect();
    all.sort_unstable();
    reached == all
}

#[cfg(test)]
mod tests;

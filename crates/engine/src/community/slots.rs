//! Reads a commit lane: values in the order of their slots, each put together from its cells and checked against the
//! vote that set it, which only a holder of one of the lane's write keys can have signed.

use crate::cell;
use crate::keys::{LONG_TTL, Label, LaneKeys, Secret, bind, public};
use crate::line::Request;
use bytes::Bytes;
use ed25519_dalek::SigningKey;
use std::collections::BTreeMap;
use ume_wire::auth::{Hash, LaneId, Statement, hash_cells};
use ume_wire::fragment::Reassembler;
use ume_wire::limits::FRAGMENTS_MAX;
use ume_wire::relay::{Head, LaneKind, LaneNew, Read, Subscribe, Value, Vote, frame::Body};

/// No lane has more slots than this.
pub(crate) const SLOTS_MAX: u64 = u32::MAX as u64;
/// Slots whose values wait for one before them, at most.
const WAITING_MAX: u64 = 64;
/// Kind of the message in a value.
pub(crate) const RECORD: u8 = 1;

/// What a member knows of the lane that orders a generation's commits.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct CommitKeys {
    pub(crate) id: LaneId,
    pub(crate) reader: Secret,
    pub(crate) joiner: Secret,
    pub(crate) seal: Secret,
    /// Public half of the members' write key.
    pub(crate) member_key: Hash,
    /// The members' write key; newcomers are handed it after they joined.
    pub(crate) member: Option<Secret>,
}

impl CommitKeys {
    /// The lane of a generation, from its exported secret.
    pub(crate) fn of_generation(generation: &Secret, relay: &Hash) -> Self {
        let member = generation.derive(Label::CommitMember, relay);
        let mut keys = Self {
            id: [0; 32],
            reader: generation.derive(Label::CommitReader, relay),
            joiner: generation.derive(Label::CommitJoiner, relay),
            seal: generation.derive(Label::CommitSeal, relay),
            member_key: member.signing_key().verifying_key().to_bytes(),
            member: Some(member),
        };
        keys.id = keys.bound().0;
        keys
    }

    /// Of who is no longer in, or cannot know them.
    pub(crate) fn none() -> Self {
        let nothing = Secret::new([0; 32]);
        Self {
            id: [0; 32],
            reader: nothing.clone(),
            joiner: nothing.clone(),
            seal: nothing,
            member_key: [0; 32],
            member: None,
        }
    }

    pub(crate) fn is_none(&self) -> bool {
        self.id == [0; 32]
    }

    pub(crate) fn lane(&self) -> LaneKeys {
        LaneKeys {
            id: self.id,
            writer: None,
            reader: self.reader.signing_key(),
            seal: self.seal.clone(),
        }
    }

    /// The key to propose with: the members' if it is held.
    pub(crate) fn proposer(&self) -> SigningKey {
        self.member.as_ref().unwrap_or(&self.joiner).signing_key()
    }

    fn joiner_key(&self) -> Hash {
        self.joiner.signing_key().verifying_key().to_bytes()
    }

    /// From the parts of a message; `None` if they are not those of one lane.
    pub(crate) fn from_parts(
        id: &[u8],
        [reader, joiner, seal]: [&[u8]; 3],
        member_key: &[u8],
    ) -> Option<Self> {
        let keys = Self {
            id: id.try_into().ok()?,
            reader: Secret::from_slice(reader)?,
            joiner: Secret::from_slice(joiner)?,
            seal: Secret::from_slice(seal)?,
            member_key: member_key.try_into().ok()?,
            member: None,
        };
        (keys.bound().0 == keys.id).then_some(keys)
    }

    pub(crate) fn lane_new(&self) -> LaneNew {
        self.bound().1
    }

    fn bound(&self) -> (LaneId, LaneNew) {
        bind(LaneNew {
            kind: LaneKind::Slot.into(),
            writers: vec![
                Bytes::copy_from_slice(&self.member_key),
                Bytes::copy_from_slice(&self.joiner_key()),
            ],
            reader: public(&self.reader.signing_key()),
            ttl_seconds: LONG_TTL,
            acceptors: 1,
            ..LaneNew::default()
        })
    }
}

/// A slot of a generation.
pub(crate) type Place = (u32, u64);

#[derive(Debug)]
struct Parts {
    vote: Vote,
    cells: BTreeMap<u32, Bytes>,
}

/// A value whose cells are complete and as voted for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) slot: u64,
    pub(crate) value_hash: Hash,
    /// Its cells, as they were delivered.
    pub(crate) cells: Vec<Bytes>,
    /// The message inside, if there is a sound one.
    pub(crate) record: Option<Vec<u8>>,
}

/// One commit lane, from a slot on.
#[derive(Debug)]
pub(crate) struct SlotReader {
    generation: u32,
    keys: CommitKeys,
    next: u64,
    waiting: BTreeMap<u64, Parts>,
    following: bool,
    fetching: bool,
    caught_up: bool,
    /// Values whose cells were not as voted for.
    pub(crate) tampered: u32,
}

impl SlotReader {
    pub(crate) fn new(keys: CommitKeys, (generation, next): Place) -> Self {
        let waiting = BTreeMap::new();
        Self {
            generation,
            keys,
            next,
            waiting,
            following: false,
            fetching: false,
            caught_up: false,
            tampered: 0,
        }
    }

    pub(crate) fn is_caught_up(&self) -> bool {
        self.caught_up
    }

    pub(crate) fn restart(&mut self) {
        self.following = false;
        self.fetching = false;
        self.caught_up = false;
        self.waiting.clear();
    }

    /// The slot whose value comes next.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The same with its generation.
    pub(crate) fn place(&self) -> Place {
        (self.generation, self.next)
    }

    pub(crate) fn id(&self) -> LaneId {
        self.keys.id
    }

    pub(crate) fn keys(&self) -> &CommitKeys {
        &self.keys
    }

    pub(crate) fn follow(&mut self) -> Option<Request> {
        if self.following {
            return None;
        }
        self.following = true;
        self.fetching = true;
        Some(self.signed(Body::Subscribe(Subscribe {
            lane: Bytes::copy_from_slice(&self.keys.id),
            from: self.next,
            ..Subscribe::default()
        })))
    }

    /// Asks what there is from the next slot on; the answer tells whether the reader is at the end.
    pub(crate) fn read(&mut self) -> Option<Request> {
        if self.fetching {
            return None;
        }
        self.fetching = true;
        Some(self.probe())
    }

    /// The question itself, for whoever waits for its answer.
    pub(crate) fn probe(&self) -> Request {
        self.signed(Body::Read(Read {
            lane: Bytes::copy_from_slice(&self.keys.id),
            from: self.next,
            ..Read::default()
        }))
    }

    /// The relay said where the end is.
    pub(crate) fn head(&mut self, head: &Head) {
        self.fetching = false;
        self.caught_up = self.next >= head.end;
    }

    /// Somebody else has filled the slot that was thought free: there is something to read.
    pub(crate) fn doubt(&mut self) {
        self.caught_up = false;
    }

    pub(crate) fn refused(&mut self) {
        self.fetching = false;
        self.following = false;
    }

    /// A cell of a value arrived.
    pub(crate) fn deliver(&mut self, value: Value) {
        let (slot, index) = (value.slot, value.index);
        let Some(vote) = value.vote else { return };
        let far = slot < self.next || slot >= self.next + WAITING_MAX;
        if far || vote.cells == 0 || vote.cells as usize > FRAGMENTS_MAX || index >= vote.cells {
            return;
        }
        let known = self
            .waiting
            .get(&slot)
            .is_some_and(|parts| parts.vote == vote);
        if !known {
            let statement = Statement::Accept(&self.keys.id, slot, &vote);
            let signed = [self.keys.member_key, self.keys.joiner_key()]
                .iter()
                .any(|key| statement.verify(key, &vote.signature).is_ok());
            if !signed {
                return;
            }
            self.waiting.insert(
                slot,
                Parts {
                    vote,
                    cells: BTreeMap::new(),
                },
            );
        }
        if let Some(parts) = self.waiting.get_mut(&slot) {
            parts.cells.insert(index, value.cell);
        }
    }

    /// Takes the next value if it is whole. It has to be taken as judged before the one after it comes.
    pub(crate) fn take(&mut self) -> Option<Chosen> {
        let parts = self.waiting.get(&self.next)?;
        if parts.cells.len() < parts.vote.cells as usize {
            return None;
        }
        let cells: Vec<Bytes> = parts.cells.values().cloned().collect();
        let value_hash = hash_cells(&cells);
        if value_hash[..] != parts.vote.value_hash[..] {
            // A cell was changed on the way: fetch all of them again.
            self.waiting.remove(&self.next);
            self.tampered += 1;
            self.caught_up = false;
            return None;
        }
        let record = self.open(&cells);
        Some(Chosen {
            slot: self.next,
            value_hash,
            cells,
            record,
        })
    }

    /// The value last taken has been dealt with.
    pub(crate) fn done(&mut self) {
        self.waiting.remove(&self.next);
        self.next += 1;
    }

    /// What is to be asked because something is missing.
    pub(crate) fn missing(&mut self) -> Option<Request> {
        let skipped = self.waiting.keys().any(|slot| *slot > self.next);
        if self.following && (skipped || !self.caught_up) {
            self.read()
        } else {
            None
        }
    }

    /// Whether a value has begun to arrive and has not ended.
    pub(crate) fn is_partial(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn open(&self, cells: &[Bytes]) -> Option<Vec<u8>> {
        let lane = self.keys.lane();
        let mut messages = Reassembler::new();
        for (seq, cell) in (1..).zip(cells) {
            let plain = cell::open(&lane, cell).ok()?;
            if let Some(message) = messages.take(seq, &plain).ok()? {
                return (message.kind == RECORD).then_some(message.bytes);
            }
        }
        None
    }

    /// Its id, and the key of its readers.
    pub(crate) fn read_by(&self) -> (LaneId, SigningKey) {
        (self.id(), self.keys.reader.signing_key())
    }

    fn signed(&self, body: Body) -> Request {
        Request::signed_by(&self.keys.reader.signing_key(), body)
    }
}

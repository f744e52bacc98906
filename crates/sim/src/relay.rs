//! The relay's rules, in memory: what `ume-relay` does, without sockets and disks.

mod bells;
mod blobs;

use bells::Bells;
use blobs::Blobs;
use bytes::Bytes;
use ed25519_dalek::SigningKey;
use std::collections::{BTreeMap, BTreeSet};
use ume_wire::auth::{
    Hash, Statement, ballot_order, hash, hash_cells, lane_id_fits, lane_new_is_sound, relay_id,
    work_bits,
};
use ume_wire::frame;
use ume_wire::limits::{CELL_BYTES, FRAGMENTS_MAX, READ_FRAMES_MAX};
use ume_wire::relay::{
    Accept, Accepted, Append, Appended, Ballot, Delivery, Done, Frame, Head, LaneKind, LaneNew,
    Prepare, Promise, Refused, RefusedCode, Succession, Value, Vote, Welcome, frame::Body,
};

/// A connection.
pub type Session = u64;

/// The connection of a `POST`, which has no challenge: what is in it is signed for itself.
pub(crate) const POST: Session = 0;

#[derive(Clone)]
struct Log {
    new: LaneNew,
    cells: Vec<Bytes>,
    /// When each of them came.
    came_ms: Vec<u64>,
    known: BTreeMap<[u8; 32], u64>,
    slots: BTreeMap<u64, Slot>,
    life: u64,
    /// How many cells from the first on have expired.
    gone: usize,
}

#[derive(Clone, Default)]
struct Slot {
    promised: Option<Ballot>,
    accepted: Option<(Vote, Vec<Bytes>)>,
    staged: BTreeMap<u32, Bytes>,
    staged_vote: Option<Vote>,
}

/// The relay.
#[derive(Clone)]
pub struct Relay {
    key: SigningKey,
    lanes: BTreeMap<Bytes, Log>,
    pub(crate) blobs: Blobs,
    pub(crate) bells: Bells,
    subscriptions: BTreeSet<(Bytes, Session)>,
    successions: Vec<Succession>,
    /// Counts lives of lanes: of all that were made, and of all that were restored.
    lives: u64,
    /// What a new lane has to show.
    pub(crate) work_bits: u32,
    /// The access keys that pay; without any, nobody needs one.
    pub(crate) access: Vec<[u8; 32]>,
}

/// Frames, and to whom they go.
pub type Out = Vec<(Session, Frame)>;

fn refusal(code: RefusedCode, detail: u64) -> Refused {
    Refused {
        code: code.into(),
        detail,
    }
}

fn refused(code: RefusedCode, detail: u64) -> Body {
    Body::Refused(refusal(code, detail))
}

impl Relay {
    /// An empty one, whose key is its seed.
    pub fn new(seed: [u8; 32]) -> Self {
        let key = SigningKey::from_bytes(&seed);
        Self {
            key,
            lanes: BTreeMap::new(),
            blobs: Blobs::default(),
            bells: Bells::default(),
            subscriptions: BTreeSet::new(),
            successions: vec![],
            lives: 0,
            work_bits: 0,
            access: vec![],
        }
    }

    /// This relay, as an operator puts it back from an older copy of it: with a new key that the old one vouches for.
    pub(crate) fn restore(&mut self, copy: &Self, new_key: [u8; 32], now_ms: u64) {
        let key = SigningKey::from_bytes(&new_key);
        let new = Bytes::copy_from_slice(key.verifying_key().as_bytes());
        let signature = Statement::Succession(&new, now_ms).sign(&copy.key);
        let lives = self.lives + 1;
        *self = copy.clone();
        self.successions.push(Succession {
            old_key: Bytes::copy_from_slice(copy.key.verifying_key().as_bytes()),
            new_key: new,
            time_ms: now_ms,
            signature: Bytes::copy_from_slice(&signature),
        });
        self.key = key;
        self.subscriptions.clear();
        for log in self.lanes.values_mut() {
            log.life = log.life.max(lives << 32);
        }
        self.lives = lives;
    }

    fn id(&self) -> Hash {
        relay_id(self.key.verifying_key().as_bytes())
    }

    /// A connection's challenge: as good as random to whoever has not the key.
    fn challenge(&self, session: Session) -> Hash {
        hash(&[&self.key.to_bytes()[..], &session.to_le_bytes()].concat())
    }

    /// All lanes, as they were asked for.
    pub(crate) fn lanes(&self) -> Vec<LaneNew> {
        self.lanes.values().map(|log| log.new.clone()).collect()
    }

    /// The time is over of every cell in the lanes that hold what people write. Lanes that have an owner hold invites.
    pub(crate) fn expire(&mut self) {
        let log = i32::from(LaneKind::Log);
        let lanes = self.lanes.values_mut();
        for lane in lanes.filter(|lane| lane.new.kind == log && lane.new.owner.is_empty()) {
            lane.forget(lane.cells.len());
        }
    }

    /// A connection is gone.
    pub fn closed(&mut self, session: Session) {
        self.bells.closed(session);
        self.subscriptions.retain(|(_, one)| *one != session);
        self.blobs.closed(session);
    }

    /// Whether a frame asks for records or proposes one.
    pub(crate) fn is_about_records(&self, bytes: &Bytes) -> bool {
        let slots = |lane: &Bytes| {
            let kind = self.lanes.get(lane).map(|log| log.new.kind);
            kind == Some(LaneKind::Slot.into())
        };
        match frame::decode(bytes).map(|frame| frame.body) {
            Ok(Some(Body::Read(read))) => slots(&read.lane),
            Ok(Some(Body::Subscribe(read))) => slots(&read.lane),
            Ok(Some(Body::Prepare(_) | Body::Accept(_))) => true,
            _ => false,
        }
    }

    /// The same as [`Self::receive`] for somebody who is shown no later record and proposes to nobody.
    pub(crate) fn receive_deaf(&mut self, now_ms: u64, session: Session, bytes: &Bytes) -> Out {
        match frame::decode(bytes).map(|frame| frame.body) {
            Ok(Some(Body::Prepare(_) | Body::Accept(_))) => vec![],
            _ => self.receive(now_ms, session, bytes),
        }
    }

    /// How many cells were ever appended to log lanes.
    pub(crate) fn cells(&self) -> usize {
        self.lanes.values().map(|lane| lane.cells.len()).sum()
    }

    /// Everything that is stored, for the canary search.
    pub(crate) fn dump(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (id, lane) in &self.lanes {
            out.extend_from_slice(id);
            lane.cells
                .iter()
                .for_each(|cell| out.extend_from_slice(cell));
            let values = lane
                .slots
                .values()
                .filter_map(|slot| slot.accepted.as_ref());
            values
                .flat_map(|(_, cells)| cells)
                .for_each(|cell| out.extend_from_slice(cell));
        }
        let blobs = self.blobs.whole.values().flatten();
        blobs.for_each(|cell| out.extend_from_slice(cell));
        out
    }

    /// Takes a frame of a connection; what it sends because of it, and to whom.
    pub fn receive(&mut self, now_ms: u64, session: Session, bytes: &Bytes) -> Out {
        let Ok(frame) = frame::decode(bytes) else {
            return vec![];
        };
        let request = frame.request;
        let mut out = Out::new();
        let mut answer = |body: Body| {
            out.push((
                session,
                Frame {
                    request,
                    body: Some(body),
                },
            ));
        };
        match frame.body {
            Some(Body::Hello(hello)) => {
                let challenge = self.challenge(session);
                let signature = Statement::Welcome(&hello.nonce, &challenge).sign(&self.key);
                answer(Body::Welcome(Welcome {
                    paced: hello.pace.is_some(),
                    version: 1,
                    relay_key: Bytes::copy_from_slice(self.key.verifying_key().as_bytes()),
                    signature: Bytes::copy_from_slice(&signature),
                    time_ms: now_ms,
                    ttl_max_seconds: u32::MAX,
                    challenge: Bytes::copy_from_slice(&challenge),
                    work_bits: self.work_bits,
                    access_needed: !self.access.is_empty(),
                    successions: self.successions.clone(),
                    push_key: self.bells.key.clone(),
                    ..Welcome::default()
                }));
            }
            Some(Body::LaneNew(new)) => answer(self.lane_new(session, new)),
            Some(Body::Append(append)) => {
                self.age(now_ms, &append.lane);
                self.append(now_ms, session, request, &append, &mut out);
            }
            Some(Body::Read(read)) => {
                self.age(now_ms, &read.lane);
                self.read(
                    session,
                    request,
                    &read.lane,
                    read.from,
                    &read.signature,
                    &mut out,
                    false,
                );
            }
            Some(Body::Subscribe(one)) => {
                self.age(now_ms, &one.lane);
                self.read(
                    session,
                    request,
                    &one.lane,
                    one.from,
                    &one.signature,
                    &mut out,
                    true,
                );
            }
            Some(Body::Prepare(prepare)) => answer(self.prepare(&prepare)),
            Some(Body::Accept(accept)) => self.accept(session, request, &accept, &mut out),
            Some(Body::BlobPut(put)) => {
                let pays = self.access.is_empty()
                    || self.access.iter().any(|key| key[..] == put.access[..]);
                answer(self.blobs.put(now_ms, session, put, pays));
            }
            Some(Body::BlobGet(get)) => {
                let parts = self.blobs.get(now_ms, &get.id);
                parts.into_iter().for_each(answer);
            }
            Some(Body::PushSet(set)) => answer(self.bells.set(session, set)),
            Some(Body::PushWatch(one)) => answer(
                if one.stop || self.may_read(session, &one.lane, &one.signature) {
                    self.bells.watch(&one.id, one.lane, one.stop)
                } else {
                    refused(RefusedCode::RefusedDenied, 0)
                },
            ),
            Some(Body::PushEnd(end)) => answer(self.bells.end(&end.id)),
            Some(Body::Pad(pad)) => answer(Body::Pad(pad)),
            _ => answer(refused(RefusedCode::RefusedUnknown, 0)),
        }
        out
    }

    fn lane_new(&mut self, session: Session, new: LaneNew) -> Body {
        if !lane_new_is_sound(&new) || !lane_id_fits(&new) {
            return refused(RefusedCode::RefusedMalformed, 0);
        }
        let asked = LaneNew {
            work: 0,
            access: Bytes::new(),
            ..new.clone()
        };
        match self.lanes.get(&new.lane) {
            Some(lane) if lane.new == asked => return Body::Done(Done::default()),
            Some(_) => return refused(RefusedCode::RefusedConflict, 0),
            None => {}
        }
        let shown = work_bits(&self.id(), &self.challenge(session), &new.lane, new.work);
        if shown < self.work_bits {
            return refused(RefusedCode::RefusedWork, self.work_bits.into());
        }
        if !self.access.is_empty() && !self.access.iter().any(|key| key[..] == new.access[..]) {
            return refused(RefusedCode::RefusedAccess, 0);
        }
        let log = Log {
            new: asked,
            cells: vec![],
            came_ms: vec![],
            known: BTreeMap::new(),
            slots: BTreeMap::new(),
            life: (self.lives << 32) + self.lanes.len() as u64,
            gone: 0,
        };
        self.lanes.insert(new.lane, log);
        Body::Done(Done::default())
    }

    /// Forgets what has lain in a log lane for as long as it was to.
    fn age(&mut self, now_ms: u64, lane: &Bytes) {
        let Some(log) = self.lanes.get_mut(lane) else {
            return;
        };
        let ttl_ms = u64::from(log.new.ttl_seconds) * 1000;
        let over = log
            .came_ms
            .partition_point(|at| at.saturating_add(ttl_ms) <= now_ms);
        if over > log.gone {
            log.forget(over);
        }
    }

    fn append(
        &mut self,
        now_ms: u64,
        session: Session,
        request: u32,
        append: &Append,
        out: &mut Out,
    ) {
        let digest = hash(&append.cell);
        let (relay, challenge) = (self.id(), self.challenge(session));
        let statement = if session == POST {
            Statement::Append(&append.lane, &digest)
        } else {
            Statement::AppendHere(&relay, &challenge, &append.lane)
        };
        let body = match self.lanes.get_mut(&append.lane) {
            Some(lane)
                if append.cell.len() == CELL_BYTES
                    && lane.new.kind == i32::from(LaneKind::Log)
                    && lane
                        .new
                        .writers
                        .iter()
                        .any(|key| statement.verify(key, &append.signature).is_ok()) =>
            {
                let fresh = !lane.known.contains_key(&digest);
                if fresh {
                    lane.cells.push(append.cell.clone());
                    lane.came_ms.push(now_ms);
                    lane.known.insert(digest, lane.cells.len() as u64);
                }
                let seq = lane.known.get(&digest).copied().unwrap_or_default();
                if fresh {
                    let delivery = Delivery {
                        lane: append.lane.clone(),
                        seq,
                        cell: append.cell.clone(),
                    };
                    self.publish(&append.lane, &Body::Delivery(delivery), out);
                }
                Body::Appended(Appended { seq })
            }
            _ => refused(RefusedCode::RefusedDenied, 0),
        };
        out.push((
            session,
            Frame {
                request,
                body: Some(body),
            },
        ));
    }

    fn publish(&mut self, lane: &Bytes, body: &Body, out: &mut Out) {
        self.bells.ring(lane);
        for (_, session) in self.subscriptions.iter().filter(|(one, _)| one == lane) {
            out.push((
                *session,
                Frame {
                    request: 0,
                    body: Some(body.clone()),
                },
            ));
        }
    }

    fn may_read(&self, session: Session, lane: &Bytes, signature: &[u8]) -> bool {
        let (relay, challenge) = (self.id(), self.challenge(session));
        let statement = Statement::ReadHere(&relay, &challenge, lane);
        let log = self.lanes.get(lane);
        log.is_some_and(|log| statement.verify(&log.new.reader, signature).is_ok())
    }

    #[allow(clippy::too_many_arguments)] // one request, spelled out
    fn read(
        &mut self,
        session: Session,
        request: u32,
        lane: &Bytes,
        from: u64,
        signature: &[u8],
        out: &mut Out,
        follow: bool,
    ) {
        let life = self
            .lanes
            .get(lane)
            .map_or([0; 8], |log| log.life.to_le_bytes());
        let mut push = |body: Body| {
            out.push((
                session,
                Frame {
                    request,
                    body: Some(body),
                },
            ));
        };
        let may = self.may_read(session, lane, signature);
        let Some(log) = self.lanes.get(lane).filter(|_| may) else {
            push(refused(RefusedCode::RefusedDenied, 0));
            return;
        };
        let from = from.max(1);
        let from = from.min(log.next());
        let mut next = from;
        let mut left = if follow { usize::MAX } else { READ_FRAMES_MAX };
        let end = if log.new.kind == i32::from(LaneKind::Slot) {
            let end = log.end();
            for (slot, value) in log.slots.range(from..end) {
                let Some((vote, cells)) = &value.accepted else {
                    break;
                };
                if cells.len() > left {
                    break;
                }
                left -= cells.len();
                for body in values(lane, *slot, vote, cells) {
                    push(body);
                }
                next = slot + 1;
            }
            end
        } else {
            let from = from.max(log.gone as u64 + 1);
            next = from;
            let skip = usize::try_from(from - 1).unwrap_or(usize::MAX);
            for (seq, cell) in (from..).zip(log.cells.iter().skip(skip).take(left)) {
                push(Body::Delivery(Delivery {
                    lane: lane.clone(),
                    seq,
                    cell: cell.clone(),
                }));
                next = seq + 1;
            }
            log.cells.len() as u64 + 1
        };
        push(Body::Head(Head {
            lane: lane.clone(),
            next,
            end,
            first: log.gone as u64 + 1,
            life: Bytes::copy_from_slice(&life),
        }));
        if follow {
            self.subscriptions.insert((lane.clone(), session));
        }
    }

    fn slot(
        &mut self,
        lane: &Bytes,
        slot: u64,
        check: impl Fn(&[u8]) -> bool,
    ) -> Result<&mut Slot, Refused> {
        let log = self
            .lanes
            .get_mut(lane)
            .filter(|log| log.new.kind == i32::from(LaneKind::Slot));
        let Some(log) = log.filter(|log| log.new.writers.iter().any(|key| check(key))) else {
            return Err(refusal(RefusedCode::RefusedDenied, 0));
        };
        if slot == 0 || slot > log.end() {
            return Err(refusal(RefusedCode::RefusedOrder, 0));
        }
        Ok(log.slots.entry(slot).or_default())
    }

    fn prepare(&mut self, prepare: &Prepare) -> Body {
        let Some(ballot) = &prepare.ballot else {
            return refused(RefusedCode::RefusedMalformed, 0);
        };
        let statement = Statement::Prepare(&prepare.lane, prepare.slot, ballot);
        let check = |key: &[u8]| statement.verify(key, &prepare.signature).is_ok();
        let slot = match self.slot(&prepare.lane, prepare.slot, check) {
            Ok(slot) => slot,
            Err(refused) => return Body::Refused(refused),
        };
        if let Some(promised) = &slot.promised
            && ballot_order(promised) > ballot_order(ballot)
        {
            return refused(RefusedCode::RefusedBallot, promised.round.into());
        }
        slot.promised = Some(ballot.clone());
        let accepted = slot.accepted.as_ref().map(|(vote, _)| vote.clone());
        Body::Promise(Promise {
            slot: prepare.slot,
            ballot: Some(ballot.clone()),
            accepted,
        })
    }

    fn accept(&mut self, session: Session, request: u32, accept: &Accept, out: &mut Out) {
        let body = self.accept_cell(accept);
        let (body, fresh) = body.unwrap_or_else(|refused| (Body::Refused(refused), false));
        if fresh {
            let slot = self
                .lanes
                .get(&accept.lane)
                .and_then(|log| log.slots.get(&accept.slot));
            let values = slot
                .and_then(|slot| slot.accepted.as_ref())
                .map(|(vote, cells)| values(&accept.lane, accept.slot, vote, cells));
            for body in values.unwrap_or_default() {
                self.publish(&accept.lane, &body, out);
            }
        }
        out.push((
            session,
            Frame {
                request,
                body: Some(body),
            },
        ));
    }

    fn accept_cell(&mut self, accept: &Accept) -> Result<(Body, bool), Refused> {
        let malformed = || refusal(RefusedCode::RefusedMalformed, 0);
        let vote = accept.vote.as_ref().ok_or_else(malformed)?;
        let ballot = vote.ballot.clone().ok_or_else(malformed)?;
        if vote.cells == 0 || vote.cells as usize > FRAGMENTS_MAX || accept.index >= vote.cells {
            return Err(malformed());
        }
        let key = self.key.clone();
        let statement = Statement::Accept(&accept.lane, accept.slot, vote);
        let check = |key: &[u8]| statement.verify(key, &vote.signature).is_ok();
        let slot = self.slot(&accept.lane, accept.slot, check)?;
        let accepted = || {
            let statement =
                Statement::Accepted(&accept.lane, accept.slot, &ballot, &vote.value_hash);
            Body::Accepted(Accepted {
                slot: accept.slot,
                ballot: Some(ballot.clone()),
                value_hash: vote.value_hash.clone(),
                signature: Bytes::copy_from_slice(&statement.sign(&key)),
            })
        };
        if let Some((held, _)) = &slot.accepted {
            return if held.value_hash == vote.value_hash {
                Ok((accepted(), false))
            } else {
                Err(refusal(RefusedCode::RefusedConflict, 0))
            };
        }
        if slot
            .promised
            .as_ref()
            .is_some_and(|promised| ballot_order(promised) > ballot_order(&ballot))
        {
            return Err(refusal(RefusedCode::RefusedBallot, 0));
        }
        if slot.staged_vote.as_ref() != Some(vote) {
            slot.staged.clear();
            slot.staged_vote = Some(vote.clone());
        }
        slot.staged.insert(accept.index, accept.cell.clone());
        if slot.staged.len() < vote.cells as usize {
            return Ok((Body::Done(Done::default()), false));
        }
        let cells: Vec<Bytes> = std::mem::take(&mut slot.staged).into_values().collect();
        slot.staged_vote = None;
        if hash_cells(&cells)[..] != vote.value_hash[..] {
            return Err(malformed());
        }
        slot.accepted = Some((vote.clone(), cells));
        Ok((accepted(), true))
    }
}

impl Log {
    /// Keeps nothing of the first cells.
    fn forget(&mut self, count: usize) {
        self.gone = count;
        for cell in self.cells.iter_mut().take(count) {
            *cell = Bytes::new();
        }
        let gone = count as u64;
        self.known.retain(|_, seq| *seq > gone);
    }

    /// The number that the next cell or value will get.
    fn next(&self) -> u64 {
        if self.new.kind == i32::from(LaneKind::Slot) {
            self.end()
        } else {
            self.cells.len() as u64 + 1
        }
    }

    /// The next free slot.
    fn end(&self) -> u64 {
        let taken = self
            .slots
            .iter()
            .rev()
            .find(|(_, slot)| slot.accepted.is_some());
        taken.map_or(1, |(slot, _)| slot + 1)
    }
}

fn values(lane: &Bytes, slot: u64, vote: &Vote, cells: &[Bytes]) -> Vec<Body> {
    (0..)
        .zip(cells)
        .map(|(index, cell)| {
            Body::Value(Value {
                lane: lane.clone(),
                slot,
                vote: Some(vote.clone()),
                index,
                cell: cell.clone(),
            })
        })
        .collect()
}

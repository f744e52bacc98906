//! One request at a time: its sizes, its capability, and what is to be done for it.
//!
//! A lane that does not exist and a signature that does not fit are refused alike, so that nobody can find out which
//! lanes there are.

mod push;

use crate::{
    admission::{Gate, Visitor},
    commit::now,
    proofs::{Proofs, Right},
    push::Presence,
    reading::{Content, Place, Reading},
    refusal::Refusal,
    server::Core,
    several,
    slot::Accepting,
    stage::{Sender, Staged, Thing, Whole, unfinished},
    store::{AccountId, Lane, Outcome, StoreError, Write},
};
use bytes::Bytes;
use prost::Message;
use rand_core::{OsRng, RngCore};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use ume_wire::{
    auth::{self, Hash, LaneId, Statement},
    frame::{self, FrameError},
    limits::{
        BALLOT_TIE_BYTES, CELL_BYTES, CHALLENGE_BYTES, FRAGMENTS_MAX, HELLO_NONCE_BYTES, ID_BYTES,
        KEY_BYTES, SUBSCRIPTIONS_MAX, TTL_SECONDS_MAX, VERSION, VERSION_OLDEST, WRITERS_MAX,
    },
    pace::Pace,
    relay::{self, Ballot, Frame, LaneKind, LaneNew, Vote, frame::Body},
};

/// What is to be done for a request.
#[derive(Debug)]
pub(crate) enum Step {
    /// Nothing.
    Nothing,
    /// Answer this.
    Answer(Body),
    /// Keep this pace from now on, and answer this.
    Pace(Pace, Body),
    /// Write this and answer the outcome.
    Write(Write),
    /// Answer what is there.
    Read(Reading),
    /// Answer what is there, and go on.
    Subscribe(Reading),
    /// Stop that.
    Unsubscribe(LaneId),
    /// Answer a blob's cells.
    Blob(Hash),
}

/// What a frame holds.
#[allow(clippy::large_enum_variant)] // the large one is the usual one
pub(crate) enum Messages {
    /// A message.
    One(Frame),
    /// Several, in their order, and the request number of the whole.
    Several(u32, Vec<Frame>),
    /// Nothing that can be read: the answer, and the request number that it carries.
    Refused(u32, Body),
}

/// All that come by `POST` send cells as one: a whole may take more than one of them.
const BY_POST: Sender = 0;
/// Numbers the connections.
static SENDERS: AtomicU64 = AtomicU64::new(BY_POST + 1);

/// What one peer has said so far.
pub(crate) struct Session {
    core: Arc<Core>,
    visitor: Arc<Visitor>,
    greeted: bool,
    /// Whether its first `Hello` asked for a pace.
    paced: bool,
    sender: Sender,
    /// What this connection's signatures are bound to; a `POST` has none.
    challenge: Option<[u8; CHALLENGE_BYTES]>,
    proofs: Proofs,
    /// The device whose connection this is.
    presence: Option<Presence>,
}

impl Session {
    /// On a connection, which begins with a `Hello`. `None` if the system has no randomness.
    pub(crate) fn connection(core: Arc<Core>, visitor: Arc<Visitor>) -> Option<Self> {
        let mut challenge = [0; CHALLENGE_BYTES];
        OsRng.try_fill_bytes(&mut challenge).ok()?;
        Some(Self {
            core,
            visitor,
            greeted: false,
            paced: false,
            sender: SENDERS.fetch_add(1, Ordering::Relaxed),
            challenge: Some(challenge),
            proofs: Proofs::default(),
            presence: None,
        })
    }

    /// In a `POST`, which stands for itself.
    pub(crate) fn post(core: Arc<Core>, visitor: Arc<Visitor>) -> Self {
        Self {
            core,
            visitor,
            greeted: true,
            paced: false,
            sender: BY_POST,
            challenge: None,
            proofs: Proofs::default(),
            presence: None,
        }
    }

    /// Whether the peers have agreed on a version.
    pub(crate) fn is_greeted(&self) -> bool {
        self.greeted
    }

    /// Reads a frame.
    pub(crate) fn open(&self, frame: &Bytes) -> Messages {
        let refuse = |request, refusal| Messages::Refused(request, self.core.refuse(refusal));
        let frame = match frame::decode(frame) {
            Ok(frame) => frame,
            Err(FrameError::Version(_)) => return refuse(0, Refusal::VERSION),
            Err(_) => return refuse(0, Refusal::MALFORMED),
        };
        match frame.body {
            Some(Body::Several(several)) => match several::apart(several) {
                Ok(messages) => Messages::Several(frame.request, messages),
                Err(refusal) => refuse(frame.request, refusal),
            },
            _ => Messages::One(frame),
        }
    }

    /// Takes a message; gives its request number and what to do.
    pub(crate) fn handle(&mut self, message: Frame) -> (u32, Step) {
        let step = self.step(message.request, message.body);
        (
            message.request,
            step.unwrap_or_else(|refusal| Step::Answer(self.core.refuse(refusal))),
        )
    }

    fn step(&mut self, request: u32, body: Option<Body>) -> Result<Step, Refusal> {
        if let Some(Body::Hello(hello)) = body {
            return self.hello(&hello);
        }
        if !self.greeted {
            return Err(Refusal::ORDER);
        }
        if let Some(Body::Pad(pad)) = body {
            return Ok(if self.paced {
                Step::Nothing
            } else {
                Step::Answer(Body::Pad(pad))
            });
        }
        let body = body.ok_or(Refusal::UNKNOWN)?;
        if request == 0 {
            return Err(Refusal::MALFORMED);
        }
        match body {
            Body::LaneNew(new) => self.lane_new(new),
            Body::LaneKeys(keys) => self.lane_keys(keys),
            Body::Append(append) => self.append(&append),
            Body::Read(read) => self
                .reading(&read.lane, read.from, &read.signature)
                .map(Step::Read),
            Body::Subscribe(read) => self
                .reading(&read.lane, read.from, &read.signature)
                .map(Step::Subscribe),
            Body::Unsubscribe(unsubscribe) => Ok(Step::Unsubscribe(id(&unsubscribe.lane)?)),
            Body::Acknowledge(acknowledge) => self.acknowledge(&acknowledge),
            Body::LaneDelete(delete) => self.lane_delete(&delete),
            Body::Prepare(prepare) => self.prepare(prepare),
            Body::Accept(accept) => self.accept(accept),
            Body::BlobPut(put) => self.blob_put(&put),
            Body::BlobGet(get) => Ok(Step::Blob(id(&get.id)?)),
            Body::Pace(asked) => {
                let pace = pace(&asked)?;
                // Whoever began without one may have frames on their way that a pace comes too late for.
                if !self.paced {
                    return Err(Refusal::MALFORMED);
                }
                Ok(Step::Pace(pace, Body::Done(relay::Done::default())))
            }
            Body::PushSet(set) => self.push_set(set),
            Body::PushWatch(watch) => self.push_watch(&watch),
            Body::PushEnd(end) => self.push_end(&end),
            // One inside another.
            Body::Several(_) => Err(Refusal::MALFORMED),
            _ => Err(Refusal::UNKNOWN),
        }
    }

    fn hello(&mut self, hello: &relay::Hello) -> Result<Step, Refusal> {
        let config = self.core.config.get();
        if hello.version_min > VERSION || hello.version_max < VERSION_OLDEST {
            return Err(Refusal::VERSION);
        }
        if hello.nonce.len() != HELLO_NONCE_BYTES {
            return Err(Refusal::MALFORMED);
        }
        let asked = hello.pace.as_ref().map(pace).transpose()?;
        // The first one decides for the whole connection.
        let begins = asked.filter(|_| !self.greeted);
        self.paced |= begins.is_some();
        self.greeted = true;
        let challenge = self.challenge.as_ref().map_or(&[][..], |bytes| bytes);
        let welcome = Body::Welcome(relay::Welcome {
            paced: self.paced,
            version: VERSION.min(hello.version_max),
            relay_key: Bytes::copy_from_slice(self.core.identity.key().verifying_key().as_bytes()),
            signature: Bytes::copy_from_slice(
                &Statement::Welcome(&hello.nonce, challenge).sign(self.core.identity.key()),
            ),
            time_ms: now(),
            ttl_max_seconds: TTL_SECONDS_MAX,
            blob_bytes_max: count(FRAGMENTS_MAX * CELL_BYTES),
            challenge: Bytes::copy_from_slice(challenge),
            work_bits: self.core.admission.work_bits(&self.visitor, Instant::now()),
            access_needed: self.core.admission.needs_access(),
            successions: self.core.identity.successions().to_vec(),
            frames_burst: config.limits.frames_burst,
            frames_per_second: config.limits.frames_per_second,
            subscriptions_max: count(SUBSCRIPTIONS_MAX),
            queue_cells_max: self.core.limits.queue_cells,
            push_key: self.push_key(),
        });
        Ok(match begins {
            Some(pace) => Step::Pace(pace, welcome),
            None => Step::Answer(welcome),
        })
    }

    fn lane_keys(&self, keys: relay::LaneKeys) -> Result<Step, Refusal> {
        let lane = id(&keys.lane)?;
        let count = (1..=WRITERS_MAX).contains(&keys.writers.len());
        if !count || keys.writers.iter().any(|key| key.len() != KEY_BYTES) {
            return Err(Refusal::MALFORMED);
        }
        let new = &self.lane(&lane)?.new;
        owner(new, &Statement::Keys(&lane, &keys.writers), &keys.signature)?;
        if new.kind != i32::from(LaneKind::Queue) {
            return Err(Refusal::MALFORMED);
        }
        Ok(Step::Write(Write::LaneKeys {
            lane,
            writers: keys.writers,
        }))
    }

    fn append(&mut self, append: &relay::Append) -> Result<Step, Refusal> {
        let lane = id(&append.lane)?;
        cell_size(&append.cell)?;
        let known = self.lane(&lane)?;
        let new = &known.new;
        let hash = auth::hash(&append.cell);
        self.may_append(new, &lane, &hash, &append.signature)?;
        if is_slot(new) {
            return Err(Refusal::MALFORMED);
        }
        if new.ttl_seconds == 0 {
            let seq = self.core.hub.pass_on(lane, hash, &append.cell);
            return Ok(Step::Answer(Body::Appended(relay::Appended { seq })));
        }
        self.may_store(known.account, 1)?;
        Ok(Step::Write(Write::Append {
            lane,
            hash,
            cell: append.cell.clone(),
        }))
    }

    fn may_append(
        &mut self,
        new: &LaneNew,
        lane: &LaneId,
        hash: &Hash,
        signature: &[u8],
    ) -> Result<(), Refusal> {
        let Some(challenge) = &self.challenge else {
            return writer(new, &Statement::Append(lane, hash), signature).map(|_| ());
        };
        let here = Statement::AppendHere(self.core.identity.id(), challenge, lane);
        self.proofs
            .check(Right::Append, lane, &new.writers, &here, signature)
    }

    fn may_read(&mut self, new: &LaneNew, lane: &LaneId, signature: &[u8]) -> Result<(), Refusal> {
        let keys = std::slice::from_ref(&new.reader);
        let Some(challenge) = &self.challenge else {
            return Statement::Read(lane)
                .verify(&new.reader, signature)
                .map_err(|_| Refusal::DENIED);
        };
        let here = Statement::ReadHere(self.core.identity.id(), challenge, lane);
        self.proofs.check(Right::Read, lane, keys, &here, signature)
    }

    fn reading(&mut self, lane: &Bytes, from: u64, signature: &[u8]) -> Result<Reading, Refusal> {
        let lane = id(lane)?;
        let known = self.lane(&lane)?;
        let new = &known.new;
        self.may_read(new, &lane, signature)?;
        let content = match (is_slot(new), new.ttl_seconds) {
            (true, _) => Content::Values {
                may_change: new.acceptors > 1,
            },
            (false, 0) => Content::Fleeting,
            (false, _) => Content::Cells,
        };
        Ok(Reading {
            lane,
            place: Place::at(from.max(1)),
            content,
            life: self.core.identity.life(known.serial),
        })
    }

    fn acknowledge(&self, acknowledge: &relay::Acknowledge) -> Result<Step, Refusal> {
        let (lane, upto) = (id(&acknowledge.lane)?, acknowledge.upto);
        let new = &self.lane(&lane)?.new;
        owner(
            new,
            &Statement::Acknowledge(&lane, upto),
            &acknowledge.signature,
        )?;
        if new.kind != i32::from(LaneKind::Queue) {
            return Err(Refusal::MALFORMED);
        }
        Ok(Step::Write(Write::Acknowledge { lane, upto }))
    }

    fn lane_delete(&self, delete: &relay::LaneDelete) -> Result<Step, Refusal> {
        let lane = id(&delete.lane)?;
        owner(
            &self.lane(&lane)?.new,
            &Statement::Delete(&lane),
            &delete.signature,
        )?;
        Ok(Step::Write(Write::LaneDelete(lane)))
    }

    fn prepare(&self, prepare: relay::Prepare) -> Result<Step, Refusal> {
        let (lane, slot) = (id(&prepare.lane)?, prepare.slot);
        let ballot = prepare.ballot.ok_or(Refusal::MALFORMED)?;
        ballot_and_slot(&ballot, slot)?;
        let new = &self.lane(&lane)?.new;
        let writer = writer(
            new,
            &Statement::Prepare(&lane, slot, &ballot),
            &prepare.signature,
        )?;
        if !is_slot(new) {
            return Err(Refusal::MALFORMED);
        }
        // What the state says is final at this point already; the committer looks again.
        Ok(Step::Write(Write::Prepare {
            lane,
            slot,
            ballot,
            writer,
        }))
    }

    fn accept(&self, accept: relay::Accept) -> Result<Step, Refusal> {
        let (lane, slot) = (id(&accept.lane)?, accept.slot);
        let vote = accept.vote.ok_or(Refusal::MALFORMED)?;
        ballot_and_slot(vote.ballot.as_ref().ok_or(Refusal::MALFORMED)?, slot)?;
        id(&vote.value_hash)?;
        let (total, index) = part(vote.cells, accept.index)?;
        cell_size(&accept.cell)?;

        let whole = self.whole(Thing::Value(lane, slot, auth::hash(&vote.encode_to_vec())));
        let known = self.core.values.lock().knows(&whole);
        // The signature is part of what the whole is known by: once is enough.
        if !known && let Some(accepted) = self.first_accept(&lane, slot, &vote)? {
            return Ok(Step::Answer(accepted));
        }
        let account = self.lane(&lane)?.account;
        self.may_store(account, 1)?;
        let staged =
            self.core
                .values
                .lock()
                .put(&whole, total, index, &accept.cell, Instant::now())?;
        let Staged::Complete(cells) = staged else {
            return Ok(Step::Answer(Body::Done(relay::Done::default())));
        };
        if auth::hash_cells(&cells)[..] != vote.value_hash[..] {
            return Err(Refusal::MALFORMED);
        }
        Ok(Step::Write(Write::Accept {
            lane,
            slot,
            vote,
            cells,
        }))
    }

    /// Checks a vote when its first cell comes; gives the answer if the slot holds its value already.
    fn first_accept(&self, lane: &LaneId, slot: u64, vote: &Vote) -> Result<Option<Body>, Refusal> {
        let new = &self.lane(lane)?.new;
        writer(new, &Statement::Accept(lane, slot, vote), &vote.signature)?;
        if !is_slot(new) {
            return Err(Refusal::MALFORMED);
        }
        // Only what can never change again is decided here: a promise that raises the limit of rounds, or a value that
        // fills the slot before, may still wait for the committer.
        match self
            .core
            .store
            .slot(lane, slot)?
            .accept(vote, new.acceptors)
        {
            Ok(Accepting::Already(vote)) => {
                let ballot = vote.ballot.unwrap_or_default();
                let value_hash = vote.value_hash;
                Ok(Some(self.core.body(Outcome::Accepted {
                    lane: *lane,
                    slot,
                    ballot,
                    value_hash,
                    new: false,
                })))
            }
            Ok(Accepting::New(_)) | Err(Refusal::LIMIT) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    fn blob_put(&self, put: &relay::BlobPut) -> Result<Step, Refusal> {
        let id = id(&put.id)?;
        let (total, index) = part(put.cells, put.index)?;
        cell_size(&put.cell)?;
        if put.ttl_seconds == 0 || put.ttl_seconds > TTL_SECONDS_MAX {
            return Err(Refusal::MALFORMED);
        }
        let account = self.core.admission.blob_put(put, now())?;
        if let Some(cells) = self.core.store.blob_cells(now(), &id)? {
            if cells != total {
                return Err(Refusal::MALFORMED);
            }
            if index > 0 {
                return Ok(Step::Answer(Body::Done(relay::Done::default())));
            }
            // Whoever puts it again wants it to last, and gives as much for that as who put it first.
            self.may_store(account, cells)?;
            return Ok(Step::Write(Write::BlobTouch {
                id,
                ttl_seconds: put.ttl_seconds,
                account,
            }));
        }
        self.may_store(account, 1)?;
        let whole = self.whole(Thing::Blob(id, put.cells));
        let staged = self
            .core
            .blobs
            .lock()
            .put(&whole, total, index, &put.cell, Instant::now())?;
        let Staged::Complete(cells) = staged else {
            return Ok(Step::Answer(unfinished()));
        };
        if auth::hash_cells(&cells) != id {
            return Err(Refusal::MALFORMED);
        }
        Ok(Step::Write(Write::BlobPut {
            id,
            cells,
            ttl_seconds: put.ttl_seconds,
            account,
        }))
    }

    fn may_store(&self, account: Option<AccountId>, cells: usize) -> Result<(), Refusal> {
        self.core
            .admission
            .cells(&self.visitor, account, cells, Instant::now())
    }

    fn whole(&self, thing: Thing) -> Whole {
        let sender = self.sender;
        Whole { sender, thing }
    }

    fn lane(&self, lane: &LaneId) -> Result<Arc<Lane>, Refusal> {
        self.core.store.lane(lane)?.ok_or(Refusal::DENIED)
    }

    fn lane_new(&self, new: LaneNew) -> Result<Step, Refusal> {
        kind_is_sound(&new)?;
        let gate = Gate {
            visitor: &self.visitor,
            relay_id: self.core.identity.id(),
            challenge: self.challenge.as_ref().map(|challenge| &challenge[..]),
        };
        let account = self
            .core
            .admission
            .lane_new(&gate, &new, now(), Instant::now())?;
        Ok(Step::Write(Write::LaneNew { new, account }))
    }
}

fn pace(asked: &relay::Pace) -> Result<Pace, Refusal> {
    Pace::from_wire(asked).map_err(|_| Refusal::MALFORMED)
}

fn kind_is_sound(new: &LaneNew) -> Result<(), Refusal> {
    let kind = LaneKind::try_from(new.kind).map_err(|_| Refusal::MALFORMED)?;
    // A slot that forgets is worse than none.
    let forgets = kind == LaneKind::Slot && new.ttl_seconds == 0;
    if kind == LaneKind::Unspecified
        || forgets
        || !auth::lane_new_is_sound(new)
        || !auth::lane_id_fits(new)
    {
        return Err(Refusal::MALFORMED);
    }
    Ok(())
}

/// Which of a lane's writers signed.
fn writer(new: &LaneNew, statement: &Statement<'_>, signature: &[u8]) -> Result<usize, Refusal> {
    let fits = |key: &Bytes| statement.verify(key, signature).is_ok();
    new.writers.iter().position(fits).ok_or(Refusal::DENIED)
}

fn owner(new: &LaneNew, statement: &Statement<'_>, signature: &[u8]) -> Result<(), Refusal> {
    statement
        .verify(&new.owner, signature)
        .map_err(|_| Refusal::DENIED)
}

fn is_slot(new: &LaneNew) -> bool {
    new.kind == i32::from(LaneKind::Slot)
}

fn id(bytes: &Bytes) -> Result<[u8; ID_BYTES], Refusal> {
    bytes[..].try_into().map_err(|_| Refusal::MALFORMED)
}

fn cell_size(cell: &Bytes) -> Result<(), Refusal> {
    if cell.len() == CELL_BYTES {
        Ok(())
    } else {
        Err(Refusal::MALFORMED)
    }
}

fn ballot_and_slot(ballot: &Ballot, slot: u64) -> Result<(), Refusal> {
    // The highest number has none that follows it.
    let sound = ballot.tie.len() == BALLOT_TIE_BYTES && slot > 0 && slot < u64::MAX;
    if sound {
        Ok(())
    } else {
        Err(Refusal::MALFORMED)
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn part(total: u32, index: u32) -> Result<(usize, usize), Refusal> {
    let total = usize::try_from(total).map_err(|_| Refusal::MALFORMED)?;
    let index = usize::try_from(index).map_err(|_| Refusal::MALFORMED)?;
    let sound = (1..=FRAGMENTS_MAX).contains(&total) && index < total;
    if sound {
        Ok((total, index))
    } else {
        Err(Refusal::MALFORMED)
    }
}

impl From<StoreError> for Refusal {
    fn from(_: StoreError) -> Self {
        Self::STORAGE
    }
}

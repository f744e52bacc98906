//! Ordering commits: an intent becomes a staged commit for the next free slot, the relay promises, accepts and signs,
//! and only then is anything merged. With one relay this is a compare-and-append; the shape (ballots, votes,
//! certificates) is that of Paxos per slot, so that several relays are a matter of counting.
//!
//! The staged commit is stored before its first vote leaves and dropped only when the slot is known to hold another
//! value: a vote that may have been accepted is never forgotten.

use super::chain::Ways;
use super::generation;
use super::intent::Wish;
use super::{Community, Ctx, Intent, Tag};
use crate::cell;
use crate::io::Millis;
use crate::keys::EXPORT_GENERATION;
use crate::ledger;
use crate::mls::Group;
use crate::proto::{self, statement::Body as StatementBody};
use bytes::Bytes;
use prost::Message;
use rand_core::RngCore;
use std::collections::BTreeSet;
use ume_api::{Departure, Failure};
use ume_wire::auth::{Hash, Statement, hash_cells};
use ume_wire::limits::{BALLOT_ROUND_AHEAD_MAX, BALLOT_TIE_BYTES};
use ume_wire::relay::{
    Accept, Ballot as WireBallot, Prepare, Promise, RefusedCode, Vote, frame::Body,
};

/// Own messages after which a device renews its keys.
const MESSAGES_PER_UPDATE: u32 = 200;
/// Longest pause before a lost vote is tried again, milliseconds.
const RETRY_MS: u32 = 400;

/// A commit that waits for its slot.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Staged {
    pub(crate) slot: u64,
    pub(crate) aad: Vec<u8>,
    pub(crate) value_hash: Hash,
    pub(super) generation: u32,
    /// Leaf keys of the devices that it removes.
    pub(super) removes: BTreeSet<Hash>,
    pub(super) cells: Vec<Vec<u8>>,
    pub(super) round: u32,
    pub(super) tie: [u8; BALLOT_TIE_BYTES],
}

/// Where the staged commit is on its way.
#[derive(Debug)]
pub(crate) enum Ballot {
    None,
    Preparing,
    /// The cells of the vote whose arrival is not acknowledged.
    Accepting(BTreeSet<u32>),
    /// Lost a round; tries again then.
    Waiting(Millis),
    /// Accepted, or the slot is taken: the value comes by the lane.
    Decided,
}

impl Ballot {
    pub(crate) fn due(&self) -> Option<Millis> {
        if let Self::Waiting(due) = self {
            Some(*due)
        } else {
            None
        }
    }
}

impl Community {
    /// Wishes for new keys of this device, unless that is wished already.
    pub(super) fn intend_update(&mut self) {
        let wished = |wish: &Wish| matches!(wish.intent, Intent::Update);
        if !self.saved.wishes.iter().any(wished) {
            self.intend(Intent::Update);
        }
    }

    /// Drops the wish for new keys, unless they are due anyway. Only between two slots, when nothing is staged.
    pub(super) fn withdraw_update(&mut self) {
        let before = self.saved.wishes.len();
        if self.saved.own_messages < MESSAGES_PER_UPDATE && self.saved.staged.is_none() {
            self.saved
                .wishes
                .retain(|wish| !matches!(wish.intent, Intent::Update));
        }
        self.saved_changed |= self.saved.wishes.len() != before;
    }

    pub(super) fn count_own_message(&mut self) {
        self.saved.own_messages = self.saved.own_messages.saturating_add(1);
        self.saved_changed = true;
        if self.saved.own_messages >= MESSAGES_PER_UPDATE {
            self.intend_update();
        }
    }

    pub(super) fn advance_commit(&mut self, ctx: &mut Ctx<'_>) {
        if !self.slots.is_caught_up() {
            return;
        }
        if self.saved.staged.is_none() && self.slots.place() > self.place() {
            let staged = if self.watch.is_some() {
                self.stage_external(ctx)
            } else {
                self.stage_intent(ctx)
            };
            if let Some(staged) = staged {
                self.saved.staged = Some(staged);
                self.saved_changed = true;
                self.ballot = Ballot::None;
            }
        }
        let due = match &self.ballot {
            // Decided: so it was said, but the lane has been read to its end and holds nothing there.
            Ballot::None | Ballot::Decided => true,
            Ballot::Waiting(at) => *at <= ctx.now,
            Ballot::Preparing | Ballot::Accepting(_) => false,
        };
        let at = self
            .proposal()
            .map(|staged| (staged.generation, staged.slot));
        if !at.is_some_and(|at| self.parcel_is_there(at)) {
            return;
        }
        if let (true, Some(staged)) = (due, self.proposal()) {
            let ballot = staged.ballot();
            let keys = self.lane_keys();
            let statement = Statement::Prepare(&keys.id, staged.slot, &ballot);
            let signature = Bytes::copy_from_slice(&statement.sign(&keys.proposer()));
            let lane = Bytes::copy_from_slice(&keys.id);
            let prepare = Prepare {
                lane,
                slot: staged.slot,
                ballot: Some(ballot),
                signature,
            };
            ctx.ask(Tag::Prepare, Some(Body::Prepare(prepare).into()));
            self.ballot = Ballot::Preparing;
        }
    }

    fn stage_intent(&mut self, ctx: &mut Ctx<'_>) -> Option<Staged> {
        let intent = self.saved.wishes.first()?.intent.clone();
        let bodies = self.bodies(&intent, ctx.time.0);
        let leaf = self.saved.leaf.signing_key();
        let proposal = match self.chain.propose(&leaf, bodies, ctx.time.0) {
            Ok(proposal) => proposal,
            Err(error) => {
                // The ledger no longer allows it.
                self.wish_done(ctx, Err(super::intent::refusal(error)));
                return None;
            }
        };
        let removes = self.dangling(&proposal.ledger);
        let group = self.group.as_mut()?;
        let aad = proposal.aad.clone();
        let staged = group.stage_update(&aad, &removes).ok()?;
        let (rescues, blobs) = if proposal.turns || !removes.is_empty() {
            let secret = group.export_pending(EXPORT_GENERATION, &[]).ok()?.into();
            self.ways(ctx, &secret, &proposal.ledger)
        } else {
            (Ways::default(), vec![])
        };
        #[cfg(feature = "unruly")]
        let (staged, rescues) = self.unruly.spoil(&leaf, staged, rescues);
        let record = self.chain.record(
            proposal,
            staged.commit,
            staged.group_info,
            self.certificate(),
            rescues,
        );
        let staged = self.stage(ctx, aad, &record, removes)?;
        self.keep_parcel(ctx, (staged.generation, staged.slot), blobs);
        Some(staged)
    }

    /// Proof that the slot before the next one was chosen, if this device was there.
    fn certificate(&self) -> Option<proto::Certificate> {
        let (slot, bytes) = self.saved.certificate.as_ref()?;
        if *slot == self.chain.slot {
            proto::Certificate::decode(&bytes[..]).ok()
        } else {
            None
        }
    }

    fn stage_external(&mut self, ctx: &mut Ctx<'_>) -> Option<Staged> {
        let watch = self.watch.as_ref()?;
        if self.beacons.futile == Some(watch.chain.record)
            || self.waits_for_an_owner(&watch.chain.ledger)
        {
            return None;
        }
        let me = self.leaf_public();
        let again = watch.chain.ledger.current(&me).is_ok();
        let plan = self.saved.join.as_ref().or(self.saved.entrance.as_ref());
        let bodies = match plan.filter(|_| !again) {
            // The record by which this device came in is one that the relay forgot, and it never made another.
            None if !again => return None,
            Some(join) => {
                let claim = ledger::make_claim(
                    &join.secret,
                    &watch.chain.ledger.community,
                    &self.saved.cert,
                );
                vec![StatementBody::Admit(proto::Admit {
                    cert: self.saved.cert.clone(),
                    name: join.name.clone(),
                    claim: Some(claim),
                    rescue: generation::rescue_key(&self.saved.leaf, watch.suite()?),
                })]
            }
            None => vec![],
        };
        let leaf = self.saved.leaf.signing_key();
        let proposal = match watch.chain.propose(&leaf, bodies, ctx.time.0) {
            Ok(proposal) => proposal,
            Err(error) => {
                let failure = super::records::failure(error);
                if self.saved.join.is_some() {
                    ctx.news.joined = Some(Err(failure));
                } else if !matches!(failure, Failure::InviteUnknown | Failure::InvitePaused) {
                    // Nothing leads back: the record by which this device came in is gone, and its link has ended.
                    self.depart(ctx, Departure::Lost);
                }
                return None;
            }
        };
        let aad = proposal.aad.clone();
        // Where the group began anew, who is in by the ledger is not in the tree yet.
        let inside = watch.leaf_keys().contains(&me);
        let made = watch.way_in().and_then(|(tree, group_info)| {
            let (leaf, cert, seed) = (self.leaf(), &self.saved.cert, ctx.seed());
            Group::join(&tree, group_info, &leaf, cert, &aad, seed, inside)
        });
        let Ok((group, staged)) = made else {
            // The last record leads nowhere, until somebody has put it right.
            if self.saved.join.is_some() {
                ctx.news.joined = Some(Err(Failure::InvitePaused));
            }
            return None;
        };
        let record = watch.chain.record(
            proposal,
            staged.commit,
            staged.group_info,
            None,
            Ways::default(),
        );
        self.saved.pending_id = Some(group.id());
        self.pending = Some(group);
        self.stage(ctx, aad, &record, BTreeSet::new())
    }

    fn stage(
        &mut self,
        ctx: &mut Ctx<'_>,
        aad: Vec<u8>,
        record: &[u8],
        removes: BTreeSet<Hash>,
    ) -> Option<Staged> {
        let chain = self
            .watch
            .as_ref()
            .map_or(&self.chain, |watch| &watch.chain);
        let cells = cell::seal(&chain.keys.lane(), super::slots::RECORD, record, ctx.rng).ok()?;
        let mut tie = [0; BALLOT_TIE_BYTES];
        ctx.rng.fill_bytes(&mut tie);
        Some(Staged {
            generation: chain.generation,
            slot: chain.slot + 1,
            removes,
            aad,
            value_hash: hash_cells(&cells),
            cells: cells.iter().map(|cell| cell.to_vec()).collect(),
            round: 1,
            tie,
        })
    }

    /// The answer to a Prepare.
    pub(super) fn prepared(&mut self, ctx: &mut Ctx<'_>, body: &Body) {
        let again = &mut self.restored.proposal;
        let Some(staged) = again.as_mut().or(self.saved.staged.as_mut()) else {
            return;
        };
        match body {
            Body::Promise(Promise { slot, accepted, .. }) if *slot == staged.slot => {
                let ours = accepted
                    .as_ref()
                    .is_none_or(|vote| vote.value_hash[..] == staged.value_hash[..]);
                if ours {
                    self.vote(ctx);
                } else {
                    self.taken();
                }
            }
            Body::Refused(refused) if refused.code == i32::from(RefusedCode::RefusedBallot) => {
                let higher = u32::try_from(refused.detail)
                    .unwrap_or(u32::MAX)
                    .saturating_add(1);
                // A relay refuses rounds too far ahead, so one wild answer must not put this device there for good.
                let farthest = staged.round.saturating_add(BALLOT_ROUND_AHEAD_MAX);
                staged.round = staged.round.max(higher.min(farthest));
                self.saved_changed = true;
                self.retry(ctx);
            }
            Body::Refused(refused) if refused.code == i32::from(RefusedCode::RefusedConflict) => {
                self.taken();
            }
            Body::Refused(refused) if refused.code == i32::from(RefusedCode::RefusedOrder) => {
                self.taken();
                self.retry(ctx);
            }
            _ => self.retry(ctx),
        }
    }

    fn vote(&mut self, ctx: &mut Ctx<'_>) {
        let Some(staged) = self.proposal() else {
            return;
        };
        let mut vote = Vote {
            ballot: Some(staged.ballot()),
            value_hash: Bytes::copy_from_slice(&staged.value_hash),
            cells: u32::try_from(staged.cells.len()).unwrap_or(u32::MAX),
            signature: Bytes::new(),
        };
        let keys = self.lane_keys();
        let lane = &keys.id;
        let signature = Statement::Accept(lane, staged.slot, &vote).sign(&keys.proposer());
        vote.signature = Bytes::copy_from_slice(&signature);
        for (index, cell) in (0..).zip(&staged.cells) {
            let accept = Accept {
                lane: Bytes::copy_from_slice(lane),
                slot: staged.slot,
                vote: Some(vote.clone()),
                index,
                cell: Bytes::copy_from_slice(cell),
            };
            ctx.asks
                .push((Tag::Accept(index), Body::Accept(accept).into()));
        }
        self.ballot = Ballot::Accepting((0..vote.cells).collect());
    }

    /// The answer to a cell of a vote.
    pub(super) fn accepted(&mut self, ctx: &mut Ctx<'_>, index: u32, body: &Body) {
        let Some(staged) = self.proposal() else {
            return;
        };
        match body {
            Body::Done(_) => {
                if let Ballot::Accepting(left) = &mut self.ballot {
                    left.remove(&index);
                    // All cells are there and nothing came of it: the relay has dropped some for a newer vote.
                    if left.is_empty() {
                        self.retry(ctx);
                    }
                }
            }
            Body::Accepted(accepted) if accepted.slot == staged.slot => {
                let Some(relay_key) = ctx.relay_key else {
                    return;
                };
                // A value that was accepted before, in an earlier round, is acknowledged with that round's ballot.
                let Some(ballot) = accepted.ballot.clone() else {
                    return;
                };
                let lane = self.slots.id();
                let statement =
                    Statement::Accepted(&lane, staged.slot, &ballot, &staged.value_hash);
                if statement.verify(&relay_key, &accepted.signature).is_err() {
                    self.retry(ctx);
                    return;
                }
                let certificate = proto::Certificate {
                    slot: staged.slot,
                    round: ballot.round,
                    tie: ballot.tie.to_vec(),
                    value_hash: staged.value_hash.to_vec(),
                    acknowledgements: vec![proto::Acknowledgement {
                        relay_key: relay_key.to_vec(),
                        signature: accepted.signature.to_vec(),
                    }],
                };
                if self.restored.proposal.is_none() {
                    self.saved.certificate = Some((staged.slot, certificate.encode_to_vec()));
                    self.saved_changed = true;
                }
                self.taken();
            }
            Body::Refused(refused) if refused.code == i32::from(RefusedCode::RefusedConflict) => {
                self.taken();
            }
            _ => {
                if matches!(self.ballot, Ballot::Accepting(_)) {
                    self.retry(ctx);
                }
            }
        }
    }

    /// The slot holds, or is about to hold, another's value: read it.
    fn taken(&mut self) {
        self.ballot = Ballot::Decided;
        self.slots.doubt();
    }

    fn retry(&mut self, ctx: &mut Ctx<'_>) {
        let wait = u64::from(ctx.rng.next_u32() % RETRY_MS) + 50;
        self.ballot = Ballot::Waiting(ctx.now.plus(wait));
    }
}

impl Staged {
    fn ballot(&self) -> WireBallot {
        WireBallot {
            round: self.round,
            tie: Bytes::copy_from_slice(&self.tie),
        }
    }
}

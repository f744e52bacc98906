//! Ordering commits: an intent becomes a staged commit for the next free slot, the relay promises, accepts and signs,
//! and only then is anything merged. With one relay this is a compare-and-append; the shape (ballots, votes,
//! certificates) is that of Paxos per slot, so that several relays are a matter of counting.
//!
//! The staged commit is stored before its first vote leaves and dropped only when the slot is known to hold another
//! value: a vote that may have been accepted is never forgotten.

use super::{Community, Ctx, Tag};
use crate::cell;
use crate::io::Millis;
use crate::keys::Secret;
use crate::ledger;
use crate::mls::Group;
use crate::proto::{self, statement::Body as StatementBody};
use bytes::Bytes;
use prost::Message;
use rand_core::RngCore;
use std::collections::BTreeSet;
use ume_api::HistoryWindow;
use ume_wire::auth::{Hash, Statement, hash_cells};
use ume_wire::limits::{BALLOT_ROUND_AHEAD_MAX, BALLOT_TIE_BYTES};
use ume_wire::relay::{
    Accept, Ballot as WireBallot, Prepare, Promise, RefusedCode, Vote, frame::Body,
};

/// Own messages after which a device renews its keys.
const MESSAGES_PER_UPDATE: u32 = 200;
/// Longest pause before a lost vote is tried again, milliseconds.
const RETRY_MS: u32 = 400;

/// What is to be committed, as a wish: what exactly is worked out anew for every slot that it is tried for.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) enum Intent {
    /// Renew this device's keys.
    Update,
    /// Put an invite into the ledger.
    Invite {
        secret: Secret,
        expires_ms: Option<u64>,
        max_uses: Option<u32>,
        window: Window,
    },
}

/// [`HistoryWindow`] as it is stored.
pub(crate) type Window = HistoryWindow;

/// A commit that waits for its slot.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Staged {
    pub(crate) slot: u64,
    pub(crate) aad: Vec<u8>,
    pub(crate) value_hash: Hash,
    cells: Vec<Vec<u8>>,
    round: u32,
    tie: [u8; BALLOT_TIE_BYTES],
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
    /// Wishes something to be committed.
    pub(crate) fn intend(&mut self, intent: Intent) {
        self.saved.intents.push(intent);
        self.saved_changed = true;
    }

    /// Wishes for new keys of this device, unless that is wished already.
    pub(super) fn intend_update(&mut self) {
        let wished = |intent: &Intent| matches!(intent, Intent::Update);
        if !self.saved.intents.iter().any(wished) {
            self.intend(Intent::Update);
        }
    }

    /// Drops the wish for new keys, unless they are due anyway. Only between two slots, when nothing is staged.
    pub(super) fn withdraw_update(&mut self) {
        let before = self.saved.intents.len();
        if self.saved.own_messages < MESSAGES_PER_UPDATE && self.saved.staged.is_none() {
            self.saved
                .intents
                .retain(|intent| !matches!(intent, Intent::Update));
        }
        self.saved_changed |= self.saved.intents.len() != before;
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
        if self.saved.staged.is_none() {
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
        if let (true, Some(staged)) = (due, &self.saved.staged) {
            let ballot = staged.ballot();
            let statement = Statement::Prepare(&self.chain.keys.id, staged.slot, &ballot);
            let signature = Bytes::copy_from_slice(&statement.sign(&self.chain.keys.proposer()));
            let lane = Bytes::copy_from_slice(&self.chain.keys.id);
            let prepare = Prepare {
                lane,
                slot: staged.slot,
                ballot: Some(ballot),
                signature,
            };
            ctx.ask(Tag::Prepare, Some(Body::Prepare(prepare)));
            self.ballot = Ballot::Preparing;
        }
    }

    fn stage_intent(&mut self, ctx: &mut Ctx<'_>) -> Option<Staged> {
        let intent = self.saved.intents.first()?.clone();
        let statements = match &intent {
            Intent::Update => vec![],
            Intent::Invite {
                secret,
                expires_ms,
                max_uses,
                window,
            } => {
                let body = invite_statement(secret, *expires_ms, *max_uses, *window);
                vec![ledger::make_statement(&self.saved.leaf.signing_key(), body)]
            }
        };
        let group = self.group.as_mut()?;
        let Ok(proposal) = self.chain.propose(statements, ctx.time.0) else {
            // The ledger no longer allows it; it never will for these bytes.
            self.saved.intents.remove(0);
            self.saved_changed = true;
            return None;
        };
        let aad = proposal.aad.clone();
        let staged = group.stage_update(&aad).ok()?;
        let record = self.chain.record(
            proposal,
            staged.commit,
            staged.group_info,
            self.certificate(),
        );
        self.stage(ctx, aad, &record)
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
        let statements = match &self.saved.join {
            Some(join) => {
                let claim = ledger::make_claim(
                    &join.secret,
                    &watch.chain.ledger.community,
                    &self.saved.cert,
                );
                let admit = proto::Admit {
                    cert: self.saved.cert.clone(),
                    name: join.name.clone(),
                    claim: Some(claim),
                };
                vec![ledger::make_statement(
                    &self.saved.leaf.signing_key(),
                    StatementBody::Admit(admit),
                )]
            }
            None => vec![],
        };
        let proposal = match watch.chain.propose(statements, ctx.time.0) {
            Ok(proposal) => proposal,
            Err(error) => {
                ctx.news.joined = Some(Err(super::records::failure(error)));
                return None;
            }
        };
        let aad = proposal.aad.clone();
        let tree = watch.tree().ok()?;
        let again = self.saved.join.is_none();
        let made = Group::join(
            &tree,
            watch.group_info(),
            &self.leaf(),
            &self.saved.cert,
            &aad,
            ctx.seed(),
            again,
        );
        let Ok((group, staged)) = made else {
            if self.saved.join.is_some() {
                ctx.news.joined = Some(Err(ume_api::Failure::InviteForged));
            }
            return None;
        };
        let record = watch
            .chain
            .record(proposal, staged.commit, staged.group_info, None);
        self.saved.pending_id = Some(group.id());
        self.pending = Some(group);
        self.stage(ctx, aad, &record)
    }

    fn stage(&mut self, ctx: &mut Ctx<'_>, aad: Vec<u8>, record: &[u8]) -> Option<Staged> {
        let chain = self
            .watch
            .as_ref()
            .map_or(&self.chain, |watch| &watch.chain);
        let cells = cell::seal(&chain.keys.lane(), super::slots::RECORD, record, ctx.rng).ok()?;
        let mut tie = [0; BALLOT_TIE_BYTES];
        ctx.rng.fill_bytes(&mut tie);
        Some(Staged {
            slot: chain.slot + 1,
            aad,
            value_hash: hash_cells(&cells),
            cells: cells.iter().map(|cell| cell.to_vec()).collect(),
            round: 1,
            tie,
        })
    }

    /// The answer to a Prepare.
    pub(super) fn prepared(&mut self, ctx: &mut Ctx<'_>, body: &Body) {
        let Some(staged) = &mut self.saved.staged else {
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
        let Some(staged) = &self.saved.staged else {
            return;
        };
        let mut vote = Vote {
            ballot: Some(staged.ballot()),
            value_hash: Bytes::copy_from_slice(&staged.value_hash),
            cells: u32::try_from(staged.cells.len()).unwrap_or(u32::MAX),
            signature: Bytes::new(),
        };
        let lane = &self.chain.keys.id;
        let signature =
            Statement::Accept(lane, staged.slot, &vote).sign(&self.chain.keys.proposer());
        vote.signature = Bytes::copy_from_slice(&signature);
        for (index, cell) in (0..).zip(&staged.cells) {
            let accept = Accept {
                lane: Bytes::copy_from_slice(lane),
                slot: staged.slot,
                vote: Some(vote.clone()),
                index,
                cell: Bytes::copy_from_slice(cell),
            };
            ctx.asks.push((Tag::Accept(index), Body::Accept(accept)));
        }
        self.ballot = Ballot::Accepting((0..vote.cells).collect());
    }

    /// The answer to a cell of a vote.
    pub(super) fn accepted(&mut self, ctx: &mut Ctx<'_>, index: u32, body: &Body) {
        let Some(staged) = &self.saved.staged else {
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
                let statement = Statement::Accepted(
                    &self.chain.keys.id,
                    staged.slot,
                    &ballot,
                    &staged.value_hash,
                );
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
                self.saved.certificate = Some((staged.slot, certificate.encode_to_vec()));
                self.saved_changed = true;
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

    /// What was wished has happened.
    pub(super) fn intent_done(&mut self) {
        // Intents are tried in order, so it is the first one that was carried out.
        if self.saved.intents.is_empty() {
            return;
        }
        self.saved.intents.remove(0);
        self.saved.own_messages = 0;
        self.saved_changed = true;
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

fn invite_statement(
    secret: &Secret,
    expires_ms: Option<u64>,
    max_uses: Option<u32>,
    window: HistoryWindow,
) -> StatementBody {
    let key = super::invites::invite_key(secret);
    let (window, days) = match window {
        HistoryWindow::None => (proto::Window::None, 0),
        HistoryWindow::Days(days) => (proto::Window::Days, days.into()),
        HistoryWindow::All => (proto::Window::All, 0),
    };
    StatementBody::InviteCreate(proto::InviteCreate {
        key: key.to_vec(),
        expires_ms: expires_ms.unwrap_or_default(),
        max_uses: max_uses.unwrap_or_default(),
        window: window.into(),
        days,
    })
}

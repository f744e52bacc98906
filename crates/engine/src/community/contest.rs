//! A recovery that was a mistake: somebody else was taken for this person. A device of the old persona is out of the group by
//! then and knows none of its lanes any more. What it still has is its own key, and the ledger up to where it went. So each
//! device has a lane of its own for this, which nobody else can write into or fill; members follow those of recoveries that
//! nobody contested, and whoever comes first carries what is said there into the ledger.

use super::intent::Wish;
use super::outbox::{Out, Sealed, What};
use super::{Community, Ctx, Intent, LogReader, Part, Tag};
use crate::audit::Rejected;
use crate::cell;
use crate::io::Millis;
use crate::keys::{OwnLane, contest_lane};
use crate::ledger::{Purpose, sign};
use crate::proto::{self, statement::Body as StatementBody};
use prost::Message as _;
use rand_core::RngCore;
use std::collections::BTreeMap;
use ume_api::{Contest, Failure};
use ume_wire::auth::Hash;
use ume_wire::fragment::Message;
use ume_wire::relay::{LaneNew, frame::Body};

/// Kind of the message in the lane.
const CONTEST: u8 = 3;
/// Lanes followed at once: those of the newest recoveries.
const FOLLOWED_MAX: usize = 16;
/// Cells that are read of one device's lane: it has one thing to say.
const CELLS_MAX: u64 = 64;
/// Members carry it after a random part of this time, milliseconds, unless somebody was quicker.
const CARRY_MS: u32 = 2_000;

/// What is followed for the sake of those who are out.
#[derive(Default)]
pub(super) struct Contests {
    pub(super) readers: BTreeMap<Hash, LogReader>,
    /// What is to be carried, and from when on.
    waiting: Option<(Millis, proto::Contest)>,
}

impl Contests {
    pub(super) fn due(&self) -> Option<Millis> {
        self.waiting.as_ref().map(|(at, _)| *at)
    }
}

impl Community {
    /// Whether this person was taken for somebody else who came in, and what this device said to it.
    pub(super) fn contest_state(&self) -> Option<Contest> {
        self.departed()?;
        let recovery = self.chain.ledger.recovery_from(&self.saved.persona)?;
        let going = !self.outs_of(&What::Contest).is_empty();
        Some(match (self.saved.contested || recovery.contested, going) {
            (_, true) => Contest::Sending,
            (true, false) => Contest::Sent,
            (false, false) => Contest::Possible,
        })
    }

    /// Says that this person's recovery was a mistake. Durable with this batch; it leaves when the relay is there.
    pub(crate) fn contest(&mut self, ctx: &mut Ctx<'_>) -> Result<(), Failure> {
        match self.contest_state() {
            Some(Contest::Possible) => {}
            Some(_) => return Err(Failure::AlreadySo),
            None => return Err(Failure::NotAllowed),
        }
        let ledger = &self.chain.ledger;
        let recovery = ledger.recovery_from(&self.saved.persona);
        let recovery = recovery.ok_or(Failure::NotAllowed)?;
        let claim = proto::ContestClaim {
            community: ledger.community.to_vec(),
            leaf: self.leaf_public().to_vec(),
            recover: recovery.head.to_vec(),
        };
        let leaf = self.saved.leaf.signing_key();
        let said = proto::Contest {
            claim: Some(sign(&leaf, Purpose::Contest, claim.encode_to_vec())),
        };
        let lane = self.contest_lane(&self.leaf_public()).keys;
        let cells = cell::seal(&lane, CONTEST, &said.encode_to_vec(), ctx.rng);
        let sealed = Sealed::new(0, &cells.map_err(|_| Failure::Internal)?);
        self.saved.contested = true;
        self.put_out(ctx, Out::new(What::Contest, Some(sealed)));
        ctx.news.view = true;
        self.advance_contest(ctx);
        Ok(())
    }

    fn contest_lane(&self, leaf: &Hash) -> OwnLane {
        contest_lane(&self.chain.ledger.community, leaf, &self.saved.relay.id)
    }

    /// The lane into which this device writes.
    pub(super) fn own_contest_lane(&self) -> OwnLane {
        let mut lane = self.contest_lane(&self.leaf_public());
        lane.keys.writer = Some(self.saved.leaf.signing_key());
        lane
    }

    /// Who is out has nothing else to say than this.
    pub(crate) fn is_silent(&self) -> bool {
        self.departed().is_some() && self.outbox.is_empty()
    }

    /// Sends what somebody has to say who is out.
    pub(super) fn advance_contest(&mut self, ctx: &mut Ctx<'_>) {
        if ctx.up && self.pause_until <= ctx.now {
            for out in self.outs_of(&What::Contest) {
                self.send_part(ctx, out, Part::Post);
            }
        }
    }

    /// The relay answered somebody who is out.
    pub(super) fn answer_departed(&mut self, ctx: &mut Ctx<'_>, tag: Tag, body: &Body) {
        if self.is_silent() {
            return;
        }
        match (tag, body) {
            (Tag::Lane(_) | Tag::Append { .. }, _) => self.answer_sending(ctx, tag, body),
            _ => return,
        }
        self.advance_contest(ctx);
        ctx.news.view = true;
    }

    /// Follows the lanes in which somebody who is out may say something, and carries it.
    pub(super) fn advance_contests(&mut self, ctx: &mut Ctx<'_>) {
        if !self.is_synced() {
            return;
        }
        let open: Vec<Hash> = self.chain.ledger.may_contest().take(FOLLOWED_MAX).collect();
        let mut readers = std::mem::take(&mut self.contests.readers);
        readers.retain(|leaf, _| open.contains(leaf));
        for leaf in open {
            let OwnLane { keys, new } = self.contest_lane(&leaf);
            let reader = readers
                .entry(leaf)
                .or_insert_with(|| LogReader::new(keys, 1));
            if reader.cursor() > CELLS_MAX {
                continue;
            }
            let messages = self.follow_own(ctx, new, reader);
            let said = messages.into_iter().filter(|one| one.kind == CONTEST);
            for message in said {
                self.hear_contest(ctx, &message.bytes);
            }
        }
        self.contests.readers = readers;
        self.carry_contest(ctx);
    }

    /// Follows a lane of one device's own; what came by it.
    pub(super) fn follow_own(
        &mut self,
        ctx: &mut Ctx<'_>,
        new: LaneNew,
        reader: &mut LogReader,
    ) -> Vec<Message> {
        let id = reader.id();
        let (messages, ask) = reader.take();
        ctx.ask(Tag::Read(id), ask);
        if self.ensure_lane(ctx, id, || new) {
            let ask = reader.follow().or_else(|| {
                let behind = !reader.is_caught_up();
                if behind { reader.read() } else { None }
            });
            ctx.ask(Tag::Read(id), ask);
        }
        messages
    }

    fn hear_contest(&mut self, ctx: &mut Ctx<'_>, bytes: &[u8]) {
        let said = proto::Contest::decode(bytes).unwrap_or_default();
        let leaf = self.saved.leaf.signing_key();
        let body = StatementBody::Contest(said.clone());
        match self.chain.propose(&leaf, vec![body], ctx.time.0) {
            Ok(_) => {
                let wait = u64::from(ctx.rng.next_u32() % CARRY_MS);
                self.contests.waiting = Some((ctx.now.plus(wait), said));
            }
            Err(error) => self.reject(Rejected::Contest(error)),
        }
    }

    fn carry_contest(&mut self, ctx: &mut Ctx<'_>) {
        let due = self.contests.due().is_some_and(|at| at <= ctx.now);
        let Some((_, said)) = self.contests.waiting.take_if(|_| due) else {
            return;
        };
        let wish = Intent::Contest(said.encode_to_vec());
        let wished = |one: &Wish| matches!(&one.intent, Intent::Contest(_));
        if !self.saved.wishes.iter().any(wished) {
            self.intend(wish);
            self.advance_commit(ctx);
        }
    }
}

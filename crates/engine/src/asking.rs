//! Asking to come in by a private invite: what is stored from the moment at which somebody asks until they are in, or are
//! told why not, or have taken it back. It outlives this program; on every connection the request is put into its lane
//! again (the very same cells, so that nothing is asked twice), and the lane of the answer is followed.

use crate::community::{Ctx, LogReader, NewDevice, Tag, mark};
use crate::io::{Key, Millis, Table};
use crate::keys::{Label, LaneKeys, OwnLane, Secret, answer_lane, request_lane, request_writer};
use crate::ledger::Ledger;
use crate::line::Request;
use crate::link::{Link, RelayRef};
use crate::mls::Suite;
use crate::request::{ANSWER, Answer, Asker, Card, REQUEST, open_answer};
use crate::{cell, community};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use ume_api::{
    CommunityRef, CommunityView, Failure, InviteKind, Missing, Person, PersonId, Phase, Refusal,
    Role, Rules, Unread,
};
use ume_wire::auth::{Hash, hash};
use ume_wire::relay::{Append, frame::Body};

/// Its row, beside those of the community that it may become.
pub(crate) const ROW: &[u8] = b"asking";
/// Pause after a relay refused, milliseconds.
const PAUSE_MS: u64 = 15_000;
/// How often the end of the answer's lane is asked for, in case a delivery was lost, milliseconds.
const POLL_MS: u64 = 30_000;
/// Pause before an answer is tried again that did not lead in, milliseconds.
const AGAIN_MS: u64 = 5 * 60_000;

/// The row.
#[derive(Clone, Serialize, Deserialize)]
struct Saved {
    number: u32,
    relay: RelayRef,
    /// The link.
    invite: Secret,
    community: Hash,
    ledger_min: u32,
    /// What the card said: the community's beginning, and who made the invite.
    genesis: Vec<u8>,
    inviter: Hash,
    /// Who asks.
    persona: Hash,
    name: String,
    leaf: Secret,
    cert: Vec<u8>,
    answer: Secret,
    /// The request, and its end, sealed for the request lane.
    request: Vec<Vec<u8>>,
    withdrawal: Vec<Vec<u8>>,
    withdrawing: bool,
    refused: Option<Refusal>,
}

/// How far something is on this connection.
#[derive(Debug, PartialEq, Eq)]
enum Going {
    No,
    /// The lane is asked for.
    Making,
    /// Cells that are not acknowledged.
    Sending(BTreeSet<u16>),
    Done,
}

/// One asking.
pub(crate) struct Asking {
    saved: Saved,
    suite: Suite,
    name: String,
    requests: OwnLane,
    answers: OwnLane,
    reader: LogReader,
    request: Going,
    listening: Going,
    newest: Option<Answer>,
    /// How to come in, if that was not tried.
    bundle: Option<Vec<u8>>,
    again_at: Option<Millis>,
    pause_until: Millis,
    poll_at: Millis,
    changed: bool,
    over: bool,
}

/// What a person says who asks.
pub(crate) struct Words {
    pub(crate) name: String,
    pub(crate) note: String,
}

impl Asking {
    /// Begins to ask, by a card.
    pub(crate) fn begin(
        ctx: &mut Ctx<'_>,
        root: &Secret,
        number: u32,
        link: &Link,
        card: &Card,
        words: Words,
    ) -> Option<Self> {
        let begun = Ledger::begin(&card.genesis).ok()?;
        let salt = &begun.genesis.salt;
        let device = NewDevice::unseen(ctx, root, salt, &link.community);
        let answer = Secret::random(ctx.rng);
        let relay = link.relays.first()?.clone();
        let requests = lane_of_requests(&link.secret, &relay.id);
        let asker = Asker {
            community: link.community,
            invite: &link.secret,
            leaf: &device.leaf,
            cert: &device.cert,
            name: &words.name,
            note: &words.note,
            answer: &answer,
        };
        let mut sealed = |withdrawn| {
            let message = asker.ask(card, withdrawn)?;
            let cells = cell::seal(&requests.keys, REQUEST, &message, ctx.rng).ok()?;
            Some(cells.iter().map(|cell| cell.to_vec()).collect())
        };
        let (request, withdrawal) = (sealed(false)?, sealed(true)?);
        let saved = Saved {
            number,
            relay,
            invite: link.secret.clone(),
            community: link.community,
            ledger_min: link.ledger_min,
            genesis: card.genesis.clone(),
            inviter: card.inviter,
            persona: device.persona,
            name: words.name,
            leaf: device.leaf,
            cert: device.cert,
            answer,
            request,
            withdrawal,
            withdrawing: false,
            refused: None,
        };
        let mut asking = Self::of(saved)?;
        asking.changed = true;
        Some(asking)
    }

    /// Takes back what was stored; `None` if it makes no sense.
    pub(crate) fn load(bytes: &[u8]) -> Option<Self> {
        Self::of(postcard::from_bytes(bytes).ok()?)
    }

    fn of(saved: Saved) -> Option<Self> {
        let begun = Ledger::begin(&saved.genesis).ok()?;
        let answers = answer_lane(&saved.answer, &saved.relay.id);
        Some(Self {
            suite: community::generation::suite(&begun.genesis)?,
            name: begun.genesis.name,
            requests: lane_of_requests(&saved.invite, &saved.relay.id),
            reader: LogReader::new(answers.keys.clone(), 1),
            answers,
            saved,
            request: Going::No,
            listening: Going::No,
            newest: None,
            bundle: None,
            again_at: None,
            pause_until: Millis::default(),
            poll_at: Millis::default(),
            changed: false,
            over: false,
        })
    }

    pub(crate) fn relay(&self) -> &RelayRef {
        &self.saved.relay
    }

    pub(crate) fn community(&self) -> Hash {
        self.saved.community
    }

    pub(crate) fn name(&self) -> &str {
        &self.saved.name
    }

    /// The device that asked, as it comes in.
    pub(crate) fn device(&self) -> NewDevice {
        NewDevice {
            persona: self.saved.persona,
            leaf: self.saved.leaf.clone(),
            cert: self.saved.cert.clone(),
        }
    }

    pub(crate) fn link(&self) -> Link {
        Link {
            kind: InviteKind::Private,
            secret: self.saved.invite.clone(),
            community: self.saved.community,
            ledger_min: self.saved.ledger_min,
            relays: vec![self.saved.relay.clone()],
        }
    }

    /// Whether it still waits for an answer.
    pub(crate) fn waits(&self) -> bool {
        self.saved.refused.is_none() && !self.saved.withdrawing
    }

    /// Whether nothing is left to be done, and its row can be erased.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// How to come in, once somebody said yes; once for each answer, and again after a while.
    pub(crate) fn take_bundle(&mut self) -> Option<Vec<u8>> {
        if !self.waits() {
            return None;
        }
        self.bundle.take()
    }

    /// The answer did not lead in: it is tried again later, if no other comes.
    pub(crate) fn try_again(&mut self, now: Millis) {
        self.again_at = Some(now.plus(AGAIN_MS));
    }

    /// Whether a ledger is one to which this device was let in: not older than the link, with the invite by whom the card
    /// named, and a yes.
    pub(crate) fn is_let_in(&self, ledger: &Ledger) -> Result<bool, Failure> {
        let invite = community::invites::invite_id(&self.saved.invite);
        let known = ledger.invites.get(&invite);
        let made = known.is_some_and(|invite| invite.issuer == self.saved.inviter);
        if ledger.len() < self.saved.ledger_min || !made {
            return Err(Failure::InviteForged);
        }
        Ok(ledger.admits(&invite, &self.saved.cert, 0).is_ok())
    }

    /// It is known that nobody is let in.
    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        self.saved.refused = Some(refusal);
        self.saved.request.clear();
        self.saved.withdrawal.clear();
        self.bundle = None;
        self.changed = true;
    }

    /// Takes the asking back: whoever may answer is told, and then nothing of it stays.
    pub(crate) fn take_back(&mut self, ctx: &mut Ctx<'_>) {
        self.saved.withdrawing = true;
        self.changed = true;
        self.bundle = None;
        self.request = Going::No;
        self.advance(ctx);
    }

    pub(crate) fn line_up(&mut self, ctx: &mut Ctx<'_>) {
        self.line_down();
        self.poll_at = ctx.now.plus(POLL_MS);
        // Following an answer may have ended with the connection.
        self.judge();
        self.advance(ctx);
    }

    pub(crate) fn line_down(&mut self) {
        self.request = Going::No;
        self.listening = Going::No;
        self.reader.restart();
        self.pause_until = Millis::default();
    }

    pub(crate) fn follows(&self, lane: &[u8]) -> bool {
        self.answers.keys.id[..] == *lane
    }

    pub(crate) fn deliver(&mut self, ctx: &mut Ctx<'_>, body: Body) {
        if let Body::Delivery(delivery) = body {
            self.reader.deliver(delivery.seq, delivery.cell);
        }
        self.advance(ctx);
    }

    pub(crate) fn answer(&mut self, ctx: &mut Ctx<'_>, tag: Tag, body: &Body) {
        match (tag, body) {
            // Who may not make lanes finds those that somebody else made.
            (Tag::Lane(lane), _) if lane == self.requests.keys.id => self.send(ctx),
            (Tag::Lane(_), _) => self.listening = Going::Done,
            (Tag::Append { index, .. }, Body::Appended(_)) => self.appended(index),
            (Tag::Append { .. }, _) => {
                self.request = Going::No;
                self.pause(ctx);
            }
            (Tag::Read(_), Body::Head(head)) => {
                self.take(ctx);
                let _begun_anew = self.reader.head(head);
            }
            (Tag::Read(_), Body::Refused(_)) => {
                self.reader.refused(false);
                self.listening = Going::No;
                self.pause(ctx);
            }
            _ => {}
        }
        self.advance(ctx);
    }

    fn pause(&mut self, ctx: &Ctx<'_>) {
        self.pause_until = ctx.now.plus(PAUSE_MS);
    }

    pub(crate) fn tick(&mut self, ctx: &mut Ctx<'_>) {
        if self.poll_at <= ctx.now {
            self.poll_at = ctx.now.plus(POLL_MS);
            if ctx.up && self.listening == Going::Done {
                let ask = self.reader.poll();
                ctx.ask(Tag::Read(self.answers.keys.id), ask);
            }
        }
        if self.again_at.is_some_and(|at| at <= ctx.now) {
            self.again_at = None;
            self.judge();
        }
        self.advance(ctx);
    }

    /// When [`Self::tick`] has something to do.
    pub(crate) fn due(&self) -> Option<Millis> {
        if self.saved.refused.is_some() {
            return None;
        }
        let times = [Some(self.poll_at), self.again_at];
        times.into_iter().flatten().min()
    }

    fn advance(&mut self, ctx: &mut Ctx<'_>) {
        self.take(ctx);
        if !ctx.up || self.pause_until > ctx.now || self.saved.refused.is_some() || self.over {
            return;
        }
        if self.request == Going::No {
            self.request = Going::Making;
            make(ctx, &self.requests);
        }
        if self.saved.withdrawing {
            return;
        }
        if self.listening == Going::No {
            self.listening = Going::Making;
            make(ctx, &self.answers);
        }
        if self.listening == Going::Done {
            let ask = self.reader.follow().or_else(|| {
                if self.reader.is_caught_up() {
                    None
                } else {
                    self.reader.read()
                }
            });
            ctx.ask(Tag::Read(self.answers.keys.id), ask);
        }
    }

    fn send(&mut self, ctx: &mut Ctx<'_>) {
        let cells = if self.saved.withdrawing {
            &self.saved.withdrawal
        } else {
            &self.saved.request
        };
        let LaneKeys {
            id,
            writer: Some(writer),
            ..
        } = &self.requests.keys
        else {
            return;
        };
        for (index, cell) in (0..).zip(cells) {
            let append = Append {
                lane: Bytes::copy_from_slice(id),
                cell: Bytes::copy_from_slice(cell),
                ..Append::default()
            };
            let tag = Tag::Append {
                out: self.saved.withdrawing.into(),
                part: community::Part::Post,
                index,
                place: 0,
            };
            ctx.ask(tag, Some(Request::signed_by(writer, Body::Append(append))));
        }
        self.request = Going::Sending((0..).zip(cells).map(|(index, _)| index).collect());
    }

    fn appended(&mut self, index: u16) {
        let Going::Sending(left) = &mut self.request else {
            return;
        };
        left.remove(&index);
        if left.is_empty() {
            self.request = Going::Done;
            self.over = self.saved.withdrawing;
        }
    }

    fn take(&mut self, ctx: &mut Ctx<'_>) {
        let (messages, ask) = self.reader.take();
        ctx.ask(Tag::Read(self.answers.keys.id), ask);
        let invite = community::invites::invite_id(&self.saved.invite);
        let request = hash(&self.saved.cert);
        let before = self.newest.clone();
        for message in messages.into_iter().filter(|one| one.kind == ANSWER) {
            let (community, leaf) = (&self.saved.community, &self.saved.leaf);
            // What does not open was put there by this device's own hand, or by nobody's.
            let opened = open_answer(
                self.suite,
                community,
                &invite,
                &request,
                leaf,
                &message.bytes,
            );
            self.newest = opened.or(self.newest.take());
        }
        if self.newest != before {
            self.judge();
        }
    }

    /// The newest answer counts.
    fn judge(&mut self) {
        match &self.newest {
            Some(Answer::Refusal(refusal)) if self.waits() => self.refuse(*refusal),
            Some(Answer::Bundle(bundle)) => self.bundle = Some(bundle.clone()),
            _ => {}
        }
    }

    /// Writes what changed into the batch.
    pub(crate) fn flush(&mut self, ctx: &mut Ctx<'_>) {
        if std::mem::take(&mut self.changed)
            && let Ok(bytes) = postcard::to_allocvec(&self.saved)
        {
            ctx.batch.0.insert(self.key(), Some(bytes));
        }
    }

    /// Erases what is stored of it.
    pub(crate) fn erase(&self, ctx: &mut Ctx<'_>) {
        ctx.batch.0.insert(self.key(), None);
    }

    fn key(&self) -> Key {
        Key {
            table: Table::Community,
            id: [&self.saved.number.to_be_bytes()[..], ROW].concat(),
        }
    }

    /// As the app shows it; not at all once it is taken back.
    pub(crate) fn view(&self) -> Option<CommunityView> {
        if self.saved.withdrawing {
            return None;
        }
        Some(CommunityView {
            id: CommunityRef(self.saved.number),
            name: self.name.clone(),
            me: Person {
                id: PersonId(self.saved.persona),
                name: self.saved.name.clone(),
                mark: mark(&self.saved.persona),
                picture: None,
                me: true,
            },
            members: 0,
            phase: self.saved.refused.map_or(Phase::Asking, Phase::Refused),
            role: Role::Reader,
            rules: Rules::default(),
            pinned: vec![],
            offered: vec![],
            offering: vec![],
            changes: 0,
            may_invite: false,
            requests: 0,
            missing: Missing::default(),
            contest: None,
            troubles: vec![],
            stalled: None,
            reborn: None,
            unread: Unread::default(),
            muted: false,
            drafts: false,
        })
    }
}

/// The request lane of an invite, for a holder of the link.
fn lane_of_requests(invite: &Secret, relay: &Hash) -> OwnLane {
    let writer = request_writer(invite);
    let requests = invite.derive(Label::Requests, &[]);
    let mut lane = request_lane(&requests, writer.verifying_key().as_bytes(), relay);
    lane.keys.writer = Some(writer);
    lane
}

fn make(ctx: &mut Ctx<'_>, lane: &OwnLane) {
    let new = Body::LaneNew(lane.new.clone());
    ctx.ask(Tag::Lane(lane.keys.id), Some(new.into()));
}

#[cfg(test)]
mod tests;

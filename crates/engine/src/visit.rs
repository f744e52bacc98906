//! Looking at an invite: its lane is read, the bundle opened and verified, and the records since followed from outside.
//! Nothing is stored and nobody learns more than that somebody has the link.
//!
//! What the joiner verifies: the Genesis hashes to the community's id in the link; every statement of the ledger holds;
//! the ledger is not shorter than the link says; the invite is in it; everybody in the group's tree is a device of a
//! member; the relay is the one that the founder named.

use crate::community::chain::Chain;
use crate::community::invites::{BUNDLE, invite_id};
use crate::community::slots::{CommitKeys, SLOTS_MAX, SlotReader};
use crate::community::watch::Watch;
use crate::community::{Ctx, LATEST_DAY, LogReader, Tag, failure, mark};
use crate::keys::{Secret, invite_lane};
use crate::ledger::Ledger;
use crate::link::Link;
use crate::proto;
use prost::Message;
use ume_api::{Card, Failure, Person};
use ume_wire::auth::Hash;
use ume_wire::relay::{RefusedCode, frame::Body};

/// What a visit is for; each is answered once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Look,
    Join { persona: String },
}

/// How far the visit is.
enum Stage {
    /// Reading the invite's lane; the newest bundle so far.
    Invite {
        reader: Box<LogReader>,
        bundle: Option<Vec<u8>>,
    },
    /// Following the records since the bundle.
    Records(Box<Entered>),
    Ended(Failure),
}

/// A verified bundle.
struct Entered {
    watch: Watch,
    slots: SlotReader,
    history: Option<(u64, Secret)>,
    inviter: Hash,
}

/// Everything that a join starts from.
pub(crate) struct Ready {
    pub(crate) watch: Watch,
    pub(crate) history: Option<(u64, Secret)>,
}

/// One invite being looked at.
pub(crate) struct Visit {
    pub(crate) link: Link,
    pub(crate) asked: Vec<(u32, Purpose)>,
    stage: Stage,
}

impl Visit {
    pub(crate) fn new(link: Link) -> Self {
        let stage = Self::first_stage(&link);
        Self {
            link,
            asked: vec![],
            stage,
        }
    }

    fn first_stage(link: &Link) -> Stage {
        let relay = link.relays.first().map_or([0; 32], |relay| relay.id);
        let keys = invite_lane(&link.secret, &relay, None);
        Stage::Invite {
            reader: Box::new(LogReader::new(keys, 1)),
            bundle: None,
        }
    }

    pub(crate) fn relay(&self) -> Option<&crate::link::RelayRef> {
        self.link.relays.first()
    }

    /// Looks again, as if for the first time: what is known may be old.
    pub(crate) fn refresh(&mut self, ctx: &mut Ctx<'_>) {
        match &mut self.stage {
            Stage::Ended(_) => self.stage = Self::first_stage(&self.link),
            Stage::Records(entered) => entered.slots.doubt(),
            Stage::Invite { .. } => {}
        }
        self.advance(ctx);
    }

    pub(crate) fn line_up(&mut self, ctx: &mut Ctx<'_>) {
        match &mut self.stage {
            Stage::Invite { reader, .. } => reader.restart(),
            Stage::Records(entered) => entered.slots.restart(),
            Stage::Ended(_) => {}
        }
        self.advance(ctx);
    }

    pub(crate) fn follows(&self, lane: &[u8]) -> bool {
        match &self.stage {
            Stage::Invite { reader, .. } => reader.id()[..] == *lane,
            Stage::Records(entered) => entered.watch.chain.keys.id[..] == *lane,
            Stage::Ended(_) => false,
        }
    }

    pub(crate) fn deliver(&mut self, ctx: &mut Ctx<'_>, body: Body) {
        match (&mut self.stage, body) {
            (Stage::Invite { reader, .. }, Body::Delivery(delivery)) => {
                reader.deliver(delivery.seq, delivery.cell);
            }
            (Stage::Records(entered), Body::Value(value)) => entered.slots.deliver(value),
            _ => {}
        }
        self.advance(ctx);
    }

    pub(crate) fn answer(&mut self, ctx: &mut Ctx<'_>, body: &Body) {
        self.take(ctx);
        match (&mut self.stage, body) {
            (Stage::Invite { reader, .. }, Body::Head(head)) => reader.head(head),
            (Stage::Records(entered), Body::Head(head)) => entered.slots.head(head),
            (stage, Body::Refused(refused)) => {
                let denied = refused.code == i32::from(RefusedCode::RefusedDenied);
                *stage = Stage::Ended(if denied {
                    Failure::InviteUnknown
                } else {
                    Failure::RelayRefused
                });
            }
            _ => {}
        }
        self.advance(ctx);
    }

    fn advance(&mut self, ctx: &mut Ctx<'_>) {
        self.take(ctx);
        self.enter();
        if !ctx.up {
            return;
        }
        match &mut self.stage {
            Stage::Invite { reader, .. } if !reader.is_caught_up() => {
                let (id, ask) = (reader.id(), reader.read());
                ctx.ask(Tag::Read(id), ask);
            }
            Stage::Records(entered) if !entered.slots.is_caught_up() => {
                let id = entered.watch.chain.keys.id;
                let ask = entered.slots.follow().or_else(|| entered.slots.read());
                ctx.ask(Tag::Read(id), ask);
            }
            _ => {}
        }
    }

    /// Takes what has arrived, and asks for what has not.
    fn take(&mut self, ctx: &mut Ctx<'_>) {
        match &mut self.stage {
            Stage::Invite { reader, bundle } => {
                let (messages, ask) = reader.take();
                ctx.ask(Tag::Read(reader.id()), ask);
                for message in messages {
                    if message.kind == BUNDLE {
                        *bundle = Some(message.bytes);
                    }
                }
            }
            Stage::Records(entered) => {
                while let Some(chosen) = entered.slots.take() {
                    entered.watch.take(chosen.record.as_deref());
                    entered.slots.done();
                }
            }
            Stage::Ended(_) => {}
        }
    }

    /// Goes on to the records once the bundle is there.
    fn enter(&mut self) {
        let Stage::Invite { reader, bundle } = &self.stage else {
            return;
        };
        if !reader.is_caught_up() {
            return;
        }
        let entered = match bundle {
            Some(bundle) => verify(&self.link, bundle),
            None if reader.tampered > 0 => Err(Failure::InviteForged),
            None => Err(Failure::InviteUnknown),
        };
        self.stage = match entered {
            Ok(entered) => Stage::Records(Box::new(entered)),
            Err(failure) => Stage::Ended(failure),
        };
    }

    /// What came of it; `None` while it is under way.
    pub(crate) fn outcome(
        &self,
        time_ms: u64,
        suggested_name: String,
    ) -> Option<Result<Card, Failure>> {
        match &self.stage {
            Stage::Ended(failure) => Some(Err(*failure)),
            Stage::Records(entered) if entered.slots.is_caught_up() => {
                Some(card(&self.link, entered, time_ms, suggested_name))
            }
            _ => None,
        }
    }

    /// The end of the visit, for joining.
    pub(crate) fn into_ready(self) -> Option<Ready> {
        match self.stage {
            Stage::Records(entered) => Some(Ready {
                watch: entered.watch,
                history: entered.history,
            }),
            _ => None,
        }
    }
}

fn card(
    link: &Link,
    entered: &Entered,
    time_ms: u64,
    suggested_name: String,
) -> Result<Card, Failure> {
    let ledger = &entered.watch.chain.ledger;
    // Judged after the records have been read: a bundle may have been sealed just before somebody came in, and its link
    // given out just after.
    if ledger.len() < link.ledger_min {
        return Err(Failure::InviteForged);
    }
    let invite = ledger
        .invites
        .get(&invite_id(&link.secret))
        .ok_or(Failure::InviteForged)?;
    invite
        .usable(time_ms.max(entered.watch.chain.time_ms))
        .map_err(failure)?;
    let inviter = ledger
        .members
        .get(&entered.inviter)
        .ok_or(Failure::InviteForged)?;
    Ok(Card {
        community: ledger.genesis.name.clone(),
        inviter: Person {
            name: inviter.name.clone(),
            mark: mark(&entered.inviter),
            me: false,
        },
        members: u32::try_from(ledger.members.len()).unwrap_or(u32::MAX),
        expires_at: invite.expires_ms,
        uses_left: invite.max_uses.map(|max| max.saturating_sub(invite.uses)),
        history: invite.window,
        already: None,
        suggested_name,
    })
}

fn verify(link: &Link, bundle: &[u8]) -> Result<Entered, Failure> {
    let forged = Failure::InviteForged;
    let bundle = proto::JoinBundle::decode(bundle).map_err(|_| forged)?;
    let ledger =
        Ledger::replay(&link.community, &bundle.genesis, &bundle.statements).map_err(|_| forged)?;
    let relay = link.relays.first().ok_or(forged)?;
    let named = ledger
        .genesis
        .relays
        .first()
        .is_some_and(|first| first.id == relay.id);
    let invite = ledger.invites.get(&invite_id(&link.secret)).ok_or(forged)?;
    if !named || invite.issuer[..] != bundle.inviter[..] {
        return Err(forged);
    }
    let secret = |bytes: &[u8]| Secret::from_slice(bytes).ok_or(forged);
    let fixed = |bytes: &[u8]| Hash::try_from(bytes).map_err(|_| forged);
    let keys = CommitKeys {
        id: fixed(&bundle.lane)?,
        reader: secret(&bundle.lane_reader)?,
        joiner: secret(&bundle.lane_joiner)?,
        seal: secret(&bundle.lane_seal)?,
        member_key: fixed(&bundle.lane_member)?,
        member: None,
    };
    if bundle.slot > SLOTS_MAX || bundle.history_day > LATEST_DAY + 1 {
        return Err(forged);
    }
    let history = match bundle.history_key.len() {
        0 => None,
        _ => Some((bundle.history_day, secret(&bundle.history_key)?)),
    };
    let inviter = fixed(&bundle.inviter)?;
    let chain = Chain {
        ledger,
        generation: bundle.generation,
        slot: bundle.slot,
        record: fixed(&bundle.record)?,
        time_ms: bundle.time_ms,
        keys: keys.clone(),
    };
    let watch = Watch::new(chain, &bundle.tree, bundle.group_info).map_err(|_| forged)?;
    if !watch.all_admitted() {
        return Err(forged);
    }
    Ok(Entered {
        slots: SlotReader::new(keys, bundle.slot + 1),
        watch,
        history,
        inviter,
    })
}

//! Looking at an invite: its lane is read, the bundle opened and verified, and the records since followed from outside.
//! Nothing is stored and nobody learns more than that somebody has the link. In the lane of a private invite there is a card,
//! and nothing to follow; the bundle comes with the answer, and is verified in the same way.
//!
//! What the joiner verifies: the Genesis hashes to the community's id in the link; every statement of the ledger holds;
//! the ledger is not shorter than the link says; the invite is in it; everybody in the group's tree is a device of a
//! member; the relay is the one that the founder named.

use crate::community::generation::Era;
use crate::community::invites::{BUNDLE, invite_id};
use crate::community::slots::SlotReader;
use crate::community::watch::Watch;
use crate::community::{Ctx, LATEST_DAY, LogReader, Tag, failure, mark};
use crate::keys::{Secret, invite_lane};
use crate::ledger::name_is_sound;
use crate::link::Link;
use crate::parcel::{Fetch, Fetched};
use crate::proto;
use crate::request::{CARD, Card as OpenCard, note_is_sound, open_card};
use prost::Message;
use ume_api::{Card, Failure, InviteKind, Person, PersonId, Refusal};
use ume_wire::auth::Hash;
use ume_wire::relay::{RefusedCode, frame::Body};

/// What a visit is for; each is answered once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Look,
    Join { persona: String },
    Ask { persona: String, note: String },
}

impl Purpose {
    /// Whether what is said is sound, and an invite is of the kind for it.
    pub(crate) fn fits(&self, kind: InviteKind) -> Result<(), Failure> {
        let (wanted, persona, note) = match self {
            Self::Look => return Ok(()),
            Self::Join { persona } => (InviteKind::Open, persona, ""),
            Self::Ask { persona, note } => (InviteKind::Private, persona, &note[..]),
        };
        if kind != wanted {
            return Err(Failure::NotAllowed);
        }
        let persona = persona.trim();
        if !(persona.is_empty() || name_is_sound(persona)) || !note_is_sound(note) {
            return Err(Failure::BadText);
        }
        Ok(())
    }
}

/// What a visit is for when no command asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    /// A community of this profile looks for its way back in.
    Return(u32),
    /// An asking was answered with yes.
    LetIn(u32),
}

/// How far the visit is.
enum Stage {
    /// Reading the invite's lane; the newest bundle so far.
    Invite {
        reader: Box<LogReader>,
        bundle: Option<Vec<u8>>,
    },
    /// A private invite's card.
    Card(Box<OpenCard>),
    /// Fetching the long parts of the bundle.
    Bulk {
        bundle: Box<proto::JoinBundle>,
        fetch: Box<Fetch>,
    },
    /// Following the records since the bundle.
    Records(Box<Entered>),
    Ended(Failure),
}

/// A verified bundle.
struct Entered {
    watch: Watch,
    slots: SlotReader,
    history: Vec<Era>,
    inviter: Hash,
    access: Option<Secret>,
}

/// Everything that a join starts from.
pub(crate) struct Ready {
    pub(crate) watch: Watch,
    pub(crate) history: Vec<Era>,
    pub(crate) access: Option<Secret>,
}

/// One invite being looked at.
pub(crate) struct Visit {
    pub(crate) link: Link,
    pub(crate) asked: Vec<(u32, Purpose)>,
    pub(crate) errand: Option<Errand>,
    stage: Stage,
}

impl Visit {
    pub(crate) fn new(link: Link) -> Self {
        let stage = Self::first_stage(&link);
        Self {
            link,
            asked: vec![],
            errand: None,
            stage,
        }
    }

    /// Follows the answer to an asking.
    pub(crate) fn by_answer(link: Link, bundle: &[u8], asking: u32) -> Result<Self, Failure> {
        let stage = open(&link, bundle)?;
        Ok(Self {
            link,
            asked: vec![],
            errand: Some(Errand::LetIn(asking)),
            stage,
        })
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
            Stage::Ended(_) | Stage::Card(_) => self.stage = Self::first_stage(&self.link),
            // The group has gone on to a generation that this bundle does not lead to; perhaps a newer one does.
            Stage::Records(entered) if entered.watch.is_lost() && self.errand.is_none() => {
                self.stage = Self::first_stage(&self.link);
            }
            Stage::Records(entered) => entered.slots.doubt(),
            Stage::Invite { .. } | Stage::Bulk { .. } => {}
        }
        self.advance(ctx);
    }

    pub(crate) fn line_up(&mut self, ctx: &mut Ctx<'_>) {
        match &mut self.stage {
            Stage::Invite { reader, .. } => reader.restart(),
            Stage::Bulk { fetch, .. } => fetch.restart(),
            Stage::Records(entered) => entered.slots.restart(),
            Stage::Card(_) | Stage::Ended(_) => {}
        }
        self.advance(ctx);
    }

    pub(crate) fn follows(&self, lane: &[u8]) -> bool {
        match &self.stage {
            Stage::Invite { reader, .. } => reader.id()[..] == *lane,
            Stage::Records(entered) => entered.watch.chain.keys.id[..] == *lane,
            Stage::Bulk { .. } | Stage::Card(_) | Stage::Ended(_) => false,
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
            (Stage::Invite { reader, .. }, Body::Head(head)) => {
                let _begun_anew = reader.head(head);
            }
            (Stage::Records(entered), Body::Head(head)) => entered.slots.head(head),
            (Stage::Bulk { fetch, .. }, Body::BlobPart(part)) => {
                fetch.take(part);
                ctx.news.goes_on = true;
            }
            (Stage::Bulk { fetch, .. }, Body::Refused(refused)) => fetch.refused(refused),
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
            Stage::Bulk { fetch, .. } => {
                if let Some(body) = fetch.ask() {
                    ctx.ask(Tag::Get, Some(body.into()));
                }
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
                    let wanted = match self.link.kind {
                        InviteKind::Open => BUNDLE,
                        InviteKind::Private => CARD,
                    };
                    if message.kind == wanted {
                        *bundle = Some(message.bytes);
                    }
                }
            }
            Stage::Records(entered) => {
                while let Some(chosen) = entered.slots.take() {
                    entered.watch.take_value(&chosen);
                    entered.slots.done();
                    if entered.watch.is_lost() {
                        break;
                    }
                }
            }
            Stage::Bulk { .. } | Stage::Card(_) | Stage::Ended(_) => {}
        }
    }

    /// Goes on to the long parts of the bundle and to the records, once it is there.
    fn enter(&mut self) {
        let next = match &mut self.stage {
            Stage::Invite { reader, bundle } if reader.is_caught_up() => {
                match (bundle, self.link.kind) {
                    (Some(bundle), InviteKind::Open) => open(&self.link, bundle),
                    (Some(card), InviteKind::Private) => open_card(&self.link, card)
                        .map(|card| Stage::Card(Box::new(card)))
                        .map_err(|_| Failure::InviteForged),
                    (None, _) if reader.tampered > 0 => Err(Failure::InviteForged),
                    (None, _) => Err(Failure::InviteUnknown),
                }
            }
            Stage::Bulk { bundle, fetch } => match fetch.result() {
                Fetched::NotYet => return,
                Fetched::Lost => Err(Failure::InviteIncomplete),
                Fetched::Whole(content) => match proto::Bulk::decode(content) {
                    Ok(bulk) => {
                        let mut bundle = std::mem::take(&mut **bundle);
                        (bundle.statements, bundle.tree) = (bulk.statements, bulk.tree);
                        follow(&self.link, bundle)
                    }
                    Err(_) => Err(Failure::InviteForged),
                },
            },
            _ => return,
        };
        self.stage = next.unwrap_or_else(Stage::Ended);
    }

    /// What came of it; `None` while it is under way.
    pub(crate) fn outcome(
        &self,
        time_ms: u64,
        suggested_name: String,
    ) -> Option<Result<Card, Failure>> {
        match &self.stage {
            Stage::Ended(failure) => Some(Err(*failure)),
            Stage::Card(card) => Some(private_card(card, time_ms, suggested_name)),
            Stage::Records(entered) if entered.watch.is_lost() => {
                let known = entered
                    .watch
                    .chain
                    .ledger
                    .invites
                    .get(&invite_id(&self.link.secret));
                let dead = known.is_none_or(|invite| invite.revoked);
                Some(Err(if dead {
                    Failure::InviteWithdrawn
                } else {
                    Failure::InvitePaused
                }))
            }
            Stage::Records(entered) if entered.slots.is_caught_up() => {
                Some(card(&self.link, entered, time_ms, suggested_name))
            }
            _ => None,
        }
    }

    /// Whether the invite and the records since led somewhere; `None` while it is under way.
    pub(crate) fn arrived(&self) -> Option<bool> {
        match &self.stage {
            Stage::Card(_) | Stage::Ended(_) => Some(false),
            Stage::Records(entered) if entered.watch.is_lost() => Some(false),
            Stage::Records(entered) => entered.slots.is_caught_up().then_some(true),
            Stage::Invite { .. } | Stage::Bulk { .. } => None,
        }
    }

    /// The end of the visit, for joining.
    pub(crate) fn into_ready(self) -> Option<Ready> {
        match self.stage {
            Stage::Records(entered) => Some(Ready {
                watch: entered.watch,
                history: entered.history,
                access: entered.access,
            }),
            _ => None,
        }
    }

    /// The end of the visit, for asking.
    pub(crate) fn into_card(self) -> Option<OpenCard> {
        match self.stage {
            Stage::Card(card) => Some(*card),
            _ => None,
        }
    }
}

/// What a private invite offers: as much as its card says, or why it offers nothing any more.
fn private_card(card: &OpenCard, time_ms: u64, suggested_name: String) -> Result<Card, Failure> {
    let expired = card.expires_ms.is_some_and(|at| time_ms > at);
    match card.ended {
        Some(Refusal::UsedUp | Refusal::Declined) => return Err(Failure::InviteUsedUp),
        Some(Refusal::Withdrawn) => return Err(Failure::InviteWithdrawn),
        Some(Refusal::Expired) => return Err(Failure::InviteExpired),
        None if expired => return Err(Failure::InviteExpired),
        None => {}
    }
    Ok(Card {
        kind: InviteKind::Private,
        community: card.community.clone(),
        inviter: Person {
            id: PersonId(card.inviter),
            name: card.name.clone(),
            mark: mark(&card.inviter),
            picture: None,
            me: false,
        },
        members: 0,
        expires_at: card.expires_ms,
        uses_left: Some(1),
        history: card.window,
        role: card.role,
        already: None,
        suggested_name,
    })
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
        .usable(
            &invite_id(&link.secret),
            time_ms.max(entered.watch.chain.time_ms),
        )
        .map_err(failure)?;
    ledger.has_room().map_err(failure)?;
    let inviter = ledger
        .members
        .get(&entered.inviter)
        .ok_or(Failure::InviteForged)?;
    Ok(Card {
        kind: InviteKind::Open,
        community: ledger.genesis.name.clone(),
        inviter: Person {
            id: PersonId(entered.inviter),
            name: inviter.name.clone(),
            mark: mark(&entered.inviter),
            picture: None,
            me: false,
        },
        members: u32::try_from(ledger.members.len()).unwrap_or(u32::MAX),
        expires_at: invite.expires_ms,
        uses_left: invite.max_uses.map(|max| max.saturating_sub(invite.uses)),
        history: invite.window,
        role: invite.role,
        already: None,
        suggested_name,
    })
}

/// What a bundle leads to, for the fuzz targets.
#[cfg(feature = "fuzzing")]
pub(crate) fn watch(link: &Link, bundle: &[u8]) -> Result<Watch, Failure> {
    let bundle = proto::JoinBundle::decode(bundle).map_err(|_| Failure::InviteForged)?;
    verify(link, bundle).map(|entered| entered.watch)
}

/// What a bundle grants of the past: generations in order, none of them later than the one that it leads to.
fn eras(bundle: &proto::JoinBundle) -> Result<Vec<Era>, Failure> {
    let mut eras: Vec<Era> = Vec::new();
    for era in &bundle.history {
        let in_order = eras
            .last()
            .is_none_or(|last| last.generation < era.generation);
        let key = Secret::from_slice(&era.key).filter(|_| in_order);
        let sound = era.day <= LATEST_DAY + 1 && era.generation <= bundle.generation;
        match key {
            Some(key) if sound => eras.push(Era {
                generation: era.generation,
                day: era.day,
                key,
            }),
            _ => return Err(Failure::InviteForged),
        }
    }
    Ok(eras)
}

/// Reads a bundle; its long parts may be elsewhere.
fn open(link: &Link, bundle: &[u8]) -> Result<Stage, Failure> {
    let forged = Failure::InviteForged;
    let bundle = proto::JoinBundle::decode(bundle).map_err(|_| forged)?;
    match &bundle.parcel {
        Some(parcel) => Ok(Stage::Bulk {
            fetch: Box::new(Fetch::new(parcel).ok_or(forged)?),
            bundle: Box::new(bundle),
        }),
        None => follow(link, bundle),
    }
}

fn follow(link: &Link, bundle: proto::JoinBundle) -> Result<Stage, Failure> {
    let entered = verify(link, bundle)?;
    Ok(Stage::Records(Box::new(entered)))
}

fn verify(link: &Link, bundle: proto::JoinBundle) -> Result<Entered, Failure> {
    let forged = Failure::InviteForged;
    let secret = |bytes: &[u8]| Secret::from_slice(bytes).ok_or(forged);
    let history = eras(&bundle)?;
    let access = match bundle.access.len() {
        0 => None,
        _ => Some(secret(&bundle.access)?),
    };
    let inviter = Hash::try_from(&bundle.inviter[..]).map_err(|_| forged)?;
    let watch = Watch::open(&link.community, bundle).ok_or(forged)?;
    let ledger = &watch.chain.ledger;
    let relay = link.relays.first().ok_or(forged)?;
    let named = ledger
        .genesis
        .relays
        .first()
        .is_some_and(|first| first.id == relay.id);
    let invite = ledger.invites.get(&invite_id(&link.secret)).ok_or(forged)?;
    if !named || invite.issuer != inviter || !watch.all_admitted() {
        return Err(forged);
    }
    Ok(Entered {
        slots: SlotReader::new(
            watch.chain.keys.clone(),
            (watch.chain.generation, watch.chain.slot + 1),
        ),
        watch,
        history,
        inviter,
        access,
    })
}

//! What is wished for: an intent is stored, and worked out anew for every slot that it is tried for, because what its
//! statement has to say may change in between.

use super::{Community, Ctx};
use crate::keys::{Label, Secret, request_writer};
use crate::ledger::{self, LedgerError};
use crate::proto::{self, statement::Body};
use prost::Message;
use ume_api::{Act, EntryId, Failure, HistoryWindow, InviteKind, Role};
use ume_wire::access;
use ume_wire::auth::Hash;

/// What is to be committed, as a wish.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) enum Intent {
    /// Renew this device's keys.
    Update,
    /// Put an invite into the ledger.
    Invite {
        kind: InviteKind,
        /// First day of history that a private one grants, days since 1970.
        first_day: u64,
        secret: Secret,
        expires_ms: Option<u64>,
        max_uses: Option<u32>,
        window: HistoryWindow,
        role: Role,
    },
    /// Pay the relay with another access key, or with none.
    Access(Option<Secret>),
    /// Change how the community is run.
    Govern(Act),
    /// Put into the ledger what a device said that is out: an encoded `Contest`.
    Contest(Vec<u8>),
}

/// An intent with the number by which whoever asked for it knows it.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Wish {
    pub(super) number: u32,
    pub(super) intent: Intent,
}

impl Community {
    /// Wishes something to be committed; the wish's number.
    pub(crate) fn intend(&mut self, intent: Intent) -> u32 {
        let number = self.saved.next_wish;
        self.saved.next_wish = number.wrapping_add(1);
        self.saved.wishes.push(Wish { number, intent });
        self.saved_changed = true;
        number
    }

    /// Wishes for a change, if the ledger as it is known here allows it.
    pub(crate) fn govern(&mut self, ctx: &mut Ctx<'_>, act: Act) -> Result<u32, Failure> {
        let intent = match act {
            Act::SetAccess { key: None } => Intent::Access(None),
            Act::SetAccess { key: Some(text) } => {
                let key = access::parse(&text.0).map_err(|_| Failure::AccessRefused)?;
                Intent::Access(Some(Secret::new(key)))
            }
            act => Intent::Govern(act),
        };
        if let Intent::Govern(Act::AnswerRequest {
            invite, request, ..
        }) = &intent
        {
            self.requested(&invite.0, &request.0)
                .ok_or(Failure::NotHere)?;
        }
        let bodies = self.bodies(&intent, ctx.time.0);
        let leaf = self.saved.leaf.signing_key();
        let tried = self.chain.propose(&leaf, bodies, ctx.time.0);
        tried.map_err(refusal)?;
        let number = self.intend(intent);
        self.advance(ctx);
        Ok(number)
    }

    /// The statements that an intent comes to now.
    pub(super) fn bodies(&self, intent: &Intent, time_ms: u64) -> Vec<Body> {
        match intent {
            Intent::Update => vec![],
            Intent::Invite {
                kind,
                first_day,
                secret,
                expires_ms,
                max_uses,
                window,
                role,
            } => {
                let (window, days) = window_numbers(*window);
                let mut create = proto::InviteCreate {
                    key: super::invites::invite_key(secret).to_vec(),
                    expires_ms: expires_ms.unwrap_or_default(),
                    max_uses: max_uses.unwrap_or_default(),
                    window: window.into(),
                    days,
                    role: ledger::role_number(*role),
                    ..proto::InviteCreate::default()
                };
                if *kind == InviteKind::Private {
                    create.set_kind(proto::InviteKind::Private);
                    let requests = secret.derive(Label::Requests, &[]);
                    create.requests = requests.bytes().to_vec();
                    let writer = request_writer(secret).verifying_key();
                    create.requests_writer = writer.to_bytes().to_vec();
                    create.first_day = *first_day;
                }
                vec![Body::InviteCreate(create)]
            }
            Intent::Access(key) => {
                let key = key.as_ref().map(|key| key.bytes().to_vec());
                vec![Body::AccessSet(proto::AccessSet {
                    key: key.unwrap_or_default(),
                })]
            }
            Intent::Govern(act) => self.statement(act, time_ms).into_iter().collect(),
            Intent::Contest(said) => {
                let said = proto::Contest::decode(&said[..]).unwrap_or_default();
                vec![Body::Contest(said)]
            }
        }
    }

    pub(super) fn statement(&self, act: &Act, time_ms: u64) -> Option<Body> {
        let body = match act {
            // A wish of its own, because what it says is secret.
            Act::SetAccess { .. } => return None,
            Act::SetRole { person, role } => self.with_frontiers(|frontiers| {
                Body::RoleSet(proto::RoleSet {
                    persona: person.0.to_vec(),
                    role: ledger::role_number(*role),
                    frontiers,
                })
            }),
            Act::SetRules { rules } => self.with_frontiers(|frontiers| {
                Body::RulesSet(proto::RulesSet {
                    post: ledger::role_number(rules.post),
                    invite: ledger::role_number(rules.invite),
                    pin: ledger::role_number(rules.pin),
                    moderate: ledger::role_number(rules.moderate),
                    frontiers,
                    private_only: rules.private_only,
                })
            }),
            Act::Remove { person, ban } => self.with_frontiers(|frontiers| {
                Body::Remove(proto::Remove {
                    persona: person.0.to_vec(),
                    ban: *ban,
                    frontiers,
                })
            }),
            Act::Leave => self.with_frontiers(|frontiers| Body::Leave(proto::Leave { frontiers })),
            Act::OfferOwnership { person, on, stay } => Body::OwnerOffer(proto::OwnerOffer {
                persona: person.0.to_vec(),
                on: *on,
                stay: *stay,
            }),
            Act::AcceptOwnership { from } => self.with_frontiers(|frontiers| {
                Body::OwnerAccept(proto::OwnerAccept {
                    by: from.0.to_vec(),
                    frontiers,
                    decline: false,
                })
            }),
            Act::DeclineOwnership { from } => Body::OwnerAccept(proto::OwnerAccept {
                by: from.0.to_vec(),
                frontiers: vec![],
                decline: true,
            }),
            Act::Transfer { from, to, post } => Body::Transfer(proto::Transfer {
                from: from.0.to_vec(),
                to: to.0.to_vec(),
                entry: post.map(|post| post.0.to_vec()).unwrap_or_default(),
                frontiers: self.frontiers_of(&from.0),
                time_ms,
            }),
            Act::Recover { old, new } => self.with_frontiers(|frontiers| {
                Body::Recover(proto::Recover {
                    old: old.0.to_vec(),
                    new: new.0.to_vec(),
                    frontiers,
                    time_ms,
                })
            }),
            Act::UndoRecovery { old } => {
                let edits = self.frontiers_since_recovery(&old.0);
                self.with_frontiers(|frontiers| {
                    Body::RecoverUndo(proto::RecoverUndo {
                        old: old.0.to_vec(),
                        frontiers,
                        edits: edits.clone(),
                        time_ms,
                    })
                })
            }
            Act::SetProfile { name, line } => Body::ProfileSet(proto::ProfileSet {
                name: name.clone(),
                line: line.clone(),
            }),
            Act::RevokeInvite { invite } => Body::InviteRevoke(proto::InviteRevoke {
                invite: invite.0.to_vec(),
            }),
            Act::AnswerRequest {
                invite,
                request,
                yes,
            } => Body::InviteAnswer(proto::InviteAnswer {
                invite: invite.0.to_vec(),
                request: request.0.to_vec(),
                yes: *yes,
            }),
            Act::Pin { post, on } => Body::Pin(proto::Pin {
                entry: post.0.to_vec(),
                on: *on,
            }),
        };
        Some(body)
    }

    /// Completes a statement with how far the devices have come, as far as it is known here, that may not post after it.
    fn with_frontiers(&self, make: impl Fn(Vec<proto::Frontier>) -> Body) -> Body {
        let leaf = self.saved.leaf.signing_key();
        let before = self.chain.ledger.posting_leaves();
        let mut after = self.chain.ledger.clone();
        let trial = ledger::make_statement(&leaf, &after.head(), make(vec![]));
        let losing = match after.apply(&trial, 0) {
            Ok(_) => &before - &after.posting_leaves(),
            // Said again, and to whoever asked, when the whole is tried.
            Err(_) => std::collections::BTreeSet::default(),
        };
        // What of this device still waits may never leave once the right is gone, and everybody would miss it for ever.
        let sent = losing.iter().filter_map(|leaf| {
            let last = self.feed.last_sent_of(leaf)?;
            Some(frontier(leaf, last))
        });
        make(sent.collect())
    }

    /// How far a person's devices have come, as far as it is known here.
    fn frontiers_of(&self, persona: &Hash) -> Vec<proto::Frontier> {
        let leaves = self.chain.ledger.leaves_of(persona);
        let last = |leaf| Some(frontier(leaf, self.feed.last_of(leaf)?));
        leaves.filter_map(last).collect()
    }

    /// The same of everybody who owned posts since somebody was recovered.
    fn frontiers_since_recovery(&self, old: &Hash) -> Vec<proto::Frontier> {
        let ledger = &self.chain.ledger;
        let since = ledger.recovery_from(old).map(|one| one.point);
        let owned = since.map(|point| ledger.given_since(point));
        let owned = owned.into_iter().flatten();
        owned
            .flat_map(|person| self.frontiers_of(&person))
            .collect()
    }

    /// What was wished first has happened, or never will.
    pub(super) fn wish_done(&mut self, ctx: &mut Ctx<'_>, result: Result<(), Failure>) {
        // Wishes are tried in order, so it is the first one that was carried out.
        if self.saved.wishes.is_empty() {
            return;
        }
        let wish = self.saved.wishes.remove(0);
        ctx.news.wishes.push((wish.number, result));
        self.saved_changed = true;
    }
}

fn frontier(leaf: &Hash, (seq, entry): (u64, EntryId)) -> proto::Frontier {
    proto::Frontier {
        leaf: leaf.to_vec(),
        seq,
        entry: entry.0.to_vec(),
    }
}

/// What becomes of a wish that the ledger does not allow.
pub(super) fn refusal(error: LedgerError) -> Failure {
    match error {
        LedgerError::Authority | LedgerError::TooMany => Failure::NotAllowed,
        LedgerError::Unknown | LedgerError::InviteUnknown => Failure::NotHere,
        LedgerError::Malformed => Failure::BadText,
        LedgerError::InviteExpired => Failure::InviteExpired,
        LedgerError::InviteUsedUp => Failure::InviteUsedUp,
        LedgerError::InviteWithdrawn => Failure::InviteWithdrawn,
        // Nothing to be done any more, or changed by somebody else meanwhile: what is shown is what holds.
        LedgerError::Repeated => Failure::AlreadySo,
        _ => Failure::Internal,
    }
}

/// A window as it is written down, with its days.
pub(super) fn window_numbers(window: HistoryWindow) -> (proto::Window, u32) {
    match window {
        HistoryWindow::None => (proto::Window::None, 0),
        HistoryWindow::Days(days) => (proto::Window::Days, days.into()),
        HistoryWindow::All => (proto::Window::All, 0),
    }
}

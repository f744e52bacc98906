//! Invites that this device made: their place in the ledger, and what lies in their lanes: the bundle of an open one lets a
//! holder of the link in while nobody is there; the card of a private one says how to ask ([`super::cards`]).

use super::chain::Ended;
use super::outbox::{Out, Sealed, What};
use super::slots::Place;
use super::{Community, Ctx, Intent, LATEST_DAY};
use crate::cell;
use crate::io::Millis;
use crate::keys::{LONG_TTL, Label, LaneKeys, Secret, history_forward, invite_lane, public};
use crate::ledger::LedgerError;
use crate::link::Link;
use crate::parcel;
use crate::proto;
use bytes::Bytes;
use prost::Message;
use ume_api::{HistoryWindow, InviteId, InviteKind, InviteState, InviteView};
use ume_wire::auth::{Hash, hash};
use ume_wire::relay::{LaneKind, LaneNew};

/// Kind of the message in an invite lane.
pub(crate) const BUNDLE: u8 = 1;
/// A bundle is made anew when the group is this many slots past it: a newcomer reads all records since.
const SLOTS_PER_BUNDLE: u64 = 32;
/// Bytes of ledger and tree that a bundle holds itself, at most: whoever looks at an invite reads all bundles in its lane.
const LONG: usize = 16 * 1024;
pub(crate) const DAY_MS: u64 = 24 * 3600 * 1000;

/// An invite made here.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct OwnInvite {
    pub(super) kind: InviteKind,
    pub(crate) secret: Secret,
    /// Seed of the write key of its lane; random, so that no holder of the link can write there.
    writer: Secret,
    /// First day of the history that its bundle grants.
    history_day: Option<u64>,
    /// The generation and the slot up to which its newest bundle reaches.
    pub(super) bundle_at: Option<Place>,
    /// Hash of the newest card of a private one.
    pub(super) card: Option<Hash>,
}

/// What bundles are made from, while its long parts are on their way to the relay.
pub(super) struct Draft {
    at: Place,
    /// Of the ledger there, in statements.
    length: u32,
    blobs: Vec<Hash>,
    snapshot: proto::JoinBundle,
}

/// Public key of an invite.
pub(crate) fn invite_key(secret: &Secret) -> Hash {
    secret
        .derive(Label::InviteKey, &[])
        .signing_key()
        .verifying_key()
        .to_bytes()
}

/// Id of an invite in the ledger.
pub(crate) fn invite_id(secret: &Secret) -> Hash {
    hash(&invite_key(secret))
}

impl OwnInvite {
    pub(super) fn lane(&self, relay: &Hash) -> LaneKeys {
        invite_lane(&self.secret, relay, Some(self.writer.signing_key()))
    }
}

impl Community {
    /// Wishes for an invite. It is usable once its bundle or card is at the relay.
    pub(crate) fn invite(&mut self, ctx: &mut Ctx<'_>, terms: ume_api::InviteTerms) -> (Hash, u32) {
        let secret = Secret::random(ctx.rng);
        let writer = Secret::random(ctx.rng);
        let today = ctx.today();
        let earliest = self.saved.history.first().map(|era| era.day);
        let history_day = match terms.history {
            HistoryWindow::None => None,
            HistoryWindow::Days(days) => {
                earliest.map(|first| first.max(today.saturating_sub(days.into())))
            }
            HistoryWindow::All => earliest,
        };
        let id = invite_id(&secret);
        let private = terms.kind == InviteKind::Private;
        self.saved.invites.push(OwnInvite {
            kind: terms.kind,
            secret: secret.clone(),
            writer,
            history_day,
            bundle_at: None,
            card: None,
        });
        let expires_ms = terms
            .expires_in
            .map(|seconds| ctx.time.0.saturating_add(seconds.saturating_mul(1000)));
        let wish = self.intend(Intent::Invite {
            kind: terms.kind,
            first_day: history_day.unwrap_or_default(),
            secret,
            expires_ms,
            // A private one gives one place away.
            max_uses: if private { Some(1) } else { terms.max_uses },
            window: terms.history,
            role: terms.role,
        });
        self.advance(ctx);
        (id, wish)
    }

    /// Whether nobody more can come in.
    pub(crate) fn is_full(&self) -> bool {
        self.chain.ledger.has_room().is_err()
    }

    /// The link of an invite made here.
    pub(crate) fn link(&self, invite: &Hash) -> Option<Link> {
        let own = self
            .saved
            .invites
            .iter()
            .find(|own| invite_id(&own.secret) == *invite)?;
        Some(Link {
            kind: own.kind,
            secret: own.secret.clone(),
            community: self.chain.ledger.community,
            ledger_min: self.chain.ledger.len(),
            relays: vec![self.saved.relay.clone()],
        })
    }

    /// Puts a new bundle into the outbox for every open invite that has none or an old one.
    pub(super) fn advance_invites(&mut self, ctx: &mut Ctx<'_>) {
        if !self.is_synced() {
            return;
        }
        let (generation, slot) = self.chain.place();
        let due: Vec<usize> = (0..self.saved.invites.len())
            .filter(|index| {
                let own = &self.saved.invites[*index];
                let id = invite_id(&own.secret);
                own.kind == InviteKind::Open
                    && self.chain.ledger.usable(&id, ctx.time.0).is_ok()
                    && own.bundle_at.is_none_or(|(of, at)| {
                        of != generation || slot >= at.saturating_add(SLOTS_PER_BUNDLE)
                    })
            })
            .collect();
        let points = due.iter().filter_map(|index| {
            let id = invite_id(&self.saved.invites[*index].secret);
            Some(self.chain.ledger.invites.get(&id)?.point)
        });
        let Some(newest) = points.max() else {
            return;
        };
        let Some((snapshot, at)) = self.drafted(ctx, newest) else {
            return;
        };
        for index in due {
            let bundle = self.bundle(&self.saved.invites[index], snapshot.clone());
            let own = &mut self.saved.invites[index];
            let lane = own.lane(&self.saved.relay.id);
            let Ok(cells) = cell::seal(&lane, BUNDLE, &bundle.encode_to_vec(), ctx.rng) else {
                continue;
            };
            own.bundle_at = Some(at);
            self.saved_changed = true;
            let id = invite_id(&self.saved.invites[index].secret);
            // A bundle that has not left yet is overtaken by this one.
            for key in self.outs_of(&What::Bundle(id)) {
                self.erase_out(ctx, key);
            }
            let out = Out::new(What::Bundle(id), Some(Sealed::new(at.1, &cells)));
            self.put_out(ctx, out);
        }
    }

    /// The snapshot for bundles of invites up to a statement, and the place that it reaches to, once its long parts lie at
    /// the relay.
    pub(super) fn drafted(
        &mut self,
        ctx: &mut Ctx<'_>,
        point: u32,
    ) -> Option<(proto::JoinBundle, Place)> {
        let (generation, slot) = self.chain.place();
        let is_of_use = |draft: &Draft| {
            let (of, at) = draft.at;
            of == generation && slot < at + SLOTS_PER_BUNDLE && draft.length >= point
        };
        if !self.draft.as_ref().is_some_and(is_of_use) {
            if let Some(old) = self.draft.take() {
                self.uploads.drop(|id| old.blobs.contains(id));
            }
            let snapshot = self.snapshot()?;
            let length = snapshot.statements.iter().map(Vec::len).sum::<usize>();
            if length + snapshot.tree.len() <= LONG {
                return Some((snapshot, (generation, slot)));
            }
            let bulk = proto::Bulk {
                statements: snapshot.statements,
                tree: snapshot.tree,
            };
            let (parcel, blobs) = parcel::seal(&bulk.encode_to_vec(), ctx.rng)?;
            self.uploads.put(&blobs);
            self.draft = Some(Draft {
                at: (generation, slot),
                length: self.chain.ledger.len(),
                blobs: blobs.iter().map(|blob| blob.id).collect(),
                snapshot: proto::JoinBundle {
                    statements: vec![],
                    tree: vec![],
                    parcel: Some(parcel),
                    ..snapshot
                },
            });
        }
        let lies_there = |draft: &mut Draft| draft.blobs.iter().all(|id| self.uploads.has(id));
        let draft = self.draft.take_if(lies_there)?;
        Some((draft.snapshot, draft.at))
    }

    fn bundle(&self, own: &OwnInvite, snapshot: proto::JoinBundle) -> proto::JoinBundle {
        let history = own.history_day.map(|day| self.granted(day));
        let access = self.access();
        proto::JoinBundle {
            history: history.unwrap_or_default(),
            inviter: self.saved.persona.to_vec(),
            access: access.map(|key| key.bytes().to_vec()).unwrap_or_default(),
            ..snapshot
        }
    }

    /// What is public among members of the place in the chain: from here the records can be followed from outside.
    pub(super) fn snapshot(&self) -> Option<proto::JoinBundle> {
        let (chain, tree, group_info) = match (&self.watch, &self.group) {
            (Some(watch), _) => (
                &watch.chain,
                watch.tree().ok()?,
                watch.group_info().to_vec(),
            ),
            (None, Some(group)) => (&self.chain, group.tree().ok()?, group.group_info().ok()?),
            (None, None) => return None,
        };
        let keys = &chain.keys;
        Some(proto::JoinBundle {
            genesis: chain.ledger.genesis_bytes().to_vec(),
            statements: chain
                .ledger
                .statements()
                .iter()
                .map(|one| one.to_vec())
                .collect(),
            generation: chain.generation,
            slot: chain.slot,
            value: chain.value.to_vec(),
            record: chain.record.to_vec(),
            time_ms: chain.time_ms,
            lane: keys.id.to_vec(),
            lane_reader: keys.reader.bytes().to_vec(),
            lane_joiner: keys.joiner.bytes().to_vec(),
            lane_seal: keys.seal.bytes().to_vec(),
            lane_member: keys.member_key.to_vec(),
            tree,
            group_info,
            generation_ms: chain.began_ms,
            ended: chain.ended.as_ref().map(Ended::message),
            ..proto::JoinBundle::default()
        })
    }

    /// The history from a day on, as far as this member has it.
    pub(super) fn granted(&self, from: u64) -> Vec<proto::Era> {
        let from = from.min(LATEST_DAY);
        let ends = self.saved.history.iter().skip(1).map(|next| next.day);
        let ends = ends.chain(std::iter::once(u64::MAX));
        let eras = self.saved.history.iter().zip(ends);
        // The day on which a generation ended belongs to both.
        eras.filter(|(_, end)| *end >= from)
            .map(|(era, _)| {
                let day = era.day.max(from);
                proto::Era {
                    generation: era.generation,
                    day,
                    key: history_forward(&era.key, day - era.day).bytes().to_vec(),
                }
            })
            .collect()
    }

    /// How many invites made here let people in now.
    pub(super) fn open_invites(&self, time_ms: u64) -> u32 {
        let ids = self.saved.invites.iter().map(|own| invite_id(&own.secret));
        let open = ids.filter(|id| self.chain.ledger.usable(id, time_ms).is_ok());
        u32::try_from(open.count()).unwrap_or(u32::MAX)
    }

    /// Forgets the secrets of open invites that were withdrawn. The card of a private one says so first.
    pub(super) fn drop_dead_invites(&mut self, ctx: &mut Ctx<'_>) {
        let known = &self.chain.ledger.invites;
        let open = self.saved.invites.iter();
        let open = open.filter(|own| own.kind == InviteKind::Open);
        let dead: Vec<Hash> = open
            .map(|own| invite_id(&own.secret))
            .filter(|id| known.get(id).is_some_and(|invite| invite.revoked))
            .collect();
        for id in dead {
            self.forget_invite(ctx, &id);
        }
    }

    pub(super) fn forget_invite(&mut self, ctx: &mut Ctx<'_>, id: &Hash) {
        self.saved
            .invites
            .retain(|own| invite_id(&own.secret) != *id);
        for out in self.outs_of(&What::Bundle(*id)) {
            self.erase_out(ctx, out);
        }
        self.saved_changed = true;
    }

    /// All invites, the newest first.
    pub(crate) fn invite_list(&self, time: Millis) -> Vec<InviteView> {
        let ledger = &self.chain.ledger;
        let time_ms = time.0.max(self.chain.time_ms);
        let mut list: Vec<_> = ledger.invites.iter().collect();
        list.sort_by_key(|(_, invite)| std::cmp::Reverse(invite.point));
        list.into_iter()
            .map(|(id, invite)| InviteView {
                id: InviteId(*id),
                kind: invite.kind(),
                issuer: self.person(&invite.issuer),
                uses: invite.uses,
                max_uses: invite.max_uses,
                expires_at: invite.expires_ms,
                history: invite.window,
                role: invite.role,
                state: match ledger.usable(id, time_ms) {
                    Ok(_) => InviteState::Open,
                    Err(LedgerError::InviteExpired) => InviteState::Expired,
                    Err(LedgerError::InviteUsedUp) => InviteState::UsedUp,
                    Err(_) if invite.banned => InviteState::Banned,
                    Err(_) => InviteState::Withdrawn,
                },
            })
            .collect()
    }

    /// The lane of an invite made here, and how it is created.
    pub(super) fn bundle_lane(&self, invite: &Hash) -> Option<(LaneKeys, LaneNew)> {
        let own = self
            .saved
            .invites
            .iter()
            .find(|own| invite_id(&own.secret) == *invite)?;
        let lane = own.lane(&self.saved.relay.id);
        let writer = public(&own.writer.signing_key());
        let new = LaneNew {
            lane: Bytes::copy_from_slice(&lane.id),
            kind: LaneKind::Log.into(),
            writers: vec![writer.clone()],
            reader: public(&lane.reader),
            owner: writer,
            ttl_seconds: LONG_TTL,
            acceptors: 0,
            ..LaneNew::default()
        };
        Some((lane, new))
    }
}

/// Days since 1970.
pub(crate) fn day_of(time_ms: u64) -> u64 {
    time_ms / DAY_MS
}

//! Invites that this device made: their place in the ledger, and the bundle that lets a holder of the link in while
//! nobody is there.

use super::posts::{Out, Sealed, What};
use super::slots::CommitKeys;
use super::{Community, Ctx, Intent, LATEST_DAY};
use crate::cell;
use crate::keys::{Label, LaneKeys, Secret, history_forward, invite_lane};
use crate::link::Link;
use crate::proto;
use bytes::Bytes;
use prost::Message;
use ume_api::HistoryWindow;
use ume_wire::auth::{Hash, hash};
use ume_wire::relay::{LaneKind, LaneNew};

/// Kind of the message in an invite lane.
pub(crate) const BUNDLE: u8 = 1;
/// A bundle is made anew when the group is this many slots past it: a newcomer reads all records since.
const SLOTS_PER_BUNDLE: u64 = 32;
/// How long a relay keeps a bundle.
const TTL_SECONDS: u32 = 400 * 24 * 3600;
const DAY_MS: u64 = 24 * 3600 * 1000;

/// An invite made here.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct OwnInvite {
    pub(crate) secret: Secret,
    /// Seed of the write key of its lane; random, so that no holder of the link can write there.
    writer: Secret,
    /// First day of the history that it grants.
    history_day: Option<u64>,
    /// The slot up to which its newest bundle reaches.
    bundle_slot: Option<u64>,
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
    fn lane(&self, relay: &Hash) -> LaneKeys {
        invite_lane(&self.secret, relay, Some(self.writer.signing_key()))
    }
}

impl Community {
    /// Wishes for an invite. It is usable once its bundle is at the relay.
    pub(crate) fn invite(&mut self, ctx: &mut Ctx<'_>, terms: ume_api::InviteTerms) -> Hash {
        let secret = Secret::random(ctx.rng);
        let writer = Secret::random(ctx.rng);
        let today = ctx.today();
        let earliest = self.saved.history.as_ref().map(|(day, _)| *day);
        let history_day = match terms.history {
            HistoryWindow::None => None,
            HistoryWindow::Days(days) => {
                earliest.map(|first| first.max(today.saturating_sub(days.into())))
            }
            HistoryWindow::All => earliest,
        };
        let id = invite_id(&secret);
        self.saved.invites.push(OwnInvite {
            secret: secret.clone(),
            writer,
            history_day,
            bundle_slot: None,
        });
        let expires_ms = terms
            .expires_in
            .map(|seconds| ctx.time.0.saturating_add(seconds.saturating_mul(1000)));
        self.intend(Intent::Invite {
            secret,
            expires_ms,
            max_uses: terms.max_uses,
            window: terms.history,
        });
        self.advance(ctx);
        id
    }

    /// The link of an invite made here.
    pub(crate) fn link(&self, invite: &Hash) -> Option<Link> {
        let own = self
            .saved
            .invites
            .iter()
            .find(|own| invite_id(&own.secret) == *invite)?;
        Some(Link {
            secret: own.secret.clone(),
            community: self.chain.ledger.community,
            ledger_min: self.chain.ledger.len(),
            relays: vec![self.saved.relay.clone()],
        })
    }

    /// Puts a new bundle into the outbox for every invite that has none or an old one.
    pub(super) fn advance_invites(&mut self, ctx: &mut Ctx<'_>) {
        if !self.is_synced() {
            return;
        }
        let slot = self.chain.slot;
        let due: Vec<usize> = (0..self.saved.invites.len())
            .filter(|index| {
                let own = &self.saved.invites[*index];
                let known = self.chain.ledger.invites.get(&invite_id(&own.secret));
                let usable = known.is_some_and(|invite| invite.usable(ctx.time.0).is_ok());
                usable
                    && own
                        .bundle_slot
                        .is_none_or(|at| slot >= at.saturating_add(SLOTS_PER_BUNDLE))
            })
            .collect();
        for index in due {
            let Some(bundle) = self.bundle(&self.saved.invites[index]) else {
                continue;
            };
            let own = &mut self.saved.invites[index];
            let lane = own.lane(&self.saved.relay.id);
            let Ok(cells) = cell::seal(&lane, BUNDLE, &bundle.encode_to_vec(), ctx.rng) else {
                continue;
            };
            own.bundle_slot = Some(slot);
            self.saved_changed = true;
            let id = invite_id(&self.saved.invites[index].secret);
            // A bundle that has not left yet is overtaken by this one.
            let old: Vec<u64> = self
                .outbox
                .iter()
                .filter(|(_, out)| out.what == What::Bundle(id))
                .map(|(key, _)| *key)
                .collect();
            for key in old {
                self.erase_out(ctx, key);
            }
            let out = Out::new(What::Bundle(id), Some(Sealed::new(slot, &cells)));
            self.put_out(ctx, out);
        }
    }

    fn bundle(&self, own: &OwnInvite) -> Option<proto::JoinBundle> {
        let group = self.group.as_ref()?;
        let keys: &CommitKeys = &self.chain.keys;
        let history = own.history_day.and_then(|day| {
            let (first, key) = self.saved.history.as_ref()?;
            let day = day.min(LATEST_DAY).max(*first);
            Some((day, history_forward(key, day - first)))
        });
        Some(proto::JoinBundle {
            genesis: self.chain.ledger.genesis_bytes().to_vec(),
            statements: self.chain.ledger.statements().to_vec(),
            generation: self.chain.generation,
            slot: self.chain.slot,
            record: self.chain.record.to_vec(),
            time_ms: self.chain.time_ms,
            lane: keys.id.to_vec(),
            lane_reader: keys.reader.bytes().to_vec(),
            lane_joiner: keys.joiner.bytes().to_vec(),
            lane_seal: keys.seal.bytes().to_vec(),
            lane_member: keys.member_key.to_vec(),
            tree: group.tree().ok()?,
            group_info: group.group_info().ok()?,
            history_day: history.as_ref().map_or(0, |(day, _)| *day),
            history_key: history
                .map(|(_, key)| key.bytes().to_vec())
                .unwrap_or_default(),
            inviter: self.saved.persona.to_vec(),
        })
    }

    /// The lane of an invite made here, and how it is created.
    pub(super) fn bundle_lane(&self, invite: &Hash) -> Option<(LaneKeys, LaneNew)> {
        let own = self
            .saved
            .invites
            .iter()
            .find(|own| invite_id(&own.secret) == *invite)?;
        let lane = own.lane(&self.saved.relay.id);
        let writer = own.writer.signing_key().verifying_key().to_bytes();
        let new = LaneNew {
            lane: Bytes::copy_from_slice(&lane.id),
            kind: LaneKind::Log.into(),
            writers: vec![Bytes::copy_from_slice(&writer)],
            reader: Bytes::copy_from_slice(lane.reader.verifying_key().as_bytes()),
            owner: Bytes::copy_from_slice(&writer),
            ttl_seconds: TTL_SECONDS,
            acceptors: 0,
        };
        Some((lane, new))
    }
}

/// Days since 1970.
pub(crate) fn day_of(time_ms: u64) -> u64 {
    time_ms / DAY_MS
}

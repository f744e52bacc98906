//! How a community comes to be on this device: founded, or joined.

use super::chain::Chain;
use super::generation::{Era, rescue_key};
use super::saved::{GroupPlace, JoinPlan};
use super::slots::CommitKeys;
use super::watch::Watch;
use super::{Community, Ctx, history};
use crate::io::Millis;
use crate::keys::{EXPORT_GENERATION, Secret};
use crate::ledger::{self, Ledger};
use crate::link::RelayRef;
use crate::mls::{Group, LeafKey, MlsError, Suite};
use crate::proto;
use ed25519_dalek::SigningKey;
use prost::Message;
use rand_core::RngCore;
use ume_wire::auth::Hash;

/// Who this device is in a community that it founds or joins.
pub(crate) struct Newcomer {
    pub(crate) number: u32,
    pub(crate) relay: RelayRef,
    pub(crate) name: String,
    /// The relay's access key that pays for the community's lanes.
    pub(crate) access: Option<Secret>,
}

/// A device that nobody knows yet, and the persona that it is of.
pub(crate) struct NewDevice {
    pub(crate) persona: Hash,
    /// Seed of its leaf key.
    pub(crate) leaf: Secret,
    pub(crate) cert: Vec<u8>,
}

impl NewDevice {
    fn of(ctx: &mut Ctx<'_>, persona: &SigningKey, community: &Hash) -> Self {
        let leaf = Secret::random(ctx.rng);
        let leaf_key = leaf.signing_key().verifying_key();
        Self {
            persona: persona.verifying_key().to_bytes(),
            cert: ledger::make_cert(persona, community, leaf_key.as_bytes(), 1),
            leaf,
        }
    }

    /// For somebody who comes in and knows the ledger: the person as always, or, if that one was in before, the next one. A
    /// persona is admitted once.
    pub(crate) fn in_ledger(ctx: &mut Ctx<'_>, root: &Secret, ledger: &Ledger) -> Self {
        let persona = Community::new_persona(root, ledger);
        Self::of(ctx, &persona, &ledger.community)
    }

    /// For somebody who asks, and knows no ledger: a new person, whoever was in before.
    pub(crate) fn unseen(ctx: &mut Ctx<'_>, root: &Secret, salt: &[u8], community: &Hash) -> Self {
        let mut context = salt.to_vec();
        let mut again = [0; 16];
        ctx.rng.fill_bytes(&mut again);
        context.extend_from_slice(&again);
        let persona = Community::persona_key(root, &context);
        Self::of(ctx, &persona, community)
    }
}

impl Community {
    /// Founds a community: a group of one, complete before anybody hears of it.
    pub(crate) fn found(
        ctx: &mut Ctx<'_>,
        root: &Secret,
        who: &Newcomer,
        name: String,
    ) -> Result<Self, MlsError> {
        let mut salt = [0; 32];
        ctx.rng.fill_bytes(&mut salt);
        let persona = Self::persona_key(root, &salt);
        let suite = Suite::Hybrid;
        let genesis = proto::Genesis {
            salt: salt.to_vec(),
            name,
            owner: persona.verifying_key().to_bytes().to_vec(),
            suite: suite.number().into(),
            relays: vec![proto::Relay {
                address: who.relay.address.clone(),
                id: who.relay.id.to_vec(),
            }],
            quorum: 1,
            created_ms: ctx.time.0,
        };
        let refused = |_| MlsError::Refused("the founding statements".into());
        let mut ledger = Ledger::begin(&genesis.encode_to_vec()).map_err(refused)?;
        let leaf = Secret::random(ctx.rng);
        let leaf_key = leaf.signing_key();
        let cert = ledger::make_cert(
            &persona,
            &ledger.community,
            leaf_key.verifying_key().as_bytes(),
            1,
        );
        let admit = proto::Admit {
            cert: cert.clone(),
            name: who.name.clone(),
            claim: None,
            rescue: rescue_key(&leaf, suite),
        };
        let admit = proto::statement::Body::Admit(admit);
        let admit = ledger::make_statement(&leaf_key, &ledger.head(), admit);
        ledger.apply(&admit, ctx.time.0).map_err(refused)?;
        let group = Group::create(suite, &LeafKey::from_seed(leaf.bytes()), &cert, ctx.seed())?;
        let generation: Secret = group.export(EXPORT_GENERATION, &[])?.into();
        let keys = CommitKeys::of_generation(&generation, &who.relay.id);
        let chain = Chain {
            ledger,
            generation: 1,
            began_ms: ctx.time.0,
            keys,
            slot: 0,
            value: [0; 32],
            record: [0; 32],
            time_ms: ctx.time.0,
            ended: None,
        };
        let persona = persona.verifying_key().to_bytes();
        let mut saved = Self::saved(who, persona, leaf, cert, &chain);
        saved.history = vec![Era::of(&generation, 1, ctx.time.0)];
        saved.group = Some(GroupPlace {
            which: 0,
            id: group.id(),
        });
        let mut community = Self::assemble(saved, chain);
        community.group = Some(group);
        community.begin_epoch(ctx);
        community.advance_kept(ctx);
        Ok(community)
    }

    /// Begins to join, from where the invite's bundle and the records since lead.
    pub(crate) fn join(
        ctx: &mut Ctx<'_>,
        who: Newcomer,
        device: NewDevice,
        watch: Watch,
        invite: Secret,
        history: Vec<Era>,
    ) -> Self {
        let chain = watch.chain.clone();
        let NewDevice {
            persona,
            leaf,
            cert,
        } = device;
        let mut saved = Self::saved(&who, persona, leaf, cert, &chain);
        saved.join = Some(JoinPlan {
            name: who.name,
            secret: invite,
        });
        saved.window_from_ms = ctx.time.0.max(1);
        if let Some(Era {
            generation, day, ..
        }) = history.first()
        {
            let from = day * 24 * 3600 * 1000;
            let created_day = history::day(Millis(chain.ledger.genesis.created_ms));
            let all = *generation == 1 && *day <= created_day;
            saved.window_from_ms = if all { 0 } else { from };
        }
        saved.history = history;
        let mut community = Self::assemble(saved, chain);
        community.watch = Some(watch);
        community.save_watch(ctx);
        community.advance_kept(ctx);
        community.saved_changed = true;
        community
    }

    fn new_persona(root: &Secret, ledger: &Ledger) -> SigningKey {
        let salt = &ledger.genesis.salt;
        let again = (1..u32::MAX).map(|n| [&salt[..], &n.to_le_bytes()].concat());
        let mut contexts = std::iter::once(salt.clone()).chain(again);
        let fresh = |context: Vec<u8>| {
            let key = Self::persona_key(root, &context);
            let persona = key.verifying_key().to_bytes();
            (!ledger.knows(&persona) || ledger.may_return(&persona)).then_some(key)
        };
        contexts
            .find_map(fresh)
            .unwrap_or_else(|| Self::persona_key(root, salt))
    }

    fn persona_key(root: &Secret, context: &[u8]) -> SigningKey {
        root.derive(crate::keys::Label::Persona, context)
            .signing_key()
    }
}

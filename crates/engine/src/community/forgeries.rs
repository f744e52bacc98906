//! What a changed client, or a relay that has a lane's keys, may try: each thing is refused, and by its name. The commits are
//! real ones of a real member of the group; only what they carry, or where, is wrong.

mod calls;
mod claims;
mod entries;
mod packs;
mod records;
mod statements;

use super::chain::{Void, Ways};
use super::{Community, Ctx, Newcomer, invites::invite_key};
use crate::audit::Rejected;
use crate::io::{Batch, Millis};
use crate::keys::Secret;
use crate::ledger::{LedgerError, make_cert, make_claim, make_statement, role_number};
use crate::link::RelayRef;
use crate::mls::{Group, LeafKey};
use crate::proto::{self, statement::Body};
use ed25519_dalek::SigningKey;
use prost::Message;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::collections::BTreeSet;
use ume_api::Role;
use ume_wire::auth::{Hash, hash};

/// What is tried: statements of one record, and why they do not hold.
type Wrong = (&'static str, Vec<Vec<u8>>, LedgerError);

/// Somebody with one device.
struct Person {
    persona: SigningKey,
    seed: [u8; 32],
    cert: Vec<u8>,
}

impl Person {
    fn new(n: u8, community: &Hash) -> Self {
        let persona = SigningKey::from_bytes(&[n; 32]);
        let seed = [n + 100; 32];
        let leaf = SigningKey::from_bytes(&seed).verifying_key();
        let cert = make_cert(&persona, community, leaf.as_bytes(), 1);
        Self {
            persona,
            seed,
            cert,
        }
    }

    fn id(&self) -> Hash {
        self.persona.verifying_key().to_bytes()
    }

    fn leaf(&self) -> SigningKey {
        SigningKey::from_bytes(&self.seed)
    }

    fn public(&self) -> Hash {
        self.leaf().verifying_key().to_bytes()
    }

    fn claim(&self, invite: &Secret, community: &Hash) -> proto::JoinClaim {
        make_claim(invite, community, &self.cert)
    }

    fn admit(&self, claim: impl Into<Option<proto::JoinClaim>>) -> proto::Admit {
        proto::Admit {
            cert: self.cert.clone(),
            name: "Plum".into(),
            claim: claim.into(),
            rescue: vec![1],
        }
    }
}

/// The invites that there are.
struct Invites {
    open: Secret,
    used_up: Secret,
    expired: Secret,
    withdrawn: Secret,
}

/// An owner's device; people of every role, one who was taken out, one who was recovered as another; and a member in the group
/// whose program does as it likes.
struct World {
    community: Community,
    rng: ChaCha20Rng,
    owner: SigningKey,
    admin: Person,
    member: Person,
    reader: Person,
    gone: Person,
    lost: Person,
    target: Person,
    stranger: Person,
    invites: Invites,
    /// The ledger with the recovery.
    recovery: Hash,
    /// The member's.
    group: Group,
    /// The record by which the member came in.
    joined: Vec<u8>,
}

fn with<R>(rng: &mut ChaCha20Rng, act: impl FnOnce(&mut Ctx<'_>) -> R) -> R {
    let mut batch = Batch::default();
    let mut ctx = Ctx {
        now: Millis(1_000),
        time: Millis(1_000),
        rng,
        batch: &mut batch,
        asks: vec![],
        news: super::News::default(),
        up: false,
        relay_key: None,
    };
    act(&mut ctx)
}

fn says(community: &mut Community, by: &SigningKey, body: Body) {
    let ledger = &mut community.chain.ledger;
    let statement = make_statement(by, &ledger.head(), body);
    ledger.apply(&statement, 0).unwrap();
}

fn invite(secret: &Secret, max_uses: u32, expires_ms: u64) -> Body {
    Body::InviteCreate(proto::InviteCreate {
        key: invite_key(secret).to_vec(),
        role: role_number(Role::Member),
        max_uses,
        expires_ms,
        ..proto::InviteCreate::default()
    })
}

fn role_set(of: &Person, role: Role) -> Body {
    Body::RoleSet(proto::RoleSet {
        persona: of.id().to_vec(),
        role: role_number(role),
        frontiers: vec![],
    })
}

fn remove(of: &Person) -> Body {
    Body::Remove(proto::Remove {
        persona: of.id().to_vec(),
        ..proto::Remove::default()
    })
}

fn recover(old: &Person, new: &Person) -> Body {
    Body::Recover(proto::Recover {
        old: old.id().to_vec(),
        new: new.id().to_vec(),
        ..proto::Recover::default()
    })
}

fn found(rng: &mut ChaCha20Rng) -> Community {
    let who = Newcomer {
        number: 1,
        relay: RelayRef {
            address: "https://r".into(),
            id: [0; 32],
        },
        name: "Plum".into(),
        access: None,
    };
    let root = Secret::new([2; 32]);
    let found = |ctx: &mut Ctx<'_>| Community::found(ctx, &root, &who, "Orchard".into());
    with(rng, found).unwrap()
}

impl World {
    fn begin() -> Self {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let mut community = found(&mut rng);
        let id = community.community();
        let owner = community.saved.leaf.signing_key();
        let [admin, member, reader, gone, lost, target, filler, stranger] =
            [3, 4, 5, 6, 7, 8, 9, 10].map(|n| Person::new(n, &id));
        let [open, used_up, expired, withdrawn] = [1, 2, 3, 4].map(|n| Secret::new([n; 32]));
        let invites = Invites {
            open,
            used_up,
            expired,
            withdrawn,
        };
        for made in [
            invite(&invites.open, 0, 0),
            invite(&invites.used_up, 1, 0),
            invite(&invites.expired, 0, 500),
            invite(&invites.withdrawn, 0, 0),
        ] {
            says(&mut community, &owner, made);
        }
        for one in [&admin, &reader, &gone, &lost, &target] {
            let comes = one.admit(one.claim(&invites.open, &id));
            says(&mut community, &one.leaf(), Body::Admit(comes));
        }
        let comes = filler.admit(filler.claim(&invites.used_up, &id));
        says(&mut community, &filler.leaf(), Body::Admit(comes));
        let withdrawal = proto::InviteRevoke {
            invite: hash(&invite_key(&invites.withdrawn)).to_vec(),
        };
        let offer = proto::OwnerOffer {
            persona: admin.id().to_vec(),
            on: true,
            stay: true,
        };
        for said in [
            role_set(&admin, Role::Admin),
            role_set(&reader, Role::Reader),
            remove(&gone),
            Body::InviteRevoke(withdrawal),
            Body::OwnerOffer(offer),
            recover(&lost, &target),
        ] {
            says(&mut community, &owner, said);
        }
        let recovery = community.chain.ledger.head();
        let (group, joined) = join(&mut community, &mut rng, &member, &invites.open);
        Self {
            community,
            rng,
            owner,
            admin,
            member,
            reader,
            gone,
            lost,
            target,
            stranger,
            invites,
            recovery,
            group,
            joined,
        }
    }

    /// A statement for the next place in the ledger.
    fn said(&self, by: &SigningKey, body: Body) -> Vec<u8> {
        make_statement(by, &self.community.chain.ledger.head(), body)
    }

    /// A record of the member's for the next slot, with statements, and anything else as it should be but for a change.
    fn record(
        &mut self,
        statements: &[Vec<u8>],
        removes: &BTreeSet<Hash>,
        change: impl FnOnce(&mut proto::CommitContext),
    ) -> proto::Record {
        let chain = &self.community.chain;
        let after = |head: Hash, one: &Vec<u8>| hash(&[&head[..], one].concat());
        let mut context = proto::CommitContext {
            previous: chain.record.to_vec(),
            slot: chain.slot + 1,
            ledger: statements.iter().fold(chain.ledger.head(), after).to_vec(),
            time_ms: chain.time_ms,
        };
        change(&mut context);
        let (generation, slot) = (chain.generation, chain.slot + 1);
        let aad = context.encode_to_vec();
        let staged = self.group.stage_update(&aad, removes).unwrap();
        self.group.clear_pending().unwrap();
        proto::Record {
            generation,
            slot,
            statements: statements.to_vec(),
            commit: staged.commit,
            group_info: staged.group_info,
            ..proto::Record::default()
        }
    }

    /// Each of these statements makes the member's record void, for its own reason.
    fn refuses(mut self, wrong: fn(&Self) -> Vec<Wrong>) {
        for at in 0..wrong(&self).len() {
            // Made anew for the place that comes next.
            let (what, statements, why) = wrong(&self).swap_remove(at);
            let record = self.record(&statements, &BTreeSet::new(), |_| ());
            let refused = self.shows(&record.encode_to_vec());
            assert_eq!(refused, [Rejected::Record(Void::Statement(why))], "{what}");
        }
    }

    /// The slot holds a record: why the owner's device did not take it. Nothing else may have come of it.
    fn shows(&mut self, record: &[u8]) -> Vec<Rejected> {
        let before = self.community.audit();
        let community = &mut self.community;
        with(&mut self.rng, |ctx| {
            community.merge_other(ctx, Some(record));
        });
        let after = self.community.audit();
        assert_eq!(
            (after.slot, after.epoch, after.ledger, after.record),
            (before.slot + 1, before.epoch, before.ledger, before.record)
        );
        assert!(self.community.watch.is_none(), "it still has its keys");
        let new = |(what, count): (Rejected, u32)| {
            (before.rejected.get(&what) != Some(&count)).then_some(what)
        };
        after.rejected.into_iter().filter_map(new).collect()
    }
}

/// The member comes in, by a real external commit.
fn join(
    community: &mut Community,
    rng: &mut ChaCha20Rng,
    who: &Person,
    invite: &Secret,
) -> (Group, Vec<u8>) {
    let admit = who.admit(who.claim(invite, &community.community()));
    let proposal = community
        .chain
        .propose(&who.leaf(), vec![Body::Admit(admit)], 1_000)
        .unwrap();
    let (mut group, commit, info) = external(community, who, &proposal.aad);
    let record = community
        .chain
        .record(proposal, commit, info, None, Ways::default());
    with(rng, |ctx| community.merge_other(ctx, Some(&record)));
    group.merge_pending().unwrap();
    assert!(community.rejected.is_empty(), "{:?}", community.rejected);
    assert_eq!(
        community.group.as_ref().unwrap().epoch_authenticator(),
        group.epoch_authenticator()
    );
    (group, record)
}

/// An external commit into the group as it is now, with its `GroupInfo`.
fn external(community: &Community, who: &Person, aad: &[u8]) -> (Group, Vec<u8>, Vec<u8>) {
    let group = community.group.as_ref().unwrap();
    let leaf = LeafKey::from_seed(&who.seed);
    let (tree, info) = (group.tree().unwrap(), group.group_info().unwrap());
    let made = Group::join(&tree, &info, &leaf, &who.cert, aad, who.seed, false);
    let (group, staged) = made.unwrap();
    (group, staged.commit, staged.group_info)
}

//! Calls to a group that begins anew: of whom they may not be, or not what they say.

use super::*;
use crate::community::rebirth::Rank;
use crate::community::watch::Watch;
use crate::ledger::{INCARNATION, Purpose, sign};
use crate::mls::Suite;
use std::cmp::Reverse;

/// A change to what a call brings.
type Change<'a> = &'a dyn Fn(&mut proto::JoinBundle, &mut Vec<proto::Rescue>);

/// A real call of the owner's, with what it brings.
struct Called {
    world: World,
    call: proto::Call,
    beginning: proto::Beginning,
}

impl Called {
    fn begin() -> Self {
        let mut world = World::begin();
        let community = &world.community;
        let made = with(&mut world.rng, |ctx| community.call(ctx, None));
        let (said, beginning, _, _) = made.unwrap();
        let said = proto::Signed::decode(&said[..]).unwrap();
        let call = proto::Call::decode(&said.content[..]).unwrap();
        Self {
            world,
            call,
            beginning: proto::Beginning::decode(&beginning[..]).unwrap(),
        }
    }

    fn rank(&self) -> Rank {
        let head = self.call.head[..].try_into().unwrap();
        (Reverse(self.call.generation), head)
    }

    fn caller(&self) -> Hash {
        self.world.owner.verifying_key().to_bytes()
    }

    fn opened(&self, rank: Rank, leaf: &Hash, beginning: &proto::Beginning) -> Option<Watch> {
        let community = &self.world.community;
        community.begun(rank, leaf, &beginning.encode_to_vec())
    }
}

#[test]
fn a_call_holds_only_if_it_brings_what_it_says_and_leaves_out_nobody() {
    let play = Called::begin();
    let (rank, me) = (play.rank(), play.caller());
    let sound = play.opened(rank, &me, &play.beginning).unwrap();
    assert_eq!(sound.leaf_keys(), [me].into());
    let world = &play.world;
    let said = |body: Body| {
        let head = sound.chain.ledger.head();
        make_statement(&world.owner, &head, body)
    };
    let more = said(role_set(&world.member, Role::Admin));
    let leaf = LeafKey::from_seed(&world.member.seed);
    let other = Group::create(Suite::Hybrid, &leaf, &world.member.cert, [9; 32]).unwrap();
    let changes: [(&str, Change<'_>); 9] = [
        ("leaves somebody out", &|_, rescues| {
            rescues.retain(|one| one.leaf == me);
        }),
        ("is for a stranger", &|_, rescues| {
            let leaf = world.stranger.public().to_vec();
            rescues.push(proto::Rescue {
                leaf,
                ..proto::Rescue::default()
            });
        }),
        ("opens for nobody", &|_, rescues| {
            for one in rescues {
                one.sealed.clear();
            }
        }),
        ("of another generation", &|one, _| {
            one.generation += INCARNATION;
        }),
        ("from a later slot", &|one, _| one.slot = 1),
        ("after another record", &|one, _| one.record = vec![1; 32]),
        ("a longer ledger", &|one, _| {
            one.statements.push(more.clone());
        }),
        ("a ledger of before", &|one, _| {
            let _rebirth = one.statements.pop();
        }),
        ("a group of somebody else's", &|one, _| {
            one.tree = other.tree().unwrap();
            one.group_info = other.group_info().unwrap();
        }),
    ];
    for (what, change) in changes {
        let mut wrong = play.beginning.clone();
        change(wrong.bundle.as_mut().unwrap(), &mut wrong.rescues);
        let opened = play.opened(rank, &me, &wrong);
        assert!(opened.is_none(), "{what}");
    }
    let (generation, _) = rank;
    let elsewhere = play.opened((generation, [1; 32]), &me, &play.beginning);
    assert!(elsewhere.is_none(), "another hash");
    for who in [&world.admin, &world.member, &world.stranger] {
        let theirs = play.opened(rank, &who.public(), &play.beginning);
        assert!(theirs.is_none(), "not the caller's");
    }
}

#[test]
fn nobody_calls_in_anothers_name() {
    let mut play = Called::begin();
    let (me, content) = (play.caller(), play.call.encode_to_vec());
    let (owner, member) = (play.world.owner.clone(), play.world.member.leaf());
    let community = &mut play.world.community;
    for (what, key, purpose, heard) in [
        ("another's key", &member, Purpose::Rebirth, false),
        ("for something else", &owner, Purpose::Contest, false),
        ("as it is", &owner, Purpose::Rebirth, true),
    ] {
        let said = sign(key, purpose, content.clone()).encode_to_vec();
        let taken = community.hear_call(me, &said);
        assert_eq!(taken.is_some(), heard, "{what}");
    }
}

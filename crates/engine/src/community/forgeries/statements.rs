//! Statements of the ledger: by whoever may not, by the wrong key, in the wrong place.

use super::claims::{claim, contest};
use super::*;
use crate::ledger::{Purpose, sign};
use ume_api::Rules;

/// What is said, and who may say it.
type Act = (&'static str, Body, &'static [&'static str]);

const OWNERS: &[&str] = &["owner"];
const HELPERS: &[&str] = &["owner", "admin"];

/// How the community is run.
fn about_all(world: &World) -> Vec<Act> {
    let rules = Rules::default();
    vec![
        ("a role", role_set(&world.target, Role::Reader), OWNERS),
        (
            "rules",
            Body::RulesSet(proto::RulesSet {
                post: role_number(Role::Admin),
                invite: role_number(rules.invite),
                pin: role_number(rules.pin),
                moderate: role_number(rules.moderate),
                private_only: false,
                frontiers: vec![],
            }),
            OWNERS,
        ),
        (
            "a pin",
            Body::Pin(proto::Pin {
                entry: vec![1; 32],
                on: true,
            }),
            HELPERS,
        ),
        ("an invite", invite(&Secret::new([40; 32]), 0, 0), HELPERS),
        (
            "a withdrawal",
            Body::InviteRevoke(proto::InviteRevoke {
                invite: hash(&invite_key(&world.invites.open)).to_vec(),
            }),
            HELPERS,
        ),
        (
            "another access key",
            Body::AccessSet(proto::AccessSet { key: vec![1; 32] }),
            HELPERS,
        ),
    ]
}

/// Who is in, and what they are and own.
fn about_people(world: &World) -> Vec<Act> {
    let id = |one: &Person| one.id().to_vec();
    let (target, admin) = (id(&world.target), id(&world.admin));
    let owner = world.community.saved.persona.to_vec();
    vec![
        ("a removal", remove(&world.target), HELPERS),
        ("a removal of an admin", remove(&world.admin), OWNERS),
        (
            "a ban",
            Body::Remove(proto::Remove {
                persona: target.clone(),
                ban: true,
                frontiers: vec![],
            }),
            HELPERS,
        ),
        (
            "an offer of ownership",
            Body::OwnerOffer(proto::OwnerOffer {
                persona: target.clone(),
                on: true,
                stay: false,
            }),
            OWNERS,
        ),
        (
            "an acceptance of ownership",
            Body::OwnerAccept(proto::OwnerAccept {
                by: owner,
                ..proto::OwnerAccept::default()
            }),
            &["admin"],
        ),
        (
            "a transfer of another's posts",
            Body::Transfer(proto::Transfer {
                from: target.clone(),
                to: admin.clone(),
                ..proto::Transfer::default()
            }),
            OWNERS,
        ),
        ("a recovery", recover(&world.target, &world.admin), OWNERS),
        (
            "the end of a recovery",
            Body::RecoverUndo(proto::RecoverUndo {
                old: id(&world.lost),
                ..proto::RecoverUndo::default()
            }),
            OWNERS,
        ),
        (
            "a profile",
            Body::ProfileSet(proto::ProfileSet {
                name: "Quince".into(),
                line: String::new(),
            }),
            &["owner", "admin", "member", "reader"],
        ),
        (
            "that somebody goes",
            Body::Leave(proto::Leave::default()),
            &["admin", "member", "reader"],
        ),
        (
            "what a device that is out says to its recovery",
            contest(&world.lost, &claim(world, &world.lost)),
            &["owner", "admin", "member", "reader"],
        ),
    ]
}

fn acts(world: &World) -> Vec<Act> {
    [about_all(world), about_people(world)].concat()
}

#[test]
fn nobody_says_what_is_not_theirs_to_say() {
    let mut world = World::begin();
    let mut tried = 0;
    for at in 0..acts(&world).len() {
        let people = [
            ("owner", world.owner.clone()),
            ("admin", world.admin.leaf()),
            ("member", world.member.leaf()),
            ("reader", world.reader.leaf()),
            ("somebody who was taken out", world.gone.leaf()),
            ("a stranger", world.stranger.leaf()),
        ];
        for (who, leaf) in people {
            let (what, body, may) = acts(&world).swap_remove(at);
            let statement = world.said(&leaf, body);
            let mut ledger = world.community.chain.ledger.clone();
            let said = ledger.apply(&statement, 1_000);
            assert_eq!(
                said.is_ok(),
                may.contains(&who),
                "{what} by {who}: {said:?}"
            );
            if !may.contains(&who) {
                let record = world.record(&[statement], &BTreeSet::new(), |_| ());
                let refused = world.shows(&record.encode_to_vec());
                let named = Rejected::Record(Void::Statement(LedgerError::Authority));
                assert_eq!(refused, [named], "{what} by {who}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 71);
}

#[test]
fn every_statement_is_its_signers_own() {
    let mut world = World::begin();
    for (what, body, may) in acts(&world) {
        // In the name of somebody who may.
        let name = if may.contains(&"owner") {
            world.owner.clone()
        } else {
            world.admin.leaf()
        };
        let statement = proto::Statement {
            signer: name.verifying_key().to_bytes().to_vec(),
            after: world.community.chain.ledger.head().to_vec(),
            body: Some(body.clone()),
        };
        let forged = sign(
            &world.member.leaf(),
            Purpose::Statement,
            statement.encode_to_vec(),
        );
        let record = world.record(&[forged.encode_to_vec()], &BTreeSet::new(), |_| ());
        let refused = world.shows(&record.encode_to_vec());
        let named = Rejected::Record(Void::Statement(LedgerError::Signature));
        assert_eq!(refused, [named], "{what}");
        // Of somebody who may, carried by the member.
        let carried = world.said(&name, body);
        let record = world.record(&[carried], &BTreeSet::new(), |_| ());
        let refused = world.shows(&record.encode_to_vec());
        assert_eq!(refused, [Rejected::Record(Void::Authority)], "{what}");
    }
}

/// Statements in the wrong place, and why they do not hold.
fn misplaced(world: &World) -> Vec<Wrong> {
    let ledger = &world.community.chain.ledger;
    let mut elsewhere = ChaCha20Rng::from_seed([7; 32]);
    let elsewhere = found(&mut elsewhere);
    let pin = |n: u8| {
        Body::Pin(proto::Pin {
            entry: vec![n; 32],
            on: true,
        })
    };
    let first = world.said(&world.owner, pin(1));
    let between = hash(&[&ledger.head()[..], &first].concat());
    let second = make_statement(&world.owner, &between, pin(2));
    let known = ledger.statements()[ledger.statements().len() - 2].to_vec();
    let of_another = make_statement(&world.owner, &elsewhere.chain.ledger.head(), pin(1));
    vec![
        ("a statement said again", vec![known], LedgerError::Place),
        (
            "the later before the earlier",
            vec![second, first.clone()],
            LedgerError::Place,
        ),
        ("one twice", vec![first.clone(), first], LedgerError::Place),
        ("of another community", vec![of_another], LedgerError::Place),
        (
            "what is no statement",
            vec![vec![0xff; 9]],
            LedgerError::Malformed,
        ),
    ]
}

#[test]
fn a_statement_holds_in_its_place_in_its_community_and_once() {
    World::begin().refuses(misplaced);
}

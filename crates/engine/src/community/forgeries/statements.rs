//! Statements of the ledger: by whoever may not, by the wrong key, in the wrong place, with claims that do not hold.

use super::*;
use crate::community::chain::Void;
use crate::ledger::{LedgerError, Purpose, sign};
use ume_api::Rules;

/// What only some may say, and who.
fn acts(world: &World) -> Vec<(&'static str, Body, &'static [&'static str])> {
    let id = |one: &Person| one.id().to_vec();
    let (target, admin) = (id(&world.target), id(&world.admin));
    let owner = world.community.saved.persona.to_vec();
    let rules = Rules::default();
    let helps: &[&str] = &["owner", "admin"];
    let owners: &[&str] = &["owner"];
    vec![
        ("a role", role_set(&world.target, Role::Reader), owners),
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
            owners,
        ),
        (
            "a pin",
            Body::Pin(proto::Pin {
                entry: vec![1; 32],
                on: true,
            }),
            helps,
        ),
        ("an invite", invite(&Secret::new([40; 32]), 0, 0), helps),
        (
            "a withdrawal",
            Body::InviteRevoke(proto::InviteRevoke {
                invite: hash(&invite_key(&world.invites.open)).to_vec(),
            }),
            helps,
        ),
        ("a removal", remove(&world.target), helps),
        ("a removal of an admin", remove(&world.admin), owners),
        (
            "a ban",
            Body::Remove(proto::Remove {
                persona: target.clone(),
                ban: true,
                frontiers: vec![],
            }),
            helps,
        ),
        (
            "an offer of ownership",
            Body::OwnerOffer(proto::OwnerOffer {
                persona: target.clone(),
                on: true,
                stay: false,
            }),
            owners,
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
            owners,
        ),
        ("a recovery", recover(&world.target, &world.admin), owners),
        (
            "the end of a recovery",
            Body::RecoverUndo(proto::RecoverUndo {
                old: id(&world.lost),
                ..proto::RecoverUndo::default()
            }),
            owners,
        ),
        (
            "another access key",
            Body::AccessSet(proto::AccessSet { key: vec![1; 32] }),
            helps,
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

fn claim(world: &World, of: &Person) -> proto::ContestClaim {
    proto::ContestClaim {
        community: world.community.community().to_vec(),
        leaf: of.public().to_vec(),
        recover: world.recovery.to_vec(),
    }
}

fn contest(by: &Person, claim: &proto::ContestClaim) -> Body {
    let claim = sign(&by.leaf(), Purpose::Contest, claim.encode_to_vec());
    Body::Contest(proto::Contest { claim: Some(claim) })
}

/// Statements that somebody who may make such made wrongly, and why they do not hold.
fn wrong(world: &World) -> Vec<(&'static str, Vec<Vec<u8>>, LedgerError)> {
    let id = world.community.community();
    let ledger = &world.community.chain.ledger;
    let (one, invites) = (&world.stranger, &world.invites);
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
    let comes =
        |who: &Person, admit: proto::Admit| vec![world.said(&who.leaf(), Body::Admit(admit))];
    let by = |invite: &Secret| comes(one, one.admit(one.claim(invite, &id)));
    let cert = |persona: &SigningKey, community: &Hash, leaf: &Hash| {
        make_cert(persona, community, leaf, 1)
    };
    let certified = |cert: Vec<u8>| {
        let claim = make_claim(&invites.open, &id, &cert);
        let admit = proto::Admit {
            cert,
            ..one.admit(Some(claim))
        };
        comes(one, admit)
    };
    let impostor = {
        let content = proto::DeviceCert {
            community: id.to_vec(),
            persona: world.admin.id().to_vec(),
            leaf: one.public().to_vec(),
            device: 2,
        };
        sign(&one.persona, Purpose::DeviceCert, content.encode_to_vec()).encode_to_vec()
    };
    let contested = |by: &Person, claim: proto::ContestClaim| {
        vec![world.said(&world.member.leaf(), contest(by, &claim))]
    };
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
            "in without an invite",
            comes(one, one.admit(None)),
            LedgerError::Authority,
        ),
        (
            "by one that is used up",
            by(&invites.used_up),
            LedgerError::InviteUsedUp,
        ),
        (
            "by one that has expired",
            by(&invites.expired),
            LedgerError::InviteExpired,
        ),
        (
            "by one that was withdrawn",
            by(&invites.withdrawn),
            LedgerError::InviteWithdrawn,
        ),
        (
            "by none that there is",
            by(&Secret::new([50; 32])),
            LedgerError::InviteUnknown,
        ),
        (
            "by somebody else's claim",
            comes(one, one.admit(world.member.claim(&invites.open, &id))),
            LedgerError::Signature,
        ),
        (
            "as somebody who was taken out",
            comes(
                &world.gone,
                world.gone.admit(world.gone.claim(&invites.open, &id)),
            ),
            LedgerError::Repeated,
        ),
        (
            "with a device that was taken out",
            {
                let cert = cert(&one.persona, &id, &world.gone.public());
                let claim = make_claim(&invites.open, &id, &cert);
                let admit = proto::Admit {
                    cert,
                    ..one.admit(Some(claim))
                };
                comes(&world.gone, admit)
            },
            LedgerError::Repeated,
        ),
        (
            "with a certificate of another community",
            certified(cert(&one.persona, &elsewhere.community(), &one.public())),
            LedgerError::Community,
        ),
        (
            "with a certificate for another device",
            certified(cert(&one.persona, &id, &world.target.public())),
            LedgerError::Authority,
        ),
        (
            "with a certificate that somebody else signed",
            certified(impostor),
            LedgerError::Signature,
        ),
        (
            "a contest in another's name",
            contested(one, claim(world, &world.lost)),
            LedgerError::Signature,
        ),
        (
            "a contest by somebody who was taken out",
            contested(&world.gone, claim(world, &world.gone)),
            LedgerError::Authority,
        ),
        (
            "a contest of another community",
            contested(
                &world.lost,
                proto::ContestClaim {
                    community: elsewhere.community().to_vec(),
                    ..claim(world, &world.lost)
                },
            ),
            LedgerError::Community,
        ),
        (
            "a contest of what never was",
            contested(
                &world.lost,
                proto::ContestClaim {
                    recover: vec![1; 32],
                    ..claim(world, &world.lost)
                },
            ),
            LedgerError::Unknown,
        ),
        (
            "what is no statement",
            vec![vec![0xff; 9]],
            LedgerError::Malformed,
        ),
    ]
}

#[test]
fn what_was_said_wrongly_is_refused_by_name() {
    let mut world = World::begin();
    for at in 0..wrong(&world).len() {
        let (what, statements, why) = wrong(&world).swap_remove(at);
        let record = world.record(&statements, &BTreeSet::new(), |_| ());
        let refused = world.shows(&record.encode_to_vec());
        assert_eq!(refused, [Rejected::Record(Void::Statement(why))], "{what}");
    }
}

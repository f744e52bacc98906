//! What people claim: that they may come in, whose device theirs is, that a recovery was a mistake.

use super::*;
use crate::ledger::{Purpose, sign};

pub(super) fn claim(world: &World, of: &Person) -> proto::ContestClaim {
    proto::ContestClaim {
        community: world.community.community().to_vec(),
        leaf: of.public().to_vec(),
        recover: world.recovery.to_vec(),
    }
}

pub(super) fn contest(by: &Person, claim: &proto::ContestClaim) -> Body {
    let claim = sign(&by.leaf(), Purpose::Contest, claim.encode_to_vec());
    Body::Contest(proto::Contest { claim: Some(claim) })
}

/// Admissions whose claims or certificates do not hold, and why.
fn admissions(world: &World) -> Vec<Wrong> {
    let id = world.community.community();
    let (one, invites) = (&world.stranger, &world.invites);
    let mut elsewhere = ChaCha20Rng::from_seed([7; 32]);
    let elsewhere = found(&mut elsewhere);
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
    vec![
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
    ]
}

/// Contests that are not what they say, and why.
fn contests(world: &World) -> Vec<Wrong> {
    let sound = || claim(world, &world.lost);
    let contested = |by: &Person, claim: proto::ContestClaim| {
        vec![world.said(&world.member.leaf(), contest(by, &claim))]
    };
    let elsewhere = proto::ContestClaim {
        community: vec![1; 32],
        ..sound()
    };
    let never = proto::ContestClaim {
        recover: vec![1; 32],
        ..sound()
    };
    vec![
        (
            "in another's name",
            contested(&world.stranger, sound()),
            LedgerError::Signature,
        ),
        (
            "by somebody who went in another way",
            contested(&world.gone, claim(world, &world.gone)),
            LedgerError::Authority,
        ),
        (
            "of another community",
            contested(&world.lost, elsewhere),
            LedgerError::Community,
        ),
        (
            "of what never was",
            contested(&world.lost, never),
            LedgerError::Unknown,
        ),
    ]
}

#[test]
fn a_claim_that_does_not_hold_lets_nobody_in() {
    World::begin().refuses(admissions);
}

#[test]
fn a_contest_is_the_devices_own_and_about_its_recovery() {
    World::begin().refuses(contests);
}

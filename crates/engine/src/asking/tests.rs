use super::*;
use crate::community::invites::invite_key;
use crate::ledger::{make_cert, make_statement, role_number};
use crate::proto::{self, statement};
use ed25519_dalek::SigningKey;
use prost::Message;

/// A founder and an invite of theirs, with this secret.
fn ledger(invite: &Secret) -> (Ledger, Hash) {
    let [persona, leaf] = [[1; 32], [2; 32]].map(|seed| SigningKey::from_bytes(&seed));
    let genesis = proto::Genesis {
        salt: vec![9; 32],
        name: "Orchard".into(),
        owner: persona.verifying_key().to_bytes().to_vec(),
        suite: Suite::Classic.number().into(),
        relays: vec![proto::Relay {
            address: "https://r".into(),
            id: vec![4; 32],
        }],
        quorum: 1,
        created_ms: 5,
    };
    let mut ledger = Ledger::begin(&genesis.encode_to_vec()).unwrap();
    let leaf_key = leaf.verifying_key();
    let admit = proto::Admit {
        cert: make_cert(&persona, &ledger.community, leaf_key.as_bytes(), 1),
        name: "Anna".into(),
        claim: None,
        rescue: vec![1],
    };
    let made = proto::InviteCreate {
        key: invite_key(invite).to_vec(),
        role: role_number(Role::Member),
        ..proto::InviteCreate::default()
    };
    for body in [
        statement::Body::Admit(admit),
        statement::Body::InviteCreate(made),
    ] {
        let said = make_statement(&leaf, &ledger.head(), body);
        ledger.apply(&said, 0).unwrap();
    }
    (ledger, persona.verifying_key().to_bytes())
}

fn asking(ledger: &Ledger, invite: Secret, inviter: Hash, ledger_min: u32) -> Asking {
    let saved = Saved {
        number: 1,
        relay: RelayRef {
            address: "https://r".into(),
            id: [4; 32],
        },
        invite,
        community: ledger.community,
        ledger_min,
        genesis: ledger.genesis_bytes().to_vec(),
        inviter,
        persona: [5; 32],
        name: "Bert".into(),
        leaf: Secret::new([6; 32]),
        cert: vec![],
        answer: Secret::new([7; 32]),
        request: vec![],
        withdrawal: vec![],
        withdrawing: false,
        refused: None,
    };
    Asking::of(saved).unwrap()
}

#[test]
fn an_answer_is_forged_if_its_ledger_is_older_than_the_link_or_the_invite_is_not_by_whom_the_card_named()
 {
    let invite = Secret::new([3; 32]);
    let (ledger, inviter) = ledger(&invite);
    let verdict = |invite: &Secret, inviter, ledger_min| {
        asking(&ledger, invite.clone(), inviter, ledger_min).is_let_in(&ledger)
    };
    let length = ledger.len();
    // Sound; an open invite lets in without a yes.
    assert_eq!(verdict(&invite, inviter, length), Ok(true));
    let forged = Err(Failure::InviteForged);
    assert_eq!(verdict(&invite, inviter, length + 1), forged);
    assert_eq!(verdict(&invite, [8; 32], length), forged);
    assert_eq!(verdict(&Secret::new([8; 32]), inviter, length), forged);
}

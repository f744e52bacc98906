use super::*;
use crate::ledger::{make_cert, make_statement};
use proto::statement::Body;

struct Author {
    persona: SigningKey,
    leaf: SigningKey,
}

impl Author {
    fn new(n: u8) -> Self {
        Self {
            persona: SigningKey::from_bytes(&[n; 32]),
            leaf: SigningKey::from_bytes(&[n + 100; 32]),
        }
    }

    fn persona(&self) -> Hash {
        self.persona.verifying_key().to_bytes()
    }

    fn writes(&self, community: &Hash, draft: Draft) -> proto::Signed {
        write(community, &self.persona(), &self.leaf, draft)
    }
}

fn draft(text: &str) -> Draft {
    Draft {
        seq: 1,
        previous: None,
        parents: vec![],
        time_ms: 7,
        text: text.into(),
    }
}

fn ledger(owner: &Author) -> Ledger {
    let genesis = proto::Genesis {
        salt: vec![9; 32],
        name: "Orchard".into(),
        owner: owner.persona().to_vec(),
        suite: 1,
        relays: vec![proto::Relay {
            address: "https://r".into(),
            id: vec![0; 32],
        }],
        quorum: 1,
        created_ms: 5,
    };
    let mut ledger = Ledger::begin(&genesis.encode_to_vec()).unwrap();
    let leaf = owner.leaf.verifying_key().to_bytes();
    let cert = make_cert(&owner.persona, &ledger.community, &leaf, 1);
    let admit = proto::Admit {
        cert,
        name: "Plum".into(),
        claim: None,
    };
    ledger
        .apply(&make_statement(&owner.leaf, Body::Admit(admit)), 0)
        .unwrap();
    ledger
}

#[test]
fn an_entry_of_a_member_holds() {
    let owner = Author::new(1);
    let ledger = ledger(&owner);
    let signed = owner.writes(&ledger.community, draft("hello"));
    let entry = verify(&signed, &ledger).unwrap();
    assert_eq!(
        (entry.text.as_str(), entry.author),
        ("hello", owner.persona())
    );
    assert_eq!(entry.id, EntryId(hash(&signed.content)));
}

#[test]
fn nobody_writes_in_anothers_name_or_from_outside() {
    let (owner, stranger) = (Author::new(1), Author::new(2));
    let ledger = ledger(&owner);
    let outside = stranger.writes(&ledger.community, draft("let me in"));
    assert_eq!(verify(&outside, &ledger), Err(LedgerError::Authority));
    // Signed by a stranger's device in the owner's name.
    let forged = write(
        &ledger.community,
        &owner.persona(),
        &stranger.leaf,
        draft("forged"),
    );
    assert_eq!(verify(&forged, &ledger), Err(LedgerError::Authority));
    // The owner's words with a stranger's signature.
    let mut swapped = owner.writes(&ledger.community, draft("mine"));
    swapped.signature = stranger.writes(&ledger.community, draft("mine")).signature;
    assert_eq!(verify(&swapped, &ledger), Err(LedgerError::Signature));
}

#[test]
fn an_entry_of_another_community_is_refused() {
    let owner = Author::new(1);
    let ledger = ledger(&owner);
    let signed = owner.writes(&[8; 32], draft("elsewhere"));
    assert_eq!(verify(&signed, &ledger), Err(LedgerError::Malformed));
}

#[test]
fn every_changed_bit_is_noticed() {
    let owner = Author::new(1);
    let ledger = ledger(&owner);
    let signed = owner.writes(&ledger.community, draft("as it was written"));
    for bit in 0..8 * signed.content.len() {
        let mut changed = signed.clone();
        changed.content[bit / 8] ^= 1 << (bit % 8);
        assert!(verify(&changed, &ledger).is_err(), "bit {bit}");
    }
}

#[test]
fn entries_out_of_shape_are_refused_even_if_signed() {
    let owner = Author::new(1);
    let ledger = ledger(&owner);
    let refused = |draft: Draft| {
        let signed = owner.writes(&ledger.community, draft);
        assert_eq!(verify(&signed, &ledger), Err(LedgerError::Malformed));
    };
    refused(draft(""));
    refused(draft(&"x".repeat(TEXT_BYTES_MAX + 1)));
    refused(Draft {
        seq: 0,
        ..draft("zero")
    });
    refused(Draft {
        seq: 2,
        ..draft("second without a first")
    });
    refused(Draft {
        previous: Some(EntryId([1; 32])),
        ..draft("first after another")
    });
    refused(Draft {
        parents: vec![EntryId([1; 32]); PARENTS_MAX + 1],
        ..draft("too many")
    });
}

use super::*;
use crate::ledger::rights::tests::{done, role_set, tried, with_members};
use crate::ledger::tests::Someone;
use proto::statement::Body;

fn offer(to: &Someone, on: bool, stay: bool) -> Body {
    Body::OwnerOffer(proto::OwnerOffer {
        persona: to.persona().to_vec(),
        on,
        stay,
    })
}

fn accept(by: &Someone) -> Body {
    Body::OwnerAccept(proto::OwnerAccept {
        by: by.persona().to_vec(),
        frontiers: vec![],
        decline: false,
    })
}

fn decline(by: &Someone) -> Body {
    Body::OwnerAccept(proto::OwnerAccept {
        by: by.persona().to_vec(),
        frontiers: vec![],
        decline: true,
    })
}

fn leave() -> Body {
    Body::Leave(proto::Leave::default())
}

const REFUSED: Result<Effect, LedgerError> = Err(LedgerError::Authority);

#[test]
fn ownership_goes_by_offer_and_acceptance() {
    let (mut ledger, owner, members) = with_members(2);
    let (heir, other) = (&members[0], &members[1]);
    // Nobody takes what was not offered to them, or offers what is not theirs.
    assert_eq!(tried(&ledger, heir, accept(&owner)), REFUSED);
    assert_eq!(tried(&ledger, other, offer(heir, true, false)), REFUSED);
    done(&mut ledger, &owner, offer(heir, true, false));
    assert_eq!(tried(&ledger, other, accept(&owner)), REFUSED);
    assert_eq!(ledger.role(&heir.persona()), Some(Role::Member));
    done(&mut ledger, heir, accept(&owner));
    assert_eq!(ledger.role(&heir.persona()), Some(Role::Owner));
    assert_eq!(ledger.role(&owner.persona()), Some(Role::Admin));
    assert_eq!(
        tried(&ledger, &owner, role_set(other, Role::Admin, vec![])),
        REFUSED
    );
    done(&mut ledger, heir, role_set(other, Role::Admin, vec![]));
    done(&mut ledger, &owner, leave());
}

#[test]
fn an_offer_can_be_taken_back_and_ends_with_its_maker() {
    let (mut ledger, owner, members) = with_members(2);
    let (one, two) = (&members[0], &members[1]);
    done(&mut ledger, &owner, offer(one, true, true));
    done(&mut ledger, &owner, offer(one, false, true));
    assert_eq!(tried(&ledger, one, accept(&owner)), REFUSED);
    assert_eq!(
        tried(&ledger, &owner, offer(one, false, true)),
        Err(LedgerError::Repeated)
    );
    // Two owners; the second hands over what the first had offered, and the first's offers stand.
    done(&mut ledger, &owner, offer(one, true, true));
    done(&mut ledger, &owner, offer(two, true, false));
    done(&mut ledger, one, accept(&owner));
    assert_eq!(ledger.role(&owner.persona()), Some(Role::Owner));
    assert_eq!(
        tried(&ledger, one, offer(&owner, true, true)),
        Err(LedgerError::Repeated)
    );
    done(&mut ledger, &owner, leave());
    assert_eq!(tried(&ledger, two, accept(&owner)), REFUSED);
    assert_eq!(
        tried(&ledger, one, leave()),
        REFUSED,
        "the last owner stays"
    );
}

#[test]
fn an_offer_can_be_turned_down_by_whom_it_was_made_to() {
    let (mut ledger, owner, members) = with_members(2);
    let (one, two) = (&members[0], &members[1]);
    done(&mut ledger, &owner, offer(one, true, false));
    done(&mut ledger, &owner, offer(two, true, false));
    assert_eq!(ledger.offering(&owner.persona()).len(), 2);
    done(&mut ledger, one, decline(&owner));
    assert_eq!(
        ledger.offering(&owner.persona()),
        [PersonId(two.persona())],
        "the other offer stands"
    );
    assert!(ledger.offered(&one.persona()).is_empty());
    assert_eq!(tried(&ledger, one, accept(&owner)), REFUSED);
    assert_eq!(
        tried(&ledger, one, decline(&owner)),
        Err(LedgerError::Repeated)
    );
}

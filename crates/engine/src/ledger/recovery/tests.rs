use super::*;
use crate::ledger::rights::tests::{done, role_set, tried, with_members};
use crate::ledger::tests::Someone;
use proto::statement::Body;

fn recover(old: &Someone, new: &Someone) -> Body {
    Body::Recover(proto::Recover {
        old: old.persona().to_vec(),
        new: new.persona().to_vec(),
        frontiers: vec![],
        time_ms: 9,
    })
}

#[test]
fn an_owner_gives_a_lost_persons_place_to_their_new_persona() {
    let (mut ledger, owner, members) = with_members(3);
    let (old, new, other) = (&members[0], &members[1], &members[2]);
    done(&mut ledger, &owner, role_set(old, Role::Admin, vec![]));
    for by in [old, new, other] {
        assert_eq!(
            tried(&ledger, by, recover(other, new)),
            Err(LedgerError::Authority)
        );
    }
    assert_eq!(
        tried(&ledger, &owner, recover(&owner, new)),
        Err(LedgerError::Authority),
        "ownership is not taken"
    );
    assert_eq!(
        tried(&ledger, &owner, recover(old, old)),
        Err(LedgerError::Repeated)
    );
    let stranger = Someone::new(99, &ledger.community);
    for pair in [(old, &stranger), (&stranger, new)] {
        assert_eq!(
            tried(&ledger, &owner, recover(pair.0, pair.1)),
            Err(LedgerError::Unknown)
        );
    }
    done(&mut ledger, &owner, recover(old, new));
    assert_eq!(ledger.role(&old.persona()), None);
    assert_eq!(ledger.role(&new.persona()), Some(Role::Admin));
    assert_eq!(ledger.recovered.get(&new.persona()), Some(&old.persona()));
    assert!(ledger.is_out(&old.leaf.verifying_key().to_bytes()));
    assert_eq!(
        tried(&ledger, &owner, recover(old, new)),
        Err(LedgerError::Unknown)
    );
}

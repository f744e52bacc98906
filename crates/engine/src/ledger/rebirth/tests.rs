use super::*;
use crate::ledger::rights::tests::{done, tried, with_members};
use proto::statement::Body;

fn rebirth(generation: u32) -> Body {
    Body::Rebirth(proto::Rebirth {
        generation,
        time_ms: 7,
    })
}

#[test]
fn an_owner_begins_anew_and_counts_on() {
    let (mut ledger, owner, members) = with_members(1);
    let by_a_member = tried(&ledger, &members[0], rebirth(INCARNATION));
    assert_eq!(by_a_member, Err(LedgerError::Authority));
    for wrong in [0, 1, INCARNATION + 1] {
        let said = tried(&ledger, &owner, rebirth(wrong));
        assert_eq!(said, Err(LedgerError::Malformed), "{wrong}");
    }
    assert_eq!(ledger.incarnation(), 0);
    done(&mut ledger, &owner, rebirth(2 * INCARNATION));
    assert_eq!(ledger.incarnation(), 2 * INCARNATION);
    let last = ledger.rebirths.last().unwrap();
    assert_eq!((last.by, last.head), (owner.persona(), ledger.head()));
    for before in [INCARNATION, 2 * INCARNATION] {
        let said = tried(&ledger, &owner, rebirth(before));
        assert_eq!(said, Err(LedgerError::Malformed), "{before}");
    }
}

use super::*;
use crate::ledger::rights::tests::{done, role_set, tried, with_members};
use proto::statement::Body;

fn profile(name: &str, line: &str) -> Body {
    Body::ProfileSet(proto::ProfileSet {
        name: name.into(),
        line: line.into(),
    })
}

#[test]
fn people_change_their_own_profile_only() {
    let (mut ledger, owner, members) = with_members(1);
    let one = &members[0];
    done(&mut ledger, one, profile("Quince", "picks at night"));
    let seen = &ledger.members[&one.persona()];
    assert_eq!(
        (&seen.name[..], &seen.line[..]),
        ("Quince", "picks at night")
    );
    assert_ne!(ledger.members[&owner.persona()].name, "Quince");
    assert_eq!(
        tried(&ledger, one, profile("Quince", "picks at night")),
        Err(LedgerError::Repeated)
    );
    let long = "x".repeat(LINE_BYTES_MAX + 1);
    for (name, line) in [("", "a"), ("a\nb", ""), ("a", "b\nc"), ("a", &long[..])] {
        assert_eq!(
            tried(&ledger, one, profile(name, line)),
            Err(LedgerError::Malformed)
        );
    }
    let left = Body::Leave(proto::Leave::default());
    done(&mut ledger, one, left);
    assert_eq!(
        tried(&ledger, one, profile("Ghost", "")),
        Err(LedgerError::Authority)
    );
    assert_eq!(ledger.person(&one.persona()).unwrap().name, "Quince");
}

#[test]
fn only_who_helps_to_run_the_community_changes_what_it_pays_with() {
    let (mut ledger, owner, members) = with_members(2);
    let (admin, member) = (&members[0], &members[1]);
    done(&mut ledger, &owner, role_set(admin, Role::Admin, vec![]));
    let access = |key: &[u8]| Body::AccessSet(proto::AccessSet { key: key.to_vec() });
    assert_eq!(
        tried(&ledger, member, access(&[7; 32])),
        Err(LedgerError::Authority)
    );
    assert_eq!(
        tried(&ledger, admin, access(&[7; 31])),
        Err(LedgerError::Malformed)
    );
    assert_eq!(ledger.access, Access::Unsaid);
    done(&mut ledger, admin, access(&[7; 32]));
    assert_eq!(ledger.access, Access::Key(Secret::new([7; 32])));
    assert_eq!(
        tried(&ledger, &owner, access(&[7; 32])),
        Err(LedgerError::Repeated)
    );
    done(&mut ledger, &owner, access(&[]));
    assert_eq!(ledger.access, Access::Nothing);
}

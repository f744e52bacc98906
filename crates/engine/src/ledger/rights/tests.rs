use super::*;
use crate::keys::Secret;
use crate::ledger::make_claim;
use crate::ledger::tests::{Someone, invite, started};
use proto::statement::Body;

/// A community of an owner and some members.
pub(in crate::ledger) fn with_members(count: u8) -> (Ledger, Someone, Vec<Someone>) {
    let (mut ledger, owner) = started();
    let secret = Secret::new([5; 32]);
    let open = owner.says(&ledger, invite(&secret, 0, 0));
    ledger.apply(&open, 0).unwrap();
    let members = (0..count).map(|n| Someone::new(2 + n, &ledger.community));
    let members: Vec<_> = members.collect();
    for member in &members {
        let claim = make_claim(&secret, &ledger.community, member.cert());
        let admit = member.admit(&ledger, Some(claim));
        ledger.apply(&admit, 0).unwrap();
    }
    (ledger, owner, members)
}

pub(in crate::ledger) fn role_set(
    of: &Someone,
    role: Role,
    frontiers: Vec<proto::Frontier>,
) -> Body {
    Body::RoleSet(proto::RoleSet {
        persona: of.persona().to_vec(),
        role: role_number(role),
        frontiers,
    })
}

fn rules_set(rules: Rules) -> Body {
    Body::RulesSet(proto::RulesSet {
        post: role_number(rules.post),
        invite: role_number(rules.invite),
        pin: role_number(rules.pin),
        moderate: role_number(rules.moderate),
        frontiers: vec![],
        private_only: rules.private_only,
    })
}

fn frontier(of: &Someone, seq: u64) -> proto::Frontier {
    proto::Frontier {
        leaf: of.leaf.verifying_key().to_bytes().to_vec(),
        seq,
        entry: vec![1; 32],
    }
}

/// What comes of a statement, on a copy.
pub(in crate::ledger) fn tried(
    ledger: &Ledger,
    by: &Someone,
    body: Body,
) -> Result<Effect, LedgerError> {
    let statement = by.says(ledger, body);
    ledger
        .clone()
        .apply(&statement, 0)
        .map(|applied| applied.effect)
}

pub(in crate::ledger) fn done(ledger: &mut Ledger, by: &Someone, body: Body) {
    let statement = by.says(ledger, body);
    ledger.apply(&statement, 0).unwrap();
}

#[test]
fn only_owners_give_roles_and_make_rules() {
    let (mut ledger, owner, members) = with_members(2);
    let (admin, member) = (&members[0], &members[1]);
    done(&mut ledger, &owner, role_set(admin, Role::Admin, vec![]));
    assert_eq!(ledger.role(&admin.persona()), Some(Role::Admin));
    let refused = Err(LedgerError::Authority);
    let quiet = Rules {
        post: Role::Admin,
        ..Rules::default()
    };
    for by in [admin, member] {
        let raise = role_set(by, Role::Owner, vec![]);
        assert_eq!(tried(&ledger, by, raise), refused);
        let mute = role_set(member, Role::Reader, vec![]);
        assert_eq!(tried(&ledger, by, mute), refused);
        assert_eq!(tried(&ledger, by, rules_set(quiet)), refused);
    }
    let stranger = Someone::new(9, &ledger.community);
    let by_stranger = role_set(member, Role::Admin, vec![]);
    assert_eq!(tried(&ledger, &stranger, by_stranger), refused);
    // Ownership is not a role to be given, nor to be taken.
    let crown = role_set(admin, Role::Owner, vec![]);
    assert_eq!(tried(&ledger, &owner, crown), refused);
    let abdicate = role_set(&owner, Role::Member, vec![]);
    assert_eq!(tried(&ledger, &owner, abdicate), refused);
    let nobody = role_set(&stranger, Role::Admin, vec![]);
    assert_eq!(tried(&ledger, &owner, nobody), Err(LedgerError::Unknown));
    let again = role_set(admin, Role::Admin, vec![]);
    assert_eq!(tried(&ledger, &owner, again), Err(LedgerError::Repeated));
}

#[test]
fn rights_follow_from_role_and_rules() {
    let (mut ledger, owner, members) = with_members(1);
    let one = &members[0];
    let id = one.persona();
    assert!(ledger.may(&id, Right::Post) && !ledger.may(&id, Right::Invite));
    let liberal = Rules {
        invite: Role::Member,
        ..Rules::default()
    };
    let link = invite(&Secret::new([7; 32]), 0, 0);
    assert_eq!(
        tried(&ledger, one, link.clone()),
        Err(LedgerError::Authority)
    );
    done(&mut ledger, &owner, rules_set(liberal));
    done(&mut ledger, one, link);
    let id = ume_wire::auth::hash(&crate::community::invites::invite_key(&Secret::new(
        [7; 32],
    )));
    assert!(ledger.usable(&id, 0).is_ok());
    // Who may no longer invite has no invites that work.
    done(&mut ledger, &owner, rules_set(Rules::default()));
    assert_eq!(
        ledger.usable(&id, 0).err(),
        Some(LedgerError::InviteWithdrawn)
    );
    for unsound in [
        Rules {
            post: Role::Reader,
            ..Rules::default()
        },
        Rules {
            moderate: Role::Member,
            ..Rules::default()
        },
    ] {
        assert_eq!(
            tried(&ledger, &owner, rules_set(unsound)),
            Err(LedgerError::Malformed)
        );
    }
}

#[test]
fn who_loses_the_right_to_post_is_cut_where_the_statement_says() {
    let (mut ledger, owner, members) = with_members(2);
    let (one, two) = (&members[0], &members[1]);
    let malformed = Err(LedgerError::Malformed);
    let of_another = role_set(one, Role::Reader, vec![frontier(two, 1)]);
    assert_eq!(tried(&ledger, &owner, of_another), malformed);
    let of_nothing = role_set(one, Role::Reader, vec![frontier(one, 0)]);
    assert_eq!(tried(&ledger, &owner, of_nothing), malformed);
    let twice = role_set(one, Role::Reader, vec![frontier(one, 1), frontier(one, 2)]);
    assert_eq!(tried(&ledger, &owner, twice), malformed);
    let raised = role_set(one, Role::Admin, vec![frontier(one, 1)]);
    assert_eq!(tried(&ledger, &owner, raised), malformed);
    let before = ledger.len();
    let mute = role_set(one, Role::Reader, vec![frontier(one, 3)]);
    done(&mut ledger, &owner, mute);
    let leaf = one.leaf.verifying_key().to_bytes();
    let cut = Cut {
        point: before + 1,
        last: Some((3, EntryId([1; 32]))),
    };
    assert_eq!(ledger.cuts(&leaf), [cut]);
    assert!(ledger.might_post(&one.persona(), before));
    assert!(!ledger.might_post(&one.persona(), before + 1));
    // A rule that silences everybody but the owner cuts whoever could post until then.
    let quiet = Rules {
        post: Role::Owner,
        ..Rules::default()
    };
    done(&mut ledger, &owner, rules_set(quiet));
    assert_eq!(ledger.cuts(&leaf).len(), 1);
    let other = two.leaf.verifying_key().to_bytes();
    let nothing = Cut {
        point: before + 2,
        last: None,
    };
    assert_eq!(ledger.cuts(&other), [nothing]);
    let again = Ledger::replay(
        &ledger.community,
        ledger.genesis_bytes(),
        ledger.statements(),
    )
    .unwrap();
    assert_eq!(again.cuts(&other), [nothing]);
}

#[test]
fn pins_are_for_admins_and_bounded() {
    let (mut ledger, owner, members) = with_members(1);
    let pin = |n: u8, on: bool| {
        Body::Pin(proto::Pin {
            entry: vec![n; 32],
            on,
        })
    };
    assert_eq!(
        tried(&ledger, &members[0], pin(1, true)),
        Err(LedgerError::Authority)
    );
    for n in 0..16 {
        done(&mut ledger, &owner, pin(n, true));
    }
    assert_eq!(
        tried(&ledger, &owner, pin(99, true)),
        Err(LedgerError::TooMany)
    );
    assert_eq!(
        tried(&ledger, &owner, pin(99, false)),
        Err(LedgerError::Repeated)
    );
    done(&mut ledger, &owner, pin(3, false));
    done(&mut ledger, &owner, pin(99, true));
    assert_eq!(ledger.pins.last(), Some(&EntryId([99; 32])));
}

use super::*;
use crate::keys::Secret;
use crate::ledger::rights::tests::{done, role_set, tried, with_members};
use crate::ledger::tests::{Someone, invite};
use crate::ledger::{make_claim, role_number};
use proto::statement::Body;
use ume_api::Rules;

fn remove(of: &Someone, ban: bool) -> Body {
    Body::Remove(proto::Remove {
        persona: of.persona().to_vec(),
        ban,
        frontiers: vec![],
    })
}

fn leave() -> Body {
    Body::Leave(proto::Leave::default())
}

fn revoke(secret: &Secret) -> Body {
    let key = crate::community::invites::invite_key(secret);
    Body::InviteRevoke(proto::InviteRevoke {
        invite: ume_wire::auth::hash(&key).to_vec(),
    })
}

#[test]
fn only_those_above_take_somebody_out() {
    let (mut ledger, owner, members) = with_members(3);
    let (admin, other, member) = (&members[0], &members[1], &members[2]);
    done(&mut ledger, &owner, role_set(admin, Role::Admin, vec![]));
    done(&mut ledger, &owner, role_set(other, Role::Admin, vec![]));
    let refused = Err(LedgerError::Authority);
    assert_eq!(tried(&ledger, member, remove(admin, false)), refused);
    assert_eq!(tried(&ledger, admin, remove(other, false)), refused);
    assert_eq!(tried(&ledger, admin, remove(&owner, true)), refused);
    assert_eq!(tried(&ledger, &owner, remove(&owner, false)), refused);
    let stranger = Someone::new(9, &ledger.community);
    assert_eq!(
        tried(&ledger, &owner, remove(&stranger, false)),
        Err(LedgerError::Unknown)
    );
    done(&mut ledger, admin, remove(member, false));
    assert_eq!(ledger.role(&member.persona()), None);
    assert!(ledger.person(&member.persona()).is_some());
    assert_eq!(
        tried(&ledger, &owner, remove(member, false)),
        Err(LedgerError::Unknown)
    );
    // Who is out says nothing more, and does not come in again as the same.
    assert_eq!(tried(&ledger, member, leave()), refused);
    let again = member.admit(
        &ledger,
        Some(make_claim(
            &Secret::new([5; 32]),
            &ledger.community,
            member.cert(),
        )),
    );
    assert_eq!(ledger.apply(&again, 0), Err(LedgerError::Repeated));
}

#[test]
fn a_ban_ends_every_invite_and_a_removal_those_of_the_removed() {
    let (mut ledger, owner, members) = with_members(2);
    let (one, two) = (&members[0], &members[1]);
    let liberal = Rules {
        invite: Role::Member,
        ..Rules::default()
    };
    let rules = Body::RulesSet(proto::RulesSet {
        post: role_number(liberal.post),
        invite: role_number(liberal.invite),
        pin: role_number(liberal.pin),
        moderate: role_number(liberal.moderate),
        frontiers: vec![],
        private_only: false,
    });
    done(&mut ledger, &owner, rules);
    let theirs = Secret::new([7; 32]);
    done(&mut ledger, one, invite(&theirs, 0, 0));
    let usable = |ledger: &Ledger, secret: &Secret| {
        let id = crate::community::invites::invite_id(secret);
        ledger.usable(&id, 0).err()
    };
    let first = Secret::new([5; 32]);
    assert_eq!(usable(&ledger, &theirs), None);
    done(&mut ledger, &owner, remove(one, false));
    assert_eq!(usable(&ledger, &theirs), Some(LedgerError::InviteWithdrawn));
    assert_eq!(usable(&ledger, &first), None);
    done(&mut ledger, &owner, remove(two, true));
    assert_eq!(usable(&ledger, &first), Some(LedgerError::InviteWithdrawn));
}

#[test]
fn the_last_owner_stays() {
    let (mut ledger, owner, members) = with_members(1);
    assert_eq!(tried(&ledger, &owner, leave()), Err(LedgerError::Authority));
    done(&mut ledger, &members[0], leave());
    assert_eq!(ledger.members.len(), 1);
    assert_eq!(ledger.devices().count(), 1);
}

#[test]
fn an_invite_is_withdrawn_by_its_maker_or_an_admin_once() {
    let (mut ledger, owner, members) = with_members(1);
    let first = Secret::new([5; 32]);
    assert_eq!(
        tried(&ledger, &members[0], revoke(&first)),
        Err(LedgerError::Authority)
    );
    assert_eq!(
        tried(&ledger, &owner, revoke(&Secret::new([8; 32]))),
        Err(LedgerError::InviteUnknown)
    );
    done(&mut ledger, &owner, revoke(&first));
    assert_eq!(
        tried(&ledger, &owner, revoke(&first)),
        Err(LedgerError::Repeated)
    );
}

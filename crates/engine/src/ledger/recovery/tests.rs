use super::*;
use crate::entry::{Draft, Entry, Kind, Refusal, Standing, judge, verify, write};
use crate::keys::Secret;
use crate::ledger::rights::tests::{done, role_set, tried, with_members};
use crate::ledger::tests::Someone;
use crate::ledger::{make_claim, sign};
use proto::statement::Body;
use ume_api::EntryId;

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
    let recovery = ledger.recovery_of(&new.persona()).unwrap();
    assert_eq!(recovery.old, old.persona());
    assert_eq!(recovery.head, ledger.head());
    assert!(ledger.is_out(&old.leaf.verifying_key().to_bytes()));
    assert_eq!(
        tried(&ledger, &owner, recover(old, new)),
        Err(LedgerError::Unknown)
    );
}

fn claim(ledger: &Ledger, by: &Someone, recover: Hash) -> proto::ContestClaim {
    proto::ContestClaim {
        community: ledger.community.to_vec(),
        leaf: by.leaf.verifying_key().to_bytes().to_vec(),
        recover: recover.to_vec(),
    }
}

fn contest(by: &Someone, claim: &proto::ContestClaim) -> Body {
    let claim = sign(&by.leaf, Purpose::Contest, claim.encode_to_vec());
    Body::Contest(proto::Contest { claim: Some(claim) })
}

fn undo(of: &Someone) -> Body {
    Body::RecoverUndo(proto::RecoverUndo {
        old: of.persona().to_vec(),
        frontiers: vec![],
        edits: vec![],
        time_ms: 11,
    })
}

#[test]
fn only_a_device_of_the_old_persona_contests_and_once() {
    let (mut ledger, owner, members) = with_members(4);
    let (old, new, other, gone) = (&members[0], &members[1], &members[2], &members[3]);
    let removal = proto::Remove {
        persona: gone.persona().to_vec(),
        ..proto::Remove::default()
    };
    done(&mut ledger, &owner, Body::Remove(removal));
    done(&mut ledger, &owner, recover(old, new));
    let place = ledger.head();
    let sound = claim(&ledger, old, place);
    let authority = Err(LedgerError::Authority);
    // Others' devices: of the new persona, of somebody else, of somebody who went in another way.
    for by in [new, other, gone] {
        let theirs = contest(by, &claim(&ledger, by, place));
        assert_eq!(tried(&ledger, other, theirs), authority);
        let forged = contest(by, &sound);
        assert_eq!(tried(&ledger, other, forged), Err(LedgerError::Signature));
    }
    let elsewhere = proto::ContestClaim {
        community: vec![1; 32],
        ..sound.clone()
    };
    let elsewhere = contest(old, &elsewhere);
    assert_eq!(
        tried(&ledger, other, elsewhere),
        Err(LedgerError::Community)
    );
    let nothing = contest(old, &claim(&ledger, old, [3; 32]));
    assert_eq!(tried(&ledger, other, nothing), Err(LedgerError::Unknown));
    // Who is out cannot put it into the ledger by themselves.
    assert_eq!(tried(&ledger, old, contest(old, &sound)), authority);
    assert!(
        ledger
            .may_contest()
            .eq([old.leaf.verifying_key().to_bytes()])
    );
    done(&mut ledger, other, contest(old, &sound));
    assert!(ledger.recovery_of(&new.persona()).unwrap().contested);
    assert_eq!(ledger.may_contest().count(), 0);
    assert_eq!(
        tried(&ledger, new, contest(old, &sound)),
        Err(LedgerError::Repeated)
    );
    // Nothing followed by itself.
    assert_eq!(ledger.role(&old.persona()), None);
}

#[test]
fn an_owner_undoes_a_recovery_and_who_is_back_comes_in_once() {
    let (mut ledger, owner, members) = with_members(3);
    let (old, new, other) = (&members[0], &members[1], &members[2]);
    done(&mut ledger, &owner, role_set(old, Role::Admin, vec![]));
    let early = written(&ledger, old, 1);
    let theirs = written(&ledger, new, 1);
    done(&mut ledger, &owner, recover(old, new));
    let place = ledger.head();
    let given = proto::Transfer {
        from: new.persona().to_vec(),
        to: other.persona().to_vec(),
        entry: early.id.0.to_vec(),
        ..proto::Transfer::default()
    };
    done(&mut ledger, new, Body::Transfer(given));
    for by in [new, other] {
        assert_eq!(tried(&ledger, by, undo(old)), Err(LedgerError::Authority));
    }
    assert_eq!(
        tried(&ledger, &owner, undo(other)),
        Err(LedgerError::Unknown)
    );
    done(&mut ledger, &owner, undo(old));
    assert_eq!(ledger.role(&new.persona()), Some(Role::Member));
    // Back from whoever had it; what the other wrote is still theirs.
    assert_eq!(ledger.post_owner(&early), old.persona());
    assert_eq!(ledger.post_owner(&theirs), new.persona());
    assert!(ledger.recovery_of(&new.persona()).is_none());
    let again = Err(LedgerError::Repeated);
    assert_eq!(tried(&ledger, &owner, undo(old)), again);
    let late = contest(old, &claim(&ledger, old, place));
    assert_eq!(tried(&ledger, other, late), again);
    // In with another device, as who they were.
    let secret = Secret::new([5; 32]);
    let admitted = |ledger: &Ledger, one: &Someone| {
        let claim = make_claim(&secret, &ledger.community, one.cert());
        ledger
            .clone()
            .apply(&one.admit(ledger, Some(claim)), 0)
            .map(|_| ())
    };
    assert_eq!(
        admitted(&ledger, old),
        Err(LedgerError::Repeated),
        "with the device that is out"
    );
    let back = old.with_another_device(&ledger.community, 77);
    admitted(&ledger, &back).unwrap();
    let claim = make_claim(&secret, &ledger.community, back.cert());
    let admit = back.admit(&ledger, Some(claim));
    ledger.apply(&admit, 0).unwrap();
    assert_eq!(ledger.role(&old.persona()), Some(Role::Admin));
    assert!(ledger.former.is_empty());
    let third = old.with_another_device(&ledger.community, 78);
    assert_eq!(admitted(&ledger, &third), Err(LedgerError::Repeated));
    // The device that went stays silent.
    let verdict = |entry: &Entry| judge(entry, &ledger, |_, _| None);
    assert_eq!(verdict(&written(&ledger, &back, 1)), Standing::Stands);
    assert_eq!(
        verdict(&written(&ledger, old, 2)),
        Standing::Refused(Refusal::Role)
    );
    let replayed = Ledger::replay(
        &ledger.community,
        ledger.genesis_bytes(),
        ledger.statements(),
    )
    .unwrap();
    assert_eq!(replayed.digest(), ledger.digest());
}

fn written(ledger: &Ledger, by: &Someone, seq: u64) -> Entry {
    let draft = Draft {
        kind: Kind::Post,
        seq,
        previous: (seq > 1).then_some(EntryId([9; 32])),
        parents: vec![],
        time_ms: seq,
        expires_ms: None,
        content: "so".into(),
        salt: [1; 16],
        ledger: ledger.len(),
    };
    let community = ledger.community;
    verify(
        &write(&community, &by.persona(), &by.leaf, draft),
        &community,
    )
    .unwrap()
}

use super::*;
use crate::entry::{Draft, Kind, verify, write};
use crate::ledger::rights::tests::{done, tried, with_members};
use crate::ledger::tests::Someone;
use proto::statement::Body;

fn transfer(from: &Someone, to: &Someone, post: Option<&Entry>) -> proto::Transfer {
    proto::Transfer {
        from: from.persona().to_vec(),
        to: to.persona().to_vec(),
        entry: post.map(|post| post.id.0.to_vec()).unwrap_or_default(),
        frontiers: vec![],
        time_ms: 5,
    }
}

fn gives(ledger: &mut Ledger, by: &Someone, transfer: proto::Transfer) {
    done(ledger, by, Body::Transfer(transfer));
}

fn written(ledger: &Ledger, by: &Someone, kind: Kind, seq: u64) -> Entry {
    let draft = Draft {
        kind,
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
    let written = write(&community, &by.persona(), &by.leaf, draft);
    verify(&written, &community).unwrap()
}

#[test]
fn posts_go_from_owner_to_owner() {
    let (mut ledger, owner, members) = with_members(3);
    let (a, b, c) = (&members[0], &members[1], &members[2]);
    let one = written(&ledger, a, Kind::Post, 1);
    let two = written(&ledger, a, Kind::Post, 2);
    gives(&mut ledger, a, transfer(a, b, Some(&one)));
    assert_eq!(ledger.post_owner(&one), b.persona());
    assert_eq!(ledger.post_owner(&two), a.persona());
    // What is not theirs any more stays where it is, although nobody else can tell from the statement alone.
    gives(&mut ledger, a, transfer(a, c, Some(&one)));
    assert_eq!(ledger.post_owner(&one), b.persona());
    // The community's owner gives all that one person owns; what they write later is theirs.
    let point = ledger.len();
    gives(&mut ledger, &owner, transfer(a, c, None));
    let three = written(&ledger, a, Kind::Post, 3);
    assert_eq!(ledger.post_owner(&two), c.persona());
    assert_eq!(ledger.post_owner(&three), a.persona());
    assert_eq!(ledger.post_owner_at(&two, point), a.persona());
    assert_eq!(ledger.post_owner_at(&two, point + 1), c.persona());
    gives(&mut ledger, &owner, transfer(b, c, None));
    let chain: Vec<_> = ledger
        .owners(&one)
        .iter()
        .map(|one| (one.by, one.to))
        .collect();
    assert_eq!(
        chain,
        [(a.persona(), b.persona()), (owner.persona(), c.persona())]
    );
}

#[test]
fn nobody_gives_what_is_anothers() {
    let (ledger, owner, members) = with_members(2);
    let (a, b) = (&members[0], &members[1]);
    let outcome = |by: &Someone, transfer: proto::Transfer| {
        tried(&ledger, by, Body::Transfer(transfer)).err()
    };
    assert_eq!(
        outcome(b, transfer(a, b, None)),
        Some(LedgerError::Authority)
    );
    assert_eq!(outcome(a, transfer(a, b, None)), None);
    assert_eq!(
        outcome(a, transfer(a, a, None)),
        Some(LedgerError::Repeated)
    );
    let stranger = Someone::new(77, &ledger.community);
    assert_eq!(
        outcome(&owner, transfer(a, &stranger, None)),
        Some(LedgerError::Unknown)
    );
    assert_eq!(
        outcome(&owner, transfer(&stranger, a, None)),
        Some(LedgerError::Unknown)
    );
    let of = |leaf: &Someone, seq: u64| proto::Frontier {
        leaf: leaf.leaf.verifying_key().to_bytes().to_vec(),
        seq,
        entry: vec![1; 32],
    };
    for frontiers in [vec![of(b, 1)], vec![of(a, 0)], vec![of(a, 1), of(a, 2)]] {
        let forged = proto::Transfer {
            frontiers,
            ..transfer(a, b, None)
        };
        assert_eq!(outcome(a, forged), Some(LedgerError::Malformed));
    }
}

#[test]
fn who_gave_a_post_away_cannot_go_on_editing_it() {
    let (mut ledger, _, members) = with_members(2);
    let (a, b) = (&members[0], &members[1]);
    let post = written(&ledger, a, Kind::Post, 1);
    let edit = written(&ledger, a, Kind::Edit(post.id), 2);
    let late = written(&ledger, a, Kind::Edit(post.id), 3);
    let in_time = |ledger: &Ledger, edit: &Entry| {
        ledger.edit_is_in_time(&post, edit, |(seq, _)| edit.seq <= seq)
    };
    assert!(in_time(&ledger, &late), "still theirs");
    let given = proto::Transfer {
        frontiers: vec![proto::Frontier {
            leaf: edit.leaf.to_vec(),
            seq: 2,
            entry: edit.id.0.to_vec(),
        }],
        ..transfer(a, b, Some(&post))
    };
    gives(&mut ledger, a, given);
    assert!(in_time(&ledger, &edit));
    assert!(!in_time(&ledger, &late));
    let others = written(&ledger, b, Kind::Edit(post.id), 1);
    assert!(in_time(&ledger, &others));
    // A device that is not named had written nothing.
    gives(&mut ledger, b, transfer(b, a, Some(&post)));
    assert!(!in_time(&ledger, &others));
}

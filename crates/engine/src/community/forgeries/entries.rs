//! Entries: in another's name, by whoever has not the right, back-dated, of another community, repeated.

use super::*;
use crate::entry::{Draft, Kind, Refusal, id, write};
use crate::ledger::{Purpose, sign};
use ume_api::{EntryId, Trouble};

fn drafted(kind: Kind, point: u32) -> Draft {
    let content = match kind {
        Kind::Unpublish(_) => vec![],
        _ => b"words".to_vec(),
    };
    Draft {
        kind,
        seq: 1,
        previous: None,
        parents: vec![],
        time_ms: 9,
        expires_ms: (kind == Kind::Pack).then_some(10),
        content,
        salt: [6; 16],
        ledger: point,
    }
}

impl World {
    fn point(&self) -> u32 {
        self.community.chain.ledger.len()
    }

    /// An entry of somebody's, written at a point of the ledger.
    fn writes(&self, by: &Person, kind: Kind, point: u32) -> proto::Written {
        let community = self.community.community();
        write(&community, &by.id(), &by.leaf(), drafted(kind, point))
    }

    /// An entry arrives; why it was not taken.
    fn hears(&mut self, written: &proto::Written) -> Vec<Rejected> {
        let before = self.community.rejected.clone();
        let community = &mut self.community;
        with(&mut self.rng, |ctx| community.receive(ctx, written));
        let after = self.community.rejected.clone().into_iter();
        let new = after.filter(|(what, count)| before.get(what) != Some(count));
        new.map(|(what, _)| what).collect()
    }

    fn shown(&self) -> usize {
        self.community.page(None, None).0.len()
    }
}

#[test]
fn nobody_writes_what_is_not_theirs_to_write() {
    let mut world = World::begin();
    let point = world.point();
    let post = world.writes(&world.target, Kind::Post, point);
    assert!(world.hears(&post).is_empty());
    let of = id(&post).unwrap();
    let kinds = [
        ("a post", Kind::Post),
        ("an edit", Kind::Edit(of)),
        ("an end", Kind::Unpublish(of)),
        ("a portrait", Kind::Portrait),
        ("a pack", Kind::Pack),
        ("a reaction", Kind::Reaction(of)),
        ("a comment", Kind::Comment(of)),
    ];
    for (what, kind) in kinds {
        let looks = matches!(kind, Kind::Unpublish(_) | Kind::Portrait | Kind::Pack);
        let changes = matches!(kind, Kind::Edit(_) | Kind::Unpublish(_));
        let adds = matches!(kind, Kind::Post | Kind::Reaction(_) | Kind::Comment(_));
        // With the wrong key.
        let mut forged = world.writes(&world.admin, kind, point);
        let content = forged.entry.take().unwrap().content;
        forged.entry = Some(sign(&world.member.leaf(), Purpose::Entry, content));
        let named = [Rejected::Unsound(LedgerError::Signature)];
        assert_eq!(world.hears(&forged), named, "{what}");
        // In another's name.
        let community = world.community.community();
        let (leaf, draft) = (world.member.leaf(), drafted(kind, point));
        let stolen = write(&community, &world.admin.id(), &leaf, draft);
        let named = [Rejected::Entry(Refusal::Author)];
        assert_eq!(world.hears(&stolen), named, "{what}");
        // By a reader, who may only look as they like, and take back what is theirs.
        let heard = world.hears(&world.writes(&world.reader, kind, point));
        let expected = match kind {
            Kind::Portrait | Kind::Pack => vec![],
            Kind::Unpublish(_) => vec![Rejected::Entry(Refusal::Foreign)],
            _ => vec![Rejected::Entry(Refusal::Role)],
        };
        assert_eq!(heard, expected, "{what} by a reader");
        // By somebody who was taken out: after it, and as if before it.
        let gone = &world.gone;
        let late = world.writes(gone, kind, point);
        let named = [Rejected::Entry(Refusal::Role)];
        assert_eq!(world.hears(&late), named, "{what} afterwards");
        let admitted = world.community.chain.ledger.role_at(&world.gone.id(), 8);
        assert!(admitted.is_some());
        let early = world.writes(&world.gone, kind, 8);
        let named = [Rejected::Entry(Refusal::Backdated)];
        assert_eq!(world.hears(&early), named, "{what}, back-dated");
        // About a post of somebody else's.
        if changes {
            let foreign = world.writes(&world.admin, kind, point);
            let named = [Rejected::Entry(Refusal::Foreign)];
            assert_eq!(world.hears(&foreign), named, "{what}");
        }
        // By nobody whom the ledger knows: it waits, and is not shown.
        let unknown = world.writes(&world.stranger, kind, point);
        assert!(world.hears(&unknown).is_empty());
        assert!(world.community.parked.contains_key(&id(&unknown).unwrap()));
        assert_eq!((world.shown(), looks || changes || adds), (1, true));
    }
    let shown = &world.community.page(None, None).0[0];
    assert_eq!((&shown.text[..], &shown.unpublished_by), ("words", &None));
    assert_eq!((shown.comments.count, &shown.reactions[..]), (0, &[][..]));
}

#[test]
fn an_entry_is_whole_of_this_community_and_counts_once() {
    let mut world = World::begin();
    let point = world.point();
    let elsewhere = write(
        &[3; 32],
        &world.member.id(),
        &world.member.leaf(),
        drafted(Kind::Post, point),
    );
    let other = Rejected::Unsound(LedgerError::Community);
    assert_eq!(world.hears(&elsewhere), [other]);
    let malformed = Rejected::Unsound(LedgerError::Malformed);
    let sound = world.writes(&world.member, Kind::Post, point);
    let garbage = proto::Written {
        entry: Some(sign(&world.member.leaf(), Purpose::Entry, vec![0xff; 9])),
        body: vec![],
    };
    assert_eq!(world.hears(&garbage), [malformed]);
    let swapped = proto::Written {
        body: b"0123456789abcdefother words".to_vec(),
        ..sound.clone()
    };
    assert_eq!(world.hears(&swapped), [malformed]);
    for _ in 0..3 {
        assert!(world.hears(&sound).is_empty());
    }
    assert_eq!(world.shown(), 1);
    // A number without those before it is taken: what comes before is missing until it comes.
    let later = Draft {
        seq: 2,
        previous: Some(EntryId([4; 32])),
        ..drafted(Kind::Post, point)
    };
    let id = world.community.community();
    let later = write(&id, &world.member.id(), &world.member.leaf(), later);
    assert!(world.hears(&later).is_empty());
    assert_eq!(world.community.feed.missing(0), 1);
}

#[test]
fn reasons_have_words_that_tell_nothing_else() {
    for (reason, words) in [
        (
            Rejected::Record(Void::Time),
            "record: its time runs backwards",
        ),
        (
            Rejected::Record(Void::Statement(LedgerError::InviteUsedUp)),
            "record: the invite is used up",
        ),
        (
            Rejected::Entry(Refusal::Backdated),
            "entry: not written before the author lost the right to post",
        ),
    ] {
        assert_eq!(reason.to_string(), words);
    }
}

#[test]
fn what_is_being_seen_to_is_told_the_gravest_first() {
    let mut world = World::begin();
    assert_eq!(world.community.view().troubles, []);
    let point = world.point();
    // Somebody who has just lost a right is no forger.
    let late = world.writes(&world.reader, Kind::Post, point);
    assert_eq!(world.hears(&late).len(), 1);
    assert_eq!(world.community.view().troubles, []);
    let unknown = world.writes(&world.stranger, Kind::Post, point);
    assert!(world.hears(&unknown).is_empty());
    world.shows(&[0xff; 40]);
    let mut expected = vec![
        Trouble::Undecided { count: 1 },
        Trouble::Refused { count: 1 },
    ];
    assert_eq!(world.community.view().troubles, expected);
    let community = &mut world.community;
    with(&mut world.rng, |ctx| {
        community.count_tampered(ctx, 3);
        community.saved.recount = crate::community::restored::ROUNDS;
        community.heal(ctx, None);
    });
    expected.splice(
        0..0,
        [
            Trouble::KeysLost,
            Trouble::PuttingBack,
            Trouble::Damaged { count: 3 },
        ],
    );
    assert_eq!(world.community.view().troubles, expected);
    assert_eq!(world.community.view().phase, ume_api::Phase::Healing);
}

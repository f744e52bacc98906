//! Records: in the wrong place, repeated, back-dated, with commits that do what nobody may.

use super::*;

/// A change to what the committer signs.
type Context = fn(&mut proto::CommitContext);
/// A change to the record around it, which may take something from an earlier one.
type Change = fn(&mut proto::Record, &proto::Record);

#[test]
fn a_record_holds_in_its_place_and_for_what_was_signed() {
    let mut world = World::begin();
    let none = BTreeSet::new();
    let changes: [(&str, Context, Void); 4] = [
        ("back-dated", |one| one.time_ms -= 1, Void::Time),
        (
            "after another record",
            |one| one.previous = vec![1; 32],
            Void::Place,
        ),
        ("for another slot", |one| one.slot += 1, Void::Place),
        (
            "to another ledger",
            |one| one.ledger = vec![1; 32],
            Void::Ledger,
        ),
    ];
    for (what, change, why) in changes {
        let record = world.record(&[], &none, change);
        let refused = world.shows(&record.encode_to_vec());
        assert_eq!(refused, [Rejected::Record(why)], "{what}");
    }
    let old = world.joined.clone();
    assert_eq!(world.shows(&old), [Rejected::Record(Void::Place)], "again");
    let changes: [(&str, Change, Void); 4] = [
        (
            "of another generation",
            |one, _| one.generation += 1,
            Void::Place,
        ),
        (
            "with an old commit",
            |one, old| one.commit.clone_from(&old.commit),
            Void::Commit,
        ),
        (
            "with half a commit",
            |one, _| one.commit.truncate(99),
            Void::Commit,
        ),
        (
            "with a statement that was not signed for",
            |one, old| one.statements.clone_from(&old.statements),
            Void::Statement(LedgerError::Place),
        ),
    ];
    let old = proto::Record::decode(&old[..]).unwrap();
    for (what, change, why) in changes {
        let mut record = world.record(&[], &none, |_| ());
        change(&mut record, &old);
        let refused = world.shows(&record.encode_to_vec());
        assert_eq!(refused, [Rejected::Record(why)], "{what}");
    }
    let garbage = world.shows(&[0xff; 40]);
    assert_eq!(garbage, [Rejected::Record(Void::Malformed)]);
}

#[test]
fn a_changed_program_takes_nobody_out_and_brings_nobody_in() {
    let mut world = World::begin();
    let owner = world.owner.verifying_key().to_bytes();
    let authority = [Rejected::Record(Void::Authority)];
    // The owner, whose device then still has its place and its keys.
    let record = world.record(&[], &BTreeSet::from([owner]), |_| ());
    assert_eq!(world.shows(&record.encode_to_vec()), authority);
    // A stranger, without an admission.
    let context = |world: &World| {
        let chain = &world.community.chain;
        let context = proto::CommitContext {
            previous: chain.record.to_vec(),
            slot: chain.slot + 1,
            ledger: chain.ledger.head().to_vec(),
            time_ms: chain.time_ms,
        };
        let record = proto::Record {
            generation: chain.generation,
            slot: chain.slot + 1,
            ..proto::Record::default()
        };
        (context.encode_to_vec(), record)
    };
    for who in [&world.stranger, &world.gone, &world.lost] {
        let (aad, record) = context(&world);
        let (_, commit, group_info) = external(&world.community, who, &aad);
        let record = proto::Record {
            commit,
            group_info,
            ..record
        };
        let record = record.encode_to_vec();
        let before = world.community.rejected.clone();
        let community = &mut world.community;
        with(&mut world.rng, |ctx| {
            community.merge_other(ctx, Some(&record));
        });
        let named = Rejected::Record(Void::Authority);
        let count = |one: &std::collections::BTreeMap<Rejected, u32>| one.get(&named).copied();
        let after = &world.community.rejected;
        assert!(count(after) > count(&before), "{after:?}");
        assert_eq!(world.community.group.as_ref().unwrap().leaf_keys().len(), 2);
    }
}

#[test]
fn a_group_info_that_leads_elsewhere_is_replaced_by_whoever_is_there() {
    let mut world = World::begin();
    let old = proto::Record::decode(&world.joined[..]).unwrap().group_info;
    let wished = |world: &World| {
        let mut wishes = world.community.saved.wishes.iter();
        wishes.any(|wish| matches!(wish.intent, crate::community::Intent::Update))
    };
    for (wrong, repairs) in [(true, true), (false, false)] {
        let chain = &world.community.chain;
        let proposal = chain.propose(&world.member.leaf(), vec![], 1_000).unwrap();
        let staged = world
            .group
            .stage_update(&proposal.aad, &BTreeSet::new())
            .unwrap();
        let info = if wrong {
            old.clone()
        } else {
            staged.group_info
        };
        let record = chain.record(proposal, staged.commit, info, None, Ways::default());
        world.group.merge_pending().unwrap();
        let community = &mut world.community;
        with(&mut world.rng, |ctx| {
            community.merge_other(ctx, Some(&record));
        });
        // It holds, because only members can tell; each of them wishes to put it right, until somebody has.
        assert!(world.community.rejected.is_empty());
        let here = world.community.group.as_ref().unwrap();
        assert_eq!(
            here.epoch_authenticator(),
            world.group.epoch_authenticator()
        );
        assert_eq!(wished(&world), repairs);
    }
}

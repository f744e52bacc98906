//! What is refused, and by whom: changed bytes, broken rules, strange rows.

use super::*;

#[test]
fn tampered_commits_are_void_for_all_alike() {
    let (mut founder, mut joiner) = pair(Suite::Classic);
    let follower = founder.follower();
    let before = founder.group.epoch_authenticator();
    let external = Device::join(&follower, &founder.group.group_info().unwrap(), 2)
        .1
        .commit;
    let update = joiner
        .group
        .stage_update(b"data", &BTreeSet::new())
        .unwrap()
        .commit;
    for commit in [update, external] {
        for place in 0..commit.len() {
            let mut bytes = commit.clone();
            bytes[place] ^= 1 << (place % 8);
            let public = follower.process(&bytes);
            match founder.group.process_commit(&bytes) {
                Err(CommitError::Void(_)) => assert!(public.is_err(), "{place}"),
                // The tags are not signed; only those inside can check them.
                Err(CommitError::Private(_)) => {
                    assert!(public.is_ok() && place + 70 > commit.len(), "{place}");
                }
                verdict => panic!("{place}: {verdict:?}"),
            }
        }
        for end in 0..commit.len() {
            let cut = founder.group.process_commit(&commit[..end]);
            assert!(matches!(cut, Err(CommitError::Void(_))));
        }
        let incoming = founder.group.process_commit(&commit).unwrap();
        assert_eq!(incoming.facts, follower.process(&commit).unwrap().facts);
    }
    assert_eq!(before, founder.group.epoch_authenticator());
    assert!(founder.group.take_changes().is_empty());
}

#[test]
fn tampered_messages_are_malformed() {
    let (mut founder, mut joiner) = pair(Suite::Classic);
    let sealed = founder.group.protect(b"hello").unwrap();
    for place in 0..sealed.len() {
        let mut bytes = sealed.clone();
        bytes[place] ^= 1 << (place % 8);
        assert!(matches!(
            joiner.group.unprotect(&bytes),
            Err(MlsError::Malformed(_) | MlsError::NotYet | MlsError::TooOld)
        ));
        assert!(matches!(
            joiner.group.unprotect(&sealed[..place]),
            Err(MlsError::Malformed(_))
        ));
    }
    assert_eq!(joiner.group.unprotect(&sealed).unwrap(), b"hello");
    let commit = founder
        .group
        .stage_update(b"", &BTreeSet::new())
        .unwrap()
        .commit;
    assert!(matches!(
        joiner.group.unprotect(&commit),
        Err(MlsError::Malformed(_))
    ));
    assert!(matches!(
        joiner.group.process_commit(&sealed),
        Err(CommitError::Void(_))
    ));
}

#[test]
fn tampered_snapshots_are_refused() {
    let (founder, _) = pair(Suite::Classic);
    let (tree, info) = (
        founder.group.tree().unwrap(),
        founder.group.group_info().unwrap(),
    );
    for (part, length) in [(0, tree.len()), (1, info.len())] {
        for place in 0..length {
            let mut parts = [tree.clone(), info.clone()];
            parts[part][place] ^= 1 << (place % 8);
            assert!(
                Follower::new(&parts[0], &parts[1]).is_err(),
                "{part} {place}"
            );
            parts[part].truncate(place);
            assert!(
                Follower::new(&parts[0], &parts[1]).is_err(),
                "{part} {place}"
            );
        }
    }
}

#[test]
fn another_group_and_another_epoch_are_void() {
    let (mut founder, _) = pair(Suite::Classic);
    let stranger = Group::create(Suite::Classic, &leaf(0), b"device 0", seed(60));
    let commit = stranger
        .unwrap()
        .stage_update(b"", &BTreeSet::new())
        .unwrap()
        .commit;
    assert!(matches!(
        founder.group.process_commit(&commit),
        Err(CommitError::Void(_))
    ));
    let follower = founder.follower();
    let staged = founder.group.stage_update(b"", &BTreeSet::new()).unwrap();
    founder.confirm();
    let next = founder.group.stage_update(b"", &BTreeSet::new()).unwrap();
    assert!(follower.process(&next.commit).is_err());
    assert!(matches!(
        founder.group.process_commit(&staged.commit),
        Err(CommitError::Void(_))
    ));
}

#[test]
fn stored_rows_of_others_are_refused() {
    let (founder, _) = pair(Suite::Classic);
    let id = founder.group.id();
    let load = |rows: Rows, id: &[u8], leaf: &LeafKey| Group::load(rows, id, leaf, seed(70));
    assert!(load(founder.rows.clone(), &id, &leaf(5)).is_err());
    assert!(load(founder.rows.clone(), b"other", &founder.leaf).is_err());
    assert!(load(Rows::new(), &id, &founder.leaf).is_err());
    for key in founder.rows.keys() {
        let mut rows = founder.rows.clone();
        rows.remove(key);
        drop(load(rows, &id, &founder.leaf));
        for damage in [&b""[..], b"[", b"{}", b"[300]", b"null", b"\xFF"] {
            let mut rows = founder.rows.clone();
            rows.insert(key.clone(), damage.to_vec());
            drop(load(rows, &id, &founder.leaf));
        }
    }
}

/// What only a changed client would commit.
mod breaking_the_rules {
    use super::{CommitError, Device, LeafKey, Suite, capabilities_of, leaf, pair};
    use openmls::prelude::*;
    use openmls_rust_crypto::OpenMlsRustCrypto;

    fn verdicts(
        founder: &mut Device,
        joiner: &Device,
        commit: &MlsMessageOut,
    ) -> Result<(), String> {
        let bytes = commit.to_bytes().unwrap();
        let public = joiner.follower().process(&bytes);
        match founder.group.process_commit(&bytes) {
            Ok(incoming) => {
                assert_eq!(incoming.facts, public.unwrap().facts);
                Ok(())
            }
            Err(CommitError::Void(reason)) => {
                assert!(public.is_err());
                Err(reason)
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    fn key_package(number: u16, life: Lifetime) -> KeyPackage {
        let (leaf, provider) = (leaf(number), OpenMlsRustCrypto::default());
        let bundle = KeyPackage::builder()
            .key_package_lifetime(life)
            .leaf_node_capabilities(capabilities_of(Suite::Classic))
            .build(
                Suite::Classic.ciphersuite(),
                &provider,
                &leaf,
                leaf.credential(b"added"),
            )
            .unwrap();
        bundle.key_package().clone()
    }

    #[test]
    fn members_are_added_only_with_leaves_that_never_expire() {
        let (mut founder, mut joiner) = pair(Suite::Classic);
        for (life, fine) in [
            (Lifetime::init(0, u64::MAX), true),
            (Lifetime::new(3_600), false),
        ] {
            let provider = OpenMlsRustCrypto::default();
            let commit = joiner
                .group
                .mls
                .commit_builder()
                .propose_adds([key_package(5, life)]);
            let commit = commit
                .force_self_update(true)
                .load_psks(provider.storage())
                .unwrap();
            let key: &LeafKey = &joiner.leaf;
            let commit = commit
                .build(provider.rand(), provider.crypto(), key, |_| true)
                .unwrap();
            let commit = commit.stage_commit(&provider).unwrap().into_commit();
            joiner
                .group
                .mls
                .clear_pending_commit(provider.storage())
                .unwrap();
            assert_eq!(verdicts(&mut founder, &joiner, &commit).is_ok(), fine);
        }
    }

    #[test]
    fn a_committer_stays_who_it_is() {
        let (mut founder, mut joiner) = pair(Suite::Classic);
        let provider = OpenMlsRustCrypto::default();
        let changed = LeafNodeParameters::builder()
            .with_credential_with_key(joiner.leaf.credential(b"somebody else"))
            .build();
        let commit = joiner
            .group
            .mls
            .commit_builder()
            .leaf_node_parameters(changed);
        let commit = commit.load_psks(provider.storage()).unwrap();
        let commit = commit.build(provider.rand(), provider.crypto(), &joiner.leaf, |_| true);
        let commit = commit
            .unwrap()
            .stage_commit(&provider)
            .unwrap()
            .into_commit();
        joiner
            .group
            .mls
            .clear_pending_commit(provider.storage())
            .unwrap();
        verdicts(&mut founder, &joiner, &commit).unwrap_err();
    }

    #[test]
    fn other_proposals_are_void() {
        let (mut founder, mut joiner) = pair(Suite::Classic);
        let provider = OpenMlsRustCrypto::default();
        let commit = joiner.group.mls.commit_builder();
        let commit = commit
            .propose_group_context_extensions(Extensions::empty())
            .unwrap();
        let commit = commit
            .force_self_update(true)
            .load_psks(provider.storage())
            .unwrap();
        let commit = commit.build(provider.rand(), provider.crypto(), &joiner.leaf, |_| true);
        let commit = commit
            .unwrap()
            .stage_commit(&provider)
            .unwrap()
            .into_commit();
        joiner
            .group
            .mls
            .clear_pending_commit(provider.storage())
            .unwrap();
        let reason = verdicts(&mut founder, &joiner, &commit).unwrap_err();
        assert_eq!(reason, "kind of proposal not allowed");
    }
}

#[test]
fn group_infos_are_checked_by_members() {
    for suite in SUITES {
        let (mut founder, joiner) = pair(suite);
        let theirs = joiner.group.group_info().unwrap();
        founder.group.check_group_info(&theirs).unwrap();
        founder
            .group
            .check_group_info(&founder.group.group_info().unwrap())
            .unwrap();
        let mut changed = theirs.clone();
        changed[100] ^= 1;
        assert!(founder.group.check_group_info(&changed).is_err());
        let next = founder.group.stage_update(b"", &BTreeSet::new()).unwrap();
        assert!(joiner.group.check_group_info(&next.group_info).is_err());
        founder.confirm();
        founder.group.check_group_info(&next.group_info).unwrap();
        assert!(founder.group.check_group_info(&theirs).is_err());
    }
}

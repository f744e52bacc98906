//! Two and more devices, over both suites: everything that a community does with its group.

use std::collections::{BTreeMap, BTreeSet};

use super::commit::Staged;
use super::group::capabilities as capabilities_of;
use super::*;

const SUITES: [Suite; 2] = [Suite::Classic, Suite::Hybrid];

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// A device with what it would have stored.
struct Device {
    group: Group,
    leaf: LeafKey,
    rows: Rows,
}

impl Group {
    fn members(&self) -> Vec<Member> {
        facts::members(self.mls.public_group())
    }
}

fn seed(number: u16) -> [u8; 32] {
    let mut seed = [7; 32];
    seed[..2].copy_from_slice(&number.to_be_bytes());
    seed
}

fn leaf(number: u16) -> LeafKey {
    LeafKey::from_seed(&seed(1_000 + number))
}

impl Device {
    fn create(suite: Suite) -> Self {
        let leaf = leaf(0);
        let group = Group::create(suite, &leaf, b"device 0", seed(0)).unwrap();
        Self {
            group,
            leaf,
            rows: Rows::new(),
        }
        .stored()
    }

    fn join(follower: &Follower, group_info: &[u8], number: u16) -> (Self, Staged) {
        let leaf = leaf(number);
        let identity = format!("device {number}");
        let (group, staged) = Group::join(
            &follower.tree().unwrap(),
            group_info,
            &leaf,
            identity.as_bytes(),
            b"join",
            seed(number),
            false,
        )
        .unwrap();
        (
            Self {
                group,
                leaf,
                rows: Rows::new(),
            }
            .stored(),
            staged,
        )
    }

    fn store(&mut self) {
        for (key, row) in self.group.take_changes() {
            match row {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
        assert!(self.group.take_changes().is_empty());
    }

    fn stored(mut self) -> Self {
        self.store();
        self
    }

    /// The process ends and starts again with what was stored.
    fn restart(&mut self, number: u16) {
        let id = self.group.id();
        self.group = Group::load(self.rows.clone(), &id, &self.leaf, seed(number)).unwrap();
        assert!(self.group.take_changes().is_empty());
    }

    fn follower(&self) -> Follower {
        Follower::new(
            &self.group.tree().unwrap(),
            &self.group.group_info().unwrap(),
        )
        .unwrap()
    }

    fn take(&mut self, commit: &[u8]) -> CommitFacts {
        let incoming = self.group.process_commit(commit).unwrap();
        let facts = incoming.facts.clone();
        self.group.merge(incoming).unwrap();
        self.store();
        facts
    }

    fn confirm(&mut self) {
        self.group.merge_pending().unwrap();
        self.store();
    }
}

fn follow(follower: &mut Follower, commit: &[u8]) -> CommitFacts {
    let incoming = follower.process(commit).unwrap();
    let facts = incoming.facts.clone();
    follower.merge(incoming).unwrap();
    facts
}

fn assert_agree(a: &Group, b: &Group) {
    assert_eq!(a.epoch(), b.epoch());
    assert_eq!(a.epoch_authenticator(), b.epoch_authenticator());
    assert_eq!(
        a.export("ume/1", b"c").unwrap(),
        b.export("ume/1", b"c").unwrap()
    );
    assert_ne!(
        a.export("ume/1", b"c").unwrap(),
        b.export("ume/1", b"d").unwrap()
    );
    assert_eq!(a.members(), b.members());
    assert_eq!(a.tree().unwrap(), b.tree().unwrap());
}

/// A founder and one who joined.
fn pair(suite: Suite) -> (Device, Device) {
    let mut founder = Device::create(suite);
    let (mut joiner, staged) =
        Device::join(&founder.follower(), &founder.group.group_info().unwrap(), 1);
    founder.take(&staged.commit);
    joiner.confirm();
    (founder, joiner)
}

#[test]
fn joins_from_an_old_snapshot_and_the_commits_since() {
    for suite in SUITES {
        let mut founder = Device::create(suite);
        let mut follower = founder.follower();
        let mut group_info = founder.group.group_info().unwrap();
        for round in 0..4_u8 {
            let staged = founder
                .group
                .stage_update(&[round], &BTreeSet::new())
                .unwrap();
            assert_eq!(
                founder.group.process_commit(&staged.commit).unwrap_err(),
                CommitError::Own
            );
            founder.confirm();
            let facts = follow(&mut follower, &staged.commit);
            assert_eq!(facts.aad, [round]);
            assert_eq!(facts.epoch, u64::from(round));
            assert_eq!(
                facts.committer,
                Committer::Member(founder.group.members()[0].clone())
            );
            group_info = staged.group_info;
        }
        let (mut joiner, staged) = Device::join(&follower, &group_info, 1);
        assert!(joiner.group.has_pending());
        let facts = founder.take(&staged.commit);
        assert_eq!(facts, follow(&mut follower, &staged.commit));
        assert_eq!(facts.aad, b"join");
        let newcomer = Member {
            index: 1,
            identity: b"device 1".to_vec(),
            leaf_key: leaf(1).public(),
        };
        assert_eq!(facts.committer, Committer::External(newcomer.clone()));
        joiner.confirm();
        assert_eq!(joiner.group.own_index(), 1);
        assert_eq!(joiner.group.members()[1], newcomer);
        assert_agree(&founder.group, &joiner.group);
        assert_eq!(follower.members(), founder.group.members());
        assert_eq!(follower.tree().unwrap(), founder.group.tree().unwrap());
        // The joiner's own group info, and the one it sent along, serve the next.
        Follower::new(&follower.tree().unwrap(), &staged.group_info).unwrap();
        joiner.follower();
    }
}

#[test]
fn messages_go_both_ways_and_over_epochs() {
    for suite in SUITES {
        let (mut founder, mut joiner) = pair(suite);
        let sealed = founder.group.protect(b"welcome").unwrap();
        assert_eq!(joiner.group.unprotect(&sealed).unwrap(), b"welcome");
        assert_eq!(joiner.group.unprotect(&sealed), Err(MlsError::Duplicate));
        assert_eq!(founder.group.unprotect(&sealed), Err(MlsError::OwnMessage));
        joiner.store();
        joiner.restart(10);
        assert_eq!(joiner.group.unprotect(&sealed), Err(MlsError::Duplicate));

        let mut late = Vec::new();
        for _ in 0..7 {
            late.push(joiner.group.protect(b"late").unwrap());
            let staged = founder.group.stage_update(b"", &BTreeSet::new()).unwrap();
            founder.confirm();
            joiner.take(&staged.commit);
        }
        founder.restart(11);
        let early = late.pop().unwrap();
        let verdicts: Vec<_> = late
            .iter()
            .map(|sealed| founder.group.unprotect(sealed))
            .collect();
        assert_eq!(verdicts[0], Err(MlsError::TooOld));
        assert_eq!(verdicts[1], Err(MlsError::TooOld));
        assert_eq!(verdicts[2..], vec![Ok(b"late".to_vec()); 4]);
        assert!(founder.group.unprotect(&early).is_ok());

        let staged = joiner.group.stage_update(b"", &BTreeSet::new()).unwrap();
        joiner.confirm();
        let ahead = joiner.group.protect(b"ahead").unwrap();
        assert_eq!(founder.group.unprotect(&ahead), Err(MlsError::NotYet));
        founder.take(&staged.commit);
        assert_eq!(founder.group.unprotect(&ahead).unwrap(), b"ahead");
    }
}

#[test]
fn forgotten_epochs_open_nothing_more_and_the_later_ones_do() {
    let (mut founder, mut joiner) = pair(Suite::Classic);
    let mut late = Vec::new();
    for _ in 0..4 {
        late.push(joiner.group.protect(b"late").unwrap());
        let staged = founder.group.stage_update(b"", &BTreeSet::new()).unwrap();
        founder.confirm();
        joiner.take(&staged.commit);
    }
    let now = joiner.group.protect(b"now").unwrap();
    let epoch = founder.group.epoch();
    founder.group.forget_before(epoch - 2).unwrap();
    founder.store();
    founder.restart(12);
    let mut open = |sealed: &Vec<u8>| founder.group.unprotect(sealed);
    for forgotten in &late[..2] {
        assert_eq!(open(forgotten), Err(MlsError::TooOld));
    }
    assert_eq!(open(&late[3]), Ok(b"late".to_vec()));
    founder.group.forget_before(epoch).unwrap();
    let mut open = |sealed: &Vec<u8>| founder.group.unprotect(sealed);
    assert_eq!(open(&late[2]), Err(MlsError::TooOld));
    assert_eq!(open(&now), Ok(b"now".to_vec()));
}

#[test]
fn messages_from_before_joining_are_too_old() {
    let (mut founder, _) = pair(Suite::Classic);
    let before = founder.group.protect(b"before").unwrap();
    let (mut third, staged) =
        Device::join(&founder.follower(), &founder.group.group_info().unwrap(), 2);
    founder.take(&staged.commit);
    third.confirm();
    assert_eq!(third.group.unprotect(&before), Err(MlsError::TooOld));
}

#[test]
fn messages_are_opened_in_any_order() {
    let (mut founder, mut joiner) = pair(Suite::Classic);
    let sealed: Vec<_> = (0..50_u8)
        .map(|n| founder.group.protect(&[n]).unwrap())
        .collect();
    for (n, sealed) in sealed.iter().enumerate().rev() {
        assert_eq!(
            joiner.group.unprotect(sealed).unwrap(),
            [u8::try_from(n).unwrap()]
        );
    }
}

#[test]
fn a_crash_at_any_step_loses_nothing() {
    for suite in SUITES {
        let (mut founder, mut joiner) = pair(suite);
        let staged = founder
            .group
            .stage_update(b"one", &BTreeSet::new())
            .unwrap();
        founder.store();
        founder.restart(20);
        assert!(founder.group.has_pending());
        assert_eq!(
            founder.group.process_commit(&staged.commit).unwrap_err(),
            CommitError::Own
        );
        assert_eq!(
            founder
                .group
                .stage_update(b"two", &BTreeSet::new())
                .unwrap_err(),
            MlsError::Pending
        );
        founder.confirm();
        joiner.take(&staged.commit);
        founder.restart(21);
        joiner.restart(22);
        assert_agree(&founder.group, &joiner.group);

        // Staged, not stored: as if it had never been.
        let lost = founder
            .group
            .stage_update(b"lost", &BTreeSet::new())
            .unwrap();
        founder.restart(23);
        assert!(!founder.group.has_pending());
        assert!(matches!(
            founder.group.process_commit(&lost.commit).unwrap_err(),
            CommitError::Private(_)
        ));

        // Merged, not stored: the pending commit is still there.
        let staged = founder
            .group
            .stage_update(b"three", &BTreeSet::new())
            .unwrap();
        founder.store();
        founder.group.merge_pending().unwrap();
        founder.restart(24);
        assert!(founder.group.has_pending());
        founder.confirm();

        // Taken, not stored: taken again.
        let incoming = joiner.group.process_commit(&staged.commit).unwrap();
        joiner.group.merge(incoming).unwrap();
        joiner.restart(25);
        joiner.take(&staged.commit);
        assert_agree(&founder.group, &joiner.group);
    }
}

#[test]
fn a_join_survives_a_crash_and_waits_for_its_confirmation() {
    let mut founder = Device::create(Suite::Hybrid);
    let (mut joiner, staged) =
        Device::join(&founder.follower(), &founder.group.group_info().unwrap(), 1);
    joiner.restart(30);
    assert!(joiner.group.has_pending());
    assert_eq!(joiner.group.protect(b"early"), Err(MlsError::Pending));
    assert_eq!(joiner.group.clear_pending(), Err(MlsError::Pending));
    assert_eq!(
        joiner.group.process_commit(&staged.commit).unwrap_err(),
        CommitError::Own
    );
    let other = founder.group.stage_update(b"", &BTreeSet::new()).unwrap();
    assert_eq!(
        joiner.group.process_commit(&other.commit).unwrap_err(),
        CommitError::Joining
    );
    founder.group.clear_pending().unwrap();
    founder.take(&staged.commit);
    joiner.confirm();
    joiner.restart(31);
    assert!(!joiner.group.has_pending());
    assert_agree(&founder.group, &joiner.group);
    let sealed = joiner.group.protect(b"here").unwrap();
    assert_eq!(founder.group.unprotect(&sealed).unwrap(), b"here");
}

#[test]
fn who_loses_a_race_takes_the_other_commit() {
    for suite in SUITES {
        let (mut founder, mut joiner) = pair(suite);
        let lost = founder
            .group
            .stage_update(b"lost", &BTreeSet::new())
            .unwrap();
        founder.store();
        let won = joiner.group.stage_update(b"won", &BTreeSet::new()).unwrap();
        joiner.confirm();
        let incoming = founder.group.process_commit(&won.commit).unwrap();
        assert_eq!(
            founder.group.merge(incoming).unwrap_err(),
            MlsError::Pending
        );
        founder.group.clear_pending().unwrap();
        assert_eq!(founder.group.clear_pending(), Err(MlsError::NothingPending));
        assert_eq!(founder.group.merge_pending(), Err(MlsError::NothingPending));
        founder.take(&won.commit);
        assert_agree(&founder.group, &joiner.group);
        // What lost is void for everybody from now on.
        for group in [&mut founder.group, &mut joiner.group] {
            assert!(matches!(
                group.process_commit(&lost.commit),
                Err(CommitError::Void(_))
            ));
        }
        let again = founder
            .group
            .stage_update(b"again", &BTreeSet::new())
            .unwrap();
        founder.confirm();
        joiner.take(&again.commit);
        assert_agree(&founder.group, &joiner.group);
    }
}

#[test]
fn a_broken_device_joins_again_in_its_old_place() {
    for suite in SUITES {
        let (mut founder, joiner) = pair(suite);
        let follower = founder.follower();
        let (tree, info) = (
            follower.tree().unwrap(),
            founder.group.group_info().unwrap(),
        );
        let again = |leaf: &LeafKey, remove_prior| {
            Group::join(
                &tree,
                &info,
                leaf,
                b"device 1 again",
                b"resync",
                seed(50),
                remove_prior,
            )
        };
        assert!(matches!(
            again(&joiner.leaf, false),
            Err(MlsError::Refused(_))
        ));
        assert!(matches!(again(&leaf(9), true), Err(MlsError::Refused(_))));
        let (mut back, staged) = again(&joiner.leaf, true).unwrap();
        let facts = founder.take(&staged.commit);
        assert_eq!(facts, follower.process(&staged.commit).unwrap().facts);
        assert_eq!(facts.removed.len(), 1);
        assert_eq!(facts.removed[0].identity, b"device 1");
        let Committer::External(newcomer) = facts.committer else {
            panic!("not external")
        };
        assert_eq!(newcomer.index, 1);
        assert_eq!(newcomer.identity, b"device 1 again");
        back.merge_pending().unwrap();
        assert_agree(&founder.group, &back);
        assert_eq!(back.members().len(), 2);
    }
}

#[test]
fn ten_devices_join_one_after_the_other() {
    for suite in SUITES {
        let mut devices = vec![Device::create(suite)];
        let mut follower = devices[0].follower();
        let mut group_info = devices[0].group.group_info().unwrap();
        for number in 1..=10 {
            let (mut joiner, staged) = Device::join(&follower, &group_info, number);
            for device in &mut devices {
                device.take(&staged.commit);
            }
            follow(&mut follower, &staged.commit);
            joiner.confirm();
            group_info = staged.group_info;
            devices.push(joiner);
        }
        for device in &devices[1..] {
            assert_agree(&devices[0].group, &device.group);
        }
        let sealed = devices[10].group.protect(b"to all").unwrap();
        for device in &mut devices[..10] {
            device.group.unprotect(&sealed).unwrap();
        }
    }
}

#[test]
fn suites_have_their_numbers() {
    for suite in SUITES {
        assert_eq!(Suite::from_number(suite.number()), Some(suite));
        assert_eq!(u16::from(suite.ciphersuite()), suite.number());
    }
    assert_eq!(Suite::from_number(2), None);
    assert_eq!(format!("{:?}", leaf(0)), "LeafKey(..)");
}

mod refusals;

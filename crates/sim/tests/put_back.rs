//! A relay that was restored from a backup: what it forgot comes back from those who have it.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // what tests share is a test as well

use ume_api::{Act, CommunityRef, Departure, Phase};
use ume_sim::{Memory, OPEN, Place, Stage};

const DAY_MS: i64 = 24 * 3600 * 1000;

fn texts(stage: &mut Stage, device: usize, community: CommunityRef) -> Vec<String> {
    let posts = stage.posts(device, community);
    posts.into_iter().map(|post| post.text).collect()
}

fn settled(stage: &Stage, devices: &[usize]) {
    let first = stage.audit(devices[0]).unwrap();
    for device in devices {
        let audit = stage.audit(*device).unwrap();
        assert!(audit.live, "{device}");
        assert_eq!((audit.unsettled, audit.missing), (0, 0), "{device}");
        assert_eq!(audit, first, "{device}");
    }
}

#[test]
fn what_the_relay_forgot_is_put_back() {
    let mut stage = Stage::new(1);
    let owner = stage.device(0);
    let community = stage.found(owner);
    let early = stage.share(owner, community, OPEN);
    let first = stage.device(0);
    let there = stage.join(first, &early).unwrap();
    stage.post(owner, community, "before");
    stage.run(10_000);
    let backup = stage.remember();
    stage.post(owner, community, "forgotten");
    stage.post(first, there, "this as well");
    let late = stage.share(owner, community, OPEN);
    let second = stage.device(0);
    stage.join(second, &late).unwrap();
    stage.run(10_000);
    stage.put_back(&backup);
    stage.run(200_000);
    settled(&stage, &[owner, first, second]);
    // Whoever comes now finds all of it, by a link that the relay had forgotten.
    let third = stage.device(0);
    let here = stage.join(third, &late).unwrap();
    stage.run(20_000);
    let all = ["before", "forgotten", "this as well"];
    assert_eq!(texts(&mut stage, third, here), all);
    stage.post(third, here, "and on");
    stage.run(20_000);
    settled(&stage, &[owner, first, second, third]);
}

#[test]
fn what_was_written_by_a_clock_that_is_behind_is_put_back_as_well() {
    let mut stage = Stage::new(5);
    let owner = stage.device(0);
    let community = stage.found(owner);
    let link = stage.share(owner, community, OPEN);
    let behind = stage.device(-DAY_MS);
    let there = stage.join(behind, &link).unwrap();
    stage.run(10_000);
    let backup = stage.remember();
    // Before a relay has told it the time, the device goes by its own clock.
    stage.set_offline(behind, true);
    stage.stop(behind);
    stage.restart(behind);
    stage.post(behind, there, "yesterday, or so it seems");
    stage.set_offline(behind, false);
    stage.run(30_000);
    let posts = stage.posts(owner, community);
    assert!(posts[0].at < stage.now_ms() - DAY_MS.unsigned_abs() / 2);
    stage.stop(behind);
    stage.put_back(&backup);
    stage.run(300_000);
    let new = stage.device(0);
    let here = stage.join(new, &link).unwrap();
    stage.run(20_000);
    assert_eq!(texts(&mut stage, new, here), ["yesterday, or so it seems"]);
}

#[test]
fn what_was_on_its_way_when_the_relay_failed_leaves_again() {
    // Before the first cell has arrived, after all is settled, and at every step between.
    for wait in (0..160).step_by(8) {
        let mut stage = Stage::new(6);
        let owner = stage.device(0);
        let community = stage.found(owner);
        let link = stage.share(owner, community, OPEN);
        let guest = stage.device(0);
        stage.join(guest, &link).unwrap();
        stage.post(owner, community, "before");
        stage.run(10_000);
        let backup = stage.remember();
        stage.set_offline(guest, true);
        stage.post(owner, community, "between");
        stage.run(wait);
        stage.put_back(&backup);
        stage.set_offline(guest, false);
        stage.run(200_000);
        settled(&stage, &[owner, guest]);
        let new = stage.device(0);
        let here = stage.join(new, &link).unwrap();
        stage.run(20_000);
        assert_eq!(texts(&mut stage, new, here), ["before", "between"]);
    }
}

#[test]
fn whoever_was_overtaken_by_another_record_follows_it() {
    let mut stage = Stage::new(2);
    let owner = stage.device(0);
    let community = stage.found(owner);
    let link = stage.share(owner, community, OPEN);
    let away = stage.device(0);
    let there = stage.join(away, &link).unwrap();
    stage.run(10_000);
    let backup = stage.remember();
    let lost = stage.device(0);
    let here = stage.join(lost, &link).unwrap();
    stage.run(5_000);
    stage.post(owner, community, "among three");
    stage.post(lost, here, "so am I");
    stage.run(10_000);
    // Nobody is there when the relay comes back, and somebody new is quicker than all who know.
    for device in [owner, away, lost] {
        stage.stop(device);
    }
    stage.put_back(&backup);
    let quick = stage.device(0);
    stage.join(quick, &link).unwrap();
    stage.run(10_000);
    for device in [owner, away, lost] {
        stage.restart(device);
    }
    stage.run(300_000);
    settled(&stage, &[owner, away, lost, quick]);
    let mut seen = texts(&mut stage, away, there);
    seen.sort();
    assert_eq!(seen, ["among three", "so am I"]);
}

#[test]
fn a_relay_with_a_new_key_that_nobody_vouches_for_is_none() {
    let mut stage = Stage::new(3);
    let owner = stage.device(0);
    let community = stage.found(owner);
    stage.run(5_000);
    let other = Stage::new(4).remember();
    stage.roll_back(&other);
    stage.stop(owner);
    stage.restart(owner);
    stage.post(owner, community, "to whom?");
    stage.run(30_000);
    assert!(stage.lanes().is_empty(), "nothing is said to a stranger");
    assert_eq!(stage.audit(owner).unwrap().unsettled, 1);
}

/// A community with a guest who is to be taken out, and one who is to know of it.
struct Removal {
    stage: Stage,
    owner: Place,
    gone: Place,
    knows: Place,
    link: String,
    backup: Memory,
}

/// Somebody is taken out while their device is away; the relay then forgets it, with nobody there.
fn removal(seed: u8) -> Removal {
    let mut stage = Stage::new(seed);
    let owner = stage.device(0);
    let community = stage.found(owner);
    let link = stage.share(owner, community, OPEN);
    let guests: Vec<_> = (0..2)
        .map(|_| {
            let guest = stage.device(0);
            let there = stage.join(guest, &link).unwrap();
            stage.run(5_000);
            (guest, there)
        })
        .collect();
    let (gone, knows) = (guests[0], guests[1]);
    stage.post(owner, community, "before");
    stage.run(10_000);
    let person = stage.person(gone);
    stage.stop(gone.0);
    let backup = stage.remember();
    let ban = false;
    stage
        .govern(owner, community, Act::Remove { person, ban })
        .unwrap();
    stage.run(5_000);
    stage.post(owner, community, "without them");
    stage.run(10_000);
    Removal {
        stage,
        owner: (owner, community),
        gone,
        knows,
        link,
        backup,
    }
}

impl Removal {
    fn forget(&mut self) {
        for device in [self.owner.0, self.knows.0] {
            self.stage.stop(device);
        }
        self.stage.put_back(&self.backup);
    }

    fn phase(&self, (device, community): Place) -> Phase {
        self.stage.view(device, community).unwrap().phase
    }
}

#[test]
fn a_removal_that_was_forgotten_is_put_back() {
    let mut play = removal(5);
    play.forget();
    play.stage.restart(play.knows.0);
    play.stage.run(60_000);
    play.stage.restart(play.gone.0);
    play.stage.run(60_000);
    assert_eq!(play.phase(play.gone), Phase::Ended(Departure::Removed));
    assert_eq!(texts(&mut play.stage, play.gone.0, play.gone.1), ["before"]);
    play.stage.restart(play.owner.0);
    play.stage.run(200_000);
    settled(&play.stage, &[play.owner.0, play.knows.0]);
    let audit = play.stage.audit(play.owner.0).unwrap();
    assert_eq!(audit.generation, 2);
    assert_eq!(
        texts(&mut play.stage, play.knows.0, play.knows.1),
        ["before", "without them"]
    );
}

#[test]
fn who_was_taken_out_gains_nothing_by_a_relay_that_forgot_it() {
    let mut play = removal(6);
    play.forget();
    // The device that does not know comes, and somebody new: their records stand where the removal stood.
    play.stage.restart(play.gone.0);
    play.stage.run(5_000);
    let new = play.stage.device(0);
    let here = play.stage.join(new, &play.link.clone()).unwrap();
    play.stage.run(20_000);
    assert_eq!(play.phase(play.gone), Phase::Live);
    // Who knows does not come in among them, and says nothing there.
    play.stage.restart(play.knows.0);
    play.stage.run(5_000);
    play.stage.post(play.knows.0, play.knows.1, "not for them");
    play.stage.run(120_000);
    assert_eq!(play.phase(play.knows), Phase::Healing);
    // Also after a restart.
    play.stage.stop(play.knows.0);
    play.stage.restart(play.knows.0);
    play.stage.run(60_000);
    assert_eq!(play.phase(play.knows), Phase::Healing);
    assert_eq!(texts(&mut play.stage, play.gone.0, play.gone.1), ["before"]);
    // The owner takes them out again, and all are together.
    play.stage.restart(play.owner.0);
    play.stage.run(300_000);
    assert_eq!(play.phase(play.gone), Phase::Ended(Departure::Removed));
    assert_eq!(texts(&mut play.stage, play.gone.0, play.gone.1), ["before"]);
    settled(&play.stage, &[play.owner.0, play.knows.0, new]);
    let mut seen = texts(&mut play.stage, new, here);
    seen.sort();
    assert_eq!(seen, ["before", "not for them", "without them"]);
}

#[test]
fn who_came_in_after_a_removal_finds_back_when_both_were_replaced() {
    let mut play = removal(7);
    let late = play.stage.device(0);
    let there = play.stage.join(late, &play.link.clone()).unwrap();
    play.stage.post(late, there, "I came later");
    play.stage.run(10_000);
    play.stage.stop(late);
    play.forget();
    let quick = play.stage.device(0);
    play.stage.join(quick, &play.link.clone()).unwrap();
    play.stage.run(10_000);
    for device in [late, play.knows.0, play.owner.0, play.gone.0] {
        play.stage.restart(device);
    }
    play.stage.run(600_000);
    assert_eq!(play.phase(play.gone), Phase::Ended(Departure::Removed));
    settled(&play.stage, &[play.owner.0, play.knows.0, quick, late]);
    let mut seen = texts(&mut play.stage, late, there);
    seen.sort();
    assert_eq!(seen, ["I came later", "before", "without them"]);
}

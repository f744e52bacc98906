//! Plays about what a device leaves to be sent when it is gone.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // what tests share is a test as well

use ume_api::{Act, Cover, PostState, Surroundings};
use ume_engine::io::pad;
use ume_sim::{Place, Stage};
use ume_wire::limits::DEPOSIT_FRAMES;

/// Longer than a deposit waits for a line.
const SOON_MS: u64 = 1_500;

struct Play {
    stage: Stage,
    owner: Place,
    one: Place,
    two: Place,
}

fn play(seed: u8) -> Play {
    let (stage, opening) = Stage::opened(seed, 2);
    Play {
        stage,
        owner: opening.owner,
        one: opening.guests[0],
        two: opening.guests[1],
    }
}

impl Play {
    /// Somebody writes, so that the day has its lane, and then has no network.
    fn goes_offline(&mut self, who: Place) {
        self.stage.post(who.0, who.1, "before");
        self.stage.run(5_000);
        assert_eq!(self.real(who), 0, "nothing waits");
        self.stage.set_offline(who.0, true);
        self.stage.run(1_000);
    }

    fn texts(&mut self, who: Place) -> Vec<String> {
        let posts = self.stage.posts(who.0, who.1);
        posts.into_iter().map(|post| post.text).collect()
    }

    /// Frames of a deposit that say something.
    fn real(&self, who: Place) -> usize {
        let deposit = self.stage.deposit(who.0);
        assert_eq!(deposit.len(), DEPOSIT_FRAMES, "always so many");
        deposit.iter().filter(|frame| **frame != pad()).count()
    }
}

#[test]
fn what_was_written_offline_arrives_while_its_device_is_gone() {
    let mut play = play(61);
    let (owner, one, two) = (play.owner, play.one, play.two);
    play.goes_offline(one);
    play.stage.post(one.0, one.1, "from a tunnel");
    assert_eq!(
        play.real(one),
        2,
        "for the members, and for the day's history"
    );
    play.stage.stop(one.0);
    play.stage.post_deposit(one.0);
    play.stage.run(5_000);
    for who in [owner, two] {
        assert_eq!(play.texts(who), ["before", "from a tunnel"]);
    }
    // It comes back, sends the same cells again, and nobody sees anything twice.
    let cells = play.stage.cells();
    play.stage.set_offline(one.0, false);
    play.stage.restart(one.0);
    play.stage.run(20_000);
    assert_eq!(play.stage.cells(), cells, "the relay had them");
    let mine = play.stage.posts(one.0, one.1);
    assert!(
        mine.iter().all(|post| post.state == PostState::Sent),
        "{mine:?}"
    );
    for who in [owner, one, two] {
        assert_eq!(play.texts(who), ["before", "from a tunnel"]);
    }
    assert_eq!(play.real(one), 0);
}

#[test]
fn two_posts_fit_and_the_third_waits_for_its_turn() {
    let mut play = play(62);
    let (owner, one) = (play.owner, play.one);
    play.goes_offline(one);
    for text in ["first", "second", "third"] {
        play.stage.post(one.0, one.1, text);
    }
    assert_eq!(play.real(one), DEPOSIT_FRAMES);
    play.stage.stop(one.0);
    play.stage.post_deposit(one.0);
    // The browser may try more than once.
    play.stage.post_deposit(one.0);
    play.stage.run(5_000);
    assert_eq!(play.texts(owner), ["before", "first", "second"]);
    play.stage.set_offline(one.0, false);
    play.stage.restart(one.0);
    play.stage.run(20_000);
    assert_eq!(play.texts(owner), ["before", "first", "second", "third"]);
}

#[test]
fn with_a_line_it_is_left_when_it_waits_for_long_or_the_page_goes_out_of_sight() {
    let mut play = play(63);
    let one = play.one;
    play.goes_offline(one);
    play.stage.set_offline(one.0, false);
    play.stage.run(5_000);
    let balanced = Surroundings {
        cover: Cover::Balanced,
        ..Surroundings::AT_ONCE
    };
    play.stage.surround(one.0, balanced);
    play.stage.run(10_000);
    play.stage.post(one.0, one.1, "and away");
    assert_eq!(play.real(one), 0, "it may leave by the line");
    play.stage.surround(
        one.0,
        Surroundings {
            hidden: true,
            ..balanced
        },
    );
    assert_eq!(play.real(one), 2);
}

#[test]
fn a_post_that_is_sealed_for_people_of_before_reaches_those_of_now() {
    let mut play = play(64);
    let (owner, one, two) = (play.owner, play.one, play.two);
    play.goes_offline(one);
    play.stage.post(one.0, one.1, "to all of you");
    play.stage.stop(one.0);
    let person = play.stage.person(two);
    let out = Act::Remove { person, ban: false };
    play.stage.govern(owner.0, owner.1, out).unwrap();
    play.stage.run(10_000);
    play.stage.post_deposit(one.0);
    play.stage.run(5_000);
    assert_eq!(
        play.texts(two),
        ["before"],
        "who is out looks at nothing any more"
    );
    play.stage.set_offline(one.0, false);
    play.stage.restart(one.0);
    play.stage.run(30_000);
    let all = ["before", "to all of you"];
    assert_eq!(play.texts(owner), all, "sealed anew, and once");
    assert_eq!(play.texts(one), all);
}

#[test]
fn a_store_that_may_be_an_old_copy_leaves_nothing() {
    let mut play = play(65);
    let one = play.one;
    play.stage.stop(one.0);
    play.stage.set_offline(one.0, true);
    play.stage.restart(one.0);
    play.stage.run(1_000);
    play.stage.post(one.0, one.1, "from a cold start");
    play.stage.run(SOON_MS);
    // Keys of the ratchet might be used twice: only a look at the lane tells (post_lane.rs).
    assert_eq!(play.real(one), 0);
    play.stage.set_offline(one.0, false);
    play.stage.run(20_000);
    let owner = play.owner;
    assert_eq!(play.texts(owner), ["from a cold start"]);
}

//! Plays about being woken by a relay when no page is open.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // what tests share is a test as well

use ume_api::{Act, BellView, Command, PushAddress, Reply};
use ume_sim::{Place, Stage};

const RELAY: &str = "https://relay.example";

struct Play {
    stage: Stage,
    owner: Place,
    one: Place,
    two: Place,
}

fn address(number: u8) -> PushAddress {
    PushAddress {
        endpoint: format!("https://push.example/{number}"),
        p256dh: vec![4; 65],
        auth: vec![number; 16],
        origin: "https://ume.example".into(),
    }
}

fn play(seed: u8) -> Play {
    let (mut stage, opening) = Stage::opened(seed, 2);
    stage.offer_push(&[4; 65]);
    let (owner, one, two) = (opening.owner, opening.guests[0], opening.guests[1]);
    // Relays say on connecting whether they wake anybody.
    for (device, _) in [owner, one, two] {
        stage.set_offline(device, true);
        stage.run(1_000);
        stage.set_offline(device, false);
    }
    stage.run(10_000);
    Play {
        stage,
        owner,
        one,
        two,
    }
}

impl Play {
    fn ring(&mut self, who: Place, to: Option<PushAddress>) {
        let relay = RELAY.to_owned();
        let done = self.stage.command(who.0, Command::Ring { relay, to });
        assert_eq!(done, Ok(Reply::Done));
        self.stage.run(3_000);
    }

    fn says(&mut self, who: Place, text: &str) {
        self.stage.post(who.0, who.1, text);
        self.stage.run(5_000);
    }

    fn rung(&self, number: u8) -> usize {
        self.stage.rung(&format!("https://push.example/{number}"))
    }

    fn bells(&self, who: Place) -> Vec<BellView> {
        self.stage.bells(who.0)
    }
}

#[test]
fn a_device_is_woken_while_it_is_gone_and_by_what_came_after_a_change_of_keys() {
    let mut play = play(71);
    let (owner, one, two) = (play.owner, play.one, play.two);
    assert_eq!(play.bells(one).len(), 1);
    assert!(!play.bells(one)[0].on && !play.bells(one)[0].key.is_empty());
    play.ring(one, Some(address(1)));
    assert!(play.bells(one)[0].on);
    play.says(owner, "you are here");
    assert_eq!(play.rung(1), 0, "who is connected is not woken");
    play.stage.stop(one.0);
    play.says(owner, "you are away");
    assert!(play.rung(1) > 0);
    // It is there again and nobody has to ask its person anything; the group has other keys now.
    play.stage.restart(one.0);
    play.stage.run(10_000);
    assert!(play.bells(one)[0].on);
    let person = play.stage.person(two);
    let out = Act::Remove { person, ban: false };
    play.stage.govern(owner.0, owner.1, out).unwrap();
    play.stage.run(10_000);
    play.stage.stop(one.0);
    let before = play.rung(1);
    play.says(owner, "in another lane");
    assert!(play.rung(1) > before);
}

#[test]
fn another_address_takes_the_place_of_the_first_and_the_end_is_told_later_if_need_be() {
    let mut play = play(72);
    let (owner, one) = (play.owner, play.one);
    play.ring(one, Some(address(1)));
    play.ring(one, Some(address(2)));
    play.stage.stop(one.0);
    play.says(owner, "at the new place");
    assert_eq!(play.rung(1), 0);
    assert!(play.rung(2) > 0);
    play.stage.restart(one.0);
    play.stage.run(10_000);
    play.stage.set_offline(one.0, true);
    play.ring(one, None);
    assert!(play.bells(one).iter().all(|bell| !bell.on));
    play.stage.stop(one.0);
    play.stage.set_offline(one.0, false);
    play.stage.restart(one.0);
    play.stage.run(10_000);
    play.stage.stop(one.0);
    let before = play.rung(2);
    play.says(owner, "to nobody");
    assert_eq!(play.rung(2), before);
    assert_eq!(play.stage.devices_to_wake(), 0);
}

#[test]
fn who_wants_to_hear_nothing_of_a_community_is_not_woken_for_it() {
    let mut play = play(73);
    let (owner, one) = (play.owner, play.one);
    play.ring(one, Some(address(1)));
    let mute = |on| Command::Mute {
        community: one.1,
        on,
    };
    play.stage.command(one.0, mute(true)).unwrap();
    play.stage.run(3_000);
    play.stage.stop(one.0);
    play.says(owner, "quietly");
    assert_eq!(play.rung(1), 0);
    play.stage.restart(one.0);
    play.stage.run(10_000);
    play.stage.command(one.0, mute(false)).unwrap();
    play.stage.run(3_000);
    play.stage.stop(one.0);
    play.says(owner, "loudly");
    assert!(play.rung(1) > 0);
}

#[test]
fn a_relay_that_wakes_nobody_says_so() {
    let (mut stage, opening) = Stage::opened(74, 1);
    let (device, _) = opening.guests[0];
    assert!(stage.bells(device).is_empty());
    let relay = RELAY.to_owned();
    let to = Some(address(1));
    stage.command(device, Command::Ring { relay, to }).unwrap();
    stage.run(3_000);
    let bells = stage.bells(device);
    assert!(bells[0].on && bells[0].refused, "{bells:?}");
}

//! Lanes on a relay that wants something for them, and lanes that somebody else would like to have.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // what tests share is a test as well

use bytes::Bytes;
use ume_api::{CommunityRef, Failure, InviteTerms, Notice};
use ume_sim::Stage;
use ume_wire::access;
use ume_wire::relay::{LaneNew, RefusedCode, frame::Body};

const DAY_MS: u64 = 24 * 3600 * 1000;

fn play(seed: u8) -> (Stage, [(usize, CommunityRef); 2]) {
    let mut stage = Stage::new(seed);
    let owner = stage.device(0);
    let community = stage.found(owner);
    let link = stage.share(owner, community, InviteTerms::default());
    let guest = stage.device(0);
    let there = stage.join(guest, &link).unwrap();
    stage.run(5_000);
    (stage, [(owner, community), (guest, there)])
}

/// Everybody posts, and everything is settled.
fn everybody_posts(stage: &mut Stage, devices: &[(usize, CommunityRef)], count: usize) {
    for (device, community) in devices {
        stage.post(*device, *community, "as every day");
    }
    stage.run(60_000);
    for (device, community) in devices {
        assert_eq!(stage.audit(*device).unwrap().unsettled, 0);
        assert_eq!(stage.posts(*device, *community).len(), count);
    }
}

#[test]
fn a_lane_of_tomorrow_cannot_be_taken_today() {
    // What will be made tomorrow, from a play that has been through it.
    let (mut stage, devices) = play(1);
    let today = stage.lanes();
    stage.run(DAY_MS);
    everybody_posts(&mut stage, &devices, 2);
    let tomorrow: Vec<LaneNew> = stage
        .lanes()
        .into_iter()
        .filter(|new| !today.contains(new))
        .collect();
    assert!(!tomorrow.is_empty());

    // The same play, with somebody who knows it all today: a holder of the link does, for history lanes.
    let (mut stage, devices) = play(1);
    for new in &tomorrow {
        let theirs = LaneNew {
            writers: vec![Bytes::from_static(&[9; 32])],
            ..new.clone()
        };
        let said = stage.say(Body::LaneNew(theirs));
        assert!(
            matches!(&said[..], [Body::Refused(refused)] if refused.code() == RefusedCode::RefusedMalformed),
            "{said:?}"
        );
        // Made as it will be, it does no harm.
        let said = stage.say(Body::LaneNew(new.clone()));
        assert!(matches!(&said[..], [Body::Done(_)]), "{said:?}");
    }
    stage.run(DAY_MS);
    everybody_posts(&mut stage, &devices, 2);
}

#[test]
fn work_that_is_asked_for_is_done() {
    let (mut stage, devices) = play(2);
    stage.want_work(12);
    stage.run(DAY_MS);
    everybody_posts(&mut stage, &devices, 2);
    // A day later and on new connections: what is there needs no work, what is new does.
    for (device, _) in devices {
        stage.stop(device);
        stage.restart(device);
    }
    stage.want_work(14);
    stage.run(DAY_MS);
    everybody_posts(&mut stage, &devices, 4);
}

#[test]
fn a_community_begins_with_an_access_key_and_hands_it_on() {
    let (key, other) = ([5; 32], [6; 32]);
    for (seed, wrong) in [(30, "ume-access-"), (31, &access::to_text(&other)[..])] {
        let mut stage = Stage::new(seed);
        stage.want_access(&[key]);
        let owner = stage.device(0);
        assert_eq!(stage.found_with(owner, None), Err(Failure::AccessNeeded));
        let refused = stage.found_with(owner, Some(wrong));
        assert_eq!(refused, Err(Failure::AccessRefused));
        stage.run(60_000);
        assert_eq!(stage.audit(owner), None, "nothing is left behind");
    }
    let mut stage = Stage::new(3);
    stage.want_access(&[key]);
    let owner = stage.device(0);
    let text = format!("  {}\n", &access::to_text(&key)[..]);
    let community = stage.found_with(owner, Some(&text)).unwrap();
    let link = stage.share(owner, community, InviteTerms::default());
    let guest = stage.device(0);
    let there = stage.join(guest, &link).unwrap();
    stage.run(5_000);

    // The guest alone makes tomorrow's lanes, and nobody gave it the key by hand.
    stage.stop(owner);
    stage.run(DAY_MS);
    everybody_posts(&mut stage, &[(guest, there)], 1);

    // Withdrawn: what is there goes on, what is new waits and is told.
    stage.restart(owner);
    stage.want_access(&[other]);
    stage.run(DAY_MS);
    stage.post(guest, there, "who pays for this?");
    stage.run(120_000);
    assert_eq!(stage.audit(guest).unwrap().unsettled, 1);
    assert!(stage.notices(guest).contains(&Notice::AccessRefused));
    assert_eq!(
        stage.posts(owner, community).len(),
        2,
        "what has its lane arrives"
    );
    stage.want_access(&[key]);
    stage.run(120_000);
    assert_eq!(stage.audit(guest).unwrap().unsettled, 0);
}

//! Plays on a network that works: what people are promised about invites, history and clocks.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // what tests share is a test as well

use data_encoding::BASE64URL_NOPAD;
use ume_api::{Command, Failure, HistoryWindow, InviteTerms, Notice, Reply};
use ume_sim::{OPEN, Stage};
use ume_wire::auth::hash;

const DAY_MS: u64 = 24 * 3600 * 1000;

fn texts(stage: &mut Stage, device: usize, community: ume_api::CommunityRef) -> Vec<String> {
    stage
        .posts(device, community)
        .into_iter()
        .map(|post| post.text)
        .collect()
}

fn look(stage: &mut Stage, device: usize, link: &str) -> Result<Reply, Failure> {
    stage.command(device, Command::Look { link: link.into() })
}

/// The same link, which claims to have been made when the ledger had this many statements more.
fn made_later(link: &str, more: u32) -> String {
    let (start, code) = link.split_once("#1.").unwrap();
    let mut bytes = BASE64URL_NOPAD.decode(code.as_bytes()).unwrap();
    bytes.truncate(bytes.len() - 4);
    let length = u32::from_le_bytes(bytes[65..69].try_into().unwrap()) + more;
    bytes[65..69].copy_from_slice(&length.to_le_bytes());
    let check = hash(&bytes);
    bytes.extend_from_slice(&check[..4]);
    format!("{start}#1.{}", BASE64URL_NOPAD.encode(&bytes))
}

#[test]
fn an_invite_that_has_expired_lets_nobody_in() {
    let mut stage = Stage::new(1);
    let owner = stage.device(0);
    let community = stage.found(owner);
    let terms = InviteTerms {
        expires_in: Some(3600),
        ..OPEN
    };
    let link = stage.share(owner, community, terms);
    let (early, late) = (stage.device(0), stage.device(0));
    stage.join(early, &link).unwrap();
    stage.run(3_700_000);
    assert_eq!(stage.join(late, &link), Err(Failure::InviteExpired));
    assert_eq!(look(&mut stage, late, &link), Err(Failure::InviteExpired));
    assert_eq!(stage.audit(late), None, "nothing is left behind");
}

#[test]
fn an_invite_for_one_lets_one_in() {
    let mut stage = Stage::new(2);
    let owner = stage.device(0);
    let community = stage.found(owner);
    let terms = InviteTerms {
        max_uses: Some(1),
        ..OPEN
    };
    let link = stage.share(owner, community, terms);
    let (first, second) = (stage.device(0), stage.device(0));
    stage.join(first, &link).unwrap();
    assert_eq!(stage.join(second, &link), Err(Failure::InviteUsedUp));
    assert_eq!(look(&mut stage, second, &link), Err(Failure::InviteUsedUp));
    stage.run(10_000);
    assert_eq!(stage.audit(second), None);
}

#[test]
fn two_who_race_for_the_last_place_get_one_yes_and_one_no() {
    for seed in 10..20 {
        let mut stage = Stage::new(seed);
        let owner = stage.device(0);
        let community = stage.found(owner);
        let terms = InviteTerms {
            max_uses: Some(1),
            ..OPEN
        };
        let link = stage.share(owner, community, terms);
        let guests = [stage.device(0), stage.device(0)];
        stage.run(1_000);
        let asked = guests.map(|guest| {
            let command = Command::Join {
                link: link.clone(),
                persona: "Guest".into(),
            };
            stage.ask(guest, command)
        });
        stage.run(20_000);
        let mut answers: Vec<_> = guests
            .iter()
            .zip(asked)
            .map(|(guest, number)| stage.answer(*guest, number).unwrap().is_ok())
            .collect();
        answers.sort_unstable();
        assert_eq!(answers, [false, true], "seed {seed}");
    }
}

#[test]
fn an_invite_for_nobody_is_not_made() {
    let mut stage = Stage::new(3);
    let owner = stage.device(0);
    let community = stage.found(owner);
    let terms = InviteTerms {
        max_uses: Some(0),
        ..OPEN
    };
    let share = Command::Share { community, terms };
    assert_eq!(stage.command(owner, share), Err(Failure::NotAllowed));
}

/// What somebody sees who joins on the third day, a post having been written on each day.
fn seen_with(seed: u8, history: HistoryWindow) -> Vec<String> {
    let mut stage = Stage::new(seed);
    let owner = stage.device(0);
    let community = stage.found(owner);
    for day in 0..3 {
        stage.post(owner, community, &format!("day {day}"));
        if day < 2 {
            stage.run(DAY_MS);
        }
    }
    let link = stage.share(owner, community, InviteTerms { history, ..OPEN });
    let guest = stage.device(0);
    let there = stage.join(guest, &link).unwrap();
    stage.run(10_000);
    stage.post(owner, community, "after");
    stage.run(1_000);
    stage.post(guest, there, "thanks");
    stage.run(60_000);
    let (owners, guests) = (stage.audit(owner).unwrap(), stage.audit(guest).unwrap());
    assert!(owners.live && guests.live);
    assert_eq!((owners.missing, guests.missing), (0, 0));
    assert_eq!((owners.unsettled, guests.unsettled), (0, 0));
    assert_eq!(texts(&mut stage, owner, community).len(), 5);
    texts(&mut stage, guest, there)
}

#[test]
fn a_newcomer_sees_exactly_what_was_granted() {
    use HistoryWindow::{All, Days, None};
    assert_eq!(seen_with(30, None), ["after", "thanks"]);
    assert_eq!(seen_with(31, Days(0)), ["day 2", "after", "thanks"]);
    assert_eq!(
        seen_with(32, Days(1)),
        ["day 1", "day 2", "after", "thanks"]
    );
    let all = ["day 0", "day 1", "day 2", "after", "thanks"];
    assert_eq!(seen_with(33, Days(30)), all);
    assert_eq!(seen_with(34, All), all);
}

#[test]
fn who_was_granted_no_past_can_hand_on_what_came_after() {
    let mut stage = Stage::new(4);
    let owner = stage.device(0);
    let community = stage.found(owner);
    stage.post(owner, community, "before");
    stage.run(10_000);
    let link = stage.share(
        owner,
        community,
        InviteTerms {
            history: HistoryWindow::None,
            ..OPEN
        },
    );
    let guest = stage.device(0);
    let there = stage.join(guest, &link).unwrap();
    stage.run(DAY_MS);
    stage.post(guest, there, "by the guest");
    stage.run(10_000);
    let link = stage.share(owner, community, OPEN);
    stage.stop(owner);
    stage.stop(guest);
    let third = stage.device(0);
    let late = stage.join(third, &link).unwrap();
    stage.run(30_000);
    assert_eq!(texts(&mut stage, third, late), ["before", "by the guest"]);
}

#[test]
fn a_relay_that_shows_an_old_state_is_found_out() {
    let mut stage = Stage::new(5);
    let owner = stage.device(0);
    let community = stage.found(owner);
    let link = stage.share(owner, community, OPEN);
    let memory = stage.remember();
    let first = stage.device(0);
    stage.join(first, &link).unwrap();
    stage.run(5_000);
    // Shown again after somebody came in: the same secret, and the ledger has one statement more.
    let newer = made_later(&link, 1);
    let (honest, fooled) = (stage.device(0), stage.device(0));
    assert!(matches!(
        look(&mut stage, honest, &newer),
        Ok(Reply::Card(_))
    ));
    stage.roll_back(&memory);
    assert_eq!(look(&mut stage, fooled, &newer), Err(Failure::InviteForged));
    assert_eq!(stage.join(fooled, &newer), Err(Failure::InviteForged));
}

/// The link names the ledger's length when it is given out; its bundle may have been sealed just before somebody came.
#[test]
fn a_link_made_while_somebody_comes_in_works() {
    for offset in 0..12 {
        let mut stage = Stage::new(100 + offset);
        let owner = stage.device(0);
        let community = stage.found(owner);
        let link = stage.share(owner, community, OPEN);
        let (guest, reader) = (stage.device(0), stage.device(0));
        stage.run(1_000);
        let persona = String::new();
        stage.ask(guest, Command::Join { link, persona });
        stage.run(10 * u64::from(offset));
        let link = stage.share(owner, community, OPEN);
        stage.run(1_000);
        let seen = look(&mut stage, reader, &link);
        assert!(matches!(seen, Ok(Reply::Card(_))), "{offset}: {seen:?}");
    }
}

#[test]
fn a_clock_that_is_a_day_off_is_told_and_does_not_show() {
    for skew in [-1, 1] {
        let day = i64::try_from(DAY_MS).unwrap();
        let mut stage = Stage::new(6);
        let owner = stage.device(0);
        let community = stage.found(owner);
        let link = stage.share(owner, community, OPEN);
        let guest = stage.device(skew * day);
        let there = stage.join(guest, &link).unwrap();
        stage.run(5_000);
        let off = |notice: &Notice| match notice {
            Notice::ClockOff { seconds } => Some(*seconds),
            _ => None,
        };
        let told: Vec<i64> = stage.notices(guest).iter().filter_map(off).collect();
        assert!(!told.is_empty());
        assert!(told.iter().all(|s| (s - skew * 24 * 3600).abs() <= 1));
        assert_eq!(stage.notices(owner).iter().find_map(off), None);
        let before = stage.now_ms();
        stage.post(guest, there, "what time is it?");
        stage.run(5_000);
        let seen = stage.posts(owner, community);
        assert_eq!(seen.len(), 1);
        assert!(
            seen[0].at.abs_diff(before) < 2_000,
            "{skew}: {}",
            seen[0].at
        );
        stage.post(owner, community, "noon");
        stage.run(60_000);
        assert_eq!(stage.posts(guest, there)[1].text, "noon");
        let audit = stage.audit(guest).unwrap();
        assert!(audit.live && audit.unsettled == 0 && audit.missing == 0);
    }
}

#[test]
fn a_thousand_posts_reach_a_newcomer() {
    let mut stage = Stage::new(7);
    let owner = stage.device(0);
    let community = stage.found(owner);
    let link = stage.share(owner, community, OPEN);
    let friend = stage.device(0);
    let there = stage.join(friend, &link).unwrap();
    stage.run(5_000);
    for n in 0..1_000 {
        let (device, community) = if n % 3 == 0 {
            (friend, there)
        } else {
            (owner, community)
        };
        let text = format!("post {n}");
        stage.ask(
            device,
            Command::Post {
                community,
                text,
                lifetime: None,
            },
        );
        stage.run(20);
    }
    stage.run(60_000);
    assert_eq!(stage.audit(owner).unwrap().unsettled, 0);
    let newcomer = stage.device(0);
    let late = stage.join(newcomer, &link).unwrap();
    stage.run(60_000);
    let expected: Vec<String> = (0..1_000).map(|n| format!("post {n}")).collect();
    for (device, community) in [(owner, community), (friend, there), (newcomer, late)] {
        let audit = stage.audit(device).unwrap();
        assert!(audit.live && audit.missing == 0, "device {device}");
        let mut seen = texts(&mut stage, device, community);
        seen.sort_by_key(|text| text[5..].parse::<u32>().unwrap());
        assert!(seen == expected, "device {device} has {}", seen.len());
    }
}

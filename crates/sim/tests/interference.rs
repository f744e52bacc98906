//! Cover traffic: whatever a device has to say, hears or suffers, its line looks the same, to the millisecond and the byte.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // what tests share is a test as well

use ume_api::{Command, Cover, Surroundings};
use ume_sim::{OPEN, Place, Seen, Stage};

const MINUTE_MS: u64 = 60_000;
/// How long each line is looked at, minutes.
const MINUTES: u64 = 120;
/// How many seeds the suite tries.
const SEEDS: u8 = 64;

/// What happens to the device that is looked at, minute by minute.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Work {
    Idle,
    /// Now it, now the other says something.
    Chat,
    /// The other says much at once.
    Flood,
    /// It has much to say: more than its turns take in all the time.
    Bulk,
}

/// What happens around it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Quiet,
    /// Its program ends now and then and starts again.
    Crash,
    /// Its network goes and comes back.
    Cut,
    /// Its page goes out of sight and comes back.
    Hide,
}

fn surroundings(cover: Cover, hidden: bool) -> Surroundings {
    Surroundings {
        cover,
        hidden,
        saving: false,
    }
}

fn work(stage: &mut Stage, work: Work, minute: u64, other: Place, (device, community): Place) {
    // A device that crashed or has no network takes what is said to it all the same, or not at all.
    let say = |stage: &mut Stage, text: String| {
        let lifetime = None;
        stage.ask(
            device,
            Command::Post {
                community,
                text,
                lifetime,
            },
        );
    };
    match work {
        Work::Chat if minute.is_multiple_of(2) => say(stage, format!("said in minute {minute}")),
        Work::Chat => stage.post(other.0, other.1, &format!("heard in minute {minute}")),
        Work::Flood if minute % 40 == 3 => {
            for n in 0..60 {
                stage.post(other.0, other.1, &format!("much: {n}"));
            }
        }
        Work::Bulk if minute < 60 => say(stage, "long ".repeat(3_000)),
        _ => {}
    }
}

/// What passes on the line while all that happens.
fn line(seed: u8, cover: Cover, task: Work, fate: Fate) -> (Vec<(u64, Seen)>, usize) {
    let mut stage = Stage::new(seed);
    let owner = stage.device(0);
    let community = stage.found(owner);
    let link = stage.share(owner, community, OPEN);
    let device = stage.device_with(surroundings(cover, false));
    let there = stage.join(device, &link).unwrap();
    stage.run(5 * MINUTE_MS);
    stage.look(device);
    let begin = stage.now_ms();
    for minute in 0..MINUTES {
        match (fate, minute % 30) {
            (Fate::Crash, 7) => stage.crash(device, 10_000),
            (Fate::Cut, 7) => stage.set_offline(device, true),
            (Fate::Cut, 8) => stage.set_offline(device, false),
            (Fate::Hide, 7) => stage.surround(device, surroundings(cover, true)),
            (Fate::Hide, 27) => stage.surround(device, surroundings(cover, false)),
            _ => {}
        }
        work(
            &mut stage,
            task,
            minute,
            (owner, community),
            (device, there),
        );
        let next = begin + (minute + 1) * MINUTE_MS;
        stage.run(next.saturating_sub(stage.now_ms()));
    }
    let passed = stage.seen().to_vec();
    let posts = stage.posts(device, there).len();
    (passed, posts)
}

fn looks_the_same(cover: Cover, seeds: std::ops::Range<u8>) {
    for seed in seeds {
        // Every fate with some seed, every work with every seed.
        let fate = [Fate::Quiet, Fate::Crash, Fate::Cut, Fate::Hide][usize::from(seed) % 4];
        let (idle, nothing) = line(seed, cover, Work::Idle, fate);
        assert!(
            idle.len() > 3_000,
            "seed {seed}: a line that says nothing is no cover"
        );
        assert_eq!(nothing, 0);
        for task in [Work::Chat, Work::Flood, Work::Bulk] {
            let (busy, posts) = line(seed, cover, task, fate);
            assert!(
                posts >= 50,
                "seed {seed}, {task:?}: only {posts} posts went"
            );
            let differs = idle.iter().zip(&busy).position(|(a, b)| a != b);
            assert!(
                differs.is_none() && idle.len() == busy.len(),
                "seed {seed}, {task:?}, {fate:?}: at {differs:?} of {} and {}: {:?} {:?}",
                idle.len(),
                busy.len(),
                differs.map(|at| idle[at]),
                differs.map(|at| busy[at]),
            );
        }
    }
}

/// The seeds of the suite, or those that a run by hand asks for.
fn seeds(part: u8, parts: u8) -> std::ops::Range<u8> {
    let all = std::env::var("UME_COVER_SEEDS").ok();
    let all = all.and_then(|all| all.parse().ok()).unwrap_or(SEEDS);
    let each = all / parts;
    part * each..(part + 1) * each
}

#[test]
fn a_balanced_line_looks_the_same_whatever_happens_1() {
    looks_the_same(Cover::Balanced, seeds(0, 4));
}

#[test]
fn a_balanced_line_looks_the_same_whatever_happens_2() {
    looks_the_same(Cover::Balanced, seeds(1, 4));
}

#[test]
fn a_balanced_line_looks_the_same_whatever_happens_3() {
    looks_the_same(Cover::Balanced, seeds(2, 4));
}

#[test]
fn a_balanced_line_looks_the_same_whatever_happens_4() {
    looks_the_same(Cover::Balanced, seeds(3, 4));
}

#[test]
fn without_cover_the_line_shows_what_happens() {
    let (idle, _) = line(1, Cover::Off, Work::Idle, Fate::Quiet);
    let (busy, _) = line(1, Cover::Off, Work::Chat, Fate::Quiet);
    assert_ne!(idle, busy);
}

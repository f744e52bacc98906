//! What members and those who want to be say to each other, through a relay that may be anybody's.

use crate::input::Input;
use std::collections::BTreeSet;
use std::sync::OnceLock;
use ume_engine::fuzzing::{self, Delivery, Part, Saying, World};
use ume_engine::reconcile::{Found, STEP_BYTES_MIN, Set};
use ume_wire::auth::{Hash, hash};

/// So many things happen in one input.
const STEPS_MAX: usize = 32;
/// Entries that two sides compare, at most.
const ENTRIES_MAX: usize = 2_048;

pub(crate) fn entry(bytes: &[u8]) {
    fuzzing::entry(bytes);
}

pub(crate) fn answer(bytes: &[u8]) {
    fuzzing::answer(bytes);
}

pub(crate) fn card(bytes: &[u8]) {
    fuzzing::card(bytes);
}

pub(crate) fn request(bytes: &[u8]) {
    fuzzing::request(bytes);
}

/// An announcement; and a pack of messages, each with its day, of which some are the insides of single cells.
pub(crate) fn pack(bytes: &[u8]) {
    fuzzing::announcement(bytes);
    fuzzing::pack_cell(bytes);
    let mut input = Input::new(bytes);
    let (entries, from) = (input.number(), input.byte());
    let mut parts = Vec::new();
    while !input.is_empty() && parts.len() < STEPS_MAX {
        parts.push((input.byte(), input.byte() != 0, input.piece()));
    }
    fuzzing::pack(u32::try_from(entries).unwrap_or(u32::MAX), from, &parts);
}

pub(crate) fn talk(bytes: &[u8]) {
    fuzzing::talk(bytes);
}

/// A message of somebody's: refused, or answered within the limit. And two sides that keep to the rules find what each
/// alone has, whatever that is.
pub(crate) fn reconcile(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let apart = u64::from(input.byte()) * u64::from(input.byte());
    let (one, other) = (input.piece(), input.piece());
    let set = |has: &[u8]| {
        let bits = has
            .iter()
            .flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1));
        let here = (0u64..)
            .zip(bits.take(ENTRIES_MAX))
            .filter(|(_, bit)| *bit == 1);
        let entries = here.map(|(n, _)| (n * apart, hash(&n.to_le_bytes())));
        entries.collect::<BTreeSet<_>>()
    };
    let (one, other) = (set(one), set(other));
    let (ours, theirs) = (Set::new(one.clone()), Set::new(other.clone()));
    let mut found = Found::default();
    if let Ok(answer) = ours.answer(input.rest(), STEP_BYTES_MIN) {
        assert!(answer.len() <= STEP_BYTES_MIN);
        let _ = theirs.compare(&answer, STEP_BYTES_MIN, &mut found);
    }
    found = Found::default();
    let mut message = Some(ours.begin());
    while let Some(said) = message {
        let answer = theirs.answer(&said, STEP_BYTES_MIN);
        assert!(
            answer
                .as_ref()
                .is_ok_and(|answer| answer.len() <= STEP_BYTES_MIN)
        );
        let next = ours.compare(&answer.unwrap_or_default(), STEP_BYTES_MIN, &mut found);
        assert!(next.is_ok());
        message = next.unwrap_or_default();
    }
    let ids = |from: &BTreeSet<(u64, Hash)>, without: &BTreeSet<(u64, Hash)>| {
        let alone = from.difference(without);
        alone.map(|(_, id)| *id).collect::<BTreeSet<_>>()
    };
    assert_eq!(found.have, ids(&one, &other));
    assert_eq!(found.need, ids(&other, &one));
}

pub(crate) fn cell(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (place, change) = (input.number(), input.byte());
    let place = usize::try_from(place).unwrap_or_default();
    fuzzing::cell(input.rest(), place, change);
}

pub(crate) fn ledger(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut sayings = Vec::new();
    while !input.is_empty() && sayings.len() < STEPS_MAX {
        let who = input.byte();
        sayings.push(Saying {
            by: who & 3,
            sound: who & 0x80 == 0,
            time_ms: input.number(),
            statement: input.piece(),
        });
    }
    fuzzing::ledger(&sayings);
}

pub(crate) fn log(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut deliveries = Vec::new();
    while !input.is_empty() && deliveries.len() < STEPS_MAX {
        deliveries.push(match input.byte() % 4 {
            0 => Delivery::Cell(input.number(), input.piece()),
            1 => Delivery::Sealed(input.number(), input.piece()),
            2 => Delivery::Head(input.number(), input.number(), input.number(), input.byte()),
            _ => Delivery::Restart,
        });
    }
    fuzzing::log(&deliveries);
}

pub(crate) fn slots(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut values = Vec::new();
    while !input.is_empty() && values.len() < STEPS_MAX {
        values.push((input.byte().is_multiple_of(2), input.piece()));
    }
    fuzzing::slots(&values);
}

pub(crate) fn bundle(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let part = part(&mut input);
    world().bundle(part, input.rest());
}

pub(crate) fn record(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let part = part(&mut input);
    world().record(part, input.rest());
}

/// A call; and what a real one brings, with a part of a stranger's making.
pub(crate) fn call(bytes: &[u8]) {
    fuzzing::call(bytes);
    let mut input = Input::new(bytes);
    let part = part(&mut input);
    fuzzing::beginning(part, input.rest());
}

fn part(input: &mut Input<'_>) -> Part {
    let place = |input: &mut Input<'_>| usize::try_from(input.number()).unwrap_or_default();
    match input.byte() % 6 {
        0 => Part::Whole,
        1 => Part::Tree,
        2 => Part::GroupInfo,
        3 => Part::Statement,
        4 => Part::Within(place(input)),
        _ => Part::WithinInfo(place(input)),
    }
}

/// A real community, written down once: tests/seeds.rs makes the files.
#[allow(clippy::expect_used)] // without it there is nothing to try
fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        World::new(
            include_str!("../world/link.txt"),
            include_bytes!("../world/bundle.bin"),
            include_bytes!("../world/record.bin"),
        )
        .expect("the files in world/ belong together")
    })
}

//! What members and those who want to be say to each other, through a relay that may be anybody's.

use crate::input::Input;
use std::sync::OnceLock;
use ume_engine::fuzzing::{self, Delivery, Part, Saying, World};

/// So many things happen in one input.
const STEPS_MAX: usize = 32;

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

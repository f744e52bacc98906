//! How long it takes to find something among very many posts, and what that takes of memory: `cargo xtask bench search`.
//!
//! The posts are made up: words of one to four syllables, used as often as words are (the second half as often as the first,
//! and so on), in posts of a few words to some hundred, by 200 people over three years, one in thirty edited; some in letters
//! with accents, some in a script without spaces. What is measured is the engine itself, from a command to its answer.
#![deny(missing_docs)]

mod place;
mod writing;

use peak_alloc::PeakAlloc;
use place::{clock, say, word};
use std::time::Duration;
use ume_api::{Command, FoundPage, FromEngine, PersonId, Reply, Search};
use ume_engine::Engine;
use ume_engine::fuzzing::library;
use ume_engine::io::{Input, Millis, Output, Step};
use writing::Writing;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Posts, if no other number is asked for.
const POSTS: usize = 100_000;
/// What one query may take.
const BUDGET: Duration = Duration::from_millis(50);
/// Queries of each kind.
const ROUNDS: usize = 200;
const NOW: Millis = Millis(1_790_000_000_000);

fn main() -> Result<(), String> {
    let posts = match word() {
        None => POSTS,
        Some(word) => word
            .parse()
            .map_err(|_| format!("{word}: how many posts?"))?,
    };
    let mut writing = Writing::new();
    let texts = writing.library(posts);
    let bytes: usize = texts.iter().map(|one| one.text.len()).sum();
    say(&format!("{posts} posts, {bytes} bytes of text"));
    let mut engine = library(texts.into_iter()).ok_or("no community could be founded")?;
    build(&mut engine)?;
    let mut all = vec![];
    say("| looked for | found | ms median | ms p99 | ms most |\n|---|---|---|---|---|");
    for (kind, searches) in kinds(&mut writing, &mut engine)? {
        let (mut times, mut found) = (vec![], 0);
        for search in searches {
            let (page, time) = ask(&mut engine, search)?;
            found += page.found.len();
            times.push(time);
        }
        row(kind, Some(found / times.len().max(1)), &mut times);
        all.extend(times);
    }
    row("all of these", None, &mut all);
    let most = all.last().copied().unwrap_or_default();
    let verdict = if most <= BUDGET { "within" } else { "OVER" };
    say(&format!(
        "the slowest is {verdict} the budget of {} ms",
        BUDGET.as_millis()
    ));
    Ok(())
}

/// The first search, which makes the index.
fn build(engine: &mut Engine) -> Result<(), String> {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let (began, mut slices) = (clock(), vec![]);
    let mut step = timed(engine, command(Search::default()), &mut slices);
    while answer(&step).is_none() {
        if slices.len() > 1_000_000 {
            return Err("the index is never done".into());
        }
        step = timed(engine, Input::Tick, &mut slices);
    }
    let took = clock().saturating_sub(began);
    drop(step);
    let (kept, most) = (MEMORY.current_usage(), MEMORY.peak_usage());
    let longest = slices.iter().max().copied().unwrap_or_default();
    say(&format!(
        "index: {:.0} ms in {} slices, the longest {:.1} ms; {:.1} MB kept, {:.1} MB at most",
        ms(took),
        slices.len(),
        ms(longest),
        mb(kept.saturating_sub(before)),
        mb(most.saturating_sub(before)),
    ));
    Ok(())
}

fn timed(engine: &mut Engine, input: Input, slices: &mut Vec<Duration>) -> Step {
    let began = clock();
    let step = engine.handle(NOW, input);
    slices.push(clock().saturating_sub(began));
    step
}

/// What people look for, by kind.
fn kinds(
    writing: &mut Writing,
    engine: &mut Engine,
) -> Result<Vec<(&'static str, Vec<Search>)>, String> {
    let text = |text: String| Search {
        text,
        ..Search::default()
    };
    let mut many = |of: &mut dyn FnMut(&mut Writing) -> Search| {
        (0..ROUNDS).map(|_| of(writing)).collect::<Vec<_>>()
    };
    // Somebody who is there.
    let (page, _) = ask(engine, Search::default())?;
    let author = page.found.first().map(|one| one.author.id);
    let author = author.unwrap_or(PersonId([0; 32]));
    let mut kinds = vec![
        ("one letter", many(&mut |words| text(words.beginning(1)))),
        ("two letters", many(&mut |words| text(words.beginning(2)))),
        ("a common word", many(&mut |words| text(words.common()))),
        ("a rare word", many(&mut |words| text(words.rare()))),
        (
            "two common words",
            many(&mut |words| text(format!("{} {}", words.common(), words.common()))),
        ),
        (
            "five beginnings",
            many(&mut |words| {
                let all: Vec<String> = (0..5).map(|_| words.beginning(2)).collect();
                text(all.join(" "))
            }),
        ),
        ("a name", many(&mut |words| text(words.name()))),
        (
            "a name and a word",
            many(&mut |words| text(format!("{} {}", words.name(), words.common()))),
        ),
        (
            "a script without spaces",
            many(&mut |words| text(words.spaceless())),
        ),
        (
            "nothing that is there",
            many(&mut |words| text(format!("{}qqq", words.common()))),
        ),
        (
            "a common word by one person",
            many(&mut |words| Search {
                author: Some(author),
                ..text(words.common())
            }),
        ),
        (
            "a common word in some month",
            many(&mut |words| {
                let from = words.day();
                Search {
                    from: Some(from),
                    until: Some(from + 30 * 24 * 3_600_000),
                    ..text(words.common())
                }
            }),
        ),
    ];
    // The longest there can be.
    let letters: Vec<String> = (b'a'..=b'z')
        .map(|letter| char::from(letter).to_string())
        .collect();
    kinds.push(("every letter", vec![text(letters.join(" ")); 20]));
    let mut pages = vec![];
    let mut search = text(writing.beginning(1));
    for _ in 0..50 {
        let (page, _) = ask(engine, search.clone())?;
        pages.push(search.clone());
        search.after = page.more;
        if search.after.is_none() {
            break;
        }
    }
    kinds.push(("fifty pages of one letter", pages));
    Ok(kinds)
}

fn command(search: Search) -> Input {
    Input::Command {
        number: 1,
        command: Command::Search(search),
    }
}

fn ask(engine: &mut Engine, search: Search) -> Result<(FoundPage, Duration), String> {
    let began = clock();
    let step = engine.handle(NOW, command(search));
    let took = clock().saturating_sub(began);
    let page = answer(&step).ok_or("no answer")?;
    Ok((page, took))
}

fn answer(step: &Step) -> Option<FoundPage> {
    step.outputs.iter().find_map(|output| match output {
        Output::Tell(FromEngine::Answer {
            result: Ok(Reply::Found(page)),
            ..
        }) => Some(page.clone()),
        _ => None,
    })
}

fn row(kind: &str, found: Option<usize>, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |hundredths: usize| {
        let place = (times.len() * hundredths).div_ceil(100).max(1) - 1;
        ms(times.get(place).copied().unwrap_or_default())
    };
    let found = found.map(|found| found.to_string()).unwrap_or_default();
    say(&format!(
        "| {kind} | {found} | {:.2} | {:.2} | {:.2} |",
        at(50),
        at(99),
        at(100)
    ));
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[allow(clippy::cast_precision_loss)] // far below 2^52
fn mb(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

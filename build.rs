//! Turns the translations in `locales/` into names that `src/i18n.rs` takes in. The texts themselves are not compiled in.
//!
//! A key that one language lacks, or has too many, fails the build; so does a text that nobody says.
#[path = "build/words.rs"]
mod words;

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};
use words::{LANGUAGES, Place, Words};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=locales");
    println!("cargo::rerun-if-changed=build");
    let words = match Words::read(Path::new("locales")) {
        Ok(words) => words,
        Err(faults) => {
            for fault in faults.lines() {
                println!("cargo::error={fault}");
            }
            return Ok(());
        }
    };
    let place = PathBuf::from(env::var("OUT_DIR")?).join("words.rs");
    Ok(fs::write(place, module(&words)?)?)
}

/// The languages, and a name for each text: a number, or a type with all that is filled in and nothing else.
fn module(words: &Words) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(
        out,
        "pub(crate) const LANGUAGES: [Language; {}] = [",
        LANGUAGES.len()
    )?;
    for language in &LANGUAGES {
        let (name, own_name, rtl) = (language.name, language.own_name, language.rtl);
        writeln!(
            out,
            "Language {{ name: {name:?}, own_name: {own_name:?}, rtl: {rtl} }},"
        )?;
    }
    writeln!(out, "];")?;
    let mut open: Vec<String> = Vec::new();
    for (number, place) in words.places.iter().enumerate() {
        let (key, sections) = place.path.split_last().ok_or(std::fmt::Error)?;
        let same = open
            .iter()
            .zip(sections)
            .take_while(|(one, other)| one == other)
            .count();
        for _ in same..open.len() {
            writeln!(out, "}}")?;
        }
        for section in sections.iter().skip(same) {
            writeln!(out, "pub(crate) mod {section} {{ use super::*;")?;
        }
        open = sections.to_vec();
        text(&mut out, key, number, place)?;
    }
    for _ in open {
        writeln!(out, "}}")?;
    }
    Ok(out)
}

fn text(out: &mut String, key: &str, number: usize, place: &Place) -> std::fmt::Result {
    if place.gaps.is_empty() {
        return writeln!(out, "pub(crate) const {key}: Plain = Plain({number});");
    }
    writeln!(out, "pub(crate) struct {key}<'a> {{")?;
    for gap in &place.gaps {
        writeln!(out, "pub(crate) {gap}: Given<'a>,")?;
    }
    let given: Vec<String> = place.gaps.iter().map(|gap| format!("self.{gap}")).collect();
    let count = if place.counts {
        "Some(self.count)"
    } else {
        "None"
    };
    writeln!(
        out,
        "}} impl {key}<'_> {{ #[inline] pub(crate) fn say(&self, locale: Locale) -> String {{ locale.fill({number}, {count}, &[{}]) }} }}",
        given.join(", ")
    )
}

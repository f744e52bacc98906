//! What somebody looks for, and where a text has it.

use super::words::{self, Word};
use crate::markdown;
use std::ops::Range;
use ume_api::Piece;

/// Shown of a text before what was found in it, and after, bytes about.
const BEFORE: usize = 40;
const AFTER: usize = 90;
/// Shown of a text at most, bytes about.
pub(super) const SHOWN: usize = 260;

/// A word, as the index has them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Term {
    /// The beginning of one.
    Word(String),
    /// Part of a run without spaces.
    Run(String),
}

impl Term {
    /// Where a word has it.
    fn each_in(&self, word: &Word<'_>, take: &mut dyn FnMut(Range<usize>)) {
        match self {
            Self::Word(start) if !word.dense && word.folded.starts_with(&**start) => {
                take(0..start.len());
            }
            Self::Run(run) if word.dense => {
                let places = word.folded.match_indices(&**run);
                places.for_each(|(at, _)| take(at..at + run.len()));
            }
            _ => {}
        }
    }

    /// Whether whatever has the other one has this one.
    fn is_part(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Word(one), Self::Word(other)) => other.starts_with(one),
            (Self::Run(one), Self::Run(other)) => other.contains(&**one),
            _ => false,
        }
    }
}

/// Words that are looked for.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) terms: Vec<Term>,
}

/// Where a text has what is looked for.
pub(crate) struct Seen {
    /// Of each word whether it is there.
    pub(crate) has: Vec<bool>,
    /// Places in the text with the word that is there, in order.
    places: Vec<(Range<usize>, usize)>,
}

impl Query {
    /// `None`: something is looked for and there is no word in it, so nothing has it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut all: Vec<Term> = vec![];
        words::each(text, &mut |word| {
            all.push(if word.dense {
                Term::Run(word.folded.to_owned())
            } else {
                Term::Word(word.folded.to_owned())
            });
        });
        if all.is_empty() && !text.trim().is_empty() {
            return None;
        }
        all.sort_unstable();
        all.dedup();
        let more = |one: &Term| all.iter().any(|other| other != one && one.is_part(other));
        let terms = all.iter().filter(|one| !more(one)).cloned().collect();
        Some(Self { terms })
    }

    pub(crate) fn look(&self, text: &str) -> Seen {
        let mut seen = Seen {
            has: vec![false; self.terms.len()],
            places: vec![],
        };
        words::each(text, &mut |word| {
            for (number, term) in self.terms.iter().enumerate() {
                term.each_in(word, &mut |part| {
                    if let Some(has) = seen.has.get_mut(number) {
                        *has = true;
                    }
                    let source = text.get(word.range.clone()).unwrap_or_default();
                    let span = words::span(source, part);
                    let place = word.range.start + span.start..word.range.start + span.end;
                    seen.places.push((place, number));
                });
            }
        });
        seen.places.sort_unstable_by_key(|(place, _)| place.start);
        seen
    }
}

impl Seen {
    /// Whether text and name have all words between them.
    pub(crate) fn is_all(&self, name: &Self) -> bool {
        let mut both = self.has.iter().zip(&name.has);
        both.all(|(one, other)| *one || *other)
    }

    /// All of a text, marked.
    pub(crate) fn whole(&self, text: &str) -> Vec<Piece> {
        let mut pieces = vec![];
        self.cut(text, 0..text.len(), &mut pieces);
        pieces
    }

    /// What is around what was found.
    pub(crate) fn around(&self, text: &str) -> Vec<Piece> {
        let mut parts: Vec<Range<usize>> = vec![];
        let mut shown = vec![false; self.has.len()];
        let mut so_far = 0;
        for (place, number) in &self.places {
            let from = edge(text, place.start.saturating_sub(BEFORE)).min(place.start);
            let to = edge(text, place.end.saturating_add(AFTER));
            let known = shown.get(*number) == Some(&true);
            match parts.last_mut() {
                Some(last) if place.end <= last.end => {}
                // Each word once, as far as there is room.
                _ if known || so_far >= SHOWN => continue,
                Some(last) if from <= last.end => {
                    so_far += to.saturating_sub(last.end);
                    last.end = to.max(last.end);
                }
                _ => {
                    so_far += to - from;
                    parts.push(from..to);
                }
            }
            if let Some(shown) = shown.get_mut(*number) {
                *shown = true;
            }
        }
        if parts.is_empty() {
            parts.push(0..edge(text, SHOWN));
        }
        let mut pieces = vec![];
        let last = parts.last().map_or(0, |part| part.end);
        for part in parts {
            if part.start > 0 {
                add(&mut pieces, " … ", false);
            }
            self.cut(text, part, &mut pieces);
        }
        if last < text.trim_end().len() {
            add(&mut pieces, " …", false);
        }
        pieces
    }

    /// A part of a text, marked.
    fn cut(&self, text: &str, part: Range<usize>, pieces: &mut Vec<Piece>) {
        let mut at = part.start;
        for (place, _) in &self.places {
            let (from, to) = (place.start.max(at), place.end.min(part.end));
            if from < to {
                add(pieces, text.get(at..from).unwrap_or_default(), false);
                add(pieces, text.get(from..to).unwrap_or_default(), true);
                at = to;
            }
        }
        add(pieces, text.get(at..part.end).unwrap_or_default(), false);
    }
}

/// Adds words in one line and without what cannot be seen.
fn add(pieces: &mut Vec<Piece>, text: &str, hit: bool) {
    let spaced = |one: &Piece| one.text.ends_with(' ');
    let mut space = pieces.last().is_none_or(spaced);
    let mut line = String::with_capacity(text.len());
    for sign in markdown::seen(text).chars() {
        if !sign.is_whitespace() {
            line.push(sign);
        } else if !space {
            line.push(' ');
        }
        space = sign.is_whitespace();
    }
    match pieces.last_mut() {
        _ if line.is_empty() => {}
        Some(last) if last.hit == hit => last.text.push_str(&line),
        _ => pieces.push(Piece { text: line, hit }),
    }
}

/// The nearest place at which a text may be cut: between two words if one ends nearby, else between two characters.
fn edge(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    let mut at = at;
    while !text.is_char_boundary(at) {
        at += 1;
    }
    if at == 0 {
        return 0;
    }
    let near = text.get(at..).unwrap_or_default().char_indices();
    let near = near.take(16).find(|(_, sign)| sign.is_whitespace());
    near.map_or(at, |(further, _)| at + further)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(query: &str, text: &str) -> Option<String> {
        let query = Query::parse(query)?;
        let (seen, none) = (query.look(text), query.look(""));
        seen.is_all(&none).then(|| drawn(&seen.around(text)))
    }

    fn drawn(pieces: &[Piece]) -> String {
        let mark = |one: &Piece| {
            if one.hit {
                format!("[{}]", one.text)
            } else {
                one.text.clone()
            }
        };
        pieces.iter().map(mark).collect()
    }

    #[test]
    fn what_was_found_is_marked() {
        for (query, text, drawing) in [
            ("uber", "Übermorgen, über!", "[Über]morgen, [über]!"),
            ("strass", "In der Straße", "In der [Straß]e"),
            ("b a", "b ab\n\n  ba", "[b] [a]b [b]a"),
            ("a ab", "a ab abc", "a [ab] [ab]c"),
            ("京都", "東京都と京都", "東[京都]と[京都]"),
            ("京", "東京", "東[京]"),
            ("👍", "so 👍🏽!", "so [👍🏽]!"),
            ("محمد", "قال مُحَمَّدٌ نعم", "قال [مُحَمَّدٌ] نعم"),
            (
                "img",
                "<img src=x onerror=alert(1)>",
                "<[img] src=x onerror=alert(1)>",
            ),
            ("left", "left\u{202e}right", "[left]right"),
            ("", "all of it", "all of it"),
        ] {
            assert_eq!(found(query, text).as_deref(), Some(drawing), "{query}");
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        for (query, text) in [
            ("?!", "what?!"),
            ("orgen", "Morgen"),
            ("a b", "a"),
            ("京東", "東京"),
            ("手机", "手 机"),
        ] {
            assert_eq!(found(query, text), None, "{query}");
        }
    }

    #[test]
    fn of_a_long_text_there_is_what_is_around() {
        let text = format!("{0} needle {0} pin {0} needle {0}", "hay ".repeat(100));
        let drawing = found("needle pin", &text).unwrap_or_default();
        assert!(drawing.len() < 400, "{drawing}");
        assert!(
            drawing.starts_with(" … ") || drawing.starts_with("… "),
            "{drawing}"
        );
        assert_eq!(drawing.matches("[needle]").count(), 1, "{drawing}");
        assert_eq!(drawing.matches("[pin]").count(), 1, "{drawing}");
        assert!(drawing.ends_with('…'), "{drawing}");
        let one = "x".repeat(10_000) + " needle";
        assert!(
            found("needle", &one)
                .unwrap_or_default()
                .ends_with("[needle]")
        );
        assert!(found("xxx", &one).unwrap_or_default().len() < 400);
        // Where a cut looks for the end of a word, it does not go into what was found.
        let wide = "😀".repeat(30) + &"x".repeat(8) + " needle";
        assert!(
            found("x", &wide)
                .unwrap_or_default()
                .ends_with("[x]xxxxxxx needle")
        );
    }
}

//! What holds whatever somebody looks for, and in whatever text.

use super::query::{Query, SHOWN, Seen, Term};
use super::words;
use crate::markdown;
use ume_api::Piece;

/// Tries it out.
#[allow(clippy::missing_panics_doc)] // all that a panic here says is that a rule was broken
pub(crate) fn holds(looked_for: &str, text: &str) {
    let mut last = 0;
    words::each(text, &mut |word| {
        assert!(word.range.start >= last && word.range.end > word.range.start);
        last = word.range.end;
        assert!(!word.folded.is_empty());
        words::keys(word, &mut |key| assert!(!key.is_empty()));
    });
    let Some(query) = Query::parse(looked_for) else {
        return;
    };
    let seen = query.look(text);
    let whole = seen.whole(text);
    assert_eq!(plain(&joined(&whole)), plain(text), "nothing is lost");
    let around = seen.around(text);
    let marked = around.iter().any(|one| one.hit);
    assert_eq!(marked, seen.has.contains(&true), "what is there is marked");
    let long = around.iter().map(|one| one.text.len()).sum::<usize>();
    let longest = query.terms.iter().map(folded).map(str::len).max();
    // A mark may have any number of accents.
    let few = text.chars().filter(|one| !one.is_alphanumeric()).count();
    assert!(
        long <= 2 * SHOWN + 200 + 4 * longest.unwrap_or(0) + 4 * few,
        "{long}"
    );
    for piece in whole.iter().chain(&around) {
        assert!(!piece.text.is_empty() && !piece.text.contains(['\n', '\u{202e}']));
    }
    // Whatever is looked for is found where it stands by itself.
    let own = query.look(looked_for);
    let nothing: &Seen = &query.look("");
    assert!(own.is_all(nothing));
}

fn folded(term: &Term) -> &str {
    match term {
        Term::Word(one) | Term::Run(one) => one,
    }
}

fn joined(pieces: &[Piece]) -> String {
    pieces.iter().map(|one| &*one.text).collect()
}

fn plain(text: &str) -> String {
    let seen = |one: &char| {
        !one.is_whitespace()
            && !matches!(one, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
    };
    markdown::seen(text).chars().filter(seen).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_holds(query in "[ab東京 é]{0,6}|.{0,12}", text in "([ab東京é \n.]|.){0,400}") {
            super::holds(&query, &text);
        }
    }
}

//! Characters that nobody sees, and that make a text look like another one.

use super::leaf;
use ume_api::{Node, NodeKind};

/// Whether a character is drawn as nothing, or turns the direction of what follows, and has no honest use where it stands.
/// Joiners and variation selectors belong to emoji and to some scripts: they are honest beside a letter that is not Latin.
fn is_unseen(sign: char, before: Option<char>) -> bool {
    match sign {
        '\n' | '\r' | '\t' => false,
        '\u{200c}' | '\u{200d}' => before.is_none_or(|one| u32::from(one) < 0x2e0),
        '\u{fe00}'..='\u{fe0f}' => before.is_none_or(|one| one.is_ascii_alphabetic()),
        // Tags stand in flags.
        '\u{e0020}'..='\u{e007f}' => {
            before.is_none_or(|one| !matches!(one, '\u{1f3f4}' | '\u{e0020}'..='\u{e007f}'))
        }
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        _ => sign.is_control(),
    }
}

fn all(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut before = None;
    text.char_indices().filter(move |(_, sign)| {
        let unseen = is_unseen(*sign, before);
        // What is not shown itself makes nothing honest that follows.
        before = (!unseen).then_some(*sign);
        unseen
    })
}

/// Whether any is in a text.
pub(super) fn is_in(text: &str) -> bool {
    !text.is_ascii() && all(text).next().is_some()
        || text
            .bytes()
            .any(|sign| (sign < 0x20 || sign == 0x7f) && !b"\n\r\t".contains(&sign))
}

/// A text without them.
pub(super) fn without(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, sign) in all(text) {
        out.push_str(text.get(from..at).unwrap_or_default());
        from = at + sign.len_utf8();
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// The pieces of a text: words, and the numbers of what cannot be seen.
pub(super) fn spell(text: &str, add: &mut dyn FnMut(Node)) {
    let mut from = 0;
    let words = |from: usize, to: usize, add: &mut dyn FnMut(Node)| match text.get(from..to) {
        Some(words) if !words.is_empty() => add(leaf(NodeKind::Text, words)),
        _ => {}
    };
    for (at, sign) in all(text) {
        words(from, at, add);
        add(leaf(NodeKind::Unseen, format!("U+{:04X}", u32::from(sign))));
        from = at + sign.len_utf8();
    }
    words(from, text.len(), add);
}

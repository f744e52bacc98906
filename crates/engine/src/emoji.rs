//! What counts as one emoji. Told by the blocks in which emoji stand and by how they are joined, not by a list: so one that
//! is newer than this program is shown, and all programs agree.

use ume_api::EMOJI_BYTES_MAX;

const JOINER: char = '\u{200d}';
const KEYCAP: char = '\u{20e3}';

#[derive(PartialEq, Eq)]
enum Part {
    /// A picture by itself.
    Picture,
    /// Half of a flag.
    Letter,
    /// Changes what stands before it: colour of the skin, form, a region in a flag.
    Change,
}

fn part(sign: char) -> Option<Part> {
    Some(match sign {
        '\u{1f1e6}'..='\u{1f1ff}' => Part::Letter,
        '\u{1f3fb}'..='\u{1f3ff}' | '\u{fe0f}' | '\u{e0020}'..='\u{e007f}' => Part::Change,
        '\u{a9}'
        | '\u{ae}'
        | '\u{203c}'
        | '\u{2049}'
        | '\u{2122}'
        | '\u{2139}'
        | '\u{2190}'..='\u{2bff}'
        | '\u{3030}'
        | '\u{303d}'
        | '\u{3297}'
        | '\u{3299}'
        | '\u{1f000}'..='\u{1faff}' => Part::Picture,
        _ => return None,
    })
}

/// Whether a text is one emoji and nothing else.
pub(crate) fn is_one(text: &str) -> bool {
    if text.len() > EMOJI_BYTES_MAX {
        return false;
    }
    let mut signs = text.chars();
    if let Some('0'..='9' | '#' | '*') = signs.next() {
        let rest: String = signs.filter(|sign| *sign != '\u{fe0f}').collect();
        return rest.chars().eq([KEYCAP]);
    }
    let (mut pictures, mut letters, mut joined) = (0, 0, false);
    for sign in text.chars() {
        if sign == JOINER {
            if joined || pictures == 0 {
                return false;
            }
            joined = true;
            continue;
        }
        match part(sign) {
            // What is joined is of one picture.
            Some(Part::Picture) if joined => {}
            Some(Part::Picture) => pictures += 1,
            Some(Part::Letter) => letters += 1,
            Some(Part::Change) if pictures > 0 || letters > 0 => {}
            _ => return false,
        }
        joined = false;
    }
    !joined && matches!((pictures, letters), (1, 0) | (0, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_emoji_of_whatever_kind() {
        for emoji in [
            "🌸",
            "❤️",
            "👍🏽",
            "🇩🇪",
            "👩🏽‍❤️‍💋‍👨🏾",
            "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
            "1️⃣",
            "#⃣",
            "‼️",
            "🫩",
            "🏳️‍🌈",
        ] {
            assert!(is_one(emoji), "{emoji}");
        }
    }

    #[test]
    fn nothing_else() {
        let long = "👩\u{200d}".repeat(12) + "👩";
        for text in [
            "",
            "a",
            "1",
            "🌸🌸",
            "🇩",
            "🇩🇪🇩",
            "\u{200d}",
            "\u{fe0f}",
            "🌸\u{200d}",
            "🌸 ",
            "<b>",
            "\u{202e}",
            "🌸\u{202e}",
            "한",
            "🏽",
            &long,
        ] {
            assert!(!is_one(text), "{text:?}");
        }
    }
}

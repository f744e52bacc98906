//! Words as they are looked for: folded, so that who types *uber* finds *Über*.
//!
//! Every character is folded by itself: compatibility decomposition (the half of NFKC that matters here), lower case, without
//! accents, and letters that people write for each other made one. Scripts that leave no space between words, and emoji, come
//! as runs; of these the index keeps every two neighbours.

use super::parts::{is_combining, take_apart};
use std::ops::Range;

/// How much of a word the index keeps, bytes: enough to tell words apart, and too little for what is none to fill memory.
const WORD_BYTES_MAX: usize = 40;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Between words.
    Gap,
    /// Belongs to what it stands in, and says nothing.
    Mark,
    Letter,
    /// Of a script without spaces, or an emoji.
    Dense,
}

/// A word in a text.
pub(crate) struct Word<'a> {
    pub(crate) folded: &'a str,
    /// A run of a script without spaces.
    pub(crate) dense: bool,
    /// Where in the text.
    pub(crate) range: Range<usize>,
}

/// All words of a text, in order.
pub(crate) fn each(text: &str, take: &mut dyn FnMut(&Word<'_>)) {
    let mut folded = String::new();
    let mut open: Option<(bool, Range<usize>)> = None;
    let mut end = |open: &mut Option<(bool, Range<usize>)>, folded: &mut String| {
        if let Some((dense, range)) = open.take()
            && !folded.is_empty()
        {
            take(&Word {
                folded,
                dense,
                range,
            });
        }
        folded.clear();
    };
    for (at, sign) in text.char_indices() {
        let class = class(sign);
        let after = at + sign.len_utf8();
        match (class, &mut open) {
            (Class::Gap, _) => end(&mut open, &mut folded),
            (Class::Mark, Some((_, range))) => range.end = after,
            (Class::Mark, None) => {}
            (_, Some((dense, range))) if *dense == (class == Class::Dense) => {
                range.end = after;
                fold(sign, &mut |one| folded.push(one));
            }
            _ => {
                end(&mut open, &mut folded);
                open = Some((class == Class::Dense, at..after));
                fold(sign, &mut |one| folded.push(one));
            }
        }
    }
    end(&mut open, &mut folded);
}

/// What the index keeps of a word.
pub(crate) fn keys(word: &Word<'_>, take: &mut dyn FnMut(&str)) {
    if word.dense {
        neighbours(word.folded, take);
        let last = word.folded.char_indices().last();
        // Or a single character that stands at the end would be found by nothing.
        take(
            last.and_then(|(at, _)| word.folded.get(at..))
                .unwrap_or_default(),
        );
    } else {
        take(beginning(word.folded));
    }
}

/// Every two neighbours in a run.
pub(crate) fn neighbours(run: &str, take: &mut dyn FnMut(&str)) {
    let starts = run.char_indices().map(|(at, _)| at);
    let ends = run.char_indices().map(|(at, sign)| at + sign.len_utf8());
    for (from, to) in starts.zip(ends.skip(1)) {
        take(run.get(from..to).unwrap_or_default());
    }
}

/// What the index keeps of the beginning of a word.
pub(crate) fn beginning(word: &str) -> &str {
    let mut end = word.len().min(WORD_BYTES_MAX);
    while !word.is_char_boundary(end) {
        end -= 1;
    }
    word.get(..end).unwrap_or_default()
}

/// Where in a word, as it stands in the text, a part of its folded form is.
pub(crate) fn span(word: &str, folded: Range<usize>) -> Range<usize> {
    let (mut so_far, mut span) = (0, None::<Range<usize>>);
    for (at, sign) in word.char_indices() {
        if so_far >= folded.end && class(sign) != Class::Mark {
            break;
        }
        let mut bytes = 0;
        fold(sign, &mut |one| bytes += one.len_utf8());
        so_far += bytes;
        let after = at + sign.len_utf8();
        match &mut span {
            Some(span) => span.end = after,
            None if so_far > folded.start => span = Some(at..after),
            None => {}
        }
    }
    span.unwrap_or_default()
}

fn class(sign: char) -> Class {
    match sign {
        _ if sign.is_ascii() && sign.is_ascii_alphanumeric() => Class::Letter,
        _ if sign.is_ascii() => Class::Gap,
        _ if is_mark(sign) => Class::Mark,
        _ if is_sign(sign) => Class::Dense,
        _ if sign.is_alphanumeric() || is_combining(sign) => {
            if is_spaceless(sign) {
                Class::Dense
            } else {
                Class::Letter
            }
        }
        _ => Class::Gap,
    }
}

/// What makes no difference: accents, vowel marks of Arabic and Hebrew, the line that stretches Arabic words, joiners, soft
/// hyphens, and how an emoji is drawn. Marks of other scripts are letters to those who write them.
fn is_mark(sign: char) -> bool {
    matches!(sign,
        '\u{ad}'
        | '\u{300}'..='\u{36f}'
        | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}' | '\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}' | '\u{6e7}' | '\u{6e8}' | '\u{6ea}'..='\u{6ed}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{200c}' | '\u{200d}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}'
        | '\u{1f3fb}'..='\u{1f3ff}')
}

/// Emoji and the like.
fn is_sign(sign: char) -> bool {
    matches!(sign, '\u{2600}'..='\u{27bf}' | '\u{2b50}'..='\u{2b55}' | '\u{1f000}'..='\u{1faff}')
}

/// Thai, Lao, Burmese, Khmer, Chinese and Japanese.
fn is_spaceless(sign: char) -> bool {
    matches!(sign,
        '\u{e00}'..='\u{eff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{2fdf}'
        | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ff9f}'
        | '\u{20000}'..='\u{3ffff}')
}

fn fold(sign: char, take: &mut dyn FnMut(char)) {
    if sign.is_ascii() {
        return take(sign.to_ascii_lowercase());
    }
    take_apart(sign, &mut |part| {
        for low in part.to_lowercase() {
            plain(low, take);
        }
    });
}

/// A letter as those write it who have no key for it.
fn plain(low: char, take: &mut dyn FnMut(char)) {
    let one = match low {
        'ß' => return "ss".chars().for_each(take),
        'æ' => return "ae".chars().for_each(take),
        'œ' => return "oe".chars().for_each(take),
        'þ' => return "th".chars().for_each(take),
        'ø' => 'o',
        'ł' => 'l',
        'đ' | 'ð' => 'd',
        'ħ' => 'h',
        'ı' => 'i',
        'ς' => 'σ',
        'ٱ' => 'ا',
        'ى' | 'ی' => 'ي',
        'ک' => 'ك',
        'ة' => 'ه',
        '٠'..='٩' => digit(low, '٠'),
        '۰'..='۹' => digit(low, '۰'),
        _ => low,
    };
    if class(one) == Class::Letter || class(one) == Class::Dense {
        take(one);
    }
}

fn digit(low: char, zero: char) -> char {
    let value = u32::from(low).wrapping_sub(u32::from(zero));
    char::from_digit(value, 10).unwrap_or(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = vec![];
        each(text, &mut |word| words.push(word.folded.to_owned()));
        words
    }

    #[test]
    fn what_people_write_for_each_other_is_the_same() {
        for (one, other) in [
            ("Über", "uber"),
            ("ÜBER", "uber"),
            ("Straße", "strasse"),
            ("café", "cafe\u{301}"),
            ("ﬁne", "fine"),
            ("Ｆｕｌｌ１２", "full12"),
            ("Ærø Łódź", "aero lodz"),
            ("İstanbul ISPARTA ısparta", "istanbul isparta isparta"),
            ("ΣΊΣΥΦΟΣ", "σισυφος"),
            ("Ёлка", "елка"),
            ("أحمد إبراهيم آمنة", "احمد ابراهيم امنه"),
            ("مُحَمَّدٌ", "محمد"),
            ("كتـــاب", "كتاب"),
            ("مدرسة على", "مدرسه علي"),
            ("٢٠٢٦ ۲۰۲۶", "2026 2026"),
            ("שָׁלוֹם", "שלום"),
            ("co\u{ad}operate", "cooperate"),
        ] {
            assert_eq!(words(one), words(other), "{one} and {other}");
        }
    }

    #[test]
    fn what_says_something_stays() {
        assert_ne!(words("कि"), words("का"), "vowels of Hindi");
        assert_ne!(words("が"), words("か"), "another sound");
        assert_eq!(words("क्या हाल"), ["क्या", "हाल"], "one word with a virama");
        assert!(words("한국")[0].starts_with(&words("하")[0]), "as typed");
    }

    #[test]
    fn words_end_where_something_else_begins() {
        assert_eq!(
            words("don't, iPhone手机 now"),
            ["don", "t", "iphone", "手机", "now"]
        );
        assert_eq!(
            words("https://a.example/b?c=d"),
            ["https", "a", "example", "b", "c", "d"]
        );
        assert_eq!(words("so 👍🏽 gut 👩\u{200d}💻"), ["so", "👍", "gut", "👩💻"]);
        assert_eq!(words("... --- ✓?"), ["✓"]);
        assert_eq!(words("\u{301}\u{200d}"), [""; 0]);
    }

    #[test]
    fn a_run_is_kept_by_its_neighbours() {
        let mut kept = vec![];
        each("東京都", &mut |word| {
            keys(word, &mut |key| kept.push(key.to_owned()));
        });
        assert_eq!(kept, ["東京", "京都", "都"]);
        let long = "ä".repeat(100);
        each(&long, &mut |word| {
            keys(word, &mut |key| assert_eq!(key.len(), WORD_BYTES_MAX));
        });
        assert_eq!(
            beginning(&"あ".repeat(20)).len(),
            WORD_BYTES_MAX - 1,
            "not within a letter"
        );
    }

    #[test]
    fn a_part_is_found_again_in_the_text() {
        assert_eq!(span("Über", 0..2), 0.."Üb".len());
        assert_eq!(span("Straße", 4..5), "Stra".len().."Straß".len());
        let word = "e\u{301}te\u{301}s";
        assert_eq!(&word[span(word, 0..3)], "e\u{301}te\u{301}");
        assert_eq!(span("東京都", 3..9), 3..9);
        assert_eq!(span("", 0..3), 0..0);
    }

    proptest! {
        #[test]
        fn words_are_where_they_say(text in "(\\PC|[a-zA-Zäß \u{301}東京都مُ😀]){0,60}") {
            let mut last = 0;
            each(&text, &mut |word| {
                assert!(word.range.start >= last && word.range.end > word.range.start);
                last = word.range.end;
                let source = &text[word.range.clone()];
                let mut again = String::new();
                each(source, &mut |word| again.push_str(word.folded));
                assert_eq!(again, word.folded);
                assert!(!word.folded.is_empty());
                let whole = span(source, 0..word.folded.len());
                again.clear();
                each(&source[whole], &mut |word| again.push_str(word.folded));
                assert_eq!(again, word.folded, "all of it");
                // What is folded stays so.
                assert_eq!(words(word.folded).concat(), word.folded);
            });
        }
    }
}

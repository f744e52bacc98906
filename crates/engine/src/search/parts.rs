//! What a character is made of: its compatibility decomposition, without the accents of Latin, Greek and Cyrillic letters. For
//! letters and digits; the table is made by `build/folds.rs`.

use table::{ENDS, KEYS, MARKS, TEXT};

/// Numbers of characters, and what these are made of.
#[allow(clippy::unicode_not_nfc, clippy::unreadable_literal)]
mod table {
    include!(concat!(env!("OUT_DIR"), "/folds.rs"));
}

const HANGUL: u32 = 0xac00;

pub(super) fn take_apart(sign: char, take: &mut dyn FnMut(char)) {
    let code = u32::from(sign);
    if let Some(place) = code.checked_sub(HANGUL).filter(|place| *place < 11_172) {
        let last = place % 28;
        let parts = [
            0x1100 + place / 588,
            0x1161 + place % 588 / 28,
            0x11a7 + last,
        ];
        let parts = parts.into_iter().take(if last > 0 { 3 } else { 2 });
        return parts.filter_map(char::from_u32).for_each(take);
    }
    match KEYS.binary_search(&code) {
        Ok(at) => {
            let end = |at: usize| ENDS.get(at).copied().map_or(0, usize::from);
            let start = at.checked_sub(1).map_or(0, end);
            let parts = TEXT.get(start..end(at)).unwrap_or_default();
            parts.chars().for_each(take);
        }
        Err(_) => take(sign),
    }
}

/// Whether it is a mark on a letter, and no letter by itself.
pub(super) fn is_combining(sign: char) -> bool {
    let code = u32::from(sign);
    let at = MARKS.partition_point(|(_, last)| *last < code);
    MARKS.get(at).is_some_and(|(first, _)| *first <= code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::char::{decompose_compatible, is_combining_mark};

    #[test]
    fn the_table_is_unicodes() {
        for sign in '\u{80}'..'\u{20000}' {
            let marks = is_combining_mark(sign) && !sign.is_alphanumeric();
            assert_eq!(is_combining(sign), marks, "{:x}", u32::from(sign));
            if !sign.is_alphanumeric() {
                continue;
            }
            let (mut ours, mut theirs) = (String::new(), String::new());
            take_apart(sign, &mut |part| ours.push(part));
            decompose_compatible(sign, |part| {
                if !('\u{300}'..='\u{36f}').contains(&part) {
                    theirs.push(part);
                }
            });
            assert_eq!(ours, theirs, "{:x}", u32::from(sign));
        }
    }
}

//! What characters are made of, as far as a search takes them apart (`src/search/words.rs`): a table with nothing in it that it
//! does not ask for, a seventh of what the library takes that knows all of Unicode. That one is used here, and in tests.

use std::fmt::Write;
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Characters beyond are rare ideographs.
const BEYOND: char = '\u{20000}';

/// The table as a file of Rust.
pub(crate) fn table() -> Result<String, Box<dyn std::error::Error>> {
    let (mut keys, mut ends, mut text) = (vec![], vec![], String::new());
    let mut marks: Vec<(u32, u32)> = vec![];
    for sign in '\u{80}'..BEYOND {
        let code = u32::from(sign);
        if is_combining_mark(sign) && !sign.is_alphanumeric() {
            match marks.last_mut() {
                Some((_, last)) if *last + 1 == code => *last = code,
                _ => marks.push((code, code)),
            }
        }
        // Syllables of Korean are taken apart by arithmetic.
        if !sign.is_alphanumeric() || ('\u{ac00}'..='\u{d7a3}').contains(&sign) {
            continue;
        }
        let mut parts = String::new();
        decompose_compatible(sign, |part| {
            if !('\u{300}'..='\u{36f}').contains(&part) {
                parts.push(part);
            }
        });
        if !parts.chars().eq([sign]) {
            text.push_str(&parts);
            keys.push(code);
            ends.push(u16::try_from(text.len())?);
        }
    }
    let mut file = String::new();
    writeln!(
        file,
        "pub(super) static KEYS: [u32; {}] = {keys:?};",
        keys.len()
    )?;
    writeln!(
        file,
        "pub(super) static ENDS: [u16; {}] = {ends:?};",
        ends.len()
    )?;
    writeln!(file, "pub(super) static TEXT: &str = {text:?};")?;
    writeln!(
        file,
        "pub(super) static MARKS: [(u32, u32); {}] = {marks:?};",
        marks.len()
    )?;
    Ok(file)
}

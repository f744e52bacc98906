//! Access keys as text: what an operator hands out and a person pastes.
//!
//! `ume-access-` and base32 (RFC 4648, section 6; small letters, no padding) of the 32 bytes and the first 4 bytes of a
//! SHA-256 over label and key, so that a mistyped key is told from an unknown one. Spaces, line breaks and capitals that
//! come in on the way do no harm.

use crate::limits::ACCESS_BYTES;
use base32ct::{Base32Unpadded, Encoding};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const PREFIX: &str = "ume-access-";
const LABEL: &[u8] = b"ume/1/access-text";
const CHECK_BYTES: usize = 4;
const TEXT_BYTES_MAX: usize = 69;

/// Some text is no whole access key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a whole access key")]
pub struct BadAccessKey;

fn check(key: &[u8]) -> [u8; CHECK_BYTES] {
    let digest = Sha256::new()
        .chain_update(LABEL)
        .chain_update(key)
        .finalize();
    let mut check = [0; CHECK_BYTES];
    check.copy_from_slice(&digest[..CHECK_BYTES]);
    check
}

/// The text of a key.
pub fn to_text(key: &[u8; ACCESS_BYTES]) -> Zeroizing<String> {
    let bytes = Zeroizing::new([&key[..], &check(key)].concat());
    let code = Zeroizing::new(Base32Unpadded::encode_string(&bytes));
    [PREFIX, &code].concat().into()
}

/// The key in a text.
///
/// # Errors
/// [`BadAccessKey`] for anything but a whole key, by its checksum.
pub fn parse(text: &str) -> Result<[u8; ACCESS_BYTES], BadAccessKey> {
    // As long as it can get, so that no copy is left behind by growing.
    let mut plain = Zeroizing::new(String::with_capacity(TEXT_BYTES_MAX));
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        if !c.is_ascii() || plain.len() == TEXT_BYTES_MAX {
            return Err(BadAccessKey);
        }
        plain.push(c.to_ascii_lowercase());
    }
    let code = plain.strip_prefix(PREFIX).ok_or(BadAccessKey)?;
    let bytes = Base32Unpadded::decode_vec(code).map_err(|_| BadAccessKey)?;
    let bytes = Zeroizing::new(bytes);
    let (key, sum) = bytes.split_at_checked(ACCESS_BYTES).ok_or(BadAccessKey)?;
    if check(key)[..] != *sum {
        return Err(BadAccessKey);
    }
    key.try_into().map_err(|_| BadAccessKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_pasting_and_every_cut_is_noticed() {
        let key = [7; 32];
        let text = to_text(&key);
        assert_eq!(text.len(), TEXT_BYTES_MAX);
        assert_eq!(parse(&text), Ok(key));
        assert_eq!(
            parse(&format!(
                " {}\n{} ",
                &text[..30],
                &text[30..].to_uppercase()
            )),
            Ok(key)
        );
        for end in 0..text.len() {
            assert_eq!(parse(&text[..end]), Err(BadAccessKey), "cut at {end}");
        }
        assert_eq!(parse(&format!("{}aa", &text[..])), Err(BadAccessKey));
        let mut other = text.as_bytes().to_vec();
        other[20] = if other[20] == b'a' { b'b' } else { b'a' };
        assert_eq!(parse(&String::from_utf8(other).unwrap()), Err(BadAccessKey));
        assert_eq!(parse(&"ä".repeat(300)), Err(BadAccessKey));
    }
}

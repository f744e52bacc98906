//! Invite links: `https://<any copy of the app>/j#1.<base64url>`.
//!
//! | bytes | meaning |
//! |---|---|
//! | 1 | kind: 1 = open, 2 = private |
//! | 32 | the invite's secret |
//! | 32 | the community's id |
//! | 4 | lowest ledger length that the relay must show, little endian: an older state is a rollback |
//! | 1 | number of relays, 1 to 3 |
//! | each: 1 + n + 32 | length and text of its address, its id |
//! | 4 | checksum: the first bytes of the SHA-256 of all before, so that a cut link is told from a forged one |
//!
//! All of it is in the fragment, which browsers never send.

use crate::keys::Secret;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use ume_api::InviteKind;
use ume_wire::auth::{Hash, hash};

const KIND_OPEN: u8 = 1;
const KIND_PRIVATE: u8 = 2;
const ADDRESS_BYTES_MAX: usize = 255;
const RELAYS_MAX: usize = 3;
/// Characters that a link of any version has after its version, at least.
const CODE_CHARS_MIN: usize = 32;

/// Where to look, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) kind: InviteKind,
    pub(crate) secret: Secret,
    pub(crate) community: Hash,
    pub(crate) ledger_min: u32,
    pub(crate) relays: Vec<RelayRef>,
}

/// A relay as a link names it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct RelayRef {
    pub(crate) address: String,
    pub(crate) id: Hash,
}

/// Why some text is no link that can be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("not a whole invite link")]
    Broken,
    #[error("a link of a later version")]
    Newer,
}

impl From<LinkError> for ume_api::Failure {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Broken => Self::LinkBroken,
            LinkError::Newer => Self::LinkNewer,
        }
    }
}

impl Link {
    /// The link as text, on the copy of the app at `origin`.
    pub(crate) fn to_text(&self, origin: &str) -> String {
        let mut out = vec![match self.kind {
            InviteKind::Open => KIND_OPEN,
            InviteKind::Private => KIND_PRIVATE,
        }];
        out.extend_from_slice(self.secret.bytes());
        out.extend_from_slice(&self.community);
        out.extend_from_slice(&self.ledger_min.to_le_bytes());
        out.push(u8::try_from(self.relays.len()).unwrap_or(u8::MAX));
        for relay in &self.relays {
            out.push(u8::try_from(relay.address.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(relay.address.as_bytes());
            out.extend_from_slice(&relay.id);
        }
        let check = hash(&out);
        out.extend_from_slice(&check[..4]);
        format!("{origin}/j#1.{}", Base64UrlUnpadded::encode_string(&out))
    }

    /// Finds the link in whatever a person pasted: the link itself, with spaces or line breaks inside, or amid text.
    pub(crate) fn parse(text: &str) -> Result<Self, LinkError> {
        let marks = text.match_indices('#').map(|(at, _)| at + 1);
        let mut verdict = LinkError::Broken;
        for start in std::iter::once(0).chain(marks) {
            let rest = &text[start..];
            let unbroken: String = rest.chars().filter(|c| !c.is_whitespace()).collect();
            let first_word = rest.split_whitespace().next().unwrap_or_default();
            for candidate in [unbroken.as_str(), first_word] {
                match Self::parse_fragment(candidate) {
                    Ok(link) => return Ok(link),
                    Err(LinkError::Newer) => verdict = LinkError::Newer,
                    Err(LinkError::Broken) => {}
                }
            }
        }
        Err(verdict)
    }

    fn parse_fragment(fragment: &str) -> Result<Self, LinkError> {
        let (version, code) = fragment.split_once('.').ok_or(LinkError::Broken)?;
        let end = code.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        match version.parse::<u32>() {
            Ok(1) => {}
            // What is this short is no secret of any version, but a number in a sentence.
            Ok(2..) if end.unwrap_or(code.len()) >= CODE_CHARS_MIN => return Err(LinkError::Newer),
            _ => return Err(LinkError::Broken),
        }
        let code = &code[..end.unwrap_or(code.len())];
        let bytes = Base64UrlUnpadded::decode_vec(code).map_err(|_| LinkError::Broken)?;
        let (content, check) = bytes.split_last_chunk::<4>().ok_or(LinkError::Broken)?;
        if hash(content)[..4] != check[..] {
            return Err(LinkError::Broken);
        }
        Self::decode(content)
    }

    fn decode(mut rest: &[u8]) -> Result<Self, LinkError> {
        let kind = match take(&mut rest)? {
            [KIND_OPEN] => InviteKind::Open,
            [KIND_PRIVATE] => InviteKind::Private,
            [_] => return Err(LinkError::Newer),
        };
        let secret = Secret::new(take(&mut rest)?);
        let community = take(&mut rest)?;
        let ledger_min = u32::from_le_bytes(take(&mut rest)?);
        let [count] = take(&mut rest)?;
        if !(1..=RELAYS_MAX).contains(&usize::from(count)) {
            return Err(LinkError::Broken);
        }
        let mut relays = Vec::new();
        for _ in 0..count {
            let [length] = take(&mut rest)?;
            let (address, after) = rest
                .split_at_checked(usize::from(length))
                .ok_or(LinkError::Broken)?;
            rest = after;
            let address = std::str::from_utf8(address).map_err(|_| LinkError::Broken)?;
            relays.push(RelayRef {
                address: relay_address(address)?,
                id: take(&mut rest)?,
            });
        }
        if rest.is_empty() {
            Ok(Self {
                kind,
                secret,
                community,
                ledger_min,
                relays,
            })
        } else {
            Err(LinkError::Broken)
        }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], LinkError> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(LinkError::Broken)?;
    *rest = tail;
    Ok(*head)
}

/// An address in its one form: `http(s)://host[:port]`, nothing after it. Without TLS only this machine is allowed.
pub(crate) fn relay_address(address: &str) -> Result<String, LinkError> {
    let address = address.trim().trim_end_matches('/');
    let (secure, host) = if let Some(host) = address.strip_prefix("https://") {
        (true, host)
    } else if let Some(host) = address.strip_prefix("http://") {
        (false, host)
    } else {
        return Err(LinkError::Broken);
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    if host.is_empty() || address.len() > ADDRESS_BYTES_MAX || !host.chars().all(plain) {
        return Err(LinkError::Broken);
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let local = matches!(name, "localhost" | "127.0.0.1" | "[::1]")
        || name
            .rsplit_once('.')
            .is_some_and(|(_, end)| end.eq_ignore_ascii_case("onion"));
    if secure || local {
        Ok(address.to_owned())
    } else {
        Err(LinkError::Broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn link() -> Link {
        let relays = vec![RelayRef {
            address: "https://relay.example:7700".into(),
            id: [3; 32],
        }];
        Link {
            kind: InviteKind::Open,
            secret: Secret::new([1; 32]),
            community: [2; 32],
            ledger_min: 7,
            relays,
        }
    }

    #[test]
    fn a_link_survives_pasting() {
        let text = link().to_text("https://any.example");
        assert_eq!(Link::parse(&text), Ok(link()));
        assert_eq!(Link::parse(&format!("Come in: {text}")), Ok(link()));
        assert_eq!(
            Link::parse(&format!("  {}\n{}  ", &text[..60], &text[60..])),
            Ok(link())
        );
        assert_eq!(Link::parse(&format!("<{text}>")), Ok(link()));
        assert_eq!(Link::parse(&format!("{text} see you there")), Ok(link()));
        assert_eq!(
            Link::parse(&format!("#soup {text} #tonight 7pm")),
            Ok(link())
        );
        assert!(text.len() < 300, "fits a QR code: {}", text.len());
    }

    #[test]
    fn a_private_link_says_so() {
        let private = Link {
            kind: InviteKind::Private,
            ..link()
        };
        let text = private.to_text("https://any.example");
        assert_eq!(Link::parse(&text), Ok(private));
        let mut later = vec![3];
        later.extend_from_slice(&[0; 100]);
        assert_eq!(Link::decode(&later), Err(LinkError::Newer));
    }

    #[test]
    fn every_cut_is_noticed() {
        let text = link().to_text("https://any.example");
        for end in 0..text.len() {
            assert_eq!(
                Link::parse(&text[..end]),
                Err(LinkError::Broken),
                "cut at {end}"
            );
        }
    }

    #[test]
    fn a_later_version_is_told_from_a_broken_one() {
        let text = link().to_text("https://any.example").replace("#1.", "#2.");
        assert_eq!(Link::parse(&text), Err(LinkError::Newer));
        assert_eq!(Link::parse("bring #2.5 apples"), Err(LinkError::Broken));
    }

    #[test]
    fn only_sound_relay_addresses_pass() {
        for good in [
            "https://a.example",
            "http://127.0.0.1:7700",
            "http://localhost:1",
            "https://[::1]:9",
        ] {
            assert_eq!(relay_address(good), Ok(good.to_owned()));
        }
        for bad in [
            "http://a.example",
            "https://",
            "ftp://a",
            "https://a/b",
            "https://a?b",
            "https://u@a",
        ] {
            assert_eq!(relay_address(bad), Err(LinkError::Broken), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in ".{0,300}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Link::parse(&text);
            let _ = Link::decode(&bytes);
            let check = hash(&bytes);
            let whole = [&bytes[..], &check[..4]].concat();
            let _ = Link::parse(&format!("#1.{}", Base64UrlUnpadded::encode_string(&whole)));
        }
    }
}

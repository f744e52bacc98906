//! Addresses of devices at push services: which forms are taken, and which services are asked.
//!
//! An address comes from a stranger, and the relay is what connects to it. So only one narrow form is taken, only services
//! that the operator lists, and what their names stand for has to be an address of the public network, unless the operator
//! says of a service that it need not be.

use crate::config::WebPush;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use ume_wire::limits::{PUSH_ENDPOINT_BYTES_MAX, PUSH_ORIGIN_BYTES_MAX};

const SCHEME: &str = "https://";
const PORT: u16 = 443;

/// A device's address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(super) host: String,
    pub(super) port: u16,
    /// With what may follow it after a question mark.
    pub(super) path: String,
}

impl Endpoint {
    /// Reads an address in the form that browsers give it in: all other ways to write the same are refused.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > PUSH_ENDPOINT_BYTES_MAX {
            return None;
        }
        let rest = text.strip_prefix(SCHEME)?;
        let (place, path) = rest.split_at(rest.find('/')?);
        let (host, port) = host_and_port(place)?;
        (is_host(host) && is_path(path)).then(|| Self {
            host: host.to_owned(),
            port: port.unwrap_or(PORT),
            path: path.to_owned(),
        })
    }

    /// Host, port and path.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn into_parts(self) -> (String, u16, String) {
        (self.host, self.port, self.path)
    }

    /// Host, and port unless it is the usual one.
    pub(super) fn authority(&self) -> String {
        match self.port {
            PORT => self.host.clone(),
            port => format!("{}:{port}", self.host),
        }
    }

    /// Whom a token is for (RFC 8292, section 2).
    pub(super) fn audience(&self) -> String {
        format!("{SCHEME}{}", self.authority())
    }
}

/// Whether this can stand before the path of the app's address.
pub(crate) fn is_origin(text: &str) -> bool {
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte);
    text.is_empty()
        || text.len() <= PUSH_ORIGIN_BYTES_MAX
            && text
                .strip_prefix(SCHEME)
                .is_some_and(|place| !place.is_empty() && place.bytes().all(fits))
}

fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let Some((host, port)) = text.split_once(':') else {
        return Some((text, None));
    };
    let is_plain = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
    let port = port.parse().ok().filter(|_| is_plain)?;
    Some((host, Some(port)))
}

/// A name in small letters (RFC 1123 section 2.1), and no address: what ends in a number would be read as one.
fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(fits)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last
            .strip_prefix("0x")
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    text.len() <= 253 && text.split('.').all(is_label) && !is_number
}

/// A path as RFC 3986 writes it, with a query; no fragment.
fn is_path(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_escaped = |at: usize| {
        let digits = bytes.get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => is_escaped(at),
        byte => byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@?".contains(byte),
    })
}

/// A service that may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    host: String,
    /// All names below it, rather than itself.
    is_below: bool,
    port: u16,
    /// It may be at an address that only this network has.
    pub(super) is_private: bool,
}

impl Rule {
    fn read(text: &str, is_private: bool) -> Option<Self> {
        let (host, port) = host_and_port(text)?;
        let below = host.strip_prefix("*.");
        let name = below.unwrap_or(host);
        // All names below "org" are nobody's service, and one of a single label is for a network of one's own.
        let has_labels = name.contains('.') || is_private && below.is_none();
        (is_host(name) && has_labels && !(is_private && below.is_some())).then(|| Self {
            host: name.to_owned(),
            is_below: below.is_some(),
            port: port.unwrap_or(PORT),
            is_private,
        })
    }

    fn holds(&self, endpoint: &Endpoint) -> bool {
        let is_host = if self.is_below {
            let front = endpoint.host.strip_suffix(&self.host);
            front.is_some_and(|front| front.len() > 1 && front.ends_with('.'))
        } else {
            endpoint.host == self.host
        };
        is_host && endpoint.port == self.port
    }
}

/// All services that may be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules(Vec<Rule>);

impl Rules {
    /// Those of a configuration. What is no rule allows nothing.
    pub(crate) fn of(push: &WebPush) -> Self {
        let of = |texts: &[String], is_private| {
            let rules = texts.iter().filter_map(|text| Rule::read(text, is_private));
            rules.collect::<Vec<_>>()
        };
        Self([of(&push.private, true), of(&push.allow, false)].concat())
    }

    /// What in a configuration is no rule.
    pub(crate) fn faults(push: &WebPush) -> Vec<String> {
        let public = push
            .allow
            .iter()
            .filter(|text| Rule::read(text, false).is_none())
            .map(|text| {
                format!(
                    "push_allow: {text:?} is no name like \"push.example.org\", \"*.example.org\" or \"push.example.org:8443\""
                )
            });
        let private = push
            .private
            .iter()
            .filter(|text| Rule::read(text, true).is_none())
            .map(|text| {
                format!("push_private: {text:?} is no name like \"push.lan\" or \"push.lan:8443\"")
            });
        public.chain(private).collect()
    }

    /// The one by which an address may be asked.
    pub(crate) fn rule(&self, endpoint: &Endpoint) -> Option<&Rule> {
        self.0.iter().find(|rule| rule.holds(endpoint))
    }
}

/// Whether an address is one of the public network (the registries of RFC 6890 and what came after it).
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped().or_else(|| translated(address)) {
            Some(inner) => is_public_v4(inner),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_special = match first {
        // This network, this machine, multicast and what is reserved.
        0 | 10 | 127 | 224..=255 => true,
        100 => (64..128).contains(&second),
        169 => second == 254,
        172 => (16..32).contains(&second),
        192 => matches!((second, third), (0, 0 | 2) | (88, 99) | (168, _)),
        198 => matches!((second, third), (18 | 19, _) | (51, 100)),
        203 => (second, third) == (0, 113),
        _ => false,
    };
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_special = match first {
        // Protocols, Teredo and the like; examples.
        0x2001 => second < 0x200 || second == 0xdb8,
        // 6to4 holds an address of the other kind.
        0x2002 => true,
        0x3fff => second < 0x1000,
        _ => false,
    };
    (0x2000..0x4000).contains(&first) && !is_special
}

/// The address of the other kind that stands in one of NAT64 (RFC 6052).
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let inner = address.to_bits() & u128::from(u32::MAX);
    (segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0])
        .then(|| Ipv4Addr::from_bits(u32::try_from(inner).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rules(allow: &[&str], private: &[&str]) -> Rules {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Rules::of(&WebPush {
            allow: texts(allow),
            private: texts(private),
            ..WebPush::default()
        })
    }

    #[test]
    fn what_browsers_give_is_taken() {
        let rules = Rules::of(&WebPush::default());
        for text in [
            "https://fcm.googleapis.com/fcm/send/cXy-_:APA91bH~a",
            "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABl_-x",
            "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAC%2bTqA%2f%3d%3d",
            "https://web.push.apple.com/QKz0-_x",
            "https://web.push.apple.com:443/QKz0",
        ] {
            let endpoint = Endpoint::parse(text).expect(text);
            assert!(rules.rule(&endpoint).is_some(), "{text}");
            assert!(!endpoint.audience().contains("443"), "{text}");
        }
    }

    #[test]
    fn every_other_way_to_write_an_address_is_refused() {
        let long = format!("https://fcm.googleapis.com/{}", "a".repeat(1024));
        for text in [
            "",
            "https://",
            "https://fcm.googleapis.com",
            "https://fcm.googleapis.com?x",
            "http://fcm.googleapis.com/a",
            "HTTPS://fcm.googleapis.com/a",
            "https:/fcm.googleapis.com/a",
            "https:\\\\fcm.googleapis.com/a",
            "//fcm.googleapis.com/a",
            " https://fcm.googleapis.com/a",
            "https://fcm.googleapis.com/a ",
            "https://fcm.googleapis.com/a\r\nHost: evil",
            "https://fcm.googleapis.com/a\0",
            "https://fcm.googleapis.com/a#b",
            "https://fcm.googleapis.com/\u{e4}",
            "https://fcm.googleapis.com/%",
            "https://fcm.googleapis.com/%4",
            "https://fcm.googleapis.com/%zz",
            "https://fcm.googleapis.com/a\\b",
            "https://fcm.googleapis.com/a\"b",
            "https://FCM.googleapis.com/a",
            "https://fcm.googleapis.com./a",
            "https://.fcm.googleapis.com/a",
            "https://fcm..googleapis.com/a",
            "https://-fcm.googleapis.com/a",
            "https://fcm_.googleapis.com/a",
            "https://fcm.googleapis.com:/a",
            "https://fcm.googleapis.com:0/a",
            "https://fcm.googleapis.com:0443/a",
            "https://fcm.googleapis.com:+443/a",
            "https://fcm.googleapis.com:65536/a",
            "https://fcm.googleapis.com:443:443/a",
            "https://user@fcm.googleapis.com/a",
            "https://user:word@fcm.googleapis.com/a",
            "https://fcm.googleapis.com@evil.example/a",
            "https://fcm.googleapis.com:443@evil.example/a",
            "https://evil.example\\@fcm.googleapis.com/a",
            "https://127.0.0.1/a",
            "https://127.1/a",
            "https://2130706433/a",
            "https://0x7f000001/a",
            "https://0x7f.0.0.1/a",
            "https://0x/a",
            "https://fcm.googleapis.com.1/a",
            "https://[::1]/a",
            "https://[::ffff:127.0.0.1]:443/a",
            "https://xn--/a\u{200b}",
            "https://b\u{fc}cher.example/a",
            &long,
        ] {
            assert_eq!(Endpoint::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_listed_services_are_asked() {
        let rules = rules(
            &[
                "push.example.org",
                "*.below.example.org",
                "port.example.org:8443",
            ],
            &["localhost:9443", "push.lan"],
        );
        let asked = |text: &str| rules.rule(&Endpoint::parse(text).expect(text)).cloned();
        for (text, is_private) in [
            ("https://push.example.org/a", false),
            ("https://a.below.example.org/a", false),
            ("https://a.b.below.example.org/a", false),
            ("https://port.example.org:8443/a", false),
            ("https://localhost:9443/a", true),
            ("https://push.lan/a", true),
        ] {
            let rule = asked(text).expect(text);
            assert_eq!(rule.is_private, is_private, "{text}");
        }
        for text in [
            "https://example.org/a",
            "https://a.push.example.org/a",
            "https://push.example.org:8443/a",
            "https://push.example.org.evil.example/a",
            "https://evilpush.example.org/a",
            "https://below.example.org/a",
            "https://evilbelow.example.org/a",
            "https://a.below.example.org:444/a",
            "https://port.example.org/a",
            "https://localhost/a",
            "https://a.push.lan/a",
        ] {
            assert_eq!(asked(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_rule_is_named() {
        let faults = |allow: &[&str], private: &[&str]| {
            let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
            let push = WebPush {
                allow: texts(allow),
                private: texts(private),
                ..WebPush::default()
            };
            Rules::faults(&push).len()
        };
        assert_eq!(faults(&[], &[]), 0);
        assert_eq!(Rules::faults(&WebPush::default()).len(), 0);
        for wrong in [
            "*",
            "*.",
            "*.org",
            "localhost",
            "https://a.example",
            "a.example/",
            "10.0.0.1",
            "[::1]",
            "a.example:",
            "a.example:0",
            "*a.example",
            "a.*.example",
            "a.example:port",
        ] {
            assert_eq!(faults(&[wrong], &[]), 1, "{wrong}");
        }
        for wrong in ["*.lan", "*.example.org", "10.0.0.1", "[::1]:9443", ""] {
            assert_eq!(faults(&[], &[wrong]), 1, "{wrong}");
        }
    }

    #[test]
    fn only_public_addresses_are_connected_to() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "fc00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:200::1",
            "2a00:1450:4001::200e",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn an_origin_holds_nothing_but_a_place() {
        for text in [
            "",
            "https://ume.example",
            "https://ume.example:8443",
            "https://[2001:db8::1]",
        ] {
            assert!(is_origin(text), "{text}");
        }
        let long = format!("https://{}", "a".repeat(121));
        for text in [
            "https://",
            "http://ume.example",
            "ume.example",
            "https://ume.example/",
            "https://a\"b",
            "https://A.example",
            "https://a@b",
            "https://a?b",
            "https://a#b",
            "https://a b",
            &long,
        ] {
            assert!(!is_origin(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_says_where_it_goes_and_nothing_else(text in "https://[a-z0-9.:@/?%#-]{0,40}") {
            if let Some(endpoint) = Endpoint::parse(&text) {
                let again = format!("{}{}", endpoint.audience(), endpoint.path);
                let again = Endpoint::parse(&again);
                let begin = format!("https://{}", endpoint.host);
                prop_assert!(text.starts_with(&begin));
                prop_assert_eq!(again.as_ref(), Some(&endpoint));
                prop_assert!(text.ends_with(&endpoint.path));
            }
        }
    }
}

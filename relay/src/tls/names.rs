//! Whom a certificate is for.

use std::net::IpAddr;
use x509_parser::extensions::GeneralName;

/// Names and addresses that a certificate is for (RFC 5280 section 4.2.1.6), names in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    names: Vec<String>,
    addresses: Vec<IpAddr>,
}

impl Names {
    /// Reads them from a certificate (DER).
    pub(super) fn of(certificate: &[u8]) -> Self {
        let mut found = Self::default();
        let Ok((_, certificate)) = x509_parser::parse_x509_certificate(certificate) else {
            return found;
        };
        let Ok(Some(names)) = certificate.subject_alternative_name() else {
            return found;
        };
        for name in &names.value.general_names {
            match name {
                GeneralName::DNSName(name) => found.names.push(name.to_ascii_lowercase()),
                GeneralName::IPAddress(bytes) => found.addresses.extend(address(bytes)),
                _ => {}
            }
        }
        found
    }

    /// Names that were asked for.
    pub(super) fn given(names: &[String]) -> Self {
        Self {
            names: names.iter().map(|name| name.to_ascii_lowercase()).collect(),
            addresses: Vec::new(),
        }
    }

    /// Whether a host of a URL, without its port, is one of them. A star stands for one label (RFC 9525 section 6.3).
    pub(super) fn hold(&self, host: &str) -> bool {
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        if let Ok(address) = bare.unwrap_or(host).parse::<IpAddr>() {
            return self.addresses.contains(&address);
        }
        let host = host.to_ascii_lowercase();
        let below = host.split_once('.').filter(|(label, _)| !label.is_empty());
        self.names.iter().any(|name| {
            let star = name.strip_prefix("*.");
            *name == host || star.is_some_and(|name| below.is_some_and(|(_, rest)| rest == name))
        })
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(names: &[&str]) -> Vec<u8> {
        let key = rcgen::KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let certificate = rcgen::CertificateParams::new(names).unwrap();
        certificate.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn only_what_the_certificate_says_is_ours() {
        let names = Names::of(&certificate(&[
            "Relay.Test",
            "*.wide.test",
            "192.0.2.1",
            "2001:db8::1",
        ]));
        for host in [
            "relay.test",
            "RELAY.test",
            "a.wide.test",
            "192.0.2.1",
            "[2001:db8::1]",
        ] {
            assert!(names.hold(host), "{host}");
        }
        for host in [
            "",
            "other.test",
            "relay.test.evil.example",
            "wide.test",
            ".wide.test",
            "a.b.wide.test",
            "192.0.2.2",
            "[::1]",
        ] {
            assert!(!names.hold(host), "{host}");
        }
        assert_eq!(Names::of(b"no certificate"), Names::default());
        assert!(Names::given(&["A.test".into()]).hold("a.test"));
    }
}

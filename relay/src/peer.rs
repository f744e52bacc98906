//! Whom a connection comes from, for limits by network. This is held in memory while it is needed, and written nowhere.

use hyper::header::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// Header in which proxies say for whom they speak. Only this one: a proxy that adds to one header and passes another one
/// on as it came would let clients choose their address.
const FORWARDED_FOR: &str = "x-forwarded-for";
/// Proxies one behind the other.
const HOPS_MAX: usize = 16;

/// The other end of a connection. Deliberately without `Debug`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer(IpAddr);

impl Peer {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self(address.ip().to_canonical())
    }

    /// Its address.
    pub(crate) fn address(self) -> IpAddr {
        self.0
    }

    /// Whether requests on this connection come from others, who are known only once a request is there.
    pub(crate) fn is_proxy(self, trusted: &[IpNet]) -> bool {
        is_trusted(self.0, trusted)
    }

    /// From whom a request comes: the peer, or if that is a trusted proxy, whom it speaks for.
    pub(crate) fn client(self, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
        let mut client = self.0;
        let values = headers.get_all(FORWARDED_FOR).iter().rev();
        let hops = values.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
        // From the nearest on: each hop was written by the one before, so a hop counts if that one is trusted.
        for hop in hops.take(HOPS_MAX) {
            if !is_trusted(client, trusted) {
                break;
            }
            match parse(hop.trim()) {
                Some(address) => client = address,
                None => break,
            }
        }
        client
    }
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// An address, with or without a port.
fn parse(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']'));
    let address = bare.unwrap_or(hop).parse().ok();
    let address = address.or_else(|| Some(hop.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let peer = Peer::new(SocketAddr::new(peer.parse().unwrap(), 1));
        peer.client(&headers, &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("::ffff:10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_clients_write_themselves_does_not_count() {
        // The client wrote the first one; the proxy added the second.
        assert_eq!(
            client("10.0.0.1", &["10.9.9.9, 198.51.100.7"]),
            "198.51.100.7"
        );
        assert_eq!(
            client("10.0.0.1", &["203.0.113.9, 198.51.100.7"]),
            "198.51.100.7"
        );
        assert_eq!(
            client("10.0.0.1", &["203.0.113.9", "198.51.100.7, 10.0.0.2"]),
            "198.51.100.7"
        );
        assert_eq!(client("10.0.0.1", &["198.51.100.7, nonsense"]), "10.0.0.1");
    }

    #[test]
    fn ports_and_brackets_are_known() {
        assert_eq!(client("::1", &["198.51.100.7:4711"]), "198.51.100.7");
        assert_eq!(client("::1", &["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(client("::1", &["[2001:db8::1]"]), "2001:db8::1");
        assert_eq!(client("::1", &["2001:db8::1"]), "2001:db8::1");
    }
}

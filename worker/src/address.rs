//! From a relay's address to its ways in.

/// The WebSocket of a relay: `https://host[:port]` gives `wss://host[:port]/v1/ws`, `http://` gives `ws://`. `None` when
/// the address is anything else than a scheme, a host and perhaps a port.
#[must_use]
pub fn socket_url(relay: &str) -> Option<String> {
    let (secure, authority) = parts(relay)?;
    let scheme = if secure { "wss" } else { "ws" };
    Some(format!("{scheme}://{authority}/v1/ws"))
}

/// Where a relay takes frames by `POST`: `https://host[:port]/v1/f`. `None` as for [`socket_url`].
#[must_use]
pub fn post_url(relay: &str) -> Option<String> {
    let (secure, authority) = parts(relay)?;
    let scheme = if secure { "https" } else { "http" };
    Some(format!("{scheme}://{authority}/v1/f"))
}

/// Whether the relay has TLS, and its host with its port.
fn parts(relay: &str) -> Option<(bool, &str)> {
    let (secure, authority) = match relay.strip_prefix("https://") {
        Some(rest) => (true, rest),
        None => (false, relay.strip_prefix("http://")?),
    };
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    (!authority.is_empty() && authority.bytes().all(plain)).then_some((secure, authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_ways_in() {
        assert_eq!(
            post_url("http://[::1]:7700/").as_deref(),
            Some("http://[::1]:7700/v1/f")
        );
        assert_eq!(post_url("https://ume.example/j"), None);
        assert_eq!(
            socket_url("https://ume.example").as_deref(),
            Some("wss://ume.example/v1/ws")
        );
        assert_eq!(
            socket_url("http://127.0.0.1:7700/").as_deref(),
            Some("ws://127.0.0.1:7700/v1/ws")
        );
        assert_eq!(
            socket_url("http://[::1]:7700").as_deref(),
            Some("ws://[::1]:7700/v1/ws")
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for address in [
            "",
            "https://",
            "ftp://a",
            "https://a/b",
            "https://u@a",
            "https://a?b",
            "https://a#b",
            "https://a b",
        ] {
            assert_eq!(socket_url(address), None, "{address}");
        }
    }
}

//! From a relay's address to its WebSocket.

/// The WebSocket of a relay: `https://host[:port]` gives `wss://host[:port]/v1/ws`, `http://` gives `ws://`. `None` when
/// the address is anything else than a scheme, a host and perhaps a port.
#[must_use]
pub fn socket_url(relay: &str) -> Option<String> {
    let (scheme, authority) = if let Some(rest) = relay.strip_prefix("https://") {
        ("wss", rest)
    } else {
        ("ws", relay.strip_prefix("http://")?)
    };
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    if authority.is_empty() || !authority.bytes().all(plain) {
        return None;
    }
    Some(format!("{scheme}://{authority}/v1/ws"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_sockets() {
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

//! The server's side of the WebSocket protocol (RFC 6455), made for few sizes, many connections and shared frames.
//!
//! - [`Decoder`] turns bytes into [`Event`]s, in whatever pieces they come, and holds nothing but an unfinished message.
//!   What breaks the rules is refused as early as it can be seen: a length that is too long from its header alone.
//! - [`encode`] makes whole frames, header included, as [`bytes::Bytes`]: encoded once, sent to as many as want it.
//! - [`Socket`] puts both over a stream. It reads into a buffer that all sockets of a thread share, so that an idle one has
//!   none, and writes what is queued with as few calls as possible.
//!
//! No extensions (RFC 6455 section 9) are spoken: compression beside encryption tells lengths apart.

mod decode;
pub mod encode;
mod mask;
mod socket;

pub use decode::{Decoder, Event, Limits, Reason, Violation};
pub use socket::{Socket, SocketError};

/// Codes that say why a connection is closed (RFC 6455 section 7.4.1 and IANA's registry).
pub mod code {
    /// The connection has served its purpose.
    pub const NORMAL: u16 = 1000;
    /// The rules of the protocol were broken.
    pub const PROTOCOL: u16 = 1002;
    /// A kind of message that is not served here.
    pub const UNSUPPORTED: u16 = 1003;
    /// A text that is not UTF-8.
    pub const INVALID: u16 = 1007;
    /// Something that this server does not put up with.
    pub const POLICY: u16 = 1008;
    /// The message is too long.
    pub const TOO_BIG: u16 = 1009;
    /// The server fails.
    pub const INTERNAL: u16 = 1011;
    /// The server stops; come back in a while.
    pub const RESTART: u16 = 1012;
}

/// The value of `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key` (RFC 6455 section 4.2.2).
pub fn accept_key(key: &[u8]) -> String {
    let mut digest = sha1_smol::Sha1::new();
    digest.update(key);
    digest.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    data_encoding::BASE64.encode(&digest.digest().bytes())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_handshake_of_the_rfc() {
        let accept = super::accept_key(b"dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}

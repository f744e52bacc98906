//! A WebSocket to a relay on this machine, as plainly as it goes: blocking, with a patience.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A final binary message with a mask (RFC 6455, section 5.2), and the mark of a length of two bytes.
const BINARY: u8 = 0x82;
const MASKED: u8 = 0x80;
const TWO_BYTES: u8 = 126;
const PING: u8 = 9;
const CLOSE: u8 = 8;
/// Nothing between us and a relay on this machine caches, so any mask does.
const MASK: [u8; 4] = [0; 4];

/// A connection.
pub(crate) struct Socket {
    stream: TcpStream,
    /// What came in and is no whole frame yet.
    inflow: Vec<u8>,
}

impl Socket {
    /// Connects to the relay at an address like `http://127.0.0.1:7700`.
    pub(crate) fn open(relay: &str) -> io::Result<Self> {
        let host = relay
            .strip_prefix("http://")
            .ok_or(ErrorKind::InvalidInput)?;
        let mut stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET /v1/ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        stream.write_all(request.as_bytes())?;
        let mut head = vec![];
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        if !head.starts_with(b"HTTP/1.1 101") {
            return Err(io::Error::other("the relay opens no WebSocket"));
        }
        Ok(Self {
            stream,
            inflow: vec![],
        })
    }

    /// Sends one message of fewer than 65,536 bytes.
    pub(crate) fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        let length = u16::try_from(payload.len()).map_err(|_| ErrorKind::InvalidInput)?;
        let mut out = vec![BINARY, MASKED | TWO_BYTES];
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&MASK);
        out.extend_from_slice(payload);
        self.stream.write_all(&out)
    }

    /// The next message; nothing if none comes for so long.
    pub(crate) fn receive(&mut self, patience: Duration) -> io::Result<Option<Vec<u8>>> {
        let patience = patience.max(Duration::from_millis(1));
        self.stream.set_read_timeout(Some(patience))?;
        let mut scratch = vec![0; 64 * 1024];
        loop {
            while let Some((opcode, payload)) = self.whole() {
                match opcode {
                    CLOSE => return Err(ErrorKind::ConnectionAborted.into()),
                    PING => {}
                    _ => return Ok(Some(payload)),
                }
            }
            match self.stream.read(&mut scratch) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.inflow.extend_from_slice(&scratch[..count]),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes the first whole frame out of what came in.
    fn whole(&mut self) -> Option<(u8, Vec<u8>)> {
        let (first, second) = (*self.inflow.first()?, *self.inflow.get(1)?);
        let (head, length) = match second {
            TWO_BYTES => {
                let bytes = [*self.inflow.get(2)?, *self.inflow.get(3)?];
                (4, usize::from(u16::from_be_bytes(bytes)))
            }
            short => (2, usize::from(short)),
        };
        let payload = self.inflow.get(head..head + length)?.to_vec();
        self.inflow.drain(..head + length);
        Some((first & 0x0f, payload))
    }
}

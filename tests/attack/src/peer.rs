//! A client that can do what no honest one would: raw bytes on a socket, and the relay's protocol on top when wanted.

use crate::{Fault, Result};
use bytes::Bytes;
use ed25519_dalek::SigningKey;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time,
};
use ume_wire::{
    auth::{Hash, Statement, hash, relay_id},
    frame,
    limits::{CELL_BYTES, FRAME_BYTES},
    relay::{Append, Frame, Hello, LaneKind, LaneNew, Read, Subscribe, frame::Body},
};

/// A small window: what the relay cannot hand on stays with the relay.
const RECEIVE_BYTES: u32 = 8 * 1024;
const PATIENCE: Duration = Duration::from_secs(10);

/// A final binary message; a final ping; an empty part of a message that goes on; the rest of a message, not its end.
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const PING: u8 = 0x89;
pub(crate) const BINARY_BEGIN: u8 = 0x02;
pub(crate) const CONTINUATION: u8 = 0x00;

const MASKED: u8 = 0x80;
/// Marks of a length of two and of eight bytes.
const TWO_BYTES: u8 = 0x7e;
const EIGHT_BYTES: u8 = 0x7f;

/// The address that the nth attacker comes from: 16 share one. Honest clients come from elsewhere.
pub(crate) fn source(n: usize) -> Ipv4Addr {
    let house = n / 16;
    let part = |value: usize| u8::try_from(value % 200).unwrap_or(0) + 1;
    Ipv4Addr::new(127, 1, part(house / 200), part(house))
}

/// A TCP connection from an address of this machine.
pub(crate) async fn tcp(to: SocketAddr, from: Ipv4Addr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(RECEIVE_BYTES)?;
    socket.bind(SocketAddr::new(IpAddr::V4(from), 0))?;
    let stream = time::timeout(PATIENCE, socket.connect(to))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Header of a client's WebSocket frame (RFC 6455 section 5.2) with a declared length and a mask of zeros, which leaves
/// the payload as it is.
pub(crate) fn header(first: u8, length: u64) -> Vec<u8> {
    let mut out = vec![first];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ 0..=125), _) => out.push(MASKED | length),
        (_, Ok(length)) => {
            out.push(MASKED | TWO_BYTES);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(MASKED | EIGHT_BYTES);
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out
}

/// A client's WebSocket frame.
pub(crate) fn message(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = header(first, payload.len() as u64);
    out.extend_from_slice(payload);
    out
}

/// A request as it travels in a WebSocket.
pub(crate) fn request(number: u32, body: Body) -> Result<Vec<u8>> {
    Ok(message(BINARY, &raw(number, body)?))
}

/// A request as it travels in a `POST`.
pub(crate) fn raw(number: u32, body: Body) -> Result<Bytes> {
    let frame = Frame {
        request: number,
        body: Some(body),
    };
    frame::encode(&frame).map_err(|error| Fault::new(error.to_string()))
}

/// Head of a `POST` of frames.
pub(crate) fn post_head(length: usize) -> String {
    format!("POST /v1/f HTTP/1.1\r\nHost: relay\r\nContent-Length: {length}\r\n\r\n")
}

/// Sends one frame by `POST` and gives what its answer carries.
pub(crate) async fn post(to: SocketAddr, from: Ipv4Addr, frame: &[u8]) -> Result<Option<Body>> {
    let mut stream = tcp(to, from).await?;
    let head = post_head(frame.len()).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    stream.write_all(&[head.as_bytes(), frame].concat()).await?;
    let mut answer = Vec::new();
    time::timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .map_err(|_| Fault::new("the relay does not answer a POST"))??;
    if !answer.starts_with(b"HTTP/1.1 200") {
        let line = String::from_utf8_lossy(&answer);
        let line = line.lines().next().unwrap_or("nothing").to_owned();
        return Err(Fault::new(format!("a POST is answered with {line}")));
    }
    // One frame: behind the header, alone or as the one chunk (RFC 9112 section 7.1) that starts with its size.
    let chunk = format!("\r\n{FRAME_BYTES:x}\r\n");
    let marks = [b"\r\n\r\n".as_slice(), chunk.as_bytes()];
    let payload = marks.iter().find_map(|mark| {
        let at = answer
            .windows(mark.len())
            .position(|window| window == *mark)?;
        let bytes = answer.get(at + mark.len()..at + mark.len() + FRAME_BYTES)?;
        frame::decode(&Bytes::copy_from_slice(bytes)).ok()
    });
    payload
        .map(|frame| frame.body)
        .ok_or_else(|| Fault::new("a POST is answered with no frame"))
}

/// A cell that differs for every number.
pub(crate) fn cell(number: u64) -> Bytes {
    let mut cell = vec![0; CELL_BYTES];
    cell[..8].copy_from_slice(&number.to_le_bytes());
    cell.into()
}

/// Reads and throws away until the relay closes; how long that took, or nothing if it did not by then.
pub(crate) async fn closed_within(stream: &mut TcpStream, limit: Duration) -> Option<Duration> {
    let start = time::Instant::now();
    let mut scratch = vec![0; 64 * 1024];
    let closed = async {
        while let Ok(count) = stream.read(&mut scratch).await {
            if count == 0 {
                break;
            }
        }
    };
    time::timeout(limit, closed)
        .await
        .ok()
        .map(|()| start.elapsed())
}

/// What signatures on one connection are bound to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Here {
    relay: Hash,
    challenge: Bytes,
}

/// A lane whose every key is made from one number.
pub(crate) struct Lane {
    new: LaneNew,
    key: SigningKey,
}

impl Lane {
    pub(crate) fn new(kind: LaneKind, number: u64, ttl_seconds: u32) -> Self {
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        let key = SigningKey::from_bytes(&seed);
        let public = Bytes::copy_from_slice(key.verifying_key().as_bytes());
        let mut lane = hash(&seed);
        // A first bit of 0 leaves the choice of the id free.
        lane[0] &= 0x7f;
        let new = LaneNew {
            lane: Bytes::copy_from_slice(&lane),
            kind: kind.into(),
            writers: vec![public.clone()],
            reader: public.clone(),
            owner: public,
            ttl_seconds,
            acceptors: 1,
            ..LaneNew::default()
        };
        Self { new, key }
    }

    pub(crate) fn id(&self) -> &Bytes {
        &self.new.lane
    }

    pub(crate) fn key(&self) -> &SigningKey {
        &self.key
    }

    pub(crate) fn create(&self) -> Body {
        Body::LaneNew(self.new.clone())
    }

    /// On a connection one signature serves all cells; in a `POST` each cell has its own.
    pub(crate) fn append(&self, here: &Here, cell: Bytes) -> Body {
        let signature = if here.challenge.is_empty() {
            Statement::Append(&self.new.lane, &hash(&cell)).sign(&self.key)
        } else {
            Statement::AppendHere(&here.relay, &here.challenge, &self.new.lane).sign(&self.key)
        };
        Body::Append(Append {
            lane: self.new.lane.clone(),
            cell,
            signature: Bytes::copy_from_slice(&signature),
        })
    }

    pub(crate) fn read(&self, here: &Here, from: u64) -> Body {
        Body::Read(Read {
            lane: self.new.lane.clone(),
            from,
            signature: self.read_signature(here),
        })
    }

    pub(crate) fn subscribe(&self, here: &Here, from: u64) -> Body {
        Body::Subscribe(Subscribe {
            lane: self.new.lane.clone(),
            from,
            signature: self.read_signature(here),
        })
    }

    pub(crate) fn read_signature(&self, here: &Here) -> Bytes {
        let signature = if here.challenge.is_empty() {
            Statement::Read(&self.new.lane).sign(&self.key)
        } else {
            Statement::ReadHere(&here.relay, &here.challenge, &self.new.lane).sign(&self.key)
        };
        Bytes::copy_from_slice(&signature)
    }
}

/// An open WebSocket to a relay.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    pub(crate) here: Here,
    received: Vec<u8>,
    number: u32,
}

impl Peer {
    /// Connects and upgrades, and says nothing.
    pub(crate) async fn open(to: SocketAddr, from: Ipv4Addr) -> Result<Self> {
        let mut stream = tcp(to, from).await?;
        let head = "GET /v1/ws HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(head.as_bytes()).await?;
        let mut received = Vec::new();
        let end = loop {
            let end = received.windows(4).position(|window| window == b"\r\n\r\n");
            if let Some(end) = end {
                break end + 4;
            }
            fill(&mut stream, &mut received).await?;
        };
        if !received.starts_with(b"HTTP/1.1 101") {
            return Err(Fault::new("the relay does not upgrade"));
        }
        received.drain(..end);
        Ok(Self {
            stream,
            here: Here::default(),
            received,
            number: 0,
        })
    }

    /// Connects and says hello.
    pub(crate) async fn greet(to: SocketAddr, from: Ipv4Addr) -> Result<Self> {
        let mut peer = Self::open(to, from).await?;
        let hello = Hello {
            version_min: 1,
            version_max: 1,
            nonce: Bytes::from_static(&[9; 32]),
            pace: None,
        };
        match peer.ask(Body::Hello(hello)).await? {
            Body::Welcome(welcome) => {
                peer.here = Here {
                    relay: relay_id(&welcome.relay_key),
                    challenge: welcome.challenge,
                };
                Ok(peer)
            }
            other => Err(Fault::new(format!("no welcome but {}", kind(&other)))),
        }
    }

    pub(crate) async fn send(&mut self, body: Body) -> Result<u32> {
        self.number = self.number.wrapping_add(1).max(1);
        let bytes = request(self.number, body)?;
        time::timeout(PATIENCE, self.stream.write_all(&bytes))
            .await
            .map_err(|_| Fault::new("the relay does not read"))??;
        Ok(self.number)
    }

    /// The next frame of the protocol; pings and the like are passed over.
    pub(crate) async fn receive(&mut self) -> Result<Frame> {
        loop {
            let message = time::timeout(PATIENCE, self.message())
                .await
                .map_err(|_| Fault::new("the relay does not answer"))??;
            match message {
                (BINARY, payload) => {
                    return frame::decode(&payload).map_err(|error| Fault::new(error.to_string()));
                }
                (0x88, _) => return Err(Fault::new("the relay closes")),
                _ => {}
            }
        }
    }

    /// Sends a request and gives its first answer, passing over what comes on its own.
    pub(crate) async fn ask(&mut self, body: Body) -> Result<Body> {
        let number = self.send(body).await?;
        loop {
            let frame = self.receive().await?;
            if frame.request == number {
                return frame
                    .body
                    .ok_or_else(|| Fault::new("an answer without body"));
            }
        }
    }

    /// Sends a request that has to be answered with `Done`.
    pub(crate) async fn must(&mut self, body: Body) -> Result {
        match self.ask(body).await? {
            Body::Done(_) => Ok(()),
            other => Err(Fault::new(format!("not done but {}", kind(&other)))),
        }
    }

    async fn message(&mut self) -> Result<(u8, Bytes)> {
        loop {
            if let Some((first, start, length)) = parse(&self.received)
                && self.received.len() >= start + length
            {
                let payload = Bytes::copy_from_slice(&self.received[start..start + length]);
                self.received.drain(..start + length);
                return Ok((first, payload));
            }
            fill(&mut self.stream, &mut self.received).await?;
        }
    }
}

/// First byte, where the payload starts, how long it is.
fn parse(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (first, short) = (*bytes.first()?, *bytes.get(1)?);
    match short {
        TWO_BYTES => {
            let length = bytes.get(2..4)?.try_into().ok().map(u16::from_be_bytes)?;
            Some((first, 4, length.into()))
        }
        EIGHT_BYTES => {
            let length = bytes.get(2..10)?.try_into().ok().map(u64::from_be_bytes)?;
            Some((first, 10, usize::try_from(length).ok()?))
        }
        length => Some((first, 2, length.into())),
    }
}

async fn fill(stream: &mut TcpStream, into: &mut Vec<u8>) -> Result {
    match time::timeout(PATIENCE, stream.read_buf(into)).await {
        Ok(Ok(0)) => Err(Fault::new("the relay closed the connection")),
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Fault::new("the relay does not answer")),
    }
}

/// Name of a body, without what it carries.
pub(crate) fn kind(body: &Body) -> String {
    match body {
        Body::Refused(refused) => format!("refused {} ({})", refused.code, refused.detail),
        other => {
            let text = format!("{other:?}");
            text.split('(').next().unwrap_or_default().to_owned()
        }
    }
}

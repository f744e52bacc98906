//! How each server is spoken to. Every dialect can make a topic, subscribe to it, publish to it, and tell deliveries and
//! acknowledgements apart; nothing else of the servers matters here.

pub(crate) mod mqtt;
pub(crate) mod nats;
pub(crate) mod nostr;
pub(crate) mod raw;
pub(crate) mod ume;

use crate::ws;

/// What stands at the start of every payload: the number of the message, and which part of how many this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) number: u64,
    pub(crate) part: u16,
    pub(crate) parts: u16,
}

/// Bytes of a [`Tag`].
pub(crate) const TAG: usize = 12;

impl Tag {
    /// A message in one part.
    pub(crate) fn whole(number: u64) -> Self {
        Self {
            number,
            part: 0,
            parts: 1,
        }
    }

    pub(crate) fn bytes(self) -> [u8; TAG] {
        let mut out = [0; TAG];
        out[..8].copy_from_slice(&self.number.to_le_bytes());
        out[8..10].copy_from_slice(&self.part.to_le_bytes());
        out[10..].copy_from_slice(&self.parts.to_le_bytes());
        out
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; TAG] = bytes.get(..TAG)?.try_into().ok()?;
        let (number, rest) = bytes.split_first_chunk::<8>()?;
        Some(Self {
            number: u64::from_le_bytes(*number),
            part: u16::from_le_bytes([rest[0], rest[1]]),
            parts: u16::from_le_bytes([rest[2], rest[3]]),
        })
    }

    pub(crate) fn is_last(self) -> bool {
        self.part + 1 == self.parts
    }
}

/// What came in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The step of the setup that was asked for is done.
    Ready,
    /// A ume relay's answer to `Hello`.
    Welcome(Box<ume::Here>),
    /// A part of a message.
    Delivered(Tag),
    /// A part that we published is taken.
    Acked,
    /// Nothing that matters.
    Nothing,
    /// The server wants a sign of life.
    Ping(Vec<u8>),
    /// The server refuses, and why.
    Refused(String),
    /// The connection ended.
    Closed,
}

/// The next whole unit: how many bytes it has, which may be more than were looked at, and what it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) length: usize,
    pub(crate) seen: Seen,
}

/// What a connection asks for before the measurement begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Todo {
    Hello,
    Create(u32),
    Subscribe(u32),
}

/// What a connection learned on the way.
#[derive(Default)]
pub(crate) struct Session {
    pub(crate) here: ume::Here,
    signed: Option<(u32, [u8; 64])>,
    request: u32,
}

/// A way to speak.
#[derive(Clone)]
pub(crate) enum Dialect {
    Ume(ume::Ume),
    Nats(nats::Nats),
    Mqtt(mqtt::Mqtt),
    Nostr(nostr::Nostr),
    Raw,
}

impl Dialect {
    /// Whether a WebSocket is around it.
    pub(crate) fn is_websocket(&self) -> bool {
        !matches!(self, Self::Raw)
    }

    /// The first bytes on a connection, if any.
    pub(crate) fn opening(&self) -> Vec<u8> {
        match self {
            Self::Ume(_) => ws::request("/v1/ws", None),
            Self::Nats(_) | Self::Nostr(_) => ws::request("/", None),
            Self::Mqtt(_) => ws::request("/", Some("mqtt")),
            Self::Raw => Vec::new(),
        }
    }

    /// Asks for a step of the setup; false if this dialect has none of the kind.
    pub(crate) fn ask(&self, todo: Todo, session: &mut Session, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Ume(ume) => ume.ask(todo, session, out),
            Self::Nats(nats) => nats.ask(todo, out),
            Self::Mqtt(mqtt) => mqtt.ask(todo, out),
            Self::Nostr(_) => nostr::Nostr::ask(todo, out),
            Self::Raw => raw::ask(todo, out),
        }
    }

    /// In how many parts a payload of this many bytes travels. Each part is acknowledged for itself.
    pub(crate) fn parts(&self, size: usize) -> u16 {
        match self {
            Self::Ume(_) => ume::parts(size),
            _ => 1,
        }
    }

    /// Publishes a message.
    pub(crate) fn publish(
        &self,
        topic: u32,
        number: u64,
        size: usize,
        session: &mut Session,
        out: &mut Vec<u8>,
    ) {
        match self {
            Self::Ume(ume) => ume.publish(topic, number, size, session, out),
            Self::Nats(nats) => nats.publish(topic, number, size, out),
            Self::Mqtt(mqtt) => mqtt.publish(topic, number, size, session, out),
            Self::Nostr(nostr) => nostr.publish(topic, number, size, out),
            Self::Raw => raw::publish(number, size, out),
        }
    }

    /// Answers a [`Seen::Ping`].
    pub(crate) fn pong(&self, ping: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Nats(_) if ping == nats::PING => ws::frame(ws::BINARY, nats::PONG, out),
            _ => ws::frame(ws::PONG, ping, out),
        }
    }

    /// The unit at the start of some bytes, or nothing while too little of it is there. `frame` is the length of the
    /// WebSocket frame that the bytes are in.
    pub(crate) fn unit(&self, bytes: &[u8], frame: usize) -> Option<Unit> {
        match self {
            Self::Ume(_) => ume::unit(bytes),
            Self::Nats(_) => nats::unit(bytes),
            Self::Mqtt(_) => mqtt::unit(bytes),
            Self::Nostr(_) => nostr::unit(bytes, frame),
            Self::Raw => raw::unit(bytes),
        }
    }

    /// Whether publishing is answered, so that a publisher alone can keep a window.
    pub(crate) fn acknowledges(&self) -> bool {
        match self {
            Self::Ume(_) | Self::Nostr(_) => true,
            Self::Nats(nats) => nats.stream,
            Self::Mqtt(mqtt) => mqtt.qos > 0,
            Self::Raw => false,
        }
    }
}

impl Session {
    /// The next number of a request: never 0, the same width always.
    fn next(&mut self) -> u32 {
        self.request = self.request % 0x0fff_0000 + 1;
        self.request
    }
}

//! NATS: lines of text around payloads, many in one WebSocket frame. With a stream, `JetStream` stores what is published and
//! acknowledges it.

use super::{Seen, Tag, Todo, Unit};
use crate::ws;
use std::io::Write;

pub(crate) const PING: &[u8] = b"PING\r\n";
pub(crate) const PONG: &[u8] = b"PONG\r\n";

/// Number of the subscription that hears deliveries, and of the one that hears answers.
const DELIVERIES: &str = "1";
const ANSWERS: &str = "9";

/// Longest line that we look for: a server's INFO is the longest.
const LINE_MAX: usize = 4000;

#[derive(Clone, Debug)]
pub(crate) struct Nats {
    /// Whether a `JetStream` stream holds the topics.
    pub(crate) stream: bool,
}

impl Nats {
    pub(super) fn ask(&self, todo: Todo, out: &mut Vec<u8>) -> bool {
        let text = match todo {
            Todo::Hello => {
                // Answers come to an inbox of the connection's own; NATS sends a client what it published itself, too.
                "CONNECT {\"verbose\":false,\"pedantic\":false,\"protocol\":1,\"lang\":\"load\",\"version\":\"1\"}\r\nPING\r\n"
                    .to_owned()
            }
            Todo::Create(_) if !self.stream => return false,
            Todo::Create(topic) => {
                let config = format!(
                    "{{\"name\":\"load{topic}\",\"subjects\":[\"t.{topic}\"],\"storage\":\"file\",\"retention\":\"limits\",\"max_age\":0,\"num_replicas\":1,\"discard\":\"old\"}}"
                );
                format!(
                    "SUB i.{topic} {ANSWERS}\r\nPUB $JS.API.STREAM.CREATE.load{topic} i.{topic} {}\r\n{config}\r\n",
                    config.len()
                )
            }
            Todo::Subscribe(topic) => format!("SUB t.{topic} {DELIVERIES}\r\nPING\r\n"),
        };
        ws::frame(ws::BINARY, text.as_bytes(), out);
        true
    }

    pub(super) fn publish(&self, topic: u32, number: u64, size: usize, out: &mut Vec<u8>) {
        let mut message = Vec::with_capacity(size + 64);
        let inbox = if self.stream {
            format!("i.{topic} ")
        } else {
            String::new()
        };
        // Writing to memory does not fail.
        let _ = write!(message, "PUB t.{topic} {inbox}{size}\r\n");
        let start = message.len();
        message.extend_from_slice(&Tag::whole(number).bytes());
        message.resize(start + size, 0x5e);
        message.extend_from_slice(b"\r\n");
        ws::frame(ws::BINARY, &message, out);
    }
}

pub(super) fn unit(bytes: &[u8]) -> Option<Unit> {
    let look = &bytes[..bytes.len().min(LINE_MAX)];
    let end = look.windows(2).position(|end| end == b"\r\n")? + 2;
    let (line, after) = bytes.split_at(end);
    if !line.starts_with(b"MSG ") {
        let seen = match line {
            PING => Seen::Ping(PING.to_vec()),
            PONG => Seen::Ready,
            _ if line.starts_with(b"-ERR") => {
                Seen::Refused(String::from_utf8_lossy(line).trim().to_owned())
            }
            _ => Seen::Nothing,
        };
        return Some(Unit { length: end, seen });
    }
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split_ascii_whitespace();
    let (subscription, size) = (words.nth(2)?, words.next_back()?.parse::<usize>().ok()?);
    let seen = if subscription == DELIVERIES {
        Seen::Delivered(Tag::read(after)?)
    } else {
        let answer = after.get(..size)?;
        if answer.windows(7).any(|word| word == b"\"error\"") {
            Seen::Refused(String::from_utf8_lossy(answer).into_owned())
        } else if answer.windows(8).any(|word| word == b"\"config\"") {
            Seen::Ready
        } else {
            Seen::Acked
        }
    };
    Some(Unit {
        length: end + size + 2,
        seen,
    })
}

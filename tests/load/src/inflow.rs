//! What comes in on a connection, cut into the units of its dialect without keeping more than the head of one.

use crate::{
    dialect::{Dialect, Seen, Unit},
    ws::{self, Opcode},
};

/// Most bytes that a dialect may ask for before it knows a unit.
const HEAD_MAX: usize = 4096;

/// The state of one connection's incoming bytes.
#[derive(Default)]
pub(crate) struct Inflow {
    open: bool,
    /// A header of HTTP or of a WebSocket frame that is not whole yet.
    head: Vec<u8>,
    opcode: Option<Opcode>,
    /// Payload of the present frame, and how much of it is to come.
    frame: usize,
    left: usize,
    control: Vec<u8>,
    /// The head of a unit that is not whole yet.
    unit: Vec<u8>,
    /// Bytes of the present unit that are to come, and what it is.
    skip: usize,
    pending: Option<Seen>,
}

impl Inflow {
    /// Takes bytes and says what was seen in them.
    pub(crate) fn feed(&mut self, dialect: &Dialect, bytes: &[u8], see: &mut impl FnMut(Seen)) {
        if !dialect.is_websocket() {
            return self.units(dialect, bytes, see);
        }
        let mut bytes = bytes;
        if !self.open {
            match self.opening(bytes, see) {
                Some(rest) => bytes = &bytes[rest..],
                None => return,
            }
        }
        while !bytes.is_empty() {
            if self.left == 0 {
                match self.header(bytes) {
                    Some(taken) => bytes = &bytes[taken..],
                    None => return,
                }
            }
            let (now, later) = bytes.split_at(self.left.min(bytes.len()));
            self.left -= now.len();
            match self.opcode {
                Some(Opcode::Data) => self.units(dialect, now, see),
                Some(Opcode::Close) => see(Seen::Closed),
                Some(Opcode::Ping) => {
                    self.control.extend_from_slice(now);
                    if self.left == 0 {
                        see(Seen::Ping(std::mem::take(&mut self.control)));
                    }
                }
                Some(Opcode::Pong) | None => {}
            }
            bytes = later;
        }
    }

    /// The answer to the opening request: how many of these bytes belong to it, once it is whole.
    fn opening(&mut self, bytes: &[u8], see: &mut impl FnMut(Seen)) -> Option<usize> {
        let before = self.head.len();
        self.head.extend_from_slice(bytes);
        let end = self.head.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
        if self.head.starts_with(b"HTTP/1.1 101") {
            self.open = true;
            see(Seen::Ready);
        } else {
            see(Seen::Closed);
        }
        self.head.clear();
        Some(end - before)
    }

    /// A frame's header: how many of these bytes belong to it, once it is whole.
    fn header(&mut self, bytes: &[u8]) -> Option<usize> {
        let (head, before) = if self.head.is_empty() {
            (ws::header(bytes), 0)
        } else {
            let before = self.head.len();
            self.head
                .extend_from_slice(&bytes[..bytes.len().min(ws::HEADER_MAX)]);
            (ws::header(&self.head), before)
        };
        let Some(head) = head else {
            if before == 0 {
                self.head.extend_from_slice(bytes);
            }
            return None;
        };
        self.head.clear();
        (self.opcode, self.frame, self.left) = (Some(head.opcode), head.payload, head.payload);
        Some(head.length - before)
    }

    fn units(&mut self, dialect: &Dialect, bytes: &[u8], see: &mut impl FnMut(Seen)) {
        let mut bytes = bytes;
        while !bytes.is_empty() {
            if self.skip > 0 {
                let taken = self.skip.min(bytes.len());
                self.skip -= taken;
                bytes = &bytes[taken..];
                if self.skip == 0
                    && let Some(seen) = self.pending.take()
                {
                    see(seen);
                }
                continue;
            }
            let before = self.unit.len();
            let unit = if before == 0 {
                dialect.unit(bytes, self.frame)
            } else {
                let more = bytes.len().min(HEAD_MAX);
                self.unit.extend_from_slice(&bytes[..more]);
                dialect.unit(&self.unit, self.frame)
            };
            let Some(Unit { length, seen }) = unit else {
                if before == 0 {
                    self.unit.extend_from_slice(bytes);
                    return;
                }
                bytes = &bytes[bytes.len().min(HEAD_MAX)..];
                continue;
            };
            self.unit.clear();
            let ours = length.saturating_sub(before);
            if ours <= bytes.len() {
                bytes = &bytes[ours..];
                see(seen);
            } else {
                self.skip = ours - bytes.len();
                self.pending = Some(seen);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;

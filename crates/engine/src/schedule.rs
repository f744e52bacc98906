//! When frames leave. Every frame of a line passes through here, so that cover traffic is another mode of this one
//! place and not a change to all others.

use bytes::Bytes;
use std::collections::VecDeque;

/// How frames leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// At once, in order.
    #[default]
    Off,
}

/// The frames of one line that have not left.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    mode: Mode,
    waiting: VecDeque<Bytes>,
}

impl Schedule {
    pub(crate) fn push(&mut self, frame: Bytes) {
        self.waiting.push_back(frame);
    }

    /// Takes the frames whose time has come.
    pub(crate) fn leaving(&mut self) -> Vec<Bytes> {
        match self.mode {
            Mode::Off => self.waiting.drain(..).collect(),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }
}

//! Reads an input as a row of small things, so that a change of one byte changes one of them. It never ends too early:
//! what is missing is zero or empty.

/// What is left of an input.
pub(crate) struct Input<'a>(&'a [u8]);

/// Beyond this the bytes of a number follow.
const SMALL_MAX: u8 = 247;

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// A small number in one byte, any other in up to eight more.
    pub(crate) fn number(&mut self) -> u64 {
        let first = self.byte();
        if first <= SMALL_MAX {
            return first.into();
        }
        let mut bytes = [0; 8];
        let taken = self.take(usize::from(first - SMALL_MAX));
        for (to, from) in bytes.iter_mut().zip(taken) {
            *to = *from;
        }
        u64::from_le_bytes(bytes)
    }

    /// Bytes with their length before them, in two bytes.
    pub(crate) fn piece(&mut self) -> &'a [u8] {
        let length = u16::from_le_bytes([self.byte(), self.byte()]);
        self.take(length.into())
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

//! Messages in cells: a message of up to [`MESSAGE_BYTES_MAX`] bytes becomes 1 to [`FRAGMENTS_MAX`] fragments, each of
//! which fills the inside of one cell exactly.
//!
//! | offset | bytes | meaning |
//! |---|---|---|
//! | 0 | 1 | version, 1 |
//! | 1 | 1 | kind of message; its meaning belongs to the lane |
//! | 2 | 2 | index of this fragment, from 0 |
//! | 4 | 2 | number of fragments, at least 1 |
//! | 6 | 2 | zeros |
//! | 8 | 4 | length of the whole message |
//! | 12 | 16 | message id, random |
//! | 28 | 4 | zeros |
//! | 32 | 1,720 | message bytes, zeros after the end |
//!
//! All numbers are little endian.

use crate::limits::{
    CELL_PLAIN_BYTES, FRAGMENT_BYTES, FRAGMENT_HEADER_BYTES, FRAGMENTS_MAX, MESSAGE_BYTES_MAX,
    OPEN_FRAGMENTS_MAX, OPEN_MESSAGES_MAX,
};
use std::collections::BTreeMap;

const VERSION: u8 = 1;

/// Names a message among those of its lane; random.
pub type MessageId = [u8; 16];

/// Why a fragment or a message cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FragmentError {
    /// The message to split is longer than [`MESSAGE_BYTES_MAX`].
    #[error("a message has at most {MESSAGE_BYTES_MAX} bytes")]
    TooLong,
    /// The bytes are no fragment: a writer who knows the key but not the format.
    #[error("malformed fragment")]
    Malformed,
    /// A version that this build does not know.
    #[error("unknown fragment version {0}")]
    Version(u8),
    /// Two fragments of one message contradict each other.
    #[error("fragments of one message disagree")]
    Disagree,
}

/// Splits a message into the insides of cells.
///
/// # Errors
/// [`FragmentError::TooLong`].
pub fn split(
    kind: u8,
    id: MessageId,
    message: &[u8],
) -> Result<Vec<[u8; CELL_PLAIN_BYTES]>, FragmentError> {
    if message.len() > MESSAGE_BYTES_MAX {
        return Err(FragmentError::TooLong);
    }
    let total = message.len().div_ceil(FRAGMENT_BYTES).max(1);
    let mut fragments = Vec::with_capacity(total);
    for index in 0..total {
        let part =
            &message[index * FRAGMENT_BYTES..message.len().min((index + 1) * FRAGMENT_BYTES)];
        let mut out = [0; CELL_PLAIN_BYTES];
        out[0] = VERSION;
        out[1] = kind;
        #[allow(clippy::cast_possible_truncation)] // all below FRAGMENTS_MAX and MESSAGE_BYTES_MAX
        {
            out[2..4].copy_from_slice(&(index as u16).to_le_bytes());
            out[4..6].copy_from_slice(&(total as u16).to_le_bytes());
            out[8..12].copy_from_slice(&(message.len() as u32).to_le_bytes());
        }
        out[12..28].copy_from_slice(&id);
        out[FRAGMENT_HEADER_BYTES..FRAGMENT_HEADER_BYTES + part.len()].copy_from_slice(part);
        fragments.push(out);
    }
    Ok(fragments)
}

/// A message put together again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its kind, as given to [`split`].
    pub kind: u8,
    /// Its id.
    pub id: MessageId,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Sequence number in the lane of the first of its fragments that arrived.
    pub first_seq: u64,
}

#[derive(Debug)]
struct Open {
    kind: u8,
    length: usize,
    total: usize,
    first_seq: u64,
    parts: BTreeMap<usize, Vec<u8>>,
}

/// Puts the messages of one lane together again. Memory is bounded by [`OPEN_FRAGMENTS_MAX`] fragments: beyond it the
/// message that began first is given up, because its writer has stopped.
#[derive(Debug, Default)]
pub struct Reassembler {
    open: BTreeMap<MessageId, Open>,
    fragments: usize,
}

struct Header {
    kind: u8,
    index: usize,
    total: usize,
    length: usize,
    id: MessageId,
}

fn header(plain: &[u8]) -> Result<Header, FragmentError> {
    if plain.len() != CELL_PLAIN_BYTES {
        return Err(FragmentError::Malformed);
    }
    if plain[0] != VERSION {
        return Err(FragmentError::Version(plain[0]));
    }
    let index = usize::from(u16::from_le_bytes([plain[2], plain[3]]));
    let total = usize::from(u16::from_le_bytes([plain[4], plain[5]]));
    let length = u32::from_le_bytes([plain[8], plain[9], plain[10], plain[11]]) as usize;
    if total == 0
        || total > FRAGMENTS_MAX
        || index >= total
        || length.div_ceil(FRAGMENT_BYTES).max(1) != total
    {
        return Err(FragmentError::Malformed);
    }
    let mut id = MessageId::default();
    id.copy_from_slice(&plain[12..28]);
    Ok(Header {
        kind: plain[1],
        index,
        total,
        length,
        id,
    })
}

impl Reassembler {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the inside of the cell at `seq`; gives the message that it completes, if it does.
    ///
    /// # Errors
    /// [`FragmentError`] when this is no fragment or contradicts earlier ones; what was open stays open.
    pub fn take(&mut self, seq: u64, plain: &[u8]) -> Result<Option<Message>, FragmentError> {
        let header = header(plain)?;
        let start = FRAGMENT_HEADER_BYTES;
        let part_length = (header.length - header.index * FRAGMENT_BYTES).min(FRAGMENT_BYTES);
        let part = &plain[start..start + part_length];
        if header.total == 1 {
            let bytes = part.to_vec();
            return Ok(Some(Message {
                kind: header.kind,
                id: header.id,
                bytes,
                first_seq: seq,
            }));
        }
        let open = self.open.entry(header.id).or_insert_with(|| Open {
            kind: header.kind,
            length: header.length,
            total: header.total,
            first_seq: seq,
            parts: BTreeMap::new(),
        });
        if open.kind != header.kind || open.length != header.length || open.total != header.total {
            return Err(FragmentError::Disagree);
        }
        if open.parts.insert(header.index, part.to_vec()).is_none() {
            self.fragments += 1;
        }
        if open.parts.len() < open.total {
            self.shed(header.id);
            return Ok(None);
        }
        Ok(self.close(header.id).map(|open| Message {
            kind: open.kind,
            id: header.id,
            bytes: open.parts.into_values().flatten().collect(),
            first_seq: open.first_seq,
        }))
    }

    /// The lowest sequence number that an open message needs: whoever restarts has to read again from there.
    pub fn needed_from(&self) -> Option<u64> {
        self.open.values().map(|open| open.first_seq).min()
    }

    fn close(&mut self, id: MessageId) -> Option<Open> {
        let open = self.open.remove(&id)?;
        self.fragments -= open.parts.len();
        Some(open)
    }

    fn shed(&mut self, keep: MessageId) {
        while self.open.len() > OPEN_MESSAGES_MAX || self.fragments > OPEN_FRAGMENTS_MAX {
            let oldest = self
                .open
                .iter()
                .filter(|(id, _)| **id != keep)
                .min_by_key(|(_, open)| open.first_seq);
            let Some(id) = oldest.map(|(id, _)| *id) else {
                return;
            };
            self.close(id);
        }
    }
}

#[cfg(test)]
mod tests;

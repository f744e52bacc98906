//! Grease (the idea of RFC 8701): on some connections every frame carries a field that means nothing, and one request is
//! of a kind that does not exist. A relay that cannot stand what it does not know is found out before it matters.

use bytes::Bytes;
use rand_core::RngCore;
use ume_wire::frame::{self, FrameError};
use ume_wire::limits::GREASE;
use ume_wire::relay::Frame;

/// One connection in so many is greased.
const ONE_IN: u32 = 4;

/// What is added on one connection.
#[derive(Debug, Default)]
pub(super) struct Grease(Option<(u32, [u8; 4])>);

impl Grease {
    pub(super) fn draw(rng: &mut impl RngCore) -> Self {
        if !rng.next_u32().is_multiple_of(ONE_IN) {
            return Self(None);
        }
        let field = GREASE.start + rng.next_u32() % (GREASE.end - GREASE.start);
        Self(Some((field, rng.next_u32().to_le_bytes())))
    }

    pub(super) fn encode(&self, frame: &Frame) -> Result<Bytes, FrameError> {
        match &self.0 {
            // A frame that is full goes without.
            Some((field, bytes)) => {
                frame::encode_with(frame, *field, bytes).or_else(|_| frame::encode(frame))
            }
            None => frame::encode(frame),
        }
    }

    /// Whether this connection is greased.
    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }
}

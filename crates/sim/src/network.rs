//! The network between devices and the relay: one connection each, and no manners.

use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;

/// How bad the network is; chances in thousandths.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// A frame does not arrive.
    pub drop: u32,
    /// It arrives twice.
    pub duplicate: u32,
    /// It arrives again much later, even on a later connection of the same device.
    pub replay: u32,
    /// A bit of it is changed.
    pub tamper: u32,
    /// Longest delay; frames overtake each other. Milliseconds.
    pub delay_ms: u64,
    /// The connection closes.
    pub cut: u32,
}

impl Faults {
    /// A network that works: 1 to 20 ms, in order or nearly.
    pub const NONE: Self = Self {
        drop: 0,
        duplicate: 0,
        replay: 0,
        tamper: 0,
        delay_ms: 20,
        cut: 0,
    };

    pub(crate) fn draw(rng: &mut ChaCha20Rng) -> Self {
        let mut up_to = |most: u32| {
            if rng.next_u32().is_multiple_of(2) {
                0
            } else {
                rng.next_u32() % (most + 1)
            }
        };
        Self {
            drop: up_to(200),
            duplicate: up_to(150),
            replay: up_to(50),
            tamper: up_to(80),
            delay_ms: 1 + u64::from(up_to(3_000)),
            cut: up_to(20),
        }
    }

    /// The same for the way to the relay, where nothing is changed: what a relay does to what it is given, it can do
    /// as well to what it gives.
    pub(crate) fn upwards(self) -> Self {
        Self { tamper: 0, ..self }
    }

    /// What becomes of a frame: when each copy of it arrives, and as what.
    pub(crate) fn carry(&self, rng: &mut ChaCha20Rng, frame: &Bytes) -> Vec<(u64, Bytes)> {
        let mut copies = Vec::new();
        if !chance(rng, self.drop) {
            copies.push((
                1 + u64::from(rng.next_u32()) % self.delay_ms,
                self.tamper(rng, frame),
            ));
        }
        if chance(rng, self.duplicate) {
            copies.push((1 + u64::from(rng.next_u32()) % self.delay_ms, frame.clone()));
        }
        if chance(rng, self.replay) {
            copies.push((u64::from(rng.next_u32() % 60_000), frame.clone()));
        }
        copies
    }

    fn tamper(&self, rng: &mut ChaCha20Rng, frame: &Bytes) -> Bytes {
        if !chance(rng, self.tamper) {
            return frame.clone();
        }
        let mut bytes = frame.to_vec();
        let at = rng.next_u32() as usize % (8 * bytes.len());
        bytes[at / 8] ^= 1 << (at % 8);
        bytes.into()
    }
}

/// Whether something with this many chances in a thousand happens.
pub(crate) fn chance(rng: &mut ChaCha20Rng, thousandths: u32) -> bool {
    rng.next_u32() % 1000 < thousandths
}

//! What a seed stands for.

use crate::network::{Faults, chance};
use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;

/// What a seed stands for.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // each is drawn apart from the others
pub struct Plan {
    /// Devices, 2 to 24.
    pub devices: usize,
    /// Posts in all.
    pub posts: usize,
    /// Faults while people do things.
    pub faults: Faults,
    /// Chance of a crash at every persist point, thousandths.
    pub crash: u32,
    /// Whether clocks are off by up to a day.
    pub skewed: bool,
    /// Attempts to edit posts and to take them back.
    pub edits: usize,
    /// Attempts to change who is in, roles, rules, invites and pins.
    pub changes: usize,
    /// Whether the relay is backed up, and put back from that later.
    pub put_back: bool,
    /// Whether somebody's program stops looking at what the others decide, and goes on writing.
    pub deaf: bool,
    /// Devices that ask by private invites instead of joining by an open one, thousandths.
    pub asking: u32,
    /// Posts that end while people do things.
    pub fleeting: usize,
    /// Whether what people wrote expires at the relay before everybody has read it.
    pub expires: bool,
    /// Whether devices have cover traffic, each another one.
    pub cover: bool,
}

impl Plan {
    pub(super) fn draw(rng: &mut ChaCha20Rng) -> Self {
        let small = !rng.next_u32().is_multiple_of(8);
        let devices = 2 + rng.next_u32() as usize % if small { 3 } else { 23 };
        let mut plan = Self {
            devices,
            posts: rng.next_u32() as usize % 24,
            faults: Faults::draw(rng),
            crash: if rng.next_u32().is_multiple_of(2) {
                0
            } else {
                rng.next_u32() % 40
            },
            skewed: rng.next_u32().is_multiple_of(3),
            edits: rng.next_u32() as usize % 12,
            changes: rng.next_u32() as usize % 8,
            put_back: false,
            deaf: false,
            asking: [0, 300, 700][rng.next_u32() as usize % 3],
            fleeting: 0,
            expires: false,
            cover: false,
        };
        // Seldom beside other changes, because the run then has few of those.
        plan.put_back = chance(rng, if plan.changes == 0 { 600 } else { 60 });
        plan.deaf = !plan.put_back && chance(rng, 250);
        // Who is out, and a profile that was put back, may have had what nobody else had read.
        plan.expires = plan.changes == 0 && !plan.put_back && chance(rng, 500);
        // Clocks that differ by a day do not agree on when a post ends, before a relay has corrected them.
        if !plan.skewed {
            plan.fleeting = rng.next_u32() as usize % 6;
        }
        // It makes many frames and all of it slow.
        plan.cover = plan.devices <= 4 && chance(rng, 125);
        plan
    }
}

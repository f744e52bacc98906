//! What is left with whoever can send when no page is open: for each relay always the same number of frames, whether or not
//! anything waits, so that how much leaves says nothing.

use super::Engine;
use crate::community::{Community, Waits};
use crate::io::{Millis, Output, RelayAddress, pad};
use std::collections::BTreeMap;
use ume_wire::limits::DEPOSIT_FRAMES;

/// What has waited for so long is worth a deposit while there is a line, milliseconds: without cover most is gone before.
const PAUSE_MS: u64 = 1_000;

/// What was deposited last, and when the next is due.
#[derive(Debug, Default)]
pub(super) struct Deposits {
    /// By relay: what waited then, by community.
    made: BTreeMap<RelayAddress, BTreeMap<u32, Waits>>,
    due: Option<Millis>,
}

impl Engine {
    /// The page went out of sight, and may end now.
    pub(super) fn deposit_now(&mut self) {
        self.deposits.due = Some(self.now);
    }

    /// Notices whether something waits, or no longer waits.
    pub(super) fn watch_deposits(&mut self) {
        if self.deposits.due.is_some() {
            return;
        }
        let made = &self.deposits.made;
        let lines = self.lines.iter();
        let stale = lines.filter(|(relay, _)| made.get(*relay) != Some(&self.waits_for(relay)));
        let pauses = stale.map(|(_, line)| if line.is_up() { PAUSE_MS } else { 0 });
        self.deposits.due = pauses.min().map(|pause| self.now.plus(pause));
    }

    pub(super) fn deposits_due(&self) -> Option<Millis> {
        self.deposits.due
    }

    /// Makes deposits where something changed, once it is time.
    pub(super) fn make_deposits(&mut self) {
        if self.deposits.due.is_none_or(|at| at > self.now) {
            return;
        }
        self.deposits.due = None;
        let relays: Vec<RelayAddress> = self.lines.keys().cloned().collect();
        for relay in relays {
            let waits = self.waits_for(&relay);
            if self.deposits.made.get(&relay) == Some(&waits) {
                continue;
            }
            let mut frames = Vec::with_capacity(DEPOSIT_FRAMES);
            for number in waits.keys() {
                let room = DEPOSIT_FRAMES - frames.len();
                let more = self.with(*number, |community, ctx| community.deposit(ctx, room));
                frames.extend(more.unwrap_or_default());
            }
            frames.resize(DEPOSIT_FRAMES, pad());
            self.outputs.push(Output::Deposit(relay.clone(), frames));
            self.deposits.made.insert(relay, waits);
        }
    }

    /// What waits for a relay, by community; nothing of those where nothing does.
    fn waits_for(&self, relay: &str) -> BTreeMap<u32, Waits> {
        let here = self.communities.iter();
        let here = here.filter(|(_, one)| one.relay().address == relay);
        let waits = here.map(|(number, one)| (*number, Community::waits(one)));
        waits.filter(|(_, waits)| !waits.is_empty()).collect()
    }
}

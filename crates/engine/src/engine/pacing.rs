//! When frames leave: what the app says about it, which acts of a person may be seen, and what the person sees of it.

use super::{Engine, Told, Wanted};
use crate::community::Community;
use crate::io::{Millis, RelayAddress};
use crate::line::Line;
use std::collections::BTreeSet;
use ume_api::{Cover, Surroundings, TrafficView};

/// The shortest time between two tellings of what passed, milliseconds.
const TELL_MS: u64 = 1_000;

/// Somebody looks at what passes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Watched {
    /// When it was told last, if it was.
    told_at: Option<Millis>,
}

impl Engine {
    /// What was chosen, or how things stand, is different now.
    pub(super) fn surround(&mut self, surroundings: Surroundings) {
        if surroundings.hidden && !self.surroundings.hidden {
            self.deposit_now();
        }
        self.surroundings = surroundings;
        let relays: Vec<RelayAddress> = self.lines.keys().cloned().collect();
        for relay in relays {
            let now = self.now;
            let line = self.lines.get_mut(&relay);
            let socket = line.and_then(|line| line.surround(now, surroundings));
            if socket.is_some() {
                self.socket(&relay, socket);
                let line = self.lines.get_mut(&relay);
                let again = line.and_then(|line| line.hurry(now));
                self.socket(&relay, again);
            }
        }
    }

    pub(super) fn watch_traffic(&mut self, watch: bool) {
        self.watched = watch.then(Watched::default);
    }

    /// All that waits is to pass now, and the network may see it.
    pub(super) fn hurry(&mut self) {
        self.lines.values_mut().for_each(Line::bulk);
    }

    /// Relays from which a person waits for something that they asked for just now. What they write is not among it: only
    /// acts that are rare, and that a relay sees anyway.
    fn awaited(&self) -> BTreeSet<RelayAddress> {
        let community = |number: &u32| {
            let known = self.communities.get(number).map(Community::relay);
            known.map(|relay| relay.address.clone())
        };
        let waiting = self.waiting.iter();
        let relays = waiting.filter_map(|one| match &one.what {
            Wanted::Start { .. } => Some(self.home.clone()),
            Wanted::Founded { community: number }
            | Wanted::Link {
                community: number, ..
            }
            | Wanted::Joined { community: number } => community(number),
            // In strong cover even this waits for its turns.
            Wanted::Done {
                community: number, ..
            } => community(number).filter(|_| self.surroundings.cover != Cover::Strong),
            Wanted::Visit { visit } => {
                let visit = self.visits.get(visit)?;
                visit.relay().map(|relay| relay.address.clone())
            }
        });
        let files = self
            .communities
            .values()
            .filter(|one| self.surroundings.cover != Cover::Strong && one.hurries_files());
        let files = files.map(|one| one.relay().address.clone());
        relays.chain(files).collect()
    }

    /// Lets every line say what is to leave.
    pub(super) fn leave(&mut self) {
        for relay in self.awaited() {
            if let Some(line) = self.lines.get_mut(&relay) {
                line.bulk();
            }
        }
        for (relay, line) in &mut self.lines {
            self.outputs.extend(line.leaving(self.now, relay));
        }
    }

    /// When what passed may be told again, if somebody looks and there is something.
    pub(super) fn tell_traffic_at(&self) -> Option<Millis> {
        let told_at = self.watched?.told_at.unwrap_or_default();
        let fresh = self.lines.values().any(Line::has_news);
        fresh.then(|| told_at.plus(TELL_MS))
    }

    pub(super) fn tell_traffic(&mut self) {
        let Some(watched) = self.watched else {
            return;
        };
        let first = watched.told_at.is_none();
        let due = self.tell_traffic_at().is_some_and(|at| at <= self.now);
        if !first && !due {
            return;
        }
        let told_at = Some(self.now);
        self.watched = Some(Watched { told_at });
        let now = self.now;
        let lines = self.lines.iter_mut();
        let lines = lines.map(|(relay, line)| line.view(now, relay, first));
        let lines = lines.collect();
        self.tell(Told::Traffic(TrafficView { lines }));
    }
}

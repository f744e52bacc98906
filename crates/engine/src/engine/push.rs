//! Being woken by relays (Web Push): where, and for which lanes. What a browser needs for it is the page's business; that a relay
//! asks a push service is the relay's (`docs/protocol/wire.md`, *Waking a device that is not there*).

use super::Engine;
use crate::community::{Community, Tag};
use crate::io::{Key, RelayAddress, Table};
use crate::keys::Secret;
use crate::line::{Ask, Line, Request};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use ume_api::{BellView, Failure, News as Told, PushAddress, Reply};
use ume_wire::auth::LaneId;
use ume_wire::limits::{
    PUSH_AUTH_BYTES, PUSH_ENDPOINT_BYTES_MAX, PUSH_KEY_BYTES, PUSH_ORIGIN_BYTES_MAX,
    PUSH_WATCHES_MAX,
};
use ume_wire::relay::{PushEnd, PushSet, PushWatch, frame::Body};

/// Who asks for it, among the owners of requests: no community, asking or visit has this number.
pub(super) const OWNER: u32 = u32::MAX;
/// The row beside the profile's.
pub(super) const ROW: &[u8] = b"push";

/// Where one relay has this device woken.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Bell {
    /// Random, for this relay alone, and derived from nothing.
    id: Secret,
    endpoint: String,
    p256dh: Vec<u8>,
    auth: Vec<u8>,
    origin: String,
}

/// How it stands with a relay on this connection.
#[derive(Debug, Default)]
struct Standing {
    asked: bool,
    /// It took the address.
    taken: bool,
    refused: bool,
    watched: BTreeSet<LaneId>,
}

/// All relays that wake this device.
#[derive(Debug, Default)]
pub(super) struct Push {
    bells: BTreeMap<RelayAddress, Bell>,
    standing: BTreeMap<RelayAddress, Standing>,
    /// Ids that a relay is to forget when it is connected.
    ended: BTreeMap<RelayAddress, Secret>,
    told: Vec<BellView>,
}

impl Push {
    /// From what is stored; without it nobody is woken, and the person sees that.
    pub(super) fn load(row: Option<&[u8]>) -> Self {
        let stored = row.and_then(|row| postcard::from_bytes(row).ok());
        let (bells, ended) = stored.unwrap_or_default();
        Self {
            bells,
            ended,
            ..Self::default()
        }
    }
}

impl Engine {
    /// From now on a relay wakes this device at this address, or no more.
    pub(super) fn ring(&mut self, relay: &str, to: Option<PushAddress>) -> Result<Reply, Failure> {
        if !self.lines.contains_key(relay) {
            return Err(Failure::NotHere);
        }
        let old = self.push.bells.remove(relay);
        self.push.standing.remove(relay);
        match to {
            Some(to) => {
                if !is_sound(&to) {
                    return Err(Failure::Internal);
                }
                // The same id at another address: what is watched stays.
                let id = old.map_or_else(|| Secret::random(&mut self.rng), |old| old.id);
                let bell = Bell {
                    id,
                    endpoint: to.endpoint,
                    p256dh: to.p256dh,
                    auth: to.auth,
                    origin: to.origin,
                };
                self.push.bells.insert(relay.to_owned(), bell);
            }
            None => {
                if let Some(old) = old {
                    self.push.ended.insert(relay.to_owned(), old.id);
                }
            }
        }
        self.store_push();
        Ok(Reply::Done)
    }

    fn store_push(&mut self) {
        let key = Key {
            table: Table::Profile,
            id: ROW.to_vec(),
        };
        let rows = (&self.push.bells, &self.push.ended);
        if let Ok(bytes) = postcard::to_allocvec(&rows) {
            self.batch.0.insert(key, Some(bytes));
        }
    }

    /// A line ended: the next connection is told everything again.
    pub(super) fn push_line_down(&mut self, relay: &str) {
        self.push.standing.remove(relay);
    }

    /// Says on every connection where this device is woken, and which lanes wake it.
    pub(super) fn advance_push(&mut self) {
        let relays: Vec<RelayAddress> = self
            .push
            .bells
            .keys()
            .chain(self.push.ended.keys())
            .filter(|relay| self.lines.get(*relay).is_some_and(Line::is_up))
            .cloned()
            .collect();
        for relay in relays {
            for (tag, request) in self.push_requests(&relay) {
                let ask = Ask { owner: OWNER, tag };
                if let Some(line) = self.lines.get_mut(&relay) {
                    line.request(self.now, ask, request);
                }
            }
        }
        self.tell_bells();
    }

    fn push_requests(&mut self, relay: &str) -> Vec<(Tag, Request)> {
        let mut requests = Vec::new();
        let standing = self.push.standing.entry(relay.to_owned()).or_default();
        let Some(bell) = self.push.bells.get(relay) else {
            if !std::mem::replace(&mut standing.asked, true)
                && let Some(id) = self.push.ended.get(relay)
            {
                let end = PushEnd { id: bytes(id) };
                requests.push((Tag::Wake, Body::PushEnd(end).into()));
            }
            return requests;
        };
        if !std::mem::replace(&mut standing.asked, true) {
            let set = PushSet {
                id: bytes(&bell.id),
                endpoint: bell.endpoint.clone(),
                p256dh: Bytes::copy_from_slice(&bell.p256dh),
                auth: Bytes::copy_from_slice(&bell.auth),
                origin: bell.origin.clone(),
            };
            requests.push((Tag::Wake, Body::PushSet(set).into()));
        }
        if !standing.taken {
            return requests;
        }
        let here = self.communities.values();
        let here = here.filter(|one| one.relay().address == relay);
        let wanted = here.flat_map(Community::lanes_that_wake);
        let wanted: BTreeMap<LaneId, _> = wanted.take(PUSH_WATCHES_MAX).collect();
        let watch = |lane: &LaneId, stop| {
            Body::PushWatch(PushWatch {
                id: bytes(&bell.id),
                lane: Bytes::copy_from_slice(lane),
                stop,
                ..PushWatch::default()
            })
        };
        for (lane, reader) in &wanted {
            if standing.watched.insert(*lane) {
                let request = Request::signed_by(reader, watch(lane, false));
                requests.push((Tag::Watch(*lane), request));
            }
        }
        let over = |lane: &LaneId| !wanted.contains_key(lane);
        let gone: Vec<LaneId> = standing.watched.iter().copied().filter(over).collect();
        for lane in gone {
            standing.watched.remove(&lane);
            requests.push((Tag::Watch(lane), watch(&lane, true).into()));
        }
        requests
    }

    /// What a relay said to it.
    pub(super) fn push_answered(&mut self, relay: &str, tag: Tag, body: &Body) {
        let Some(standing) = self.push.standing.get_mut(relay) else {
            return;
        };
        match (tag, body) {
            (Tag::Wake, Body::Done(done)) => {
                if self.push.bells.contains_key(relay) {
                    standing.taken = true;
                    if done.made {
                        standing.watched.clear();
                    }
                } else if self.push.ended.remove(relay).is_some() {
                    self.store_push();
                }
            }
            (Tag::Wake, Body::Refused(_)) => standing.refused = true,
            // A lane that is not there yet; it is asked for again on the next connection.
            _ => {}
        }
    }

    /// How it stands, for the page.
    fn bells(&self) -> Vec<BellView> {
        let lines = self.lines.iter();
        lines
            .map(|(relay, line)| {
                let standing = self.push.standing.get(relay);
                BellView {
                    relay: relay.clone(),
                    key: line
                        .greeting()
                        .map_or_else(Vec::new, |one| one.push_key.clone()),
                    on: self.push.bells.contains_key(relay),
                    refused: standing.is_some_and(|one| one.refused),
                }
            })
            .filter(|bell| bell.on || !bell.key.is_empty())
            .collect()
    }

    fn tell_bells(&mut self) {
        let bells = self.bells();
        if bells != self.push.told {
            self.push.told.clone_from(&bells);
            self.tell(Told::Bells(bells));
        }
    }
}

fn is_sound(to: &PushAddress) -> bool {
    to.p256dh.len() == PUSH_KEY_BYTES
        && to.auth.len() == PUSH_AUTH_BYTES
        && (1..=PUSH_ENDPOINT_BYTES_MAX).contains(&to.endpoint.len())
        && to.origin.len() <= PUSH_ORIGIN_BYTES_MAX
}

fn bytes(id: &Secret) -> Bytes {
    Bytes::copy_from_slice(id.bytes())
}

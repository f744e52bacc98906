//! Devices that are to be woken: what a relay keeps of them, and whom it would wake.

use super::{POST, Session, refused};
use bytes::Bytes;
use std::collections::BTreeMap;
use ume_wire::limits::{PUSH_AUTH_BYTES, PUSH_KEY_BYTES, PUSH_WATCHES_MAX};
use ume_wire::relay::{Done, PushSet, RefusedCode, frame::Body};

/// A device.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bell {
    pub(crate) endpoint: String,
    /// The lanes that wake it, oldest first.
    pub(crate) lanes: Vec<Bytes>,
    /// Its connection, while there is one.
    here: Option<Session>,
    /// How often it was woken.
    pub(crate) rung: usize,
}

/// All devices of a relay, by their ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bells {
    /// By which push services know the relay; empty: it wakes nobody.
    pub(crate) key: Bytes,
    pub(crate) all: BTreeMap<Bytes, Bell>,
}

impl Bells {
    pub(super) fn set(&mut self, session: Session, set: PushSet) -> Body {
        let sound = set.id.len() == 32
            && set.p256dh.len() == PUSH_KEY_BYTES
            && set.auth.len() == PUSH_AUTH_BYTES;
        if self.key.is_empty() {
            return refused(RefusedCode::RefusedUnknown, 0);
        }
        if !sound {
            return refused(RefusedCode::RefusedMalformed, 0);
        }
        self.closed(session);
        let made = !self.all.contains_key(&set.id);
        let bell = self.all.entry(set.id).or_default();
        bell.endpoint = set.endpoint;
        bell.here = (session != POST).then_some(session);
        Body::Done(Done {
            made,
            ..Done::default()
        })
    }

    pub(super) fn watch(&mut self, id: &Bytes, lane: Bytes, stop: bool) -> Body {
        let Some(bell) = self.all.get_mut(id) else {
            return refused(RefusedCode::RefusedDenied, 0);
        };
        bell.lanes.retain(|one| *one != lane);
        if !stop {
            bell.lanes.push(lane);
            let over = bell.lanes.len().saturating_sub(PUSH_WATCHES_MAX);
            bell.lanes.drain(..over);
        }
        Body::Done(Done::default())
    }

    pub(super) fn end(&mut self, id: &Bytes) -> Body {
        self.all.remove(id);
        Body::Done(Done::default())
    }

    pub(super) fn closed(&mut self, session: Session) {
        for bell in self.all.values_mut() {
            bell.here = bell.here.filter(|here| *here != session);
        }
    }

    /// Something new is in a lane.
    pub(super) fn ring(&mut self, lane: &Bytes) {
        let away = self.all.values_mut().filter(|bell| bell.here.is_none());
        for bell in away.filter(|bell| bell.lanes.contains(lane)) {
            bell.rung += 1;
        }
    }
}

//! What is new, on its way to those who are to be woken: noted in passing, looked at later.

use crate::store::DeviceId;
use parking_lot::Mutex;
use std::{collections::HashMap, mem, time::Instant};
use tokio::sync::Notify;
use ume_wire::auth::LaneId;

/// Lanes that are noted, at most. What comes beyond them wakes nobody: a push is a hint.
const LANES_MAX: usize = 1 << 16;

/// What is new.
#[derive(Debug, Default)]
pub(crate) struct News {
    noted: Mutex<Noted>,
    came: Notify,
}

/// What was noted since it was looked at last, and when.
#[derive(Debug, Default)]
pub(super) struct Noted {
    pub(super) lanes: HashMap<LaneId, Instant>,
    /// Devices whose last connection ended and may not have brought what was new then.
    pub(super) missed: Vec<(DeviceId, Instant)>,
}

impl News {
    /// Notes that these lanes have something new. Takes no time that a writer would notice.
    pub(crate) fn note<'a>(&self, lanes: impl IntoIterator<Item = &'a LaneId>) {
        let mut lanes = lanes.into_iter().peekable();
        if lanes.peek().is_none() {
            return;
        }
        let now = Instant::now();
        let mut noted = self.noted.lock();
        for lane in lanes {
            if noted.lanes.len() < LANES_MAX || noted.lanes.contains_key(lane) {
                noted.lanes.insert(*lane, now);
            }
        }
        drop(noted);
        self.came.notify_one();
    }

    /// Notes that a device may have missed what was new then. There are no more of these than connections.
    pub(super) fn note_missed(&self, id: DeviceId, at: Instant) {
        self.noted.lock().missed.push((id, at));
        self.came.notify_one();
    }

    /// Waits until something is noted.
    pub(super) async fn wait(&self) {
        self.came.notified().await;
    }

    /// Takes what was noted.
    pub(super) fn take(&self) -> Noted {
        mem::take(&mut self.noted.lock())
    }
}

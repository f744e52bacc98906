//! The lane of one epoch, and the proof that this device is not a copy of its own past.

use super::reader::LogReader;
use crate::keys::{Secret, post_lane};
use ume_wire::auth::Hash;
use ume_wire::relay::{Head, LaneNew};

/// Own messages of an epoch: how many this store has sealed, and how many came back by the lane. A message is stored
/// before it leaves, so more echoes than messages mean that the store is an older copy: a browser profile that was
/// restored. Going on would use keys of the ratchet twice (RFC 9420, section 9.1).
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Echo {
    sealed: u64,
    heard: u64,
    /// Where the last one counted lies: a restart reads some of the lane again.
    last_seq: u64,
}

impl Echo {
    /// A message is being sealed.
    pub(super) fn sealed(&mut self) {
        self.sealed = self.sealed.saturating_add(1);
    }

    /// A message of this device lies in the lane at `seq`. Whether that is one too many.
    pub(super) fn heard(&mut self, seq: u64) -> bool {
        if seq > self.last_seq {
            self.last_seq = seq;
            self.heard = self.heard.saturating_add(1);
        }
        self.heard > self.sealed
    }

    /// The lane has begun anew: its messages come again.
    pub(super) fn begin_again(&mut self) {
        self.heard = 0;
        self.last_seq = 0;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retirement {
    /// The newest epoch.
    No,
    /// To be read to its end once more.
    Wanted,
    /// The reading is under way.
    Asked,
}

/// The lane of one epoch.
#[derive(Debug)]
pub(super) struct PostLane {
    pub(super) secret: Secret,
    /// How the lane is made.
    pub(super) new: LaneNew,
    pub(super) reader: LogReader,
    pub(super) retirement: Retirement,
    pub(super) echo: Echo,
}

impl PostLane {
    pub(super) fn new(secret: Secret, relay: &Hash, cursor: u64) -> Self {
        let lane = post_lane(&secret, relay);
        Self {
            secret,
            new: lane.new,
            reader: LogReader::new(lane.keys, cursor),
            retirement: Retirement::No,
            echo: Echo::default(),
        }
    }

    pub(super) fn restart(&mut self) {
        self.reader.restart();
        if self.is_retired() {
            self.retirement = Retirement::Wanted;
        }
    }

    /// The relay said where the lane ends; whether there is something new to store.
    pub(super) fn head(&mut self, head: &Head) -> bool {
        let untold = self.reader.life().is_none();
        let reborn = self.reader.head(head);
        if reborn {
            self.echo.begin_again();
        }
        untold || reborn
    }

    pub(super) fn retire(&mut self) {
        if !self.is_retired() {
            self.retirement = Retirement::Wanted;
            self.reader.doubt();
        }
    }

    pub(super) fn is_retired(&self) -> bool {
        self.retirement != Retirement::No
    }
}

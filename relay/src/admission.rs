//! Who may make lanes and blobs: access keys, work, and bounds per address prefix. No identities: an access key names a
//! quota, work is a number, and a prefix is forgotten an hour after it was last seen.
//!
//! | | `Access::Open` | `Access::Keys` |
//! |---|---|---|
//! | new lane, with a key that is good | the account pays | the account pays |
//! | new lane, without one | work, if there is much to do; bound per prefix | refused |
//! | blob, with a key that is good | the account pays | the account pays |
//! | blob, without one | bound per prefix | refused |
//! | blob that is there, again or for longer | as if it were put | as if it were put |
//! | cell for a lane that nobody pays for | bound per prefix | bound per prefix |
//!
//! Whoever says again what a lane is that is there already needs none of it.

mod prefix;
mod window;
mod work;

pub(crate) use prefix::{Bodies, Visitor};

use crate::{
    access::is_good,
    refusal::Refusal,
    store::{AccountId, Millis, Store},
};
use parking_lot::{Mutex, RwLock};
use prefix::Prefixes;
use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use ume_wire::{
    auth::{Hash, LaneId, hash, work_bits},
    limits::{ACCESS_BYTES, CELL_BYTES},
    relay::{BlobPut, LaneNew},
};
use window::Window;

/// The span over which new lanes are counted for the level of work.
const WORK_SPAN: Duration = Duration::from_mins(1);
/// While a client works, the level may rise by so many bits before its work is too little.
const WORK_SLACK: u32 = 2;

/// Who may make lanes and blobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Anybody, within the bounds.
    #[default]
    Open,
    /// Who has an access key of this relay.
    Keys,
}

/// Bounds of what strangers may do. The defaults let a school behind one address work, and do not let it fill the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdmissionLimits {
    /// Bits of an IPv4 address that stand for one visitor.
    pub v4_bits: u8,
    /// Bits of an IPv6 address that stand for one visitor.
    pub v6_bits: u8,
    /// Whether bounds per prefix hold for loopback addresses too. By default they do not: what comes from there is the
    /// machine itself, or a Tor onion service or a proxy, behind which one address stands for everybody.
    pub limit_loopback: bool,
    /// Connections of one prefix at once.
    pub prefix_connections: u32,
    /// Frames of one prefix in one go.
    pub prefix_frames_burst: u32,
    /// Frames a second of one prefix in the long run; beyond it the relay reads more slowly.
    pub prefix_frames_per_second: u32,
    /// Lanes that one prefix may make in an hour, without an access key.
    pub prefix_lanes_per_hour: u64,
    /// Bytes of cells, values and blobs that one prefix may store in an hour, where no account pays.
    pub prefix_bytes_per_hour: u64,
    /// Devices of one prefix that may begin to be woken by Web Push in an hour.
    pub prefix_devices_per_hour: u64,
    /// New lanes a minute, of all visitors without access keys together, from which on making one takes work.
    pub free_lanes_per_minute: u64,
    /// The same of one prefix.
    pub prefix_free_lanes_per_minute: u64,
}

impl Default for AdmissionLimits {
    fn default() -> Self {
        Self {
            v4_bits: 32,
            v6_bits: 64,
            limit_loopback: false,
            prefix_connections: 32,
            prefix_frames_burst: 16_000,
            prefix_frames_per_second: 2_000,
            prefix_lanes_per_hour: 2_000,
            prefix_bytes_per_hour: 512 << 20,
            prefix_devices_per_hour: 256,
            free_lanes_per_minute: 600,
            prefix_free_lanes_per_minute: 120,
        }
    }
}

/// Where a request comes in: by whom, and on a connection with which challenge. A `POST` has none.
pub(crate) struct Gate<'a> {
    pub(crate) visitor: &'a Visitor,
    pub(crate) relay_id: &'a Hash,
    pub(crate) challenge: Option<&'a [u8]>,
}

/// Decides who may make lanes and blobs.
pub(crate) struct Admission {
    store: Arc<dyn Store>,
    access: Access,
    limits: RwLock<AdmissionLimits>,
    prefixes: Prefixes,
    /// Lanes that visitors without access keys made lately, of all together.
    lanes: Mutex<Window>,
}

impl Admission {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        access: Access,
        limits: AdmissionLimits,
        now: Instant,
    ) -> Self {
        Self {
            store,
            access,
            limits: RwLock::new(limits),
            prefixes: Prefixes::default(),
            lanes: Mutex::new(Window::new(WORK_SPAN, now)),
        }
    }

    /// From now on these hold. Who is there stays.
    pub(crate) fn set_limits(&self, limits: AdmissionLimits) {
        *self.limits.write() = limits;
    }

    /// Whether lanes and blobs take an access key.
    pub(crate) fn needs_access(&self) -> bool {
        self.access == Access::Keys
    }

    /// Takes in a connection, which counts as long as the visitor lives. `None`: its prefix has enough.
    pub(crate) fn arrive(&self, from: IpAddr, now: Instant) -> Option<Visitor> {
        self.prefixes.arrive(from, &self.limits.read(), now)
    }

    /// Forgets prefixes that were not seen for an hour.
    pub(crate) fn sweep(&self, now: Instant) {
        self.prefixes.sweep(now);
    }

    /// Work that a new lane without an access key takes at the moment.
    pub(crate) fn work_bits(&self, visitor: &Visitor, now: Instant) -> u32 {
        if self.needs_access() {
            return 0;
        }
        let free = self.limits.read().prefix_free_lanes_per_minute;
        let own = work::bits(visitor.lanes_lately(now), free);
        self.work_bits_of_all(now).max(own)
    }

    /// The level of work of the relay as a whole, for those who watch it.
    pub(crate) fn work_bits_of_all(&self, now: Instant) -> u32 {
        if self.needs_access() {
            return 0;
        }
        let free = self.limits.read().free_lanes_per_minute;
        work::bits(self.lanes.lock().count(now), free)
    }

    /// Whether a lane may be made, and who pays for it.
    pub(crate) fn lane_new(
        &self,
        gate: &Gate<'_>,
        new: &LaneNew,
        time: Millis,
        now: Instant,
    ) -> Result<Option<AccountId>, Refusal> {
        let lane = LaneId::try_from(&new.lane[..]).map_err(|_| Refusal::MALFORMED)?;
        if let Some(there) = self.store.lane(&lane)? {
            // Should it be gone by the time this is written, the same account pays again.
            return Ok(there.account);
        }
        let account = self.account(&new.access, time)?;
        if account.is_none() {
            let bits = self.work_bits(gate.visitor, now);
            if bits > 0 {
                let shown = gate.challenge.map_or(0, |challenge| {
                    work_bits(gate.relay_id, challenge, &lane, new.work)
                });
                if shown + WORK_SLACK < bits || gate.challenge.is_none() {
                    return Err(Refusal::work(bits));
                }
            }
            let max = self.limits.read().prefix_lanes_per_hour;
            gate.visitor.lane(max, now)?;
            self.lanes.lock().add(1, now);
        }
        Ok(account)
    }

    /// Who pays for a blob, if one may be put or held at all. Its cells are asked for with [`Admission::cells`].
    pub(crate) fn blob_put(
        &self,
        put: &BlobPut,
        time: Millis,
    ) -> Result<Option<AccountId>, Refusal> {
        self.account(&put.access, time)
    }

    /// Whether so many cells may be stored: of a lane, a value or a blob that this account pays for.
    pub(crate) fn cells(
        &self,
        visitor: &Visitor,
        account: Option<AccountId>,
        count: usize,
        now: Instant,
    ) -> Result<(), Refusal> {
        if account.is_some() {
            return Ok(());
        }
        let max = self.limits.read().prefix_bytes_per_hour;
        visitor.bytes((count * CELL_BYTES) as u64, max, now)
    }

    /// Whether one more device may begin to be woken.
    pub(crate) fn device(&self, visitor: &Visitor, now: Instant) -> Result<(), Refusal> {
        let max = self.limits.read().prefix_devices_per_hour;
        visitor.device(max, now)
    }

    /// The account of an access key that is good at the moment. Where everybody may come in, a key that is not good any
    /// more counts as none: whoever was let in by one is not worse off than who never had one.
    fn account(&self, access: &[u8], time: Millis) -> Result<Option<AccountId>, Refusal> {
        if !access.is_empty() && access.len() != ACCESS_BYTES {
            return Err(Refusal::MALFORMED);
        }
        // Found by its hash: how long that takes tells nothing about keys that nobody has guessed whole.
        let found = (!access.is_empty())
            .then(|| self.store.account(&hash(access)))
            .flatten()
            .filter(|(_, account)| is_good(account, time));
        match found {
            Some((id, _)) => Ok(Some(id)),
            None if self.needs_access() => Err(Refusal::ACCESS),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;

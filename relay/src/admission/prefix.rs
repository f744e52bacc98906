//! What comes from one part of the network: bounds that hold in memory only, and only for an hour.
//!
//! The table knows prefixes by a hash under a key that is drawn at every start, so that a dump of memory holds no list of
//! addresses. (Whoever has the whole dump has the key as well, and can try all IPv4 addresses. It is no secret-keeping,
//! only tidiness.)

use super::{AdmissionLimits, WORK_SPAN, window::Window};
use crate::{bucket::Bucket, refusal::Refusal};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// Prefixes in the table. More make the table forget those that are not connected, the longest unseen first.
const PREFIXES_MAX: usize = 65_536;
const HOUR: Duration = Duration::from_hours(1);

/// All prefixes that were seen lately.
#[derive(Default)]
pub(super) struct Prefixes {
    key: RandomState,
    table: Mutex<HashMap<u64, Arc<Mutex<Prefix>>>>,
}

/// What one prefix did.
struct Prefix {
    connections: u32,
    seen: Instant,
    frames: Bucket,
    lanes: Window,
    lanes_hour: Window,
    bytes: Window,
    devices: Window,
    /// Its shares of the rooms for bodies, while somebody uses them.
    shares: [Weak<Semaphore>; 2],
}

/// Bodies that share a room.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bodies {
    Small,
    Large,
}

/// One connection. Counts for its prefix as long as it lives.
pub(crate) struct Visitor {
    /// `None`: bounds do not hold for it.
    prefix: Option<Arc<Mutex<Prefix>>>,
}

impl Prefixes {
    pub(super) fn arrive(
        &self,
        from: IpAddr,
        limits: &AdmissionLimits,
        now: Instant,
    ) -> Option<Visitor> {
        let from = from.to_canonical();
        if from.is_loopback() && !limits.limit_loopback {
            return Some(Visitor::unbounded());
        }
        let name = self.key.hash_one(cut(from, limits));
        let prefix = {
            let mut table = self.table.lock();
            if table.len() >= PREFIXES_MAX && !table.contains_key(&name) {
                make_room(&mut table, now);
            }
            table
                .entry(name)
                .or_insert_with(|| Arc::new(Mutex::new(Prefix::new(limits, now))))
                .clone()
        };
        {
            let mut state = prefix.lock();
            state.seen = now;
            if state.connections >= limits.prefix_connections {
                return None;
            }
            state.connections += 1;
        }
        Some(Visitor {
            prefix: Some(prefix),
        })
    }

    pub(super) fn sweep(&self, now: Instant) {
        self.table.lock().retain(|_, prefix| {
            let state = prefix.lock();
            state.connections > 0 || now.saturating_duration_since(state.seen) < HOUR
        });
    }
}

/// Forgets half of those that are not connected. There are such: fewer connections than places are let in.
fn make_room(table: &mut HashMap<u64, Arc<Mutex<Prefix>>>, now: Instant) {
    let mut unseen: Vec<Duration> = table
        .values()
        .filter_map(|prefix| {
            let state = prefix.lock();
            (state.connections == 0).then(|| now.saturating_duration_since(state.seen))
        })
        .collect();
    if unseen.is_empty() {
        return;
    }
    let middle = unseen.len() / 2;
    let (_, &mut longest, _) = unseen.select_nth_unstable(middle);
    table.retain(|_, prefix| {
        let state = prefix.lock();
        state.connections > 0 || now.saturating_duration_since(state.seen) < longest
    });
}

/// The part of an address that stands for a visitor.
fn cut(from: IpAddr, limits: &AdmissionLimits) -> IpAddr {
    match from {
        IpAddr::V4(address) => {
            let rest = 32_u32.saturating_sub(limits.v4_bits.into());
            let mask = u32::MAX.checked_shl(rest).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let rest = 128_u32.saturating_sub(limits.v6_bits.into());
            let mask = u128::MAX.checked_shl(rest).unwrap_or(0);
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}

impl Prefix {
    fn new(limits: &AdmissionLimits, now: Instant) -> Self {
        Self {
            connections: 0,
            seen: now,
            frames: Bucket::new(
                limits.prefix_frames_burst,
                limits.prefix_frames_per_second,
                now,
            ),
            lanes: Window::new(WORK_SPAN, now),
            lanes_hour: Window::new(HOUR, now),
            bytes: Window::new(HOUR, now),
            devices: Window::new(HOUR, now),
            shares: Default::default(),
        }
    }
}

impl Visitor {
    /// Somebody for whom no bounds hold.
    pub(crate) fn unbounded() -> Self {
        Self { prefix: None }
    }

    /// How long to wait before the next frame is read.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        let prefix = self.prefix.as_ref();
        prefix.map_or(Duration::ZERO, |prefix| prefix.lock().frames.wait(now))
    }

    /// Counts frames that were read.
    pub(crate) fn take(&self, frames: u32) {
        if let Some(prefix) = &self.prefix {
            prefix.lock().frames.take(frames);
        }
    }

    /// What its prefix may take of a room for bodies; none if bounds do not hold for it.
    pub(crate) fn share(&self, bodies: Bodies, frames: usize) -> Option<Arc<Semaphore>> {
        let mut state = self.prefix.as_ref()?.lock();
        let share = &mut state.shares[bodies as usize];
        Some(share.upgrade().unwrap_or_else(|| {
            let whole = Arc::new(Semaphore::new(frames));
            *share = Arc::downgrade(&whole);
            whole
        }))
    }

    /// Lanes that its prefix made in the last minute.
    pub(super) fn lanes_lately(&self, now: Instant) -> u64 {
        let Some(prefix) = &self.prefix else { return 0 };
        prefix.lock().lanes.count(now)
    }

    /// Counts a new lane.
    pub(super) fn lane(&self, max_an_hour: u64, now: Instant) -> Result<(), Refusal> {
        let Some(prefix) = &self.prefix else {
            return Ok(());
        };
        let mut state = prefix.lock();
        count(&mut state.lanes_hour, 1, max_an_hour, now)?;
        state.lanes.add(1, now);
        Ok(())
    }

    /// Counts a device that begins to be woken.
    pub(super) fn device(&self, max_an_hour: u64, now: Instant) -> Result<(), Refusal> {
        let Some(prefix) = &self.prefix else {
            return Ok(());
        };
        count(&mut prefix.lock().devices, 1, max_an_hour, now)
    }

    /// Counts bytes to be stored.
    pub(super) fn bytes(&self, amount: u64, max_an_hour: u64, now: Instant) -> Result<(), Refusal> {
        let Some(prefix) = &self.prefix else {
            return Ok(());
        };
        count(&mut prefix.lock().bytes, amount, max_an_hour, now)
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        if let Some(prefix) = &self.prefix {
            prefix.lock().connections -= 1;
        }
    }
}

fn count(window: &mut Window, amount: u64, max: u64, now: Instant) -> Result<(), Refusal> {
    if window.count(now).saturating_add(amount) > max {
        let wait = window.turns_in(now).as_millis();
        return Err(Refusal::limit(u64::try_from(wait).unwrap_or(u64::MAX)));
    }
    window.add(amount, now);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> AdmissionLimits {
        AdmissionLimits {
            prefix_connections: 2,
            ..AdmissionLimits::default()
        }
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_prefix_has_so_many_connections_and_gets_them_back() {
        let (prefixes, limits, now) = (Prefixes::default(), limits(), Instant::now());
        let arrive = |from| prefixes.arrive(address(from), &limits, now);
        for same in [
            ["192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"],
            ["2001:db8::1", "2001:db8::2", "2001:db8::ffff"],
        ] {
            let first = arrive(same[0]);
            let second = arrive(same[1]);
            assert!(first.is_some() && second.is_some());
            assert!(arrive(same[2]).is_none());
            drop(first);
            assert!(arrive(same[2]).is_some());
        }
        assert!(arrive("192.0.2.2").is_some());
        assert!(arrive("2001:db8:0:1::1").is_some());
    }

    #[test]
    fn loopback_stands_for_everybody_unless_it_is_said_otherwise() {
        let prefixes = Prefixes::default();
        let now = Instant::now();
        let mut limits = limits();
        for from in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            let all: Vec<_> = (0..100)
                .map(|_| prefixes.arrive(address(from), &limits, now))
                .collect();
            assert!(all.iter().all(Option::is_some));
        }
        limits.limit_loopback = true;
        let all: Vec<_> = (0..3)
            .map(|_| prefixes.arrive(address("::1"), &limits, now).is_some())
            .collect();
        assert_eq!(all, [true; 3], "who does not stay does not count");
        let stay: Vec<_> = (0..3)
            .map(|_| prefixes.arrive(address("::1"), &limits, now))
            .collect();
        assert!(stay[1].is_some() && stay[2].is_none());
    }

    #[test]
    fn every_length_of_prefix_is_possible() {
        for bits in 0..=255 {
            let limits = AdmissionLimits {
                v4_bits: bits,
                v6_bits: bits,
                ..limits()
            };
            let v4 = address("255.255.255.255");
            let v6 = address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
            assert_eq!(cut(v4, &limits) == v4, bits >= 32);
            assert_eq!(cut(v6, &limits) == v6, bits >= 128);
        }
    }

    #[test]
    fn the_table_is_bounded_and_keeps_who_is_there() {
        let (prefixes, limits, now) = (Prefixes::default(), limits(), Instant::now());
        let from = |n: u32| IpAddr::V4((0x0a00_0000 + n).into());
        let stays = [
            prefixes.arrive(from(0), &limits, now),
            prefixes.arrive(from(0), &limits, now),
        ];
        for n in 1..200_000 {
            prefixes.arrive(from(n), &limits, now + Duration::from_millis(n.into()));
            assert!(prefixes.table.lock().len() <= PREFIXES_MAX);
        }
        assert!(prefixes.arrive(from(0), &limits, now).is_none());
        drop(stays);
        prefixes.sweep(now + Duration::from_hours(3));
        assert!(prefixes.table.lock().is_empty());
    }

    #[test]
    fn counts_of_an_hour_are_refused_with_the_time_to_wait() {
        let (prefixes, limits, now) = (Prefixes::default(), limits(), Instant::now());
        let visitor = prefixes.arrive(address("192.0.2.1"), &limits, now).unwrap();
        assert_eq!(visitor.bytes(10, 10, now), Ok(()));
        assert_eq!(
            visitor.bytes(1, 10, now + HOUR / 2),
            Err(Refusal::limit(1_800_000))
        );
        // It counts for the prefix, not for the connection.
        drop(visitor);
        let visitor = prefixes.arrive(address("192.0.2.1"), &limits, now).unwrap();
        assert!(visitor.bytes(1, 10, now).is_err());
        assert_eq!(visitor.bytes(10, 10, now + HOUR * 2), Ok(()));
        assert_eq!(visitor.lane(1, now), Ok(()));
        assert!(visitor.lane(1, now).is_err());
    }

    #[test]
    fn connections_of_a_prefix_share_its_frames() {
        let limits = AdmissionLimits {
            prefix_frames_burst: 3,
            prefix_frames_per_second: 10,
            ..limits()
        };
        let (prefixes, now) = (Prefixes::default(), Instant::now());
        let visitors =
            ["192.0.2.1"; 2].map(|from| prefixes.arrive(address(from), &limits, now).unwrap());
        for visitor in [0, 1, 0] {
            assert!(visitors[visitor].wait(now).is_zero());
            visitors[visitor].take(1);
        }
        let wait = visitors[1].wait(now);
        assert!(!wait.is_zero());
        assert!(visitors[0].wait(now + wait).is_zero());
    }
}

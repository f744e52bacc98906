//! Turns new connections away before the system kills the process for what it takes.
//!
//! What counts is memory that cannot be given back at once: the process's own, and what the kernel holds for its sockets.
//! The page cache, which fills whatever room there is, does not count.

use crate::{
    config::{Limits, Live},
    http, journal,
    server::asked,
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};
use tokio::{sync::watch, time};
use ume_wire::limits::CELL_BYTES;

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Percent of the limit at which connections are turned away, and at which they are taken again.
const HIGH: u64 = 80;
const FINE: u64 = 75;

/// What the index takes for a cell and for a lane with cells, at most: measured by `store::measure::memory`.
const CELL_INDEX_BYTES: u64 = 48;
const LANE_INDEX_BYTES: u64 = 256;
/// The program itself, and the app's files.
const PROGRAM_BYTES: u64 = 32 << 20;

/// Whether memory is short.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    is_short: AtomicBool,
    turned_away: AtomicU64,
}

impl Memory {
    /// Whether memory is short just now.
    pub(crate) fn is_short(&self) -> bool {
        self.is_short.load(Ordering::Relaxed)
    }

    /// Whether a new connection has to be turned away; counts it if so.
    pub(crate) fn turns_away(&self) -> bool {
        let is_short = self.is_short();
        if is_short {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
        }
        is_short
    }

    /// Looks at it until the relay stops.
    pub(crate) async fn watch(&self, config: &Live, stopped: &mut watch::Receiver<bool>) {
        let cgroup = own_cgroup();
        let mut ticks = time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = asked(stopped) => return,
                _ = ticks.tick() => {}
            }
            let limit = config.get().limits.memory_bytes;
            let limit = limit.or_else(|| allowed(cgroup.as_deref()?));
            self.judge(limit, used(cgroup.as_deref()));
        }
    }

    fn judge(&self, limit: Option<u64>, used: Option<u64>) {
        let (Some(limit), Some(used)) = (limit, used) else {
            self.is_short.store(false, Ordering::Relaxed);
            return;
        };
        let percent = used.saturating_mul(100) / limit.max(1);
        let was_short = self.is_short();
        let is_short = percent >= if was_short { FINE } else { HIGH };
        self.is_short.store(is_short, Ordering::Relaxed);
        if is_short && !was_short {
            journal::note(journal::MEMORY_HIGH);
        } else if was_short && !is_short {
            let count = self.turned_away.swap(0, Ordering::Relaxed);
            journal::count(journal::MEMORY_FINE, count);
        }
    }
}

/// What a relay may come to take when its store is full, besides its connections.
pub(crate) fn needed(limits: &Limits) -> u64 {
    let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let cells = limits.store_bytes / CELL_BYTES as u64;
    // Each is counted with the store's bytes, so there cannot be more.
    let lanes = limits.store_lanes.min(cells);
    let parts = [
        PROGRAM_BYTES,
        cells.saturating_mul(CELL_INDEX_BYTES),
        lanes.saturating_mul(LANE_INDEX_BYTES),
        wide(limits.cache_bytes),
        wide(limits.staged_cells).saturating_mul(CELL_BYTES as u64),
        wide(http::ROOM_BYTES),
    ];
    parts.into_iter().fold(0, u64::saturating_add)
}

/// Of so much memory, what may be taken before new connections are turned away.
pub(crate) fn usable(limit: u64) -> u64 {
    limit / 100 * HIGH
}

/// What the process may take, if the system bounds it.
pub(crate) fn limit_here() -> Option<u64> {
    allowed(&own_cgroup()?)
}

/// Directory of the process's cgroup (version 2), if the system has such.
fn own_cgroup() -> Option<PathBuf> {
    let text = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Some(Path::new("/sys/fs/cgroup").join(path))
}

/// The smallest limit of a cgroup and those above it.
fn allowed(cgroup: &Path) -> Option<u64> {
    let limits = cgroup.ancestors().filter_map(|directory| {
        let text = fs::read_to_string(directory.join("memory.max")).ok()?;
        text.trim().parse::<u64>().ok() // or "max"
    });
    limits.min()
}

/// Bytes that the process holds, and the kernel for it.
fn used(cgroup: Option<&Path>) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let own = number(&status, "RssAnon:")?.saturating_mul(1024);
    let stat = cgroup.and_then(|cgroup| fs::read_to_string(cgroup.join("memory.stat")).ok());
    let kernel = stat.map_or(0, |stat| {
        let parts = ["kernel_stack ", "slab_unreclaimable ", "sock "];
        parts.iter().filter_map(|part| number(&stat, part)).sum()
    });
    Some(own.saturating_add(kernel))
}

/// The number behind a name at the beginning of a line.
fn number(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_the_narrowest_one_above() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("memory.max"), "max\n").unwrap();
        fs::write(root.path().join("a/memory.max"), "1000\n").unwrap();
        fs::write(root.path().join("memory.max"), "5000\n").unwrap();
        assert_eq!(allowed(&inner), Some(1000));
    }

    #[test]
    fn the_kernel_counts_and_the_page_cache_does_not() {
        let cgroup = tempfile::tempdir().unwrap();
        let before = used(Some(cgroup.path())).unwrap();
        let stat =
            "anon 5\nfile 1099511627776\nkernel_stack 1\nslab_unreclaimable 2\nsock 1073741824\n";
        fs::write(cgroup.path().join("memory.stat"), stat).unwrap();
        let after = used(Some(cgroup.path())).unwrap();
        assert!(
            before > 0 && after > 1 << 30 && after < 1 << 40,
            "{before} {after}"
        );
    }

    #[test]
    fn a_full_store_with_the_defaults_leaves_room_for_connections() {
        // What packaging/ume-relay.service allows, and 4 KiB for each of 10,000 connections.
        let unit = 448 << 20;
        assert!(needed(&Limits::default()) + 10_000 * 4096 < usable(unit));
    }

    #[test]
    fn it_does_not_flutter() {
        let memory = Memory::default();
        for (used, is_short) in [
            (79, false),
            (80, true),
            (76, true),
            (74, false),
            (79, false),
        ] {
            memory.judge(Some(100), Some(used));
            assert_eq!(memory.turns_away(), is_short, "{used}");
        }
        memory.judge(Some(100), Some(90));
        memory.judge(None, Some(90));
        assert!(!memory.is_short());
    }
}

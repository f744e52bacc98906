//! Numbers for the operator's monitoring, in the text form of Prometheus. All are totals: nothing about single lanes,
//! keys, connections or people.

mod listener;

pub(crate) use listener::listen;

use prometheus_client::{
    encoding::text::encode,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use std::time::Duration;
use ume_wire::relay::RefusedCode;

type ByCode = Family<[(&'static str, &'static str); 1], Counter>;

/// What is counted while it happens, and what is looked up when somebody asks.
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) connections: Gauge,
    pub(crate) turned_away: Counter,
    pub(crate) frames_in: Counter,
    pub(crate) bytes_out: Counter,
    /// Connections that keep a pace.
    pub(crate) paced: Gauge,
    pub(crate) pads_out: Counter,
    refused: ByCode,
    pushes: ByCode,
    pub(crate) commits: Counter,
    pub(crate) commit_failures: Counter,
    commit_seconds: Histogram,
    group_writes: Histogram,
    sampled: Sampled,
}

/// What is looked up when somebody asks.
#[derive(Default)]
struct Sampled {
    store_bytes: Gauge,
    disk_bytes: Gauge,
    free_bytes: Gauge,
    lanes: Gauge,
    devices: Gauge,
    cells: Gauge,
    segments: Gauge,
    damaged: Gauge,
    waiting: Gauge,
    work_bits: Gauge,
    certificate_end: Gauge,
    memory_short: Gauge,
}

/// The numbers of one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) stats: crate::store::Stats,
    /// Cells that wait for the committer.
    pub(crate) waiting: usize,
    pub(crate) work_bits: u32,
    /// When the certificate ends, in seconds since 1970; 0 without one.
    pub(crate) certificate_end: i64,
    /// Whether connections are turned away because memory is short.
    pub(crate) memory_short: bool,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("ume");
        // From a tenth of a millisecond to three seconds; from one write to as many as a group may have.
        let commit_seconds = Histogram::new(exponential_buckets(0.0001, 2.0, 16));
        let group_writes = Histogram::new(exponential_buckets(1.0, 2.0, 12));
        let metrics = Self {
            connections: Gauge::default(),
            turned_away: Counter::default(),
            frames_in: Counter::default(),
            bytes_out: Counter::default(),
            paced: Gauge::default(),
            pads_out: Counter::default(),
            refused: ByCode::default(),
            pushes: ByCode::default(),
            commits: Counter::default(),
            commit_failures: Counter::default(),
            commit_seconds,
            group_writes,
            sampled: Sampled::default(),
            registry: Registry::default(),
        };
        registry.register(
            "connections",
            "Open connections",
            metrics.connections.clone(),
        );
        registry.register(
            "connections_turned_away",
            "Connections that were refused because their prefix had enough, or memory was short",
            metrics.turned_away.clone(),
        );
        registry.register("frames_in", "Frames received", metrics.frames_in.clone());
        registry.register(
            "websocket_bytes_out",
            "Bytes sent by WebSocket",
            metrics.bytes_out.clone(),
        );
        registry.register(
            "connections_paced",
            "Open connections on which frames leave at the ticks of a pace",
            metrics.paced.clone(),
        );
        registry.register(
            "pads_out",
            "Frames without meaning that filled the ticks of such connections",
            metrics.pads_out.clone(),
        );
        registry.register(
            "refused",
            "Requests that were refused, by code of the protocol",
            metrics.refused.clone(),
        );
        registry.register(
            "pushes",
            "Requests to push services, by what came of them",
            metrics.pushes.clone(),
        );
        registry.register("commits", "Groups written", metrics.commits.clone());
        registry.register(
            "commit_failures",
            "Groups that could not be written",
            metrics.commit_failures.clone(),
        );
        registry.register_with_unit(
            "commit",
            "Time from the start of a group to the disk",
            Unit::Seconds,
            metrics.commit_seconds.clone(),
        );
        registry.register(
            "group_writes",
            "Writes in a group",
            metrics.group_writes.clone(),
        );
        metrics.sampled.register(&mut registry);
        Self {
            registry,
            ..metrics
        }
    }
}

impl Sampled {
    fn register(&self, registry: &mut Registry) {
        let rows = [
            (
                "store_bytes",
                "Bytes that count towards the store's limit",
                &self.store_bytes,
            ),
            (
                "store_disk_bytes",
                "Bytes of the store's files",
                &self.disk_bytes,
            ),
            (
                "store_free_bytes",
                "Bytes that the file system has left",
                &self.free_bytes,
            ),
            ("store_lanes", "Lanes in the store", &self.lanes),
            (
                "store_devices",
                "Devices that are woken by Web Push",
                &self.devices,
            ),
            ("store_cells", "Cells in the store", &self.cells),
            ("store_segments", "Files of the log", &self.segments),
            (
                "store_damaged",
                "Records found damaged since the start; they are not served",
                &self.damaged,
            ),
            (
                "commit_waiting",
                "Cells that wait to be written",
                &self.waiting,
            ),
            (
                "work_bits",
                "Work that a new lane takes at the moment",
                &self.work_bits,
            ),
            (
                "certificate_end_seconds",
                "When the certificate ends, in seconds since 1970; 0 without one",
                &self.certificate_end,
            ),
            (
                "memory_short",
                "1 while connections are turned away because memory is short",
                &self.memory_short,
            ),
        ];
        for (name, help, gauge) in rows {
            registry.register(name, help, gauge.clone());
        }
    }

    fn set(&self, sample: Sample) {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let stats = sample.stats;
        self.store_bytes.set(number(stats.bytes));
        self.disk_bytes.set(number(stats.disk_bytes));
        self.free_bytes.set(number(stats.free_bytes));
        self.lanes.set(number(stats.lanes));
        self.devices.set(number(stats.devices));
        self.cells.set(number(stats.cells));
        self.segments.set(number(stats.segments));
        self.damaged.set(number(stats.damaged));
        self.waiting.set(number(sample.waiting as u64));
        self.work_bits.set(sample.work_bits.into());
        self.certificate_end.set(sample.certificate_end);
        self.memory_short.set(sample.memory_short.into());
    }
}

impl Metrics {
    /// Counts a refusal.
    pub(crate) fn refused(&self, code: RefusedCode) {
        self.refused
            .get_or_create(&[("code", code.as_str_name())])
            .inc();
    }

    /// Counts a request to a push service.
    pub(crate) fn pushed(&self, outcome: &'static str) {
        self.pushes.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// Counts a group that was written.
    #[allow(clippy::cast_precision_loss)] // a group has some thousand writes
    pub(crate) fn committed(&self, writes: usize, took: Duration) {
        self.commits.inc();
        self.group_writes.observe(writes as f64);
        self.commit_seconds.observe(took.as_secs_f64());
    }

    /// All of them, as Prometheus reads them.
    pub(crate) fn text(&self, sample: Sample) -> String {
        self.sampled.set(sample);
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_in_the_text() {
        let metrics = Metrics::default();
        metrics.connections.inc();
        metrics.frames_in.inc_by(7);
        metrics.refused(RefusedCode::RefusedDenied);
        metrics.committed(3, Duration::from_millis(2));
        let text = metrics.text(Sample {
            work_bits: 12,
            ..Sample::default()
        });
        for line in [
            "ume_connections 1",
            "ume_frames_in_total 7",
            "ume_refused_total{code=\"REFUSED_DENIED\"} 1",
            "ume_commit_seconds_count 1",
            "ume_group_writes_sum 3.0",
            "ume_work_bits 12",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}

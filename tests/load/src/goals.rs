//! The goals, and whether the figures of a run reach them. Ratios are to what a peer did in the same run.

use crate::{bench::Results, server::Peer};

/// A goal and what came of it.
pub(crate) struct Verdict {
    pub(crate) id: &'static str,
    pub(crate) figure: &'static str,
    pub(crate) goal: &'static str,
    pub(crate) measured: String,
    /// Nothing if something that it takes was not measured.
    pub(crate) reached: Option<bool>,
}

fn rate(per_second: f64) -> String {
    match per_second {
        high if high >= 1e6 => format!("{:.2}M", high / 1e6),
        middle if middle >= 1e4 => format!("{:.0}k", middle / 1e3),
        low if low >= 1e3 => format!("{:.1}k", low / 1e3),
        low => format!("{low:.0}"),
    }
}

/// Deliveries in a second of the server's CPU, against NATS.
fn fan_out(
    results: &Results,
    id: &'static str,
    figure: &'static str,
    goal: &'static str,
    (case, least): (&str, f64),
) -> Verdict {
    let ours = results.get(case, Peer::Ume, "per_core_second");
    let theirs = results.get(case, Peer::Nats, "per_core_second");
    let ratio = ours.zip(theirs).map(|(ours, theirs)| ours / theirs);
    Verdict {
        id,
        figure,
        goal,
        measured: match (ours, ratio) {
            (Some(ours), Some(ratio)) => format!("{}/s = {ratio:.2} x NATS", rate(ours)),
            (Some(ours), None) => format!("{}/s", rate(ours)),
            _ => String::new(),
        },
        reached: ratio.map(|ratio| ratio >= least),
    }
}

/// A figure that must not be above a bound, nor above a share of what NATS has.
fn at_most(
    results: &Results,
    id: &'static str,
    figure: &'static str,
    goal: &'static str,
    (case, field, unit): (&str, &str, &str),
    (most, share): (f64, f64),
) -> Verdict {
    let ours = results.get(case, Peer::Ume, field);
    let theirs = results.get(case, Peer::Nats, field);
    Verdict {
        id,
        figure,
        goal,
        measured: match (ours, theirs) {
            (Some(ours), Some(theirs)) => format!("{ours:.2} {unit} (NATS {theirs:.2})"),
            (Some(ours), None) => format!("{ours:.2} {unit}"),
            _ => String::new(),
        },
        reached: match (ours, theirs) {
            (Some(ours), Some(theirs)) => Some(ours <= most && ours <= share * theirs),
            (Some(ours), None) if share.is_infinite() => Some(ours <= most),
            _ => None,
        },
    }
}

/// Acknowledged messages a second, against a `JetStream` stream that does not sync.
fn durable(
    results: &Results,
    id: &'static str,
    figure: &'static str,
    goal: &'static str,
    (case, least, times): (&str, f64, f64),
) -> Verdict {
    let ours = results.get(case, Peer::UmeStored, "per_second");
    let theirs = results.get(case, Peer::NatsStream, "per_second");
    let synced = results.get(case, Peer::NatsSynced, "per_second");
    Verdict {
        id,
        figure,
        goal,
        measured: match (ours, theirs, synced) {
            (Some(ours), Some(theirs), synced) => format!(
                "{}/s (JetStream {} unsynced, {} synced)",
                rate(ours),
                rate(theirs),
                synced.map_or_else(|| "-".to_owned(), rate)
            ),
            (Some(ours), None, _) => format!("{}/s", rate(ours)),
            _ => String::new(),
        },
        reached: ours
            .zip(theirs)
            .map(|(ours, theirs)| ours >= least && ours >= times * theirs),
    }
}

/// One of our own figures against a bound.
fn own(
    results: &Results,
    id: &'static str,
    figure: &'static str,
    goal: &'static str,
    (case, peer, field): (&str, Peer, &str),
    say: impl Fn(f64) -> (String, bool),
) -> Verdict {
    let said = results.get(case, peer, field).map(say);
    Verdict {
        id,
        figure,
        goal,
        reached: said.as_ref().map(|(_, reached)| *reached),
        measured: said.map(|(text, _)| text).unwrap_or_default(),
    }
}

/// All goals, in their order.
pub(crate) fn judge(results: &Results) -> Vec<Verdict> {
    let mut verdicts = fan_outs(results);
    verdicts.extend(latencies(results));
    verdicts.extend(connections(results));
    verdicts.extend(disk(results));
    verdicts
}

fn fan_outs(results: &Results) -> Vec<Verdict> {
    [
        (
            "F1a",
            "4 KiB, N=1000, window 1: per server core-second",
            ">= 1.9 x NATS",
            ("fan-4k-n1000-w1", 1.9),
        ),
        (
            "F1b",
            "4 KiB, N=1000, window 4",
            ">= 1.6 x NATS",
            ("fan-4k-n1000-w4", 1.6),
        ),
        (
            "F1c",
            "4 KiB, N=1000, window 16",
            ">= 2.2 x NATS",
            ("fan-4k-n1000-w16", 2.2),
        ),
        (
            "F2",
            "16 KiB, N=1000, window 4",
            ">= 2.0 x NATS",
            ("fan-16k-n1000-w4", 2.0),
        ),
        (
            "F3",
            "4 KiB, N=100, window 20",
            ">= 1.5 x NATS",
            ("fan-4k-n100-w20", 1.5),
        ),
        (
            "F4",
            "4 KiB, N=10, window 32",
            ">= 1.3 x NATS",
            ("fan-4k-n10-w32", 1.3),
        ),
    ]
    .map(|(id, figure, goal, bound)| fan_out(results, id, figure, goal, bound))
    .into()
}

fn latencies(results: &Results) -> Vec<Verdict> {
    vec![
        at_most(
            results,
            "F5",
            "server CPU a delivery, 10 messages/s x 1000, 4 KiB",
            "<= 12 us, <= 0.55 x NATS",
            ("fan-4k-n1000-r10", "server_cpu_us_each", "us"),
            (12.0, 0.55),
        ),
        at_most(
            results,
            "L1",
            "p99, N=1000, 10 messages/s, 4 KiB",
            "<= 15 ms, <= 0.6 x NATS",
            ("fan-4k-n1000-r10", "p99_ms", "ms"),
            (15.0, 0.6),
        ),
        at_most(
            results,
            "L2",
            "p99, N=100, 100 messages/s, 4 KiB",
            "<= 2 ms",
            ("fan-4k-n100-r100", "p99_ms", "ms"),
            (2.0, f64::INFINITY),
        ),
        at_most(
            results,
            "L3",
            "p99, N=10, 1000 messages/s, 4 KiB",
            "<= 0.6 ms",
            ("fan-4k-n10-r1000", "p99_ms", "ms"),
            (0.6, f64::INFINITY),
        ),
        fan_out(
            results,
            "P1",
            "1000 pairs, 4 KiB: messages per server core-second",
            ">= 2 x NATS",
            ("pairs-4k-1000", 2.0),
        ),
    ]
}

fn connections(results: &Results) -> Vec<Verdict> {
    vec![
        own(
            results,
            "I1",
            "memory of an idle subscribed connection, of 10,000",
            "<= 4 KiB",
            ("idle", Peer::Ume, "rss_kib_each"),
            |kib| (format!("{kib:.2} KiB"), kib <= 4.0),
        ),
        own(
            results,
            "I1",
            "all memory with 10,000 of them",
            "<= 60 MB",
            ("idle", Peer::Ume, "rss_kib"),
            |kib| {
                let megabytes = kib * 1024.0 / 1e6;
                (format!("{megabytes:.0} MB"), megabytes <= 60.0)
            },
        ),
        own(
            results,
            "I2",
            "connected and subscribed per server core-second",
            ">= 8000/s",
            ("idle", Peer::Ume, "accepts_per_core_second"),
            |accepts| (format!("{}/s", rate(accepts)), accepts >= 8_000.0),
        ),
        own(
            results,
            "C1",
            "clients in balanced cover that a core carries",
            ">= 20,000",
            ("cover", Peer::Ume, "clients_per_core"),
            |clients| (rate(clients), clients >= 20_000.0),
        ),
        own(
            results,
            "C1",
            "p99 lateness with 10,000 of them",
            "< 20 ms",
            ("cover", Peer::Ume, "p99_ms"),
            |late| (format!("{late:.1} ms"), late < 20.0),
        ),
    ]
}

fn disk(results: &Results) -> Vec<Verdict> {
    let alone = results.get("floor", Peer::Raw, "per_second");
    vec![
        durable(
            results,
            "D1",
            "stored and acknowledged, 64 x 16 in flight, 16 KiB",
            ">= 40k/s, >= 3 x JetStream unsynced",
            ("durable-16k-64x16", 40_000.0, 3.0),
        ),
        durable(
            results,
            "D2",
            "the same, 4 KiB",
            ">= 80k/s, >= 2 x JetStream unsynced",
            ("durable-4k-64x16", 80_000.0, 2.0),
        ),
        own(
            results,
            "D3",
            "p99 of an acknowledgement, 64 x 1 in flight, 16 KiB",
            "<= 5 ms",
            ("durable-16k-64x1", Peer::UmeStored, "p99_ms"),
            |late| (format!("{late:.1} ms"), late <= 5.0),
        ),
        own(
            results,
            "L4",
            "one publisher, one frame at a time, against append + fdatasync alone",
            "within 1.3 x",
            ("durable-2k-1x1", Peer::UmeStored, "per_second"),
            |ours| match alone {
                Some(alone) => (
                    format!(
                        "{}/s of {}/s = {:.2} x",
                        rate(ours),
                        rate(alone),
                        alone / ours
                    ),
                    alone <= 1.3 * ours,
                ),
                None => (format!("{}/s", rate(ours)), false),
            },
        ),
    ]
}

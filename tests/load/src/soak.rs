//! A steady mix of everything for a long time: the relay's memory must not grow, nor its descriptors.

use crate::{
    dialect::{Dialect, Todo},
    fault::{Result, fault},
    machine,
    net::Net,
    server::{Peer, Programs, Server},
};
use std::{
    collections::VecDeque,
    path::PathBuf,
    time::{Duration, Instant},
};

/// How `soak` is run.
#[derive(Debug, clap::Args)]
pub(crate) struct Soak {
    /// The relay to start.
    #[arg(long, value_name = "FILE")]
    relay: PathBuf,
    /// For how long.
    #[arg(long, value_name = "N", default_value_t = 120)]
    minutes: u64,
    /// Minutes before memory counts, in which caches fill and the first cells expire; a quarter of the time otherwise.
    #[arg(long, value_name = "N")]
    warm_up: Option<u64>,
    /// Where the relay keeps its data.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

/// Growth of memory that is still noise.
const MIB_PER_HOUR_MAX: f64 = 1.0;
/// Lanes, each with one publisher and some subscribers who stay.
const LANES: u32 = 20;
const SUBSCRIBERS: u32 = 5;
/// Between two messages; every other one is stored.
const MESSAGE_EVERY: Duration = Duration::from_millis(5);
/// Between two visitors, who read what a lane has and leave when some others have come.
const VISITOR_EVERY: Duration = Duration::from_millis(200);
const VISITORS: usize = 20;
const SAMPLE_EVERY: Duration = Duration::from_secs(5);
/// Stored cells go after this time, so that the store reaches a steady state.
const TTL_SECONDS: u32 = 60;

/// The relay at one time.
struct Sample {
    hours: f64,
    rss_mib: f64,
    descriptors: usize,
}

/// Loads and judges.
pub(crate) fn run(soak: &Soak) -> Result {
    let programs = Programs {
        relay: soak.relay.clone(),
        scratch: soak.scratch.clone(),
        ..Programs::default()
    }
    .absolute()?;
    let server = Server::start(&programs, Peer::UmeStored)?;
    let span = Duration::from_secs(60 * soak.minutes.max(1));
    let warm_up = soak
        .warm_up
        .map_or(span / 4, |minutes| Duration::from_secs(60 * minutes));
    let samples = load(&server, span)?;
    judge(&samples, warm_up.as_secs_f64() / 3600.0)
}

/// One set of lanes with everyone who uses it.
struct Lanes {
    net: Net,
    visitors: VecDeque<usize>,
    sent: u64,
}

impl Lanes {
    fn open(server: &Server, ttl_seconds: u32) -> Result<Self> {
        let mut dialect = server.dialect.clone();
        if let Dialect::Ume(ume) = &mut dialect {
            ume.run += u64::from(ttl_seconds);
            ume.ttl_seconds = ttl_seconds;
        }
        let mut net = Net::new(server.address, dialect)?;
        for lane in 0..LANES {
            net.open(&[Todo::Hello, Todo::Create(lane)])?;
        }
        net.settle()?;
        for reader in 0..LANES * SUBSCRIBERS {
            net.open(&[Todo::Hello, Todo::Subscribe(reader % LANES)])?;
        }
        net.settle()?;
        Ok(Self {
            net,
            visitors: VecDeque::new(),
            sent: 0,
        })
    }

    /// Sends to the lanes in turns, in messages of 1, 3 and 10 cells.
    fn send(&mut self) -> Result {
        let lane = (self.sent % u64::from(LANES)) as u32;
        let size = [2048, 4096, 16_384][(self.sent / u64::from(LANES) % 3) as usize];
        self.net.publish(lane as usize, lane, self.sent, size)?;
        self.sent += 1;
        Ok(())
    }

    fn visit(&mut self) -> Result {
        let lane = (self.sent % u64::from(LANES)) as u32;
        let visitor = self.net.open(&[Todo::Hello, Todo::Subscribe(lane)])?;
        self.visitors.push_back(visitor);
        if self.visitors.len() > VISITORS
            && let Some(first) = self.visitors.pop_front()
        {
            self.net.close(first);
        }
        Ok(())
    }
}

fn load(server: &Server, span: Duration) -> Result<Vec<Sample>> {
    let mut sets = [Lanes::open(server, 0)?, Lanes::open(server, TTL_SECONDS)?];
    let begin = Instant::now();
    let (mut message, mut visitor, mut sample) = (begin, begin, begin);
    let mut turn = 0;
    let mut samples = Vec::new();
    let mut happened = Vec::new();
    while begin.elapsed() < span {
        let now = Instant::now();
        if now >= message {
            message += MESSAGE_EVERY;
            sets[turn].send()?;
            turn = 1 - turn;
        }
        if now >= visitor {
            visitor += VISITOR_EVERY;
            sets.iter_mut().try_for_each(Lanes::visit)?;
        }
        if now >= sample {
            sample += SAMPLE_EVERY;
            let one = Sample {
                hours: begin.elapsed().as_secs_f64() / 3600.0,
                rss_mib: machine::rss_kib(server.pid())? as f64 / 1024.0,
                descriptors: machine::descriptors(server.pid())?,
            };
            if samples.len().is_multiple_of(12) {
                let minutes = one.hours * 60.0;
                println!(
                    "{minutes:6.1} min {:8.2} MiB {:5} descriptors",
                    one.rss_mib, one.descriptors
                );
            }
            samples.push(one);
        }
        for set in &mut sets {
            set.net
                .turn(Some(Duration::from_millis(1)), &mut happened)?;
            happened.clear();
        }
    }
    Ok(samples)
}

fn judge(samples: &[Sample], after: f64) -> Result {
    let steady: Vec<&Sample> = samples.iter().filter(|one| one.hours >= after).collect();
    let (Some(first), Some(last)) = (steady.first(), steady.last()) else {
        return fault("too short to say anything");
    };
    let slope = slope(&steady);
    println!(
        "memory: {:.2} MiB to {:.2} MiB, slope {slope:.2} MiB an hour over {:.2} hours (at most {MIB_PER_HOUR_MAX})",
        first.rss_mib,
        last.rss_mib,
        last.hours - first.hours
    );
    // Visitors come and go: the most of a quarter of the time says more than any one moment.
    let most = |samples: &[&Sample]| samples.iter().map(|one| one.descriptors).max().unwrap_or(0);
    let quarter = steady.len().div_ceil(4);
    let (early, late) = (
        most(&steady[..quarter]),
        most(&steady[steady.len() - quarter..]),
    );
    println!("descriptors: {early} in the first quarter, {late} in the last");
    if slope > MIB_PER_HOUR_MAX {
        return fault("memory grows");
    }
    if late > early + 2 {
        return fault("descriptors grow");
    }
    Ok(())
}

/// Least squares: MiB an hour.
fn slope(samples: &[&Sample]) -> f64 {
    let count = samples.len() as f64;
    let mean =
        |value: fn(&Sample) -> f64| samples.iter().map(|one| value(one)).sum::<f64>() / count;
    let (x, y) = (mean(|one| one.hours), mean(|one| one.rss_mib));
    let (mut over, mut under) = (0.0, 0.0);
    for one in samples {
        over += (one.hours - x) * (one.rss_mib - y);
        under += (one.hours - x).powi(2);
    }
    if under > 0.0 { over / under } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_of_a_line_is_its_slope() {
        let samples: Vec<Sample> = (0..10)
            .map(|at| Sample {
                hours: f64::from(at) / 10.0,
                rss_mib: 50.0 + f64::from(at) * 0.3,
                descriptors: 5,
            })
            .collect();
        let all: Vec<&Sample> = samples.iter().collect();
        assert!((slope(&all) - 3.0).abs() < 1e-9);
        assert!(judge(&samples, 0.0).is_err());
        assert!(judge(&samples, 2.0).is_err());
    }
}

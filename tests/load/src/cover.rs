//! Clients as they are under balanced cover: each sends a frame every two seconds and gets one a second. Of what a client
//! sends, a tenth are cells for the ten of its group, the rest means nothing and is answered by its like.

use crate::{
    dialect::{Seen, Todo, ume},
    fault::Result,
    machine,
    net::Net,
    server::Server,
};
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use std::{collections::VecDeque, time::Duration};

/// Clients that read one lane. With a cell in the time of ten ticks, each gets half a frame a second from it, and half a
/// frame a second as answers.
const GROUP: u32 = 10;
const TICK: u64 = 2_000_000_000;

/// What was measured.
#[derive(Clone, Debug)]
pub(crate) struct Cover {
    pub(crate) clients: u32,
    /// Clients that a whole core would carry, by its CPU time.
    pub(crate) per_core: f64,
    /// Milliseconds from the time of a tick to its answer.
    pub(crate) p99: f64,
    up: f64,
    down: f64,
    rss_kib: u64,
}

impl Cover {
    pub(crate) fn json(&self) -> Value {
        json!({
            "clients": self.clients,
            "clients_per_core": self.per_core,
            "p99_ms": self.p99,
            "frames_up_each_per_second": self.up,
            "frames_down_each_per_second": self.down,
            "rss_kib": self.rss_kib,
        })
    }
}

/// Runs so many clients for so long, which should be some ticks.
pub(crate) fn run(server: &Server, clients: u32, span: Duration) -> Result<Cover> {
    let mut net = Net::new(server.address, server.dialect.clone())?;
    for client in 0..clients {
        let lane = client / GROUP;
        if client % GROUP == 0 {
            net.settle()?;
            net.open(&[Todo::Hello, Todo::Create(lane), Todo::Subscribe(lane)])?;
            net.settle()?;
        } else {
            net.open(&[Todo::Hello, Todo::Subscribe(lane)])?;
        }
    }
    net.settle()?;
    let mut latency = Histogram::<u64>::new_with_bounds(1_000, 600_000_000_000, 3)
        .map_err(|error| crate::fault::Fault::Other(error.to_string()))?;
    let mut due = vec![VecDeque::new(); clients as usize];
    let (begin, cpu) = (net.now(), machine::cpu_seconds(server.pid())?);
    let end = begin + span.as_nanos() as u64;
    let (mut up, mut down) = (0_u64, 0_u64);
    let mut happened = Vec::new();
    while net.now() < end {
        // Ticks are spread evenly: the next one is that of the client whose turn it is.
        loop {
            let at = begin + up * TICK / u64::from(clients);
            if at > net.now() {
                break;
            }
            let (client, round) = (up % u64::from(clients), up / u64::from(clients));
            due[client as usize].push_back(at);
            if (client + round).is_multiple_of(u64::from(GROUP)) {
                net.publish(client as usize, client as u32 / GROUP, up, 2048)?;
            } else {
                net.say(client as usize, ume::pad)?;
            }
            up += 1;
        }
        net.turn(Some(Duration::from_millis(1)), &mut happened)?;
        for one in happened.drain(..) {
            down += 1;
            if matches!(one.seen, Seen::Ready | Seen::Acked)
                && let Some(at) = due[one.conn].pop_front()
            {
                latency.saturating_record(one.at.saturating_sub(at));
            }
        }
    }
    let seconds = (net.now() - begin) as f64 / 1e9;
    let cpu = machine::cpu_seconds(server.pid())? - cpu;
    let each = |frames: u64| frames as f64 / seconds / f64::from(clients);
    Ok(Cover {
        clients,
        per_core: f64::from(clients) * seconds / cpu,
        p99: latency.value_at_quantile(0.99) as f64 / 1e6,
        up: each(up),
        down: each(down),
        rss_kib: machine::rss_kib(server.pid())?,
    })
}

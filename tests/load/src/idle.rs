//! Many connections, open and subscribed to a topic of their own, over which nothing comes.

use crate::{
    dialect::Todo,
    fault::{Result, fault},
    machine,
    net::Net,
    server::{Peer, Server},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Connections that come up at the same time.
const AT_ONCE: usize = 64;
/// Topics that one connection makes beforehand.
const TOPICS_EACH: u32 = 50;

/// What was measured.
#[derive(Clone, Debug)]
pub(crate) struct Idle {
    pub(crate) connections: u32,
    /// Growth of resident memory for each.
    pub(crate) kib_each: f64,
    pub(crate) rss_kib: u64,
    /// Connected and subscribed in a second, and in a second of the server's CPU.
    pub(crate) per_second: f64,
    pub(crate) per_core: f64,
}

impl Idle {
    pub(crate) fn json(&self) -> Value {
        json!({
            "connections": self.connections,
            "rss_kib_each": self.kib_each,
            "rss_kib": self.rss_kib,
            "accepts_per_second": self.per_second,
            "accepts_per_core_second": self.per_core,
        })
    }
}

/// Opens them, waits a little and looks at the server.
pub(crate) fn run(server: &Server, peer: Peer, connections: u32) -> Result<Idle> {
    let mut net = Net::new(server.address, server.dialect.clone())?;
    // Topics that have to be made are made before: a person comes more often than a topic.
    if matches!(peer, Peer::Ume | Peer::UmeStored) {
        let mut makers = Vec::new();
        for first in (0..connections).step_by(TOPICS_EACH as usize) {
            let mut todo = vec![Todo::Hello];
            todo.extend((first..connections.min(first + TOPICS_EACH)).map(Todo::Create));
            makers.push(net.open(&todo)?);
        }
        // All at once, so that they share what the disk costs.
        net.settle()?;
        for maker in makers {
            net.close(maker);
        }
    }
    std::thread::sleep(Duration::from_millis(300));
    let before = machine::rss_kib(server.pid())?;
    let cpu = machine::cpu_seconds(server.pid())?;
    let begin = Instant::now();
    let mut happened = Vec::new();
    let mut opened = 0;
    while net.live() < connections as usize {
        while opened < connections && net.waiting() < AT_ONCE {
            net.open(&[Todo::Hello, Todo::Subscribe(opened)])?;
            opened += 1;
        }
        net.turn(Some(Duration::from_millis(100)), &mut happened)?;
        happened.clear();
        if begin.elapsed() > Duration::from_mins(2) {
            return fault(format!("only {} connections came up", net.live()));
        }
    }
    let took = begin.elapsed().as_secs_f64();
    let cpu = machine::cpu_seconds(server.pid())? - cpu;
    // A server may have something to do after the last of them.
    let rest = Instant::now();
    while rest.elapsed() < Duration::from_secs(2) {
        net.turn(Some(Duration::from_millis(100)), &mut happened)?;
        happened.clear();
    }
    let after = machine::rss_kib(server.pid())?;
    Ok(Idle {
        connections,
        kib_each: after.saturating_sub(before) as f64 / f64::from(connections),
        rss_kib: after,
        per_second: f64::from(connections) / took,
        per_core: f64::from(connections) / cpu,
    })
}

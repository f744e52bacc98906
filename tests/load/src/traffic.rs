//! Messages from publishers to subscribers, or to nobody but the disk: closed loop (so many in flight) or open loop (so many a
//! second, whatever comes back). A latency counts from the time at which the message was to be sent, not from when it was: a
//! server that makes the generator wait is not spared (coordinated omission).

use crate::{
    dialect::{Seen, Tag, Todo},
    fault::{Result, fault},
    machine,
    net::{Happened, Net},
    server::Server,
};
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use std::{collections::VecDeque, time::Duration};

/// How fast messages are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// As soon as fewer than so many are in flight in a topic.
    Window(u32),
    /// So many a second over all topics.
    Rate(f64),
}

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traffic {
    /// Each has one publisher.
    pub(crate) topics: u32,
    /// Of each topic. Without any, a message is done when it is acknowledged, otherwise when all have it.
    pub(crate) subscribers: u32,
    /// Bytes of a message.
    pub(crate) size: usize,
    pub(crate) pace: Pace,
}

/// What was measured.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) seconds: f64,
    /// Messages that a subscriber got, or that were acknowledged.
    pub(crate) done: u64,
    /// Seconds of the server's CPU in that time.
    pub(crate) cpu: f64,
    /// Milliseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Parts that never came, or came twice.
    pub(crate) lost: u64,
    /// The generator's share of its own core: near 1 it is what was measured, apart from the CPU time of the server.
    pub(crate) own: f64,
}

impl Figures {
    /// Done in a second of the server's CPU.
    pub(crate) fn per_core(&self) -> f64 {
        self.done as f64 / self.cpu
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.done as f64 / self.seconds
    }

    /// Microseconds of the server's CPU for each.
    pub(crate) fn micros(&self) -> f64 {
        1e6 * self.cpu / self.done as f64
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "seconds": self.seconds,
            "done": self.done,
            "server_cpu_seconds": self.cpu,
            "per_second": self.per_second(),
            "per_core_second": self.per_core(),
            "server_cpu_us_each": self.micros(),
            "p50_ms": self.p50,
            "p99_ms": self.p99,
            "lost": self.lost,
            "generator_share": self.own,
        })
    }
}

/// Time before anything counts.
const WARM_UP: Duration = Duration::from_millis(400);
/// Seconds of CPU that a server must have had in a closed loop before anything counts, and while it does: on a machine that
/// does other things, too, time says little about what was measured.
const WARM_UP_CPU: f64 = 0.15;
const MEASURED_CPU: f64 = 0.5;
/// But no more than so many times the span.
const LONGER_MAX: u32 = 6;
/// Without anything coming in for this long, the server has lost something.
const STALL: Duration = Duration::from_secs(20);
/// Messages of a topic that may be on their way in an open loop: beyond it the rate is more than the server can do.
const OPEN_MAX: usize = 20_000;

/// A message on its way.
struct Flight {
    due: u64,
    left: u32,
}

#[derive(Default)]
struct Topic {
    flights: VecDeque<Flight>,
    /// Number of the first of `flights`.
    first: u64,
    /// Parts that the server acknowledged.
    acked: u64,
}

struct Run<'a> {
    traffic: &'a Traffic,
    parts: u16,
    topics: Vec<Topic>,
    /// What each subscriber is to get next: message and part.
    expected: Vec<(u64, u16)>,
    latency: Histogram<u64>,
    done: u64,
    lost: u64,
    /// Topics that have room in their window.
    ready: Vec<u32>,
}

impl Traffic {
    /// Sends to a server for so long.
    pub(crate) fn run(&self, server: &Server, span: Duration) -> Result<Figures> {
        let mut net = self.connect(server)?;
        let Ok(latency) = Histogram::new_with_bounds(1_000, 600_000_000_000, 3) else {
            return fault("a histogram with such bounds");
        };
        let mut run = Run {
            traffic: self,
            parts: net.dialect.parts(self.size),
            topics: (0..self.topics).map(|_| Topic::default()).collect(),
            expected: vec![(0, 0); (self.topics * self.subscribers) as usize],
            latency,
            done: 0,
            lost: 0,
            ready: (0..self.topics).collect(),
        };
        if self.subscribers == 0 && !net.dialect.acknowledges() {
            return fault("nobody answers these messages");
        }
        let begin = net.now();
        run.phase(&mut net, begin, server, WARM_UP, WARM_UP_CPU)?;
        run.forget();
        let from = (
            net.now(),
            machine::cpu_seconds(server.pid())?,
            machine::cpu_seconds(std::process::id())?,
        );
        run.phase(&mut net, begin, server, span, MEASURED_CPU)?;
        let seconds = (net.now() - from.0) as f64 / 1e9;
        let quantile = |q| run.latency.value_at_quantile(q) as f64 / 1e6;
        Ok(Figures {
            seconds,
            done: run.done,
            cpu: machine::cpu_seconds(server.pid())? - from.1,
            p50: quantile(0.5),
            p99: quantile(0.99),
            lost: run.lost,
            own: (machine::cpu_seconds(std::process::id())? - from.2) / seconds,
        })
    }

    /// Publishers first, as they make the topics.
    fn connect(&self, server: &Server) -> Result<Net> {
        let mut net = Net::new(server.address, server.dialect.clone())?;
        for topic in 0..self.topics {
            net.open(&[Todo::Hello, Todo::Create(topic)])?;
            if topic % 64 == 63 {
                net.settle()?;
            }
        }
        net.settle()?;
        for topic in 0..self.topics {
            for number in 0..self.subscribers {
                net.open(&[Todo::Hello, Todo::Subscribe(topic)])?;
                if number % 64 == 63 {
                    net.settle()?;
                }
            }
            if topic % 64 == 63 {
                net.settle()?;
            }
        }
        net.settle()?;
        Ok(net)
    }
}

impl Run<'_> {
    /// What was counted so far was the warm-up.
    fn forget(&mut self) {
        self.latency.reset();
        self.done = 0;
    }

    /// Goes on for a time and, in a closed loop, until the server has had so many seconds of CPU.
    fn phase(
        &mut self,
        net: &mut Net,
        begin: u64,
        server: &Server,
        span: Duration,
        cpu: f64,
    ) -> Result {
        let before = machine::cpu_seconds(server.pid())?;
        for _ in 0..LONGER_MAX {
            let end = net.now() + span.as_nanos() as u64;
            self.until(net, begin, end)?;
            let open = matches!(self.traffic.pace, Pace::Rate(_));
            if open || machine::cpu_seconds(server.pid())? - before >= cpu {
                break;
            }
        }
        Ok(())
    }

    fn until(&mut self, net: &mut Net, begin: u64, end: u64) -> Result {
        let mut happened = Vec::new();
        let mut heard = net.now();
        loop {
            let now = net.now();
            if now >= end {
                return Ok(());
            }
            let timeout = self.send(net, begin, now)?;
            net.turn(Some(timeout), &mut happened)?;
            if happened.is_empty() {
                if u128::from(now.saturating_sub(heard)) > STALL.as_nanos() {
                    return fault(format!("nothing came for {STALL:?}; {} lost", self.lost));
                }
            } else {
                heard = now;
            }
            for one in happened.drain(..) {
                self.take(&one);
            }
        }
    }

    /// Sends what is due; gives how long to wait at most.
    fn send(&mut self, net: &mut Net, begin: u64, now: u64) -> Result<Duration> {
        match self.traffic.pace {
            Pace::Window(window) => {
                for topic in std::mem::take(&mut self.ready) {
                    while self.topics[topic as usize].flights.len() < window as usize {
                        self.publish(net, topic, now)?;
                    }
                }
                Ok(Duration::from_millis(100))
            }
            Pace::Rate(rate) => {
                let pause = 1e9 / rate;
                loop {
                    let sent: u64 = self.sent();
                    let due = begin + (sent as f64 * pause) as u64;
                    if due > net.now() {
                        // epoll counts in milliseconds: the last one is spent looking.
                        let far = due.saturating_sub(net.now()) > 2_000_000;
                        return Ok(Duration::from_millis(u64::from(far)));
                    }
                    let topic = (sent % u64::from(self.traffic.topics)) as u32;
                    if self.topics[topic as usize].flights.len() > OPEN_MAX {
                        return fault("the server does not keep up with the rate");
                    }
                    self.publish(net, topic, due)?;
                }
            }
        }
    }

    /// Messages sent over all topics, which take turns.
    fn sent(&self) -> u64 {
        self.topics
            .iter()
            .map(|topic| topic.first + topic.flights.len() as u64)
            .sum()
    }

    fn publish(&mut self, net: &mut Net, topic: u32, due: u64) -> Result {
        let state = &mut self.topics[topic as usize];
        let number = state.first + state.flights.len() as u64;
        state.flights.push_back(Flight {
            due,
            left: self.traffic.subscribers.max(1),
        });
        net.publish(topic as usize, topic, number, self.traffic.size)
    }

    fn take(&mut self, happened: &Happened) {
        match happened.seen {
            Seen::Delivered(tag) => self.delivered(happened.conn, tag, happened.at),
            Seen::Acked if self.traffic.subscribers == 0 => {
                let topic = happened.conn;
                self.topics[topic].acked += 1;
                let acked = self.topics[topic].acked;
                if acked.is_multiple_of(u64::from(self.parts)) {
                    self.arrived(topic, acked / u64::from(self.parts) - 1, Some(happened.at));
                }
            }
            _ => {}
        }
    }

    fn delivered(&mut self, conn: usize, tag: Tag, at: u64) {
        let subscriber = conn - self.topics.len();
        let topic = subscriber / self.traffic.subscribers as usize;
        let (number, part) = self.expected[subscriber];
        if (tag.number, tag.part) != (number, part) {
            let parts = u64::from(self.parts);
            let position = |number: u64, part: u16| number * parts + u64::from(part);
            let (is, should) = (position(tag.number, tag.part), position(number, part));
            self.lost += is.abs_diff(should);
            if is < should {
                return;
            }
            // What did not come whole will not come any more: the others must not wait for it.
            for gone in number..tag.number {
                self.arrived(topic, gone, None);
            }
        }
        self.expected[subscriber] = if tag.is_last() {
            self.arrived(topic, tag.number, Some(at));
            (tag.number + 1, 0)
        } else {
            (tag.number, tag.part + 1)
        };
    }

    /// One subscriber, or the disk, has a message; or never will.
    fn arrived(&mut self, topic: usize, number: u64, at: Option<u64>) {
        let state = &mut self.topics[topic];
        let Some(flight) = number
            .checked_sub(state.first)
            .and_then(|at| state.flights.get_mut(at as usize))
        else {
            return;
        };
        flight.left = flight.left.saturating_sub(1);
        if let Some(at) = at {
            self.done += 1;
            self.latency
                .saturating_record(at.saturating_sub(flight.due));
        }
        let before = state.flights.len();
        while state.flights.front().is_some_and(|flight| flight.left == 0) {
            state.flights.pop_front();
            state.first += 1;
        }
        if state.flights.len() < before {
            self.ready.push(topic as u32);
        }
    }
}

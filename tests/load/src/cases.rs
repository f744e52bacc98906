//! What is measured, and with whom.

use crate::{
    server::Peer,
    traffic::{Pace, Traffic},
};

/// What a case does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    Traffic(Traffic),
    /// So many connections that do nothing.
    Idle(u32),
    /// So many clients in balanced cover.
    Cover(u32),
    /// The disk alone.
    Floor,
}

/// One figure of all peers that have it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) peers: &'static [Peer],
    pub(crate) work: Work,
    /// Latencies are taken before everything else that the machine does.
    pub(crate) real_time: bool,
}

use Peer::{Mosquitto, MosquittoAcked, Nats, NatsStream, NatsSynced, Nostr, Raw, Ume, UmeStored};

const LIVE: &[Peer] = &[Ume, Nats, Raw];
const ALL: &[Peer] = &[Ume, Nats, Raw, Mosquitto, Nostr];
const STORED: &[Peer] = &[UmeStored, NatsStream];
const DURABLE: &[Peer] = &[UmeStored, NatsStream, NatsSynced, MosquittoAcked];

/// One publisher, many subscribers.
fn fan_out(kib: usize, subscribers: u32, pace: Pace, peers: &'static [Peer]) -> Case {
    let (word, real_time) = match pace {
        Pace::Window(window) => (format!("w{window}"), false),
        Pace::Rate(rate) => (format!("r{rate}"), true),
    };
    let stored = if peers[0] == UmeStored { "stored-" } else { "" };
    Case {
        name: format!("fan-{stored}{kib}k-n{subscribers}-{word}"),
        peers,
        work: Work::Traffic(Traffic {
            topics: 1,
            subscribers,
            size: kib << 10,
            pace,
        }),
        real_time,
    }
}

/// Publishers that wait for acknowledgements.
fn durable(kib: usize, publishers: u32, window: u32, peers: &'static [Peer]) -> Case {
    Case {
        name: format!("durable-{kib}k-{publishers}x{window}"),
        peers,
        work: Work::Traffic(Traffic {
            topics: publishers,
            subscribers: 0,
            size: kib << 10,
            pace: Pace::Window(window),
        }),
        real_time: false,
    }
}

fn pairs(kib: usize, pairs: u32, peers: &'static [Peer]) -> Case {
    Case {
        name: format!("pairs-{kib}k-{pairs}"),
        peers,
        work: Work::Traffic(Traffic {
            topics: pairs,
            subscribers: 1,
            size: kib << 10,
            pace: Pace::Window(1),
        }),
        real_time: false,
    }
}

/// All of them.
pub(crate) fn all() -> Vec<Case> {
    use Pace::{Rate, Window};
    let other = |name: &str, peers, work| Case {
        name: name.to_owned(),
        peers,
        work,
        real_time: false,
    };
    vec![
        fan_out(4, 1000, Window(1), ALL),
        fan_out(4, 1000, Window(4), LIVE),
        fan_out(4, 1000, Window(16), LIVE),
        fan_out(16, 1000, Window(4), LIVE),
        fan_out(4, 100, Window(20), ALL),
        fan_out(4, 10, Window(32), ALL),
        fan_out(2, 1000, Window(1), LIVE),
        fan_out(2, 1000, Window(16), LIVE),
        fan_out(2, 100, Window(20), LIVE),
        fan_out(2, 10, Window(32), LIVE),
        fan_out(16, 100, Window(5), LIVE),
        fan_out(16, 10, Window(25), LIVE),
        fan_out(4, 1000, Window(4), STORED),
        fan_out(4, 100, Window(20), STORED),
        fan_out(4, 10, Window(32), STORED),
        fan_out(4, 1000, Rate(10.0), ALL),
        fan_out(4, 100, Rate(100.0), LIVE),
        fan_out(4, 10, Rate(1000.0), LIVE),
        pairs(4, 1000, ALL),
        pairs(2, 1000, LIVE),
        other("idle", &[Ume, Nats, Mosquitto], Work::Idle(10_000)),
        durable(16, 64, 16, DURABLE),
        durable(4, 64, 16, DURABLE),
        durable(2, 64, 16, DURABLE),
        durable(16, 64, 1, DURABLE),
        durable(2, 64, 1, DURABLE),
        durable(2, 1, 1, DURABLE),
        other("floor", &[Raw], Work::Floor),
        other("cover", &[Ume], Work::Cover(10_000)),
    ]
}

//! An honest client: it appends a cell fifty times a second, mostly on its WebSocket and now and then by `POST`, and says how long it waited, counted from the moment at which
//! it wanted to send, so that a relay that stands still is not measured by the requests that it kept from being made.

use crate::{
    Fault, Result,
    peer::{self, Here, Lane, Peer, cell, kind},
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    thread,
    time::Duration,
};
use tokio::{
    runtime,
    sync::{oneshot, watch},
    time::{self, Instant},
};
use ume_wire::relay::{LaneKind, frame::Body};

const FROM: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 77);
const EVERY: Duration = Duration::from_millis(20);
/// One of so many requests goes by `POST`, on a connection of its own.
const POST_EVERY: u32 = 10;
const WARM_UP: Duration = Duration::from_millis(500);

/// What became of the honest client's requests.
#[derive(Debug, Default)]
pub(crate) struct Served {
    pub(crate) answered: usize,
    pub(crate) failed: usize,
    pub(crate) failure: Option<String>,
    pub(crate) p99: Duration,
}

/// The client, at work.
pub(crate) struct Honest {
    stop: watch::Sender<bool>,
    served: oneshot::Receiver<Served>,
}

/// Lets the relay take what memory it needs anyway.
pub(crate) async fn warm_up() {
    time::sleep(WARM_UP).await;
}

impl Honest {
    /// On a thread of its own: what it waits for is to be the relay, not the thousands of tasks that attack it.
    pub(crate) async fn start(relay: SocketAddr) -> Result<Self> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = watch::channel(false);
        let (ready, is_ready) = oneshot::channel();
        let (done, served) = oneshot::channel();
        thread::spawn(move || {
            runtime.block_on(async {
                let begun = begin(relay).await;
                let (begun, told) = match begun {
                    Ok(begun) => (Some(begun), Ok(())),
                    Err(fault) => (None, Err(fault)),
                };
                // Nobody hears it if the attack itself is over.
                let _ = ready.send(told);
                if let Some((lane, peer)) = begun {
                    let _ = done.send(work(relay, lane, peer, stopped).await);
                }
            });
        });
        is_ready
            .await
            .map_err(|error| Fault::new(error.to_string()))??;
        Ok(Self { stop, served })
    }

    pub(crate) async fn stop(self) -> Served {
        self.stop.send_replace(true);
        self.served.await.unwrap_or_default()
    }
}

async fn begin(relay: SocketAddr) -> Result<(Lane, Peer)> {
    let lane = Lane::new(LaneKind::Log, u64::MAX, 3600);
    let mut peer = Peer::greet(relay, FROM).await?;
    peer.must(lane.create()).await?;
    Ok((lane, peer))
}

async fn work(
    relay: SocketAddr,
    lane: Lane,
    mut peer: Peer,
    stopped: watch::Receiver<bool>,
) -> Served {
    let (mut served, mut waits) = (Served::default(), Vec::new());
    let start = Instant::now();
    for number in 0u32.. {
        let due = start + EVERY * number;
        time::sleep_until(due).await;
        if *stopped.borrow() {
            break;
        }
        let asked = if number.is_multiple_of(POST_EVERY) {
            post(relay, &lane, number.into()).await
        } else {
            append(&mut peer, &lane, number.into()).await
        };
        match asked {
            Ok(()) => {
                served.answered += 1;
                waits.push(due.elapsed());
            }
            Err(fault) => {
                served.failed += 1;
                served.failure.get_or_insert(fault.to_string());
                waits.push(due.elapsed());
                if let Ok(again) = Peer::greet(relay, FROM).await {
                    peer = again;
                }
            }
        }
    }
    waits.sort_unstable();
    served.p99 = waits
        .get(waits.len().saturating_mul(99) / 100)
        .copied()
        .unwrap_or_default();
    served
}

async fn append(peer: &mut Peer, lane: &Lane, number: u64) -> Result {
    let append = lane.append(&peer.here.clone(), cell(number));
    match peer.ask(append).await? {
        Body::Appended(_) => Ok(()),
        other => Err(Fault::new(format!("not appended but {}", kind(&other)))),
    }
}

async fn post(relay: SocketAddr, lane: &Lane, number: u64) -> Result {
    let body = peer::raw(1, lane.append(&Here::default(), cell(number)))?;
    match peer::post(relay, FROM, &body).await? {
        Some(Body::Appended(_)) => Ok(()),
        Some(other) => Err(Fault::new(format!("not appended but {}", kind(&other)))),
        None => Err(Fault::new("an answer without body")),
    }
}

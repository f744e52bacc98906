//! Much of what is allowed, and much of what is not.

use super::{Size, each};
use crate::{
    Result,
    peer::{self, BINARY, Lane, Peer, cell},
    relay::Relay,
    report::{Report, note},
};
use bytes::Bytes;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{self, Instant},
};
use ume_wire::{
    limits::FRAME_BYTES,
    relay::{LaneKind, Pad, frame::Body},
};

/// Frames without sense, frames that mean nothing, and appends with signatures that do not fit.
pub(super) async fn noise(relay: &Relay, size: Size, _: &mut Report) -> Result {
    let (to, length) = (relay.address(), flood_time(size));
    let lane = Lane::new(LaneKind::Log, 1, 3600);
    let mut owner = Peer::greet(to, peer::source(1_000_000)).await?;
    owner.must(lane.create()).await?;
    let stranger = Lane::new(LaneKind::Log, 2, 3600);
    let Body::Append(mut forged) = stranger.append(&peer::Here::default(), cell(1)) else {
        return Ok(());
    };
    forged.lane = lane.id().clone();
    for (what, bytes) in [
        (
            "frames without sense",
            peer::message(BINARY, &[0xff; FRAME_BYTES]),
        ),
        ("pads", peer::request(1, Body::Pad(Pad {}))?),
        ("wrong signatures", peer::request(1, Body::Append(forged))?),
    ] {
        let sent = flood(to, size.pick(8, 64), bytes, length).await?;
        note(&format!("{what} sent"), sent);
    }
    Ok(())
}

/// Every lane stays for its time to live, so nobody may make them without end for nothing.
pub(super) async fn lanes(relay: &Relay, size: Size, _: &mut Report) -> Result {
    let (to, length) = (relay.address(), flood_time(size));
    let counts = each(size.pick(8, 64), move |n| async move {
        let (mut done, mut refused) = (0u64, 0u64);
        let until = Instant::now() + length;
        let Ok(mut peer) = Peer::greet(to, peer::source(n)).await else {
            return (0, 0);
        };
        for number in 0.. {
            if Instant::now() >= until {
                break;
            }
            let lane = Lane::new(LaneKind::Log, (n as u64) << 32 | number, 3600);
            match peer.ask(lane.create()).await {
                Ok(Body::Done(_)) => done += 1,
                Ok(_) => refused += 1,
                Err(_) => break,
            }
        }
        (done, refused)
    })
    .await?;
    let sum = |pick: fn(&(u64, u64)) -> u64| counts.iter().map(pick).sum::<u64>();
    note("lanes made", sum(|count| count.0));
    note("lanes refused", sum(|count| count.1));
    Ok(())
}

fn flood_time(size: Size) -> Duration {
    size.pick(Duration::from_secs(2), Duration::from_secs(10))
}

/// Sends the same over and over on many connections, takes the answers, and comes back when it is cut off.
async fn flood(to: SocketAddr, count: usize, bytes: Vec<u8>, length: Duration) -> Result<u64> {
    let bytes = Arc::new(Bytes::from(bytes.repeat(16)));
    let until = Instant::now() + length;
    let sent = each(count, move |n| {
        let bytes = bytes.clone();
        async move {
            let mut sent = 0;
            while Instant::now() < until {
                match Peer::greet(to, peer::source(n)).await {
                    Ok(peer) => sent += pour(peer, &bytes, until).await,
                    Err(_) => time::sleep(Duration::from_millis(100)).await,
                }
            }
            sent
        }
    })
    .await?;
    Ok(sent.iter().sum())
}

async fn pour(peer: Peer, bytes: &[u8], until: Instant) -> u64 {
    let (mut reading, mut writing) = peer.stream.into_split();
    let take = tokio::spawn(async move {
        let mut scratch = vec![0; 64 * 1024];
        while let Ok(count) = reading.read(&mut scratch).await {
            if count == 0 {
                break;
            }
        }
    });
    let mut sent = 0;
    while let Ok(Ok(())) = time::timeout_at(until, writing.write_all(bytes)).await {
        sent += 16;
    }
    take.abort();
    sent
}

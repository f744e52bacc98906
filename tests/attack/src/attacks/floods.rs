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
    auth::hash,
    limits::FRAME_BYTES,
    relay::{LaneKind, Pad, PushSet, PushWatch, frame::Body},
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

/// A browser's key: the one of RFC 8291, section 5.
const BROWSER: [u8; 65] = [
    0x04, 0x25, 0x71, 0xb2, 0xbe, 0xcd, 0xfd, 0xe3, 0x60, 0x55, 0x1a, 0xaf, 0x1e, 0xd0, 0xf4, 0xcd,
    0x36, 0x6c, 0x11, 0xce, 0xbe, 0x55, 0x5f, 0x89, 0xbc, 0xb7, 0xb1, 0x86, 0xa5, 0x33, 0x39, 0x17,
    0x31, 0x68, 0xec, 0xe2, 0xeb, 0xe0, 0x18, 0x59, 0x7b, 0xd3, 0x04, 0x79, 0xb8, 0x6e, 0x3c, 0x8f,
    0x8e, 0xce, 0xd5, 0x77, 0xca, 0x59, 0x18, 0x7e, 0x92, 0x46, 0x99, 0x0d, 0xb6, 0x82, 0x00, 0x8b,
    0x0e,
];

/// Every device takes a place, and memory while it waits to be woken. Here none ever is: its time does not come.
pub(super) async fn devices(relay: &Relay, size: Size, _: &mut Report) -> Result {
    let (to, length) = (relay.address(), flood_time(size));
    let lane = Lane::new(LaneKind::Log, 1, 3600);
    let mut owner = Peer::greet(to, peer::source(1_000_000)).await?;
    owner.must(lane.create()).await?;
    let counts = each(size.pick(8, 64), move |n| async move {
        let (mut done, mut refused) = (0u64, 0u64);
        let lane = Lane::new(LaneKind::Log, 1, 3600);
        let until = Instant::now() + length;
        let Ok(mut peer) = Peer::greet(to, peer::source(n)).await else {
            return (0, 0);
        };
        for number in 0u64.. {
            if Instant::now() >= until {
                break;
            }
            let number = (n as u64) << 32 | number;
            let id = Bytes::copy_from_slice(&hash(&number.to_le_bytes()));
            let set = Body::PushSet(PushSet {
                id: id.clone(),
                endpoint: format!("https://push.example.org/{}", "a".repeat(900)),
                p256dh: Bytes::from_static(&BROWSER),
                auth: Bytes::from_static(&[7; 16]),
                origin: String::new(),
            });
            let watch = Body::PushWatch(PushWatch {
                id,
                lane: lane.id().clone(),
                signature: lane.read_signature(&peer.here),
                stop: false,
            });
            for body in [set, watch] {
                match peer.ask(body).await {
                    Ok(Body::Done(_)) => done += 1,
                    Ok(_) => refused += 1,
                    Err(_) => return (done, refused),
                }
            }
        }
        (done, refused)
    })
    .await?;
    for number in 0..20 {
        let append = lane.append(&owner.here.clone(), cell(number));
        owner.ask(append).await?;
        time::sleep(Duration::from_millis(100)).await;
    }
    let sum = |pick: fn(&(u64, u64)) -> u64| counts.iter().map(pick).sum::<u64>();
    note("requests about devices done", sum(|count| count.0));
    note("refused", sum(|count| count.1));
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

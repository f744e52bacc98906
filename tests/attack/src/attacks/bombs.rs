//! WebSocket bombs: little to send, much to hold or to do.

use super::{Size, each};
use crate::{
    Result,
    peer::{self, BINARY, BINARY_BEGIN, CONTINUATION, PING, Peer},
    relay::Relay,
    report::Report,
};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{self, Instant},
};

/// Offenders are closed by then.
const CLOSED: Duration = Duration::from_secs(5);

/// Frames whose header alone says that nobody should wait for the rest.
pub(super) async fn giants(relay: &Relay, size: Size, report: &mut Report) -> Result {
    let (to, count) = (relay.address(), size.pick(16, 64));
    for (what, declared) in [
        ("closed on 1 GiB", 1 << 30),
        ("closed on 2^63 - 1 bytes", u64::MAX >> 1),
        ("closed on 2^64 - 1 bytes", u64::MAX),
    ] {
        let times = each(count, move |n| async move {
            let mut peer = Peer::greet(to, peer::source(n)).await?;
            let mut bomb = peer::header(BINARY, declared);
            bomb.resize(bomb.len() + 1000, 0);
            peer.stream.write_all(&bomb).await?;
            Result::Ok(peer::closed_within(&mut peer.stream, CLOSED * 2).await)
        })
        .await?;
        closed(report, what, times);
    }
    Ok(())
}

/// A message that is never finished and never holds anything.
pub(super) async fn continuations(relay: &Relay, size: Size, report: &mut Report) -> Result {
    let parts = size.pick(100_000, 1_000_000);
    let mut bomb = peer::message(BINARY_BEGIN, &[]);
    for _ in 0..1000 {
        bomb.extend_from_slice(&peer::message(CONTINUATION, &[]));
    }
    let times = flood(relay.address(), size.pick(4, 8), bomb, parts / 1000).await?;
    closed(report, "closed", times);
    Ok(())
}

/// Every ping asks for an answer, and nobody takes them.
pub(super) async fn pings(relay: &Relay, size: Size, report: &mut Report) -> Result {
    let pings = size.pick(100_000, 1_000_000);
    let bomb = peer::message(PING, &[0x55; 125]).repeat(1000);
    let times = flood(relay.address(), size.pick(4, 8), bomb, pings / 1000).await?;
    closed(report, "closed", times);
    Ok(())
}

/// Sends a chunk over and over until the relay closes, or it was sent `repeats` times and the relay still has not.
async fn flood(
    to: SocketAddr,
    count: usize,
    chunk: Vec<u8>,
    repeats: usize,
) -> Result<Vec<Result<Option<Duration>>>> {
    let chunk = std::sync::Arc::new(chunk);
    each(count, move |n| {
        let chunk = chunk.clone();
        async move {
            let mut peer = Peer::greet(to, peer::source(n)).await?;
            let start = Instant::now();
            let send = async {
                for _ in 0..repeats {
                    peer.stream.write_all(&chunk).await?;
                }
                std::io::Result::Ok(())
            };
            // A relay that reads slowly, or no more, has not closed either: look for the end behind what it wrote.
            let _ = time::timeout(CLOSED, send).await;
            let left = (CLOSED * 2).saturating_sub(start.elapsed());
            let closed = ended(&mut peer.stream, left).await;
            Ok(closed.then(|| start.elapsed()))
        }
    })
    .await
}

async fn ended(stream: &mut TcpStream, limit: Duration) -> bool {
    let mut scratch = vec![0; 64 * 1024];
    let read = async {
        while let Ok(count) = stream.read(&mut scratch).await {
            if count == 0 {
                break;
            }
        }
    };
    time::timeout(limit, read).await.is_ok()
}

fn closed(report: &mut Report, what: &str, times: Vec<Result<Option<Duration>>>) {
    let count = times.len();
    let times: Vec<Duration> = times.into_iter().flatten().flatten().collect();
    report.all(what, times.len(), count);
    if let Some(longest) = times.iter().max() {
        report.time("the last of them after", *longest, CLOSED);
    }
}

//! Those who begin and do not go on.

use super::{Size, each};
use crate::{
    Result,
    peer::{self, Peer},
    relay::Relay,
    report::{Report, note},
};
use std::time::Duration;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{self, Instant},
};
use ume_wire::limits::FRAME_BYTES;

/// Nobody may begin something and hold it longer.
pub(super) const REAPED: Duration = Duration::from_secs(10);
/// The body of a `POST` may take so long: 8 seconds by default, and a second more for every 8 KiB that came.
const BODY_REAPED: Duration = Duration::from_secs(20);

/// A connection that says nothing, one that says half a header, one that upgrades and never says hello.
pub(super) async fn half_open(relay: &Relay, size: Size, report: &mut Report) -> Result {
    let (to, count) = (relay.address(), size.pick(100, 1000));
    let before = relay.descriptors()?;
    for (what, begin) in [
        ("silent connections reaped", ""),
        (
            "half headers reaped",
            "POST /v1/f HTTP/1.1\r\nHost: relay\r\nContent-",
        ),
    ] {
        let times = each(count, move |n| async move {
            let mut stream = peer::tcp(to, peer::source(n)).await?;
            stream.write_all(begin.as_bytes()).await?;
            Result::Ok(reaped(&mut stream, REAPED).await)
        })
        .await?;
        gone(report, what, times, REAPED);
    }
    let times = each(count, move |n| async move {
        let mut peer = Peer::open(to, peer::source(n)).await?;
        Result::Ok(reaped(&mut peer.stream, REAPED).await)
    })
    .await?;
    gone(report, "WebSockets without hello reaped", times, REAPED);
    time::sleep(Duration::from_secs(1)).await;
    let left = relay.descriptors()?.saturating_sub(before);
    report.row("descriptors left behind", left, 8, left <= 8);
    Ok(())
}

/// The beginning of a body each: what is there already must not be held for all of them.
pub(super) async fn half_sent(
    relay: &Relay,
    size: Size,
    bytes: usize,
    report: &mut Report,
) -> Result {
    let (to, count) = (relay.address(), size.pick(500, 10_000));
    let half = std::sync::Arc::new(vec![1; bytes]);
    // A whole number of frames, so that only the rest of it is missing.
    let whole = (bytes + 1).next_multiple_of(FRAME_BYTES);
    let times = each(count, move |n| {
        let half = half.clone();
        async move {
            let mut stream = peer::tcp(to, peer::source(n)).await?;
            stream.write_all(peer::post_head(whole).as_bytes()).await?;
            // What the relay does not take yet stays in the sockets.
            let _ = time::timeout(Duration::from_secs(1), stream.write_all(&half)).await;
            Result::Ok(reaped(&mut stream, BODY_REAPED).await)
        }
    })
    .await?;
    gone(report, "half-sent POSTs reaped", times, BODY_REAPED);
    Ok(())
}

/// A byte in each packet: what a byte takes must not be what a packet may carry.
pub(super) async fn crumbs(relay: &Relay, size: Size, _: &mut Report) -> Result {
    let (to, count) = (relay.address(), size.pick(50, 200));
    let sent = each(count, move |n| async move {
        let mut stream = peer::tcp(to, peer::source(n)).await?;
        stream
            .write_all(peer::post_head(60 * 1024).as_bytes())
            .await?;
        let mut sent = 0;
        for _ in 0..1000 {
            if stream.write_all(&[1]).await.is_err() {
                break;
            }
            sent += 1;
            time::sleep(Duration::from_millis(4)).await;
        }
        Result::Ok(sent)
    })
    .await?;
    let sent: usize = sent.into_iter().flatten().sum();
    note("bytes sent, one at a time", sent);
    Ok(())
}

pub(super) async fn reaped(stream: &mut TcpStream, limit: Duration) -> Option<Duration> {
    let start = Instant::now();
    peer::closed_within(stream, limit * 2)
        .await
        .map(|_| start.elapsed())
}

/// Whoever was not even let in was reaped at once.
pub(super) fn gone(
    report: &mut Report,
    what: &str,
    times: Vec<Result<Option<Duration>>>,
    bound: Duration,
) {
    let count = times.len();
    let refused = times.iter().filter(|time| time.is_err()).count();
    let times: Vec<Duration> = times.into_iter().flatten().flatten().collect();
    report.all(what, times.len() + refused, count);
    if refused > 0 {
        note("of these, not let in", refused);
    }
    if let Some(longest) = times.iter().max() {
        report.time("the last of them after", *longest, bound);
    }
}

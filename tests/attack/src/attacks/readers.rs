//! Those who ask for much and take nothing: what waits for them must not be held in memory.

use super::{Size, each};
use crate::{
    Result,
    peer::{self, Lane, Peer, cell},
    relay::Relay,
    report::{Report, note},
};
use bytes::Bytes;
use std::{net::Ipv4Addr, sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt, time};
use ume_wire::{
    auth::{Statement, hash_cells},
    limits::{FRAGMENTS_MAX, POST_FRAMES_MAX},
    relay::{Accept, Ballot, BlobGet, BlobPut, LaneKind, Vote, frame::Body},
};

const WRITER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 78);
/// How long they stay.
const STAY: Duration = Duration::from_secs(6);

fn crowd(size: Size) -> usize {
    size.pick(100, 500)
}

/// As many requests as a window of the socket holds, and not one answer taken.
async fn ask_and_take_nothing(
    relay: &Relay,
    count: usize,
    times: u32,
    body: impl Fn(&peer::Here) -> Body + Send + Sync + 'static,
) -> Result {
    let (to, body) = (relay.address(), Arc::new(body));
    let peers = each(count, move |n| {
        let body = body.clone();
        async move {
            let mut peer = Peer::greet(to, peer::source(n)).await?;
            for number in 1..=times {
                let bytes = peer::request(number, body(&peer.here))?;
                // A relay that reads no more has understood.
                if time::timeout(Duration::from_secs(1), peer.stream.write_all(&bytes))
                    .await
                    .is_err()
                {
                    break;
                }
            }
            Result::Ok(peer)
        }
    })
    .await?;
    let connected = peers.iter().filter(|peer| peer.is_ok()).count();
    note("connections that asked", connected);
    time::sleep(STAY).await;
    drop(peers);
    Ok(())
}

/// A log with some hundreds of cells, read again and again.
pub(super) async fn of_a_lane(relay: &Relay, size: Size, _: &mut Report) -> Result {
    let lane = Lane::new(LaneKind::Log, 1, 3600);
    let mut writer = Peer::greet(relay.address(), WRITER).await?;
    writer.must(lane.create()).await?;
    for number in 0..600 {
        let append = lane.append(&writer.here.clone(), cell(number));
        writer.ask(append).await?;
    }
    let read = move |here: &peer::Here| lane.read(here, 1);
    ask_and_take_nothing(relay, crowd(size), 8, read).await
}

/// Subscribed to a lane into which far more is written than sockets hold.
pub(super) async fn subscribers(relay: &Relay, size: Size, _: &mut Report) -> Result {
    let (lane, fleeting) = (
        Lane::new(LaneKind::Log, 1, 3600),
        Lane::new(LaneKind::Log, 2, 0),
    );
    let to = relay.address();
    let mut writer = Peer::greet(to, WRITER).await?;
    writer.must(lane.create()).await?;
    writer.must(fleeting.create()).await?;
    let lanes = Arc::new((lane, fleeting));
    let shared = lanes.clone();
    let peers = each(crowd(size), move |n| {
        let lanes = shared.clone();
        async move {
            let mut peer = Peer::greet(to, peer::source(n)).await?;
            let here = peer.here.clone();
            peer.send(lanes.0.subscribe(&here, 1)).await?;
            peer.send(lanes.1.subscribe(&here, 1)).await?;
            Result::Ok(peer)
        }
    })
    .await?;
    let connected = peers.iter().filter(|peer| peer.is_ok()).count();
    note("subscribers", connected);
    let here = writer.here.clone();
    let cells = size.pick(1000, 4000);
    let mut written = 0;
    for number in 0..cells {
        for lane in [&lanes.0, &lanes.1] {
            if let Body::Appended(_) = writer.ask(lane.append(&here, cell(number))).await? {
                written += 1;
            }
        }
    }
    note("cells written", written);
    time::sleep(Duration::from_secs(1)).await;
    drop(peers);
    Ok(())
}

/// Values and blobs are the largest things that one request can ask for.
pub(super) async fn of_values(relay: &Relay, size: Size, _: &mut Report) -> Result {
    let (slots, cells) = (Lane::new(LaneKind::Slot, 1, 3600), big());
    let mut writer = Peer::greet(relay.address(), WRITER).await?;
    writer.must(slots.create()).await?;
    let mut vote = Vote {
        ballot: Some(Ballot {
            round: 1,
            tie: Bytes::from_static(&[1; 12]),
        }),
        value_hash: Bytes::copy_from_slice(&hash_cells(&cells)),
        cells: u32::try_from(cells.len()).unwrap_or(u32::MAX),
        signature: Bytes::new(),
    };
    let signature = Statement::Accept(slots.id(), 1, &vote).sign(slots.key());
    vote.signature = Bytes::copy_from_slice(&signature);
    for (index, cell) in (0..).zip(&cells) {
        let (lane, vote, cell) = (slots.id().clone(), Some(vote.clone()), cell.clone());
        let accept = Accept {
            lane,
            slot: 1,
            vote,
            index,
            cell,
        };
        writer.ask(Body::Accept(accept)).await?;
    }
    let blob = put_blob(&mut writer, &cells).await?;
    let read = move |here: &peer::Here| slots.read(here, 1);
    ask_and_take_nothing(relay, crowd(size), 4, read).await?;
    let get = move |_: &peer::Here| Body::BlobGet(BlobGet { id: blob.clone() });
    ask_and_take_nothing(relay, crowd(size), 4, get).await
}

/// Sixty-four requests for a megabyte each in one `POST`, and the answer is left lying.
pub(super) async fn of_answers(relay: &Relay, size: Size, _: &mut Report) -> Result {
    let to = relay.address();
    let mut writer = Peer::greet(to, WRITER).await?;
    let blob = put_blob(&mut writer, &big()).await?;
    let mut body = Vec::new();
    for number in 1..=u32::try_from(POST_FRAMES_MAX).unwrap_or(u32::MAX) {
        let get = Body::BlobGet(BlobGet { id: blob.clone() });
        body.extend_from_slice(&peer::raw(number, get)?);
    }
    let body = Arc::new(body);
    let streams = each(crowd(size), move |n| {
        let body = body.clone();
        async move {
            let mut stream = peer::tcp(to, peer::source(n)).await?;
            stream
                .write_all(peer::post_head(body.len()).as_bytes())
                .await?;
            stream.write_all(&body).await?;
            std::io::Result::Ok(stream)
        }
    })
    .await?;
    let connected = streams.iter().filter(|stream| stream.is_ok()).count();
    note("connections that asked", connected);
    time::sleep(STAY).await;
    drop(streams);
    Ok(())
}

/// The cells of the largest message.
fn big() -> Vec<Bytes> {
    (0..FRAGMENTS_MAX as u64).map(cell).collect()
}

async fn put_blob(writer: &mut Peer, cells: &[Bytes]) -> Result<Bytes> {
    let id = Bytes::copy_from_slice(&hash_cells(cells));
    for (index, cell) in (0..).zip(cells) {
        let put = BlobPut {
            id: id.clone(),
            cells: u32::try_from(cells.len()).unwrap_or(u32::MAX),
            index,
            cell: cell.clone(),
            ttl_seconds: 3600,
            ..BlobPut::default()
        };
        writer.ask(Body::BlobPut(put)).await?;
    }
    Ok(id)
}

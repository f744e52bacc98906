//! Numbers at both ends of what a field can hold: nothing overflows, nothing is reserved for them, and what is right
//! afterwards is what was right before.

use super::Size;
use crate::{
    Fault, Result,
    peer::{self, Lane, Peer, cell, kind},
    relay::Relay,
    report::{Report, note},
};
use bytes::Bytes;
use ume_wire::{
    auth::Statement,
    relay::{
        Accept, Acknowledge, Ballot, BlobPut, Hello, LaneKind, Prepare, Unsubscribe, Vote,
        frame::Body,
    },
};

const NUMBERS: [u64; 6] = [
    0,
    1,
    u32::MAX as u64,
    u32::MAX as u64 + 1,
    u64::MAX - 1,
    u64::MAX,
];

pub(super) async fn extremes(relay: &Relay, _: Size, report: &mut Report) -> Result {
    let mut peer = Peer::greet(relay.address(), peer::source(0)).await?;
    let queue = Lane::new(LaneKind::Queue, 1, 3600);
    let slots = Lane::new(LaneKind::Slot, 2, 3600);
    peer.must(queue.create()).await?;
    peer.must(slots.create()).await?;
    let here = peer.here.clone();
    let mut asked = 0;
    for number in NUMBERS {
        for body in requests(&here, &queue, &slots, number) {
            let name = kind(&body);
            peer.ask(body)
                .await
                .map_err(|fault| Fault::new(format!("{name} with {number}: {fault}")))?;
            asked += 1;
        }
    }
    note("requests answered", asked);

    // Acknowledging what never was must not move a queue's numbers.
    let mut again = Peer::greet(relay.address(), peer::source(1)).await?;
    let here = again.here.clone();
    let mut seqs = Vec::new();
    for number in 0..2 {
        match again.ask(queue.append(&here, cell(number))).await? {
            Body::Appended(appended) => seqs.push(appended.seq),
            other => return Err(Fault::new(kind(&other))),
        }
    }
    report.row(
        "a queue's first numbers afterwards",
        format!("{seqs:?}"),
        "[1, 2]",
        seqs == [1, 2],
    );
    Ok(())
}

fn requests(here: &peer::Here, queue: &Lane, slots: &Lane, number: u64) -> Vec<Body> {
    let small = u32::try_from(number).unwrap_or(u32::MAX);
    let ballot = Ballot {
        round: small,
        tie: Bytes::from_static(&[1; 12]),
    };
    let sign =
        |statement: Statement<'_>, lane: &Lane| Bytes::copy_from_slice(&statement.sign(lane.key()));
    let mut vote = Vote {
        ballot: Some(ballot.clone()),
        value_hash: Bytes::from_static(&[3; 32]),
        cells: small,
        signature: Bytes::new(),
    };
    vote.signature = sign(Statement::Accept(slots.id(), number, &vote), slots);
    let (lane, slot) = (slots.id().clone(), number);
    vec![
        queue.read(here, number),
        slots.read(here, number),
        queue.subscribe(here, number),
        slots.subscribe(here, number),
        Body::Unsubscribe(Unsubscribe {
            lane: queue.id().clone(),
        }),
        Body::Acknowledge(Acknowledge {
            lane: queue.id().clone(),
            upto: number,
            signature: sign(Statement::Acknowledge(queue.id(), number), queue),
        }),
        Body::Prepare(Prepare {
            lane: lane.clone(),
            slot,
            ballot: Some(ballot.clone()),
            signature: sign(Statement::Prepare(&lane, slot, &ballot), slots),
        }),
        Body::Accept(Accept {
            lane,
            slot,
            vote: Some(vote),
            index: small,
            cell: cell(number),
        }),
        Body::BlobPut(BlobPut {
            id: Bytes::from_static(&[5; 32]),
            cells: small,
            index: small.saturating_sub(1),
            cell: cell(number),
            ttl_seconds: small,
            ..BlobPut::default()
        }),
        Lane::new(LaneKind::Log, number ^ 0x5555, small).create(),
        Body::Hello(Hello {
            version_min: small,
            version_max: small,
            nonce: Bytes::from_static(&[1; 32]),
            pace: None,
        }),
    ]
}

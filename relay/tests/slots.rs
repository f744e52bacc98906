//! Slots: one value each, whoever proposes, also when two propose at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

#[path = "support/client.rs"]
mod client;

use bytes::Bytes;
use client::*;
use std::time::Duration;
use ume_wire::{
    auth::{Statement, hash_cells},
    relay::{Ballot, Promise, Refused, RefusedCode, Value, frame::Body},
};

fn promise(slot: u64, ballot: &Ballot) -> Body {
    Body::Promise(Promise {
        slot,
        ballot: Some(ballot.clone()),
        accepted: None,
    })
}

fn values(lane: &Lane, slot: u64, ballot: &Ballot, cells: &[Bytes]) -> Vec<Body> {
    let vote = lane.vote(slot, ballot, cells, 1);
    let value = |(index, cell): (u32, &Bytes)| {
        let (lane, vote, cell) = (lane.0.lane.clone(), Some(vote.clone()), cell.clone());
        Body::Value(Value {
            lane,
            slot,
            vote,
            index,
            cell,
        })
    };
    (0..).zip(cells).map(value).collect()
}

/// Sends all cells; gives the last answer.
async fn propose(
    client: &mut Client,
    lane: &Lane,
    slot: u64,
    ballot: &Ballot,
    cells: &[Bytes],
) -> Body {
    let mut last = None;
    for body in lane.accepts(slot, ballot, cells) {
        assert!(matches!(last, None | Some(Body::Done(_))), "{last:?}");
        last = Some(client.ask(body).await);
    }
    last.unwrap()
}

#[tokio::test]
async fn a_slot_takes_one_value() {
    let place = place().await;
    let mut client = place.connect().await;
    let (lane, cells, low) = (
        Lane::slots(1),
        vec![cell(1), cell(2), cell(3)],
        ballot(1, 1),
    );
    client.ask(lane.create()).await;
    assert_eq!(
        client.ask(lane.prepare(2, &low, 1)).await,
        refused(RefusedCode::RefusedOrder)
    );
    assert_eq!(
        client.ask(lane.prepare(0, &low, 1)).await,
        refused(RefusedCode::RefusedMalformed)
    );
    assert_eq!(client.ask(lane.prepare(1, &low, 1)).await, promise(1, &low));
    let Body::Accepted(accepted) = propose(&mut client, &lane, 1, &low, &cells).await else {
        panic!()
    };
    assert_eq!((accepted.slot, accepted.ballot.as_ref()), (1, Some(&low)));
    assert_eq!(accepted.value_hash[..], hash_cells(&cells)[..]);
    let statement = Statement::Accepted(&lane.0.lane, 1, &low, &accepted.value_hash);
    assert_eq!(
        statement.verify(&place.relay.key(), &accepted.signature),
        Ok(())
    );

    // The same again, whatever its ballot, and another value.
    let again = client.ask(lane.accepts(1, &low, &cells).remove(0)).await;
    assert_eq!(again, Body::Accepted(accepted.clone()));
    assert_eq!(
        propose(&mut client, &lane, 1, &ballot(9, 1), &cells[..1]).await,
        refused(RefusedCode::RefusedConflict)
    );
    let high = ballot(2, 0);
    let Body::Promise(promise) = client.ask(lane.prepare(1, &high, 2)).await else {
        panic!()
    };
    assert_eq!(promise.accepted, Some(lane.vote(1, &low, &cells, 1)));
    assert_eq!(
        client.ask_all(lane.read(1)).await.0,
        values(&lane, 1, &low, &cells)
    );
    let head = client.ask_all(lane.read(2)).await.1;
    assert_eq!((head.next, head.end), (2, 2));
}

#[tokio::test]
async fn ballots_are_kept() {
    let place = place().await;
    let mut client = place.connect().await;
    let lane = Lane::slots(1);
    client.ask(lane.create()).await;
    let high = ballot(7, 1);
    client.ask(lane.prepare(1, &high, 1)).await;
    let refusal = Body::Refused(Refused {
        code: RefusedCode::RefusedBallot.into(),
        detail: 7,
    });
    assert_eq!(client.ask(lane.prepare(1, &ballot(7, 0), 1)).await, refusal);
    assert_eq!(
        propose(&mut client, &lane, 1, &ballot(6, 9), &[cell(1)]).await,
        refusal
    );
    assert_eq!(
        client.ask(lane.prepare(1, &high, 1)).await,
        promise(1, &high)
    );
    assert_eq!(
        client.ask(lane.prepare(1, &ballot(24, 0), 1)).await,
        refused(RefusedCode::RefusedLimit)
    );
    let highest = ballot(23, 0);
    assert_eq!(
        client.ask(lane.prepare(1, &highest, 1)).await,
        promise(1, &highest)
    );

    // Also over a restart.
    let data = place.directory.path().join("data");
    place.relay.stop().await;
    let config = ume_relay::Config::new("127.0.0.1:0".parse().unwrap(), data);
    let relay = ume_relay::Relay::start(config).await.unwrap();
    let mut client = Client::connect(relay.address()).await.unwrap();
    let refusal = Body::Refused(Refused {
        code: RefusedCode::RefusedBallot.into(),
        detail: 23,
    });
    assert_eq!(client.ask(lane.prepare(1, &high, 1)).await, refusal);
}

#[tokio::test]
async fn votes_that_do_not_fit_are_refused() {
    let place = place().await;
    let mut client = place.connect().await;
    let lane = Lane::slots(1);
    client.ask(lane.create()).await;
    let (low, cells) = (ballot(1, 1), vec![cell(1), cell(2)]);
    let mut vote = lane.vote(1, &low, &cells, 1);
    assert_eq!(
        client.ask(lane.accept(1, &vote, 2, &cells[0])).await,
        refused(RefusedCode::RefusedMalformed)
    );
    // Other cells than those that were signed.
    assert_eq!(
        client.ask(lane.accept(1, &vote, 0, &cells[0])).await,
        done()
    );
    assert_eq!(
        client.ask(lane.accept(1, &vote, 1, &cell(9))).await,
        refused(RefusedCode::RefusedMalformed)
    );
    vote.cells = 1;
    assert_eq!(
        client.ask(lane.accept(1, &vote, 0, &cells[0])).await,
        refused(RefusedCode::RefusedDenied)
    );
    let vote = lane.vote(1, &low, &cells, 3);
    assert_eq!(
        client.ask(lane.accept(1, &vote, 0, &cells[0])).await,
        refused(RefusedCode::RefusedDenied)
    );
    let later = lane.accepts(2, &low, &[cell(1)]).remove(0);
    assert_eq!(client.ask(later).await, refused(RefusedCode::RefusedOrder));
    assert_eq!(
        client.ask(lane.append(cell(1))).await,
        refused(RefusedCode::RefusedMalformed)
    );
    assert!(matches!(
        propose(&mut client, &lane, 1, &low, &cells).await,
        Body::Accepted(_)
    ));
}

#[tokio::test]
async fn members_come_before_joiners_while_a_slot_is_open() {
    let place = place().await;
    let mut client = place.connect().await;
    let lane = Lane::slots(1);
    client.ask(lane.create()).await;
    assert_eq!(
        client.ask(lane.prepare(1, &ballot(1, 1), 2)).await,
        promise(1, &ballot(1, 1))
    );
    assert_eq!(
        client.ask(lane.prepare(1, &ballot(2, 1), 1)).await,
        promise(1, &ballot(2, 1))
    );
    assert_eq!(
        client.ask(lane.prepare(1, &ballot(3, 1), 2)).await,
        refused(RefusedCode::RefusedLimit)
    );
    propose(&mut client, &lane, 1, &ballot(2, 1), &[cell(1)]).await;
    // Decided: the joiner may look at it, and take the next one.
    assert!(matches!(
        client.ask(lane.prepare(1, &ballot(3, 1), 2)).await,
        Body::Promise(_)
    ));
    assert_eq!(
        client.ask(lane.prepare(2, &ballot(1, 1), 2)).await,
        promise(2, &ballot(1, 1))
    );
    client.ask(lane.prepare(2, &ballot(2, 1), 1)).await;
    tokio::time::sleep(Duration::from_millis(5100)).await;
    assert_eq!(
        client.ask(lane.prepare(2, &ballot(3, 1), 2)).await,
        promise(2, &ballot(3, 1))
    );
}

#[tokio::test]
async fn readers_get_values_as_they_come() {
    let place = place().await;
    let (mut reader, mut writer) = (place.connect().await, place.connect().await);
    let lane = Lane::slots(1);
    reader.ask(lane.create()).await;
    let (low, first) = (ballot(1, 1), vec![cell(1), cell(2)]);
    propose(&mut writer, &lane, 1, &low, &first).await;
    let (bodies, head) = reader.ask_all(lane.subscribe(1)).await;
    assert_eq!(
        (bodies, head.next, head.end),
        (values(&lane, 1, &low, &first), 2, 2)
    );
    // As large as a value can be.
    let second: Vec<_> = (0..640).map(cell).collect();
    for body in lane.accepts(2, &low, &second) {
        writer.send(body).await;
    }
    for n in 1..=640 {
        let body = writer.receive().await.body.unwrap();
        assert!(
            if n < 640 {
                body == done()
            } else {
                matches!(body, Body::Accepted(_))
            },
            "{n}: {body:?}"
        );
    }
    for value in values(&lane, 2, &low, &second) {
        let frame = reader.receive().await;
        assert_eq!((frame.request, frame.body), (0, Some(value)));
    }
    // A page holds at least one value, and then stops at its limit.
    let (bodies, head) = reader.ask_all(lane.read(1)).await;
    assert_eq!((bodies.len(), head.next, head.end), (2, 2, 3));
    let (bodies, head) = reader.ask_all(lane.read(2)).await;
    assert_eq!((bodies.len(), head.next, head.end), (640, 3, 3));
}

#[tokio::test]
async fn heads_tell_which_values_are_still_kept() {
    let place = place().await;
    let mut client = place.connect().await;
    let (mut lane, low) = (Lane::slots(1), ballot(1, 1));
    lane.0.ttl_seconds = 2;
    client.ask(lane.create()).await;
    propose(&mut client, &lane, 1, &low, &[cell(1)]).await;
    let head = client.ask_all(lane.read(1)).await.1;
    assert_eq!((head.first, head.end), (1, 2));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    propose(&mut client, &lane, 2, &low, &[cell(2)]).await;
    // A promise alone is not kept for readers.
    client.ask(lane.prepare(3, &low, 1)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (bodies, head) = client.ask_all(lane.read(1)).await;
    assert_eq!((bodies.len(), head.first, head.end), (1, 2, 3));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    for body in [lane.read(1), lane.subscribe(1)] {
        let (bodies, head) = client.ask_all(body.clone()).await;
        assert_eq!((bodies.len(), head.first, head.end), (0, 3, 3));
        let answers = post(place.relay.address(), vec![body]).await;
        assert_eq!(answers[0].body, Some(Body::Head(head)));
    }
}

#[tokio::test]
async fn two_proposers_never_get_two_values() {
    let place = place().await;
    let lane = Lane::slots(1);
    place.connect().await.ask(lane.create()).await;
    let slots = 15;
    let mut proposers = Vec::new();
    for tie in 1..=4u8 {
        let (mut client, lane) = (place.connect().await, lane.clone());
        proposers.push(tokio::spawn(async move {
            let mut won = 0;
            for slot in 1..=slots {
                let own = vec![cell(u64::from(tie) * 1000 + slot), cell(7)];
                let mut round = 1;
                loop {
                    let ballot = ballot(round, tie);
                    match client.ask(lane.prepare(slot, &ballot, 1)).await {
                        Body::Promise(promise) if promise.accepted.is_some() => break,
                        Body::Promise(_) => {}
                        Body::Refused(refused) => {
                            assert_eq!(refused.code(), RefusedCode::RefusedBallot);
                            round = u32::try_from(refused.detail).unwrap() + 1;
                            tokio::task::yield_now().await;
                            continue;
                        }
                        other => panic!("{other:?}"),
                    }
                    let mut answer = done();
                    for body in lane.accepts(slot, &ballot, &own) {
                        answer = client.ask(body).await;
                    }
                    match answer {
                        Body::Accepted(accepted) => {
                            assert_eq!(accepted.value_hash[..], hash_cells(&own)[..]);
                            won += 1;
                            break;
                        }
                        Body::Refused(_) => round += 1,
                        other => panic!("{other:?}"),
                    }
                }
            }
            won
        }));
    }
    let mut won = 0;
    for proposer in proposers {
        won += proposer.await.unwrap();
    }
    assert_eq!(won, slots);
    let (bodies, head) = place.connect().await.ask_all(lane.read(1)).await;
    assert_eq!((bodies.len() as u64, head.end), (2 * slots, slots + 1));
}

#[tokio::test]
async fn several_acceptors_may_change_their_value_for_a_higher_ballot() {
    let place = place().await;
    let mut client = place.connect().await;
    let mut lane = Lane::slots(1);
    lane.0.acceptors = 3;
    client.ask(lane.create()).await;
    client.ask_all(lane.subscribe(1)).await;
    let mut writer = place.connect().await;
    for (slot, round) in [(2, 1), (1, 1), (1, 2)] {
        let (ballot, cells) = (ballot(round, 1), [cell(slot * 10 + u64::from(round))]);
        assert!(matches!(
            propose(&mut writer, &lane, slot, &ballot, &cells).await,
            Body::Accepted(_)
        ));
    }
    // Every change is heard of, some values perhaps twice.
    let mut last = std::collections::BTreeMap::new();
    while last.len() < 2 || last[&1] != cell(12) {
        let Some(Body::Value(value)) = client.receive().await.body else {
            panic!()
        };
        last.insert(value.slot, value.cell);
    }
    assert_eq!(last[&2], cell(21));
}

//! Blobs, and the protocol over `POST`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

#[path = "support/client.rs"]
mod client;

use client::*;
use ume_wire::{
    auth::hash_cells,
    relay::{BlobPart, RefusedCode, frame::Body},
};

fn parts(id: &[u8; 32], cells: &[bytes::Bytes]) -> Vec<Body> {
    let part = |(index, cell): (u32, &bytes::Bytes)| {
        let (id, cells) = (
            bytes::Bytes::copy_from_slice(id),
            u32::try_from(cells.len()).unwrap(),
        );
        Body::BlobPart(BlobPart {
            id,
            cells,
            index,
            cell: cell.clone(),
        })
    };
    (0..).zip(cells).map(part).collect()
}

#[tokio::test]
async fn a_blob_is_there_once_all_of_it_came() {
    let place = place().await;
    let (mut client, mut other) = (place.connect().await, place.connect().await);
    let cells: Vec<_> = (0..640).map(cell).collect();
    let id = hash_cells(&cells);
    for index in (0..640).rev() {
        assert_eq!(
            other.ask(blob_get(&id)).await,
            refused(RefusedCode::RefusedDenied)
        );
        let answer = if index == 0 { done() } else { unfinished() };
        assert_eq!(client.ask(blob_put(&id, &cells, index)).await, answer);
    }
    let request = other.send(blob_get(&id)).await;
    for part in parts(&id, &cells) {
        let frame = other.receive().await;
        assert_eq!((frame.request, frame.body), (request, Some(part)));
    }
    for index in [0, 5] {
        assert_eq!(
            client.ask(blob_put(&id, &cells, index)).await,
            done(),
            "again"
        );
    }
}

#[tokio::test]
async fn blobs_that_do_not_fit_are_refused() {
    let place = place().await;
    let mut client = place.connect().await;
    let malformed = refused(RefusedCode::RefusedMalformed);
    assert_eq!(
        client.ask(blob_put(&[1; 32], &[cell(1)], 0)).await,
        malformed,
        "not its hash"
    );
    let cells: Vec<_> = (0..641).map(cell).collect();
    assert_eq!(
        client.ask(blob_put(&hash_cells(&cells), &cells, 0)).await,
        malformed,
        "too long"
    );
    let Body::BlobPut(mut put) = blob_put(&hash_cells(&[cell(1)]), &[cell(1)], 0) else {
        panic!()
    };
    put.ttl_seconds = 0;
    assert_eq!(client.ask(Body::BlobPut(put.clone())).await, malformed);
    put.ttl_seconds = 1;
    assert_eq!(client.ask(Body::BlobPut(put.clone())).await, done());
    assert!(matches!(
        client.ask(blob_get(&hash_cells(&[cell(1)]))).await,
        Body::BlobPart(_)
    ));
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!(
        client.ask(blob_get(&hash_cells(&[cell(1)]))).await,
        refused(RefusedCode::RefusedDenied)
    );
}

#[tokio::test]
async fn a_post_stands_for_itself() {
    let place = place().await;
    let address = place.relay.address();
    let (lane, cells) = (Lane::log(1), vec![cell(1), cell(2)]);
    let id = hash_cells(&cells);
    let bodies = vec![
        lane.create(),
        lane.append(cell(1)),
        lane.append(cell(2)),
        lane.append(cell(1)),
        lane.subscribe(2),
        blob_put(&id, &cells, 0),
        blob_put(&id, &cells, 1),
        blob_get(&id),
        lane.unsubscribe(),
        hello(),
        Body::Pad(ume_wire::relay::Pad {}),
    ];
    let answers = post(address, bodies).await;
    let requests: Vec<_> = answers.iter().map(|frame| frame.request).collect();
    assert_eq!(requests, [1, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11]);
    let body = |at: usize| answers[at].body.clone().unwrap();
    assert!(matches!(body(3), Body::Appended(appended) if appended.seq == 1));
    assert!(matches!(body(4), Body::Delivery(delivery) if delivery.seq == 2));
    assert!(matches!(body(5), Body::Head(head) if (head.next, head.end) == (3, 3)));
    assert_eq!([body(8), body(9)].to_vec(), parts(&id, &cells));
    assert!(matches!(body(11), Body::Welcome(_)));
    assert!(matches!(body(12), Body::Pad(_)));
    assert_eq!(place.connect().await.ask_all(lane.read(1)).await.0.len(), 2);
}

#[tokio::test]
async fn a_post_of_another_size_is_refused_and_every_origin_is_welcome() {
    let place = place().await;
    let address = place.relay.address();
    for (size, status) in [
        (0, 400),
        (2047, 400),
        (2049, 400),
        (65 * 2048, 413),
        (2048, 200),
        (64 * 2048, 200),
    ] {
        let answer = http(address, "POST", "/v1/f", "", &vec![1; size]).await;
        assert_eq!(answer.status, status, "{size}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(
            answer.header("cross-origin-resource-policy"),
            Some("cross-origin")
        );
        assert_eq!(
            answer.body.len() % 2048,
            if status == 200 {
                0
            } else {
                answer.body.len() % 2048
            }
        );
    }
    let lines = "Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n";
    let answer = http(address, "OPTIONS", "/v1/f", lines, b"").await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
    assert_eq!(
        answer.header("access-control-allow-headers"),
        Some("content-type")
    );
    assert_eq!(http(address, "GET", "/v1/f", "", b"").await.status, 405);
    assert_eq!(
        http(address, "GET", "/healthz", "", b"").await.body,
        b"ok\n"
    );
}

#[tokio::test]
async fn whoever_wants_a_blob_to_last_gives_as_much_as_who_put_it() {
    let place = place_with(|config| {
        let admission = &mut config.limits.admission;
        admission.limit_loopback = true;
        admission.prefix_bytes_per_hour = 9 * 1792;
    })
    .await;
    let mut client = place.connect().await;
    let cells: Vec<_> = (0..4).map(cell).collect();
    let id = hash_cells(&cells);
    for is_there in [false, true] {
        for index in 0..4 {
            let whole = is_there || index == 3;
            let answer = if whole { done() } else { unfinished() };
            assert_eq!(client.ask(blob_put(&id, &cells, index)).await, answer);
        }
    }
    let Body::Refused(refused) = client.ask(blob_put(&id, &cells, 0)).await else {
        panic!("for free")
    };
    assert_eq!(refused.code(), RefusedCode::RefusedLimit);
    // It is not made to look smaller.
    let malformed = client::refused(RefusedCode::RefusedMalformed);
    assert_eq!(client.ask(blob_put(&id, &cells[..1], 0)).await, malformed);
}

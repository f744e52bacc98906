//! One of each message of the relay protocol. Where one byte stands instead of a key or an id, the relay's target puts the
//! one in that it names.

use bytes::Bytes;
use ume_wire::relay::{
    Accept, Accepted, Acknowledge, Append, Appended, Ballot, BlobGet, BlobPart, BlobPut, Delivery,
    Done, Frame, Head, Hello, LaneDelete, LaneKeys, LaneNew, Law, Pace, Pad, Prepare, Promise,
    PushEnd, PushSet, PushWatch, Read, Refused, Several, Subscribe, Succession, Unsubscribe, Value,
    Vote, Welcome, frame::Body,
};

fn of(n: u8, length: usize) -> Bytes {
    vec![n; length].into()
}

fn ballot() -> Ballot {
    Ballot {
        round: 1,
        tie: of(1, 12),
    }
}

fn vote() -> Vote {
    Vote {
        ballot: Some(ballot()),
        value_hash: of(2, 32),
        cells: 1,
        signature: of(3, 64),
    }
}

fn pace() -> Pace {
    Pace {
        windows: true,
        steady: Some(Law {
            gap_ms: 20,
            frames: 2,
            ticks: 0,
        }),
        burst: Some(Law {
            gap_ms: 4,
            frames: 2,
            ticks: 8,
        }),
    }
}

#[allow(clippy::too_many_lines)] // one of each
pub(crate) fn bodies() -> Vec<(&'static str, Body)> {
    vec![
        (
            "hello",
            Body::Hello(Hello {
                version_min: 1,
                version_max: 1,
                nonce: of(5, 32),
                pace: None,
            }),
        ),
        (
            "lane-new",
            Body::LaneNew(LaneNew {
                kind: 1,
                writers: vec![of(0, 1), of(1, 1)],
                reader: of(2, 1),
                owner: of(3, 1),
                ttl_seconds: 60,
                ..LaneNew::default()
            }),
        ),
        (
            "append",
            Body::Append(Append {
                lane: of(0, 1),
                cell: of(7, 40),
                signature: of(3, 64),
            }),
        ),
        (
            "append-fleeting",
            Body::Append(Append {
                lane: of(6, 1),
                cell: of(7, 40),
                signature: of(3, 64),
            }),
        ),
        (
            "read",
            Body::Read(Read {
                lane: of(0, 1),
                from: 1,
                signature: of(3, 64),
            }),
        ),
        (
            "read-slots",
            Body::Read(Read {
                lane: of(2, 1),
                from: 1,
                signature: of(3, 64),
            }),
        ),
        (
            "subscribe",
            Body::Subscribe(Subscribe {
                lane: of(1, 1),
                from: 1,
                signature: of(3, 64),
            }),
        ),
        (
            "unsubscribe",
            Body::Unsubscribe(Unsubscribe { lane: of(1, 1) }),
        ),
        (
            "acknowledge",
            Body::Acknowledge(Acknowledge {
                lane: of(1, 1),
                upto: 1,
                signature: of(3, 64),
            }),
        ),
        (
            "lane-delete",
            Body::LaneDelete(LaneDelete {
                lane: of(9, 32),
                signature: of(3, 64),
            }),
        ),
        (
            "lane-keys",
            Body::LaneKeys(LaneKeys {
                lane: of(1, 1),
                writers: vec![of(0, 1)],
                signature: of(3, 64),
            }),
        ),
        (
            "prepare",
            Body::Prepare(Prepare {
                lane: of(2, 1),
                slot: 1,
                ballot: Some(ballot()),
                signature: of(3, 64),
            }),
        ),
        (
            "accept",
            Body::Accept(Accept {
                lane: of(2, 1),
                slot: 1,
                vote: Some(vote()),
                index: 0,
                cell: of(8, 40),
            }),
        ),
        (
            "blob-put",
            Body::BlobPut(BlobPut {
                cells: 1,
                cell: of(9, 40),
                ttl_seconds: 60,
                ..BlobPut::default()
            }),
        ),
        ("blob-get", Body::BlobGet(BlobGet { id: of(9, 32) })),
        ("pad", Body::Pad(Pad {})),
        ("pace", Body::Pace(pace())),
        (
            "push-set",
            Body::PushSet(PushSet {
                id: of(1, 1),
                endpoint: "/device?a=%2f".to_owned(),
                p256dh: of(1, 1),
                auth: of(5, 1),
                origin: "https://ume.example".to_owned(),
            }),
        ),
        (
            "push-watch",
            Body::PushWatch(PushWatch {
                id: of(1, 1),
                lane: of(0, 1),
                signature: of(3, 64),
                stop: false,
            }),
        ),
        ("push-end", Body::PushEnd(PushEnd { id: of(1, 1) })),
        (
            "hello-paced",
            Body::Hello(Hello {
                version_min: 1,
                version_max: 1,
                nonce: of(5, 32),
                pace: Some(pace()),
            }),
        ),
        (
            "several",
            Body::Several(Several {
                frames: vec![
                    Frame {
                        request: 7,
                        body: Some(Body::BlobGet(BlobGet { id: of(9, 32) })),
                    },
                    Frame {
                        request: 8,
                        body: Some(Body::Pad(Pad {})),
                    },
                    Frame {
                        request: 9,
                        body: Some(Body::Several(Several::default())),
                    },
                ],
            }),
        ),
        (
            "welcome",
            Body::Welcome(Welcome {
                paced: true,
                version: 1,
                relay_key: of(4, 32),
                signature: of(3, 64),
                time_ms: 1_750_000_000_000,
                ttl_max_seconds: 9,
                blob_bytes_max: 9,
                challenge: of(6, 32),
                work_bits: 2,
                access_needed: true,
                frames_burst: 4,
                frames_per_second: 4,
                subscriptions_max: 9,
                queue_cells_max: 9,
                push_key: of(2, 65),
                successions: vec![Succession {
                    old_key: of(4, 32),
                    new_key: of(5, 32),
                    time_ms: 5,
                    signature: of(3, 64),
                }],
            }),
        ),
        ("done", Body::Done(Done::default())),
        ("appended", Body::Appended(Appended { seq: 1 })),
        (
            "delivery",
            Body::Delivery(Delivery {
                lane: of(0, 32),
                seq: 1,
                cell: of(7, 40),
            }),
        ),
        (
            "value",
            Body::Value(Value {
                lane: of(0, 32),
                slot: 1,
                vote: Some(vote()),
                index: 0,
                cell: of(7, 40),
            }),
        ),
        (
            "head",
            Body::Head(Head {
                lane: of(0, 32),
                next: 1,
                end: 2,
                first: 1,
                life: of(1, 8),
            }),
        ),
        (
            "promise",
            Body::Promise(Promise {
                slot: 1,
                ballot: Some(ballot()),
                accepted: Some(vote()),
            }),
        ),
        (
            "accepted",
            Body::Accepted(Accepted {
                slot: 1,
                ballot: Some(ballot()),
                value_hash: of(2, 32),
                signature: of(3, 64),
            }),
        ),
        (
            "blob-part",
            Body::BlobPart(BlobPart {
                id: of(9, 32),
                cells: 1,
                index: 0,
                cell: of(9, 40),
            }),
        ),
        (
            "refused",
            Body::Refused(Refused {
                code: 7,
                detail: 1000,
            }),
        ),
        (
            "refused-work",
            Body::Refused(Refused {
                code: 10,
                detail: 3,
            }),
        ),
    ]
}

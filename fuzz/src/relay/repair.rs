//! Requests with keys and signatures put right, so that an input gets past them. Where a request has one byte instead of
//! a key or an id, the byte says which.

use bytes::Bytes;
use ed25519_dalek::SigningKey;
use ume_wire::{
    auth::{Hash, Statement, bound_lane_id, hash, hash_cells},
    frame,
    limits::CELL_BYTES,
    relay::{Ballot, Frame, LaneKind, LaneNew, frame::Body},
};

/// Who signs, and for which connection.
pub(super) struct Signer(Option<(Hash, Bytes)>);

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n % 4 + 1; 32])
}

fn public(n: u8) -> Bytes {
    Bytes::copy_from_slice(key(n).verifying_key().as_bytes())
}

const WRITER: u8 = 0;
const READER: u8 = 2;
const OWNER: u8 = 3;

/// One of eight lanes that there are from the start, of all kinds, with and without a store.
fn lane(n: u8) -> LaneNew {
    let kind = match n % 3 {
        0 => LaneKind::Log,
        1 => LaneKind::Queue,
        _ => LaneKind::Slot,
    };
    let mut new = LaneNew {
        kind: kind.into(),
        writers: vec![public(WRITER), public(WRITER + 1)],
        reader: public(READER),
        owner: public(OWNER),
        ttl_seconds: if n & 4 == 0 { 3600 } else { 0 },
        acceptors: u32::from(kind == LaneKind::Slot),
        ..LaneNew::default()
    };
    new.lane = Bytes::copy_from_slice(&bound_lane_id(&new));
    new
}

/// Requests that make them.
pub(super) fn lanes() -> Vec<Bytes> {
    let request = |n: u8| Frame {
        request: u32::from(n) + 1,
        body: Some(Body::LaneNew(lane(n))),
    };
    (0..8)
        .filter_map(|n| frame::encode(&request(n)).ok())
        .collect()
}

fn whole(id: &mut Bytes, make: impl FnOnce(u8) -> Bytes) {
    if let [n] = id[..] {
        *id = make(n);
    }
}

/// A browser's key: the one of RFC 8291, section 5.
const BROWSER: [u8; 65] = [
    0x04, 0x25, 0x71, 0xb2, 0xbe, 0xcd, 0xfd, 0xe3, 0x60, 0x55, 0x1a, 0xaf, 0x1e, 0xd0, 0xf4, 0xcd,
    0x36, 0x6c, 0x11, 0xce, 0xbe, 0x55, 0x5f, 0x89, 0xbc, 0xb7, 0xb1, 0x86, 0xa5, 0x33, 0x39, 0x17,
    0x31, 0x68, 0xec, 0xe2, 0xeb, 0xe0, 0x18, 0x59, 0x7b, 0xd3, 0x04, 0x79, 0xb8, 0x6e, 0x3c, 0x8f,
    0x8e, 0xce, 0xd5, 0x77, 0xca, 0x59, 0x18, 0x7e, 0x92, 0x46, 0x99, 0x0d, 0xb6, 0x82, 0x00, 0x8b,
    0x0e,
];

fn cell(cell: &mut Bytes) {
    let mut bytes = cell.to_vec();
    bytes.resize(CELL_BYTES, 0);
    *cell = bytes.into();
}

impl Signer {
    pub(super) fn by_post() -> Self {
        Self(None)
    }

    pub(super) fn here(relay: Hash, challenge: Bytes) -> Self {
        Self(Some((relay, challenge)))
    }

    pub(super) fn sign(&self, mut frame: Frame) -> Frame {
        if let Some(body) = &mut frame.body {
            self.body(body);
        }
        frame
    }

    fn body(&self, body: &mut Body) {
        let id = |n: u8| lane(n).lane;
        let by = |n: u8, statement: Statement<'_>| Bytes::copy_from_slice(&statement.sign(&key(n)));
        let reading = |lane: &Bytes| match &self.0 {
            Some((relay, challenge)) => by(READER, Statement::ReadHere(relay, challenge, lane)),
            None => by(READER, Statement::Read(lane)),
        };
        match body {
            Body::LaneNew(new) => {
                new.writers.iter_mut().for_each(|key| whole(key, public));
                whole(&mut new.reader, public);
                whole(&mut new.owner, public);
                let bound = bound_lane_id(new);
                if new.lane.len() <= 1 {
                    new.lane = Bytes::copy_from_slice(&bound);
                }
            }
            Body::LaneKeys(keys) => {
                whole(&mut keys.lane, id);
                keys.writers.iter_mut().for_each(|key| whole(key, public));
                keys.signature = by(OWNER, Statement::Keys(&keys.lane, &keys.writers));
            }
            Body::Append(append) => {
                whole(&mut append.lane, id);
                cell(&mut append.cell);
                append.signature = match &self.0 {
                    Some((relay, challenge)) => by(
                        WRITER,
                        Statement::AppendHere(relay, challenge, &append.lane),
                    ),
                    None => by(WRITER, Statement::Append(&append.lane, &hash(&append.cell))),
                };
            }
            Body::Read(read) => {
                whole(&mut read.lane, id);
                read.signature = reading(&read.lane);
            }
            Body::Subscribe(subscribe) => {
                whole(&mut subscribe.lane, id);
                subscribe.signature = reading(&subscribe.lane);
            }
            Body::Unsubscribe(unsubscribe) => whole(&mut unsubscribe.lane, id),
            Body::Acknowledge(one) => {
                whole(&mut one.lane, id);
                one.signature = by(OWNER, Statement::Acknowledge(&one.lane, one.upto));
            }
            // The lanes have to stay; one that an input made may go.
            Body::LaneDelete(delete) => {
                delete.signature = by(OWNER, Statement::Delete(&delete.lane));
            }
            Body::Prepare(prepare) => {
                whole(&mut prepare.lane, id);
                let ballot = prepare.ballot.get_or_insert_default();
                tie(ballot);
                let statement = Statement::Prepare(&prepare.lane, prepare.slot, ballot);
                prepare.signature = by(WRITER, statement);
            }
            Body::Accept(accept) => {
                whole(&mut accept.lane, id);
                cell(&mut accept.cell);
                let vote = accept.vote.get_or_insert_default();
                tie(vote.ballot.get_or_insert_default());
                if vote.cells <= 1 {
                    (vote.cells, accept.index) = (1, 0);
                    vote.value_hash =
                        Bytes::copy_from_slice(&hash_cells(std::slice::from_ref(&accept.cell)));
                }
                vote.signature = by(WRITER, Statement::Accept(&accept.lane, accept.slot, vote));
            }
            Body::PushSet(set) => {
                whole(&mut set.id, |n| vec![n; 32].into());
                whole(&mut set.p256dh, |_| Bytes::from_static(&BROWSER));
                whole(&mut set.auth, |n| vec![n; 16].into());
                if set.endpoint.starts_with('/') {
                    set.endpoint.insert_str(0, "https://push.example.org");
                }
            }
            Body::PushWatch(watch) => {
                whole(&mut watch.id, |n| vec![n; 32].into());
                whole(&mut watch.lane, id);
                watch.signature = reading(&watch.lane);
            }
            Body::PushEnd(end) => whole(&mut end.id, |n| vec![n; 32].into()),
            Body::BlobPut(put) => {
                cell(&mut put.cell);
                if put.cells <= 1 {
                    (put.cells, put.index) = (1, 0);
                    put.id = Bytes::copy_from_slice(&hash_cells(std::slice::from_ref(&put.cell)));
                }
            }
            _ => {}
        }
    }
}

fn tie(ballot: &mut Ballot) {
    let mut bytes = ballot.tie.to_vec();
    bytes.resize(12, 0);
    ballot.tie = bytes.into();
}

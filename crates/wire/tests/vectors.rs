//! Byte-exact vectors for other implementations: `docs/protocol/vectors/wire.json`. They are worked out here and compared
//! with the file; `UME_WRITE_VECTORS=1` writes it.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // what tests share is a test as well

use bytes::Bytes;
use data_encoding::HEXLOWER;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use ume_wire::auth::{Statement, bound_lane_id, hash, hash_cells, relay_id, work_bits};
use ume_wire::limits::{CELL_BYTES, FRAGMENT_BYTES};
use ume_wire::relay::{
    Append, Ballot, Frame, Hello, LaneKind, LaneNew, Pad, Prepare, PushSet, PushWatch, Read,
    Succession, Vote, frame::Body,
};
use ume_wire::{access, fragment, frame};

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/protocol/vectors/wire.json"
);

fn hex(bytes: impl AsRef<[u8]>) -> String {
    HEXLOWER.encode(bytes.as_ref())
}

/// Bytes that are easy to make anywhere: n, n + 1, n + 2 and so on.
fn count(from: u8, length: usize) -> Vec<u8> {
    (0..length)
        .map(|n| from.wrapping_add(n.to_le_bytes()[0]))
        .collect()
}

fn key(n: u8) -> SigningKey {
    let mut seed = [0; 32];
    seed.copy_from_slice(&count(n, 32));
    SigningKey::from_bytes(&seed)
}

fn id(n: u8) -> [u8; 32] {
    let mut id = [0; 32];
    id.copy_from_slice(&count(n, 32));
    id
}

fn public(n: u8) -> Bytes {
    Bytes::copy_from_slice(key(n).verifying_key().as_bytes())
}

fn lane() -> LaneNew {
    LaneNew {
        kind: LaneKind::Log.into(),
        writers: vec![public(1)],
        reader: public(2),
        ttl_seconds: 7_776_000,
        ..LaneNew::default()
    }
}

fn ballot() -> Ballot {
    Ballot {
        round: 3,
        tie: count(0xa0, 12).into(),
    }
}

fn vote() -> Vote {
    Vote {
        ballot: Some(ballot()),
        value_hash: Bytes::copy_from_slice(&id(0x70)),
        cells: 2,
        signature: Bytes::new(),
    }
}

fn frames() -> Value {
    let lane = Bytes::copy_from_slice(&id(0x40));
    let bodies = [
        (
            "hello",
            0,
            Body::Hello(Hello {
                version_min: 1,
                version_max: 1,
                nonce: count(0x10, 32).into(),
                pace: None,
            }),
        ),
        ("pad", 9, Body::Pad(Pad {})),
        (
            "read",
            1,
            Body::Read(Read {
                lane: lane.clone(),
                from: 5,
                signature: count(0, 64).into(),
            }),
        ),
        (
            "append",
            2,
            Body::Append(Append {
                lane: lane.clone(),
                cell: count(7, CELL_BYTES).into(),
                signature: count(0, 64).into(),
            }),
        ),
        (
            "prepare",
            300,
            Body::Prepare(Prepare {
                lane: lane.clone(),
                slot: 4,
                ballot: Some(ballot()),
                signature: count(0, 64).into(),
            }),
        ),
        (
            "push-set",
            3,
            Body::PushSet(PushSet {
                id: count(0x20, 32).into(),
                endpoint: "https://push.example.org/a".to_owned(),
                p256dh: count(0x30, 65).into(),
                auth: count(0x90, 16).into(),
                origin: "https://ume.example".to_owned(),
            }),
        ),
        (
            "push-watch",
            4,
            Body::PushWatch(PushWatch {
                id: count(0x20, 32).into(),
                lane,
                signature: count(0, 64).into(),
                stop: false,
            }),
        ),
    ];
    let encoded = bodies.map(|(name, request, body)| {
        let frame = Frame {
            request,
            body: Some(body),
        };
        let bytes = frame::encode(&frame).unwrap();
        assert_eq!(frame::decode(&bytes), Ok(frame));
        let end = 3 + usize::from(u16::from_le_bytes([bytes[1], bytes[2]]));
        json!({ "name": name, "frame_without_zeros": hex(&bytes[..end]), "sha256_of_frame": hex(hash(&bytes)) })
    });
    json!(encoded)
}

fn statements() -> Value {
    let (relay, lane, new_key) = (id(0x60), id(0x40), public(5));
    let challenge = count(0x50, 32);
    let writers = [public(1), public(3)];
    let (nonce, cell, value) = (count(0x10, 32), id(0x20), id(0x70));
    let (ballot, vote) = (ballot(), vote());
    let all = [
        ("welcome", Statement::Welcome(&nonce, &challenge)),
        ("append", Statement::Append(&lane, &cell)),
        (
            "append-here",
            Statement::AppendHere(&relay, &challenge, &lane),
        ),
        ("read", Statement::Read(&lane)),
        ("read-here", Statement::ReadHere(&relay, &challenge, &lane)),
        ("keys", Statement::Keys(&lane, &writers)),
        (
            "succession",
            Statement::Succession(&new_key, 1_767_225_600_000),
        ),
        ("acknowledge", Statement::Acknowledge(&lane, 7)),
        ("delete", Statement::Delete(&lane)),
        ("prepare", Statement::Prepare(&lane, 4, &ballot)),
        ("accept", Statement::Accept(&lane, 4, &vote)),
        ("accepted", Statement::Accepted(&lane, 4, &ballot, &value)),
    ];
    json!(all.map(|(name, statement)| {
        let signature = statement.sign(&key(1));
        assert_eq!(statement.verify(&public(1), &signature), Ok(()));
        json!({ "name": name, "signature": hex(signature) })
    }))
}

fn bound_ids() -> Value {
    let slot = LaneNew {
        kind: LaneKind::Slot.into(),
        writers: vec![public(1), public(3)],
        owner: public(4),
        acceptors: 1,
        ..lane()
    };
    json!([lane(), slot].map(|new| json!({
        "kind": new.kind,
        "writers": new.writers.iter().map(hex).collect::<Vec<_>>(),
        "reader": hex(&new.reader),
        "owner": hex(&new.owner),
        "ttl_seconds": new.ttl_seconds,
        "acceptors": new.acceptors,
        "id": hex(bound_lane_id(&new)),
    })))
}

fn work() -> Value {
    let (relay, challenge, lane) = (id(0x60), count(0x50, 32), id(0x40));
    let first = |bits| (1..1_000_000).find(|n| work_bits(&relay, &challenge, &lane, *n) >= bits);
    json!([4, 8, 12].map(|bits| json!({ "bits": bits, "first_number_from_1": first(bits) })))
}

fn fragments() -> Value {
    let mut message_id = fragment::MessageId::default();
    message_id.copy_from_slice(&count(0x30, 16));
    json!([0, 5, FRAGMENT_BYTES, FRAGMENT_BYTES + 1].map(|length| {
        let message = count(1, length);
        let parts = fragment::split(2, message_id, &message).unwrap();
        json!({
            "message_bytes": length,
            "headers": parts.iter().map(|part| hex(&part[..32])).collect::<Vec<_>>(),
            "sha256_of_fragments": parts.iter().map(|part| hex(hash(part))).collect::<Vec<_>>(),
            "sha256_of_all": hex(hash_cells(&parts)),
        })
    }))
}

fn successions() -> Value {
    let keys = [5, 6, 7];
    let steps: Vec<Succession> = keys
        .windows(2)
        .map(|pair| {
            let (old, new, time_ms) = (pair[0], public(pair[1]), 1_767_225_600_000);
            let signature = Statement::Succession(&new, time_ms).sign(&key(old));
            Succession {
                old_key: public(old),
                new_key: new,
                time_ms,
                signature: Bytes::copy_from_slice(&signature),
            }
        })
        .collect();
    let known = relay_id(&public(5));
    assert!(ume_wire::auth::follow_successions(&known, &steps, &public(7)).is_ok());
    json!({
        "known_id": hex(known),
        "current_id": hex(relay_id(&public(7))),
        "steps": steps.iter().map(|step| json!({
            "old_key": hex(&step.old_key),
            "new_key": hex(&step.new_key),
            "time_ms": step.time_ms,
            "signature": hex(&step.signature),
        })).collect::<Vec<_>>(),
    })
}

#[test]
fn the_vectors_are_what_they_were() {
    let vectors = json!({
        "about": "see docs/protocol/wire.md, section 12",
        "keys": ([1, 2, 3, 4, 5, 6, 7].map(|n| json!({
            "seed": hex(count(n, 32)),
            "public": hex(public(n)),
        }))),
        "frames": frames(),
        "statements_signed_with_the_first_key": statements(),
        "bound_lane_ids": bound_ids(),
        "work": work(),
        "fragments": fragments(),
        "successions": successions(),
        "access_keys": [json!({
            "key": hex(id(0x80)),
            "text": access::to_text(&id(0x80)).as_str(),
        })],
    });
    let text = format!("{}\n", serde_json::to_string_pretty(&vectors).unwrap());
    if std::env::var_os("UME_WRITE_VECTORS").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(FILE).unwrap());
}

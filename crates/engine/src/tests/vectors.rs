//! Byte-exact vectors for other implementations: `docs/protocol/vectors/engine.json`. They are worked out here and compared
//! with the file; `UME_WRITE_VECTORS=1` writes it.

use crate::cell;
use crate::community::slots::CommitKeys;
use crate::keys::{
    LABELS, LaneKeys, Secret, history_forward, history_lane, invite_lane, post_lane,
};
use data_encoding::HEXLOWER;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/protocol/vectors/engine.json"
);

fn hex(bytes: impl AsRef<[u8]>) -> String {
    HEXLOWER.encode(bytes.as_ref())
}

fn count(from: u8) -> [u8; 32] {
    std::array::from_fn(|n| from.wrapping_add(n.to_le_bytes()[0]))
}

fn lane(keys: &LaneKeys) -> Value {
    json!({
        "id": hex(keys.id),
        "writer": keys.writer.as_ref().map(|key| hex(key.verifying_key().as_bytes())),
        "reader": hex(keys.reader.verifying_key().as_bytes()),
        "seal": hex(keys.seal.bytes()),
    })
}

#[test]
fn the_vectors_are_what_they_were() {
    let (secret, relay) = (Secret::new(count(0)), count(0x60));
    let labels: BTreeMap<&str, String> = LABELS
        .into_iter()
        .map(|label| {
            let key = secret.derive(label, b"relay");
            (label.text(), hex(key.bytes()))
        })
        .collect();
    let post = post_lane(&secret, &relay);
    let mut rng = ChaCha20Rng::from_seed([0; 32]);
    let message: Vec<u8> = (0..100).collect();
    let cells = cell::seal(&post.keys, 1, &message, &mut rng).unwrap();
    let commit = CommitKeys::of_generation(&secret, &relay);
    let vectors = json!({
        "about": "see docs/protocol/wire.md, section 12. The secret counts from 0, the relay's id from 0x60",
        "labels_with_context_relay": labels,
        "post_lane": lane(&post.keys),
        "history_lane": lane(&history_lane(&secret, &relay).keys),
        "history_key_after_3_days": hex(history_forward(&secret, 3).bytes()),
        "commit_lane": lane(&commit.lane()),
        "invite_lane": lane(&invite_lane(&secret, &relay, None)),
        "cell": {
            "lane": "post_lane",
            "kind": 1,
            "message": hex(&message),
            "cell": hex(&cells[0]),
            "fragment": hex(cell::open(&post.keys, &cells[0]).unwrap()),
        },
    });
    let text = format!("{}\n", serde_json::to_string_pretty(&vectors).unwrap());
    if std::env::var_os("UME_WRITE_VECTORS").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(FILE).unwrap());
}

//! A doorway for the fuzz targets in `fuzz/`: what the bytes of strangers reach here and no public function does, each
//! with what has to hold for any of them. It is compiled with the feature `fuzzing`, which no program of ours has.
#![allow(clippy::missing_panics_doc)] // all that a panic here says is that a rule was broken

mod asking;
mod ledger;
mod library;
mod packs;
mod world;

pub use asking::{answer, asking_seeds, card, request};
pub use ledger::{Saying, ledger};
pub use library::{Text, library, name};
pub use packs::{PackPart, announcement, pack, pack_cell};
pub(crate) use world::put;
pub use world::{Part, World};

use crate::cell;
use crate::community::LogReader;
use crate::community::rebirth::trial;
use crate::community::slots::{CommitKeys, SlotReader};
use crate::entry::{self, judge};
use crate::keys::{Secret, post_lane};
use crate::ledger::{self as signing, Purpose};
use crate::link::Link;
use crate::proto;
use bytes::Bytes;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use prost::Message;
use ume_api::EntryId;
use ume_wire::auth::{Statement, hash, hash_cells};
use ume_wire::limits::{CELL_BYTES, CELL_PLAIN_BYTES};
use ume_wire::relay::{Head, Value, Vote};

const RELAY: [u8; 32] = [6; 32];

/// An invite link as somebody pastes it: refused, or it says the same when it is written again.
pub fn link(text: &str) {
    if let Ok(link) = Link::parse(text) {
        assert_eq!(Link::parse(&link.to_text("https://any.example")), Ok(link));
    }
}

/// The text of a post: bounded, and harmless.
pub fn markdown(text: &str) {
    crate::markdown::rules::holds(text);
}

/// What somebody looks for, and a text in which it is: nothing is lost of the text, and what is marked is what was meant.
pub fn search(looked_for: &str, text: &str) {
    crate::search::holds(looked_for, text);
}

/// What an entry says of its files: bounded and harmless, and what is believed is believed again.
pub fn files(bytes: &[u8]) {
    let files = crate::attachment::read(bytes);
    assert!(files.len() <= ume_api::FILES_MAX);
    for file in files.into_iter().flatten() {
        let view = file.view();
        assert!(!view.name.is_empty() && view.name.len() <= ume_api::FILE_NAME_BYTES_MAX);
        assert!(!view.name.contains(['/', '\\']) && !view.name.contains(char::is_control));
        assert!(view.media.is_ascii() && view.alternative.len() <= ume_api::ALTERNATIVE_BYTES_MAX);
        for number in 0..file.pieces() {
            assert!(file.gather(number).is_some());
        }
        let again = crate::attachment::Attachment::read(file.to_proto());
        assert_eq!(again, Some(file));
    }
}

/// An entry: raw, and as a member of the community might sign it, whatever they write into it.
pub fn entry(bytes: &[u8]) {
    let (ledger, [author, other, ..]) = ledger::started();
    let Ok(mut written) = proto::Written::decode(bytes) else {
        return;
    };
    let _ = entry::parse(&written);
    assert!(entry::verify(&written, &ledger.community).is_err());
    let signed = written.entry.clone().unwrap_or_default();
    let Ok(mut content) = proto::Entry::decode(&signed.content[..]) else {
        return;
    };
    content.community = ledger.community.to_vec();
    content.leaf = author.public().to_vec();
    // A foreign author's name is refused, the own one is not.
    content.author = match content.author.first() {
        Some(1) => other.persona().to_vec(),
        _ => author.persona().to_vec(),
    };
    // Its body's hash is the right one, or whatever it was.
    if let [0] = content.body[..] {
        content.body = hash(&written.body).to_vec();
    }
    written.entry = Some(signing::sign(
        author.leaf(),
        Purpose::Entry,
        content.encode_to_vec(),
    ));
    let Ok(mut entry) = entry::verify(&written, &ledger.community) else {
        return;
    };
    assert_eq!(entry::parse(&written), Ok(entry.clone()));
    assert_eq!(entry::id(&written), Some(entry.id));
    assert!(entry.parents.len() <= entry::PARENTS_MAX);
    let _ = judge(&entry, &ledger, |from, _| Some(from.1));
    let _ = judge(&entry, &ledger, |_, seq| {
        (seq > 3).then_some(EntryId([9; 32]))
    });
    let mut forged = written.clone();
    if let Some(signed) = &mut forged.entry {
        let theirs = signing::sign(other.leaf(), Purpose::Entry, signed.content.clone());
        signed.signature = theirs.signature;
    }
    assert!(entry::verify(&forged, &ledger.community).is_err());
    // Another body is noticed; without one it is the same entry.
    forged.clone_from(&written);
    forged.body.push(0);
    assert!(entry::verify(&forged, &ledger.community).is_err());
    entry.erase();
    let bare = entry::verify(&entry.written, &ledger.community);
    assert!(bare.is_ok_and(|bare| bare.id == entry.id && bare.text.is_none()));
}

/// What members say to each other about missing entries: raw, and as a member might sign and seal it.
pub fn talk(bytes: &[u8]) {
    crate::community::gaps::talk::try_out(bytes);
}

/// A call by which an owner begins the group anew: raw, and as an owner's device might sign it.
pub fn call(bytes: &[u8]) {
    trial::says(bytes);
}

/// What a real call brings, with a part of its caller's making.
pub fn beginning(part: Part, bytes: &[u8]) {
    trial::brings(part, bytes);
}

/// A call and what it brings, for the first seeds.
pub fn call_seeds() -> (Vec<u8>, Vec<u8>) {
    trial::seeds()
}

/// What a relay does to somebody who reads a lane.
#[derive(Clone, Debug)]
pub enum Delivery<'a> {
    /// A cell with a number, as it is.
    Cell(u64, &'a [u8]),
    /// A cell that a member sealed, with these bytes at the start of its inside.
    Sealed(u64, &'a [u8]),
    /// The end of an answer: `next`, `end`, `first`, and the life of the lane.
    Head(u64, u64, u64, u8),
    /// The line goes down and comes back.
    Restart,
}

/// A log lane as a relay delivers it, in whatever order.
pub fn log(deliveries: &[Delivery<'_>]) {
    let keys = post_lane(&Secret::new([4; 32]), &RELAY).keys;
    let mut reader = LogReader::new(keys.clone(), 1);
    for delivery in deliveries {
        match delivery {
            Delivery::Cell(seq, cell) => reader.deliver(*seq, Bytes::copy_from_slice(cell)),
            Delivery::Sealed(seq, plain) => {
                reader.deliver(*seq, seal(&keys.id, keys.seal.bytes(), plain));
            }
            Delivery::Head(next, end, first, life) => {
                let _begun_anew = reader.head(&Head {
                    lane: Bytes::copy_from_slice(&keys.id),
                    next: *next,
                    end: *end,
                    first: *first,
                    life: vec![*life; 8].into(),
                });
            }
            Delivery::Restart => reader.restart(),
        }
        let (_messages, _ask) = reader.take();
        let _ = (reader.follow(), reader.read());
        assert!(reader.cursor() >= 1);
    }
}

/// A commit lane as a relay delivers it: votes that are signed by who may vote, and votes that are not.
pub fn slots(values: &[(bool, &[u8])]) {
    let keys = CommitKeys::of_generation(&Secret::new([5; 32]), &RELAY);
    let lane = keys.lane();
    let mut reader = SlotReader::new(keys.clone(), (1, 1));
    for (honest, bytes) in values {
        let Ok(mut value) = Value::decode(*bytes) else {
            let (next, end) = (bytes.len() as u64, bytes.first().copied().unwrap_or(1));
            reader.head(&Head {
                next,
                end: end.into(),
                ..Head::default()
            });
            continue;
        };
        if *honest {
            // What the writer says is whole: one cell, voted for as it is.
            value.cell = seal(&lane.id, lane.seal.bytes(), &value.cell);
            let mut vote = value.vote.take().unwrap_or_default();
            if vote.cells <= 1 {
                vote.cells = 1;
                value.index = 0;
                vote.value_hash =
                    Bytes::copy_from_slice(&hash_cells(std::slice::from_ref(&value.cell)));
            }
            value.vote = Some(signed(&keys, value.slot, vote));
        }
        reader.deliver(value);
        while let Some(chosen) = reader.take() {
            assert_eq!(chosen.value_hash, hash_cells(&chosen.cells));
            assert_eq!(chosen.slot, reader.next());
            reader.done();
        }
        let _ = (reader.follow(), reader.missing());
    }
}

fn signed(keys: &CommitKeys, slot: u64, mut vote: Vote) -> Vote {
    let signature = Statement::Accept(&keys.id, slot, &vote).sign(&keys.proposer());
    vote.signature = Bytes::copy_from_slice(&signature);
    vote
}

/// A cell of a lane: it opens only if it was sealed for it and is unchanged, and then holds what was sealed.
pub fn cell(bytes: &[u8], place: usize, change: u8) {
    let keys = post_lane(&Secret::new([4; 32]), &RELAY).keys;
    assert!(cell::open(&keys, bytes).is_err());
    let sealed = seal(&keys.id, keys.seal.bytes(), bytes);
    assert_eq!(cell::open(&keys, &sealed), Ok(padded(bytes)));
    if change != 0 {
        let mut changed = sealed.to_vec();
        let place = place % changed.len();
        changed[place] ^= change;
        assert!(cell::open(&keys, &changed).is_err());
    }
}

fn padded(plain: &[u8]) -> Vec<u8> {
    let mut whole = plain.to_vec();
    whole.resize(CELL_PLAIN_BYTES, 0);
    whole
}

/// A cell with any inside, as [`cell::seal`] makes them with fragments inside.
fn seal(lane: &[u8; 32], key: &[u8; 32], plain: &[u8]) -> Bytes {
    let (nonce, msg) = (XNonce::default(), padded(plain));
    let payload = Payload {
        msg: &msg,
        aad: lane,
    };
    let sealed = XChaCha20Poly1305::new(key.into()).encrypt(&nonce, payload);
    let cell: Bytes = [&nonce[..], &sealed.unwrap_or_default()].concat().into();
    assert_eq!(cell.len(), CELL_BYTES);
    cell
}

//! Packs, as a member might make them who seals whatever they like, and announcements of them.

use super::ledger::started;
use super::{RELAY, seal};
use crate::cell;
use crate::community::invites::{DAY_MS, day_of};
use crate::entry::{self, Entry};
use crate::keys::{Label, Secret, history_forward};
use crate::ledger::{Purpose, sign};
use crate::pack::{Announced, BadPack, Contents, Read, Reading, blob, days, packed, place};
use crate::parcel::Blob;
use crate::proto;
use bytes::Bytes;
use prost::Message;
use ume_wire::auth::{Hash, hash, hash_cells};
use ume_wire::limits::{FRAGMENTS_MAX, MESSAGE_BYTES_MAX};
use ume_wire::relay::BlobPart;

const SPAN: u64 = 666;

/// A part of a pack: on which day of its span, and whether it is a message or only what is in one cell.
pub type PackPart<'a> = (u8, bool, &'a [u8]);

fn key_of(day: u64, from: u64) -> Option<Secret> {
    let first = *days(SPAN).start();
    let steps = day.checked_sub(first).filter(|_| day >= from)?;
    Some(history_forward(&Secret::new([3; 32]), steps))
}

/// An announcement: refused, or it says the same when it is written again.
pub fn announcement(bytes: &[u8]) {
    if let Some(announced) = Announced::read(bytes) {
        let written = announced.write();
        assert!(written.len() <= entry::PACK_BYTES_MAX);
        assert_eq!(Announced::read(&written), Some(announced));
    }
}

/// A pack of these parts, of which so many entries were announced: refused, or its entries are what a pack may have, for who
/// may read all of it and for who may read from some day on.
pub fn pack(entries: u32, from: u8, parts: &[PackPart<'_>]) {
    let community = started().0.community;
    let mut cells = Vec::new();
    for (later, whole, bytes) in parts {
        let day = days(SPAN).start() + u64::from(*later) % 30;
        let key = key_of(day, 0).unwrap_or_else(|| Secret::new([0; 32]));
        if *whole {
            let message = honest(bytes).unwrap_or_else(|| bytes.to_vec());
            let message = &message[..message.len().min(MESSAGE_BYTES_MAX)];
            cells.extend(crate::pack::seal(&key, day, &RELAY, message).unwrap_or_default());
        } else {
            let key = key.derive(Label::PackSeal, &RELAY);
            cells.push(seal(
                &place(day),
                key.bytes(),
                &bytes[..bytes.len().min(1_752)],
            ));
        }
    }
    cells.truncate(FRAGMENTS_MAX);
    if cells.is_empty() {
        return;
    }
    let id = hash_cells(&cells);
    let announced = Announced {
        span: SPAN,
        contents: Contents {
            entries,
            digest: hash(&id),
        },
        blobs: vec![id],
    };
    let blob = Blob { id, cells };
    let all = read(&announced, &blob, community, 0);
    let from = days(SPAN).start() + u64::from(from) % 30;
    let within = read(&announced, &blob, community, from);
    for (read, from) in [(&all, 0), (&within, from)] {
        for entry in read.iter().flatten() {
            let day = day_of(entry.time_ms);
            assert!(day >= from && days(SPAN).contains(&day));
            assert!(entry::verify(&entry.written, &community).is_ok());
        }
    }
    let Ok(all) = all else { return };
    assert_eq!(all.len(), usize::try_from(entries).unwrap_or_default());
    let stamp = |one: &Entry| (one.time_ms, one.id);
    assert!(all.is_sorted_by(|one, next| stamp(one) < stamp(next)));
    let mut later = all.clone();
    later.retain(|entry| day_of(entry.time_ms) >= from);
    assert_eq!(within.as_ref(), Ok(&later));
    made_again(&all, community);
}

/// What was read makes a pack from which the same is read.
fn made_again(all: &[Entry], community: Hash) {
    let Some((blob, last)) = blob(all.iter(), |day| key_of(day, 0), &RELAY) else {
        assert!(all.is_empty());
        return;
    };
    let count = all.iter().take_while(|one| (one.time_ms, one.id) <= last);
    let announced = Announced {
        span: SPAN,
        contents: Contents {
            entries: u32::try_from(count.count()).unwrap_or(u32::MAX),
            digest: [0; 32],
        },
        blobs: vec![blob.id],
    };
    let read = read(&announced, &blob, community, 0).unwrap_or_default();
    let bare = all.iter().zip(&read).all(|(one, again)| {
        assert_eq!(again.written, packed(one));
        one.id == again.id
    });
    assert!(bare && !read.is_empty());
}

/// What is read of a blob that a relay hands over as it is.
fn read(
    announced: &Announced,
    blob: &Blob,
    community: Hash,
    from: u64,
) -> Result<Vec<Entry>, BadPack> {
    let keys = |day| key_of(day, from);
    let Some(mut reading) = Reading::new(announced.clone(), community, &RELAY, keys) else {
        return Ok(vec![]);
    };
    assert!(reading.ask().is_some());
    let cells = u32::try_from(blob.cells.len()).unwrap_or(u32::MAX);
    for (index, cell) in (0..).zip(&blob.cells) {
        assert_eq!(reading.result(|_| false), Ok(Read::NotYet));
        reading.take(&BlobPart {
            id: Bytes::copy_from_slice(&blob.id),
            cells,
            index,
            cell: cell.clone(),
        });
    }
    let read = reading.result(|_| false)?;
    assert!(matches!(read, Read::Entries(_, true)));
    match read {
        Read::Entries(entries, _) => Ok(entries),
        Read::NotYet | Read::Lost => Ok(vec![]),
    }
}

/// The same list of entries, signed by a member whatever they say, with times within the span.
fn honest(bytes: &[u8]) -> Option<Vec<u8>> {
    let (ledger, [author, ..]) = started();
    let mut given = proto::Given::decode(bytes).ok()?;
    for written in &mut given.entries {
        let signed = written.entry.take().unwrap_or_default();
        let mut content = proto::Entry::decode(&signed.content[..]).ok()?;
        content.community = ledger.community.to_vec();
        content.leaf = author.public().to_vec();
        content.author = author.persona().to_vec();
        if let [0] = content.body[..] {
            content.body = hash(&written.body).to_vec();
        }
        let first_ms = days(SPAN).start() * DAY_MS;
        content.time_ms = content.time_ms.saturating_add(first_ms);
        if content.expires_ms > 0 {
            content.expires_ms = content.expires_ms.saturating_add(content.time_ms);
        }
        let content = content.encode_to_vec();
        written.entry = Some(sign(author.leaf(), Purpose::Entry, content));
    }
    Some(given.encode_to_vec())
}

/// A cell of a day opens with that day's key only, on that day.
pub fn pack_cell(bytes: &[u8]) {
    let day = *days(SPAN).start();
    let Some(key) = key_of(day, 0) else { return };
    let message = &bytes[..bytes.len().min(MESSAGE_BYTES_MAX)];
    let cells = crate::pack::seal(&key, day, &RELAY, message).unwrap_or_default();
    let [own, other] = [day, day + 1].map(|day| {
        let key = key_of(day, 0).map(|key| key.derive(Label::PackSeal, &RELAY));
        key.unwrap_or_else(|| Secret::new([0; 32]))
    });
    for cell in &cells {
        assert!(cell::open_for(&own, &place(day), cell).is_ok());
        assert!(cell::open_for(&other, &place(day), cell).is_err());
        assert!(cell::open_for(&own, &place(day + 1), cell).is_err());
    }
}

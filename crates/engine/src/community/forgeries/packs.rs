//! Packs: announced by whoever may not, of what does not hold, or of what does not lie there.

use super::*;
use crate::community::Tag;
use crate::community::generation::Era;
use crate::entry::{Draft, Entry, Kind, LIFETIME_MS_MAX, Refusal, verify, write};
use crate::pack::{Announced, BadPack, Contents, Read, Reading, blob};
use crate::parcel::Blob;
use bytes::Bytes;
use ume_api::{EntryId, Trouble};
use ume_wire::relay::{BlobPart, frame::Body as Frame};

/// The span of the community's first day is to be packed then.
const LATER_MS: u64 = 331 * 24 * 3600 * 1000;

fn later<R>(world: &mut World, act: impl FnOnce(&mut Community, &mut Ctx<'_>) -> R) -> R {
    let community = &mut world.community;
    with(&mut world.rng, |ctx| {
        (ctx.now, ctx.time) = (Millis(LATER_MS), Millis(LATER_MS));
        act(community, ctx)
    })
}

impl World {
    fn entry(&self, by: &Person, kind: Kind, seq: u64, content: &[u8], time_ms: u64) -> Entry {
        let community = self.community.community();
        let draft = Draft {
            kind,
            seq,
            previous: (seq > 1).then_some(EntryId([9; 32])),
            parents: vec![],
            time_ms,
            expires_ms: (kind == Kind::Pack).then_some(time_ms + LIFETIME_MS_MAX),
            content: content.to_vec(),
            salt: [6; 16],
            ledger: self.community.chain.ledger.len(),
        };
        let written = write(&community, &by.id(), &by.leaf(), draft);
        verify(&written, &community).unwrap()
    }

    fn blob_of(&self, entries: &[Entry]) -> Blob {
        let community = &self.community;
        let key_of = |day| community.day_key(day);
        blob(entries.iter(), key_of, &community.saved.relay.id)
            .unwrap()
            .0
    }

    /// Somebody announces a pack of some entries, as one that has this blob.
    fn announces(&mut self, by: u8, seq: u64, entries: &[Entry], blob: &Hash) -> EntryId {
        let contents = Contents::of(entries.iter().map(|one| (one.id, true)));
        let (span, blobs) = (0, vec![*blob]);
        let announced = Announced {
            span,
            contents,
            blobs,
        };
        let by = match by {
            0 => &self.admin,
            1 => &self.reader,
            _ => &self.gone,
        };
        let time_ms = LATER_MS - 1_000 + seq;
        let said = self.entry(by, Kind::Pack, seq, &announced.write(), time_ms);
        later(self, |community, ctx| {
            community.receive(ctx, &said.written);
        });
        said.id
    }

    /// Which blob is asked for next, if any.
    fn asks(&mut self) -> Option<Hash> {
        later(self, |community, ctx| {
            community.look_at_packs(ctx, None);
            let asked = ctx.asks.iter().find(|(tag, _)| *tag == Tag::Pack);
            asked.and_then(|(_, request)| match &request.body {
                Frame::BlobGet(get) => Hash::try_from(&get.id[..]).ok(),
                _ => None,
            })
        })
    }

    fn is_handed(&mut self, blob: &Blob) {
        let cells = u32::try_from(blob.cells.len()).unwrap();
        for (index, cell) in (0..).zip(&blob.cells) {
            let part = Frame::BlobPart(BlobPart {
                id: Bytes::copy_from_slice(&blob.id),
                cells,
                index,
                cell: cell.clone(),
            });
            self.community.packs.fetched(&part);
        }
        later(self, Community::advance_packs);
    }
}

#[test]
fn a_pack_of_what_does_not_hold_is_refused_and_its_maker_not_heard_again() {
    let mut world = World::begin();
    let sound = world.entry(&world.target, Kind::Post, 1, b"words", 2_000);
    let mut forged = world.entry(&world.target, Kind::Post, 1, b"forged", 3_000);
    let stranger = world.entry(&world.stranger, Kind::Post, 1, b"strange", 4_000);
    if let Some(signed) = &mut forged.written.entry {
        signed.signature[3] ^= 1;
    }
    // A reader may announce, and what is sound of it is taken, on its own account.
    let honest = [sound.clone(), stranger];
    let blob = world.blob_of(&honest);
    world.announces(1, 1, &honest, &blob.id);
    assert_eq!(world.asks(), Some(blob.id));
    world.is_handed(&blob);
    assert!(world.community.has(&sound.id));
    assert_eq!(
        world.community.page(None, None).0.len(),
        1,
        "of the stranger nothing"
    );
    assert!(world.community.audit().rejected.is_empty());
    // The same announcement is not looked at twice.
    assert_eq!(world.asks(), None);

    let all = [sound, forged];
    let blob = world.blob_of(&all);
    world.announces(0, 1, &all, &blob.id);
    assert_eq!(world.asks(), Some(blob.id));
    world.is_handed(&blob);
    let named = Rejected::Pack(BadPack::Entry(LedgerError::Signature));
    let rejected = world.community.audit().rejected;
    assert_eq!(rejected.into_keys().collect::<Vec<_>>(), [named]);
    let trouble = Trouble::Refused { count: 1 };
    assert!(world.community.view().troubles.contains(&trouble));
    assert_eq!(world.community.page(None, None).0.len(), 1);
    // Nothing more is fetched because of this device.
    world.announces(0, 2, &all, &[7; 32]);
    assert_eq!(world.asks(), None);
    world.announces(1, 2, &all, &[7; 32]);
    assert_eq!(world.asks(), Some([7; 32]));
}

#[test]
fn who_is_out_announces_nothing() {
    let mut world = World::begin();
    let one = world.entry(&world.target, Kind::Post, 1, b"words", 2_000);
    world.announces(2, 1, &[one], &[7; 32]);
    let named = Rejected::Entry(Refusal::Role);
    let rejected = world.community.audit().rejected;
    assert_eq!(rejected.into_keys().collect::<Vec<_>>(), [named]);
    assert_eq!(world.asks(), None);
}

#[test]
fn what_was_announced_and_does_not_lie_there_is_packed_by_another() {
    let mut world = World::begin();
    let one = world.entry(&world.target, Kind::Post, 1, b"words", 2_000);
    later(&mut world, |community, ctx| {
        community.receive(ctx, &one.written);
    });
    let due = |world: &mut World| later(world, |community, ctx| community.due_pack(ctx));
    let all = [one];
    let (span, contents) = due(&mut world).unwrap();
    assert_eq!((span, contents.entries), (0, 1));
    let right = world.blob_of(&all).id;
    // Of the devices that have the same, about one looks whether it lies there. At some announcement it is this one.
    let mut seq = 1;
    let doubted = loop {
        let said = world.announces(1, seq, &all, &[7; 32]);
        assert_eq!(world.asks(), None, "it has all that");
        if !world.community.saved.packs.contains_key(&said) {
            break said;
        }
        assert_eq!(due(&mut world), None, "believed");
        world.community.saved.packs.insert(said, false);
        seq += 1;
        assert!(seq < 100);
    };
    assert_eq!(due(&mut world), Some((span, contents)));
    // It puts there what belongs there, and finds that something else was announced.
    later(&mut world, |community, ctx| {
        community.packs = crate::community::packs::Packs::default();
        community.make_span(ctx, span, contents);
        let put = ctx.asks.iter().find_map(|(tag, _)| match tag {
            Tag::Put(id, _) => Some(*id),
            _ => None,
        });
        assert_eq!(put, Some(right));
        let done = Frame::Done(ume_wire::relay::Done::default());
        for index in 0..2 {
            community.uploaded(ctx, &right, index, &done);
        }
        // As soon as the relay has it, the device says so.
        community.advance_making(ctx);
    });
    assert_eq!(world.community.saved.packs.get(&doubted), Some(&false));
    let own = world.community.leaf_public();
    let feed = world.community.feed.of_leaf(&own);
    let said: Vec<_> = feed.filter(|entry| entry.kind == Kind::Pack).collect();
    assert_eq!(said.len(), 1);
    let announced = Announced::read(said[0].content()).unwrap();
    assert_eq!(
        (announced.contents, announced.blobs),
        (contents, vec![right])
    );
}

#[test]
fn who_was_taken_out_opens_nothing_of_that_day() {
    let mut world = World::begin();
    let day_ms = 24 * 3600 * 1000;
    let posts = [4, 5, 6].map(|day| {
        let text = format!("on day {day}");
        world.entry(&world.target, Kind::Post, 1, text.as_bytes(), day * day_ms)
    });
    // Somebody is taken out on day 5: whoever stays has another key from then on.
    let theirs = world.community.saved.history.clone();
    let secret = Secret::new([8; 32]);
    let next = Era::of(&secret, 2, 5 * day_ms);
    world.community.saved.history.push(next);
    let blob = world.blob_of(&posts);
    let contents = Contents::of(posts.iter().map(|one| (one.id, true)));
    let announced = Announced {
        span: 0,
        contents,
        blobs: vec![blob.id],
    };
    let opens = |community: &Community| {
        let relay = community.saved.relay.id;
        let keys = |day| community.day_key(day);
        let reading = Reading::new(announced.clone(), community.community(), &relay, keys);
        let mut reading = reading.unwrap();
        assert!(reading.ask().is_some());
        let cells = u32::try_from(blob.cells.len()).unwrap();
        for (index, cell) in (0..).zip(&blob.cells) {
            let (id, cell) = (Bytes::copy_from_slice(&blob.id), cell.clone());
            reading.take(&BlobPart {
                id,
                cells,
                index,
                cell,
            });
        }
        let opened = reading.opened();
        (opened, reading.result(|_| false))
    };
    let (opened, read) = opens(&world.community);
    assert_eq!((opened, read), (3, Ok(Read::Entries(posts.to_vec(), true))));
    world.community.saved.history = theirs;
    assert_eq!(opens(&world.community), (1, Err(BadPack::Part)));
}

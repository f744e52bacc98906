//! A real community of two, from outside: its link, the bundle in its invite, and the record by which the second came in.

use crate::community::LogReader;
use crate::community::slots::SlotReader;
use crate::community::watch::Watch;
use crate::keys::invite_lane;
use crate::link::Link;
use crate::proto;
use crate::visit;
use bytes::Bytes;
use prost::Message;
use ume_wire::frame;
use ume_wire::relay::frame::Body;

/// What is replaced by the bytes of a stranger.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// All of it.
    Whole,
    /// The ratchet tree of a bundle, or the commit of a record.
    Tree,
    /// The `GroupInfo`.
    GroupInfo,
    /// One more statement of the ledger.
    Statement,
    /// The bytes from a place in the tree or commit on.
    Within(usize),
    /// The bytes from a place in the `GroupInfo` on.
    WithinInfo(usize),
}

/// What a newcomer meets.
pub struct World {
    link: Link,
    bundle: proto::JoinBundle,
    record: proto::Record,
}

impl World {
    /// From a link, the bundle behind it, and the first record after that.
    pub fn new(link: &str, bundle: &[u8], record: &[u8]) -> Option<Self> {
        let world = Self {
            link: Link::parse(link).ok()?,
            bundle: proto::JoinBundle::decode(bundle).ok()?,
            record: proto::Record::decode(record).ok()?,
        };
        let mut watch = visit::watch(&world.link, bundle).ok()?;
        let before = watch.chain.ledger.len();
        watch.take(Some(record), None);
        (watch.chain.ledger.len() > before).then_some(world)
    }

    /// Bundle and record, from the frames that somebody got who joined by the link.
    pub fn overheard(link: &str, frames: &[Bytes]) -> Option<(Vec<u8>, Vec<u8>)> {
        let link = Link::parse(link).ok()?;
        let invite = invite_lane(&link.secret, &link.relays.first()?.id, None);
        let mut reader = LogReader::new(invite.clone(), 1);
        let (mut bundle, mut slots) = (None::<Vec<u8>>, None::<SlotReader>);
        for frame in frames {
            match frame::decode(frame).ok()?.body {
                Some(Body::Delivery(one)) if one.lane[..] == invite.id => {
                    reader.deliver(one.seq, one.cell);
                    if let Some(message) = reader.take().0.pop() {
                        slots = visit::watch(&link, &message.bytes).ok().map(|watch| {
                            let (generation, slot) = watch.chain.place();
                            SlotReader::new(watch.chain.keys.clone(), (generation, slot + 1))
                        });
                        bundle = Some(message.bytes);
                    }
                }
                Some(Body::Value(value)) => {
                    let Some(slots) = slots.as_mut() else {
                        continue;
                    };
                    slots.deliver(value);
                    if let Some(record) = slots.take().and_then(|chosen| chosen.record) {
                        return Some((bundle?, record));
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// A bundle with a part of a stranger's making: refused, or everybody in it is a member.
    pub fn bundle(&self, part: Part, bytes: &[u8]) {
        let mut bundle = self.bundle.clone();
        match part {
            Part::Whole => {
                self.visit(bytes);
                return;
            }
            Part::Tree => bundle.tree = bytes.to_vec(),
            Part::GroupInfo => bundle.group_info = bytes.to_vec(),
            Part::Statement => bundle.statements.push(bytes.to_vec()),
            Part::Within(place) => put(&mut bundle.tree, place, bytes),
            Part::WithinInfo(place) => put(&mut bundle.group_info, place, bytes),
        }
        self.visit(&bundle.encode_to_vec());
    }

    fn visit(&self, bundle: &[u8]) {
        if let Ok(watch) = visit::watch(&self.link, bundle) {
            assert!(watch.all_admitted());
        }
    }

    /// The record after the bundle with a part of a stranger's making: void, or the group goes on with members only.
    pub fn record(&self, part: Part, bytes: &[u8]) {
        let mut record = self.record.clone();
        match part {
            Part::Whole => {
                self.follow(bytes);
                return;
            }
            Part::Tree => record.commit = bytes.to_vec(),
            Part::GroupInfo => record.group_info = bytes.to_vec(),
            Part::Statement => record.statements.push(bytes.to_vec()),
            Part::Within(place) => put(&mut record.commit, place, bytes),
            Part::WithinInfo(place) => put(&mut record.group_info, place, bytes),
        }
        self.follow(&record.encode_to_vec());
    }

    fn follow(&self, record: &[u8]) {
        let Some(mut watch) = Watch::open(&self.link.community, self.bundle.clone()) else {
            return;
        };
        let (generation, slot) = watch.chain.place();
        watch.take(Some(record), None);
        // A record that ends the generation leads where nobody can follow whom it does not name.
        let next = [(generation, slot + 1), (generation + 1, 0)];
        assert!(next.contains(&watch.chain.place()));
        assert_eq!(watch.is_lost(), watch.chain.place() == next[1]);
        assert!(watch.all_admitted());
        // And whatever came of it can be followed.
        watch.take(None, None);
    }
}

/// Puts bytes over those from a place on.
pub(crate) fn put(whole: &mut [u8], place: usize, bytes: &[u8]) {
    let place = place % whole.len().max(1);
    for (old, new) in whole.iter_mut().skip(place).zip(bytes) {
        *old = *new;
    }
}

//! What members say to each other about missing entries: a signed message in the newest epoch's post lane, whose inside is
//! sealed under the history key of the first day that it is about. Every member reads the lane; who may not read that day
//! cannot open it.

use super::super::history::place_of;
use super::super::{Community, Ctx, Tag};
use super::Request;
use crate::cell;
use crate::keys::{Label, LaneKeys, Secret};
use crate::ledger::{self, Purpose};
use crate::line::Request as LineRequest;
use crate::mls::Group;
use crate::proto;
use bytes::Bytes;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use prost::Message;
use proto::talk_body::Body as Said;
use rand_core::RngCore;
use ume_wire::auth::{Hash, LaneId};
use ume_wire::relay::{Append, frame::Body};

/// Kind of the message in a post lane.
pub(in crate::community) const TALK: u8 = 2;
const NONCE_BYTES: usize = 24;

/// What is said, around its sealed inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) from: Hash,
    pub(super) request: Request,
    pub(super) to: Option<Hash>,
    pub(super) place: u64,
}

/// Signs and seals.
fn pack(
    leaf: &Secret,
    key: &Secret,
    lane: &LaneId,
    envelope: &Envelope,
    body: &proto::TalkBody,
    rng: &mut impl RngCore,
) -> Option<Vec<u8>> {
    let mut nonce = XNonce::default();
    rng.fill_bytes(&mut nonce);
    let msg = body.encode_to_vec();
    let payload = Payload {
        msg: &msg,
        aad: lane,
    };
    let cipher = XChaCha20Poly1305::new(key.bytes().into());
    let sealed = cipher.encrypt(&nonce, payload).ok()?;
    let talk = proto::Talk {
        leaf: envelope.from.to_vec(),
        request: envelope.request.to_vec(),
        to: envelope.to.map(|to| to.to_vec()).unwrap_or_default(),
        generation: u32::try_from(envelope.place >> 32).ok()?,
        day: envelope.place & 0xffff_ffff,
        sealed: [&nonce[..], &sealed].concat(),
    };
    let signed = ledger::sign(&leaf.signing_key(), Purpose::Talk, talk.encode_to_vec());
    Some(signed.encode_to_vec())
}

/// Reads what somebody said, and checks that they did.
fn unpack(bytes: &[u8]) -> Option<(Envelope, Vec<u8>)> {
    let signed = proto::Signed::decode(bytes).ok()?;
    let talk = proto::Talk::decode(&signed.content[..]).ok()?;
    let from = ledger::key(&talk.leaf).ok()?;
    ledger::check(&from, Purpose::Talk, &signed.content, &signed.signature).ok()?;
    let to = match &talk.to[..] {
        [] => None,
        to => Some(ledger::key(to).ok()?),
    };
    let day = u32::try_from(talk.day).ok()?;
    let envelope = Envelope {
        from,
        request: talk.request[..].try_into().ok()?,
        to,
        place: place_of(talk.generation, day.into()),
    };
    Some((envelope, talk.sealed))
}

fn open(key: &Secret, lane: &LaneId, sealed: &[u8]) -> Option<Said> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES)?;
    let payload = Payload {
        msg: sealed,
        aad: lane,
    };
    let cipher = XChaCha20Poly1305::new(key.bytes().into());
    let opened = cipher.decrypt(XNonce::from_slice(nonce), payload).ok()?;
    proto::TalkBody::decode(&opened[..]).ok()?.body
}

/// What a fuzzer tries: raw bytes are nobody's word; and a member may say whatever they like, which is read as it was said,
/// by who has the key, in its lane.
#[cfg(feature = "fuzzing")]
#[allow(clippy::missing_panics_doc)]
pub(crate) fn try_out(bytes: &[u8]) {
    use rand_core::SeedableRng;
    assert!(unpack(bytes).is_none());
    let (leaf, key, lane) = (Secret::new([2; 32]), Secret::new([3; 32]), [4; 32]);
    let _ = open(&key, &lane, bytes);
    if let Ok(mut talk) = proto::Talk::decode(bytes) {
        talk.leaf = leaf.signing_key().verifying_key().to_bytes().to_vec();
        let signed = ledger::sign(&leaf.signing_key(), Purpose::Talk, talk.encode_to_vec());
        if let Some((envelope, sealed)) = unpack(&signed.encode_to_vec()) {
            assert_eq!(envelope.from[..], talk.leaf[..]);
            assert_eq!(
                (envelope.place >> 32, envelope.place & 0xffff_ffff),
                (talk.generation.into(), talk.day)
            );
            let _ = open(&key, &lane, &sealed);
        }
    }
    let Ok(body) = proto::TalkBody::decode(bytes) else {
        return;
    };
    let envelope = Envelope {
        from: leaf.signing_key().verifying_key().to_bytes(),
        request: [5; 16],
        to: None,
        place: place_of(1, 20_000),
    };
    let mut rng = rand_chacha::ChaCha20Rng::from_seed([1; 32]);
    let packed = pack(&leaf, &key, &lane, &envelope, &body, &mut rng);
    let read = packed.as_deref().and_then(unpack);
    assert_eq!(read.as_ref().map(|(envelope, _)| *envelope), Some(envelope));
    if let Some((_, sealed)) = read {
        assert_eq!(open(&key, &lane, &sealed), body.body);
        assert_eq!(open(&leaf, &lane, &sealed), None);
    }
}

impl Community {
    /// The key that seals what is about a day and later, if this device may read that day.
    fn talk_key(&self, place: u64) -> Option<Secret> {
        let key = self.history_key(place)?;
        Some(key.derive(Label::HistoryTalk, &self.saved.relay.id))
    }

    fn talk_lane(&mut self, ctx: &mut Ctx<'_>) -> Option<LaneKeys> {
        let epoch = self.group.as_ref().map(Group::epoch)?;
        let lane = self.posts.get(&epoch)?;
        let (keys, new) = (lane.reader.keys().clone(), lane.new.clone());
        self.ensure_lane(ctx, keys.id, || new).then_some(keys)
    }

    /// Says something; whether it left.
    pub(super) fn say(
        &mut self,
        ctx: &mut Ctx<'_>,
        place: u64,
        request: Request,
        to: Option<Hash>,
        said: Said,
    ) -> bool {
        let Some((lane, key)) = self.talk_lane(ctx).zip(self.talk_key(place)) else {
            return false;
        };
        let envelope = Envelope {
            from: self.leaf_public(),
            request,
            to,
            place,
        };
        let body = proto::TalkBody { body: Some(said) };
        let packed = pack(&self.saved.leaf, &key, &lane.id, &envelope, &body, ctx.rng);
        let cells = packed.and_then(|message| cell::seal(&lane, TALK, &message, ctx.rng).ok());
        let (Some(cells), Some(writer)) = (cells, &lane.writer) else {
            return false;
        };
        for cell in cells {
            let append = Append {
                lane: Bytes::copy_from_slice(&lane.id),
                cell,
                ..Append::default()
            };
            // Nothing is owed for it: whoever hears no answer asks again.
            let request = LineRequest::signed_by(writer, Body::Append(append));
            ctx.ask(Tag::Talk, Some(request));
        }
        true
    }

    /// Somebody said something in an epoch's post lane.
    pub(in crate::community) fn hear(&mut self, ctx: &mut Ctx<'_>, epoch: u64, bytes: &[u8]) {
        let Some((lane, live)) = self
            .posts
            .get(&epoch)
            .map(|lane| (lane.reader.id(), lane.reader.is_caught_up()))
        else {
            return;
        };
        let Some((envelope, sealed)) = unpack(bytes) else {
            return;
        };
        // Own words come back as well, and who is out has no say.
        let heard = envelope.from != self.leaf_public()
            && self.chain.ledger.current(&envelope.from).is_ok();
        if !heard {
            return;
        }
        let key = self.talk_key(envelope.place);
        match key.and_then(|key| open(&key, &lane, &sealed)) {
            Some(Said::Ask(ask)) => self.asked(ctx, &envelope, &ask),
            Some(Said::Given(given)) => self.take_given(ctx, &envelope, &given.entries),
            Some(Said::Step(step)) => self.take_step(ctx, &envelope, step, live),
            // It is about what this device may not read. Whoever may has answered.
            None => self.gaps.answering.answered(&envelope, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::community::gaps::ASK_IDS_MAX;
    use crate::reconcile::{AROUND_BYTES, Set};
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;
    use ume_wire::limits::FRAGMENT_BYTES;

    fn packed(envelope: &Envelope, said: Said) -> Vec<u8> {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let body = proto::TalkBody { body: Some(said) };
        let (leaf, key) = (Secret::new([2; 32]), Secret::new([3; 32]));
        pack(&leaf, &key, &[4; 32], envelope, &body, &mut rng).unwrap()
    }

    fn step(ranges: Vec<u8>) -> Said {
        let unsure = true;
        Said::Step(proto::Step { ranges, unsure })
    }

    fn envelope() -> Envelope {
        Envelope {
            from: Secret::new([2; 32])
                .signing_key()
                .verifying_key()
                .to_bytes(),
            request: [5; 16],
            to: Some([6; 32]),
            place: place_of(u32::MAX, u32::MAX.into()),
        }
    }

    #[test]
    fn an_ask_and_a_first_step_fit_into_one_cell() {
        let many = (0..10_000u64).map(|n| (n << 40, [n.to_le_bytes()[0]; 32]));
        let ask = proto::Ask {
            entries: vec![vec![7; 32]; ASK_IDS_MAX],
        };
        for said in [Said::Ask(ask), step(Set::new(many).begin())] {
            let bytes = packed(&envelope(), said);
            assert!(bytes.len() <= FRAGMENT_BYTES, "{}", bytes.len());
        }
        let bytes = packed(&envelope(), step(vec![7; 1000]));
        assert!(bytes.len() <= 1000 + AROUND_BYTES, "{}", bytes.len());
    }

    #[test]
    fn only_who_may_read_the_day_opens_it_in_its_lane_and_as_it_was_signed() {
        let said = step(vec![1, 2, 3]);
        let bytes = packed(&envelope(), said.clone());
        let (read, sealed) = unpack(&bytes).unwrap();
        assert_eq!(read, envelope());
        assert_eq!(open(&Secret::new([3; 32]), &[4; 32], &sealed), Some(said));
        assert_eq!(open(&Secret::new([9; 32]), &[4; 32], &sealed), None);
        assert_eq!(open(&Secret::new([3; 32]), &[9; 32], &sealed), None);
        assert_eq!(open(&Secret::new([3; 32]), &[4; 32], &sealed[..20]), None);
        let mut signed = proto::Signed::decode(&bytes[..]).unwrap();
        let mut talk = proto::Talk::decode(&signed.content[..]).unwrap();
        talk.day -= 1;
        signed.content = talk.encode_to_vec();
        assert_eq!(unpack(&signed.encode_to_vec()), None);
        let mut forged = envelope();
        forged.from = [8; 32];
        assert_eq!(unpack(&packed(&forged, step(vec![]))), None);
    }
}

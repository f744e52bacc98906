//! Key derivation: HKDF-SHA-256 (RFC 5869), Expand only, from secrets that are uniform already.
//!
//! Every key of the protocol comes from here, by one of the labels below. All of them are listed in
//! `docs/protocol/keys.md`; a label is never used for two things.

use bytes::Bytes;
use ed25519_dalek::SigningKey;
use hkdf::Hkdf;
use sha2::Sha256;
use ume_wire::auth::{Hash, LaneId, bound_lane_id};
use ume_wire::relay::{LaneKind, LaneNew};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Where a derived key is used. The text is part of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// Persona of a community, from the profile's root.
    Persona,
    /// A device's rescue key, from its leaf's seed.
    Rescue,
    /// The first day's history key of a generation.
    GenerationHistory,
    /// Commit lane of a generation.
    CommitMember,
    CommitJoiner,
    CommitReader,
    CommitSeal,
    /// Post lane of an epoch.
    PostWriter,
    PostReader,
    PostSeal,
    /// History lane of a day.
    HistoryWriter,
    HistoryReader,
    HistorySeal,
    /// What members say to each other about entries of a day and later.
    HistoryTalk,
    /// What was written on a day, in packs; and what the nonces of that come from.
    PackSeal,
    PackNonces,
    /// From one day's history secret to the next day's.
    HistoryNext,
    /// A device's key to which the answer to its request is sealed, from its leaf's seed.
    Answer,
    /// Request lane of a private invite: what its readers hold, from the invite's secret, and its write key, likewise.
    Requests,
    RequestWriter,
    RequestReader,
    RequestSeal,
    /// Lane of an answer.
    AnswerWriter,
    AnswerReader,
    AnswerSeal,
    /// Invite lane, and the invite's key pair.
    InviteId,
    InviteReader,
    InviteSeal,
    InviteKey,
    /// Lane in which a device may contest that its person was recovered.
    ContestReader,
    ContestSeal,
    /// Lane in which an owner's device calls to a group that begins anew.
    BeaconReader,
    BeaconSeal,
}

impl Label {
    /// Its text, which is what counts.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Persona => "ume/1/persona",
            Self::Rescue => "ume/1/rescue",
            Self::GenerationHistory => "ume/1/g.h",
            Self::CommitMember => "ume/1/c.w",
            Self::CommitJoiner => "ume/1/c.j",
            Self::CommitReader => "ume/1/c.r",
            Self::CommitSeal => "ume/1/c.seal",
            Self::PostWriter => "ume/1/p.w",
            Self::PostReader => "ume/1/p.r",
            Self::PostSeal => "ume/1/p.seal",
            Self::HistoryWriter => "ume/1/h.w",
            Self::HistoryReader => "ume/1/h.r",
            Self::HistorySeal => "ume/1/h.seal",
            Self::HistoryTalk => "ume/1/h.talk",
            Self::PackSeal => "ume/1/h.pack",
            Self::PackNonces => "ume/1/h.nonce",
            Self::HistoryNext => "ume/1/h.next",
            Self::Answer => "ume/1/answer",
            Self::Requests => "ume/1/i.q",
            Self::RequestWriter => "ume/1/i.q.w",
            Self::RequestReader => "ume/1/q.r",
            Self::RequestSeal => "ume/1/q.seal",
            Self::AnswerWriter => "ume/1/a.w",
            Self::AnswerReader => "ume/1/a.r",
            Self::AnswerSeal => "ume/1/a.seal",
            Self::InviteId => "ume/1/i.id",
            Self::InviteReader => "ume/1/i.r",
            Self::InviteSeal => "ume/1/i.seal",
            Self::InviteKey => "ume/1/i.key",
            Self::ContestReader => "ume/1/x.r",
            Self::ContestSeal => "ume/1/x.seal",
            Self::BeaconReader => "ume/1/b.r",
            Self::BeaconSeal => "ume/1/b.seal",
        }
    }
}

/// All labels, for the vectors.
#[cfg(test)]
pub(crate) const LABELS: [Label; 33] = [
    Label::Persona,
    Label::Rescue,
    Label::GenerationHistory,
    Label::CommitMember,
    Label::CommitJoiner,
    Label::CommitReader,
    Label::CommitSeal,
    Label::PostWriter,
    Label::PostReader,
    Label::PostSeal,
    Label::HistoryWriter,
    Label::HistoryReader,
    Label::HistorySeal,
    Label::HistoryTalk,
    Label::PackSeal,
    Label::PackNonces,
    Label::HistoryNext,
    Label::Answer,
    Label::Requests,
    Label::RequestWriter,
    Label::RequestReader,
    Label::RequestSeal,
    Label::AnswerWriter,
    Label::AnswerReader,
    Label::AnswerSeal,
    Label::InviteId,
    Label::InviteReader,
    Label::InviteSeal,
    Label::InviteKey,
    Label::ContestReader,
    Label::ContestSeal,
    Label::BeaconReader,
    Label::BeaconSeal,
];

/// MLS exporter label (RFC 9420, section 8.5) of the secret that an epoch's post lane comes from.
pub(crate) const EXPORT_POST: &str = "ume/1/post";
/// MLS exporter label of the secret that a generation's commit lane comes from.
pub(crate) const EXPORT_GENERATION: &str = "ume/1/gen";

/// Thirty-two secret bytes. Erased when dropped, never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop, serde::Serialize, serde::Deserialize)]
pub(crate) struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(crate) fn random(rng: &mut impl rand_core::RngCore) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key for one use; `context` tells apart keys of the same use (a relay's id, a salt).
    pub(crate) fn derive(&self, label: Label, context: &[u8]) -> Self {
        let mut out = Self([0; 32]);
        // Expand fails only for more than 255 blocks of output, and from_prk only for less than one block of input.
        if let Ok(hkdf) = Hkdf::<Sha256>::from_prk(&self.0) {
            let expanded =
                hkdf.expand_multi_info(&[label.text().as_bytes(), &[0], context], &mut out.0);
            debug_assert!(expanded.is_ok());
        }
        out
    }

    pub(crate) fn signing_key(&self) -> SigningKey {
        SigningKey::from_bytes(&self.0)
    }
}

impl From<Zeroizing<[u8; 32]>> for Secret {
    fn from(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(*bytes)
    }
}

/// How long a relay keeps posts, seconds.
const POST_TTL: u32 = 90 * 24 * 3600;
/// How long a relay keeps a day's history, an invite's bundle and records, seconds: longer than any device may be away.
pub(crate) const LONG_TTL: u32 = 400 * 24 * 3600;

/// What a client holds of a lane: its id and the private halves that it may use.
#[derive(Clone, Debug)]
pub(crate) struct LaneKeys {
    pub(crate) id: LaneId,
    /// Key of the writers, if this client holds it.
    pub(crate) writer: Option<SigningKey>,
    pub(crate) reader: SigningKey,
    pub(crate) seal: Secret,
}

/// A lane that this client can make: its keys, and what a relay is asked for.
#[derive(Clone, Debug)]
pub(crate) struct OwnLane {
    pub(crate) keys: LaneKeys,
    pub(crate) new: LaneNew,
}

/// Public half of a key, as messages carry it.
pub(crate) fn public(key: &SigningKey) -> Bytes {
    Bytes::copy_from_slice(key.verifying_key().as_bytes())
}

/// Gives a lane the id that nobody can take for another one, however many keys they hold.
pub(crate) fn bind(mut new: LaneNew) -> (LaneId, LaneNew) {
    let id = bound_lane_id(&new);
    new.lane = Bytes::copy_from_slice(&id);
    (id, new)
}

/// A log that all who know its secret read and write, and nobody can delete.
fn log_lane(writer: SigningKey, reader: SigningKey, seal: Secret, ttl_seconds: u32) -> OwnLane {
    let mut lane = read_lane(public(&writer), reader, seal, ttl_seconds);
    lane.keys.writer = Some(writer);
    lane
}

/// The same as its readers know it.
fn read_lane(writer: Bytes, reader: SigningKey, seal: Secret, ttl_seconds: u32) -> OwnLane {
    let (id, new) = bind(LaneNew {
        kind: LaneKind::Log.into(),
        writers: vec![writer],
        reader: public(&reader),
        ttl_seconds,
        ..LaneNew::default()
    });
    let keys = LaneKeys {
        id,
        writer: None,
        reader,
        seal,
    };
    OwnLane { keys, new }
}

/// The lane in which people ask to come in by a private invite, as those know it who read there.
pub(crate) fn request_lane(requests: &Secret, writer: &[u8; 32], relay: &Hash) -> OwnLane {
    read_lane(
        Bytes::copy_from_slice(writer),
        requests.derive(Label::RequestReader, relay).signing_key(),
        requests.derive(Label::RequestSeal, relay),
        LONG_TTL,
    )
}

/// Key by which a holder of a private invite's link asks.
pub(crate) fn request_writer(invite: &Secret) -> SigningKey {
    invite.derive(Label::RequestWriter, &[]).signing_key()
}

/// The lane in which somebody who asked looks for the answer.
pub(crate) fn answer_lane(answer: &Secret, relay: &Hash) -> OwnLane {
    log_lane(
        answer.derive(Label::AnswerWriter, relay).signing_key(),
        answer.derive(Label::AnswerReader, relay).signing_key(),
        answer.derive(Label::AnswerSeal, relay),
        LONG_TTL,
    )
}

/// The lane of an epoch, from its exported secret. All members write with the same key.
pub(crate) fn post_lane(epoch: &Secret, relay: &Hash) -> OwnLane {
    log_lane(
        epoch.derive(Label::PostWriter, relay).signing_key(),
        epoch.derive(Label::PostReader, relay).signing_key(),
        epoch.derive(Label::PostSeal, relay),
        POST_TTL,
    )
}

/// The history lane of a day, from that day's secret.
pub(crate) fn history_lane(day: &Secret, relay: &Hash) -> OwnLane {
    log_lane(
        day.derive(Label::HistoryWriter, relay).signing_key(),
        day.derive(Label::HistoryReader, relay).signing_key(),
        day.derive(Label::HistorySeal, relay),
        LONG_TTL,
    )
}

/// The lane of an invite. Its write key is not derivable: a holder of the link cannot change what others read. For the
/// same reason its id is not bound: a holder of the link could not work it out.
pub(crate) fn invite_lane(invite: &Secret, relay: &Hash, writer: Option<SigningKey>) -> LaneKeys {
    let mut id = *invite.derive(Label::InviteId, relay).bytes();
    id[0] &= 0x7f;
    LaneKeys {
        id,
        writer,
        reader: invite.derive(Label::InviteReader, relay).signing_key(),
        seal: invite.derive(Label::InviteSeal, &[]),
    }
}

/// The lane in which one device may contest that its person was recovered. All who know the community can read it, and only
/// that device can write: with its leaf key, so that nobody can fill the lane before it.
pub(crate) fn contest_lane(community: &Hash, leaf: &Hash, relay: &Hash) -> OwnLane {
    let labels = [Label::ContestReader, Label::ContestSeal];
    device_lane(labels, community, leaf, relay)
}

/// The lane in which an owner's device may call to a group that begins anew; readable and writable as that for contests.
pub(crate) fn beacon_lane(community: &Hash, leaf: &Hash, relay: &Hash) -> OwnLane {
    let labels = [Label::BeaconReader, Label::BeaconSeal];
    device_lane(labels, community, leaf, relay)
}

fn device_lane(labels: [Label; 2], community: &Hash, leaf: &Hash, relay: &Hash) -> OwnLane {
    let shared = Secret::new(*community);
    let context = [&relay[..], &leaf[..]].concat();
    let reader = shared.derive(labels[0], &context).signing_key();
    let (id, new) = bind(LaneNew {
        kind: LaneKind::Log.into(),
        writers: vec![Bytes::copy_from_slice(leaf)],
        reader: public(&reader),
        ttl_seconds: LONG_TTL,
        ..LaneNew::default()
    });
    let keys = LaneKeys {
        id,
        writer: None,
        reader,
        seal: shared.derive(labels[1], &context),
    };
    OwnLane { keys, new }
}

/// The history secret of a later day. Steps forward only: who holds a day's secret reads from that day on.
pub(crate) fn history_forward(from: &Secret, days: u64) -> Secret {
    (0..days).fold(from.clone(), |key, _| key.derive(Label::HistoryNext, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_contexts_separate() {
        let secret = Secret::new([1; 32]);
        let a = secret.derive(Label::PostReader, &[1]);
        assert_ne!(a, secret.derive(Label::PostReader, &[2]));
        assert_ne!(a, secret.derive(Label::PostSeal, &[1]));
        assert_eq!(a, secret.derive(Label::PostReader, &[1]));
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }

    #[test]
    fn only_the_device_writes_its_contest() {
        let leaf = Secret::new([4; 32]).signing_key();
        let leaf = leaf.verifying_key().to_bytes();
        let lane = contest_lane(&[5; 32], &leaf, &[6; 32]);
        assert_eq!(lane.new.writers, [Bytes::copy_from_slice(&leaf)]);
        assert!(lane.keys.writer.is_none());
        // The id is a hash of that: nobody can take it for another writer.
        assert_eq!(lane.keys.id, bound_lane_id(&lane.new));
        for (community, relay) in [([7; 32], [6; 32]), ([5; 32], [7; 32])] {
            let other = contest_lane(&community, &leaf, &relay).keys;
            assert_ne!(other.id, lane.keys.id);
            assert_ne!(other.seal, lane.keys.seal);
        }
    }

    #[test]
    fn history_goes_forward_day_by_day() {
        let start = Secret::new([3; 32]);
        assert_eq!(
            history_forward(&history_forward(&start, 2), 3),
            history_forward(&start, 5)
        );
        assert_eq!(history_forward(&start, 0), start);
    }
}

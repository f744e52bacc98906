//! What is said between somebody who asks to come in by a private invite and those who may answer: the card that says how
//! to ask, the request, and the answer. Each is verified here, whoever it comes from.
//!
//! Requests and answers are sealed to devices (HPKE), not to whoever holds the link: two people with the same link learn
//! nothing of each other.

use crate::community::generation::suite;
use crate::keys::{Label, Secret};
use crate::ledger::{
    self, Invite, Ledger, LedgerError, Purpose, check, check_claim, name_is_sound, open_cert, sign,
};
use crate::link::Link;
use crate::mls::Suite;
use crate::mls::hpke::{self, Use};
use crate::proto;
use ed25519_dalek::SigningKey;
use prost::Message;
use ume_api::{HistoryWindow, NAME_BYTES_MAX, NOTE_BYTES_MAX, Refusal, Role};
use ume_wire::auth::{Hash, hash};

/// Kind of a card in an invite's lane.
pub(crate) const CARD: u8 = 2;
/// Kind of the message in a request lane.
pub(crate) const REQUEST: u8 = 1;
/// Kind of the message in an answer lane.
pub(crate) const ANSWER: u8 = 1;
/// Devices that a request is sealed to, at most.
pub(crate) const ANSWERING_MAX: usize = 32;
/// Bytes of name, note and padding together, always.
const WORDS_BYTES: usize = NAME_BYTES_MAX + NOTE_BYTES_MAX;

/// A card that holds.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) genesis: Vec<u8>,
    /// The community's name.
    pub(crate) community: String,
    pub(crate) suite: Suite,
    /// Persona and name of who made the invite.
    pub(crate) inviter: Hash,
    pub(crate) name: String,
    pub(crate) expires_ms: Option<u64>,
    pub(crate) window: HistoryWindow,
    pub(crate) role: Role,
    /// Devices of those who may answer: leaf key and rescue key.
    answering: Vec<proto::DeviceKey>,
    /// Why nobody answers any more.
    pub(crate) ended: Option<Refusal>,
}

/// Signs a card with the leaf key of the device that made the invite.
pub(crate) fn make_card(leaf: &SigningKey, card: &proto::InviteCard) -> Vec<u8> {
    sign(leaf, Purpose::Card, card.encode_to_vec()).encode_to_vec()
}

/// Opens what lies in a private invite's lane: of the community and the invite of the link, on its relay, signed by a
/// device of whom it names. Whether that person is in, and made the invite, shows when the ledger is known: with a yes.
pub(crate) fn open_card(link: &Link, bytes: &[u8]) -> Result<Card, LedgerError> {
    let malformed = LedgerError::Malformed;
    let signed = proto::Signed::decode(bytes).map_err(|_| malformed)?;
    let card = proto::InviteCard::decode(&signed.content[..]).map_err(|_| malformed)?;
    let begun = Ledger::begin(&card.genesis)?;
    if begun.community != link.community {
        return Err(LedgerError::Genesis);
    }
    let relays = (begun.genesis.relays.first()).zip(link.relays.first());
    if relays.is_none_or(|(named, expected)| named.id != expected.id) {
        return Err(LedgerError::Authority);
    }
    let cert = open_cert(&card.cert, &begun.community)?;
    check(
        &cert.leaf,
        Purpose::Card,
        &signed.content,
        &signed.signature,
    )?;
    if card.invite != crate::community::invites::invite_id(&link.secret) {
        return Err(LedgerError::InviteUnknown);
    }
    let ended = refusal(card.ended());
    let devices = card.answering.len();
    let sound = name_is_sound(&card.name)
        && devices <= ANSWERING_MAX
        && (devices > 0) != ended.is_some()
        && card.answering.iter().all(|one| one.leaf.len() == 32);
    let terms = card.terms.filter(|_| sound).ok_or(malformed)?;
    Ok(Card {
        community: begun.genesis.name.clone(),
        suite: suite(&begun.genesis).ok_or(malformed)?,
        genesis: card.genesis,
        inviter: cert.persona,
        name: card.name,
        expires_ms: (terms.expires_ms > 0).then_some(terms.expires_ms),
        window: ledger::window(terms.window(), terms.days),
        role: ledger::newcomer(terms.role())?,
        answering: card.answering,
        ended,
    })
}

/// Whether a note may go with a request: not too long, no control characters but line breaks.
pub(crate) fn note_is_sound(note: &str) -> bool {
    note.len() <= NOTE_BYTES_MAX && !note.chars().any(|c| c.is_control() && c != '\n')
}

/// Who asks, and how they are answered.
pub(crate) struct Asker<'a> {
    pub(crate) community: Hash,
    pub(crate) invite: &'a Secret,
    /// This device's leaf, and what certifies it.
    pub(crate) leaf: &'a Secret,
    pub(crate) cert: &'a [u8],
    pub(crate) name: &'a str,
    pub(crate) note: &'a str,
    /// Secret of the lane in which the answer is looked for.
    pub(crate) answer: &'a Secret,
}

impl Asker<'_> {
    /// The request, or with `withdrawn` its end, sealed to everybody who may answer by the card.
    pub(crate) fn ask(&self, card: &Card, withdrawn: bool) -> Option<Vec<u8>> {
        let claim = ledger::make_claim(self.invite, &self.community, self.cert);
        let invite: Hash = claim.invite[..].try_into().ok()?;
        let key = self.leaf.derive(Label::Answer, &[]);
        let words = self.name.len() + self.note.len();
        let request = proto::Request {
            invite: invite.to_vec(),
            cert: self.cert.to_vec(),
            claim: Some(claim),
            name: self.name.to_owned(),
            note: self.note.to_owned(),
            key: hpke::public_key(card.suite, key.bytes()).ok()?,
            answer: self.answer.bytes().to_vec(),
            withdrawn,
            padding: vec![0; WORDS_BYTES.saturating_sub(words)],
        };
        let leaf = self.leaf.signing_key();
        let signed = sign(&leaf, Purpose::Request, request.encode_to_vec()).encode_to_vec();
        let seal = |device: &proto::DeviceKey| {
            let context = request_context(&self.community, &invite, &device.leaf);
            let sealed = hpke::seal(card.suite, Use::Request, &device.rescue, &context, &signed);
            // A device with a key of no sense has itself to blame.
            let sealed = sealed.ok()?;
            Some(proto::Rescue {
                leaf: device.leaf.clone(),
                encapsulation: sealed.encapsulation,
                sealed: sealed.content,
            })
        };
        let copies = card.answering.iter().filter_map(seal).collect();
        Some(proto::SealedRequest { copies }.encode_to_vec())
    }
}

fn request_context(community: &Hash, invite: &Hash, leaf: &[u8]) -> Vec<u8> {
    [&community[..], &invite[..], leaf].concat()
}

fn answer_context(community: &Hash, invite: &Hash, request: &Hash) -> Vec<u8> {
    [&community[..], &invite[..], &request[..]].concat()
}

/// A request that holds.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Hash of the asker's certificate.
    pub(crate) id: Hash,
    pub(crate) persona: Hash,
    pub(crate) leaf: Hash,
    pub(crate) name: String,
    pub(crate) note: String,
    key: Vec<u8>,
    pub(crate) answer: Secret,
    pub(crate) withdrawn: bool,
}

/// Opens what lies in a request lane, if it is sealed to the device with this leaf; what it says is not verified.
pub(crate) fn open_request(
    suite: Suite,
    community: &Hash,
    invite: &Hash,
    leaf: &Secret,
    bytes: &[u8],
) -> Option<Vec<u8>> {
    let sealed = proto::SealedRequest::decode(bytes).ok()?;
    let public = leaf.signing_key().verifying_key().to_bytes();
    let mine = sealed.copies.into_iter().find(|one| one.leaf == public)?;
    let context = request_context(community, invite, &public);
    let secret = leaf.derive(Label::Rescue, &[]);
    let sealed = hpke::Sealed {
        encapsulation: mine.encapsulation,
        content: mine.sealed,
    };
    let opened = hpke::open(suite, Use::Request, secret.bytes(), &context, &sealed).ok()?;
    Some(opened.to_vec())
}

impl Request {
    /// Verifies a request: signed by the device that asks, which is certified for this community, by somebody who holds the
    /// link of this invite.
    pub(crate) fn verify(
        community: &Hash,
        id: &Hash,
        invite: &Invite,
        bytes: &[u8],
    ) -> Result<Self, LedgerError> {
        let malformed = LedgerError::Malformed;
        let signed = proto::Signed::decode(bytes).map_err(|_| malformed)?;
        let request = proto::Request::decode(&signed.content[..]).map_err(|_| malformed)?;
        let cert = open_cert(&request.cert, community)?;
        let signature = &signed.signature;
        check(&cert.leaf, Purpose::Request, &signed.content, signature)?;
        if request.invite != *id {
            return Err(LedgerError::InviteUnknown);
        }
        let claim = request.claim.as_ref().ok_or(malformed)?;
        check_claim(community, id, &invite.key, &request.cert, claim)?;
        if !name_is_sound(&request.name) || !note_is_sound(&request.note) {
            return Err(malformed);
        }
        Ok(Self {
            id: hash(&request.cert),
            persona: cert.persona,
            leaf: cert.leaf,
            name: request.name,
            note: request.note,
            key: request.key,
            answer: Secret::from_slice(&request.answer).ok_or(malformed)?,
            withdrawn: request.withdrawn,
        })
    }

    /// Seals an answer to whoever asked.
    pub(crate) fn seal_answer(
        &self,
        suite: Suite,
        community: &Hash,
        invite: &Hash,
        answer: proto::answer::Body,
    ) -> Option<Vec<u8>> {
        let answer = proto::Answer { body: Some(answer) }.encode_to_vec();
        let context = answer_context(community, invite, &self.id);
        let sealed = hpke::seal(suite, Use::Answer, &self.key, &context, &answer).ok()?;
        let sealed = proto::SealedAnswer {
            encapsulation: sealed.encapsulation,
            sealed: sealed.content,
        };
        Some(sealed.encode_to_vec())
    }
}

/// What somebody who asked is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A `JoinBundle`, to be verified as any.
    Bundle(Vec<u8>),
    Refusal(Refusal),
}

/// Opens an answer to the device with this leaf.
pub(crate) fn open_answer(
    suite: Suite,
    community: &Hash,
    invite: &Hash,
    request: &Hash,
    leaf: &Secret,
    bytes: &[u8],
) -> Option<Answer> {
    let sealed = proto::SealedAnswer::decode(bytes).ok()?;
    let sealed = hpke::Sealed {
        encapsulation: sealed.encapsulation,
        content: sealed.sealed,
    };
    let context = answer_context(community, invite, request);
    let secret = leaf.derive(Label::Answer, &[]);
    let opened = hpke::open(suite, Use::Answer, secret.bytes(), &context, &sealed).ok()?;
    match proto::Answer::decode(&opened[..]).ok()?.body? {
        proto::answer::Body::Bundle(bundle) => Some(Answer::Bundle(bundle)),
        proto::answer::Body::Refusal(number) => {
            let told = proto::Refusal::try_from(number).ok()?;
            refusal(told).map(Answer::Refusal)
        }
    }
}

/// A refusal as it is written down.
pub(crate) fn refusal_number(refusal: Refusal) -> i32 {
    match refusal {
        Refusal::Declined => proto::Refusal::Declined,
        Refusal::UsedUp => proto::Refusal::UsedUp,
        Refusal::Expired => proto::Refusal::Expired,
        Refusal::Withdrawn => proto::Refusal::Withdrawn,
    }
    .into()
}

fn refusal(refusal: proto::Refusal) -> Option<Refusal> {
    match refusal {
        proto::Refusal::Unspecified => None,
        proto::Refusal::Declined => Some(Refusal::Declined),
        proto::Refusal::UsedUp => Some(Refusal::UsedUp),
        proto::Refusal::Expired => Some(Refusal::Expired),
        proto::Refusal::Withdrawn => Some(Refusal::Withdrawn),
    }
}

/// Why nobody comes in by an invite any more, from the ledger's word for it.
pub(crate) fn ended(error: LedgerError) -> Refusal {
    match error {
        LedgerError::InviteUsedUp => Refusal::UsedUp,
        LedgerError::InviteExpired => Refusal::Expired,
        _ => Refusal::Withdrawn,
    }
}

#[cfg(test)]
mod tests;

//! What a stranger who holds a private link says, and what somebody who asks is told.

use super::ledger::{Person, started};
use crate::community::generation::rescue_key;
use crate::community::invites::{invite_id, invite_key};
use crate::keys::Secret;
use crate::ledger::{Invite, LedgerError, Private, Purpose, make_claim, sign};
use crate::link::{Link, RelayRef};
use crate::mls::Suite;
use crate::proto;
use crate::request::{
    ANSWERING_MAX, Answer, Request, make_card, note_is_sound, open_answer, open_card, open_request,
};
use prost::Message;
use std::collections::BTreeMap;
use ume_api::{HistoryWindow, InviteKind, Role};
use ume_wire::auth::{Hash, hash};

const SUITE: Suite = Suite::Classic;

struct Scene {
    link: Link,
    genesis: Vec<u8>,
    id: Hash,
    maker: Person,
    asker: Person,
}

fn scene() -> Scene {
    let (ledger, [maker, asker, ..]) = started();
    let secret = Secret::new([5; 32]);
    Scene {
        id: invite_id(&secret),
        genesis: ledger.genesis_bytes().to_vec(),
        link: Link {
            kind: InviteKind::Private,
            secret,
            community: ledger.community,
            ledger_min: 0,
            relays: vec![RelayRef {
                address: "https://relay.example".into(),
                id: [0; 32],
            }],
        },
        maker,
        asker,
    }
}

/// The seed of a person's leaf key.
fn seed(person: &Person) -> Secret {
    Secret::new(person.leaf().to_bytes())
}

/// A card, raw and as its maker's device might sign it, whatever it says. What is missing is put right.
pub fn card(bytes: &[u8]) {
    let scene = scene();
    let _ = open_card(&scene.link, bytes);
    let Ok(mut card) = proto::InviteCard::decode(bytes) else {
        return;
    };
    if card.genesis.is_empty() {
        card.genesis.clone_from(&scene.genesis);
    }
    if card.cert.is_empty() {
        card.cert = scene.maker.cert(&scene.link.community);
    }
    if card.invite.is_empty() {
        card.invite = scene.id.to_vec();
    }
    for device in &mut card.answering {
        device.leaf.resize(32, 0);
    }
    let devices = card.answering.len();
    let Ok(opened) = open_card(&scene.link, &make_card(scene.maker.leaf(), &card)) else {
        return;
    };
    assert_eq!(opened.inviter, scene.maker.persona());
    assert!(devices <= ANSWERING_MAX && (devices == 0) == opened.ended.is_some());
    let forged = make_card(scene.asker.leaf(), &card);
    assert!(
        open_card(&scene.link, &forged).is_err(),
        "by another device"
    );
}

/// A request, raw, sealed and as the asker's device might sign it, whatever it says. What is missing is put right.
pub fn request(bytes: &[u8]) {
    let Scene {
        link,
        id,
        maker,
        asker,
        ..
    } = scene();
    let community = &link.community;
    let _ = open_request(SUITE, community, &id, &seed(&maker), bytes);
    assert!(verify(&link, &id, bytes).is_err());
    let Ok(mut request) = proto::Request::decode(bytes) else {
        return;
    };
    if request.invite.is_empty() {
        request.invite = id.to_vec();
    }
    if request.cert.is_empty() {
        request.cert = asker.cert(community);
    }
    if request.claim.is_none() {
        request.claim = Some(make_claim(&link.secret, community, &request.cert));
    }
    let by = |person: &Person| {
        let signed = sign(person.leaf(), Purpose::Request, request.encode_to_vec());
        verify(&link, &id, &signed.encode_to_vec())
    };
    let Ok(verified) = by(&asker) else {
        return;
    };
    assert_eq!(verified.persona, asker.persona());
    assert_eq!(verified.id, hash(&request.cert));
    assert!(note_is_sound(&verified.note));
    assert!(by(&maker).is_err(), "by another device");
}

fn verify(link: &Link, id: &Hash, bytes: &[u8]) -> Result<Request, LedgerError> {
    let invite = Invite {
        key: invite_key(&link.secret),
        expires_ms: None,
        max_uses: Some(1),
        uses: 0,
        window: HistoryWindow::All,
        role: Role::Member,
        issuer: [0; 32],
        revoked: false,
        banned: false,
        point: 2,
        private: Some(Private {
            requests: Secret::new([8; 32]),
            writer: [0; 32],
            first_day: 0,
            answers: BTreeMap::new(),
        }),
    };
    Request::verify(&link.community, id, &invite, bytes)
}

/// An answer, raw and sealed by whoever may answer: it opens as it was sealed, and as nothing else.
pub fn answer(bytes: &[u8]) {
    let Scene {
        link, id, asker, ..
    } = scene();
    let community = &link.community;
    let cert = asker.cert(community);
    let (request, leaf) = (hash(&cert), seed(&asker));
    let open = |bytes: &[u8]| open_answer(SUITE, community, &id, &request, &leaf, bytes);
    assert_eq!(open(bytes), None);
    let asked = proto::Request {
        invite: id.to_vec(),
        claim: Some(make_claim(&link.secret, community, &cert)),
        cert,
        name: "Bert".into(),
        key: answer_key(&leaf),
        answer: vec![6; 32],
        ..proto::Request::default()
    };
    let signed = sign(asker.leaf(), Purpose::Request, asked.encode_to_vec());
    let verified = verify(&link, &id, &signed.encode_to_vec());
    assert!(verified.is_ok(), "the request is sound");
    let Ok(verified) = verified else { return };
    let said = proto::Answer::decode(bytes).ok().and_then(|one| one.body);
    let said = said.unwrap_or_else(|| proto::answer::Body::Bundle(bytes.to_vec()));
    let Some(sealed) = verified.seal_answer(SUITE, community, &id, said.clone()) else {
        return;
    };
    match (open(&sealed), said) {
        (Some(Answer::Bundle(opened)), proto::answer::Body::Bundle(said)) => {
            assert_eq!(opened, said);
        }
        (Some(Answer::Refusal(_)), proto::answer::Body::Refusal(_)) => {}
        (None, proto::answer::Body::Refusal(number)) => assert!(!(1..=4).contains(&number)),
        (opened, said) => assert!(opened.is_none() && said.encoded_len() == 0, "changed"),
    }
    let mut changed = sealed;
    if let Some(last) = changed.last_mut() {
        *last ^= 1;
    }
    assert_eq!(open(&changed), None);
}

fn answer_key(leaf: &Secret) -> Vec<u8> {
    let secret = leaf.derive(crate::keys::Label::Answer, &[]);
    crate::mls::hpke::public_key(SUITE, secret.bytes()).unwrap_or_default()
}

/// One of each thing that an honest device says, for the first seeds: target, name, content.
pub fn asking_seeds() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let scene = scene();
    let card = proto::InviteCard {
        name: "Anna".into(),
        terms: Some(proto::InviteTerms {
            expires_ms: 9,
            window: 1,
            days: 30,
            role: proto::Role::Member.into(),
        }),
        answering: vec![proto::DeviceKey {
            leaf: scene.maker.public().to_vec(),
            rescue: rescue_key(&seed(&scene.maker), SUITE),
        }],
        ..proto::InviteCard::default()
    };
    let ended = proto::InviteCard {
        answering: vec![],
        ended: proto::Refusal::UsedUp.into(),
        ..card.clone()
    };
    let request = proto::Request {
        name: "Bert".into(),
        note: "It is me.".into(),
        key: answer_key(&seed(&scene.asker)),
        answer: vec![6; 32],
        padding: vec![0; 20],
        ..proto::Request::default()
    };
    let withdrawn = proto::Request {
        withdrawn: true,
        ..request.clone()
    };
    let refusal = proto::Answer {
        body: Some(proto::answer::Body::Refusal(2)),
    };
    let bundle = proto::Answer {
        body: Some(proto::answer::Body::Bundle(vec![1, 2, 3])),
    };
    let sealed = proto::SealedAnswer {
        encapsulation: vec![1; 32],
        sealed: vec![2; 40],
    };
    vec![
        ("card", "open", card.encode_to_vec()),
        ("card", "ended", ended.encode_to_vec()),
        ("request", "request", request.encode_to_vec()),
        ("request", "withdrawn", withdrawn.encode_to_vec()),
        ("answer", "refusal", refusal.encode_to_vec()),
        ("answer", "bundle", bundle.encode_to_vec()),
        ("answer", "sealed", sealed.encode_to_vec()),
    ]
}

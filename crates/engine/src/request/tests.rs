use super::*;
use crate::community::generation::rescue_key;
use crate::community::invites::{invite_id, invite_key};
use crate::ledger::Private;
use crate::link::RelayRef;
use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use std::collections::BTreeMap;
use ume_api::InviteKind;

const SUITE: Suite = Suite::Classic;

fn genesis() -> proto::Genesis {
    proto::Genesis {
        salt: vec![9; 32],
        name: "Orchard".into(),
        owner: persona(1).verifying_key().to_bytes().to_vec(),
        suite: SUITE.number().into(),
        relays: vec![proto::Relay {
            address: "https://r".into(),
            id: vec![4; 32],
        }],
        quorum: 1,
        created_ms: 5,
    }
}

fn persona(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn leaf(n: u8) -> Secret {
    Secret::new([n + 100; 32])
}

fn public(leaf: &Secret) -> Hash {
    leaf.signing_key().verifying_key().to_bytes()
}

fn community() -> Hash {
    hash(&genesis().encode_to_vec())
}

fn cert(n: u8) -> Vec<u8> {
    ledger::make_cert(&persona(n), &community(), &public(&leaf(n)), 1)
}

fn link() -> Link {
    Link {
        kind: InviteKind::Private,
        secret: Secret::new([5; 32]),
        community: community(),
        ledger_min: 1,
        relays: vec![RelayRef {
            address: "https://r".into(),
            id: [4; 32],
        }],
    }
}

fn card() -> proto::InviteCard {
    proto::InviteCard {
        genesis: genesis().encode_to_vec(),
        cert: cert(1),
        name: "Anna".into(),
        terms: Some(proto::InviteTerms {
            expires_ms: 100,
            window: 1,
            days: 30,
            role: proto::Role::Member.into(),
        }),
        answering: vec![proto::DeviceKey {
            leaf: public(&leaf(1)).to_vec(),
            rescue: rescue_key(&leaf(1), SUITE),
        }],
        ended: 0,
        invite: invite_id(&link().secret).to_vec(),
    }
}

fn made(card: &proto::InviteCard) -> Vec<u8> {
    make_card(&leaf(1).signing_key(), card)
}

fn invite() -> Invite {
    let secret = link().secret;
    Invite {
        key: invite_key(&secret),
        expires_ms: None,
        max_uses: Some(1),
        uses: 0,
        window: HistoryWindow::All,
        role: Role::Member,
        issuer: persona(1).verifying_key().to_bytes(),
        revoked: false,
        banned: false,
        point: 2,
        private: Some(Private {
            requests: Secret::new([8; 32]),
            writer: [0; 32],
            first_day: 0,
            answers: BTreeMap::new(),
        }),
    }
}

fn asked(secret: &Secret, note: &str, withdrawn: bool) -> Vec<u8> {
    let card = open_card(&link(), &made(&card())).unwrap();
    let (leaf, cert, answer) = (leaf(2), cert(2), Secret::new([6; 32]));
    let asker = Asker {
        community: community(),
        invite: secret,
        leaf: &leaf,
        cert: &cert,
        name: "Bert",
        note,
        answer: &answer,
    };
    asker.ask(&card, withdrawn).unwrap()
}

fn opened(secret: &Secret, note: &str) -> Vec<u8> {
    let id = invite_id(secret);
    let sealed = asked(secret, note, false);
    open_request(SUITE, &community(), &id, &leaf(1), &sealed).unwrap()
}

fn verified(bytes: &[u8]) -> Result<Request, LedgerError> {
    let id = invite_id(&link().secret);
    Request::verify(&community(), &id, &invite(), bytes)
}

#[test]
fn a_card_says_who_invites_and_how_to_ask() {
    let opened = open_card(&link(), &made(&card())).unwrap();
    assert_eq!(
        (&opened.community[..], &opened.name[..]),
        ("Orchard", "Anna")
    );
    assert_eq!(opened.inviter, persona(1).verifying_key().to_bytes());
    assert_eq!(opened.window, HistoryWindow::Days(30));
    assert_eq!((opened.expires_ms, opened.ended), (Some(100), None));
}

#[test]
fn a_forged_card_is_refused() {
    let refused = |link: &Link, bytes: &[u8]| open_card(link, bytes).err();
    // Signed by somebody else than the device that it names.
    let by_another = make_card(&leaf(2).signing_key(), &card());
    assert_eq!(refused(&link(), &by_another), Some(LedgerError::Signature));
    // Of another invite, or another community, or on another relay.
    let other = Link {
        secret: Secret::new([7; 32]),
        ..link()
    };
    assert_eq!(
        refused(&other, &made(&card())),
        Some(LedgerError::InviteUnknown)
    );
    let other = Link {
        community: [0; 32],
        ..link()
    };
    assert_eq!(refused(&other, &made(&card())), Some(LedgerError::Genesis));
    let mut other = link();
    other.relays[0].id = [0; 32];
    assert_eq!(
        refused(&other, &made(&card())),
        Some(LedgerError::Authority)
    );
    // Of no sense.
    let changes: [fn(&mut proto::InviteCard); 5] = [
        |card| card.name = String::new(),
        |card| card.answering.clear(),
        |card| card.ended = 2,
        |card| card.terms = None,
        |card| card.answering = vec![card.answering[0].clone(); ANSWERING_MAX + 1],
    ];
    for change in changes {
        let mut card = card();
        change(&mut card);
        let malformed = Some(LedgerError::Malformed);
        assert_eq!(refused(&link(), &made(&card)), malformed);
    }
}

#[test]
fn a_request_opens_for_those_who_may_answer_only() {
    let secret = link().secret;
    let id = invite_id(&secret);
    let sealed = asked(&secret, "It is me.", false);
    let open = |leaf: &Secret, id| open_request(SUITE, &community(), id, leaf, &sealed);
    let request = verified(&open(&leaf(1), &id).unwrap()).unwrap();
    assert_eq!(
        (&request.name[..], &request.note[..]),
        ("Bert", "It is me.")
    );
    assert_eq!(request.id, hash(&cert(2)));
    assert!(!request.withdrawn);
    assert!(open(&leaf(3), &id).is_none(), "not sealed to this one");
    assert!(open(&leaf(1), &[0; 32]).is_none(), "of another invite");
}

#[test]
fn a_forged_request_is_refused_by_name() {
    let secret = link().secret;
    // By a link of another invite.
    let other = opened(&Secret::new([7; 32]), "");
    assert_eq!(verified(&other).err(), Some(LedgerError::InviteUnknown));
    let sound = proto::Signed::decode(&opened(&secret, "")[..]).unwrap();
    let content = || proto::Request::decode(&sound.content[..]).unwrap();
    let by = |n: u8, request: proto::Request| {
        let key = leaf(n).signing_key();
        let signed = sign(&key, Purpose::Request, request.encode_to_vec());
        verified(&signed.encode_to_vec()).err()
    };
    assert_eq!(by(2, content()), None);
    assert_eq!(by(3, content()), Some(LedgerError::Signature));
    // Somebody else's claim, for whom it was not made.
    let mut stolen = content();
    stolen.cert = cert(3);
    assert_eq!(by(3, stolen), Some(LedgerError::Signature));
    let mut unclaimed = content();
    unclaimed.claim = None;
    assert_eq!(by(2, unclaimed), Some(LedgerError::Malformed));
    let mut long = content();
    long.note = "x".repeat(NOTE_BYTES_MAX + 1);
    assert_eq!(by(2, long), Some(LedgerError::Malformed));
    let mut nameless = content();
    nameless.name = " ".into();
    assert_eq!(by(2, nameless), Some(LedgerError::Malformed));
}

#[test]
fn how_long_a_note_is_does_not_show() {
    let secret = link().secret;
    let lengths =
        ["", "short", &"x".repeat(NOTE_BYTES_MAX)].map(|note| asked(&secret, note, false).len());
    assert!(lengths.iter().max().unwrap() - lengths.iter().min().unwrap() <= 8);
    let cells = lengths.map(|length| length.div_ceil(ume_wire::limits::FRAGMENT_BYTES));
    assert_eq!(cells, [cells[0]; 3]);
}

#[test]
fn an_answer_opens_for_who_asked_only() {
    let request = verified(&opened(&link().secret, "")).unwrap();
    let (community, id) = (community(), invite_id(&link().secret));
    let seal = |body| request.seal_answer(SUITE, &community, &id, body).unwrap();
    let open = |n: u8, request: &Hash, bytes: &[u8]| {
        open_answer(SUITE, &community, &id, request, &leaf(n), bytes)
    };
    let yes = seal(proto::answer::Body::Bundle(vec![1, 2, 3]));
    let bundle = Some(Answer::Bundle(vec![1, 2, 3]));
    assert_eq!(open(2, &request.id, &yes), bundle);
    assert_eq!(open(3, &request.id, &yes), None);
    assert_eq!(open(2, &[0; 32], &yes), None);
    for refusal in [
        Refusal::Declined,
        Refusal::UsedUp,
        Refusal::Expired,
        Refusal::Withdrawn,
    ] {
        let no = seal(proto::answer::Body::Refusal(refusal_number(refusal)));
        assert_eq!(open(2, &request.id, &no), Some(Answer::Refusal(refusal)));
    }
    let nothing = seal(proto::answer::Body::Refusal(99));
    assert_eq!(open(2, &request.id, &nothing), None);
}

proptest! {
    #[test]
    fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let id = invite_id(&link().secret);
        let _ = open_card(&link(), &bytes);
        let _ = open_request(SUITE, &community(), &id, &leaf(1), &bytes);
        let _ = verified(&bytes);
        let _ = open_answer(SUITE, &community(), &id, &id, &leaf(2), &bytes);
    }

    #[test]
    fn any_change_to_a_card_is_refused(at in any::<usize>(), bit in 0u8..8) {
        let mut bytes = made(&card());
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        prop_assert!(open_card(&link(), &bytes).is_err());
    }
}

use super::*;
use crate::community::invites::invite_id;
use crate::community::{NewDevice, Newcomer, News};
use crate::io::Batch;
use crate::keys::{Label, Secret, request_writer};
use crate::ledger::{make_statement, role_number};
use crate::link::{Link, RelayRef};
use crate::request::{Asker, open_card};
use proto::statement::Body as Statement;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use ume_api::{InviteKind, Role};

/// An owner's device that is not connected, and the secret of a private invite of theirs.
struct Play {
    community: Community,
    rng: ChaCha20Rng,
    invite: Secret,
}

fn with<R>(rng: &mut ChaCha20Rng, act: impl FnOnce(&mut Ctx<'_>) -> R) -> R {
    act(&mut Ctx {
        now: Millis(5),
        time: Millis(5),
        rng,
        batch: &mut Batch::default(),
        asks: vec![],
        news: News::default(),
        up: false,
        relay_key: None,
    })
}

fn play() -> Play {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let relay = RelayRef {
        address: "https://r".into(),
        id: [0; 32],
    };
    let who = Newcomer {
        number: 1,
        relay,
        name: "Plum".into(),
        access: None,
    };
    let root = Secret::new([2; 32]);
    let found = |ctx: &mut Ctx<'_>| Community::found(ctx, &root, &who, "Orchard".into());
    let mut community = with(&mut rng, found).unwrap();
    let invite = Secret::new([3; 32]);
    let create = proto::InviteCreate {
        key: crate::community::invites::invite_key(&invite).to_vec(),
        max_uses: 1,
        role: role_number(Role::Member),
        kind: proto::InviteKind::Private.into(),
        requests: invite.derive(Label::Requests, &[]).bytes().to_vec(),
        requests_writer: request_writer(&invite).verifying_key().to_bytes().to_vec(),
        ..proto::InviteCreate::default()
    };
    let leaf = community.saved.leaf.signing_key();
    let ledger = &mut community.chain.ledger;
    let statement = make_statement(&leaf, &ledger.head(), Statement::InviteCreate(create));
    ledger.apply(&statement, 0).unwrap();
    community.follow_requests(Millis(5));
    Play {
        community,
        rng,
        invite,
    }
}

impl Play {
    /// What somebody puts into the lane who holds the link of `invite`.
    fn asked(&mut self, invite: &Secret, name: &str, withdrawn: bool) -> (Hash, Vec<u8>) {
        let id = invite_id(&self.invite);
        let ledger = &self.community.chain.ledger;
        let link = Link {
            kind: InviteKind::Private,
            secret: self.invite.clone(),
            community: ledger.community,
            ledger_min: 0,
            relays: vec![self.community.saved.relay.clone()],
        };
        let card = self.community.card(&id, &ledger.invites[&id], 5);
        let card = open_card(&link, &card).unwrap();
        let (salt, community) = (ledger.genesis.salt.clone(), ledger.community);
        let device = with(&mut self.rng, |ctx| {
            NewDevice::unseen(ctx, &Secret::new([9; 32]), &salt, &community)
        });
        let answer = Secret::new([6; 32]);
        let asker = Asker {
            community,
            invite,
            leaf: &device.leaf,
            cert: &device.cert,
            name,
            note: "",
            answer: &answer,
        };
        let id = ume_wire::auth::hash(&device.cert);
        (id, asker.ask(&card, withdrawn).unwrap())
    }

    fn takes(&mut self, bytes: &[u8]) -> Vec<(Hash, Hash)> {
        let id = invite_id(&self.invite);
        self.community.take_request(&id, bytes);
        self.community.unanswered(Millis(5))
    }

    fn rejected(&self) -> Vec<Rejected> {
        self.community.rejected.keys().copied().collect()
    }
}

#[test]
fn a_request_is_taken_once_and_a_forged_one_is_rejected_by_name() {
    let mut play = play();
    let (id, invite) = (invite_id(&play.invite), play.invite.clone());
    let (request, sound) = play.asked(&invite, "Bert", false);
    assert_eq!(play.takes(&sound), [(id, request)]);
    assert_eq!(play.takes(&sound), [(id, request)], "again");
    assert!(play.rejected().is_empty());
    // A name of no sense.
    let (_, forged) = play.asked(&invite, "", false);
    assert_eq!(play.takes(&forged).len(), 1);
    assert_eq!(play.rejected(), [Rejected::Request(LedgerError::Malformed)]);
    // What is not sealed to this device is for others.
    assert_eq!(play.takes(b"nothing").len(), 1);
    assert_eq!(play.rejected().len(), 1);
}

#[test]
fn a_link_can_ask_so_often_only() {
    let mut play = play();
    let invite = play.invite.clone();
    for n in 0..=REQUESTS_MAX {
        let (_, asked) = play.asked(&invite, &format!("Bert {n}"), false);
        let waiting = play.takes(&asked).len();
        assert_eq!(waiting, (n + 1).min(REQUESTS_MAX));
    }
}

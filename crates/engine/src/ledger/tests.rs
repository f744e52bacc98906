use super::*;
use crate::keys::{Label, Secret};
use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use proto::statement::Body;

pub(super) struct Someone {
    pub(super) leaf: SigningKey,
    cert: Vec<u8>,
}

impl Someone {
    pub(super) fn persona(&self) -> Hash {
        let cert = proto::Signed::decode(&self.cert[..]).unwrap();
        let cert = proto::DeviceCert::decode(&cert.content[..]).unwrap();
        key(&cert.persona).unwrap()
    }

    pub(super) fn cert(&self) -> &[u8] {
        &self.cert
    }

    /// A statement of this device for the next place.
    pub(super) fn says(&self, ledger: &Ledger, body: Body) -> Vec<u8> {
        make_statement(&self.leaf, &ledger.head(), body)
    }

    pub(super) fn new(n: u8, community: &Hash) -> Self {
        let persona = SigningKey::from_bytes(&[n; 32]);
        let leaf = SigningKey::from_bytes(&[n + 100; 32]);
        let cert = make_cert(&persona, community, leaf.verifying_key().as_bytes(), 1);
        Self { leaf, cert }
    }

    /// The same person with another device.
    pub(super) fn with_another_device(&self, community: &Hash, n: u8) -> Self {
        let cert = proto::Signed::decode(&self.cert[..]).unwrap();
        let cert = proto::DeviceCert::decode(&cert.content[..]).unwrap();
        let persona = (1..100)
            .map(|n| SigningKey::from_bytes(&[n; 32]))
            .find(|key| key.verifying_key().as_bytes()[..] == cert.persona[..])
            .unwrap();
        let leaf = SigningKey::from_bytes(&[n + 100; 32]);
        let cert = make_cert(&persona, community, leaf.verifying_key().as_bytes(), 2);
        Self { leaf, cert }
    }

    pub(super) fn admit(&self, ledger: &Ledger, claim: Option<proto::JoinClaim>) -> Vec<u8> {
        let admit = proto::Admit {
            cert: self.cert.clone(),
            name: "Plum".into(),
            claim,
            rescue: vec![1],
        };
        make_statement(&self.leaf, &ledger.head(), Body::Admit(admit))
    }
}

fn genesis() -> Vec<u8> {
    let owner = SigningKey::from_bytes(&[1; 32])
        .verifying_key()
        .to_bytes()
        .to_vec();
    let relays = vec![proto::Relay {
        address: "https://r".into(),
        id: vec![0; 32],
    }];
    let salt = vec![9; 32];
    proto::Genesis {
        salt,
        name: "Orchard".into(),
        owner,
        suite: 1,
        relays,
        quorum: 1,
        created_ms: 5,
    }
    .encode_to_vec()
}

pub(super) fn invite(secret: &Secret, max_uses: u32, expires_ms: u64) -> Body {
    let key = secret
        .derive(Label::InviteKey, &[])
        .signing_key()
        .verifying_key()
        .to_bytes()
        .to_vec();
    Body::InviteCreate(proto::InviteCreate {
        key,
        expires_ms,
        max_uses,
        window: 2,
        days: 0,
        role: proto::Role::Member.into(),
        ..proto::InviteCreate::default()
    })
}

pub(super) fn started() -> (Ledger, Someone) {
    let mut ledger = Ledger::begin(&genesis()).unwrap();
    let owner = Someone::new(1, &ledger.community);
    ledger.apply(&owner.admit(&ledger, None), 0).unwrap();
    (ledger, owner)
}

#[test]
fn an_invite_lets_in_as_many_as_it_says_and_until_it_says() {
    let (mut ledger, owner) = started();
    let secret = Secret::new([5; 32]);
    ledger
        .apply(
            &make_statement(&owner.leaf, &ledger.head(), invite(&secret, 1, 100)),
            0,
        )
        .unwrap();
    let community = ledger.community;
    let claim = |one: &Someone| Some(make_claim(&secret, &community, &one.cert));
    let (second, third) = (Someone::new(2, &community), Someone::new(3, &community));
    assert_eq!(
        ledger
            .clone()
            .apply(&second.admit(&ledger, claim(&second)), 101),
        Err(LedgerError::InviteExpired)
    );
    ledger
        .apply(&second.admit(&ledger, claim(&second)), 100)
        .unwrap();
    assert_eq!(
        ledger.apply(&third.admit(&ledger, claim(&third)), 100),
        Err(LedgerError::InviteUsedUp)
    );
    let again = Ledger::replay(&community, ledger.genesis_bytes(), ledger.statements()).unwrap();
    assert_eq!(again.head(), ledger.head());
    assert_eq!(again.members.len(), 2);
}

#[test]
fn nobody_comes_in_or_invites_without_authority() {
    let (mut ledger, owner) = started();
    let community = ledger.community;
    let (second, third) = (Someone::new(2, &community), Someone::new(3, &community));
    assert_eq!(
        ledger.apply(&second.admit(&ledger, None), 0),
        Err(LedgerError::Authority)
    );
    assert_eq!(
        ledger.apply(&owner.admit(&ledger, None), 0),
        Err(LedgerError::Repeated)
    );
    let secret = Secret::new([5; 32]);
    let claim = Some(make_claim(&secret, &community, &second.cert));
    assert_eq!(
        ledger.apply(&second.admit(&ledger, claim.clone()), 0),
        Err(LedgerError::InviteUnknown)
    );
    ledger
        .apply(
            &make_statement(&owner.leaf, &ledger.head(), invite(&secret, 0, 0)),
            0,
        )
        .unwrap();
    // A claim is worth nothing to anybody else.
    assert_eq!(
        ledger.apply(&third.admit(&ledger, claim.clone()), 0),
        Err(LedgerError::Signature)
    );
    ledger.apply(&second.admit(&ledger, claim), 0).unwrap();
    let other = invite(&Secret::new([6; 32]), 0, 0);
    assert_eq!(
        ledger.apply(
            &make_statement(&second.leaf, &ledger.head(), other.clone()),
            0
        ),
        Err(LedgerError::Authority)
    );
    assert_eq!(
        ledger.apply(&make_statement(&third.leaf, &ledger.head(), other), 0),
        Err(LedgerError::Authority)
    );
}

#[test]
fn another_communitys_ledger_is_refused() {
    let (ledger, _) = started();
    let result = Ledger::replay(&[0; 32], ledger.genesis_bytes(), ledger.statements());
    assert_eq!(result.err(), Some(LedgerError::Genesis));
}

proptest! {
    #[test]
    fn any_change_to_a_statement_is_refused(at in 0usize..300, bit in 0u8..8) {
        let mut ledger = Ledger::begin(&genesis()).unwrap();
        let mut statement = Someone::new(1, &ledger.community).admit(&ledger, None);
        let at = at % statement.len();
        statement[at] ^= 1 << bit;
        prop_assert!(ledger.apply(&statement, 0).is_err());
        prop_assert_eq!(ledger.len(), 0);
    }

    #[test]
    fn applying_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let (mut ledger, _) = started();
        let _ = ledger.apply(&bytes, 0);
        let _ = Ledger::begin(&bytes);
        let _ = open_cert(&bytes, &[0; 32]);
    }
}

#[test]
fn a_statement_holds_in_one_place_only() {
    let (mut ledger, owner) = started();
    let secret = Secret::new([5; 32]);
    let early = owner.says(&ledger, invite(&secret, 0, 0));
    let other = owner.says(&ledger, invite(&Secret::new([6; 32]), 0, 0));
    ledger.apply(&other, 0).unwrap();
    assert_eq!(ledger.apply(&early, 0), Err(LedgerError::Place));
    assert_eq!(ledger.apply(&other, 0), Err(LedgerError::Place));
}

#[test]
fn a_thousand_people_come_in_and_nobody_more_until_somebody_goes() {
    let (mut ledger, owner) = started();
    let secret = Secret::new([5; 32]);
    let made = owner.says(&ledger, invite(&secret, 0, 0));
    ledger.apply(&made, 0).unwrap();
    let community = ledger.community;
    let somebody = |number: u16| {
        let mut seed = [7; 32];
        seed[..2].copy_from_slice(&number.to_le_bytes());
        let persona = SigningKey::from_bytes(&seed);
        seed[31] = 8;
        let leaf = SigningKey::from_bytes(&seed);
        let cert = make_cert(&persona, &community, leaf.verifying_key().as_bytes(), 1);
        Someone { leaf, cert }
    };
    let admit = |ledger: &Ledger, one: &Someone| {
        let claim = make_claim(&secret, &community, &one.cert);
        one.admit(ledger, Some(claim))
    };
    for number in 1..1_000 {
        assert_eq!(ledger.has_room(), Ok(()));
        let statement = admit(&ledger, &somebody(number));
        ledger.apply(&statement, 0).unwrap();
    }
    assert_eq!(ledger.members.len(), 1_000);
    let late = somebody(1_000);
    let refused = ledger.clone().apply(&admit(&ledger, &late), 0);
    assert_eq!(refused, Err(LedgerError::Full));
    // What is read from the store comes to the same; its signatures were checked before.
    let stored = Ledger::stored(ledger.genesis_bytes(), ledger.statements()).unwrap();
    assert_eq!(stored.head(), ledger.head());
    assert_eq!(stored.has_room(), Err(LedgerError::Full));
    let leave = Body::Leave(proto::Leave::default());
    let leave = somebody(7).says(&ledger, leave);
    ledger.apply(&leave, 0).unwrap();
    ledger.apply(&admit(&ledger, &late), 0).unwrap();
}

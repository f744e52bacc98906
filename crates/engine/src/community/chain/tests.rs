use super::*;
use crate::keys::Secret;
use crate::ledger::{make_cert, make_claim, make_statement};
use crate::mls::Member;
use ed25519_dalek::SigningKey;
use proto::statement::Body;

struct Device {
    leaf: SigningKey,
    cert: Vec<u8>,
}

impl Device {
    fn new(n: u8, community: &Hash) -> Self {
        let persona = SigningKey::from_bytes(&[n; 32]);
        let leaf = SigningKey::from_bytes(&[n + 100; 32]);
        let cert = make_cert(&persona, community, leaf.verifying_key().as_bytes(), 1);
        Self { leaf, cert }
    }

    fn member(&self) -> Member {
        Member {
            index: 0,
            identity: self.cert.clone(),
            leaf_key: self.leaf.verifying_key().to_bytes(),
        }
    }

    fn admit(&self, claim: Option<proto::JoinClaim>) -> Vec<u8> {
        let admit = proto::Admit {
            cert: self.cert.clone(),
            name: "Plum".into(),
            claim,
        };
        make_statement(&self.leaf, Body::Admit(admit))
    }
}

/// A community with its owner and one invite that never ends.
fn chain() -> (Chain, Device, Secret) {
    let owner = SigningKey::from_bytes(&[1; 32]).verifying_key();
    let genesis = proto::Genesis {
        salt: vec![9; 32],
        name: "Orchard".into(),
        owner: owner.to_bytes().to_vec(),
        suite: 1,
        relays: vec![proto::Relay {
            address: "https://r".into(),
            id: vec![0; 32],
        }],
        quorum: 1,
        created_ms: 5,
    };
    let mut ledger = Ledger::begin(&genesis.encode_to_vec()).unwrap();
    let owner = Device::new(1, &ledger.community);
    ledger.apply(&owner.admit(None), 0).unwrap();
    let secret = Secret::new([5; 32]);
    let invite = proto::InviteCreate {
        key: crate::community::invites::invite_key(&secret).to_vec(),
        expires_ms: 0,
        max_uses: 0,
        window: 2,
        days: 0,
    };
    ledger
        .apply(&make_statement(&owner.leaf, Body::InviteCreate(invite)), 0)
        .unwrap();
    let keys = CommitKeys {
        id: [1; 32],
        reader: Secret::new([2; 32]),
        joiner: Secret::new([3; 32]),
        seal: Secret::new([4; 32]),
        member_key: [6; 32],
        member: None,
    };
    let chain = Chain {
        ledger,
        generation: 1,
        keys,
        slot: 3,
        record: [7; 32],
        time_ms: 1000,
    };
    (chain, owner, secret)
}

/// What the others see of a commit that carries some statements.
fn facts(
    chain: &Chain,
    statements: &[Vec<u8>],
    committer: Committer,
) -> (Vec<u8>, proto::Record, CommitFacts) {
    let proposal = chain.propose(statements.to_vec(), 2000).unwrap();
    let aad = proposal.aad.clone();
    let bytes = chain.record(proposal, vec![], vec![], None);
    let record = chain.read(&bytes).unwrap();
    let facts = CommitFacts {
        epoch: 0,
        aad,
        committer,
        added: vec![],
        removed: vec![],
    };
    (bytes, record, facts)
}

#[test]
fn a_member_renews_and_a_newcomer_comes_in() {
    let (mut chain, owner, secret) = chain();
    let (bytes, record, own) = facts(&chain, &[], Committer::Member(owner.member()));
    let judged = chain.judge(&bytes, &record, &own).unwrap();
    chain.advance(Some(judged));
    assert_eq!(
        (chain.slot, chain.record, chain.time_ms),
        (4, hash(&bytes), 2000)
    );
    let newcomer = Device::new(2, &chain.ledger.community);
    let claim = make_claim(&secret, &chain.ledger.community, &newcomer.cert);
    let admit = newcomer.admit(Some(claim));
    let (bytes, record, theirs) = facts(&chain, &[admit], Committer::External(newcomer.member()));
    assert!(chain.judge(&bytes, &record, &theirs).is_ok());
}

#[test]
fn a_commit_holds_only_where_and_for_what_it_was_made() {
    let (chain, owner, _) = chain();
    let (bytes, record, facts) = facts(&chain, &[], Committer::Member(owner.member()));
    let verdict = |chain: &Chain, facts: &CommitFacts| chain.judge(&bytes, &record, facts).err();
    let elsewhere = Chain {
        record: [8; 32],
        ..chain.clone()
    };
    assert_eq!(verdict(&elsewhere, &facts), Some(Void::Place));
    let later = Chain {
        time_ms: 2001,
        ..chain.clone()
    };
    assert_eq!(verdict(&later, &facts), Some(Void::Time));
    let context = |change: fn(&mut proto::CommitContext)| {
        let mut context = proto::CommitContext::decode(&facts.aad[..]).unwrap();
        change(&mut context);
        CommitFacts {
            aad: context.encode_to_vec(),
            ..facts.clone()
        }
    };
    assert_eq!(
        verdict(&chain, &context(|it| it.slot = 9)),
        Some(Void::Place)
    );
    assert_eq!(
        verdict(&chain, &context(|it| it.ledger = vec![0; 32])),
        Some(Void::Ledger)
    );
    let garbled = CommitFacts {
        aad: vec![0xff; 3],
        ..facts.clone()
    };
    assert_eq!(verdict(&chain, &garbled), Some(Void::Malformed));
    let next_generation = proto::Record {
        generation: 2,
        ..record.clone()
    };
    assert_eq!(
        chain.read(&next_generation.encode_to_vec()).err(),
        Some(Void::Place)
    );
}

#[test]
fn nobody_does_what_is_not_theirs_to_do() {
    let (chain, owner, secret) = chain();
    let newcomer = Device::new(2, &chain.ledger.community);
    let other = Device::new(3, &chain.ledger.community);
    let claim = make_claim(&secret, &chain.ledger.community, &newcomer.cert);
    let admit = newcomer.admit(Some(claim));
    let verdict =
        |statements: &[Vec<u8>], committer: Committer, change: fn(&mut CommitFacts, Member)| {
            let (bytes, record, mut facts) = facts(&chain, statements, committer);
            change(&mut facts, owner.member());
            chain.judge(&bytes, &record, &facts).err()
        };
    let nothing = |_: &mut CommitFacts, _: Member| {};
    let authority = Some(Void::Authority);
    // A member who admits somebody by a commit of their own, or removes another.
    assert_eq!(
        verdict(
            std::slice::from_ref(&admit),
            Committer::Member(owner.member()),
            nothing
        ),
        authority
    );
    let removes = |facts: &mut CommitFacts, victim: Member| facts.removed.push(victim);
    assert_eq!(
        verdict(&[], Committer::Member(owner.member()), removes),
        authority
    );
    // Somebody who is no member.
    let outside = Committer::Member(newcomer.member());
    assert_eq!(
        verdict(&[], outside, nothing),
        Some(Void::Statement(LedgerError::Authority))
    );
    // A newcomer without an admission, with another's, or who throws the owner out.
    assert_eq!(
        verdict(&[], Committer::External(newcomer.member()), nothing),
        authority
    );
    assert_eq!(
        verdict(
            std::slice::from_ref(&admit),
            Committer::External(other.member()),
            nothing
        ),
        authority
    );
    assert_eq!(
        verdict(
            std::slice::from_ref(&admit),
            Committer::External(newcomer.member()),
            removes
        ),
        authority
    );
    // A stranger who takes a member's place by removing the member's leaf.
    assert_eq!(
        verdict(&[], Committer::External(other.member()), removes),
        authority
    );
    // A certificate of one device shown by another.
    let stolen = Member {
        leaf_key: [1; 32],
        ..newcomer.member()
    };
    assert_eq!(
        verdict(&[admit], Committer::External(stolen), nothing),
        authority
    );
}

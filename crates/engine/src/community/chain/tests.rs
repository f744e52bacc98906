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

    fn admit(&self, ledger: &Ledger, claim: Option<proto::JoinClaim>) -> Vec<u8> {
        let admit = proto::Admit {
            cert: self.cert.clone(),
            name: "Plum".into(),
            claim,
            rescue: vec![1],
        };
        make_statement(&self.leaf, &ledger.head(), Body::Admit(admit))
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
    ledger.apply(&owner.admit(&ledger, None), 0).unwrap();
    let secret = Secret::new([5; 32]);
    let invite = proto::InviteCreate {
        key: crate::community::invites::invite_key(&secret).to_vec(),
        expires_ms: 0,
        max_uses: 0,
        window: 2,
        days: 0,
        role: proto::Role::Member.into(),
        ..proto::InviteCreate::default()
    };
    ledger
        .apply(
            &make_statement(&owner.leaf, &ledger.head(), Body::InviteCreate(invite)),
            0,
        )
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
        began_ms: 0,
        keys,
        slot: 3,
        value: [8; 32],
        record: [7; 32],
        time_ms: 1000,
        ended: None,
    };
    (chain, owner, secret)
}

/// What the others see of a commit that carries some statements.
fn facts(
    chain: &Chain,
    statements: &[Vec<u8>],
    committer: Committer,
) -> (Vec<u8>, proto::Record, CommitFacts) {
    let mut ledger = chain.ledger.clone();
    for statement in statements {
        ledger.apply(statement, 2000).unwrap();
    }
    let context = proto::CommitContext {
        previous: chain.record.to_vec(),
        slot: chain.slot + 1,
        ledger: ledger.head().to_vec(),
        time_ms: 2000,
    };
    let aad = context.encode_to_vec();
    let record = proto::Record {
        generation: chain.generation,
        slot: chain.slot + 1,
        statements: statements.to_vec(),
        ..proto::Record::default()
    };
    let bytes = record.encode_to_vec();
    let facts = CommitFacts {
        epoch: 0,
        aad,
        committer,
        added: vec![],
        removed: vec![],
        staying: std::collections::BTreeSet::new(),
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
    let admit = newcomer.admit(&chain.ledger, Some(claim));
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
    let admit = newcomer.admit(&chain.ledger, Some(claim));
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

#[test]
fn a_device_comes_in_where_the_group_began_anew_and_no_record_begins_it() {
    let (mut chain, owner, _) = chain();
    let comes = |chain: &Chain, staying: bool| {
        let (bytes, record, mut facts) = facts(chain, &[], Committer::External(owner.member()));
        facts.staying = staying
            .then(|| owner.member().leaf_key)
            .into_iter()
            .collect();
        chain.judge(&bytes, &record, &facts).err()
    };
    // By the ledger it is in; it is let in once, and nobody has to go for it.
    assert_eq!(comes(&chain, false), None);
    assert_eq!(comes(&chain, true), Some(Void::Authority));
    let rebirth = proto::Rebirth {
        generation: crate::ledger::INCARNATION,
        time_ms: 1,
    };
    let said = make_statement(&owner.leaf, &chain.ledger.head(), Body::Rebirth(rebirth));
    let said = [said];
    let (bytes, record, facts) = facts(&chain, &said, Committer::Member(owner.member()));
    let judged = chain.judge(&bytes, &record, &facts);
    assert_eq!(judged.err(), Some(Void::Authority));
    chain.ledger.apply(&said[0], 0).unwrap();
    assert_eq!(chain.ledger.incarnation(), crate::ledger::INCARNATION);
}

/// A changed client that holds a private link and was not let in.
#[test]
fn who_was_not_let_in_does_not_come_in() {
    let (mut chain, owner, _) = chain();
    let secret = Secret::new([6; 32]);
    let create = proto::InviteCreate {
        key: crate::community::invites::invite_key(&secret).to_vec(),
        max_uses: 1,
        window: 2,
        role: proto::Role::Member.into(),
        kind: proto::InviteKind::Private.into(),
        requests: vec![7; 32],
        requests_writer: vec![8; 32],
        ..proto::InviteCreate::default()
    };
    let create = make_statement(
        &owner.leaf,
        &chain.ledger.head(),
        Body::InviteCreate(create),
    );
    chain.ledger.apply(&create, 0).unwrap();
    let newcomer = Device::new(2, &chain.ledger.community);
    let claim = make_claim(&secret, &chain.ledger.community, &newcomer.cert);
    let admit = newcomer.admit(&chain.ledger, Some(claim));
    let (_, mut record, facts) = facts(&chain, &[], Committer::External(newcomer.member()));
    record.statements = vec![admit];
    let judged = chain.judge(&record.encode_to_vec(), &record, &facts);
    let void = judged.unwrap_err();
    assert_eq!(void, Void::Statement(LedgerError::InviteUnanswered));
    let named = "the invite is private, and nobody has let this person in";
    assert_eq!(void.to_string(), named);
}

#[test]
fn nobody_carries_anothers_words() {
    let (mut chain, owner, secret) = chain();
    let member = Device::new(2, &chain.ledger.community);
    let claim = make_claim(&secret, &chain.ledger.community, &member.cert);
    let admit = member.admit(&chain.ledger, Some(claim));
    chain.ledger.apply(&admit, 0).unwrap();
    let pin = proto::Pin {
        entry: vec![1; 32],
        on: true,
    };
    let statement = make_statement(&owner.leaf, &chain.ledger.head(), Body::Pin(pin));
    let verdict = |committer: &Device| {
        let committer = Committer::Member(committer.member());
        let (bytes, record, facts) = facts(&chain, std::slice::from_ref(&statement), committer);
        chain.judge(&bytes, &record, &facts).err()
    };
    assert_eq!(verdict(&member), Some(Void::Authority));
    assert_eq!(verdict(&owner), None);
}

/// What a member's record is judged by that removes a device, and reaches some.
fn removal(
    chain: &Chain,
    by: &Device,
    bodies: Vec<Body>,
    gone: &[&Device],
    reached: &[&Device],
) -> Result<Judged, Void> {
    let proposal = chain.propose(&by.leaf, bodies, 2000).unwrap();
    let aad = proposal.aad.clone();
    let rescues = reached.iter().map(|one| proto::Rescue {
        leaf: one.member().leaf_key.to_vec(),
        ..proto::Rescue::default()
    });
    let ways = Ways {
        here: rescues.collect(),
        parcel: None,
    };
    let bytes = chain.record(proposal, vec![], vec![], None, ways);
    let record = chain.read(&bytes).unwrap();
    let leaves = chain.ledger.devices().map(|(leaf, _)| *leaf);
    let mut staying: std::collections::BTreeSet<Hash> = leaves.collect();
    for one in gone {
        staying.remove(&one.member().leaf_key);
    }
    let facts = CommitFacts {
        epoch: 0,
        aad,
        committer: Committer::Member(by.member()),
        added: vec![],
        removed: gone.iter().map(|one| one.member()).collect(),
        staying,
    };
    chain.judge(&bytes, &record, &facts)
}

/// The community with two members more.
fn three() -> (Chain, Device, Device, Device) {
    let (mut chain, owner, secret) = chain();
    let members = [2, 3].map(|n| {
        let one = Device::new(n, &chain.ledger.community);
        let claim = make_claim(&secret, &chain.ledger.community, &one.cert);
        let admit = one.admit(&chain.ledger, Some(claim));
        chain.ledger.apply(&admit, 0).unwrap();
        one
    });
    let [one, two] = members;
    (chain, owner, one, two)
}

fn remove(of: &Device) -> Body {
    let cert = ledger::open_cert(&of.cert, &genesis_id()).unwrap();
    Body::Remove(proto::Remove {
        persona: cert.persona.to_vec(),
        ban: false,
        frontiers: vec![],
    })
}

fn genesis_id() -> Hash {
    chain().0.ledger.community
}

#[test]
fn who_is_taken_out_is_out_of_the_group_with_the_same_record() {
    let (mut chain, owner, one, two) = three();
    let by_owner = |gone: &[&Device], reached: &[&Device]| {
        removal(&chain, &owner, vec![remove(&one)], gone, reached).err()
    };
    // The statement without the deed, another's deed, and nobody told.
    assert_eq!(by_owner(&[], &[&owner, &two]), Some(Void::Authority));
    assert_eq!(by_owner(&[&one, &two], &[&owner]), Some(Void::Authority));
    assert_eq!(by_owner(&[&two], &[&owner, &one]), Some(Void::Authority));
    assert_eq!(by_owner(&[&one], &[]), Some(Void::Rescues));
    assert_eq!(
        by_owner(&[&one], &[&owner, &one, &two]),
        Some(Void::Rescues)
    );
    // The deed without the statement.
    let silent = removal(&chain, &owner, vec![], &[&one], &[&owner, &two]);
    assert_eq!(silent.err(), Some(Void::Authority));
    // Somebody who may not.
    let statement = make_statement(&two.leaf, &chain.ledger.head(), remove(&one));
    assert_eq!(
        chain.ledger.clone().apply(&statement, 0),
        Err(LedgerError::Authority)
    );
    let judged = removal(&chain, &owner, vec![remove(&one)], &[&one], &[&owner, &two]).unwrap();
    assert!(judged.turns);
    chain.advance(Some(judged));
    assert_eq!((chain.generation, chain.slot, chain.began_ms), (2, 0, 2000));
    let committer = Committer::Member(one.member());
    let (bytes, record, later) = facts(&chain, &[], committer);
    assert_eq!(
        chain.judge(&bytes, &record, &later).err(),
        Some(Void::Statement(LedgerError::Authority))
    );
}

#[test]
fn who_goes_is_removed_by_whoever_commits_next() {
    let (mut chain, owner, one, two) = three();
    let leave = || vec![Body::Leave(proto::Leave::default())];
    let gone = removal(&chain, &one, leave(), &[], &[]).unwrap();
    assert!(!gone.turns);
    chain.advance(Some(gone));
    // The leaf that is left in the tree has to go with the next member's commit, and the generation with it.
    let staying = [&owner, &one, &two].map(|device| device.member().leaf_key);
    let verdict = |staying: &[Hash], removed: Vec<Member>, reached: Vec<proto::Rescue>| {
        let proposal = chain.propose(&owner.leaf, vec![], 2000).unwrap();
        let aad = proposal.aad.clone();
        let ways = Ways {
            here: reached,
            parcel: None,
        };
        let bytes = chain.record(proposal, vec![], vec![], None, ways);
        let facts = CommitFacts {
            epoch: 0,
            aad,
            committer: Committer::Member(owner.member()),
            added: vec![],
            removed,
            staying: staying.iter().copied().collect(),
        };
        let record = chain.read(&bytes).unwrap();
        chain.judge(&bytes, &record, &facts)
    };
    assert_eq!(
        verdict(&staying, vec![], vec![]).err(),
        Some(Void::Authority)
    );
    let left = [owner.member().leaf_key, two.member().leaf_key];
    let reached = left.iter().map(|leaf| proto::Rescue {
        leaf: leaf.to_vec(),
        ..proto::Rescue::default()
    });
    let reached = reached.collect();
    let swept = verdict(&left, vec![one.member()], reached).unwrap();
    assert!(swept.turns);
}

#[test]
fn an_old_generation_ends_with_the_next_commit_of_a_member() {
    let (chain, owner, one, two) = three();
    let month = 30 * 24 * 3600 * 1000;
    let young = removal(&chain, &owner, vec![], &[], &[]).unwrap();
    assert!(!young.turns);
    for old in [
        Chain {
            slot: 255,
            ..chain.clone()
        },
        Chain {
            time_ms: month,
            ..chain.clone()
        },
    ] {
        let silent = removal(&old, &owner, vec![], &[], &[]);
        assert_eq!(silent.err(), Some(Void::Rescues));
        let judged = removal(&old, &owner, vec![], &[], &[&owner, &one, &two]).unwrap();
        assert!(judged.turns);
    }
}

#[test]
fn a_place_knows_by_which_value_it_was_reached_and_where_the_generation_before_ended() {
    let (mut chain, ..) = chain();
    let lane = chain.keys.clone();
    chain.came_by(&lane, (1, 2), [1; 32]);
    assert_eq!((chain.value, chain.ended.is_none()), ([8; 32], true));
    chain.came_by(&lane, (1, 3), [2; 32]);
    assert_eq!((chain.value, chain.ended.is_none()), ([2; 32], true));
    chain.generation = 2;
    chain.slot = 0;
    chain.came_by(&lane, (1, 4), [3; 32]);
    assert_eq!(chain.value, [0; 32]);
    let ended = chain.ended.unwrap();
    assert_eq!((ended.slot, ended.value), (4, [3; 32]));
    assert_eq!(ended.keys.id, lane.id);
}

#[test]
fn only_a_large_group_may_have_its_rescues_elsewhere() {
    let (chain, owner, ..) = three();
    let content = [7; 100];
    let mut rng = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::from_seed([1; 32]);
    let (parcel, _) = crate::parcel::seal(&content, &mut rng).unwrap();
    let proposal = chain.propose(&owner.leaf, vec![], 2000).unwrap();
    let ways = Ways {
        here: vec![],
        parcel: Some(parcel),
    };
    let bytes = chain.record(proposal, vec![], vec![], None, ways);
    let record = chain.read(&bytes).unwrap();
    assert!(!reaches_all(&record, &chain.ledger));
}

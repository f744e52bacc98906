//! A community's ledger, as people write it who may do something, and who may not.

use crate::community::invites::{invite_id, invite_key};
use crate::keys::Secret;
use crate::ledger::{INCARNATION, Ledger, Purpose, make_cert, make_claim, make_statement, sign};
use crate::proto::{self, statement::Body};
use ed25519_dalek::SigningKey;
use prost::Message;
use ume_api::{PINS_MAX, Role};
use ume_wire::auth::{Hash, hash};

/// Stands for a key to which rescues would be sealed.
const RESCUE: &[u8] = &[1];

/// Somebody with one device.
pub(super) struct Person {
    persona: SigningKey,
    leaf: SigningKey,
}

impl Person {
    fn new(n: u8) -> Self {
        Self {
            persona: SigningKey::from_bytes(&[n + 1; 32]),
            leaf: SigningKey::from_bytes(&[n + 101; 32]),
        }
    }

    pub(super) fn persona(&self) -> Hash {
        self.persona.verifying_key().to_bytes()
    }

    pub(super) fn leaf(&self) -> &SigningKey {
        &self.leaf
    }

    pub(super) fn public(&self) -> Hash {
        self.leaf.verifying_key().to_bytes()
    }

    pub(super) fn cert(&self, community: &Hash) -> Vec<u8> {
        make_cert(&self.persona, community, &self.public(), 1)
    }
}

/// Something that somebody says.
#[derive(Clone, Debug)]
pub struct Saying<'a> {
    /// Which of the four people.
    pub by: u8,
    /// Whether keys and signatures are put right, so that only what is said decides.
    pub sound: bool,
    /// The time of its record.
    pub time_ms: u64,
    /// A `Statement`, or no such thing.
    pub statement: &'a [u8],
}

/// A ledger with its founder, and who there is; the founder is the first.
pub(super) fn started() -> (Ledger, [Person; 4]) {
    let people = [0, 1, 2, 3].map(Person::new);
    let genesis = proto::Genesis {
        salt: vec![9; 32],
        name: "Orchard".into(),
        owner: people[0].persona().to_vec(),
        suite: 1,
        relays: vec![proto::Relay {
            address: "https://relay.example".into(),
            id: vec![0; 32],
        }],
        quorum: 1,
        created_ms: 5,
    };
    let begun = Ledger::begin(&genesis.encode_to_vec()).map(|mut ledger| {
        let admit = proto::Admit {
            cert: people[0].cert(&ledger.community),
            name: "Plum".into(),
            claim: None,
            rescue: RESCUE.to_vec(),
        };
        let statement = make_statement(&people[0].leaf, &ledger.head(), Body::Admit(admit));
        let admitted = ledger.apply(&statement, 0);
        assert!(admitted.is_ok(), "the founder comes in");
        ledger
    });
    let Ok(ledger) = begun else {
        unreachable_genesis()
    };
    (ledger, people)
}

#[allow(clippy::panic)] // this is a test's tool
fn unreachable_genesis() -> ! {
    panic!("the Genesis is sound")
}

/// Two invites that may be created.
fn invite(n: u8) -> Secret {
    Secret::new([200 + n % 2; 32])
}

/// Whatever is said: a statement holds or changes nothing, there is an owner, and a replay comes to the same ledger.
pub fn ledger(sayings: &[Saying<'_>]) {
    let (mut ledger, people) = started();
    for saying in sayings {
        let statement = if saying.sound {
            sound(&ledger, &people, saying)
        } else {
            saying.statement.to_vec()
        };
        let mut next = ledger.clone();
        if next.apply(&statement, saying.time_ms).is_ok() {
            assert_eq!(next.len(), ledger.len() + 1);
            assert_ne!(next.head(), ledger.head());
            ledger = next;
        }
    }
    let mut roles = ledger.members.values().map(|member| member.role);
    assert!(roles.any(|role| role == Role::Owner));
    let mut members = ledger.members.keys();
    assert!(!members.any(|persona| ledger.former.contains_key(persona)));
    assert!(ledger.pins.len() <= PINS_MAX);
    for (id, invite) in &ledger.invites {
        assert!(invite.max_uses.is_none_or(|max| invite.uses <= max));
        let _ = ledger.usable(id, u64::MAX);
    }
    for person in &people {
        let _ = ledger.might_post(&person.persona(), ledger.len());
        let _ = ledger.cuts(&person.public());
    }
    let again = Ledger::replay(
        &ledger.community,
        ledger.genesis_bytes(),
        ledger.statements(),
    );
    let same =
        again.is_ok_and(|again| again.head() == ledger.head() && again.digest() == ledger.digest());
    assert!(same, "a replay comes to the same");
}

/// The statement with its keys put right where they stand for somebody: one byte instead of 32.
fn sound(ledger: &Ledger, people: &[Person; 4], saying: &Saying<'_>) -> Vec<u8> {
    let who = |n: u8| &people[usize::from(n) % people.len()];
    let by = who(saying.by);
    let mut statement = proto::Statement::decode(saying.statement).unwrap_or_default();
    statement.signer = by.public().to_vec();
    statement.after = ledger.head().to_vec();
    let persona = |key: &mut Vec<u8>| {
        if let [n] = key[..] {
            *key = who(n).persona().to_vec();
        }
    };
    let frontiers = |frontiers: &mut Vec<proto::Frontier>| {
        for frontier in frontiers {
            if let [n] = frontier.leaf[..] {
                frontier.leaf = who(n).public().to_vec();
            }
            frontier.entry.resize(32, 0);
        }
    };
    match &mut statement.body {
        Some(Body::Admit(admit)) => {
            admit.cert = by.cert(&ledger.community);
            if let Some(claim) = &mut admit.claim {
                let n = claim.invite.first().copied().unwrap_or_default();
                *claim = make_claim(&invite(n), &ledger.community, &admit.cert);
            }
        }
        Some(Body::InviteCreate(create)) => {
            let n = create.key.first().copied().unwrap_or_default();
            create.key = invite_key(&invite(n)).to_vec();
        }
        Some(Body::InviteAnswer(answer)) => {
            if let [n] = answer.invite[..] {
                answer.invite = invite_id(&invite(n)).to_vec();
            }
            if let [n] = answer.request[..] {
                answer.request = hash(&who(n).cert(&ledger.community)).to_vec();
            }
        }
        Some(Body::RoleSet(change)) => {
            persona(&mut change.persona);
            frontiers(&mut change.frontiers);
        }
        Some(Body::RulesSet(change)) => frontiers(&mut change.frontiers),
        Some(Body::Pin(pin)) => pin.entry.resize(32, 0),
        Some(Body::Remove(remove)) => {
            persona(&mut remove.persona);
            frontiers(&mut remove.frontiers);
        }
        Some(Body::Leave(leave)) => frontiers(&mut leave.frontiers),
        Some(Body::InviteRevoke(revoke)) => {
            let n = revoke.invite.first().copied().unwrap_or_default();
            revoke.invite = invite_id(&invite(n)).to_vec();
        }
        Some(Body::OwnerOffer(offer)) => persona(&mut offer.persona),
        Some(Body::Transfer(transfer)) => {
            persona(&mut transfer.from);
            persona(&mut transfer.to);
            frontiers(&mut transfer.frontiers);
        }
        Some(Body::Recover(recover)) => {
            persona(&mut recover.old);
            persona(&mut recover.new);
            frontiers(&mut recover.frontiers);
        }
        Some(Body::Contest(contest)) => {
            let said = contest.claim.take().unwrap_or_default();
            let claim = proto::ContestClaim::decode(&said.content[..]).unwrap_or_default();
            let out = who(claim.leaf.first().copied().unwrap_or_default());
            let recovery = ledger.recovery_from(&out.persona());
            let claim = proto::ContestClaim {
                community: ledger.community.to_vec(),
                leaf: out.public().to_vec(),
                recover: recovery.map_or(claim.recover, |one| one.head.to_vec()),
            };
            contest.claim = Some(sign(&out.leaf, Purpose::Contest, claim.encode_to_vec()));
        }
        Some(Body::RecoverUndo(undo)) => {
            persona(&mut undo.old);
            frontiers(&mut undo.frontiers);
            frontiers(&mut undo.edits);
        }
        // Small numbers, each of which begins an incarnation.
        Some(Body::Rebirth(rebirth)) => {
            rebirth.generation = rebirth.generation.wrapping_mul(INCARNATION);
        }
        Some(Body::ProfileSet(_) | Body::AccessSet(_)) | None => {}
        Some(Body::OwnerAccept(accept)) => {
            persona(&mut accept.by);
            frontiers(&mut accept.frontiers);
        }
    }
    sign(&by.leaf, Purpose::Statement, statement.encode_to_vec()).encode_to_vec()
}

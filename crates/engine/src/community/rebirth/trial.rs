//! What a fuzz target tries of calls, as a member hears them: what a stranger writes into a beacon lane, and what an owner
//! may bring whose program does as it likes.

use super::{
    Community, Ctx, Fetch, Hash, Ledger, Message, Millis, Purpose, Rank, Reverse, Role, Secret,
    StatementBody, covers, generation, is_owner, open_call, proto, sign,
};
use crate::community::invites::invite_key;
use crate::community::{Newcomer, News};
use crate::fuzzing::{Part, put};
use crate::io::Batch;
use crate::ledger::{make_cert, make_claim, make_statement, role_number};
use crate::link::RelayRef;
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::sync::OnceLock;

/// When it is called, milliseconds.
const TIME_MS: u64 = 1_000;

/// A community of two, and a call of its owner's.
struct Trial {
    /// As the member's device has it.
    community: Community,
    caller: SigningKey,
    member: SigningKey,
    call: proto::Call,
    beginning: proto::Beginning,
}

fn trial() -> &'static Trial {
    static TRIAL: OnceLock<Trial> = OnceLock::new();
    #[allow(clippy::expect_used)] // without it there is nothing to try
    TRIAL.get_or_init(|| Trial::begin().expect("an owner can call"))
}

/// The first seeds: a call, and what it brings.
pub(crate) fn seeds() -> (Vec<u8>, Vec<u8>) {
    let trial = trial();
    (trial.call.encode_to_vec(), trial.beginning.encode_to_vec())
}

/// What the lane holds: heard only if the device whose lane it is said it, as a call; and then as it was said. What is missing
/// is put right.
pub(crate) fn says(bytes: &[u8]) {
    let trial = trial();
    let caller = public(&trial.caller);
    assert!(open_call(&caller, bytes).is_none());
    let Ok(mut call) = proto::Call::decode(bytes) else {
        return;
    };
    if call.head.is_empty() {
        call.head.clone_from(&trial.call.head);
    }
    if call.parcel.is_none() {
        call.parcel.clone_from(&trial.call.parcel);
    }
    let content = call.encode_to_vec();
    let by = |key: &SigningKey, purpose| {
        let said = sign(key, purpose, content.clone()).encode_to_vec();
        open_call(&caller, &said)
    };
    assert!(by(&trial.member, Purpose::Rebirth).is_none());
    assert!(by(&trial.caller, Purpose::Contest).is_none());
    let Some(((Reverse(generation), head), parcel)) = by(&trial.caller, Purpose::Rebirth) else {
        assert_ne!(call.head.len(), 32);
        return;
    };
    assert_eq!((generation, &head[..]), (call.generation, &call.head[..]));
    let _ = Fetch::new(&parcel);
}

/// What a call brings, with one part of a stranger's making: it does not hold, or it begins where it says, with the caller's
/// device alone, and with keys for everybody who is in.
pub(crate) fn brings(part: Part, bytes: &[u8]) {
    let trial = trial();
    let (mut rank, mut beginning) = (trial.rank(), trial.beginning.clone());
    let Some(bundle) = beginning.bundle.as_mut() else {
        return;
    };
    match part {
        Part::Whole => {
            trial.holds(rank, bytes);
            return;
        }
        Part::Tree => bundle.tree = bytes.to_vec(),
        Part::GroupInfo => bundle.group_info = bytes.to_vec(),
        Part::Within(place) => put(&mut bundle.tree, place, bytes),
        Part::WithinInfo(place) => put(&mut bundle.group_info, place, bytes),
        Part::Statement => {
            let Some(ledger) = trial.ledger_with(bytes) else {
                return;
            };
            let statements = ledger.statements().iter();
            bundle.statements = statements.map(|one| one.to_vec()).collect();
            bundle.record = ledger.head().to_vec();
            let is_in = |one: &proto::Rescue| ledger.devices().any(|(leaf, _)| one.leaf == leaf);
            beginning.rescues.retain(is_in);
            rank.1 = ledger.head();
        }
    }
    trial.holds(rank, &beginning.encode_to_vec());
}

impl Trial {
    fn begin() -> Option<Self> {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let mut batch = Batch::default();
        let mut ctx = Ctx {
            now: Millis(TIME_MS),
            time: Millis(TIME_MS),
            rng: &mut rng,
            batch: &mut batch,
            asks: vec![],
            news: News::default(),
            up: false,
            relay_key: None,
        };
        let who = Newcomer {
            number: 1,
            relay: RelayRef {
                address: "https://relay.example".into(),
                id: [0; 32],
            },
            name: "Plum".into(),
            access: None,
        };
        let root = Secret::new([2; 32]);
        let mut community = Community::found(&mut ctx, &root, &who, "Orchard".into()).ok()?;
        let caller = community.saved.leaf.signing_key();
        let (persona, leaf) = (SigningKey::from_bytes(&[3; 32]), Secret::new([4; 32]));
        let member = leaf.signing_key();
        let invite = Secret::new([5; 32]);
        let ledger = &mut community.chain.ledger;
        let opens = StatementBody::InviteCreate(proto::InviteCreate {
            key: invite_key(&invite).to_vec(),
            role: role_number(Role::Member),
            ..proto::InviteCreate::default()
        });
        say(ledger, &caller, opens)?;
        let cert = make_cert(&persona, &ledger.community, &public(&member), 1);
        let comes = StatementBody::Admit(proto::Admit {
            claim: Some(make_claim(&invite, &ledger.community, &cert)),
            name: "Pear".into(),
            rescue: generation::rescue_key(&leaf, generation::suite(&ledger.genesis)?),
            cert,
        });
        say(ledger, &member, comes)?;
        let (said, beginning, ..) = community.call(&mut ctx, None).ok()?;
        let said = proto::Signed::decode(&said[..]).ok()?;
        community.saved.leaf = leaf;
        let trial = Self {
            community,
            caller,
            member,
            call: proto::Call::decode(&said.content[..]).ok()?,
            beginning: proto::Beginning::decode(&beginning[..]).ok()?,
        };
        // Unchanged, it holds.
        let (rank, caller) = (trial.rank(), public(&trial.caller));
        trial.community.begun(rank, &caller, &beginning)?;
        Some(trial)
    }

    fn rank(&self) -> Rank {
        let head = self.call.head[..].try_into().unwrap_or_default();
        (Reverse(self.call.generation), head)
    }

    /// The ledger with one more thing that its owner says before they begin anew; one byte stands for the member.
    fn ledger_with(&self, statement: &[u8]) -> Option<Ledger> {
        let mut ledger = self.community.chain.ledger.clone();
        let mut body = proto::Statement::decode(statement).ok()?.body?;
        match &mut body {
            StatementBody::Remove(proto::Remove { persona, .. })
            | StatementBody::RoleSet(proto::RoleSet { persona, .. })
                if persona.len() == 1 =>
            {
                *persona = ledger.current(&public(&self.member)).ok()?.to_vec();
            }
            _ => {}
        }
        say(&mut ledger, &self.caller, body)?;
        let rebirth = StatementBody::Rebirth(proto::Rebirth {
            generation: self.call.generation,
            time_ms: TIME_MS,
        });
        say(&mut ledger, &self.caller, rebirth)?;
        Some(ledger)
    }

    fn holds(&self, rank: Rank, content: &[u8]) {
        let (caller, me) = (public(&self.caller), public(&self.member));
        let Some(watch) = self.community.begun(rank, &caller, content) else {
            return;
        };
        let ledger = &watch.chain.ledger;
        let (Reverse(generation), head) = rank;
        assert_eq!(watch.chain.place(), (generation, 0));
        assert_eq!((ledger.head(), watch.chain.record), (head, head));
        assert_eq!(watch.leaf_keys(), [caller].into());
        assert!(is_owner(ledger, &caller));
        assert_eq!(watch.is_lost(), ledger.is_out(&me));
        let rescues = proto::Beginning::decode(content)
            .unwrap_or_default()
            .rescues;
        assert!(covers(&rescues, ledger));
        let theirs = self.community.begun(rank, &me, content);
        assert!(theirs.is_none(), "in another's name");
    }
}

fn public(key: &SigningKey) -> Hash {
    key.verifying_key().to_bytes()
}

fn say(ledger: &mut Ledger, by: &SigningKey, body: StatementBody) -> Option<()> {
    let statement = make_statement(by, &ledger.head(), body);
    ledger.apply(&statement, TIME_MS).ok()?;
    Some(())
}

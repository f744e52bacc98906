use super::*;
use crate::entry::{Draft, verify, write};
use crate::ledger::{make_cert, make_claim, make_statement};
use crate::proto::{self, statement::Body};
use ed25519_dalek::SigningKey;
use prost::Message;
use ume_api::Role;

struct Play {
    ledger: Ledger,
    owner: SigningKey,
    member: SigningKey,
    persona: [u8; 32],
}

impl Play {
    fn says(&mut self, by: &SigningKey, body: Body) {
        let statement = make_statement(by, &self.ledger.head(), body);
        self.ledger.apply(&statement, 0).unwrap();
    }

    fn role(&mut self, role: Role, last: Option<&Entry>) {
        let frontier = last.map(|entry| proto::Frontier {
            leaf: entry.leaf.to_vec(),
            seq: entry.seq,
            entry: entry.id.0.to_vec(),
        });
        let set = proto::RoleSet {
            persona: self.persona.to_vec(),
            role: crate::ledger::role_number(role),
            frontiers: frontier.into_iter().collect(),
        };
        let owner = self.owner.clone();
        self.says(&owner, Body::RoleSet(set));
    }

    fn writes(&self, seq: u64, previous: Option<&Entry>, point: u32, text: &str) -> Entry {
        let draft = Draft {
            seq,
            previous: previous.map(|entry| entry.id),
            parents: vec![],
            kind: Kind::Post,
            salt: [5; 16],
            time_ms: 1,
            expires_ms: None,
            content: text.into(),
            ledger: point,
        };
        let community = self.ledger.community;
        let signed = write(&community, &self.persona, &self.member, draft);
        verify(&signed, &community).unwrap()
    }
}

/// An owner and a member, admitted by the third statement.
fn play() -> Play {
    let persona = SigningKey::from_bytes(&[1; 32]);
    let genesis = proto::Genesis {
        salt: vec![9; 32],
        name: "Orchard".into(),
        owner: persona.verifying_key().to_bytes().to_vec(),
        suite: 1,
        relays: vec![proto::Relay {
            address: "https://r".into(),
            id: vec![0; 32],
        }],
        quorum: 1,
        created_ms: 5,
    };
    let theirs = SigningKey::from_bytes(&[2; 32]);
    let mut play = Play {
        ledger: Ledger::begin(&genesis.encode_to_vec()).unwrap(),
        owner: SigningKey::from_bytes(&[101; 32]),
        member: SigningKey::from_bytes(&[102; 32]),
        persona: theirs.verifying_key().to_bytes(),
    };
    let secret = crate::keys::Secret::new([5; 32]);
    let (owner, member) = (play.owner.clone(), play.member.clone());
    let community = play.ledger.community;
    let admit = |persona: &SigningKey, leaf: &SigningKey, invited: bool| {
        let cert = make_cert(persona, &community, leaf.verifying_key().as_bytes(), 1);
        let claim = invited.then(|| make_claim(&secret, &community, &cert));
        Body::Admit(proto::Admit {
            cert,
            name: "Plum".into(),
            claim,
            rescue: vec![1],
        })
    };
    play.says(&owner, admit(&persona, &owner, false));
    let invite = proto::InviteCreate {
        key: crate::community::invites::invite_key(&secret).to_vec(),
        role: proto::Role::Member.into(),
        ..proto::InviteCreate::default()
    };
    play.says(&owner, Body::InviteCreate(invite));
    play.says(&member, admit(&theirs, &member, true));
    play
}

const BACKDATED: Standing = Standing::Refused(Refusal::Backdated);
const ROLE: Standing = Standing::Refused(Refusal::Role);

#[test]
fn an_entry_stands_if_its_author_might_post_where_it_says_it_was_written() {
    let mut play = play();
    let unknown = |_, _| None;
    let now = play.ledger.len();
    let good = play.writes(1, None, now, "good");
    assert_eq!(judge(&good, &play.ledger, unknown), Standing::Stands);
    // A relay may forget how somebody came in: they come in again, later than what they have written.
    let before_joining = play.writes(1, None, now - 1, "early");
    assert_eq!(
        judge(&before_joining, &play.ledger, unknown),
        Standing::Stands
    );
    let ahead = play.writes(1, None, now + 1, "from the future");
    assert_eq!(judge(&ahead, &play.ledger, unknown), Standing::Undecided);
    play.role(Role::Reader, None);
    assert_eq!(judge(&ahead, &play.ledger, unknown), ROLE);
}

#[test]
fn who_lost_the_right_cannot_write_into_the_past() {
    let mut play = play();
    let early = play.ledger.len();
    let one = play.writes(1, None, early, "one");
    let two = play.writes(2, Some(&one), early, "two");
    play.role(Role::Reader, Some(&two));
    let knows = |from: (u64, EntryId), seq: u64| {
        assert_eq!(from, (2, two.id));
        [one.id, two.id]
            .get(usize::try_from(seq).unwrap() - 1)
            .copied()
    };
    assert_eq!(judge(&one, &play.ledger, knows), Standing::Stands);
    assert_eq!(judge(&two, &play.ledger, knows), Standing::Stands);
    // More than there was, and other things than there were.
    let three = play.writes(3, Some(&two), early, "three");
    assert_eq!(judge(&three, &play.ledger, knows), BACKDATED);
    let other_two = play.writes(2, Some(&one), early, "another two");
    assert_eq!(judge(&other_two, &play.ledger, knows), BACKDATED);
    let other_one = play.writes(1, None, early, "another one");
    assert_eq!(judge(&other_one, &play.ledger, knows), BACKDATED);
    // As long as the second is not here, the first could be any.
    let empty = |_, _| None;
    assert_eq!(judge(&one, &play.ledger, empty), Standing::Undecided);
    // With the right comes a new beginning after the old end, and nothing else.
    play.role(Role::Member, None);
    let late = play.ledger.len();
    let after = play.writes(3, Some(&two), late, "three at last");
    assert_eq!(judge(&after, &play.ledger, knows), Standing::Stands);
    assert_eq!(judge(&three, &play.ledger, knows), BACKDATED);
    let again = play.writes(2, Some(&one), late, "two again");
    assert_eq!(judge(&again, &play.ledger, knows), BACKDATED);
    let muted = play.writes(3, Some(&two), late - 1, "while muted");
    assert_eq!(judge(&muted, &play.ledger, knows), ROLE);
}

#[test]
fn who_had_written_nothing_has_nothing() {
    let mut play = play();
    let early = play.ledger.len();
    play.role(Role::Reader, None);
    let unknown = |_, _| None;
    let entry = play.writes(1, None, early, "I was here");
    assert_eq!(judge(&entry, &play.ledger, unknown), BACKDATED);
}

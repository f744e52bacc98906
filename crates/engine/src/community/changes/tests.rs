mod talks;

use super::*;
use crate::community::Newcomer;
use crate::community::invites::invite_key;
use crate::entry::{Draft, write};
use crate::io::{Batch, Millis};
use crate::keys::Secret;
use crate::ledger::{make_cert, make_claim, make_statement, role_number};
use crate::link::RelayRef;
use ed25519_dalek::SigningKey;
use proto::statement::Body;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

const FOREIGN: Rejected = Rejected::Entry(Refusal::Foreign);

/// An owner's device that is not connected, and a member who does not keep to the rules.
struct Play {
    community: Community,
    rng: ChaCha20Rng,
    persona: SigningKey,
    leaf: SigningKey,
}

impl Play {
    fn begin() -> Self {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let who = Newcomer {
            number: 1,
            relay: RelayRef {
                address: "https://r".into(),
                id: [0; 32],
            },
            name: "Plum".into(),
            access: None,
        };
        let root = Secret::new([2; 32]);
        let found = |ctx: &mut Ctx<'_>| Community::found(ctx, &root, &who, "Orchard".into());
        let mut play = Self {
            community: with(&mut rng, found).unwrap(),
            rng,
            persona: SigningKey::from_bytes(&[4; 32]),
            leaf: SigningKey::from_bytes(&[5; 32]),
        };
        let secret = Secret::new([3; 32]);
        let owner = play.community.saved.leaf.signing_key();
        let invite = proto::InviteCreate {
            key: invite_key(&secret).to_vec(),
            role: role_number(Role::Member),
            ..proto::InviteCreate::default()
        };
        play.says(&owner, Body::InviteCreate(invite));
        let id = play.community.community();
        let cert = make_cert(&play.persona, &id, play.leaf.verifying_key().as_bytes(), 1);
        let admit = proto::Admit {
            claim: Some(make_claim(&secret, &id, &cert)),
            cert,
            name: "Quince".into(),
            rescue: vec![1],
        };
        let leaf = play.leaf.clone();
        play.says(&leaf, Body::Admit(admit));
        play
    }

    fn says(&mut self, by: &SigningKey, body: Body) {
        let ledger = &mut self.community.chain.ledger;
        let statement = make_statement(by, &ledger.head(), body);
        ledger.apply(&statement, 0).unwrap();
    }

    /// An entry of the member's, or one of the owner's as another device of theirs would show it.
    fn entry(&self, by: Option<&SigningKey>, kind: Kind, seq: u64) -> proto::Written {
        let community = &self.community;
        let (author, leaf) = match by {
            None => (self.persona.verifying_key().to_bytes(), &self.leaf),
            Some(leaf) => (community.saved.persona, leaf),
        };
        let content = match kind {
            Kind::Unpublish(_) => vec![],
            _ => b"words".to_vec(),
        };
        write(
            &community.community(),
            &author,
            leaf,
            self.draft(kind, seq, content),
        )
    }

    fn draft(&self, kind: Kind, seq: u64, content: Vec<u8>) -> Draft {
        Draft {
            kind,
            seq,
            previous: (seq > 1).then_some(EntryId([8; 32])),
            parents: vec![],
            time_ms: 9,
            expires_ms: None,
            content,
            salt: [6; 16],
            ledger: self.community.chain.ledger.len(),
        }
    }

    fn receives(&mut self, written: &proto::Written) {
        let community = &mut self.community;
        with(&mut self.rng, |ctx| community.receive(ctx, written));
    }

    fn view(&self, post: &EntryId) -> PostView {
        let kept = self.community.feed.get(post).unwrap();
        self.community.post_view(kept)
    }

    fn foreign(&self) -> u32 {
        let rejected = &self.community.rejected;
        rejected.get(&FOREIGN).copied().unwrap_or_default()
    }
}

fn with<R>(rng: &mut ChaCha20Rng, act: impl FnOnce(&mut Ctx<'_>) -> R) -> R {
    let mut batch = Batch::default();
    let mut ctx = Ctx {
        now: Millis(1_000),
        time: Millis(1_000),
        rng,
        batch: &mut batch,
        asks: vec![],
        news: crate::community::News::default(),
        up: false,
        relay_key: None,
    };
    act(&mut ctx)
}

#[test]
fn changes_of_anothers_post_are_rejected_by_name_in_any_order() {
    let mut play = Play::begin();
    let owner = play.community.saved.leaf.signing_key();
    let post = play.entry(Some(&owner), Kind::Post, 1);
    let id = entry::id(&post).unwrap();
    let edit = play.entry(None, Kind::Edit(id), 1);
    let end = play.entry(None, Kind::Unpublish(id), 2);
    // Before the post: nobody can tell yet.
    play.receives(&edit);
    assert_eq!(play.foreign(), 0);
    play.receives(&post);
    assert_eq!(play.foreign(), 1);
    // After it.
    play.receives(&end);
    assert_eq!(play.foreign(), 2);
    let view = play.view(&id);
    assert_eq!((&view.text[..], view.edited_at), ("words", None));
    assert_eq!(view.unpublished_by, None);
    assert!(play.community.feed.about(&id).next().is_none());
}

#[test]
fn a_text_that_comes_later_than_its_entry_is_taken_unless_it_was_taken_back() {
    let mut play = Play::begin();
    let post = play.entry(None, Kind::Post, 1);
    let id = entry::id(&post).unwrap();
    let bare = proto::Written {
        body: vec![],
        ..post.clone()
    };
    play.receives(&bare);
    let (page, _) = play.community.page(None, None);
    assert!(page.is_empty(), "a post without its text is not shown");
    assert_eq!(play.community.feed.missing(0), 1);
    let forged = proto::Written {
        body: b"0123456789abcdefother words".to_vec(),
        ..post.clone()
    };
    play.receives(&forged);
    assert_eq!(play.community.feed.missing(0), 1);
    play.receives(&post);
    assert_eq!(play.community.feed.missing(0), 0);
    assert_eq!(play.view(&id).text, "words");
    play.receives(&play.entry(None, Kind::Unpublish(id), 2));
    assert_eq!(play.view(&id).text, "");
    play.receives(&post);
    assert_eq!(play.view(&id).text, "");
    let kept = &play.community.feed.get(&id).unwrap().entry;
    assert!(kept.written.body.is_empty());
}

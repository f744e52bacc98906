use super::super::tests::{Someone, invite, started};
use super::super::{LedgerError, make_claim};
use super::*;
use crate::keys::Label;
use proto::statement::Body;
use ume_api::Rules;

fn private(secret: &Secret, expires_ms: u64) -> proto::InviteCreate {
    proto::InviteCreate {
        key: crate::community::invites::invite_key(secret).to_vec(),
        expires_ms,
        max_uses: 1,
        window: 2,
        role: proto::Role::Member.into(),
        kind: proto::InviteKind::Private.into(),
        requests: secret.derive(Label::Requests, &[]).bytes().to_vec(),
        requests_writer: vec![7; 32],
        ..proto::InviteCreate::default()
    }
}

fn answer(invite: &Hash, cert: &[u8], yes: bool) -> Body {
    Body::InviteAnswer(proto::InviteAnswer {
        invite: invite.to_vec(),
        request: hash(cert).to_vec(),
        yes,
    })
}

struct Scene {
    ledger: Ledger,
    owner: Someone,
    secret: Secret,
    id: Hash,
}

fn scene(expires_ms: u64) -> Scene {
    let (mut ledger, owner) = started();
    let secret = Secret::new([5; 32]);
    let create = Body::InviteCreate(private(&secret, expires_ms));
    ledger.apply(&owner.says(&ledger, create), 0).unwrap();
    let id = crate::community::invites::invite_id(&secret);
    Scene {
        ledger,
        owner,
        secret,
        id,
    }
}

impl Scene {
    fn says(&self, who: &Someone, body: Body, time_ms: u64) -> Result<Ledger, LedgerError> {
        let mut ledger = self.ledger.clone();
        ledger.apply(&who.says(&ledger, body), time_ms)?;
        Ok(ledger)
    }

    fn comes(&self, who: &Someone, time_ms: u64) -> Result<Ledger, LedgerError> {
        let claim = make_claim(&self.secret, &self.ledger.community, who.cert());
        let mut ledger = self.ledger.clone();
        ledger.apply(&who.admit(&ledger, Some(claim)), time_ms)?;
        Ok(ledger)
    }

    fn says_yes(&mut self, to: &Someone, time_ms: u64) {
        let yes = answer(&self.id, to.cert(), true);
        self.ledger = self.says(&self.owner, yes, time_ms).unwrap();
    }
}

#[test]
fn only_who_was_let_in_comes_in() {
    let mut scene = scene(100);
    let [bert, carla] = [2, 3].map(|n| Someone::new(n, &scene.ledger.community));
    let unanswered = Err(LedgerError::InviteUnanswered);
    assert_eq!(scene.comes(&bert, 1).map(|_| ()), unanswered);
    scene.says_yes(&bert, 100);
    assert_eq!(scene.comes(&carla, 1).map(|_| ()), unanswered);
    // The answer was in time, and that is what counts.
    let ledger = scene.comes(&bert, 1_000).unwrap();
    assert_eq!(ledger.members.len(), 2);
    let again = Ledger::replay(
        &ledger.community,
        ledger.genesis_bytes(),
        ledger.statements(),
    );
    assert_eq!(again.unwrap().head(), ledger.head());
}

#[test]
fn a_yes_to_a_second_person_or_too_late_is_void() {
    let mut scene = scene(100);
    let [bert, carla] = [2, 3].map(|n| Someone::new(n, &scene.ledger.community));
    let yes = |one: &Someone| answer(&scene.id, one.cert(), true);
    let (first, second) = (yes(&bert), yes(&carla));
    let late = scene.says(&scene.owner, first.clone(), 101);
    assert_eq!(late.err(), Some(LedgerError::InviteExpired));
    scene.ledger = scene.says(&scene.owner, first.clone(), 5).unwrap();
    let again = scene.says(&scene.owner, first, 5);
    assert_eq!(again.err(), Some(LedgerError::Repeated));
    let second = scene.says(&scene.owner, second, 5);
    assert_eq!(second.err(), Some(LedgerError::InviteUsedUp));
    // A no is always possible.
    let no = answer(&scene.id, carla.cert(), false);
    scene.ledger = scene.says(&scene.owner, no, 1_000).unwrap();
    let unanswered = Some(LedgerError::InviteUnanswered);
    assert_eq!(scene.comes(&carla, 5).err(), unanswered);
}

#[test]
fn a_no_is_final() {
    let mut scene = scene(0);
    let bert = Someone::new(2, &scene.ledger.community);
    let no = answer(&scene.id, bert.cert(), false);
    scene.ledger = scene.says(&scene.owner, no, 5).unwrap();
    let yes = answer(&scene.id, bert.cert(), true);
    let changed = scene.says(&scene.owner, yes, 5);
    assert_eq!(changed.err(), Some(LedgerError::Repeated));
}

#[test]
fn a_withdrawn_invite_lets_in_nobody_who_was_said_yes_to() {
    let mut scene = scene(0);
    let bert = Someone::new(2, &scene.ledger.community);
    scene.says_yes(&bert, 5);
    let revoke = Body::InviteRevoke(proto::InviteRevoke {
        invite: scene.id.to_vec(),
    });
    scene.ledger = scene.says(&scene.owner, revoke, 6).unwrap();
    let withdrawn = Some(LedgerError::InviteWithdrawn);
    assert_eq!(scene.comes(&bert, 7).err(), withdrawn);
}

#[test]
fn only_who_may_answer_answers() {
    let mut scene = scene(0);
    let community = scene.ledger.community;
    let [member, asker] = [2, 3].map(|n| Someone::new(n, &community));
    // A member who came in by an open invite.
    let open = Secret::new([6; 32]);
    let owner = &scene.owner;
    scene.ledger = scene.says(owner, invite(&open, 0, 0), 0).unwrap();
    let claim = make_claim(&open, &community, member.cert());
    let admit = member.admit(&scene.ledger, Some(claim));
    scene.ledger.apply(&admit, 0).unwrap();
    let yes = answer(&scene.id, asker.cert(), true);
    let not_theirs = Some(LedgerError::Authority);
    assert_eq!(scene.says(&member, yes.clone(), 0).err(), not_theirs);
    assert_eq!(scene.says(&asker, yes, 0).err(), not_theirs);
    // Nobody asks by an open invite.
    let id = crate::community::invites::invite_id(&open);
    let to_open = answer(&id, asker.cert(), true);
    assert_eq!(scene.says(owner, to_open, 0).err(), not_theirs);
    // Who may invite answers by their own invites, and by no others.
    let liberal = Body::RulesSet(proto::RulesSet {
        invite: proto::Role::Member.into(),
        post: proto::Role::Member.into(),
        pin: proto::Role::Admin.into(),
        moderate: proto::Role::Admin.into(),
        ..proto::RulesSet::default()
    });
    scene.ledger = scene.says(owner, liberal, 0).unwrap();
    let own = Secret::new([7; 32]);
    let create = Body::InviteCreate(private(&own, 0));
    scene.ledger = scene.says(&member, create, 0).unwrap();
    let id = crate::community::invites::invite_id(&own);
    assert!(
        scene
            .says(&member, answer(&id, asker.cert(), true), 0)
            .is_ok()
    );
    assert!(
        scene
            .says(owner, answer(&id, asker.cert(), true), 0)
            .is_ok()
    );
    let theirs = answer(&scene.id, asker.cert(), true);
    assert_eq!(scene.says(&member, theirs, 0).err(), not_theirs);
}

#[test]
fn with_private_invites_only_open_ones_let_in_nobody() {
    let mut scene = scene(0);
    let open = Secret::new([6; 32]);
    let owner = &scene.owner;
    scene.ledger = scene.says(owner, invite(&open, 0, 0), 0).unwrap();
    let rules = |private_only| {
        let before = Rules::default();
        Body::RulesSet(proto::RulesSet {
            post: super::super::role_number(before.post),
            invite: super::super::role_number(before.invite),
            pin: super::super::role_number(before.pin),
            moderate: super::super::role_number(before.moderate),
            frontiers: vec![],
            private_only,
        })
    };
    scene.ledger = scene.says(owner, rules(true), 0).unwrap();
    assert!(scene.ledger.rules().private_only);
    let id = crate::community::invites::invite_id(&open);
    let usable = |ledger: &Ledger, id| ledger.usable(id, 0).map(|_| ());
    let withdrawn = Err(LedgerError::InviteWithdrawn);
    assert_eq!(usable(&scene.ledger, &id), withdrawn);
    assert_eq!(usable(&scene.ledger, &scene.id), Ok(()));
    let another = invite(&Secret::new([8; 32]), 0, 0);
    let refused = scene.says(owner, another.clone(), 0).err();
    assert_eq!(refused, Some(LedgerError::Authority));
    scene.ledger = scene.says(owner, rules(false), 0).unwrap();
    assert_eq!(usable(&scene.ledger, &id), Ok(()));
    assert!(scene.says(owner, another, 0).is_ok());
}

#[test]
fn a_private_invite_gives_one_place_away() {
    let (ledger, owner) = started();
    let sound = private(&Secret::new([5; 32]), 0);
    let many = proto::InviteCreate {
        max_uses: 2,
        ..sound.clone()
    };
    let unreadable = proto::InviteCreate {
        requests: vec![],
        ..sound.clone()
    };
    let unheard = proto::InviteCreate {
        kind: 2,
        ..sound.clone()
    };
    let half = proto::InviteCreate { kind: 0, ..sound };
    for create in [many, unreadable, unheard, half] {
        let create = owner.says(&ledger, Body::InviteCreate(create));
        let refused = ledger.clone().apply(&create, 0);
        assert_eq!(refused, Err(LedgerError::Malformed));
    }
}

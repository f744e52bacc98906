//! Plays about private invites: asking, answering, and coming in while the others are gone.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // what tests share is a test as well

use ume_api::{
    Act, Command, CommunityRef, Failure, HistoryWindow, InviteKind, InviteState, InviteTerms,
    Notice, Phase, Refusal, Reply, RequestView, Role, Rules,
};
use ume_sim::{OPEN, Place, Stage, Unruly};

const PRIVATE: InviteTerms = InviteTerms {
    kind: InviteKind::Private,
    ..OPEN
};

struct Play {
    stage: Stage,
    owner: usize,
    community: CommunityRef,
    link: String,
}

fn play(seed: u8) -> Play {
    play_with(seed, PRIVATE)
}

fn play_with(seed: u8, terms: InviteTerms) -> Play {
    let mut stage = Stage::new(seed);
    let owner = stage.device(0);
    let community = stage.found(owner);
    stage.post(owner, community, "before");
    let link = stage.share(owner, community, terms);
    stage.run(5_000);
    Play {
        stage,
        owner,
        community,
        link,
    }
}

impl Play {
    fn ask(&mut self, device: usize) -> Result<CommunityRef, Failure> {
        let command = Command::Ask {
            link: self.link.clone(),
            persona: format!("Asker {device}"),
            note: "It is me.".into(),
        };
        match self.stage.command(device, command)? {
            Reply::Community(community) => Ok(community),
            other => Err(Failure::Internal).inspect_err(|_| println!("{other:?}")),
        }
    }

    /// Somebody new asks; the device and the community as it has it.
    fn asker(&mut self) -> Place {
        let device = self.stage.device(0);
        let there = self.ask(device).unwrap();
        self.stage.run(5_000);
        (device, there)
    }

    fn look(&mut self, device: usize) -> Result<Reply, Failure> {
        let link = self.link.clone();
        self.stage.command(device, Command::Look { link })
    }

    fn requests(&mut self) -> Vec<RequestView> {
        self.stage.requests(self.owner, self.community)
    }

    fn answer(&mut self, request: &RequestView, yes: bool) -> Result<(), Failure> {
        let act = Act::AnswerRequest {
            invite: request.invite,
            request: request.id,
            yes,
        };
        self.stage.govern(self.owner, self.community, act)
    }

    fn let_in(&mut self) {
        let requests = self.requests();
        self.answer(&requests[0], true).unwrap();
    }

    fn phase(&self, (device, community): Place) -> Option<Phase> {
        let view = self.stage.view(device, community);
        view.map(|view| view.phase)
    }

    /// Whether somebody who asks was told of an answer that does not verify.
    fn is_warned(&self, (device, community): Place) -> bool {
        let notices = self.stage.notices(device);
        notices.contains(&Notice::AnswerForged { community })
    }

    fn texts(&mut self, (device, community): Place) -> Vec<String> {
        let posts = self.stage.posts(device, community).into_iter();
        posts.map(|post| post.text).collect()
    }

    fn owners(&mut self) -> Vec<String> {
        self.texts((self.owner, self.community))
    }

    fn invite_state(&mut self) -> InviteState {
        self.stage.invites(self.owner, self.community)[0].state
    }

    fn govern(&mut self, act: Act) {
        self.stage.govern(self.owner, self.community, act).unwrap();
        self.stage.run(5_000);
    }

    fn revoke(&mut self) {
        let invite = self.stage.invites(self.owner, self.community)[0].id;
        self.govern(Act::RevokeInvite { invite });
    }
}

#[test]
fn nobody_is_ever_there_at_the_same_time() {
    let mut play = play(1);
    play.stage.stop(play.owner);
    let asker = play.stage.device(0);
    let Ok(Reply::Card(card)) = play.look(asker) else {
        panic!("no card")
    };
    assert_eq!((card.kind, card.members), (InviteKind::Private, 0));
    assert_eq!(
        (&card.community[..], &card.inviter.name[..]),
        ("Orchard", "Owner")
    );
    let there = play.ask(asker).unwrap();
    assert_eq!(play.phase((asker, there)), Some(Phase::Asking));
    play.stage.run(5_000);
    play.stage.stop(asker);
    // It is answered while the asker is gone.
    play.stage.restart(play.owner);
    play.stage.run(10_000);
    let seen = play.stage.view(play.owner, play.community).unwrap();
    assert_eq!(seen.requests, 1);
    let requests = play.requests();
    assert_eq!(
        (&requests[0].person.name[..], &requests[0].note[..]),
        ("Asker 1", "It is me.")
    );
    assert_eq!(requests[0].issuer.name, "Owner");
    play.answer(&requests[0], true).unwrap();
    play.stage.run(10_000);
    assert!(play.requests().is_empty());
    play.stage.stop(play.owner);
    // The asker comes back with everybody gone, and is in.
    play.stage.restart(asker);
    play.stage.run(20_000);
    assert_eq!(play.phase((asker, there)), Some(Phase::Live));
    assert_eq!(play.texts((asker, there)), ["before"]);
    play.stage.post(asker, there, "here I am");
    play.stage.restart(play.owner);
    play.stage.run(20_000);
    assert_eq!(play.owners(), ["before", "here I am"]);
    let names = |play: &mut Play| -> Vec<String> {
        let members = play.stage.members(play.owner, play.community);
        members.into_iter().map(|one| one.person.name).collect()
    };
    assert_eq!(names(&mut play), ["Owner", "Asker 1"]);
    // It was one place.
    assert_eq!(play.invite_state(), InviteState::UsedUp);
    let late = play.stage.device(0);
    assert_eq!(play.look(late), Err(Failure::InviteUsedUp));
    assert_eq!(play.ask(late), Err(Failure::InviteUsedUp));
}

#[test]
fn what_the_invite_grants_is_read_and_nothing_before() {
    let terms = InviteTerms {
        history: HistoryWindow::None,
        ..PRIVATE
    };
    let mut play = play_with(2, terms);
    let asker = play.asker();
    play.let_in();
    play.stage.run(10_000);
    play.stage.post(play.owner, play.community, "after");
    play.stage.run(10_000);
    assert_eq!(play.texts(asker), ["after"]);
}

#[test]
fn a_decline_is_told_and_stays() {
    let mut play = play(3);
    let asker = play.asker();
    let request = play.requests().remove(0);
    play.stage.stop(asker.0);
    play.answer(&request, false).unwrap();
    play.stage.run(5_000);
    assert!(play.requests().is_empty());
    play.stage.stop(play.owner);
    play.stage.restart(asker.0);
    play.stage.run(20_000);
    let declined = Some(Phase::Refused(Refusal::Declined));
    assert_eq!(play.phase(asker), declined);
    play.stage.stop(asker.0);
    play.stage.restart(asker.0);
    play.stage.run(5_000);
    assert_eq!(play.phase(asker), declined, "also after a restart");
    play.stage.restart(play.owner);
    play.stage.run(5_000);
    assert_eq!(play.answer(&request, true), Err(Failure::AlreadySo));
    // The place is still there for somebody else.
    let other = play.asker();
    play.let_in();
    play.stage.run(10_000);
    assert_eq!(play.phase(other), Some(Phase::Live));
    let forgotten = Command::Forget { community: asker.1 };
    assert_eq!(play.stage.command(asker.0, forgotten), Ok(Reply::Done));
    assert_eq!(play.phase(asker), None);
    let stored = play.stage.rows(asker.0);
    assert_eq!(stored.len(), 1, "only the profile is left");
}

#[test]
fn an_asking_is_taken_back() {
    let mut play = play(4);
    let asker = play.asker();
    assert_eq!(play.requests().len(), 1);
    let request = play.requests().remove(0);
    play.stage.set_offline(asker.0, true);
    let back = Command::TakeBack { community: asker.1 };
    assert_eq!(play.stage.command(asker.0, back), Ok(Reply::Done));
    assert_eq!(play.phase(asker), None);
    // It is said once there is a relay, also after a crash.
    play.stage.stop(asker.0);
    play.stage.set_offline(asker.0, false);
    play.stage.restart(asker.0);
    play.stage.run(20_000);
    assert!(play.requests().is_empty());
    assert_eq!(play.answer(&request, true), Err(Failure::NotHere));
    assert_eq!(
        play.stage.rows(asker.0).len(),
        1,
        "only the profile is left"
    );
}

#[test]
fn an_invite_is_withdrawn_while_somebody_asks() {
    let mut play = play(5);
    let asker = play.asker();
    play.revoke();
    play.stage.run(5_000);
    let withdrawn = Some(Phase::Refused(Refusal::Withdrawn));
    assert_eq!(play.phase(asker), withdrawn);
    assert!(play.requests().is_empty());
    let late = play.stage.device(0);
    assert_eq!(play.look(late), Err(Failure::InviteWithdrawn));
}

#[test]
fn an_invite_is_withdrawn_after_the_yes() {
    let mut play = play(6);
    let asker = play.asker();
    play.stage.stop(asker.0);
    play.let_in();
    play.stage.run(10_000);
    play.revoke();
    play.stage.run(10_000);
    play.stage.restart(asker.0);
    play.stage.run(30_000);
    let withdrawn = Some(Phase::Refused(Refusal::Withdrawn));
    assert_eq!(play.phase(asker), withdrawn);
    assert_eq!(play.stage.members(play.owner, play.community).len(), 1);
}

#[test]
fn an_invite_expires_before_anybody_answers() {
    let terms = InviteTerms {
        expires_in: Some(3_600),
        ..PRIVATE
    };
    let mut play = play_with(7, terms);
    let asker = play.asker();
    let request = play.requests().remove(0);
    play.stage.run(2 * 3_600_000);
    assert_eq!(play.answer(&request, true), Err(Failure::InviteExpired));
    play.stage.run(60_000);
    let expired = Some(Phase::Refused(Refusal::Expired));
    assert_eq!(play.phase(asker), expired);
    let late = play.stage.device(0);
    assert_eq!(play.look(late), Err(Failure::InviteExpired));
}

#[test]
fn two_ask_and_one_gets_in() {
    let mut play = play(8);
    let (one, two) = (play.asker(), play.asker());
    let requests = play.requests();
    assert_eq!(requests.len(), 2);
    let named = |name: &str| requests.iter().find(|one| one.person.name == name);
    play.answer(named("Asker 2").unwrap(), true).unwrap();
    let second = play.answer(named("Asker 1").unwrap(), true);
    assert_eq!(second, Err(Failure::InviteUsedUp));
    play.stage.run(20_000);
    assert_eq!(play.phase(two), Some(Phase::Live));
    let used_up = Some(Phase::Refused(Refusal::UsedUp));
    assert_eq!(play.phase(one), used_up);
}

/// Two admins answer at the same time: the ledger's order decides, and both see the same.
#[test]
fn two_answer_at_once() {
    let mut play = play(9);
    let admin = play.stage.device(0);
    let open = play.stage.share(play.owner, play.community, OPEN);
    let there = play.stage.join(admin, &open).unwrap();
    play.stage.run(5_000);
    let person = play.stage.person((admin, there));
    play.govern(Act::SetRole {
        person,
        role: Role::Admin,
    });
    let (one, two) = (play.asker(), play.asker());
    let (ours, theirs) = (play.requests(), play.stage.requests(admin, there));
    assert_eq!(ours.len(), 2);
    assert_eq!(theirs.len(), 2);
    let yes = |request: &RequestView| Act::AnswerRequest {
        invite: request.invite,
        request: request.id,
        yes: true,
    };
    let (first, second) = (yes(&ours[0]), yes(&ours[1]));
    let community = play.community;
    let asked = [
        play.stage.ask(
            play.owner,
            Command::Govern {
                community,
                act: first,
            },
        ),
        play.stage.ask(
            admin,
            Command::Govern {
                community: there,
                act: second,
            },
        ),
    ];
    play.stage.run(40_000);
    let answers = [
        play.stage.answer(play.owner, asked[0]).unwrap(),
        play.stage.answer(admin, asked[1]).unwrap(),
    ];
    let refused = Err(Failure::InviteUsedUp);
    assert!(
        answers.contains(&Ok(Reply::Done)) && answers.contains(&refused),
        "{answers:?}"
    );
    let phases = [play.phase(one), play.phase(two)];
    assert!(phases.contains(&Some(Phase::Live)), "{phases:?}");
    assert!(phases.contains(&Some(Phase::Refused(Refusal::UsedUp))));
    assert!(play.requests().is_empty());
    assert!(play.stage.requests(admin, there).is_empty());
}

#[test]
fn a_generation_ends_between_the_yes_and_coming_in() {
    let mut play = play(10);
    let guest = play.stage.device(0);
    let open = play.stage.share(play.owner, play.community, OPEN);
    let there = play.stage.join(guest, &open).unwrap();
    play.stage.run(5_000);
    let asker = play.asker();
    play.stage.stop(asker.0);
    play.let_in();
    play.stage.run(10_000);
    let person = play.stage.person((guest, there));
    play.govern(Act::Remove { person, ban: false });
    play.stage.run(10_000);
    play.stage.stop(play.owner);
    play.stage.restart(asker.0);
    play.stage.run(30_000);
    assert_eq!(play.phase(asker), Some(Phase::Live));
    assert_eq!(play.texts(asker), ["before"]);
}

/// The generation ends while whoever said yes is gone: the asker waits until they are back.
#[test]
fn an_old_answer_waits_for_a_new_one() {
    let mut play = play(11);
    let admin = play.stage.device(0);
    let guest = play.stage.device(0);
    let open = play.stage.share(play.owner, play.community, OPEN);
    let there = play.stage.join(admin, &open).unwrap();
    play.stage.join(guest, &open).unwrap();
    play.stage.run(10_000);
    let members = play.stage.members(admin, there);
    let id = |me: bool| {
        let mut others = members.iter().filter(|one| one.role == Role::Member);
        others.find(|one| one.person.me == me).unwrap().person.id
    };
    let (person, other) = (id(true), id(false));
    play.govern(Act::SetRole {
        person,
        role: Role::Admin,
    });
    let asker = play.asker();
    play.stage.stop(asker.0);
    play.let_in();
    play.stage.run(10_000);
    play.stage.stop(play.owner);
    let act = Act::Remove {
        person: other,
        ban: false,
    };
    play.stage.govern(admin, there, act).unwrap();
    play.stage.run(10_000);
    play.stage.restart(asker.0);
    play.stage.run(60_000);
    assert_eq!(play.phase(asker), Some(Phase::Asking));
    play.stage.restart(play.owner);
    play.stage.run(60_000);
    assert_eq!(play.phase(asker), Some(Phase::Live));
}

/// Whoever said yes does not come back: after a while another who may answer tells how to come in.
#[test]
fn another_tells_when_whoever_answered_does_not() {
    let mut play = play(21);
    let admin = play.stage.device(0);
    let open = play.stage.share(play.owner, play.community, OPEN);
    let there = play.stage.join(admin, &open).unwrap();
    play.stage.run(10_000);
    let person = play.stage.person((admin, there));
    play.govern(Act::SetRole {
        person,
        role: Role::Admin,
    });
    let asker = play.asker();
    play.stage.stop(asker.0);
    play.stage.set_offline(admin, true);
    // The yes is in the ledger, and the device ends before it has told.
    let requests = play.requests();
    let act = Act::AnswerRequest {
        invite: requests[0].invite,
        request: requests[0].id,
        yes: true,
    };
    let community = play.community;
    let number = play
        .stage
        .ask(play.owner, Command::Govern { community, act });
    while play.stage.answer(play.owner, number).is_none() {
        play.stage.run(1);
    }
    play.stage.stop(play.owner);
    play.stage.set_offline(admin, false);
    play.stage.restart(asker.0);
    play.stage.run(60_000);
    assert_eq!(play.phase(asker), Some(Phase::Asking));
    play.stage.run(10 * 60_000);
    assert_eq!(play.phase(asker), Some(Phase::Live));
}

#[test]
fn it_gets_over_a_crash_at_every_persist_point() {
    let (mut crashes, mut point) = ([0; 2], 0);
    loop {
        let before = crashes;
        for who in [0, 1] {
            let mut play = play(12);
            let asker = play.stage.device(0);
            play.stage.crash_after([play.owner, asker][who], point);
            let link = play.link.clone();
            let number = play.stage.ask(
                asker,
                Command::Ask {
                    link,
                    persona: "Bert".into(),
                    note: String::new(),
                },
            );
            play.stage.run(60_000);
            if play.stage.answer(asker, number).is_none() {
                // It crashed before it was durable: the person asks again.
                play.ask(asker).unwrap();
            }
            play.stage.run(60_000);
            for _ in 0..2 {
                // Who crashed before the answer was durable is asked again.
                if let Some(request) = play.requests().first().cloned() {
                    let act = Act::AnswerRequest {
                        invite: request.invite,
                        request: request.id,
                        yes: true,
                    };
                    let community = play.community;
                    play.stage
                        .ask(play.owner, Command::Govern { community, act });
                    play.stage.run(60_000);
                }
            }
            let views = play.stage.views(asker);
            let phases: Vec<Phase> = views.iter().map(|view| view.phase).collect();
            assert_eq!(phases, [Phase::Live], "{who} crashes at {point}");
            let members = play.stage.members(play.owner, play.community);
            assert_eq!(members.len(), 2, "{who} crashes at {point}");
            crashes[who] += play.stage.crashes([play.owner, asker][who]);
        }
        if crashes == before {
            break;
        }
        point += 1;
    }
    assert!(crashes[0] > 3 && crashes[1] > 5, "{crashes:?}");
}

#[test]
fn a_relay_that_was_put_back_is_asked_again() {
    let mut play = play(13);
    let memory = play.stage.remember();
    let asker = play.asker();
    assert_eq!(play.requests().len(), 1);
    play.stage.put_back(&memory);
    play.stage.run(60_000);
    play.let_in();
    play.stage.run(60_000);
    assert_eq!(play.phase(asker), Some(Phase::Live));
}

#[test]
fn a_relay_that_forgot_the_yes_gets_it_back() {
    let mut play = play(14);
    let asker = play.asker();
    let memory = play.stage.remember();
    play.stage.stop(asker.0);
    play.let_in();
    play.stage.run(10_000);
    play.stage.put_back(&memory);
    play.stage.run(60_000);
    play.stage.stop(play.owner);
    play.stage.restart(asker.0);
    play.stage.run(60_000);
    assert_eq!(play.phase(asker), Some(Phase::Live));
}

/// Another record stands where the yes was: whoever said it says it again.
#[test]
fn a_yes_that_was_replaced_is_said_again() {
    let mut play = play(15);
    let admin = play.stage.device(0);
    let open = play.stage.share(play.owner, play.community, OPEN);
    let there = play.stage.join(admin, &open).unwrap();
    play.stage.run(5_000);
    let asker = play.asker();
    play.stage.stop(asker.0);
    play.stage.stop(admin);
    let memory = play.stage.remember();
    play.let_in();
    play.stage.run(10_000);
    play.stage.stop(play.owner);
    play.stage.put_back(&memory);
    // Somebody who does not know of the yes is quicker.
    play.stage.restart(admin);
    play.stage.run(10_000);
    let profile = Act::SetProfile {
        name: "Quick".into(),
        line: String::new(),
    };
    play.stage.govern(admin, there, profile).unwrap();
    play.stage.run(10_000);
    play.stage.restart(play.owner);
    play.stage.run(120_000);
    play.stage.stop(play.owner);
    play.stage.restart(asker.0);
    play.stage.run(60_000);
    assert_eq!(play.phase(asker), Some(Phase::Live));
}

/// A relay that shows the state from before the yes keeps the asker waiting; nothing else comes of it.
#[test]
fn a_stale_relay_lets_in_nobody() {
    let mut play = play(16);
    let asker = play.asker();
    let memory = play.stage.remember();
    play.stage.stop(asker.0);
    play.let_in();
    play.stage.run(10_000);
    let now = play.stage.remember();
    play.stage.stop(play.owner);
    play.stage.roll_back(&memory);
    play.stage.restart(asker.0);
    play.stage.run(60_000);
    assert_eq!(play.phase(asker), Some(Phase::Asking));
    play.stage.stop(asker.0);
    play.stage.roll_back(&now);
    play.stage.restart(asker.0);
    play.stage.run(30_000);
    assert_eq!(play.phase(asker), Some(Phase::Live));
    assert!(!play.is_warned(asker));
}

/// Who has the link and the relay may show a card of their own. They read what is asked by it, and let in nobody.
#[test]
fn a_yes_to_what_was_asked_by_somebody_elses_card_is_not_taken() {
    let mut play = play(21);
    let poses = Unruly {
        poses: true,
        ..Unruly::default()
    };
    play.stage.unruly(play.owner, poses);
    play.stage.run(60_000);
    let asker = play.asker();
    assert!(!play.is_warned(asker));
    play.let_in();
    play.stage.run(60_000);
    assert!(play.is_warned(asker));
    assert_eq!(play.phase(asker), Some(Phase::Asking));
    assert!(play.texts(asker).is_empty());
}

#[test]
fn a_yes_that_leads_to_another_community_is_named_and_the_asking_goes_on() {
    let mut play = play(22);
    let asker = play.asker();
    let misleads = Unruly {
        misleads: true,
        ..Unruly::default()
    };
    play.stage.unruly(play.owner, misleads);
    play.let_in();
    play.stage.run(60_000);
    assert!(play.is_warned(asker));
    assert_eq!(play.phase(asker), Some(Phase::Asking));
    play.stage.unruly(play.owner, Unruly::default());
    // With a new generation comes a new answer.
    play.stage.share(play.owner, play.community, OPEN);
    play.revoke();
    play.stage.run(60_000);
    assert_eq!(play.phase(asker), Some(Phase::Live));
}

#[test]
fn a_private_link_is_for_asking_and_an_open_one_for_joining() {
    let mut play = play(17);
    let stranger = play.stage.device(0);
    let link = play.link.clone();
    assert_eq!(play.stage.join(stranger, &link), Err(Failure::NotAllowed));
    play.link = play.stage.share(play.owner, play.community, OPEN);
    assert_eq!(play.ask(stranger), Err(Failure::NotAllowed));
    play.link = link.clone();
    let long = Command::Ask {
        link,
        persona: String::new(),
        note: "x".repeat(501),
    };
    assert_eq!(play.stage.command(stranger, long), Err(Failure::BadText));
    // Who asks twice asks once.
    let first = play.ask(stranger).unwrap();
    assert_eq!(play.ask(stranger), Ok(first));
    play.stage.run(10_000);
    assert_eq!(play.requests().len(), 1);
    let Ok(Reply::Card(card)) = play.look(stranger) else {
        panic!("no card")
    };
    assert_eq!(card.already, Some(first));
}

/// Who finds another way in takes the asking back with it.
#[test]
fn who_comes_in_by_an_open_link_no_longer_asks() {
    let mut play = play(18);
    let asker = play.asker();
    let open = play.stage.share(play.owner, play.community, OPEN);
    play.stage.join(asker.0, &open).unwrap();
    play.stage.run(10_000);
    assert!(play.requests().is_empty());
    assert_eq!(play.stage.views(asker.0).len(), 1);
}

#[test]
fn a_community_may_let_in_people_it_said_yes_to_only() {
    let mut play = play(19);
    let open = play.stage.share(play.owner, play.community, OPEN);
    let rules = |private_only| Act::SetRules {
        rules: Rules {
            private_only,
            ..Rules::default()
        },
    };
    play.govern(rules(true));
    let command = Command::Share {
        community: play.community,
        terms: OPEN,
    };
    let refused = play.stage.command(play.owner, command);
    assert_eq!(refused, Err(Failure::NotAllowed));
    let stranger = play.stage.device(0);
    let closed = play.stage.join(stranger, &open);
    // No bundle leads on to the generation that the rule began.
    assert!(
        matches!(
            closed,
            Err(Failure::InvitePaused | Failure::InviteWithdrawn)
        ),
        "{closed:?}"
    );
    let asker = play.asker();
    play.let_in();
    play.stage.run(10_000);
    assert_eq!(play.phase(asker), Some(Phase::Live));
    play.govern(rules(false));
    assert!(play.stage.join(stranger, &open).is_ok());
}

/// What lies in a private invite's lane and request lane says nothing of members, and a member without the right to answer
/// does not see who asks.
#[test]
fn a_member_who_may_not_answer_sees_no_request() {
    let mut play = play(20);
    let guest = play.stage.device(0);
    let open = play.stage.share(play.owner, play.community, OPEN);
    let there = play.stage.join(guest, &open).unwrap();
    play.stage.run(5_000);
    play.asker();
    assert_eq!(play.requests().len(), 1);
    assert!(play.stage.requests(guest, there).is_empty());
    let request = play.requests().remove(0);
    let act = Act::AnswerRequest {
        invite: request.invite,
        request: request.id,
        yes: true,
    };
    let answered = play.stage.govern(guest, there, act);
    assert_eq!(answered, Err(Failure::NotHere));
}

//! Plays about who may do what.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // what tests share is a test as well

use ume_api::{Act, Command, CommunityRef, Failure, InviteTerms, PostState, Role, Rules};
use ume_engine::audit::{Refusal, Rejected};
use ume_sim::{OPEN, Place, Stage};

/// An owner and some guests, all there.
struct Play {
    stage: Stage,
    owner: usize,
    community: CommunityRef,
    guests: Vec<Place>,
}

fn play(seed: u8, guests: usize) -> Play {
    let (stage, opening) = Stage::opened(seed, guests);
    let (owner, community) = opening.owner;
    Play {
        stage,
        owner,
        community,
        guests: opening.guests,
    }
}

impl Play {
    fn role(&mut self, of: Place, role: Role) -> Result<(), Failure> {
        let person = self.stage.person(of);
        let (owner, community) = (self.owner, self.community);
        let done = self
            .stage
            .govern(owner, community, Act::SetRole { person, role });
        self.stage.run(5_000);
        done
    }

    fn texts(&mut self, (device, community): Place) -> Vec<(String, PostState)> {
        let posts = self.stage.posts(device, community).into_iter();
        posts.map(|post| (post.text, post.state)).collect()
    }

    fn owners(&mut self) -> Vec<String> {
        let own = (self.owner, self.community);
        self.texts(own).into_iter().map(|(text, _)| text).collect()
    }
}

fn post((_, community): Place, text: &str) -> Command {
    Command::Post {
        community,
        text: text.into(),
        lifetime: None,
    }
}

#[test]
fn a_reader_cannot_post_and_an_admin_can_invite() {
    let mut play = play(1, 1);
    let guest = play.guests[0];
    let share = Command::Share {
        community: guest.1,
        terms: OPEN,
    };
    let denied = Err(Failure::NotAllowed);
    assert_eq!(play.stage.command(guest.0, share.clone()), denied);
    play.role(guest, Role::Reader).unwrap();
    let view = play.stage.view(guest.0, guest.1).unwrap();
    assert_eq!((view.role, view.rules), (Role::Reader, Rules::default()));
    assert_eq!(play.stage.command(guest.0, post(guest, "quiet?")), denied);
    play.role(guest, Role::Admin).unwrap();
    play.stage.post(guest.0, guest.1, "as an admin");
    let link = play.stage.share(guest.0, guest.1, OPEN);
    let newcomer = play.stage.device(0);
    let there = play.stage.join(newcomer, &link).unwrap();
    play.stage.run(10_000);
    assert_eq!(
        play.texts((newcomer, there)),
        [("as an admin".to_owned(), PostState::Received)]
    );
    let roles = |members: Vec<ume_api::MemberView>| -> Vec<Role> {
        members.iter().map(|one| one.role).collect()
    };
    let seen = play.stage.members(newcomer, there);
    assert_eq!(roles(seen), [Role::Owner, Role::Admin, Role::Member]);
    // Who may no longer invite has no links that work.
    play.role(guest, Role::Member).unwrap();
    let late = play.stage.device(0);
    assert_eq!(play.stage.join(late, &link), Err(Failure::InviteWithdrawn));
}

#[test]
fn members_do_not_govern() {
    let mut play = play(2, 2);
    let (guest, other) = (play.guests[0], play.guests[1]);
    let person = play.stage.person(other);
    let acts = [
        Act::SetRole {
            person,
            role: Role::Reader,
        },
        Act::SetRules {
            rules: Rules {
                post: Role::Admin,
                ..Rules::default()
            },
        },
    ];
    for act in acts {
        let done = play.stage.govern(guest.0, guest.1, act);
        assert_eq!(done, Err(Failure::NotAllowed));
    }
    let unsound = Act::SetRules {
        rules: Rules {
            moderate: Role::Member,
            ..Rules::default()
        },
    };
    let done = play.stage.govern(play.owner, play.community, unsound);
    assert_eq!(done, Err(Failure::BadText));
}

#[test]
fn a_newcomer_by_a_link_for_readers_reads() {
    let mut play = play(3, 0);
    let terms = InviteTerms {
        role: Role::Reader,
        ..OPEN
    };
    play.stage.post(play.owner, play.community, "news");
    let link = play.stage.share(play.owner, play.community, terms);
    let reader = play.stage.device(0);
    let there = play.stage.join(reader, &link).unwrap();
    play.stage.run(10_000);
    assert_eq!(play.texts((reader, there)).len(), 1);
    assert_eq!(
        play.stage.command(reader, post((reader, there), "hm")),
        Err(Failure::NotAllowed)
    );
    let too_much = InviteTerms {
        role: Role::Admin,
        ..OPEN
    };
    let (community, terms) = (play.community, too_much);
    assert_eq!(
        play.stage
            .command(play.owner, Command::Share { community, terms }),
        Err(Failure::NotAllowed)
    );
}

#[test]
fn what_was_not_known_when_the_right_ended_is_taken_by_nobody() {
    let mut play = play(4, 2);
    let (guest, other) = (play.guests[0], play.guests[1]);
    play.stage.post(guest.0, guest.1, "known");
    play.stage.run(5_000);
    play.stage.set_offline(guest.0, true);
    play.stage.post(guest.0, guest.1, "late");
    play.stage.post(guest.0, guest.1, "later");
    play.role(guest, Role::Reader).unwrap();
    play.stage.set_offline(guest.0, false);
    play.stage.run(60_000);
    let seen = play.texts(guest);
    let refused = |text: &str| (text.to_owned(), PostState::Refused);
    assert_eq!(seen[0].1, PostState::Sent);
    assert_eq!(seen[1..], [refused("late"), refused("later")]);
    assert_eq!(play.owners(), ["known"]);
    assert_eq!(play.stage.audit(guest.0).unwrap().unsettled, 0);
    // With the right back, the device goes on from where it was cut.
    play.role(guest, Role::Member).unwrap();
    play.stage.post(guest.0, guest.1, "again");
    play.stage.run(60_000);
    assert_eq!(play.owners(), ["known", "again"]);
    for device in [play.owner, guest.0, other.0] {
        let audit = play.stage.audit(device).unwrap();
        assert!(audit.live && audit.missing == 0, "{device}: {audit:?}");
    }
}

/// A member whose program does not know that it may no longer post: its words travel, and nobody takes them.
#[test]
fn a_post_that_overtakes_the_news_is_rejected_by_name() {
    let mut play = play(5, 1);
    let guest = play.guests[0];
    let person = play.stage.person(guest);
    let (owner, community) = (play.owner, play.community);
    let act = Act::SetRole {
        person,
        role: Role::Reader,
    };
    play.stage.ask(owner, Command::Govern { community, act });
    // The record is on its way; the guest writes before it arrives.
    for n in 0..40 {
        play.stage.ask(guest.0, post(guest, &format!("word {n}")));
        play.stage.run(4);
    }
    play.stage.run(120_000);
    let (here, there) = (play.texts((owner, community)), play.texts(guest));
    let taken = there.iter().filter(|(_, state)| *state == PostState::Sent);
    assert_eq!(taken.count(), here.len());
    assert!(there.iter().any(|(_, state)| *state == PostState::Refused));
    let audit = play.stage.audit(owner).unwrap();
    let named = Rejected::Entry(Refusal::Backdated);
    assert!(audit.rejected.contains_key(&named), "{:?}", audit.rejected);
    assert_eq!(audit.missing, 0);
}

#[test]
fn rules_that_silence_members_bind_them_and_can_be_taken_back() {
    let mut play = play(6, 2);
    let guest = play.guests[0];
    play.stage.post(guest.0, guest.1, "before");
    play.stage.run(5_000);
    let quiet = Rules {
        post: Role::Admin,
        ..Rules::default()
    };
    let set = |play: &mut Play, rules: Rules| {
        let act = Act::SetRules { rules };
        play.stage.govern(play.owner, play.community, act).unwrap();
        play.stage.run(5_000);
    };
    set(&mut play, quiet);
    assert_eq!(play.stage.view(guest.0, guest.1).unwrap().rules, quiet);
    assert_eq!(
        play.stage.command(guest.0, post(guest, "during")),
        Err(Failure::NotAllowed)
    );
    play.stage.post(play.owner, play.community, "announcement");
    set(&mut play, Rules::default());
    play.stage.post(guest.0, guest.1, "after");
    play.stage.run(10_000);
    assert_eq!(play.owners(), ["before", "announcement", "after"]);
    let again = play.stage.govern(
        play.owner,
        play.community,
        Act::SetRules {
            rules: Rules::default(),
        },
    );
    assert_eq!(again, Err(Failure::AlreadySo));
}

#[test]
fn pins_show_everywhere() {
    let mut play = play(7, 1);
    let guest = play.guests[0];
    let (owner, community) = (play.owner, play.community);
    play.stage.post(owner, community, "rules");
    let id = play.stage.posts(owner, community)[0].id;
    let pin = |on| Act::Pin { post: id, on };
    assert_eq!(
        play.stage.govern(guest.0, guest.1, pin(true)),
        Err(Failure::NotAllowed)
    );
    play.stage.govern(owner, community, pin(true)).unwrap();
    play.stage.run(5_000);
    assert_eq!(play.stage.view(guest.0, guest.1).unwrap().pinned, [id]);
    play.stage.govern(owner, community, pin(false)).unwrap();
    play.stage.run(5_000);
    assert!(play.stage.view(guest.0, guest.1).unwrap().pinned.is_empty());
}

#[test]
fn ownership_is_handed_over_by_offer_and_acceptance() {
    let mut play = play(8, 1);
    let guest = play.guests[0];
    let (owner, community) = (play.owner, play.community);
    let heir = play.stage.person(guest);
    let from = play.stage.person((owner, community));
    let accept = Act::AcceptOwnership { from };
    assert_eq!(
        play.stage.govern(guest.0, guest.1, accept.clone()),
        Err(Failure::NotAllowed)
    );
    let offer = Act::OfferOwnership {
        person: heir,
        on: true,
        stay: false,
    };
    play.stage.govern(owner, community, offer.clone()).unwrap();
    play.stage.run(5_000);
    let offering = |play: &Play| play.stage.view(owner, community).unwrap().offering;
    assert_eq!(offering(&play), [heir]);
    let decline = Act::DeclineOwnership { from };
    play.stage.govern(guest.0, guest.1, decline).unwrap();
    play.stage.run(5_000);
    assert!(offering(&play).is_empty(), "turned down");
    play.stage.govern(owner, community, offer).unwrap();
    play.stage.run(5_000);
    let seen = play.stage.view(guest.0, guest.1).unwrap();
    assert_eq!((seen.role, seen.offered), (Role::Member, vec![from]));
    play.stage.govern(guest.0, guest.1, accept).unwrap();
    play.stage.run(5_000);
    let role = |play: &Play, device, community| play.stage.view(device, community).unwrap().role;
    assert_eq!(role(&play, guest.0, guest.1), Role::Owner);
    assert_eq!(role(&play, owner, community), Role::Admin);
    play.stage.govern(owner, community, Act::Leave).unwrap();
    play.stage.run(10_000);
    play.stage.post(guest.0, guest.1, "mine now");
    assert_eq!(play.stage.members(guest.0, guest.1).len(), 1);
}

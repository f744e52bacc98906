//! Plays about the ends of memberships and of invites.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // what tests share is a test as well

use ume_api::{
    Act, Command, Departure, Failure, InviteState, InviteTerms, Notice, PersonId, Phase, PostState,
    Reply,
};
use ume_sim::{OPEN, Place, Stage};

/// An owner and some guests, all there.
struct Play {
    stage: Stage,
    owner: Place,
    link: String,
    guests: Vec<Place>,
}

fn play(seed: u8, guests: usize) -> Play {
    let (stage, opening) = Stage::opened(seed, guests);
    Play {
        stage,
        owner: opening.owner,
        link: opening.link,
        guests: opening.guests,
    }
}

impl Play {
    fn joins(&mut self) -> Result<Place, Failure> {
        let link = self.link.clone();
        self.stage.guest(&link)
    }

    /// Who went, and how, as a device shows it.
    fn former(&mut self, (device, community): Place) -> Vec<(PersonId, Departure)> {
        let answer = self.stage.command(device, Command::Former { community });
        let Ok(Reply::Former(former)) = answer else {
            return vec![];
        };
        former.iter().map(|one| (one.person.id, one.how)).collect()
    }

    fn removes(&mut self, whom: Place, ban: bool) {
        let person = self.stage.person(whom);
        let act = Act::Remove { person, ban };
        self.stage.govern(self.owner.0, self.owner.1, act).unwrap();
        self.stage.run(10_000);
    }

    fn says(&mut self, (device, community): Place, text: &str) {
        self.stage.post(device, community, text);
        self.stage.run(5_000);
    }

    fn texts(&mut self, (device, community): Place) -> Vec<String> {
        let posts = self.stage.posts(device, community).into_iter();
        posts.map(|post| post.text).collect()
    }

    fn phase(&self, (device, community): Place) -> Phase {
        self.stage.view(device, community).unwrap().phase
    }

    fn agree(&self, places: &[Place]) {
        let first = self.stage.audit(places[0].0).unwrap();
        for (device, _) in places {
            let audit = self.stage.audit(*device).unwrap();
            assert!(audit.live && audit.missing == 0, "{device}: {audit:?}");
            assert_eq!(audit.ledger, first.ledger);
            assert_eq!(audit.authenticator, first.authenticator);
            assert_eq!(audit.entries, first.entries);
        }
    }
}

#[test]
fn who_is_taken_out_reads_and_writes_nothing_later() {
    let mut play = play(1, 2);
    let (owner, gone, other) = (play.owner, play.guests[0], play.guests[1]);
    play.says(gone, "before");
    play.removes(gone, false);
    play.says(owner, "after");
    play.says(other, "after as well");
    assert_eq!(play.phase(gone), Phase::Ended(Departure::Removed));
    assert_eq!(play.texts(gone), ["before"]);
    let post = Command::Post {
        community: gone.1,
        text: "still here".into(),
        lifetime: None,
    };
    assert_eq!(play.stage.command(gone.0, post), Err(Failure::NotAllowed));
    let all = ["before", "after", "after as well"];
    assert_eq!(play.texts(owner), all);
    play.agree(&[owner, other]);
    assert_eq!(play.stage.audit(owner.0).unwrap().generation, 2);
    // What was written before still has its author's name.
    let posts = play.stage.posts(owner.0, owner.1);
    assert!(!posts[0].author.name.is_empty());
    // The link works as before, and leads to the history of both generations.
    let newcomer = play.joins().unwrap();
    play.stage.run(20_000);
    assert_eq!(play.texts(newcomer), all);
    play.says(newcomer, "hello");
    play.stage.run(10_000);
    play.agree(&[owner, other, newcomer]);
    // Once more, by somebody who was not there the first time.
    play.removes(other, false);
    play.says(newcomer, "and then there were two");
    play.stage.run(10_000);
    play.agree(&[owner, newcomer]);
    assert_eq!(play.texts(other).len(), 4);
}

#[test]
fn who_was_away_finds_out_and_keeps_what_nobody_took() {
    let mut play = play(2, 2);
    let (owner, gone, other) = (play.owner, play.guests[0], play.guests[1]);
    play.says(gone, "known");
    play.stage.set_offline(gone.0, true);
    play.says(gone, "written far away");
    play.removes(gone, false);
    play.says(owner, "news");
    play.stage.set_offline(gone.0, false);
    play.stage.run(60_000);
    assert_eq!(play.phase(gone), Phase::Ended(Departure::Removed));
    let seen = play.stage.posts(gone.0, gone.1);
    let states: Vec<_> = seen.iter().map(|post| post.state).collect();
    assert_eq!(states, [PostState::Sent, PostState::Refused]);
    assert_eq!(play.texts(other), ["known", "news"]);
    play.agree(&[owner, other]);
}

#[test]
fn a_ban_ends_all_links_and_says_so() {
    let mut play = play(3, 2);
    let (owner, gone) = (play.owner, play.guests[0]);
    let banned = play.stage.person(gone);
    play.removes(gone, true);
    assert_eq!(play.phase(gone), Phase::Ended(Departure::Banned));
    let notices = play.stage.notices(owner.0);
    assert!(
        notices.contains(&Notice::LinksEnded { count: 1 }),
        "{notices:?}"
    );
    assert_eq!(play.joins(), Err(Failure::InviteWithdrawn));
    let states: Vec<_> = play.stage.invites(owner.0, owner.1);
    assert_eq!(states[0].state, InviteState::Banned);
    assert_eq!(play.former(owner), [(banned, Departure::Banned)]);
    play.link = play.stage.share(owner.0, owner.1, OPEN);
    let newcomer = play.joins().unwrap();
    play.stage.run(10_000);
    play.agree(&[owner, play.guests[1], newcomer]);
}

#[test]
fn who_goes_is_gone_and_may_come_again_as_somebody_new() {
    let mut play = play(4, 2);
    let (owner, gone, other) = (play.owner, play.guests[0], play.guests[1]);
    play.says(gone, "bye");
    let first = play.stage.person(gone);
    assert_eq!(
        play.stage.govern(owner.0, owner.1, Act::Leave),
        Err(Failure::NotAllowed),
        "the last owner stays"
    );
    let forget = Command::Forget { community: gone.1 };
    assert_eq!(
        play.stage.command(gone.0, forget.clone()),
        Err(Failure::NotAllowed)
    );
    play.stage.govern(gone.0, gone.1, Act::Leave).unwrap();
    play.stage.run(10_000);
    assert_eq!(play.phase(gone), Phase::Ended(Departure::Left));
    assert_eq!(play.former(other), [(first, Departure::Left)]);
    play.says(owner, "safe travels");
    play.agree(&[owner, other]);
    let audit = play.stage.audit(owner.0).unwrap();
    assert_eq!(
        audit.generation, 2,
        "whoever came first has removed the leaf"
    );
    assert_eq!(play.stage.members(owner.0, owner.1).len(), 2);
    assert_eq!(play.texts(gone), ["bye"]);
    let link = play.link.clone();
    let again = (gone.0, play.stage.join(gone.0, &link).unwrap());
    play.stage.run(20_000);
    assert_ne!(play.stage.person(again), first);
    assert_eq!(play.texts(again), ["bye", "safe travels"]);
    assert_eq!(play.stage.command(gone.0, forget), Ok(Reply::Done));
    assert_eq!(play.stage.view(gone.0, gone.1), None);
    play.agree(&[owner, other, again]);
}

#[test]
fn a_withdrawn_invite_is_refused_and_counted() {
    let mut play = play(5, 1);
    let owner = play.owner;
    let terms = InviteTerms {
        max_uses: Some(3),
        ..OPEN
    };
    let link = play.stage.share(owner.0, owner.1, terms);
    let guest = play.stage.device(0);
    let there = play.stage.join(guest, &link).unwrap();
    play.stage.run(5_000);
    let list = play.stage.invites(guest, there);
    let uses: Vec<_> = list.iter().map(|one| (one.uses, one.max_uses)).collect();
    assert_eq!(uses, [(1, Some(3)), (1, None)]);
    let act = Act::RevokeInvite { invite: list[0].id };
    assert_eq!(
        play.stage.govern(guest, there, act.clone()),
        Err(Failure::NotAllowed)
    );
    play.stage.govern(owner.0, owner.1, act).unwrap();
    play.stage.run(5_000);
    let late = play.stage.device(0);
    assert_eq!(play.stage.join(late, &link), Err(Failure::InviteWithdrawn));
    // The other link leads on.
    let newcomer = play.joins().unwrap();
    play.stage.run(5_000);
    play.agree(&[owner, play.guests[0], (guest, there), newcomer]);
}

#[test]
fn an_invite_waits_for_its_maker_when_the_keys_were_renewed_without_them() {
    let mut play = play(6, 2);
    let (owner, gone, other) = (play.owner, play.guests[0], play.guests[1]);
    play.stage.set_offline(owner.0, true);
    play.stage.govern(gone.0, gone.1, Act::Leave).unwrap();
    play.stage.run(20_000);
    assert_eq!(play.stage.audit(other.0).unwrap().generation, 2);
    assert_eq!(play.joins(), Err(Failure::InvitePaused));
    play.stage.set_offline(owner.0, false);
    play.stage.run(60_000);
    let newcomer = play.joins().unwrap();
    play.stage.run(20_000);
    play.agree(&[owner, other, newcomer]);
}

#[test]
fn a_generation_lasts_a_month() {
    let mut play = play(7, 2);
    let (owner, one, two) = (play.owner, play.guests[0], play.guests[1]);
    play.says(one, "January");
    for (device, _) in [owner, one, two] {
        play.stage.stop(device);
    }
    play.stage.run(31 * 24 * 3600 * 1000);
    for (device, _) in [owner, one, two] {
        play.stage.restart(device);
    }
    play.stage.run(60_000);
    play.says(two, "February");
    play.stage.run(10_000);
    assert_eq!(play.stage.audit(owner.0).unwrap().generation, 2);
    play.agree(&[owner, one, two]);
    let newcomer = play.joins().unwrap();
    play.stage.run(20_000);
    assert_eq!(play.texts(newcomer), ["January", "February"]);
}

#[test]
fn what_somebody_posted_just_before_they_were_taken_out_is_there_for_newcomers() {
    let mut play = play(21, 2);
    let (owner, late) = (play.owner, play.guests[0]);
    // A new day, whose history lane nobody pays for: the post reaches those who are there and nobody else.
    play.stage.run(24 * 3600 * 1000);
    play.stage.want_access(&[[5; 32]]);
    play.says(late, "just in time");
    assert_eq!(play.texts(owner), ["just in time"]);
    assert_eq!(play.stage.audit(late.0).unwrap().unsettled, 1);
    play.stage.want_access(&[]);
    play.removes(late, false);
    play.stage.run(120_000);
    let new = play.joins().unwrap();
    play.stage.run(20_000);
    assert_eq!(play.texts(new), ["just in time"]);
}

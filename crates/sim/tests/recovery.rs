//! Plays about a recovery that was a mistake: contested by a device of the old persona, undone by an owner.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::panic)] // what tests share is a test as well

use ume_api::{Act, Command, Contest, EntryId, Failure, PersonId, Reply, Role};
use ume_sim::{Place, Stage};

/// An owner, somebody whose device is away, somebody who says to be them, and one more.
struct Play {
    stage: Stage,
    link: String,
    owner: Place,
    old: Place,
    new: Place,
    other: Place,
    was: PersonId,
    post: EntryId,
}

fn play(seed: u8) -> Play {
    let (mut stage, opening) = Stage::opened(seed, 3);
    let [old, new, other] = opening.guests[..] else {
        panic!("three guests");
    };
    stage.post(old.0, old.1, "mine");
    stage.run(8_000);
    let owner = opening.owner;
    let post = stage.posts(owner.0, owner.1).remove(0);
    let was = post.author.id;
    let post = post.id;
    let role = Act::SetRole {
        person: was,
        role: Role::Admin,
    };
    stage.govern(owner.0, owner.1, role).unwrap();
    stage.run(5_000);
    stage.stop(old.0);
    let mut play = Play {
        stage,
        link: opening.link,
        owner,
        old,
        new,
        other,
        was,
        post,
    };
    let new = play.stage.person(play.new);
    let recover = Act::Recover { old: was, new };
    play.does(play.owner, recover).unwrap();
    play
}

impl Play {
    fn does(&mut self, who: Place, act: Act) -> Result<(), Failure> {
        let result = self.stage.govern(who.0, who.1, act);
        self.stage.run(10_000);
        result
    }

    fn contests(&mut self, who: Place) -> Result<Reply, Failure> {
        let said = Command::Contest { community: who.1 };
        let result = self.stage.command(who.0, said);
        self.stage.run(20_000);
        result
    }

    fn contest_at(&self, who: Place) -> Option<Contest> {
        self.stage.view(who.0, who.1).unwrap().contest
    }

    /// Who owns the post, and whether its way there is contested, as somebody sees it.
    fn owned(&mut self, who: Place) -> (PersonId, Vec<bool>) {
        let (community, post) = (who.1, self.post);
        let posts = self.stage.posts(who.0, community);
        let owner = posts.iter().find(|one| one.id == post).unwrap().owner.id;
        let chain = Command::Owners { community, post };
        match self.stage.command(who.0, chain) {
            Ok(Reply::Owners(chain)) => (owner, chain.iter().map(|one| one.contested).collect()),
            other => panic!("{other:?}"),
        }
    }

    /// Whether the new persona bears the mark, and the old one in the list of those who went.
    fn marked(&mut self, who: Place) -> (bool, bool) {
        let new = self.stage.person(self.new);
        let members = self.stage.members(who.0, who.1);
        let member = members.iter().find(|one| one.person.id == new).unwrap();
        let community = who.1;
        let Ok(Reply::Former(former)) = self.stage.command(who.0, Command::Former { community })
        else {
            panic!("no list");
        };
        let former = former.iter().find(|one| one.person.id == self.was);
        let former = former.is_some_and(|one| {
            assert_eq!(one.now.as_ref().map(|now| now.id), Some(new));
            one.contested
        });
        (member.contested, former)
    }
}

#[test]
fn a_device_that_turns_up_contests_its_persons_recovery_and_everybody_sees_it() {
    let mut play = play(1);
    let (owner, old, new, other) = (play.owner, play.old, play.new, play.other);
    assert_eq!(play.contests(new), Err(Failure::NotAllowed));
    assert_eq!(play.contests(owner), Err(Failure::NotAllowed));
    play.stage.restart(old.0);
    play.stage.run(30_000);
    assert_eq!(play.contest_at(old), Some(Contest::Possible));
    // Nobody is there to carry it but the lane.
    for (device, _) in [owner, new, other] {
        play.stage.stop(device);
    }
    assert_eq!(play.contests(old), Ok(Reply::Done));
    assert_eq!(play.contest_at(old), Some(Contest::Sent));
    assert_eq!(play.contests(old), Err(Failure::AlreadySo));
    play.stage.stop(old.0);
    for (device, _) in [owner, new, other] {
        play.stage.restart(device);
    }
    play.stage.run(60_000);
    let now = play.stage.person(new);
    for who in [owner, new, other] {
        assert_eq!(play.marked(who), (true, true));
        // Nothing goes back by itself.
        assert_eq!(play.owned(who), (now, vec![true]));
    }
    play.stage.restart(old.0);
    play.stage.run(20_000);
    assert_eq!(play.contest_at(old), Some(Contest::Sent));
    // A newcomer sees it too.
    let guest = play.stage.device(0);
    let link = play.link.clone();
    let late = (guest, play.stage.join(guest, &link).unwrap());
    play.stage.run(20_000);
    assert_eq!(play.marked(late), (true, true));
    assert_eq!(play.owned(late), (now, vec![true]));
}

#[test]
fn a_contest_that_was_begun_offline_survives_the_program() {
    let mut play = play(2);
    let (owner, old) = (play.owner, play.old);
    play.stage.restart(old.0);
    play.stage.run(30_000);
    play.stage.set_offline(old.0, true);
    assert_eq!(play.contests(old), Ok(Reply::Done));
    assert_eq!(play.contest_at(old), Some(Contest::Sending));
    play.stage.stop(old.0);
    play.stage.restart(old.0);
    play.stage.set_offline(old.0, false);
    play.stage.run(60_000);
    assert_eq!(play.contest_at(old), Some(Contest::Sent));
    assert_eq!(play.marked(owner), (true, true));
    let audit = play.stage.audit(owner.0).unwrap();
    assert!(audit.rejected.is_empty(), "{:?}", audit.rejected);
}

#[test]
fn an_owner_undoes_a_recovery_and_who_is_back_has_all_they_had() {
    let mut play = play(3);
    let (owner, old, new, other) = (play.owner, play.old, play.new, play.other);
    let (was, now) = (play.was, play.stage.person(new));
    let undo = Act::UndoRecovery { old: was };
    // Meanwhile the other one has given the post away.
    let to = play.stage.person(other);
    let given = Act::Transfer {
        from: now,
        to,
        post: Some(play.post),
    };
    play.does(new, given).unwrap();
    assert_eq!(play.does(new, undo.clone()), Err(Failure::NotAllowed));
    play.does(owner, undo.clone()).unwrap();
    assert_eq!(play.does(owner, undo), Err(Failure::AlreadySo));
    for who in [owner, new, other] {
        let (whose, chain) = play.owned(who);
        assert_eq!((whose, chain.len()), (was, 3));
        let members = play.stage.members(who.0, who.1);
        let member = members.iter().find(|one| one.person.id == now).unwrap();
        assert_eq!((member.role, &member.was), (Role::Member, &None));
    }
    play.stage.restart(old.0);
    play.stage.run(30_000);
    // A link leads in again, as the same person.
    let link = play.link.clone();
    let back = (old.0, play.stage.join(old.0, &link).unwrap());
    play.stage.run(20_000);
    assert_eq!(play.stage.person(back), was);
    let members = play.stage.members(owner.0, owner.1);
    let member = members.iter().find(|one| one.person.id == was).unwrap();
    assert_eq!(member.role, Role::Admin);
    let (community, post) = (back.1, play.post);
    let text = "mine again".to_owned();
    let edit = Command::Edit {
        community,
        post,
        text,
    };
    assert_eq!(play.stage.command(back.0, edit), Ok(Reply::Done));
    play.stage.run(10_000);
    for who in [owner, new, other, back] {
        let posts = play.stage.posts(who.0, who.1);
        assert_eq!(posts[0].text, "mine again", "{}", who.0);
    }
}

#[test]
fn who_is_back_edits_what_was_theirs_before_and_everybody_sees_it() {
    let mut play = play(4);
    let (new, owner, other) = (play.new, play.owner, play.other);
    let (community, post) = (new.1, play.post);
    for who in [new, owner, other] {
        play.stage.posts(who.0, who.1);
    }
    let text = "mine again".to_owned();
    let edit = Command::Edit {
        community,
        post,
        text: text.clone(),
    };
    assert_eq!(play.stage.command(new.0, edit), Ok(Reply::Done));
    play.stage.run(10_000);
    for who in [new, owner, other] {
        let posts = play.stage.posts(who.0, who.1);
        let seen = posts.iter().find(|one| one.id == post).unwrap();
        assert_eq!(seen.text, text);
        // Who has the feed open is told.
        let told = play.stage.news_of(who.0, post);
        assert!(
            who == new || told.is_some_and(|told| told.text == text),
            "{who:?}"
        );
    }
}

//! Plays about what becomes of posts: edited, taken back, given to somebody, hidden.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // what tests share is a test as well

use ume_api::{Act, Command, EntryId, Failure, Hidden, PostView, Reply};
use ume_sim::{Place, Stage};

struct Play {
    stage: Stage,
    link: String,
    owner: Place,
    one: Place,
    two: Place,
}

fn play(seed: u8) -> Play {
    let (stage, opening) = Stage::opened(seed, 2);
    Play {
        stage,
        link: opening.link,
        owner: opening.owner,
        one: opening.guests[0],
        two: opening.guests[1],
    }
}

impl Play {
    fn asks(&mut self, who: Place, command: Command) -> Result<Reply, Failure> {
        let reply = self.stage.command(who.0, command);
        self.stage.run(8_000);
        reply
    }

    fn says(&mut self, who: Place, text: &str) -> EntryId {
        self.stage.post(who.0, who.1, text);
        self.stage.run(8_000);
        let posts = self.stage.posts(who.0, who.1);
        posts.iter().find(|post| post.text == text).unwrap().id
    }

    fn edits(&mut self, who: Place, post: EntryId, text: &str) -> Result<Reply, Failure> {
        let (community, text) = (who.1, text.to_owned());
        self.asks(
            who,
            Command::Edit {
                community,
                post,
                text,
            },
        )
    }

    fn takes_back(&mut self, who: Place, post: EntryId) -> Result<Reply, Failure> {
        let community = who.1;
        self.asks(who, Command::Unpublish { community, post })
    }

    fn post(&mut self, who: Place, id: EntryId) -> PostView {
        let posts = self.stage.posts(who.0, who.1);
        posts.into_iter().find(|post| post.id == id).unwrap()
    }

    fn texts(&mut self, who: Place, id: EntryId) -> Vec<String> {
        let (community, post) = (who.1, id);
        match self.asks(who, Command::Versions { community, post }) {
            Ok(Reply::Versions(versions)) => versions.into_iter().map(|one| one.text).collect(),
            _ => vec![],
        }
    }

    fn agree(&self, places: &[Place]) {
        let first = self.stage.audit(places[0].0).unwrap();
        for (device, _) in places {
            let audit = self.stage.audit(*device).unwrap();
            assert!(audit.live && audit.missing == 0, "{device}: {audit:?}");
            assert_eq!(audit.entries, first.entries, "{device}");
            assert_eq!(audit.posts, first.posts, "{device}");
        }
    }

    /// Whether a device's store holds some words.
    fn stores(&self, who: Place, words: &str) -> bool {
        let rows = self.stage.rows(who.0);
        rows.iter().any(|(_, row)| {
            row.windows(words.len())
                .any(|part| part == words.as_bytes())
        })
    }
}

const DONE: Result<Reply, Failure> = Ok(Reply::Done);

#[test]
fn an_edit_replaces_the_text_and_keeps_the_old_one() {
    let mut play = play(1);
    let (owner, one, two) = (play.owner, play.one, play.two);
    let post = play.says(one, "frist");
    assert_eq!(play.edits(owner, post, "mine"), Err(Failure::NotAllowed));
    assert_eq!(play.edits(one, post, ""), Err(Failure::BadText));
    assert_eq!(play.edits(one, post, "first"), DONE);
    assert_eq!(play.edits(one, post, "first!"), DONE);
    for who in [owner, one, two] {
        let view = play.post(who, post);
        assert_eq!(view.text, "first!");
        assert!(view.edited_at.is_some_and(|at| at > view.at));
        assert_eq!(play.texts(who, post), ["frist", "first", "first!"]);
        assert_eq!(play.stage.posts(who.0, who.1).len(), 1);
    }
    // Whoever comes later sees the same.
    let guest = play.stage.device(0);
    let link = play.link.clone();
    let there = (guest, play.stage.join(guest, &link).unwrap());
    play.stage.run(20_000);
    assert_eq!(play.post(there, post).text, "first!");
    play.agree(&[owner, one, two, there]);
}

#[test]
fn what_was_taken_back_is_erased_everywhere_and_not_handed_on() {
    let mut play = play(2);
    let (owner, one, two) = (play.owner, play.one, play.two);
    let post = play.says(one, "a plum in the hat");
    assert_eq!(play.edits(one, post, "a pear in the hat"), DONE);
    assert!(play.stores(two, "plum in the hat"));
    assert_eq!(play.takes_back(two, post), Err(Failure::NotAllowed));
    assert_eq!(play.takes_back(one, post), DONE);
    let me = play.stage.person(one);
    for who in [owner, one, two] {
        assert!(!play.stores(who, "in the hat"), "{who:?}");
        let view = play.post(who, post);
        assert_eq!(view.text, "");
        assert_eq!(view.unpublished_by.map(|by| by.id), Some(me));
    }
    assert_eq!(play.takes_back(one, post), Err(Failure::AlreadySo));
    assert_eq!(play.edits(one, post, "again"), Err(Failure::AlreadySo));
    // The community's owner may do it to anybody's.
    let other = play.says(two, "another hat");
    assert_eq!(play.takes_back(owner, other), DONE);
    play.agree(&[owner, one, two]);
    // Whoever comes later reads none of it, and misses nothing.
    let guest = play.stage.device(0);
    let link = play.link.clone();
    let there = (guest, play.stage.join(guest, &link).unwrap());
    play.stage.run(20_000);
    assert!(!play.stores(there, "hat"));
    play.agree(&[owner, there]);
    // After a restart it is still gone.
    play.stage.stop(two.0);
    play.stage.restart(two.0);
    play.stage.run(20_000);
    play.agree(&[owner, two]);
}

#[test]
fn what_was_written_offline_and_taken_back_never_leaves() {
    let mut play = play(3);
    let (owner, one) = (play.owner, play.one);
    play.stage.set_offline(one.0, true);
    let post = play.says(one, "a secret hat");
    assert_eq!(play.takes_back(one, post), DONE);
    assert!(!play.stores(one, "secret hat"));
    play.stage.set_offline(one.0, false);
    play.stage.run(30_000);
    assert!(!play.stores(owner, "secret hat"));
    play.agree(&[owner, one, play.two]);
}

#[test]
fn a_post_goes_to_a_new_owner_who_changes_it() {
    let mut play = play(4);
    let (owner, one, two) = (play.owner, play.one, play.two);
    let post = play.says(one, "by one");
    let (from, to) = (play.stage.person(one), play.stage.person(two));
    let give = |to| Act::Transfer {
        from,
        to,
        post: Some(post),
    };
    assert_eq!(
        play.stage.govern(two.0, two.1, give(to)),
        Err(Failure::NotAllowed)
    );
    play.stage.govern(one.0, one.1, give(to)).unwrap();
    play.stage.run(8_000);
    assert_eq!(
        play.edits(one, post, "still mine"),
        Err(Failure::NotAllowed)
    );
    assert_eq!(play.edits(two, post, "by two"), DONE);
    for who in [owner, one, two] {
        let view = play.post(who, post);
        assert_eq!((view.text.as_str(), view.owner.id), ("by two", to));
        assert_eq!(view.author.id, from);
        let community = who.1;
        let chain = play.asks(who, Command::Owners { community, post });
        let chain = match chain {
            Ok(Reply::Owners(chain)) => chain,
            _ => vec![],
        };
        let chain: Vec<_> = chain.iter().map(|one| (one.by.id, one.owner.id)).collect();
        assert_eq!(chain, [(from, to)]);
    }
    // All of a person's posts at once, by the community's owner.
    let more = play.says(two, "more by two");
    let all = Act::Transfer {
        from: to,
        to: from,
        post: None,
    };
    play.stage.govern(owner.0, owner.1, all).unwrap();
    play.stage.run(8_000);
    for id in [post, more] {
        assert_eq!(play.post(two, id).owner.id, from);
    }
    assert_eq!(play.takes_back(one, more), DONE);
    play.agree(&[owner, one, two]);
}

#[test]
fn hiding_is_nobody_elses_business_and_can_be_undone() {
    let mut play = play(5);
    let (owner, one, two) = (play.owner, play.one, play.two);
    let post = play.says(one, "look at me");
    let person = play.stage.person(one);
    let community = two.1;
    for what in [Hidden::Post(post), Hidden::Person(person)] {
        let hide = |on| Command::Hide {
            community,
            what,
            on,
        };
        assert_eq!(play.asks(two, hide(true)), DONE);
        assert_eq!(play.post(two, post).hidden, Some(what));
        play.stage.stop(two.0);
        play.stage.restart(two.0);
        play.stage.run(10_000);
        assert_eq!(play.post(two, post).hidden, Some(what));
        let list = play.asks(two, Command::Hides { community });
        assert_eq!(list, Ok(Reply::Hidden(vec![what])));
        assert_eq!(play.post(owner, post).hidden, None);
        assert_eq!(play.asks(two, hide(false)), DONE);
        assert_eq!(play.post(two, post).hidden, None);
    }
    let unknown = Command::Hide {
        community,
        what: Hidden::Post(EntryId([7; 32])),
        on: true,
    };
    assert_eq!(play.asks(two, unknown), Err(Failure::NotHere));
}

#[test]
fn who_lost_their_key_gets_back_what_they_were() {
    let mut play = play(6);
    let (owner, one, two) = (play.owner, play.one, play.two);
    let post = play.says(one, "before my phone fell into the lake");
    play.stage.stop(one.0);
    let guest = play.stage.device(0);
    let link = play.link.clone();
    let again = (guest, play.stage.join(guest, &link).unwrap());
    play.stage.run(10_000);
    let members = play.stage.members(owner.0, owner.1);
    let new = play.stage.person(again);
    let view = play.post(owner, post);
    let old = view.author.id;
    let recover = Act::Recover { old, new };
    assert_eq!(
        play.stage.govern(again.0, again.1, recover.clone()),
        Err(Failure::NotAllowed)
    );
    play.stage.govern(owner.0, owner.1, recover).unwrap();
    play.stage.run(10_000);
    let now = play.stage.members(two.0, two.1);
    assert_eq!(now.len(), members.len() - 1);
    let back = now.iter().find(|member| member.person.id == new).unwrap();
    assert_eq!(back.was.as_ref().map(|was| was.id), Some(old));
    assert_eq!(play.post(two, post).owner.id, new);
    assert_eq!(play.edits(again, post, "dry again"), DONE);
    assert_eq!(play.post(two, post).text, "dry again");
    play.agree(&[owner, two, again]);
    // The old device is out, should it turn up.
    play.stage.restart(one.0);
    play.stage.run(30_000);
    assert_eq!(play.edits(one, post, "mine!"), Err(Failure::NotAllowed));
    assert_eq!(play.post(two, post).text, "dry again");
}

#[test]
fn comments_and_reactions_reach_everybody_and_outlast_what_they_are_about() {
    let mut play = play(9);
    let (owner, one, two) = (play.owner, play.one, play.two);
    let post = play.says(owner, "soup at seven");
    let comment = |who: Place, text: &str| Command::Comment {
        community: who.1,
        post,
        text: text.to_owned(),
        lifetime: None,
    };
    let react = |who: Place, post: EntryId, emoji: &str| Command::React {
        community: who.1,
        post,
        emoji: emoji.to_owned(),
    };
    assert!(matches!(
        play.asks(one, comment(one, "I bring bread")),
        Ok(Reply::Posted(_))
    ));
    for (who, emoji) in [(one, "🌸"), (two, "🌸"), (two, "🍞"), (one, "")] {
        assert_eq!(play.asks(who, react(who, post, emoji)), DONE);
    }
    let guest = play.stage.device(0);
    let link = play.link.clone();
    let there = (guest, play.stage.join(guest, &link).unwrap());
    play.stage.run(20_000);
    for who in [owner, one, two, there] {
        let view = play.post(who, post);
        let newest = view.comments.newest.map(|(_, text)| text);
        assert_eq!(newest.as_deref(), Some("I bring bread"));
        let emoji: Vec<_> = view
            .reactions
            .iter()
            .map(|one| (&one.emoji[..], one.mine))
            .collect();
        assert_eq!(emoji, [("🍞", who == two)]);
        assert_eq!(play.stage.posts(who.0, who.1).len(), 1);
    }
    assert_eq!(play.takes_back(owner, post), DONE);
    assert!(matches!(
        play.asks(two, comment(two, "why?")),
        Ok(Reply::Posted(_))
    ));
    for who in [owner, one, two, there] {
        let view = play.post(who, post);
        assert_eq!((view.comments.count, view.reactions.len()), (2, 0));
        assert!(!play.stores(who, "soup at seven") && play.stores(who, "I bring bread"));
    }
    play.agree(&[owner, one, two, there]);
}

//! Plays about what people keep to themselves: how far they have read, and what they are writing.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // what tests share is a test as well

use ume_api::{Command, EntryId, Failure, Hidden, Place as At, Reply, Unread};
use ume_sim::{Place, Stage};

const DONE: Result<Reply, Failure> = Ok(Reply::Done);

struct Play {
    stage: Stage,
    link: String,
    owner: Place,
    one: Place,
}

fn play(seed: u8) -> Play {
    let (stage, opening) = Stage::opened(seed, 1);
    Play {
        stage,
        link: opening.link,
        owner: opening.owner,
        one: opening.guests[0],
    }
}

impl Play {
    fn says(&mut self, who: Place, text: &str) -> EntryId {
        self.stage.post(who.0, who.1, text);
        self.stage.run(3_000);
        let posts = self.stage.posts(who.0, who.1);
        posts.iter().find(|post| post.text == text).unwrap().id
    }

    fn comments(&mut self, who: Place, post: EntryId, text: &str) -> EntryId {
        let command = Command::Comment {
            community: who.1,
            post,
            text: text.to_owned(),
            lifetime: None,
        };
        let reply = self.stage.command(who.0, command);
        self.stage.run(3_000);
        let posted = match reply {
            Ok(Reply::Posted(id)) => Some(id),
            _ => None,
        };
        posted.unwrap()
    }

    fn unread(&self, who: Place) -> (u32, u32) {
        let Unread { posts, comments } = self.stage.view(who.0, who.1).unwrap().unread;
        (posts, comments)
    }

    fn saw(&mut self, who: Place, upto: EntryId) -> Result<Reply, Failure> {
        let community = who.1;
        self.stage.command(who.0, Command::Saw { community, upto })
    }

    fn writes(&mut self, who: Place, place: At, text: &str) -> Result<Reply, Failure> {
        let (community, text) = (who.1, text.to_owned());
        let keep = Command::Keep {
            community,
            place,
            text,
        };
        self.stage.command(who.0, keep)
    }

    fn draft(&mut self, who: Place, place: At) -> String {
        let community = who.1;
        let draft = Command::Draft { community, place };
        let known = match self.stage.command(who.0, draft) {
            Ok(Reply::Draft(text)) => Some(text),
            _ => None,
        };
        known.unwrap()
    }
}

#[test]
fn what_others_wrote_is_unread_until_it_or_something_later_was_seen() {
    let mut play = play(1);
    let (owner, one) = (play.owner, play.one);
    let first = play.says(owner, "soup");
    let second = play.says(owner, "bread");
    play.says(one, "thanks");
    assert_eq!(play.unread(one), (2, 0), "one's own never counts");
    assert_eq!(play.unread(owner), (1, 0));
    assert_eq!(play.saw(one, first), DONE);
    assert_eq!(play.unread(one), (1, 0));
    // Durable before it was acknowledged; and no step back.
    play.stage.crash(one.0, 10);
    play.stage.run(1_000);
    assert_eq!(play.unread(one), (1, 0));
    assert_eq!(play.saw(one, second), DONE);
    assert_eq!(play.saw(one, first), DONE);
    assert_eq!(play.unread(one), (0, 0));
    let nothing = EntryId([7; 32]);
    assert_eq!(play.saw(one, nothing), Err(Failure::NotHere));
    // Whoever comes later has nothing unread from before, whatever they may read.
    let guest = play.stage.device(0);
    let here = (guest, play.stage.join(guest, &play.link.clone()).unwrap());
    play.stage.run(20_000);
    assert_eq!(play.stage.posts(guest, here.1).len(), 3);
    assert_eq!(play.unread(here), (0, 0));
    play.says(owner, "more soup");
    assert_eq!(play.unread(here), (1, 0));
}

#[test]
fn what_is_hidden_taken_back_or_over_is_not_unread() {
    let mut play = play(2);
    let (owner, one) = (play.owner, play.one);
    let first = play.says(owner, "soup");
    play.says(owner, "bread");
    play.stage.post_for(owner.0, owner.1, "over soon", Some(60));
    play.stage.run(3_000);
    assert_eq!(play.unread(one), (3, 0));
    let unpublish = Command::Unpublish {
        community: owner.1,
        post: first,
    };
    play.stage.command(owner.0, unpublish).unwrap();
    play.stage.run(3_000);
    assert_eq!(play.unread(one), (2, 0));
    play.stage.run(90_000);
    assert_eq!(play.unread(one), (1, 0));
    let person = play.stage.person(owner);
    for (on, count) in [(true, 0), (false, 1)] {
        let hide = Command::Hide {
            community: one.1,
            what: Hidden::Person(person),
            on,
        };
        play.stage.command(one.0, hide).unwrap();
        assert_eq!(play.unread(one), (count, 0));
    }
}

#[test]
fn comments_count_where_a_person_has_a_part_in_the_thread() {
    let mut play = play(3);
    let (owner, one) = (play.owner, play.one);
    let theirs = play.says(owner, "soup");
    play.saw(one, theirs).unwrap();
    play.comments(owner, theirs, "it is hot");
    assert_eq!(play.unread(one), (0, 0), "no part in it");
    play.comments(one, theirs, "is there bread");
    assert_eq!(play.unread(one), (0, 0), "who answers has read");
    assert_eq!(play.unread(owner), (0, 1), "a post of one's own");
    let answer = play.comments(owner, theirs, "there is");
    assert_eq!(play.unread(one), (0, 1));
    assert_eq!(play.unread(owner), (0, 0));
    // A mark of the thread, not of the feed.
    play.says(owner, "and cake");
    assert_eq!(play.unread(one), (1, 1));
    play.saw(one, answer).unwrap();
    assert_eq!(play.unread(one), (1, 0));
    play.stage.crash(one.0, 10);
    play.stage.run(1_000);
    assert_eq!(play.unread(one), (1, 0));
    play.comments(owner, theirs, "not any more");
    assert_eq!(play.unread(one), (1, 1));
    let community = one.1;
    let all = Command::SawAll { community };
    assert_eq!(play.stage.command(one.0, all), DONE);
    assert_eq!(play.unread(one), (0, 0));
}

#[test]
fn what_arrives_late_is_unread_although_later_posts_were_seen() {
    let mut play = play(4);
    let (owner, one) = (play.owner, play.one);
    play.stage.set_offline(one.0, true);
    play.stage.post(one.0, one.1, "from the tunnel");
    play.stage.run(10_000);
    let guest = play.stage.device(0);
    let here = (guest, play.stage.join(guest, &play.link.clone()).unwrap());
    play.stage.run(20_000);
    let later = play.says(here, "meanwhile");
    assert_eq!(play.unread(owner), (1, 0));
    play.saw(owner, later).unwrap();
    assert_eq!(play.unread(owner), (0, 0));
    play.stage.set_offline(one.0, false);
    play.stage.run(30_000);
    assert_eq!(play.unread(owner), (1, 0));
    play.stage.crash(owner.0, 10);
    play.stage.run(1_000);
    assert_eq!(play.unread(owner), (1, 0));
    let posts = play.stage.posts(owner.0, owner.1);
    assert_eq!(posts[0].text, "from the tunnel");
    play.saw(owner, later).unwrap();
    assert_eq!(play.unread(owner), (0, 0));
}

#[test]
fn a_draft_is_kept_until_it_is_sent_or_emptied_and_never_both_sent_and_kept() {
    let mut play = play(5);
    let (owner, one) = (play.owner, play.one);
    let post = play.says(one, "soup");
    let places = [At::Feed, At::Thread(post), At::Edit(post)];
    for place in places {
        assert_eq!(play.writes(one, place, "half a sent"), DONE);
        assert_eq!(play.writes(one, place, "half a sentence"), DONE);
    }
    let long = "x".repeat(65_537);
    assert_eq!(
        play.writes(one, At::Feed, &long),
        Err(Failure::BadText),
        "nobody writes that"
    );
    play.stage.crash(one.0, 10);
    play.stage.run(1_000);
    for place in places {
        assert_eq!(play.draft(one, place), "half a sentence");
    }
    assert!(play.stage.view(one.0, one.1).unwrap().drafts);
    // Whatever is stored when the device crashes: there is the draft, or the post, and not both.
    let mut crashed = 0;
    for stored in 0..6 {
        let text = format!("a sentence, {stored}");
        play.writes(one, At::Feed, &text).unwrap();
        play.stage.crash_after(one.0, stored);
        let before = play.stage.crashes(one.0);
        let send = Command::Post {
            community: one.1,
            text: text.clone(),
            lifetime: None,
        };
        let _ = play.stage.ask(one.0, send);
        play.stage.run(20_000);
        crashed += play.stage.crashes(one.0) - before;
        let posts = play.stage.posts(one.0, one.1);
        let posted = posts.iter().filter(|post| post.text == text).count();
        let kept = play.draft(one, At::Feed) == text;
        assert_eq!(posted + usize::from(kept), 1, "{stored}");
    }
    assert!(crashed > 1);
    play.writes(one, At::Feed, "").unwrap();
    play.comments(one, post, "half a sentence, and the other half");
    let edit = Command::Edit {
        community: one.1,
        post,
        text: "soup!".into(),
    };
    play.stage.command(one.0, edit).unwrap();
    for place in places {
        assert_eq!(play.draft(one, place), "");
    }
    assert!(!play.stage.view(one.0, one.1).unwrap().drafts);
    let rows = play.stage.rows(one.0);
    let holds = |words: &[u8]| {
        rows.iter()
            .any(|(key, _)| key.id.windows(5).any(|id| id == words))
    };
    assert!(!holds(b"draft"));
    assert_eq!(play.draft(owner, At::Feed), "");
}

#[test]
fn a_community_that_is_quiet_counts_on() {
    let mut play = play(6);
    let (owner, one) = (play.owner, play.one);
    let community = one.1;
    let mute = |on| Command::Mute { community, on };
    assert_eq!(play.stage.command(one.0, mute(true)), DONE);
    play.says(owner, "soup");
    play.stage.crash(one.0, 10);
    play.stage.run(1_000);
    assert!(play.stage.view(one.0, one.1).unwrap().muted);
    assert_eq!(play.unread(one), (1, 0));
    assert_eq!(play.stage.command(one.0, mute(false)), DONE);
    assert!(!play.stage.view(one.0, one.1).unwrap().muted);
}

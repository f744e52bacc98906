//! Comments and reactions.

use super::*;
use ume_api::{PersonId, ReactionView};

impl Play {
    /// A reaction of the member's, at a time.
    fn reaction(&self, post: EntryId, seq: u64, emoji: &str, time_ms: u64) -> proto::Written {
        let draft = Draft {
            time_ms,
            ..self.draft(Kind::Reaction(post), seq, emoji.into())
        };
        let author = self.persona.verifying_key().to_bytes();
        write(&self.community.community(), &author, &self.leaf, draft)
    }

    fn writes(&mut self, thread: Option<EntryId>, text: &str) -> Result<EntryId, Failure> {
        let community = &mut self.community;
        with(&mut self.rng, |ctx| {
            community.post(ctx, thread, text.to_owned(), None)
        })
    }

    fn reacts(&mut self, post: EntryId, emoji: &str) -> Result<(), Failure> {
        let community = &mut self.community;
        with(&mut self.rng, |ctx| {
            community.react(ctx, post, emoji.to_owned())
        })
    }

    fn takes_back(&mut self, post: EntryId) {
        let community = &mut self.community;
        with(&mut self.rng, |ctx| community.unpublish(ctx, post)).unwrap();
    }

    fn emoji(&self, post: &EntryId) -> Vec<(String, u32, bool)> {
        let one = |view: ReactionView| (view.emoji, view.count, view.mine);
        self.view(post).reactions.into_iter().map(one).collect()
    }
}

#[test]
fn of_a_persons_reactions_the_newest_counts_whatever_comes_first() {
    let mut play = Play::begin();
    let post = play.writes(None, "soup").unwrap();
    let (plum, heart) = (
        play.reaction(post, 1, "🌸", 5_000),
        play.reaction(post, 2, "❤️", 6_000),
    );
    play.receives(&heart);
    play.receives(&plum);
    assert_eq!(play.emoji(&post), [("❤️".to_owned(), 1, false)]);
    assert_eq!(play.view(&post).reactions[0].names, ["Quince"]);
    play.reacts(post, "❤️").unwrap();
    assert_eq!(play.emoji(&post), [("❤️".to_owned(), 2, true)]);
    // What is so already is not written again.
    let entries = play.community.feed.all().count();
    play.reacts(post, "❤️").unwrap();
    assert_eq!(play.community.feed.all().count(), entries);
    play.receives(&play.reaction(post, 3, "not an emoji", 7_000));
    assert_eq!(play.emoji(&post), [("❤️".to_owned(), 1, true)]);
    play.receives(&play.reaction(post, 4, "", 8_000));
    play.reacts(post, "").unwrap();
    assert_eq!(play.emoji(&post), []);
    for nonsense in ["words", "🌸🌸", "\u{202e}"] {
        assert_eq!(play.reacts(post, nonsense), Err(Failure::BadText));
    }
}

#[test]
fn reactions_of_who_is_hidden_are_not_shown() {
    let mut play = Play::begin();
    let post = play.writes(None, "soup").unwrap();
    play.receives(&play.reaction(post, 1, "🌸", 5_000));
    assert_eq!(play.emoji(&post).len(), 1);
    let member = PersonId(play.persona.verifying_key().to_bytes());
    let community = &mut play.community;
    with(&mut play.rng, |ctx| {
        community.hide(ctx, Hidden::Person(member), true)
    })
    .unwrap();
    assert_eq!(play.emoji(&post), []);
}

#[test]
fn reactions_are_to_what_people_write_and_go_with_it() {
    let mut play = Play::begin();
    let portrait = play.entry(None, Kind::Portrait, 1);
    let portrait_id = entry::id(&portrait).unwrap();
    play.receives(&portrait);
    play.receives(&play.reaction(portrait_id, 2, "🌸", 5_000));
    assert_eq!(play.foreign(), 1);
    let post = play.writes(None, "soup").unwrap();
    let first = play.reaction(post, 3, "🌸", 5_000);
    let late = play.reaction(post, 4, "❤️", 6_000);
    play.receives(&first);
    play.takes_back(post);
    play.receives(&late);
    assert_eq!(play.emoji(&post), []);
    for one in [&first, &late] {
        let kept = play.community.feed.get(&entry::id(one).unwrap()).unwrap();
        assert!(kept.entry.written.body.is_empty());
    }
    assert_eq!(play.reacts(post, "🌸"), Err(Failure::AlreadySo));
}

#[test]
fn comments_stand_in_the_thread_of_their_post_and_outlast_it() {
    let mut play = Play::begin();
    let post = play.writes(None, "soup at seven").unwrap();
    let comment = play.entry(None, Kind::Comment(post), 1);
    let theirs = entry::id(&comment).unwrap();
    play.receives(&comment);
    let mine = play.writes(Some(post), "I bring\nbread").unwrap();
    assert_eq!(play.writes(Some(mine), "deeper"), Err(Failure::NotHere));
    let ids = |play: &Play, thread: Option<&EntryId>| -> Vec<EntryId> {
        let (page, _) = play.community.page(thread, None);
        page.into_iter().map(|one| one.id).collect()
    };
    assert_eq!(ids(&play, None), [post]);
    assert_eq!(ids(&play, Some(&post)), [theirs, mine]);
    assert_eq!(play.view(&theirs).thread, Some(post));
    let newest = |play: &Play| {
        let comments = play.view(&post).comments;
        (
            comments.count,
            comments.newest.map(|(who, text)| (who.me, text)),
        )
    };
    assert_eq!(newest(&play), (2, Some((true, "I bring".to_owned()))));
    play.takes_back(mine);
    assert_eq!(newest(&play), (2, Some((true, String::new()))));
    // The talk goes on when there is nothing any more that it was about.
    play.takes_back(post);
    assert!(play.view(&post).unpublished_by.is_some());
    assert_eq!(ids(&play, Some(&post)), [theirs, mine]);
    assert_eq!(play.view(&theirs).text, "words");
    assert!(play.writes(Some(post), "why?").is_ok());
}

#[test]
fn a_comment_that_came_before_its_post_is_found() {
    let mut play = Play::begin();
    let owner = play.community.saved.leaf.signing_key();
    let post = play.entry(Some(&owner), Kind::Post, 1);
    let id = entry::id(&post).unwrap();
    play.receives(&play.entry(None, Kind::Comment(id), 1));
    assert!(play.community.page(None, None).0.is_empty());
    play.receives(&post);
    assert_eq!(play.view(&id).comments.count, 1);
}

#[test]
fn comments_end_with_their_post_at_the_latest() {
    let mut play = Play::begin();
    let community = &mut play.community;
    let (post, lasting, short) = with(&mut play.rng, |ctx| {
        let minute = Some(60_000);
        let post = community.post(ctx, None, "soup".into(), minute).unwrap();
        let lasting = community.post(ctx, Some(post), "yes".into(), None).unwrap();
        let short = community
            .post(ctx, Some(post), "no".into(), Some(1))
            .unwrap();
        (post, lasting, short)
    });
    let end = |id: &EntryId| play.view(id).expires_at.unwrap();
    assert_eq!(end(&lasting), end(&post));
    assert!(end(&short) < end(&post));
}

#[test]
fn what_a_later_version_writes_is_no_hole_and_is_not_shown() {
    let mut play = Play::begin();
    let kind = Kind::Other {
        number: 99,
        has_body: true,
        target: None,
    };
    let unknown = play.entry(None, kind, 1);
    play.receives(&unknown);
    let next = Draft {
        previous: entry::id(&unknown),
        ..play.draft(Kind::Post, 2, b"known".to_vec())
    };
    let author = play.persona.verifying_key().to_bytes();
    let next = write(&play.community.community(), &author, &play.leaf, next);
    play.receives(&next);
    assert_eq!(play.community.feed.missing(0), 0);
    assert_eq!(play.community.page(None, None).0.len(), 1);
    assert!(
        play.community
            .feed
            .get(&entry::id(&unknown).unwrap())
            .is_some()
    );
}

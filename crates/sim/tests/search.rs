//! Plays about looking for posts.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::panic)] // what tests share is a test as well

use std::collections::BTreeSet;
use ume_api::{
    Act, Command, EntryId, Failure, Found, FoundPage, Hidden, PAGE_FOUND, Piece, Reply,
    SEARCH_BYTES_MAX, Search,
};
use ume_sim::{Place, Stage};

struct Play {
    stage: Stage,
    owner: Place,
    one: Place,
}

fn play(seed: u8) -> Play {
    let (stage, opening) = Stage::opened(seed, 1);
    Play {
        stage,
        owner: opening.owner,
        one: opening.guests[0],
    }
}

fn words(text: &str) -> Search {
    Search {
        text: text.to_owned(),
        ..Search::default()
    }
}

fn drawn(pieces: &[Piece]) -> String {
    let mark = |one: &Piece| {
        if one.hit {
            format!("[{}]", one.text)
        } else {
            one.text.clone()
        }
    };
    pieces.iter().map(mark).collect()
}

impl Play {
    fn asks(&mut self, who: Place, command: Command) -> Result<Reply, Failure> {
        let reply = self.stage.command(who.0, command);
        self.stage.run(8_000);
        reply
    }

    fn says(&mut self, who: Place, text: &str) -> EntryId {
        let (community, text) = (who.1, text.to_owned());
        let lifetime = None;
        let post = Command::Post {
            community,
            text,
            lifetime,
        };
        match self.asks(who, post) {
            Ok(Reply::Posted(id)) => id,
            other => panic!("{other:?}"),
        }
    }

    fn does(&mut self, who: Place, command: Command) {
        assert_eq!(self.asks(who, command), Ok(Reply::Done));
    }

    fn page(&mut self, who: Place, search: Search) -> FoundPage {
        match self.stage.command(who.0, Command::Search(search)) {
            Ok(Reply::Found(page)) => page,
            other => panic!("{other:?}"),
        }
    }

    fn finds(&mut self, who: Place, text: &str) -> Vec<String> {
        let found = self.page(who, words(text)).found;
        found.iter().map(|one| drawn(&one.text)).collect()
    }

    fn only(&mut self, who: Place, text: &str) -> Found {
        let mut found = self.page(who, words(text)).found;
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }
}

#[test]
fn what_a_post_says_now_is_found() {
    let mut play = play(1);
    let (owner, one) = (play.owner, play.one);
    let community = one.1;
    for who in [owner, one] {
        assert!(play.finds(who, "plum").is_empty(), "and there is an index");
    }
    let plum = play.says(one, "A plum for Übermorgen");
    play.says(owner, "a pear");
    for who in [owner, one] {
        assert_eq!(play.finds(who, "uber plum"), ["A [plum] for [Über]morgen"]);
        assert_eq!(
            play.finds(who, "a"),
            ["[a] pear", "[A] plum for Übermorgen"]
        );
        assert!(play.finds(who, "lum").is_empty());
    }
    play.does(
        one,
        Command::Edit {
            community,
            post: plum,
            text: "A quince instead".into(),
        },
    );
    for who in [owner, one] {
        assert!(
            play.finds(who, "plum").is_empty(),
            "an earlier text is not found"
        );
        let found = play.only(who, "quince");
        assert_eq!((found.id, found.thread), (plum, None));
    }
}

#[test]
fn a_comment_names_its_post() {
    let mut play = play(2);
    let (owner, one) = (play.owner, play.one);
    let pear = play.says(owner, "a pear\nfrom the garden");
    let comment = Command::Comment {
        community: one.1,
        post: pear,
        text: "could be an apple".into(),
        lifetime: None,
    };
    assert!(matches!(play.asks(one, comment), Ok(Reply::Posted(_))));
    for who in [owner, one] {
        let found = play.only(who, "apple");
        assert_eq!(found.thread, Some((pear, "a pear".to_owned())));
        assert_eq!(play.finds(who, "garden"), ["a pear from the [garden]"]);
    }
    let community = owner.1;
    play.does(
        owner,
        Command::Unpublish {
            community,
            post: pear,
        },
    );
    for who in [owner, one] {
        assert!(play.finds(who, "pear").is_empty());
        let found = play.only(who, "apple");
        assert_eq!(found.thread, Some((pear, String::new())));
    }
}

#[test]
fn what_is_gone_or_hidden_is_not_found() {
    let mut play = play(3);
    let (owner, one) = (play.owner, play.one);
    assert!(play.finds(owner, "").is_empty());
    let post = play.says(one, "hide me");
    play.stage.post_for(one.0, one.1, "gone soon", Some(60));
    play.stage.run(8_000);
    assert_eq!(play.finds(owner, "soon"), ["gone [soon]"]);
    play.stage.run(120_000);
    assert!(play.finds(owner, "soon").is_empty(), "its time is over");
    let author = play.only(owner, "hide").author.id;
    for what in [Hidden::Post(post), Hidden::Person(author)] {
        for on in [true, false] {
            let community = owner.1;
            play.does(
                owner,
                Command::Hide {
                    community,
                    what,
                    on,
                },
            );
            assert_eq!(play.finds(owner, "hide").is_empty(), on, "{what:?}");
        }
    }
    assert_eq!(play.finds(one, "hide").len(), 1);
}

#[test]
fn people_places_and_times_narrow_it_down() {
    let mut play = play(4);
    let (owner, one) = (play.owner, play.one);
    play.says(owner, "tea at four");
    let first_ms = play.only(one, "tea").at;
    play.stage.run(60_000);
    play.says(one, "tea at five");
    let found = play.page(one, words("tea")).found;
    let [five, four] = &found[..] else {
        panic!("{found:?}")
    };
    let name = four.author.name.clone();
    let named = play.page(one, words(&format!("tea {name}"))).found;
    assert_eq!(named.len(), 1, "{named:?}");
    assert!(
        named[0].name.iter().all(|one| one.hit || one.text == " "),
        "{named:?}"
    );
    let narrowed = |search: Search, play: &mut Play| {
        let found = play.page(one, search).found;
        found.iter().map(|one| drawn(&one.text)).collect::<Vec<_>>()
    };
    let by = Search {
        author: Some(five.author.id),
        ..Search::default()
    };
    assert_eq!(narrowed(by, &mut play), ["tea at five"]);
    let before = Search {
        until: Some(first_ms + 1),
        ..words("tea")
    };
    assert_eq!(narrowed(before, &mut play), ["[tea] at four"]);
    let after = Search {
        from: Some(first_ms + 1),
        ..words("tea")
    };
    assert_eq!(narrowed(after, &mut play), ["[tea] at five"]);
    // Another community of the same profile.
    let other = play.stage.found(one.0);
    play.says((one.0, other), "tea elsewhere");
    assert_eq!(narrowed(words("tea"), &mut play).len(), 3);
    let there = Search {
        community: Some(other),
        ..words("tea")
    };
    assert_eq!(narrowed(there, &mut play), ["[tea] elsewhere"]);
    let nowhere = Search {
        community: Some(ume_api::CommunityRef(99)),
        ..words("tea")
    };
    let answer = play.stage.command(one.0, Command::Search(nowhere));
    assert_eq!(answer, Err(Failure::NotHere));
    let long = words(&"x".repeat(SEARCH_BYTES_MAX + 1));
    let answer = play.stage.command(one.0, Command::Search(long));
    assert_eq!(answer, Err(Failure::BadText));
}

#[test]
fn who_leaves_finds_what_they_read_until_it_is_forgotten() {
    let mut play = play(7);
    let (owner, one) = (play.owner, play.one);
    play.says(owner, "tea at four");
    assert_eq!(play.finds(one, "tea"), ["[tea] at four"]);
    let community = one.1;
    let act = Act::Leave;
    play.does(one, Command::Govern { community, act });
    assert_eq!(play.finds(one, "tea"), ["[tea] at four"]);
    play.does(one, Command::Forget { community });
    assert!(play.finds(one, "tea").is_empty());
}

#[test]
fn there_are_as_many_pages_as_it_takes() {
    let mut play = play(5);
    let one = play.one;
    for number in 0..PAGE_FOUND * 2 + 3 {
        play.stage.post(one.0, one.1, &format!("number {number}"));
    }
    play.stage.run(60_000);
    let (mut search, mut all, mut pages) = (words("num"), vec![], vec![]);
    loop {
        let page = play.page(one, search.clone());
        pages.push(page.found.len());
        all.extend(page.found.iter().map(|one| (one.at, one.id)));
        search.after = page.more;
        if page.more.is_none() {
            break;
        }
    }
    assert_eq!(pages, [PAGE_FOUND, PAGE_FOUND, 3]);
    assert!(all.is_sorted_by(|one, next| one > next), "the newest first");
    let each: BTreeSet<_> = all.iter().collect();
    assert_eq!(each.len(), all.len());
    assert_eq!(play.finds(one, "?!"), [""; 0], "no word, and not nothing");
    let post = all[0].1;
    let community = one.1;
    let single = play.asks(one, Command::Single { community, post });
    let Ok(Reply::Feed(page)) = single else {
        panic!("{single:?}")
    };
    assert_eq!(
        page.posts.iter().map(|one| one.id).collect::<Vec<_>>(),
        [post]
    );
    let post = EntryId([7; 32]);
    let single = play.asks(one, Command::Single { community, post });
    assert_eq!(single, Err(Failure::NotHere));
}

#[test]
fn nothing_of_it_is_stored() {
    let mut play = play(6);
    let (owner, one) = (play.owner, play.one);
    play.says(one, "a word that is looked for");
    let before = play.stage.rows(owner.0);
    assert_eq!(play.finds(owner, "looked").len(), 1);
    assert!(play.finds(owner, "Nonesuch").is_empty());
    assert_eq!(play.stage.rows(owner.0), before);
}

//! Plays about files beside posts: they arrive as they were, whatever the network, a crash or a relay does; they go when their
//! post goes, and when there is too much of them.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::panic)] // what tests share is a test as well

use ume_api::{
    Command, CommunityRef, EntryId, Failure, Fetch, FileId, FileState, NewFile, PostState,
    PostView, Reply, Surroundings,
};
use ume_engine::io::Table;
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

fn content(length: usize, salt: u8) -> Vec<u8> {
    let byte = |at: usize| u8::try_from((at * 7 + at / 251) % 256).unwrap() ^ salt;
    (0..length).map(byte).collect()
}

impl Play {
    fn attaches(&mut self, who: Place, name: &str, bytes: &[u8]) -> FileId {
        let file = NewFile {
            name: name.into(),
            media: "text/plain".into(),
            width: 0,
            height: 0,
            preview: vec![],
            bytes: bytes.to_vec(),
        };
        let community = who.1;
        match self
            .stage
            .command(who.0, Command::Attach { community, file })
        {
            Ok(Reply::Attached(id)) => id,
            other => panic!("{other:?}"),
        }
    }

    fn publishes(&mut self, who: Place, text: &str, files: &[FileId]) -> Result<Reply, Failure> {
        let files = files.iter().map(|id| (*id, "a word".to_owned())).collect();
        let publish = Command::Publish {
            community: who.1,
            post: None,
            text: text.into(),
            lifetime: None,
            files,
        };
        self.stage.command(who.0, publish)
    }

    /// Publishes a file; the post.
    fn posts_file(&mut self, who: Place, bytes: &[u8]) -> (EntryId, FileId) {
        let file = self.attaches(who, "notes.txt", bytes);
        match self.publishes(who, "", &[file]) {
            Ok(Reply::Posted(post)) => (post, file),
            other => panic!("{other:?}"),
        }
    }

    fn asks(
        &mut self,
        who: Place,
        post: EntryId,
        file: FileId,
        fetch: Fetch,
    ) -> Result<Reply, Failure> {
        let community = who.1;
        let command = Command::File {
            community,
            post,
            file,
            fetch,
        };
        self.stage.command(who.0, command)
    }

    /// What a device gets of a file, if it does within so many seconds.
    fn gets(&mut self, who: Place, post: EntryId, file: FileId, seconds: u64) -> Option<Vec<u8>> {
        for _ in 0..seconds {
            match self.asks(who, post, file, Fetch::Quietly) {
                Ok(Reply::File(bytes)) => return Some(bytes),
                Ok(Reply::FileAt(_)) | Err(Failure::NotHere) => {}
                other => panic!("{other:?}"),
            }
            self.stage.run(1_000);
        }
        None
    }

    fn at(&mut self, who: Place, post: EntryId, file: FileId) -> FileState {
        match self.asks(who, post, file, Fetch::No) {
            Ok(Reply::File(_)) => FileState::Here,
            Ok(Reply::FileAt(state)) => state,
            other => panic!("{other:?}"),
        }
    }

    fn post(&mut self, who: Place, id: EntryId) -> PostView {
        let posts = self.stage.posts(who.0, who.1);
        posts.into_iter().find(|post| post.id == id).unwrap()
    }

    /// Rows that a device has of files.
    fn rows(&self, who: Place) -> usize {
        let rows = self.stage.rows(who.0);
        let of_files = rows.iter();
        of_files
            .filter(|(key, _)| matches!(key.table, Table::File | Table::Piece))
            .count()
    }

    /// Whether any row of a device holds these bytes.
    fn stores(&self, who: Place, bytes: &[u8]) -> bool {
        let rows = self.stage.rows(who.0);
        rows.iter()
            .any(|(_, row)| row.windows(bytes.len()).any(|part| part == bytes))
    }
}

#[test]
fn a_file_arrives_as_it_was_and_its_post_counts_as_sent_then() {
    let mut play = play(1);
    let (owner, one) = (play.owner, play.one);
    let bytes = content(1_500_000, 1);
    let (post, file) = play.posts_file(owner, &bytes);
    let view = play.post(owner, post);
    assert_eq!(view.state, PostState::Waiting);
    let said = &view.files[0];
    assert_eq!(
        (said.id, said.size, said.name.as_str()),
        (Some(file), 1_500_000, "notes.txt")
    );
    assert_eq!(said.alternative, "a word");
    play.stage.run(30_000);
    assert_eq!(play.post(owner, post).state, PostState::Sent);
    assert_eq!(play.at(owner, post, file), FileState::Here);

    assert_eq!(play.post(one, post).files, play.post(owner, post).files);
    assert_eq!(play.at(one, post, file), FileState::Away);
    assert_eq!(play.gets(one, post, file, 30).as_ref(), Some(&bytes));
    assert!(!play.stores(one, &bytes[..64]) && !play.stores(owner, &bytes[..64]));
}

#[test]
fn a_post_goes_first_and_its_file_is_waited_for() {
    let mut play = play(2);
    let (owner, one) = (play.owner, play.one);
    let bytes = content(5_000_000, 2);
    let (post, file) = play.posts_file(owner, &bytes);
    // The post gets out; then there is no network for its author.
    play.stage.run(120);
    while play
        .stage
        .posts(one.0, one.1)
        .iter()
        .all(|known| known.id != post)
    {
        play.stage.run(50);
    }
    play.stage.set_offline(owner.0, true);
    play.stage.run(20_000);
    assert_eq!(play.post(owner, post).state, PostState::Waiting);
    assert_eq!(play.gets(one, post, file, 20), None);
    assert!(matches!(
        play.at(one, post, file),
        FileState::NotYet | FileState::Coming { .. }
    ));
    play.stage.set_offline(owner.0, false);
    assert_eq!(play.gets(one, post, file, 600).as_ref(), Some(&bytes));
    assert_eq!(play.post(owner, post).state, PostState::Sent);
}

#[test]
fn what_was_attached_outlives_any_crash_once_a_post_took_it() {
    for after in (1..40).step_by(4) {
        let mut play = play(3);
        let (owner, one) = (play.owner, play.one);
        let bytes = content(1_300_000, after);
        let (post, file) = play.posts_file(owner, &bytes);
        play.stage.run(u64::from(after) * 37);
        play.stage.crash(owner.0, 3_000);
        play.stage.run(700 + u64::from(after) * 23);
        play.stage.crash(one.0, 2_000);
        play.stage.run(5_000);
        assert_eq!(
            play.gets(one, post, file, 120).as_ref(),
            Some(&bytes),
            "{after}"
        );
    }
}

#[test]
fn a_file_arrives_through_a_network_that_loses_doubles_changes_and_cuts() {
    for seed in 20..23 {
        let mut play = play(seed);
        let (owner, one) = (play.owner, play.one);
        play.stage.disturb(20);
        let bytes = content(900_000, seed);
        let (post, file) = play.posts_file(owner, &bytes);
        assert_eq!(
            play.gets(one, post, file, 1_200).as_ref(),
            Some(&bytes),
            "{seed}"
        );
    }
}

#[test]
fn a_file_that_no_post_took_is_gone_after_a_start() {
    let mut play = play(4);
    let owner = play.owner;
    let file = play.attaches(owner, "a", &content(100, 1));
    let dropped = play.attaches(owner, "b", &content(100, 2));
    assert_eq!(play.rows(owner), 4);
    let community = owner.1;
    let detach = |file| Command::Detach { community, file };
    assert_eq!(
        play.stage.command(owner.0, detach(dropped)),
        Ok(Reply::Done)
    );
    assert_eq!(
        play.stage.command(owner.0, detach(dropped)),
        Err(Failure::NotHere)
    );
    assert_eq!(play.rows(owner), 2);
    play.stage.crash(owner.0, 100);
    play.stage.run(10_000);
    assert_eq!(play.rows(owner), 0);
    assert_eq!(
        play.publishes(owner, "late", &[file]),
        Err(Failure::NotHere)
    );
}

#[test]
fn a_file_goes_with_its_post() {
    let mut play = play(5);
    let (owner, one) = (play.owner, play.one);
    let bytes = content(40_000, 5);
    let (post, file) = play.posts_file(owner, &bytes);
    play.stage.run(10_000);
    assert_eq!(play.gets(one, post, file, 30).as_ref(), Some(&bytes));
    assert_eq!((play.rows(owner), play.rows(one)), (2, 2));
    let community = owner.1;
    let done = play
        .stage
        .command(owner.0, Command::Unpublish { community, post });
    assert_eq!(done, Ok(Reply::Done));
    play.stage.run(10_000);
    assert_eq!((play.rows(owner), play.rows(one)), (0, 0));
    assert!(play.post(one, post).files.is_empty());
    assert_eq!(
        play.asks(one, post, file, Fetch::Now),
        Err(Failure::AlreadySo)
    );
}

#[test]
fn what_can_be_fetched_again_is_let_go_when_somebody_says_so() {
    let mut play = play(6);
    let (owner, one) = (play.owner, play.one);
    let bytes = content(40_000, 6);
    let (post, file) = play.posts_file(owner, &bytes);
    play.stage.run(10_000);
    assert_eq!(play.gets(one, post, file, 30).as_ref(), Some(&bytes));
    assert_eq!(
        play.stage.command(one.0, Command::ClearFiles),
        Ok(Reply::Done)
    );
    assert_eq!(play.rows(one), 0);
    assert_eq!(play.gets(one, post, file, 30).as_ref(), Some(&bytes));
    // What has not been sent stays.
    play.stage.set_offline(owner.0, true);
    play.stage.run(1_000);
    let (_, late) = play.posts_file(owner, &content(40_000, 7));
    let kept = play.rows(owner);
    assert_eq!(
        play.stage.command(owner.0, Command::ClearFiles),
        Ok(Reply::Done)
    );
    assert_eq!(play.rows(owner), kept - 2);
    let _ = late;
}

#[test]
fn a_relay_that_has_something_else_is_found_out() {
    let mut play = play(7);
    let (owner, one) = (play.owner, play.one);
    let bytes = content(40_000, 8);
    let (post, file) = play.posts_file(owner, &bytes);
    play.stage.run(10_000);
    play.stage.treat_blobs(|cells| {
        for cell in cells {
            *cell = vec![7; cell.len()].into();
        }
    });
    assert_eq!(play.gets(one, post, file, 30), None);
    assert_eq!(play.at(one, post, file), FileState::Broken);
    assert_eq!(play.rows(one), 0);
}

#[test]
fn under_cover_a_file_arrives_within_a_bulk_transfer() {
    let (mut stage, opening) = Stage::opened(8, 0);
    let there = stage.device_with(Surroundings::default());
    let community: CommunityRef = stage.join(there, &opening.link).unwrap();
    stage.run(120_000);
    let one = (there, community);
    let mut play = Play {
        stage,
        owner: opening.owner,
        one,
    };
    let bytes = content(200_000, 9);
    let (post, file) = play.posts_file(one, &bytes);
    // At the pace of every day that would take five minutes.
    play.stage.run(90_000);
    let owner = play.owner;
    assert_eq!(play.gets(owner, post, file, 5).as_ref(), Some(&bytes));
}

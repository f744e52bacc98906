//! Entries that no lane has any more: members hand them to each other, and nobody gets more than they may read.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // what tests share is a test as well

use ume_api::{HistoryWindow, InviteTerms, Missing};
use ume_engine::io::Table;
use ume_sim::{OPEN, Place, Stage};

const DAY_MS: u64 = 24 * 3600 * 1000;

struct Play {
    stage: Stage,
    owner: Place,
}

impl Play {
    fn begin(seed: u8) -> Self {
        let mut stage = Stage::new(seed);
        let device = stage.device(0);
        let community = stage.found(device);
        Self {
            stage,
            owner: (device, community),
        }
    }

    fn joins(&mut self, history: HistoryWindow) -> Place {
        let (owner, community) = self.owner;
        let link = self
            .stage
            .share(owner, community, InviteTerms { history, ..OPEN });
        let device = self.stage.device(0);
        let there = self.stage.join(device, &link).unwrap();
        self.stage.run(10_000);
        (device, there)
    }

    fn says(&mut self, who: Place, text: &str) {
        self.stage.post(who.0, who.1, text);
        self.stage.run(5_000);
    }

    fn texts(&mut self, who: Place) -> Vec<String> {
        let posts = self.stage.posts(who.0, who.1);
        posts.into_iter().map(|post| post.text).collect()
    }

    fn missing(&self, who: Place) -> Missing {
        self.stage.view(who.0, who.1).unwrap().missing
    }

    /// Whether any row of a device's store holds a text. Rows are sealed by the vault only.
    fn stores(&self, who: Place, text: &str) -> bool {
        let rows = self.stage.rows(who.0);
        rows.iter().any(|(_, row)| {
            let mut windows = row.windows(text.len());
            windows.any(|window| window == text.as_bytes())
        })
    }
}

#[test]
fn what_the_relay_lost_comes_from_any_member_who_has_it() {
    let mut play = Play::begin(1);
    let owner = play.owner;
    let (one, other) = (
        play.joins(HistoryWindow::All),
        play.joins(HistoryWindow::All),
    );
    play.says(owner, "before");
    play.stage.set_offline(other.0, true);
    play.says(owner, "lost");
    play.says(owner, "lost as well");
    play.stage.expire();
    play.says(owner, "after");
    // Who wrote it is not needed.
    play.stage.stop(owner.0);
    play.stage.set_offline(other.0, false);
    play.stage.run(120_000);
    let all = ["before", "lost", "lost as well", "after"];
    assert_eq!(play.texts(other), all);
    assert_eq!(play.texts(one), all);
    assert_eq!(play.missing(other), Missing::default());
}

#[test]
fn the_last_entries_are_found_although_nothing_names_them() {
    let mut play = Play::begin(2);
    let owner = play.owner;
    let (one, other) = (
        play.joins(HistoryWindow::All),
        play.joins(HistoryWindow::All),
    );
    play.stage.set_offline(other.0, true);
    for n in 0..100 {
        play.says(if n % 2 == 0 { owner } else { one }, &format!("post {n}"));
    }
    play.stage.expire();
    play.stage.stop(owner.0);
    play.stage.set_offline(other.0, false);
    play.stage.run(300_000);
    assert_eq!(play.texts(other).len(), 100);
    // Somebody who comes now is handed what no lane has.
    play.stage.restart(owner.0);
    play.stage.run(5_000);
    let late = play.joins(HistoryWindow::All);
    play.stage.run(300_000);
    assert_eq!(play.texts(late).len(), 100);
}

#[test]
fn what_nobody_has_is_said_to_be_so_and_comes_when_somebody_does() {
    let mut play = Play::begin(3);
    let owner = play.owner;
    let (one, other) = (
        play.joins(HistoryWindow::All),
        play.joins(HistoryWindow::All),
    );
    play.stage.set_offline(one.0, true);
    play.stage.set_offline(other.0, true);
    play.says(owner, "nobody else has read this");
    play.stage.expire();
    play.stage.set_offline(one.0, false);
    play.stage.set_offline(other.0, false);
    // As soon as it is there, its author is gone.
    play.stage.run(500);
    play.stage.ask(
        owner.0,
        ume_api::Command::Post {
            community: owner.1,
            text: "it is named here".into(),
            lifetime: None,
        },
    );
    play.stage.run(1_000);
    play.stage.stop(owner.0);
    play.stage.run(5_000);
    let sought = Missing {
        sought: 1,
        ..Missing::default()
    };
    for who in [one, other] {
        assert_eq!(play.texts(who), ["it is named here"]);
        assert_eq!(play.missing(who).all(), 1);
    }
    play.stage.run(15_000);
    assert_ne!(play.missing(one), sought, "members are asked");
    play.stage.run(20 * 60_000);
    let nobody = Missing {
        nobody: 1,
        ..Missing::default()
    };
    assert_eq!(play.missing(one), nobody);
    assert_eq!(play.missing(other), nobody);
    // It is asked for less and less often: a week of two devices is a few cells.
    let cells = play.stage.cells();
    play.stage.run(7 * DAY_MS);
    let asked = play.stage.cells() - cells;
    assert!((1..200).contains(&asked), "{asked} cells in a week");
    play.stage.restart(owner.0);
    play.stage.run(120_000);
    let all = ["nobody else has read this", "it is named here"];
    assert_eq!(play.texts(one), all);
    assert_eq!(play.texts(other), all);
    assert_eq!(play.missing(one), Missing::default());
}

#[test]
fn nobody_is_handed_what_lies_before_their_window() {
    let mut play = Play::begin(4);
    let owner = play.owner;
    let (one, other) = (
        play.joins(HistoryWindow::All),
        play.joins(HistoryWindow::All),
    );
    play.stage.set_offline(other.0, true);
    play.says(owner, "long ago");
    play.stage.run(10 * DAY_MS);
    let days = play.joins(HistoryWindow::Days(3));
    let none = play.joins(HistoryWindow::None);
    play.says(owner, "since");
    play.stage.expire();
    // One gets all of the past back, where those can hear it who may not; and they compare what they have as well.
    play.stage.set_offline(other.0, false);
    for who in [days, none] {
        play.stage.set_offline(who.0, true);
    }
    play.says(one, "missed");
    play.stage.expire();
    for who in [days, none] {
        play.stage.set_offline(who.0, false);
    }
    play.stage.run(600_000);
    assert_eq!(play.texts(other), ["long ago", "since", "missed"]);
    for who in [days, none] {
        assert!(!play.texts(who).contains(&"long ago".to_owned()));
        assert!(!play.stores(who, "long ago"));
        assert_eq!(play.missing(who), Missing::default());
    }
    assert_eq!(play.texts(days), ["since", "missed"]);
}

#[test]
fn what_was_taken_back_is_handed_on_without_its_text() {
    let mut play = Play::begin(5);
    let owner = play.owner;
    let (one, other) = (
        play.joins(HistoryWindow::All),
        play.joins(HistoryWindow::All),
    );
    play.stage.set_offline(other.0, true);
    play.says(owner, "said too soon");
    let post = play.stage.posts(owner.0, owner.1)[0].id;
    let (device, community) = owner;
    let unpublish = ume_api::Command::Unpublish { community, post };
    play.stage.command(device, unpublish).unwrap();
    play.stage.run(5_000);
    play.stage.expire();
    play.says(owner, "better");
    play.stage.set_offline(other.0, false);
    play.stage.run(300_000);
    assert_eq!(play.texts(other), ["", "better"]);
    assert_eq!(play.missing(other), Missing::default());
    for who in [owner, one, other] {
        assert!(!play.stores(who, "said too soon"));
    }
}

#[test]
fn a_post_that_is_over_is_erased_everywhere() {
    let mut play = Play::begin(6);
    let owner = play.owner;
    let one = play.joins(HistoryWindow::All);
    // A clock that is far off is corrected; a device without a network goes by its own.
    let link = play.stage.share(owner.0, owner.1, OPEN);
    let skewed = play.stage.device(-3_600_000);
    let other: Place = (skewed, play.stage.join(skewed, &link).unwrap());
    play.says(owner, "stays");
    play.stage
        .post_for(owner.0, owner.1, "for an hour", Some(3_600));
    play.stage.run(5_000);
    let post = play.stage.posts(owner.0, owner.1).pop().unwrap();
    assert_eq!(post.expires_at, Some(post.at + 3_600_000));
    let edit = ume_api::Command::Edit {
        community: owner.1,
        post: post.id,
        text: "for an hour, edited".into(),
    };
    play.stage.command(owner.0, edit).unwrap();
    play.stage.run(5_000);
    for who in [owner, one, other] {
        assert_eq!(play.texts(who), ["stays", "for an hour, edited"]);
        assert!(play.stores(who, "for an hour"));
    }
    // One crashes and comes back after it is over, one has no network.
    play.stage.stop(one.0);
    play.stage.set_offline(owner.0, true);
    play.stage.run(3_600_000 + 60_000);
    play.stage.restart(one.0);
    play.stage.run(30_000);
    for who in [owner, one, other] {
        assert_eq!(play.texts(who), ["stays"]);
        assert!(!play.stores(who, "for an hour"), "{who:?}");
    }
    play.stage.set_offline(owner.0, false);
    // A newcomer finds the sealed cells at the relay, and keeps nothing of them.
    play.stage.run(5_000);
    let late = play.joins(HistoryWindow::All);
    play.stage.run(60_000);
    assert_eq!(play.texts(late), ["stays"]);
    assert!(!play.stores(late, "for an hour"));
    let audits: Vec<_> = [owner, one, other, late]
        .map(|who| play.stage.audit(who.0).unwrap())
        .into();
    for audit in &audits {
        assert_eq!(audit.missing, 0);
        assert_eq!(audit, &audits[0]);
    }
}

#[test]
fn a_post_that_ends_before_it_left_leaves_without_its_text() {
    let mut play = Play::begin(7);
    let owner = play.owner;
    let one = play.joins(HistoryWindow::All);
    play.stage.set_offline(owner.0, true);
    play.stage.post_for(owner.0, owner.1, "too late", Some(60));
    assert_eq!(play.texts(owner), ["too late"]);
    play.stage.run(10_000);
    play.stage.stop(owner.0);
    play.stage.run(120_000);
    play.stage.restart(owner.0);
    play.stage.run(30_000);
    play.stage.set_offline(owner.0, false);
    play.says(owner, "in time");
    play.stage.run(60_000);
    for who in [owner, one] {
        assert_eq!(play.texts(who), ["in time"]);
        assert!(!play.stores(who, "too late"), "{who:?}");
        assert_eq!(play.missing(who), Missing::default());
        let rows = play.stage.rows(who.0);
        assert!(rows.iter().all(|(key, _)| key.table != Table::Outbox));
    }
    // What is left keeps the chain whole.
    let audit = play.stage.audit(one.0).unwrap();
    assert_eq!((audit.entries.len(), audit.posts.len()), (2, 1));
}

#[test]
fn a_post_lasts_at_most_as_long_as_relays_keep_it() {
    let mut play = Play::begin(8);
    let (device, community) = play.owner;
    for lifetime in [0, ume_api::LIFETIME_SECONDS_MAX + 1, u64::MAX] {
        let post = ume_api::Command::Post {
            community,
            text: "too long or not at all".into(),
            lifetime: Some(lifetime),
        };
        let answer = play.stage.command(device, post);
        assert_eq!(answer, Err(ume_api::Failure::NotAllowed), "{lifetime}");
    }
    assert!(play.texts(play.owner).is_empty());
}

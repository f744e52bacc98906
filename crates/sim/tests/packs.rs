//! Old posts come from packs, when the lanes of their days are empty and nobody is there: years in virtual time.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // what tests share is a test as well

use ume_api::{Command, CommunityRef, HistoryWindow, InviteKind, InviteTerms, Missing, Role};
use ume_sim::Stage;

const DAY_MS: u64 = 24 * 3600 * 1000;
/// The community begins on the 25th day of a span, and its second span ends on the 36th day. On this day both are packed,
/// and nothing else.
const PACKED: u64 = 345;
/// On this day no lane has anything of those days.
const LATER: u64 = 450;

type Place = (usize, CommunityRef);

struct Play {
    stage: Stage,
    begin_ms: u64,
    people: Vec<Place>,
}

impl Play {
    fn begin(seed: u8) -> Self {
        let mut stage = Stage::new(seed);
        let begin_ms = stage.now_ms();
        let device = stage.device(0);
        let community = stage.found(device);
        Self {
            stage,
            begin_ms,
            people: vec![(device, community)],
        }
    }

    fn owner(&self) -> Place {
        self.people[0]
    }

    fn link(&mut self, history: HistoryWindow) -> String {
        let (owner, community) = self.owner();
        let terms = InviteTerms {
            kind: InviteKind::Open,
            expires_in: None,
            max_uses: None,
            history,
            role: Role::Member,
        };
        self.stage.share(owner, community, terms)
    }

    fn joins(&mut self, link: &str) -> Place {
        let device = self.stage.device(0);
        let there = self.stage.join(device, link).unwrap();
        self.people.push((device, there));
        self.stage.run(120_000);
        (device, there)
    }

    fn says(&mut self, who: Place, text: &str) {
        self.stage.post(who.0, who.1, text);
        self.stage.run(5_000);
    }

    /// Everybody goes away.
    fn all_leave(&mut self) {
        for (device, _) in self.people.clone() {
            self.stage.stop(device);
        }
    }

    /// Nobody is there until a day, counted from the beginning; then the first of them come back.
    fn on_day(&mut self, day: u64, back: usize) {
        self.all_leave();
        let until = self.begin_ms + day * DAY_MS;
        self.stage.run(until - self.stage.now_ms());
        for (device, _) in self.people.clone().into_iter().take(back) {
            self.stage.restart(device);
        }
        // As long as somebody looks in.
        if back > 0 {
            self.stage.run(15 * 60_000);
        }
    }

    fn texts(&mut self, who: Place) -> Vec<String> {
        let posts = self.stage.posts(who.0, who.1);
        posts.into_iter().map(|post| post.text).collect()
    }

    fn missing(&self, who: Place) -> Missing {
        self.stage.view(who.0, who.1).unwrap().missing
    }

    /// Entries on a device that are no posts which are shown.
    fn others(&self, who: Place) -> usize {
        let audit = self.stage.audit(who.0).unwrap();
        audit.entries.len() - audit.posts.len()
    }

    fn stores(&self, who: Place, text: &str) -> bool {
        let rows = self.stage.rows(who.0);
        rows.iter().any(|(_, row)| {
            let mut windows = row.windows(text.len());
            windows.any(|window| window == text.as_bytes())
        })
    }
}

const LIVED: [&str; 6] = [
    "the very first",
    "an answer",
    "before the window",
    "within the window",
    "",
    "lately",
];

/// Two people live through the first year of a community, and go; they leave a link.
fn lived(history: HistoryWindow) -> (Play, String) {
    let mut play = Play::begin(1);
    let owner = play.owner();
    let link = play.link(HistoryWindow::All);
    let one = play.joins(&link);
    play.says(owner, "the very first");
    play.says(one, "an answer");
    play.on_day(10, 2);
    play.says(one, "before the window");
    play.on_day(20, 2);
    play.says(owner, "within the window");
    play.says(owner, "said too soon");
    let post = play.stage.posts(owner.0, owner.1).pop().unwrap().id;
    let community = owner.1;
    let unpublish = Command::Unpublish { community, post };
    play.stage.command(owner.0, unpublish).unwrap();
    let week = Some(7 * 24 * 3600);
    play.stage.post_for(one.0, one.1, "for a week", week);
    play.stage.run(5_000);
    play.on_day(PACKED, 2);
    let blobs = play.stage.blobs();
    assert!(blobs >= 2, "{blobs} blobs");
    let link = play.link(history);
    play.says(owner, "lately");
    assert_eq!(play.texts(owner), LIVED);
    play.on_day(LATER, 0);
    (play, link)
}

#[test]
fn who_comes_when_nobody_is_there_reads_what_no_lane_has() {
    let (mut play, link) = lived(HistoryWindow::All);
    let newcomer = play.joins(&link);
    assert_eq!(play.texts(newcomer), LIVED);
    assert_eq!(play.missing(newcomer), Missing::default());
    for gone in ["said too soon", "for a week"] {
        assert!(!play.stores(newcomer, gone));
    }
    // Those who come back have the same.
    for at in 0..2 {
        play.stage.restart(play.people[at].0);
    }
    play.stage.run(2 * 3_600_000);
    let audits = play.people.iter();
    let audits: Vec<_> = audits
        .map(|(device, _)| play.stage.audit(*device).unwrap())
        .collect();
    for audit in &audits {
        assert_eq!(audit.entries, audits[0].entries);
        assert_eq!(audit.posts, audits[0].posts);
        assert!(audit.rejected.is_empty());
    }
}

#[test]
fn a_window_holds_to_the_day_in_packs_too() {
    let (mut play, link) = lived(HistoryWindow::Days(330));
    let newcomer = play.joins(&link);
    assert_eq!(play.texts(newcomer), LIVED[3..]);
    let gone = ["said too soon", "for a week"];
    for text in LIVED[..3].iter().chain(&gone) {
        assert!(!play.stores(newcomer, text), "{text}");
    }
    assert_eq!(play.missing(newcomer), Missing::default());
}

#[test]
fn one_of_many_packs() {
    let mut play = Play::begin(2);
    let owner = play.owner();
    let link = play.link(HistoryWindow::All);
    let others: Vec<Place> = (0..5).map(|_| play.joins(&link)).collect();
    play.says(owner, "the very first");
    play.on_day(10, 6);
    play.says(others[0], "later");
    play.on_day(PACKED, 6);
    // Of two spans each.
    for who in &play.people {
        assert_eq!(play.others(*who), 2);
        assert_eq!(play.missing(*who), Missing::default());
    }
    let blobs = play.stage.blobs();
    // Not again, on whatever day, until they are to be kept for longer.
    play.on_day(PACKED + 20, 6);
    assert_eq!((play.others(owner), play.stage.blobs()), (2, blobs));
}

#[test]
fn a_pack_is_kept_for_as_long_as_anybody_looks_in_once_a_year() {
    let mut play = Play::begin(3);
    let owner = play.owner();
    play.says(owner, "the very first");
    for year in 0..3 {
        play.on_day(PACKED + year * 360, 1);
    }
    let link = play.link(HistoryWindow::All);
    play.on_day(PACKED + 2 * 360 + 300, 0);
    let newcomer = play.joins(&link);
    assert_eq!(play.texts(newcomer), ["the very first"]);
}

#[test]
fn whoever_packs_may_crash_at_any_point() {
    for crash in 0..6 {
        let mut play = Play::begin(4);
        let owner = play.owner();
        play.says(owner, "the very first");
        play.on_day(10, 1);
        play.says(owner, "later");
        play.on_day(PACKED, 0);
        play.stage.crash_after(owner.0, crash);
        play.stage.restart(owner.0);
        play.stage.run(30 * 60_000);
        assert!(play.stage.crashes(owner.0) > 2, "{crash}");
        assert_eq!((play.others(owner), play.stage.blobs()), (2, 2), "{crash}");
        let link = play.link(HistoryWindow::All);
        play.on_day(LATER, 0);
        let newcomer = play.joins(&link);
        assert_eq!(play.texts(newcomer), ["the very first", "later"]);
    }
}

#[test]
fn what_a_relay_withholds_or_changes_is_missed_and_read_when_it_is_there() {
    let treatments: [fn(&mut Vec<bytes::Bytes>); 3] = [
        Vec::clear,
        |cells| drop(cells.pop()),
        |cells| {
            let mut changed = cells[0].to_vec();
            changed[900] ^= 1;
            cells[0] = changed.into();
        },
    ];
    for treat in treatments {
        let mut play = Play::begin(5);
        let owner = play.owner();
        play.says(owner, "the very first");
        play.on_day(10, 1);
        play.says(owner, "later");
        play.on_day(PACKED, 1);
        let link = play.link(HistoryWindow::All);
        play.says(owner, "lately");
        let whole = play.stage.remember();
        play.on_day(LATER, 0);
        play.stage.treat_blobs(treat);
        let newcomer = play.joins(&link);
        assert_eq!(play.texts(newcomer), ["lately"]);
        assert!(play.missing(newcomer).all() > 0);
        play.stage.find_blobs(&whole);
        play.stage.run(2 * 3_600_000);
        let all = ["the very first", "later", "lately"];
        assert_eq!(play.texts(newcomer), all);
        assert_eq!(play.missing(newcomer), Missing::default());
    }
}

#[test]
fn what_a_relay_forgot_that_was_put_back_is_packed_again() {
    let mut play = Play::begin(6);
    let owner = play.owner();
    play.says(owner, "the very first");
    play.on_day(PACKED - 1, 0);
    let backup = play.stage.remember();
    play.on_day(PACKED, 1);
    assert!(play.stage.blobs() > 0);
    play.stage.put_back(&backup);
    assert_eq!(play.stage.blobs(), 0);
    play.stage.run(30 * 60_000);
    assert!(play.stage.blobs() > 0);
    let link = play.link(HistoryWindow::All);
    play.on_day(LATER, 0);
    let newcomer = play.joins(&link);
    assert_eq!(play.texts(newcomer), ["the very first"]);
}

#[test]
fn what_is_taken_back_later_is_packed_anew_without_its_text() {
    let mut play = Play::begin(7);
    let owner = play.owner();
    play.says(owner, "the very first");
    play.says(owner, "regretted");
    play.on_day(PACKED, 1);
    let post = play.stage.posts(owner.0, owner.1).pop().unwrap().id;
    let community = owner.1;
    let unpublish = Command::Unpublish { community, post };
    play.stage.command(owner.0, unpublish).unwrap();
    play.stage.run(2 * 3_600_000);
    assert_eq!(play.stage.blobs(), 2);
    let link = play.link(HistoryWindow::All);
    play.on_day(LATER, 0);
    let newcomer = play.stage.device(0);
    play.stage.listen(newcomer);
    let there = play.stage.join(newcomer, &link).unwrap();
    play.stage.run(120_000);
    assert_eq!(play.texts((newcomer, there)), ["the very first", ""]);
    assert!(!play.stores((newcomer, there), "regretted"));
    // Of two packs of one span it fetched the newer one only.
    let frames = play.stage.heard(newcomer);
    let parts = frames.iter().filter(|frame| {
        let body = ume_wire::frame::decode(frame).unwrap().body;
        matches!(body, Some(ume_wire::relay::frame::Body::BlobPart(_)))
    });
    assert_eq!(parts.count(), 1);
}

#[test]
fn who_was_away_for_a_year_reads_on_with_nobody_there() {
    let mut play = Play::begin(8);
    let owner = play.owner();
    let link = play.link(HistoryWindow::None);
    let away = play.joins(&link);
    play.says(owner, "the very first");
    for (day, text) in [(20, "in no lane"), (100, "in a lane"), (PACKED, "lately")] {
        play.on_day(day, 1);
        play.says(owner, text);
    }
    play.on_day(LATER, 0);
    play.stage.restart(away.0);
    play.stage.run(10 * 60_000);
    let all = ["the very first", "in no lane", "in a lane", "lately"];
    assert_eq!(play.texts(away), all);
}

//! Plays about who people say they are, and about what a community pays its relay with.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // what tests share is a test as well

use ume_api::{
    AccessKeyText, Act, Command, CommunityRef, Failure, MemberView, PICTURE_BYTES_MAX, PersonId,
    Reply,
};
use ume_sim::{OPEN, Stage};
use ume_wire::access;

const DAY_MS: u64 = 24 * 3600 * 1000;

fn seen(stage: &mut Stage, device: usize, community: CommunityRef, of: PersonId) -> MemberView {
    let members = stage.members(device, community).into_iter();
    let mut theirs = members.filter(|one| one.person.id == of);
    theirs.next().unwrap()
}

fn picture(stage: &mut Stage, device: usize, community: CommunityRef, person: PersonId) -> Reply {
    stage
        .command(device, Command::Picture { community, person })
        .unwrap()
}

#[test]
fn people_change_name_line_and_picture_any_time() {
    let mut stage = Stage::new(1);
    let owner = stage.device(0);
    let community = stage.found(owner);
    let link = stage.share(owner, community, OPEN);
    let guest = stage.device(0);
    let there = stage.join(guest, &link).unwrap();
    stage.run(5_000);
    stage.post(guest, there, "under my old name");
    let me = stage.person((guest, there));
    let set = |name: &str, line: &str| Act::SetProfile {
        name: name.into(),
        line: line.into(),
    };
    assert_eq!(
        stage.govern(guest, there, set("", "")),
        Err(Failure::BadText)
    );
    stage
        .govern(guest, there, set("Quince", "picks at night"))
        .unwrap();
    assert_eq!(
        stage.govern(guest, there, set("Quince", "picks at night")),
        Err(Failure::AlreadySo)
    );
    let portray = |bytes: Vec<u8>| Command::Portray {
        community: there,
        picture: bytes,
    };
    assert_eq!(
        stage.command(guest, portray(vec![1; PICTURE_BYTES_MAX + 1])),
        Err(Failure::BadText)
    );
    assert_eq!(seen(&mut stage, guest, there, me).person.picture, None);
    stage.command(guest, portray(vec![1; 3000])).unwrap();
    stage.command(guest, portray(vec![2; 3000])).unwrap();
    stage.run(10_000);
    let view = seen(&mut stage, owner, community, me);
    assert_eq!(
        (&view.person.name[..], &view.line[..]),
        ("Quince", "picks at night")
    );
    assert!(view.person.picture.is_some());
    let shown = picture(&mut stage, owner, community, me);
    assert_eq!(shown, Reply::Picture(Some(vec![2; 3000])));
    assert_eq!(stage.posts(owner, community)[0].author.name, "Quince");
    // Whoever comes later sees the same; a picture can be taken away again.
    let late = stage.device(0);
    let here = stage.join(late, &link).unwrap();
    stage.run(20_000);
    assert_eq!(picture(&mut stage, late, here, me), shown);
    assert_eq!(seen(&mut stage, late, here, me).line, "picks at night");
    stage.command(guest, portray(vec![])).unwrap();
    stage.run(10_000);
    assert_eq!(picture(&mut stage, late, here, me), Reply::Picture(None));
    assert_eq!(seen(&mut stage, late, here, me).person.picture, None);
}

#[test]
fn posts_on_the_screen_follow_what_their_author_looks_like() {
    let mut stage = Stage::new(3);
    let owner = stage.device(0);
    let community = stage.found(owner);
    let link = stage.share(owner, community, OPEN);
    let guest = stage.device(0);
    let there = stage.join(guest, &link).unwrap();
    stage.run(5_000);
    stage.post(guest, there, "look at me");
    stage.run(5_000);
    let post = stage.posts(owner, community)[0].id;
    let act = Act::SetProfile {
        name: "Quince".into(),
        line: String::new(),
    };
    stage.govern(guest, there, act).unwrap();
    stage.run(5_000);
    let author = |stage: &Stage| stage.news_of(owner, post).unwrap().author;
    assert_eq!(author(&stage).name, "Quince");
    let portrait = Command::Portray {
        community: there,
        picture: vec![1; 3000],
    };
    stage.command(guest, portrait).unwrap();
    stage.run(5_000);
    assert!(author(&stage).picture.is_some());
}

#[test]
fn an_admin_changes_what_the_community_pays_with() {
    let (old, new) = ([5; 32], [6; 32]);
    let mut stage = Stage::new(2);
    stage.want_access(&[old]);
    let owner = stage.device(0);
    let text = |key| access::to_text(&key).to_string();
    let community = stage.found_with(owner, Some(&text(old))).unwrap();
    let link = stage.share(owner, community, OPEN);
    let guest = stage.device(0);
    let there = stage.join(guest, &link).unwrap();
    stage.run(5_000);
    stage.want_access(&[new]);
    stage.run(DAY_MS);
    stage.post(guest, there, "who pays for this?");
    stage.run(120_000);
    assert_eq!(stage.audit(guest).unwrap().unsettled, 1);
    let set = |text: &str| Act::SetAccess {
        key: Some(AccessKeyText(text.to_owned())),
    };
    assert_eq!(
        stage.govern(owner, community, set("ume-access-what")),
        Err(Failure::AccessRefused)
    );
    assert_eq!(
        stage.govern(guest, there, set(&text(new))),
        Err(Failure::NotAllowed)
    );
    stage.govern(owner, community, set(&text(new))).unwrap();
    stage.run(30_000);
    assert_eq!(stage.audit(guest).unwrap().unsettled, 0);
    assert_eq!(stage.posts(owner, community).len(), 1);
    // Whoever comes now pays with it as well, with nobody there.
    stage.run(DAY_MS);
    stage.stop(owner);
    stage.stop(guest);
    let late = stage.device(0);
    let here = stage.join(late, &link).unwrap();
    stage.post(late, here, "we all do");
    stage.run(30_000);
    assert_eq!(stage.audit(late).unwrap().unsettled, 0);
}

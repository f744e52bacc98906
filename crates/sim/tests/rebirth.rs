//! Plays about a group that leads nowhere, and an owner who begins it anew.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // what tests share is a test as well

use ume_api::{
    Act, Command, CommunityRef, Departure, Failure, HistoryWindow, InviteKind, InviteTerms,
    PersonId, Phase, Reply, Role,
};
use ume_sim::{Spoils, Stage, Unruly};

const OPEN: InviteTerms = InviteTerms {
    kind: InviteKind::Open,
    expires_in: None,
    max_uses: None,
    history: HistoryWindow::All,
    role: Role::Member,
};
/// Longer than a device waits before it takes for granted that nothing else helps.
const LONG_MS: u64 = 7 * 60_000;
const CALLS: Unruly = Unruly {
    spoils: None,
    calls: true,
    poses: false,
    misleads: false,
};

type Place = (usize, CommunityRef);

/// An owner, one more owner, two members, and somebody whose program is changed.
struct Play {
    stage: Stage,
    link: String,
    owner: Place,
    second: Place,
    guests: [Place; 2],
    breaker: Place,
    broken: PersonId,
}

fn play(seed: u8) -> Play {
    let mut stage = Stage::new(seed);
    let owner = stage.device(0);
    let community = stage.found(owner);
    let link = stage.share(owner, community, OPEN);
    let mut join = || {
        let guest = stage.device(0);
        let there = stage.join(guest, &link).unwrap();
        stage.run(5_000);
        (guest, there)
    };
    let (second, one, two, breaker) = (join(), join(), join(), join());
    let owner = (owner, community);
    let guests = [one, two];
    let mut play = Play {
        stage,
        link,
        owner,
        second,
        guests,
        breaker,
        broken: PersonId([0; 32]),
    };
    play.broken = play.id(breaker);
    let (person, from) = (play.id(second), play.id(owner));
    let offer = Act::OfferOwnership {
        person,
        on: true,
        stay: true,
    };
    play.does(owner, offer).unwrap();
    play.does(second, Act::AcceptOwnership { from }).unwrap();
    let role = Act::SetRole {
        person: play.broken,
        role: Role::Admin,
    };
    play.does(owner, role).unwrap();
    for (number, who) in [owner, second, one, two, breaker].into_iter().enumerate() {
        play.stage.post(who.0, who.1, &format!("before {number}"));
    }
    play.stage.run(10_000);
    play
}

impl Play {
    fn id(&mut self, (device, community): Place) -> PersonId {
        let members = self.stage.members(device, community);
        members.iter().find(|one| one.person.me).unwrap().person.id
    }

    fn does(&mut self, who: Place, act: Act) -> Result<(), Failure> {
        let result = self.stage.govern(who.0, who.1, act);
        self.stage.run(10_000);
        result
    }

    /// The changed program makes a commit that no device can follow, and goes away. With a withdrawn invite it ends its
    /// generation as well, so that nobody knows where the records go on.
    fn breaks(&mut self, generation: bool) {
        self.spoils(Spoils::Garbage, generation);
    }

    fn spoils(&mut self, how: Spoils, generation: bool) {
        let (device, community) = self.breaker;
        let act = if generation {
            let _unused = self.stage.share(device, community, OPEN);
            self.stage.run(10_000);
            let invites = self.stage.invites(device, community);
            let mine = invites.iter().find(|one| one.issuer.me).unwrap();
            Act::RevokeInvite { invite: mine.id }
        } else {
            let (name, line) = ("Breaker".to_owned(), "of things".to_owned());
            Act::SetProfile { name, line }
        };
        let spoils = Unruly {
            spoils: Some(how),
            ..Unruly::default()
        };
        self.stage.unruly(device, spoils);
        self.stage.govern(device, community, act).unwrap();
        self.stage.stop(device);
        self.stage.run(60_000);
        for (device, community) in self.others() {
            assert_eq!(self.phase((device, community)), Phase::Healing, "{device}");
        }
    }

    fn others(&self) -> Vec<Place> {
        let [one, two] = self.guests;
        vec![self.owner, self.second, one, two]
    }

    fn phase(&self, (device, community): Place) -> Phase {
        self.stage.view(device, community).unwrap().phase
    }

    fn stalled(&self, (device, community): Place) -> bool {
        let view = self.stage.view(device, community).unwrap();
        view.stalled.is_some()
    }

    fn begins_anew(&mut self, who: Place, without: Option<PersonId>) -> Result<Reply, Failure> {
        let (device, community) = who;
        let command = Command::BeginAnew { community, without };
        self.stage.command(device, command)
    }

    fn texts(&mut self, (device, community): Place) -> Vec<String> {
        let posts = self.stage.posts(device, community);
        let mut texts: Vec<_> = posts.into_iter().map(|post| post.text).collect();
        texts.sort();
        texts
    }

    /// These are together: with equal records, and all that was written before and is written now.
    fn together(&mut self, all: &[Place], posts: usize) {
        let first = self.stage.audit(all[0].0).unwrap();
        for (device, _) in all {
            let audit = self.stage.audit(*device).unwrap();
            assert!(audit.live, "{device}");
            assert_eq!((audit.unsettled, audit.missing), (0, 0), "{device}");
            assert_eq!(audit.refused, 0);
            let same = |one: &ume_engine::audit::Audit| {
                (one.record, one.ledger, one.authenticator.clone())
            };
            assert_eq!(same(&audit), same(&first), "{device}");
        }
        self.stage.post(all[0].0, all[0].1, "after");
        self.stage.run(20_000);
        let before = self.texts(all[0]);
        assert_eq!(before.len(), posts + 1);
        for who in all {
            assert_eq!(self.texts(*who), before);
        }
    }
}

#[test]
fn an_owner_begins_anew_what_a_member_broke() {
    for (seed, generation) in [(1, false), (2, true)] {
        let mut play = play(seed);
        play.breaks(generation);
        // Who would come in now is told to wait.
        let stranger = play.stage.device(0);
        let told = play.stage.join(stranger, &play.link.clone());
        assert_eq!(told, Err(Failure::InvitePaused));
        // What people write meanwhile waits.
        let [guest, away] = play.guests;
        play.stage.post(guest.0, guest.1, "meanwhile");
        play.stage.stop(away.0);
        assert!(!play.stalled(play.owner), "not before time");
        let early = play.begins_anew(play.owner, None);
        assert_eq!(early, Err(Failure::NotAllowed));
        play.stage.run(LONG_MS);
        assert!(play.stalled(play.owner) && play.stalled(guest));
        // It needs an owner.
        let refused = play.begins_anew(guest, None);
        assert_eq!(refused, Err(Failure::NotAllowed));
        let broken = play.broken;
        let view = play.stage.view(play.owner.0, play.owner.1).unwrap();
        let suspect = view.stalled.unwrap().suspect.unwrap();
        assert_eq!(suspect.id, broken);
        let done = play.begins_anew(play.owner, Some(broken));
        assert_eq!(done, Ok(Reply::Done));
        play.stage.run(60_000);
        // Who comes much later finds the way as well, and so does who was never there.
        play.stage.restart(away.0);
        play.stage.run(LONG_MS + 120_000);
        let new = play.stage.device(0);
        let there = play.stage.join(new, &play.link.clone()).unwrap();
        play.stage.run(120_000);
        let mut all = play.others();
        all.push((new, there));
        play.together(&all, 6);
        let owner = play.id(play.owner);
        for (device, community) in all {
            let view = play.stage.view(device, community).unwrap();
            assert_eq!((view.members, view.stalled), (5, None));
            assert_eq!(view.reborn.unwrap().by.id, owner);
        }
        // The one who broke it is out: by their own program they are where nobody else is.
        play.stage.restart(play.breaker.0);
        play.stage.run(LONG_MS + 60_000);
        play.stage
            .post(play.breaker.0, play.breaker.1, "is anybody here?");
        play.stage.run(60_000);
        assert_eq!(play.texts(play.owner).len(), 7);
        assert_eq!(play.texts(play.breaker).len(), 6);
    }
}

#[test]
fn of_two_calls_one_counts_for_everybody() {
    for seed in 3..7 {
        let mut play = play(seed);
        play.breaks(false);
        play.stage.run(LONG_MS);
        let without = Some(play.broken);
        let asked = [play.owner, play.second].map(|(device, community)| {
            let command = Command::BeginAnew { community, without };
            (device, play.stage.ask(device, command))
        });
        for (device, number) in asked {
            let answer = play.stage.answer(device, number);
            assert_eq!(answer, Some(Ok(Reply::Done)));
        }
        play.stage.run(300_000);
        let all = play.others();
        play.together(&all, 5);
    }
}

#[test]
fn whoever_is_well_stays() {
    let mut play = play(8);
    let (device, _) = play.second;
    play.stage.unruly(device, CALLS);
    assert_eq!(play.begins_anew(play.second, None), Ok(Reply::Done));
    play.stage.run(2 * LONG_MS);
    // Who called is alone; the others go on as if nothing had been said.
    let [one, two] = play.guests;
    play.together(&[play.owner, one, two, play.breaker], 5);
    assert_eq!(play.texts(play.second).len(), 5);
    let view = play.stage.view(one.0, one.1).unwrap();
    assert_eq!((view.reborn, view.stalled), (None, None));
}

#[test]
fn who_is_no_owner_any_more_calls_nobody() {
    let mut play = play(9);
    // A device of an owner who does not know that they handed their ownership over.
    let (device, _) = play.second;
    play.stage.copy(device);
    let (heir, from) = (play.guests[0], play.id(play.second));
    let person = play.id(heir);
    let offer = Act::OfferOwnership {
        person,
        on: true,
        stay: false,
    };
    play.does(play.second, offer).unwrap();
    play.does(heir, Act::AcceptOwnership { from }).unwrap();
    play.breaks(false);
    play.stage.set_offline(device, true);
    play.stage.put_store_back(device);
    play.stage.unruly(device, CALLS);
    assert_eq!(play.begins_anew(play.second, None), Ok(Reply::Done));
    play.stage.set_offline(device, false);
    play.stage.run(2 * LONG_MS);
    let [_, other] = play.guests;
    for who in [play.owner, heir, other] {
        assert!(play.stalled(who), "{}", who.0);
        let view = play.stage.view(who.0, who.1).unwrap();
        assert_eq!(view.reborn, None);
    }
    // Whose call it is to be is heard.
    let done = play.begins_anew(heir, Some(play.broken));
    assert_eq!(done, Ok(Reply::Done));
    play.stage.run(120_000);
    play.together(&[play.owner, heir, other], 5);
}

#[test]
fn who_is_taken_out_by_a_call_finds_themselves_out() {
    let mut play = play(10);
    play.breaks(false);
    play.stage.run(LONG_MS);
    let gone = play.guests[0];
    let person = play.id(gone);
    let done = play.begins_anew(play.owner, Some(person));
    assert_eq!(done, Ok(Reply::Done));
    play.stage.run(120_000);
    assert_eq!(play.phase(gone), Phase::Ended(Departure::Removed));
    play.together(&[play.owner, play.second, play.guests[1]], 5);
    assert_eq!(play.texts(gone).len(), 5);
}

#[test]
fn a_crash_at_any_moment_loses_no_call_and_nobody() {
    let mut crashes = 0;
    for stored in 0..14 {
        let mut play = play(11);
        play.breaks(true);
        play.stage.run(LONG_MS);
        for (device, _) in play.others() {
            play.stage.crash_after(device, stored);
        }
        let (device, community) = play.owner;
        let without = Some(play.broken);
        let command = Command::BeginAnew { community, without };
        let number = play.stage.ask(device, command.clone());
        play.stage.run(120_000);
        if play.stage.answer(device, number).is_none() {
            // It was not durable, so nothing was promised, and nothing has happened.
            play.stage.run(LONG_MS);
            let again = play.stage.command(device, command);
            assert_eq!(again, Ok(Reply::Done));
        }
        // Who crashed waits until it is clear again that nothing else helps.
        play.stage.run(2 * LONG_MS);
        let all = play.others();
        play.together(&all, 5);
        let count = |(device, _): &Place| play.stage.crashes(*device);
        crashes += all.iter().map(count).sum::<u32>();
    }
    assert!(crashes > 40, "{crashes}");
}

#[test]
fn records_that_nobody_keeps_do_not_end_a_community() {
    let mut play = play(12);
    let backup = play.stage.remember();
    let (device, community) = play.owner;
    for number in 0..140 {
        let (name, line) = ("Owner".to_owned(), format!("{number}"));
        let act = Act::SetProfile { name, line };
        play.stage.govern(device, community, act).unwrap();
    }
    let late = play.stage.share(device, community, OPEN);
    play.stage
        .post(device, community, "among what the relay forgot");
    play.stage.run(20_000);
    play.stage.put_back(&backup);
    play.stage.run(2 * LONG_MS);
    let everybody = [&play.others()[..], &[play.breaker]].concat();
    for who in &everybody {
        assert!(play.stalled(*who), "{}", who.0);
    }
    assert_eq!(play.begins_anew(play.owner, None), Ok(Reply::Done));
    play.stage.run(300_000);
    // Links that the relay had forgotten go on.
    let new = play.stage.device(0);
    let there = play.stage.join(new, &late).unwrap();
    play.stage.run(120_000);
    let all = [&everybody[..], &[(new, there)]].concat();
    play.together(&all, 6);
}

#[test]
fn a_group_info_that_lies_leads_nobody_astray() {
    let mut play = play(13);
    play.spoils(Spoils::Lie, false);
    play.stage.run(LONG_MS);
    for who in play.others() {
        assert_eq!(play.phase(who), Phase::Healing, "{}", who.0);
        assert!(play.stalled(who), "{}", who.0);
    }
    let done = play.begins_anew(play.owner, Some(play.broken));
    assert_eq!(done, Ok(Reply::Done));
    play.stage.run(120_000);
    let all = play.others();
    play.together(&all, 5);
}

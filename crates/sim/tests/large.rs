//! Plays in groups so large that not everything fits into bundles and records: the rest lies at the relay, which may
//! withhold or change it.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // what tests share is a test as well

use ume_api::{Act, Card, Command, Failure, Notice, PersonId, Phase, Reply};
use ume_sim::{OPEN, Place, Stage};

/// A record holds the rescues of 32 devices itself, at most.
const LARGE: usize = 34;

/// An owner and one guest who are there, and others who came and went away.
struct Crowd {
    stage: Stage,
    owner: Place,
    guest: Place,
    link: String,
    /// Somebody who is to be taken out.
    last: PersonId,
}

fn crowd(seed: u8, people: usize) -> Crowd {
    let mut stage = Stage::new(seed);
    let owner = stage.device(0);
    let community = stage.found(owner);
    let link = stage.share(owner, community, OPEN);
    let guest = stage.device(0);
    let there = stage.join(guest, &link).unwrap();
    let mut last = None;
    for _ in 2..people {
        let device = stage.device(0);
        let here = stage.join(device, &link).unwrap();
        stage.run(1_000);
        let members = stage.members(device, here);
        last = members.iter().find(|one| one.person.me).cloned();
        stage.stop(device);
    }
    stage.run(40_000);
    Crowd {
        stage,
        owner: (owner, community),
        guest: (guest, there),
        link,
        last: last.unwrap().person.id,
    }
}

impl Crowd {
    fn look(&mut self, device: usize) -> Result<Card, Failure> {
        let link = self.link.clone();
        match self.stage.command(device, Command::Look { link })? {
            Reply::Card(card) => Ok(card),
            _ => Err(Failure::Internal),
        }
    }

    /// The guest commits, and somebody is taken out; then the guest's store is as it was before.
    fn guest_loses_its_keys(&mut self) {
        let (guest, there) = self.guest;
        self.stage.copy(guest);
        let name = "Renamed".into();
        let line = String::new();
        let act = Act::SetProfile { name, line };
        self.stage.govern(guest, there, act).unwrap();
        self.stage.run(10_000);
        let act = Act::Remove {
            person: self.last,
            ban: false,
        };
        self.stage.govern(self.owner.0, self.owner.1, act).unwrap();
        self.stage.run(10_000);
        assert_eq!(self.stage.audit(self.owner.0).unwrap().generation, 2);
    }

    fn phase(&self) -> Phase {
        self.stage.view(self.guest.0, self.guest.1).unwrap().phase
    }

    fn settled(&mut self) {
        let (guest, there) = self.guest;
        self.stage.post(guest, there, "here again");
        self.stage.run(20_000);
        let first = self.stage.audit(self.owner.0).unwrap();
        let second = self.stage.audit(guest).unwrap();
        assert!(first.live && second.live);
        assert_eq!(first.authenticator, second.authenticator);
        assert_eq!(first.entries, second.entries);
    }
}

#[test]
fn who_joins_fetches_what_no_bundle_holds() {
    let mut play = crowd(1, 8);
    play.link = play.stage.share(play.owner.0, play.owner.1, OPEN);
    assert!(play.stage.blobs() > 0);
    let newcomer = play.stage.device(0);
    assert_eq!(play.look(newcomer).unwrap().members, 8);
    let here = play.stage.join(newcomer, &play.link.clone()).unwrap();
    play.stage.post(newcomer, here, "hello");
    play.stage.run(20_000);
    play.settled();
}

#[test]
fn a_relay_that_withholds_a_part_of_an_invite_is_found_out() {
    let mut play = crowd(2, 40);
    let whole = play.stage.remember();
    let newcomer = play.stage.device(0);
    play.stage.treat_blobs(Vec::clear);
    assert_eq!(play.look(newcomer), Err(Failure::InviteIncomplete));
    let link = play.link.clone();
    let joins = play.stage.join(newcomer, &link);
    assert_eq!(joins, Err(Failure::InviteIncomplete));
    play.stage.find_blobs(&whole);
    assert!(play.look(newcomer).is_ok());
    // One cell short, one cell changed.
    let treatments: [fn(&mut Vec<bytes::Bytes>); 2] = [
        |cells| {
            cells.pop();
        },
        |cells| {
            let mut changed = cells[1].to_vec();
            changed[900] ^= 1;
            cells[1] = changed.into();
        },
    ];
    for treat in treatments {
        play.stage.treat_blobs(treat);
        let stranger = play.stage.device(0);
        assert_eq!(play.look(stranger), Err(Failure::InviteIncomplete));
        play.stage.find_blobs(&whole);
    }
    play.stage.join(newcomer, &link).unwrap();
}

#[test]
fn a_device_that_lost_its_keys_finds_the_way_into_a_large_groups_next_generation() {
    let mut play = crowd(3, LARGE);
    play.guest_loses_its_keys();
    play.stage.put_store_back(play.guest.0);
    play.stage.run(30_000);
    assert_eq!(play.phase(), Phase::Live);
    play.settled();
}

#[test]
fn a_withheld_way_back_is_told_and_looked_for_again() {
    let mut play = crowd(4, LARGE);
    play.guest_loses_its_keys();
    let whole = play.stage.remember();
    play.stage.treat_blobs(Vec::clear);
    let guest = play.guest.0;
    play.stage.put_store_back(guest);
    play.stage.run(30_000);
    assert_eq!(play.phase(), Phase::Healing);
    assert!(play.stage.notices(guest).contains(&Notice::WayBackMissing));
    // Also over a restart.
    play.stage.stop(guest);
    play.stage.restart(guest);
    play.stage.run(30_000);
    assert_eq!(play.phase(), Phase::Healing);
    play.stage.find_blobs(&whole);
    play.stage.run(90_000);
    assert_eq!(play.phase(), Phase::Live);
    play.settled();
}

#[test]
fn what_belongs_to_a_record_is_put_back_with_it() {
    let mut play = crowd(5, LARGE);
    let backup = play.stage.remember();
    play.guest_loses_its_keys();
    play.stage.stop(play.guest.0);
    play.stage.put_back(&backup);
    play.stage.run(200_000);
    assert_eq!(play.stage.audit(play.owner.0).unwrap().generation, 2);
    play.stage.put_store_back(play.guest.0);
    play.stage.run(200_000);
    assert_eq!(play.phase(), Phase::Live);
    play.settled();
}

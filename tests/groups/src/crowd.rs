//! A community that grows, and what is done in it.

use crate::scene::{Cost, Fault, Scene};
use crate::table;
use ume_api::{
    Act, Command, CommunityRef, HistoryWindow, InviteKind, InviteTerms, MemberView, PersonId,
    Reply, Role,
};

/// Time after each event for all that follows from it, virtual milliseconds: newcomers are handed keys, for example.
const SETTLE_MS: u64 = 35_000;

pub(crate) struct Crowd {
    scene: Scene,
    owner: (usize, CommunityRef),
    other: usize,
    link: String,
    size: usize,
    /// What the last joins cost: those who came, and one who was there.
    joins: Vec<(Cost, Cost)>,
    /// Who came last, and can go.
    guests: Vec<usize>,
}

impl Crowd {
    pub(crate) fn new() -> Result<Self, Fault> {
        let mut scene = Scene::new(1);
        let owner = scene.device()?;
        let community = scene.found(owner)?;
        let terms = InviteTerms {
            kind: InviteKind::Open,
            expires_in: None,
            max_uses: None,
            history: HistoryWindow::All,
            role: Role::Member,
        };
        let link = scene.share(owner, community, terms)?;
        let other = scene.device()?;
        scene.join(other, &link)?;
        scene.run(SETTLE_MS);
        Ok(Self {
            scene,
            owner: (owner, community),
            other,
            link,
            size: 2,
            joins: vec![],
            guests: vec![],
        })
    }

    /// Lets people come until there are so many. Of the last ones it is noted what that cost.
    pub(crate) fn grow(&mut self, size: usize, rounds: usize) -> Result<(), Fault> {
        self.joins.clear();
        while self.size < size {
            let noted = self.size + rounds >= size;
            if noted {
                // What came of the join before is over.
                self.scene.run(SETTLE_MS);
            }
            let before = self.scene.cost(self.other);
            let guest = self.scene.device()?;
            self.scene.join(guest, &self.link)?;
            let joined = self.scene.cost(guest);
            self.scene.run(SETTLE_MS);
            if noted {
                let there = self.scene.cost(self.other).since(before);
                self.joins.push((joined, there));
            }
            self.scene.forget(guest);
            self.guests.push(guest);
            self.size += 1;
        }
        self.agree()
    }

    pub(crate) fn join(&self) {
        let costs =
            |pick: fn(&(Cost, Cost)) -> Cost| self.joins.iter().map(pick).collect::<Vec<_>>();
        table::row("join", self.size, "who comes", &costs(|(one, _)| *one));
        table::row(
            "join",
            self.size,
            "each of the others",
            &costs(|(_, one)| *one),
        );
    }

    pub(crate) fn post(&mut self, rounds: usize) -> Result<(), Fault> {
        let (mut own, mut others) = (vec![], vec![]);
        for round in 0..rounds {
            let before = self.costs();
            let text = format!("A post of the usual length, number {round}.");
            let community = self.owner.1;
            let post = Command::Post {
                community,
                text,
                lifetime: None,
            };
            self.scene.command(self.owner.0, post)?;
            self.scene.run(SETTLE_MS);
            self.note(before, &mut own, &mut others);
        }
        table::row("post", self.size, "who posts", &own);
        table::row("post", self.size, "each of the others", &others);
        Ok(())
    }

    pub(crate) fn remove(&mut self, rounds: usize) -> Result<(), Fault> {
        let (mut own, mut others) = (vec![], vec![]);
        let size = self.size;
        for _ in 0..rounds.min(size.saturating_sub(3)) {
            let Some(guest) = self.guests.pop() else {
                break;
            };
            let community = self.owner.1;
            let person = self.person(guest)?;
            let before = self.costs();
            let act = Act::Remove { person, ban: false };
            let remove = Command::Govern { community, act };
            self.scene.command(self.owner.0, remove)?;
            self.scene.run(SETTLE_MS);
            self.note(before, &mut own, &mut others);
            self.size -= 1;
        }
        table::row("remove", size, "who removes", &own);
        table::row("remove", size, "each of the others", &others);
        self.agree()
    }

    /// Starting on what is stored.
    pub(crate) fn load(&mut self, rounds: usize) -> Result<(), Fault> {
        let mut costs = vec![];
        for _ in 0..rounds {
            let before = self.scene.cost(self.other);
            self.scene.stop(self.other);
            self.scene.start(self.other)?;
            costs.push(self.scene.cost(self.other).since(before));
            self.scene.run(SETTLE_MS);
        }
        table::row("load", self.size, "each", &costs);
        let (rows, bytes) = self.scene.stored(self.other);
        println!(
            "stored by a member of {}: {rows} rows, {bytes} bytes",
            self.size
        );
        Ok(())
    }

    fn costs(&self) -> (Cost, Cost) {
        (self.scene.cost(self.owner.0), self.scene.cost(self.other))
    }

    fn note(&self, before: (Cost, Cost), own: &mut Vec<Cost>, others: &mut Vec<Cost>) {
        let now = self.costs();
        own.push(now.0.since(before.0));
        others.push(now.1.since(before.1));
    }

    fn person(&mut self, guest: usize) -> Result<PersonId, Fault> {
        let community = self.owner.1;
        let asked = Command::Members { community };
        let Reply::Members(members) = self.scene.command(self.owner.0, asked)? else {
            return Err(Fault::Other("no members".into()));
        };
        let name = format!("Guest {guest}");
        let is_it = |one: &&MemberView| one.person.name == name;
        let found = members.iter().find(is_it).map(|one| one.person.id);
        found.ok_or_else(|| Fault::Other(format!("{name} is not there")))
    }

    /// A figure of a group that fell apart would be worth nothing.
    fn agree(&self) -> Result<(), Fault> {
        let state = |device| {
            let audit = self.scene.audit(device)?;
            Some((audit.authenticator?, audit.ledger))
        };
        let (one, other) = (state(self.owner.0), state(self.other));
        if one.is_some() && one == other {
            Ok(())
        } else {
            Err(Fault::Other("the members do not agree".into()))
        }
    }
}

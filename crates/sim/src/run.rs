//! One run: a plan drawn from a seed, carried out in virtual time, and judged.

use crate::device::Device;
use crate::network::{Faults, chance};
use crate::world::{BEGIN_MS, Event, World};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::BTreeSet;
use ume_api::{
    Act as Govern, Command, CommunityRef, EntryId, Hidden, HistoryWindow, InviteId, InviteKind,
    InviteTerms, PersonId, Phase, Reply, Role, Rules,
};
use ume_engine::audit::{Audit, Synced};
use ume_engine::io::Input;

/// How long people do things, virtual milliseconds.
const BUSY_MS: u64 = 10 * 60_000;
/// How long the network works afterwards before the run is judged.
const CALM_MS: u64 = 15 * 60_000;
/// How often a link is waited for: a relay that was put back may have to be healed first.
const SHARE_ROUNDS: u32 = 60;

/// What a seed stands for.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // each is drawn apart from the others
pub struct Plan {
    /// Devices, 2 to 24.
    pub devices: usize,
    /// Posts in all.
    pub posts: usize,
    /// Faults while people do things.
    pub faults: Faults,
    /// Chance of a crash at every persist point, thousandths.
    pub crash: u32,
    /// Whether clocks are off by up to a day.
    pub skewed: bool,
    /// Attempts to edit posts and to take them back.
    pub edits: usize,
    /// Attempts to change who is in, roles, rules, invites and pins.
    pub changes: usize,
    /// Whether the relay is backed up, and put back from that later.
    pub put_back: bool,
    /// Whether somebody's program stops looking at what the others decide, and goes on writing.
    pub deaf: bool,
    /// Devices that ask by private invites instead of joining by an open one, thousandths.
    pub asking: u32,
    /// Posts that end while people do things.
    pub fleeting: usize,
    /// Whether what people wrote expires at the relay before everybody has read it.
    pub expires: bool,
}

impl Plan {
    fn draw(rng: &mut ChaCha20Rng) -> Self {
        let small = !rng.next_u32().is_multiple_of(8);
        let devices = 2 + rng.next_u32() as usize % if small { 3 } else { 23 };
        let mut plan = Self {
            devices,
            posts: rng.next_u32() as usize % 24,
            faults: Faults::draw(rng),
            crash: if rng.next_u32().is_multiple_of(2) {
                0
            } else {
                rng.next_u32() % 40
            },
            skewed: rng.next_u32().is_multiple_of(3),
            edits: rng.next_u32() as usize % 12,
            changes: rng.next_u32() as usize % 8,
            put_back: false,
            deaf: false,
            asking: [0, 300, 700][rng.next_u32() as usize % 3],
            fleeting: 0,
            expires: false,
        };
        // Seldom beside other changes, because the run then has few of those.
        plan.put_back = chance(rng, if plan.changes == 0 { 600 } else { 60 });
        plan.deaf = !plan.put_back && chance(rng, 250);
        // Who is out, and a profile that was put back, may have had what nobody else had read.
        plan.expires = plan.changes == 0 && !plan.put_back && chance(rng, 500);
        // Clocks that differ by a day do not agree on when a post ends, before a relay has corrected them.
        if !plan.skewed {
            plan.fleeting = rng.next_u32() as usize % 6;
        }
        plan
    }
}

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Devices that crashed, counted each time.
    pub crashes: u32,
    /// Posts that ended.
    pub fleeting: usize,
    /// Times that what people wrote expired at the relay.
    pub expired: u32,
    /// Profiles that were replaced by an older copy.
    pub restored: u32,
    /// Relays that were put back from a backup.
    pub put_back: u32,
    /// Posts that were acknowledged to their authors.
    pub posts: usize,
    /// Frames that reached their end.
    pub frames: u64,
    /// Attempts to change posts.
    pub edits: u32,
    /// Changes of roles, rules and pins that an engine took on.
    pub changes: u32,
    /// Devices that asked by a private invite.
    pub asked: u32,
    /// Answers to them that an engine took on.
    pub answered: u32,
    /// Devices whose people are out at the end.
    pub out: usize,
    /// Posts that somebody lost the right to before others knew them, as their authors see it.
    pub refused: usize,
    /// Recoveries that somebody contested.
    pub contested: u32,
    /// Entries and records that somebody made who might not, counted on each device.
    pub rejected: u32,
    /// Rows in all stores at the end.
    pub rows: usize,
}

/// A rule that did not hold.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed that replays it.
    pub seed: u64,
    /// What happened.
    pub what: String,
}

#[derive(Clone, Debug)]
pub(crate) enum Act {
    Join,
    /// Asks by a private invite.
    Ask(String),
    /// Answers those who ask, or tries to.
    Answer,
    Post(String),
    /// Writes a post that ends after a minute.
    PostFleeting(String),
    Crash,
    /// Keeps a copy of the browser profile.
    Copy,
    /// Puts the copy back, as people do with profiles that broke.
    Restore,
    /// Edits a post, takes one back, or hides one, or tries to.
    Change(String),
    /// Looks at no record any more until the end.
    StopListening,
    /// Changes how the community is run, or tries to.
    Govern {
        /// Only what the devices do again by themselves if a relay forgets it and others go on: taking people out. Roles and
        /// rules are lost then until people give them again, and here they do not.
        lasting: bool,
    },
}

/// Carries out the run of a seed.
///
/// # Errors
/// The first rule that did not hold.
pub fn run(seed: u64) -> Result<Report, Failure> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut rng = ChaCha20Rng::from_seed(bytes);
    let plan = Plan::draw(&mut rng);
    let mut relay_key = [0; 32];
    rng.fill_bytes(&mut relay_key);
    let mut world = World::new(seed, relay_key, rng);
    world.act_out(&plan).map_err(|what| Failure {
        seed,
        what: format!("{what}; {plan:?}"),
    })?;
    Ok(world.report)
}

impl World {
    fn act_out(&mut self, plan: &Plan) -> Result<(), String> {
        for _ in 0..plan.devices {
            let day = 24 * 3600 * 1000;
            let skew = if plan.skewed {
                i64::from(self.rng.next_u32()) % (2 * day) - day
            } else {
                0
            };
            self.devices.push(Device::new(skew));
        }
        self.found()?;
        // Invites are made undisturbed, and each is for one.
        let mut ways = vec![Act::Join; plan.devices];
        for way in &mut ways {
            if chance(&mut self.rng, plan.asking) {
                *way = Act::Ask(self.share(InviteKind::Private)?);
            }
        }
        self.faults = plan.faults;
        self.crash = plan.crash;
        for (device, way) in ways.into_iter().enumerate().skip(1) {
            self.start(device)?;
            if matches!(way, Act::Ask(_)) {
                // Mostly the owner answers: others may not.
                for answerer in [0, self.rng.next_u32() as usize % plan.devices] {
                    self.plan_act(answerer, Act::Answer);
                }
            }
            self.plan_act(device, way);
        }
        for n in 0..plan.posts {
            let device = self.rng.next_u32() as usize % plan.devices;
            self.plan_act(device, Act::Post(format!("post {n} of seed {}", self.seed)));
        }
        for n in 0..plan.fleeting {
            let device = self.rng.next_u32() as usize % plan.devices;
            let text = format!("fleeting post {n} of seed {}", self.seed);
            self.plan_act(device, Act::PostFleeting(text));
        }
        if plan.expires {
            let at = self.now_ms + u64::from(self.rng.next_u32()) % BUSY_MS;
            self.schedule(at, Event::Expire);
            self.report.expired += 1;
        }
        for n in 0..plan.edits {
            let device = self.rng.next_u32() as usize % plan.devices;
            let text = format!("post {n} of seed {} edited", self.seed);
            self.plan_act(device, Act::Change(text));
        }
        for _ in 0..plan.changes {
            // Mostly by the owner: others may do little.
            let device = if chance(&mut self.rng, 700) {
                0
            } else {
                self.rng.next_u32() as usize % plan.devices
            };
            self.plan_act(
                device,
                Act::Govern {
                    lasting: plan.put_back,
                },
            );
        }
        self.plan_mishaps(plan);
        self.run_until(BEGIN_MS + 60_000 + BUSY_MS)?;
        self.faults = Faults::NONE;
        self.crash = 0;
        let deaf = std::mem::take(&mut self.deaf);
        // A connection whose greeting was changed is of no use to anybody. Like all connections it ends sometime.
        for device in 0..plan.devices {
            if let Some(session) = self.devices[device].session {
                self.schedule(self.now_ms + 1, Event::Cut { device, session });
            }
        }
        self.run_until(self.now_ms + 60_000)?;
        // The relay told them that nobody had gone on, so they did not write again what had come too late. With the next thing
        // that they write the others learn what they miss.
        for device in deaf.into_keys() {
            self.act(device, Act::Post(format!("post again of {device}")))?;
        }
        self.contest()?;
        self.link = Some(self.share(InviteKind::Open)?);
        let end = self.now_ms + CALM_MS;
        while self.now_ms < end {
            self.run_until(self.now_ms + 30_000)?;
            self.answer(0, true)?;
            self.join_again()?;
            if self.now_ms > end - CALM_MS + 120_000 && self.judge(plan).is_ok() {
                break;
            }
        }
        self.judge(plan)?;
        self.search_canaries()?;
        self.report.rows = self.devices.iter().map(|device| device.rows().len()).sum();
        self.report.crashes = self.devices.iter().map(|device| device.crashes).sum();
        self.report.posts = self.acknowledged.len();
        self.report.refused = self.refused();
        let audits = (0..self.devices.len()).filter_map(|device| self.community(device));
        self.report.rejected = audits
            .flat_map(|(_, audit)| audit.rejected.into_values())
            .sum();
        self.report.fleeting = self.fleeting;
        self.report.out = (0..self.devices.len())
            .filter(|one| self.is_out(*one))
            .count();
        Ok(())
    }

    /// What goes wrong with devices and the relay.
    fn plan_mishaps(&mut self, plan: &Plan) {
        // If the owner's own profile forgets whom they took out, and the relay does, nobody can do it again.
        let may_restore = |device: usize| device > 0 || !plan.put_back || plan.changes == 0;
        for device in 0..plan.devices {
            if chance(&mut self.rng, 300) {
                self.plan_act(device, Act::Crash);
            }
            if chance(&mut self.rng, 200) && may_restore(device) && !plan.expires {
                self.plan_act(device, Act::Copy);
                self.plan_act(device, Act::Restore);
            }
        }
        if plan.deaf {
            let device = 1 + self.rng.next_u32() as usize % (plan.devices - 1);
            self.plan_act(device, Act::StopListening);
        }
        if plan.put_back {
            let mut at = || self.now_ms + u64::from(self.rng.next_u32()) % BUSY_MS;
            let (backed_up, put_back) = (at(), at());
            self.schedule(backed_up.min(put_back), Event::BackUp);
            self.schedule(backed_up.max(put_back), Event::PutBack);
        }
    }

    /// The first device founds the community and makes the link, undisturbed.
    fn found(&mut self) -> Result<(), String> {
        self.start(0)?;
        let name = "Canary Orchard".to_owned();
        let start = self.command(
            0,
            Command::Start {
                name,
                persona: "Canary Owner".into(),
                access: None,
            },
        )?;
        self.run_until(self.now_ms + 5_000)?;
        match self.devices[0].answers.get(&start) {
            Some(Ok(Reply::Community(_))) => {}
            other => return Err(format!("founding: {other:?}")),
        }
        self.link = Some(self.share(InviteKind::Open)?);
        Ok(())
    }

    /// The owner makes a link; a ban may have ended the one before.
    fn share(&mut self, kind: InviteKind) -> Result<String, String> {
        let terms = InviteTerms {
            kind,
            expires_in: None,
            max_uses: None,
            history: HistoryWindow::All,
            role: Role::Member,
        };
        let share = self.command(
            0,
            Command::Share {
                community: CommunityRef(1),
                terms,
            },
        )?;
        for _ in 0..SHARE_ROUNDS {
            self.run_until(self.now_ms + 5_000)?;
            match self.devices[0].answers.get(&share) {
                Some(Ok(Reply::Link(link))) => return Ok(link.clone()),
                None => {}
                other => return Err(format!("sharing: {other:?}")),
            }
        }
        Err("sharing: no answer".into())
    }

    fn plan_act(&mut self, device: usize, act: Act) {
        let at = BEGIN_MS + 20_000 + u64::from(self.rng.next_u32()) % BUSY_MS;
        self.schedule(at, Event::Act { device, act });
    }

    pub(crate) fn act(&mut self, device: usize, act: Act) -> Result<(), String> {
        if self.devices[device].engine.is_none() {
            let at = self.now_ms + 5_000;
            self.schedule(at, Event::Act { device, act });
            return Ok(());
        }
        match act {
            Act::Join => self.join(device),
            Act::Ask(link) => self.ask(device, link),
            Act::Answer => {
                let yes = chance(&mut self.rng, 700);
                self.answer(device, yes)
            }
            Act::Crash => {
                if let Some(session) = self.devices[device].session {
                    self.relay.closed(session);
                }
                let now = self.now_ms;
                self.devices[device].crash(now, &mut self.rng);
                Ok(())
            }
            Act::Copy => {
                // A copy from before the join is another story: nobody can come back with it.
                if self.community(device).is_some_and(|(_, audit)| audit.live) {
                    self.devices[device].copy();
                }
                Ok(())
            }
            Act::Restore => {
                // What only the newer profile holds is lost with it, also a post that was refused; that is not the engine's
                // to answer for.
                let done = |audit: &Audit| {
                    let waits = audit.entries.iter().any(|(_, waiting)| *waiting);
                    audit.unsettled == 0 && audit.refused == 0 && !waits
                };
                if self
                    .community(device)
                    .is_some_and(|(_, audit)| done(&audit))
                {
                    if let Some(session) = self.devices[device].session {
                        self.relay.closed(session);
                    }
                    let now = self.now_ms;
                    if self.devices[device].restore(now, &mut self.rng) {
                        self.report.restored += 1;
                    }
                }
                Ok(())
            }
            Act::StopListening => self.stop_listening(device),
            Act::Change(text) => self.change_post(device, text),
            Act::Govern { lasting } => self.change_something(device, lasting),
            Act::PostFleeting(text) => {
                let Some((community, _)) = self.community(device) else {
                    return Ok(());
                };
                self.fleeting += 1;
                let lifetime = Some(60);
                let post = Command::Post {
                    community,
                    text,
                    lifetime,
                };
                self.command(device, post).map(|_| ())
            }
            Act::Post(text) => {
                let joined = self
                    .community(device)
                    .filter(|(_, audit)| audit.epoch.is_some());
                let Some((community, _)) = joined else {
                    return Ok(());
                };
                let number = self.devices[device].number();
                self.posted.insert((device, number), text.clone());
                self.give(
                    device,
                    Input::Command {
                        number,
                        command: Command::Post {
                            community,
                            text,
                            lifetime: None,
                        },
                    },
                )
            }
        }
    }

    fn join(&mut self, device: usize) -> Result<(), String> {
        let link = self.link.clone().unwrap_or_default();
        self.command(
            device,
            Command::Join {
                link,
                persona: format!("Canary {device}"),
            },
        )
        .map(|_| ())
    }

    fn ask(&mut self, device: usize, link: String) -> Result<(), String> {
        self.report.asked += 1;
        self.command(
            device,
            Command::Ask {
                link,
                persona: format!("Canary {device}"),
                note: "Canary note".into(),
            },
        )
        .map(|_| ())
    }

    /// Answers all who ask, as far as this device sees them and may.
    fn answer(&mut self, device: usize, yes: bool) -> Result<(), String> {
        let Some((community, _)) = self.community(device) else {
            return Ok(());
        };
        let asked = self.command(device, Command::Requests { community })?;
        let Some(Ok(Reply::Requests(requests))) = self.devices[device].answers.get(&asked) else {
            return Ok(());
        };
        for request in requests.clone() {
            let act = Govern::AnswerRequest {
                invite: request.invite,
                request: request.id,
                yes,
            };
            let number = self.command(device, Command::Govern { community, act })?;
            let taken = !self.devices[device].answers.contains_key(&number);
            self.report.answered += u32::from(taken);
        }
        Ok(())
    }

    /// Somebody tries to change a post; whether they may is the engine's to say.
    fn change_post(&mut self, device: usize, text: String) -> Result<(), String> {
        let Some((community, audit)) = self.community(device) else {
            return Ok(());
        };
        let posts: Vec<EntryId> = audit.posts.into_keys().collect();
        if posts.is_empty() {
            return Ok(());
        }
        let post = posts[self.rng.next_u32() as usize % posts.len()];
        let command = match self.rng.next_u32() % 4 {
            0 => Command::Unpublish { community, post },
            1 => Command::Hide {
                community,
                what: Hidden::Post(post),
                on: true,
            },
            _ => Command::Edit {
                community,
                post,
                text,
            },
        };
        self.command(device, command)?;
        self.report.edits += 1;
        Ok(())
    }

    /// Somebody tries to change how the community is run; whether they may is the engine's to say.
    fn change_something(&mut self, device: usize, lasting: bool) -> Result<(), String> {
        let Some((community, audit)) = self.community(device) else {
            return Ok(());
        };
        let asked = self.command(device, Command::Members { community })?;
        let people: Vec<PersonId> = match self.devices[device].answers.get(&asked) {
            Some(Ok(Reply::Members(members))) => members.iter().map(|one| one.person.id).collect(),
            _ => return Ok(()),
        };
        let asked = self.command(device, Command::Invites { community })?;
        let invites: Vec<InviteId> = match self.devices[device].answers.get(&asked) {
            Some(Ok(Reply::Invites(invites))) => invites.iter().map(|one| one.id).collect(),
            _ => return Ok(()),
        };
        let asked = self.command(device, Command::Former { community })?;
        let former: Vec<PersonId> = match self.devices[device].answers.get(&asked) {
            Some(Ok(Reply::Former(former))) => former.iter().map(|one| one.person.id).collect(),
            _ => return Ok(()),
        };
        let roles = [Role::Reader, Role::Member, Role::Admin];
        let mut pick = |count: usize| self.rng.next_u32() as usize % count.max(1);
        let kind = if lasting { 5 } else { pick(12) };
        let act = match (kind, audit.entries.get(pick(audit.entries.len()))) {
            (0, _) => Govern::SetRules {
                rules: Rules {
                    post: [Role::Member, Role::Admin, Role::Owner][pick(3)],
                    invite: [Role::Member, Role::Admin][pick(2)],
                    ..Rules::default()
                },
            },
            (4, _) if device != 0 => Govern::Leave,
            (4 | 5, _) => Govern::Remove {
                person: people[pick(people.len())],
                // Who came in after a backup and is to come in again needs their link.
                ban: !lasting && pick(2) == 0,
            },
            (6, entry) => Govern::Transfer {
                from: people[pick(people.len())],
                to: people[pick(people.len())],
                post: entry.map(|(post, _)| *post).filter(|_| pick(2) == 0),
            },
            (8, _) if !invites.is_empty() => Govern::RevokeInvite {
                invite: invites[pick(invites.len())],
            },
            (9, _) if device == 0 => Govern::OfferOwnership {
                person: people[pick(people.len())],
                on: pick(4) > 0,
                // The play goes on only with the first device as an owner.
                stay: true,
            },
            (9, _) => Govern::AcceptOwnership {
                from: people[pick(people.len())],
            },
            (10, _) => Govern::Recover {
                old: people[pick(people.len())],
                new: people[pick(people.len())],
            },
            (11, _) if !former.is_empty() => Govern::UndoRecovery {
                old: former[pick(former.len())],
            },
            (1, Some((post, _))) => Govern::Pin {
                post: *post,
                on: pick(3) > 0,
            },
            _ => Govern::SetRole {
                person: people[pick(people.len())],
                role: roles[pick(roles.len())],
            },
        };
        let number = self.command(device, Command::Govern { community, act })?;
        let asked = !self.devices[device].answers.contains_key(&number);
        self.report.changes += u32::from(asked);
        Ok(())
    }

    /// Who was taken for somebody else says so.
    fn contest(&mut self) -> Result<(), String> {
        for device in 1..self.devices.len() {
            let Some((community, _)) = self.community(device).filter(|_| self.is_out(device))
            else {
                continue;
            };
            let number = self.command(device, Command::Contest { community })?;
            let said = self.devices[device].answers.get(&number) == Some(&Ok(Reply::Done));
            self.report.contested += u32::from(said);
        }
        Ok(())
    }

    /// Whoever was told that it did not work, or crashed before anything was stored, tries again, as people do.
    fn join_again(&mut self) -> Result<(), String> {
        for device in 1..self.devices.len() {
            let idle =
                self.devices[device].engine.is_some() && self.devices[device].open.is_empty();
            if !idle || self.community(device).is_some() {
                continue;
            }
            match self.devices[device].views().first().map(|view| view.phase) {
                Some(Phase::Asking) => {}
                Some(_) => {
                    let community = self.devices[device].views()[0].id;
                    self.command(device, Command::Forget { community })?;
                }
                None => self.join(device)?,
            }
        }
        Ok(())
    }

    /// Rules that hold once the network has worked for a while.
    fn judge(&self, plan: &Plan) -> Result<(), String> {
        let mut first: Option<Audit> = None;
        let mut known = None;
        for device in 0..plan.devices {
            let Some((_, audit)) = self.community(device) else {
                return Err(format!(
                    "device {device} never got in: {:?}",
                    self.devices[device].answers
                ));
            };
            if audit.departed.is_some() {
                self.judge_departed(device, &audit)?;
                continue;
            }
            if !audit.live || audit.unsettled > 0 || audit.missing > 0 {
                return Err(format!("device {device} is not done: {}", brief(&audit)));
            }
            if let Some((id, _)) = audit.entries.iter().find(|(_, waiting)| *waiting) {
                return Err(format!("device {device} still waits with {:?}", &id.0[..4]));
            }
            let synced = self.synced(device);
            if let Some(what) = synced.as_ref().and_then(fault) {
                return Err(format!("device {device}: {what}"));
            }
            let people = synced.map(|synced| synced.people);
            if *known.get_or_insert(people) != people {
                return Err(format!("device {device} knows other people"));
            }
            match &first {
                None => first = Some(audit),
                Some(first) if !alike(first, &audit) => {
                    return Err(format!(
                        "device {device} differs: {} from {}",
                        brief(&audit),
                        brief(first)
                    ));
                }
                Some(_) => {}
            }
        }
        let entries = first.map(|audit| audit.posts.len()).unwrap_or_default();
        // A post whose device crashed before saying so may or may not be there; one that was acknowledged must be, or
        // its author is told that it was refused.
        let given: BTreeSet<&String> = self.posted.values().collect();
        let refused = self.refused();
        // What a relay forgot, and who was taken out alone had, comes back from nobody.
        let alone = self.alone();
        // Those that end may be here still.
        let most = given.len() + self.fleeting;
        if entries + refused + alone < self.acknowledged.len() || entries > most {
            return Err(format!(
                "{entries} entries, {refused} refused, {} acknowledged, {} given",
                self.acknowledged.len(),
                given.len()
            ));
        }
        Ok(())
    }

    /// Who is out holds nothing that was written by anybody who knew.
    fn judge_departed(&self, device: usize, audit: &Audit) -> Result<(), String> {
        let owners = self.community(0).map(|(_, audit)| audit.entries);
        let known: BTreeSet<EntryId> = owners.into_iter().flatten().map(|(id, _)| id).collect();
        if audit.newest_point >= audit.ledger_length {
            return Err(format!(
                "device {device} read what was written after it was out"
            ));
        }
        match audit.entries.iter().find(|(id, _)| !known.contains(id)) {
            Some((id, _)) if self.report.put_back == 0 => {
                Err(format!("device {device} alone has {:?}", &id.0[..4]))
            }
            _ => Ok(()),
        }
    }

    /// Posts that only devices have whose people are out, after a relay was put back.
    fn alone(&self) -> usize {
        if self.report.put_back == 0 {
            return 0;
        }
        let owners = self.community(0).map(|(_, audit)| audit.posts);
        let known: BTreeSet<EntryId> = owners.into_iter().flatten().map(|(id, _)| id).collect();
        let audits = (0..self.devices.len()).filter_map(|device| self.community(device));
        let out = audits.filter(|(_, audit)| audit.departed.is_some());
        let theirs: BTreeSet<EntryId> =
            out.flat_map(|(_, audit)| audit.posts.into_keys()).collect();
        theirs.difference(&known).count()
    }

    /// Posts that their authors see as refused.
    fn refused(&self) -> usize {
        let audits = (0..self.devices.len()).filter_map(|device| self.community(device));
        audits.map(|(_, audit)| audit.refused).sum()
    }

    /// What the relay stores tells nothing.
    fn search_canaries(&self) -> Result<(), String> {
        let dump = self.relay.dump();
        for canary in ["Canary", "post ", "relay.example"] {
            if dump
                .windows(canary.len())
                .any(|window| window == canary.as_bytes())
            {
                return Err(format!("the relay stores {canary:?}"));
            }
        }
        Ok(())
    }
}

/// What is other than the ledger makes it.
fn fault(synced: &Synced) -> Option<&'static str> {
    if synced.replayed != Some(synced.people) {
        return Some("people and rights are not what a replay of the ledger comes to");
    }
    let differs = synced.group.as_ref() != Some(&synced.devices);
    differs.then_some("the group has other devices than the ledger")
}

/// Whether two devices hold the same. What each was shown and did not take, and what each alone holds, is its own.
fn alike(one: &Audit, other: &Audit) -> bool {
    let common = |audit: &Audit| Audit {
        rejected: std::collections::BTreeMap::new(),
        refused: 0,
        ..audit.clone()
    };
    common(one) == common(other)
}

fn brief(audit: &Audit) -> String {
    let ids: Vec<String> = audit
        .entries
        .iter()
        .map(|(EntryId(id), _)| format!("{:02x}{:02x}", id[0], id[1]))
        .collect();
    let authenticator = audit
        .authenticator
        .as_ref()
        .map(|bytes| bytes.iter().take(2).copied().collect::<Vec<_>>());
    format!(
        "generation {} slot {} epoch {:?} {:?} live {} unsettled {} missing {} entries {}",
        audit.generation,
        audit.slot,
        audit.epoch,
        authenticator,
        audit.live,
        audit.unsettled,
        audit.missing,
        ids.join(" ")
    )
}

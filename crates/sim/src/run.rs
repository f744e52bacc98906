//! One run: a plan drawn from a seed, carried out in virtual time, and judged.

mod acts;
mod judge;
mod plan;

pub(crate) use acts::Act;
pub use plan::Plan;

use crate::device::Device;
use crate::network::{Faults, chance};
use crate::opening::OPEN;
use crate::world::{BEGIN_MS, Event, World};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use ume_api::{Command, CommunityRef, Cover, InviteKind, InviteTerms, Reply, Surroundings};

/// How long people do things, virtual milliseconds.
const BUSY_MS: u64 = 10 * 60_000;
/// How long the network works afterwards before the run is judged.
const CALM_MS: u64 = 15 * 60_000;
/// How often a link is waited for: a relay that was put back may have to be healed first.
const SHARE_ROUNDS: u32 = 60;

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
    fn draw_devices(&mut self, plan: &Plan) {
        for _ in 0..plan.devices {
            let day = 24 * 3600 * 1000;
            let skew = if plan.skewed {
                i64::from(self.rng.next_u32()) % (2 * day) - day
            } else {
                0
            };
            let mut device = Device::new(skew);
            if plan.cover {
                device.surroundings = Surroundings {
                    cover: [Cover::Off, Cover::Balanced, Cover::Strong]
                        [self.rng.next_u32() as usize % 3],
                    hidden: false,
                    saving: self.rng.next_u32().is_multiple_of(4),
                };
            }
            self.devices.push(device);
        }
    }

    fn act_out(&mut self, plan: &Plan) -> Result<(), String> {
        self.draw_devices(plan);
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
        for device in 0..plan.devices {
            // Drawn from nothing: runs stay what they are without it.
            let after = (self.seed.wrapping_add(device as u64)).wrapping_mul(7_919) % BUSY_MS;
            let act = Act::Search;
            self.schedule(BEGIN_MS + 60_000 + after, Event::Act { device, act });
        }
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
        // What waits for its turns takes longer to come to rest.
        let calm = if plan.cover { 6 * CALM_MS } else { CALM_MS };
        let end = self.now_ms + calm;
        while self.now_ms < end {
            self.run_until(self.now_ms + 30_000)?;
            self.answer(0, true)?;
            self.join_again()?;
            if self.now_ms > end - calm + 120_000 && self.judge(plan).is_ok() {
                break;
            }
        }
        self.judge(plan)?;
        self.judge_search()?;
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
        let terms = InviteTerms { kind, ..OPEN };
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
}

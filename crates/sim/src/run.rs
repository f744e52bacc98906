//! One run: a plan drawn from a seed, carried out in virtual time, and judged.

use crate::device::Device;
use crate::network::{Faults, chance};
use crate::world::{BEGIN_MS, Event, World};
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::BTreeSet;
use ume_api::{Command, CommunityRef, EntryId, HistoryWindow, InviteTerms, Reply};
use ume_engine::audit::Audit;
use ume_engine::io::Input;

/// How long people do things, virtual milliseconds.
const BUSY_MS: u64 = 10 * 60_000;
/// How long the network works afterwards before the run is judged.
const CALM_MS: u64 = 15 * 60_000;

/// What a seed stands for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Devices, 2 to 12.
    pub devices: usize,
    /// Posts in all.
    pub posts: usize,
    /// Faults while people do things.
    pub faults: Faults,
    /// Chance of a crash at every persist point, thousandths.
    pub crash: u32,
    /// Whether clocks are off by up to a day.
    pub skewed: bool,
}

impl Plan {
    fn draw(rng: &mut ChaCha20Rng) -> Self {
        let small = !rng.next_u32().is_multiple_of(8);
        let devices = 2 + rng.next_u32() as usize % if small { 3 } else { 11 };
        Self {
            devices,
            posts: rng.next_u32() as usize % 24,
            faults: Faults::draw(rng),
            crash: if rng.next_u32().is_multiple_of(2) {
                0
            } else {
                rng.next_u32() % 40
            },
            skewed: rng.next_u32().is_multiple_of(3),
        }
    }
}

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Devices that crashed, counted each time.
    pub crashes: u32,
    /// Profiles that were replaced by an older copy.
    pub restored: u32,
    /// Posts that were acknowledged to their authors.
    pub posts: usize,
    /// Frames that reached their end.
    pub frames: u64,
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
    Post(String),
    Crash,
    /// Keeps a copy of the browser profile.
    Copy,
    /// Puts the copy back, as people do with profiles that broke.
    Restore,
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
        self.faults = plan.faults;
        self.crash = plan.crash;
        for device in 1..plan.devices {
            self.start(device)?;
            self.plan_act(device, Act::Join);
        }
        for n in 0..plan.posts {
            let device = self.rng.next_u32() as usize % plan.devices;
            self.plan_act(device, Act::Post(format!("post {n} of seed {}", self.seed)));
        }
        for device in 0..plan.devices {
            if chance(&mut self.rng, 300) {
                self.plan_act(device, Act::Crash);
            }
            if chance(&mut self.rng, 200) {
                self.plan_act(device, Act::Copy);
                self.plan_act(device, Act::Restore);
            }
        }
        self.run_until(BEGIN_MS + 60_000 + BUSY_MS)?;
        self.faults = Faults::NONE;
        self.crash = 0;
        let end = self.now_ms + CALM_MS;
        while self.now_ms < end {
            self.run_until(self.now_ms + 30_000)?;
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
        Ok(())
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
            },
        )?;
        self.run_until(self.now_ms + 5_000)?;
        match self.devices[0].answers.get(&start) {
            Some(Ok(Reply::Community(_))) => {}
            other => return Err(format!("founding: {other:?}")),
        }
        let terms = InviteTerms {
            expires_in: None,
            max_uses: None,
            history: HistoryWindow::All,
        };
        let share = self.command(
            0,
            Command::Share {
                community: CommunityRef(1),
                terms,
            },
        )?;
        self.run_until(self.now_ms + 5_000)?;
        match self.devices[0].answers.get(&share) {
            Some(Ok(Reply::Link(link))) => self.link = Some(link.clone()),
            other => return Err(format!("sharing: {other:?}")),
        }
        Ok(())
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
                // What no relay had is lost with the newer profile; that is not the engine's to answer for.
                let done = |audit: &Audit| {
                    audit.unsettled == 0 && !audit.entries.iter().any(|(_, waiting)| *waiting)
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
                        command: Command::Post { community, text },
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

    /// Whoever was told that it did not work, or crashed before anything was stored, tries again, as people do.
    fn join_again(&mut self) -> Result<(), String> {
        for device in 1..self.devices.len() {
            let idle =
                self.devices[device].engine.is_some() && self.devices[device].open.is_empty();
            if idle && self.community(device).is_none() {
                self.join(device)?;
            }
        }
        Ok(())
    }

    /// Rules that hold once the network has worked for a while.
    fn judge(&self, plan: &Plan) -> Result<(), String> {
        let mut first: Option<Audit> = None;
        for device in 0..plan.devices {
            let Some((_, audit)) = self.community(device) else {
                return Err(format!(
                    "device {device} never got in: {:?}",
                    self.devices[device].answers
                ));
            };
            if !audit.live || audit.unsettled > 0 || audit.missing > 0 {
                return Err(format!("device {device} is not done: {}", brief(&audit)));
            }
            if let Some((id, _)) = audit.entries.iter().find(|(_, waiting)| *waiting) {
                return Err(format!("device {device} still waits with {:?}", &id.0[..4]));
            }
            match &first {
                None => first = Some(audit),
                Some(first) if *first != audit => {
                    return Err(format!(
                        "device {device} differs: {} from {}",
                        brief(&audit),
                        brief(first)
                    ));
                }
                Some(_) => {}
            }
        }
        let entries = first.map(|audit| audit.entries.len()).unwrap_or_default();
        // A post whose device crashed before saying so may or may not be there; one that was acknowledged must be.
        let given: BTreeSet<&String> = self.posted.values().collect();
        if entries < self.acknowledged.len() || entries > given.len() {
            return Err(format!(
                "{entries} entries, {} acknowledged, {} given",
                self.acknowledged.len(),
                given.len()
            ));
        }
        Ok(())
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
        "slot {} epoch {:?} {:?} live {} unsettled {} missing {} entries {}",
        audit.slot,
        audit.epoch,
        authenticator,
        audit.live,
        audit.unsettled,
        audit.missing,
        ids.join(" ")
    )
}

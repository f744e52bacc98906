//! A device: an engine, its store, and how it crashes.

use crate::network::chance;
use crate::pace::Holder;
use bytes::Bytes;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use ume_api::{CommunityView, Failure, FromEngine, News, Reply, Surroundings};
use ume_engine::Engine;
use ume_engine::io::{Input, Key, Millis, Output, Step};

/// The relay's address.
pub(crate) const RELAY: &str = "https://relay.example";

/// One device.
pub(crate) struct Device {
    pub(crate) engine: Option<Engine>,
    store: BTreeMap<Key, Vec<u8>>,
    copy: Option<BTreeMap<Key, Vec<u8>>>,
    /// Added to the world's time: this device's clock.
    pub(crate) skew_ms: i64,
    /// Connection now open, by number.
    pub(crate) session: Option<u64>,
    pub(crate) wake_at: Option<u64>,
    pub(crate) restart_at: Option<u64>,
    next_number: u32,
    /// Answers that came, by the number of their command.
    pub(crate) answers: BTreeMap<u32, Result<Reply, Failure>>,
    /// Commands that were given and not answered.
    pub(crate) open: BTreeSet<u32>,
    pub(crate) crashes: u32,
    /// Persist points that are left before it crashes, if it is to.
    pub(crate) crash_after: Option<u32>,
    /// Whether it has no network.
    pub(crate) offline: bool,
    /// What the engine said beside answers.
    pub(crate) told: Vec<FromEngine>,
    /// Frames that arrived, if they are written down.
    pub(crate) heard: Option<Vec<Bytes>>,
    /// What was chosen here about cover, and how things stand.
    pub(crate) surroundings: Surroundings,
    /// What it left to be sent when it is gone.
    pub(crate) deposit: Vec<Bytes>,
    pub(crate) holder: Holder,
    /// Whether its last step stored anything.
    pub(crate) stored: bool,
    boots: u64,
}

impl Device {
    pub(crate) fn new(skew_ms: i64) -> Self {
        Self {
            engine: None,
            store: BTreeMap::new(),
            copy: None,
            skew_ms,
            session: None,
            wake_at: None,
            restart_at: None,
            next_number: 1,
            answers: BTreeMap::new(),
            open: BTreeSet::new(),
            crashes: 0,
            crash_after: None,
            offline: false,
            told: vec![],
            heard: None,
            surroundings: Surroundings::AT_ONCE,
            deposit: vec![],
            holder: Holder::default(),
            stored: false,
            boots: 0,
        }
    }

    pub(crate) fn clock(&self, now_ms: u64) -> Millis {
        Millis(now_ms.saturating_add_signed(self.skew_ms))
    }

    /// Starts the engine on what is stored. `seed` is this device's own in this run.
    pub(crate) fn start(
        &mut self,
        now_ms: u64,
        seed: u64,
        rng: &mut ChaCha20Rng,
        crash: u32,
    ) -> Result<Vec<Output>, Failure> {
        // Not from what happens in the run: whatever that was, a device draws the same.
        let mut own = ChaCha20Rng::seed_from_u64(seed.wrapping_add(self.boots << 32));
        self.boots += 1;
        let mut seed = [0; 32];
        own.fill_bytes(&mut seed);
        let rows = self
            .store
            .iter()
            .filter(|(key, _)| !key.table.is_lazy())
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let now = self.clock(now_ms);
        let mut engine = Engine::open(RELAY, self.surroundings, seed, now, rows)?;
        let step = engine.boot(now);
        self.engine = Some(engine);
        self.restart_at = None;
        Ok(self.carry_out(now_ms, rng, step, crash))
    }

    pub(crate) fn give(
        &mut self,
        now_ms: u64,
        rng: &mut ChaCha20Rng,
        input: Input,
        crash: u32,
    ) -> Vec<Output> {
        let now = self.clock(now_ms);
        let Some(engine) = &mut self.engine else {
            return vec![];
        };
        match &input {
            Input::Command { number, .. } => {
                self.open.insert(*number);
            }
            Input::Frame(_, frame) => {
                if let Some(heard) = &mut self.heard {
                    heard.push(frame.clone());
                }
            }
            _ => {}
        }
        let step = engine.handle(now, input);
        self.carry_out(now_ms, rng, step, crash)
    }

    /// Rows as they are stored.
    pub(crate) fn read(&self, keys: Vec<Key>) -> Vec<(Key, Option<Vec<u8>>)> {
        let row = |key: Key| {
            let row = self.store.get(&key).cloned();
            (key, row)
        };
        keys.into_iter().map(row).collect()
    }

    pub(crate) fn number(&mut self) -> u32 {
        self.next_number += 1;
        self.next_number
    }

    /// Stores the batch and gives the outputs, unless the device crashes: before the batch is durable, after it, or
    /// amid the outputs.
    fn carry_out(
        &mut self,
        now_ms: u64,
        rng: &mut ChaCha20Rng,
        step: Step,
        crash: u32,
    ) -> Vec<Output> {
        let persists = !step.batch.0.is_empty();
        self.stored = persists;
        let planned = persists && self.crash_is_due();
        if persists && (planned || chance(rng, crash)) {
            self.crash(now_ms, rng);
            return vec![];
        }
        for (key, value) in step.batch.0 {
            match value {
                Some(value) => self.store.insert(key, value),
                None => self.store.remove(&key),
            };
        }
        let mut outputs = step.outputs;
        if persists && chance(rng, crash) {
            let keep = rng.next_u32() as usize % (outputs.len() + 1);
            outputs.truncate(keep);
            self.crash(now_ms, rng);
        }
        outputs
    }

    /// Counts a persist point; whether it is the one at which this device crashes.
    fn crash_is_due(&mut self) -> bool {
        let left = self.crash_after.take();
        self.crash_after = left.and_then(|left| left.checked_sub(1));
        left == Some(0)
    }

    pub(crate) fn crash(&mut self, now_ms: u64, rng: &mut ChaCha20Rng) {
        self.engine = None;
        self.session = None;
        self.holder.end();
        self.wake_at = None;
        self.open.clear();
        self.crashes += 1;
        self.restart_at = Some(now_ms + u64::from(rng.next_u32() % 20_000));
    }

    /// Keeps a copy of all that is stored.
    pub(crate) fn copy(&mut self) {
        self.copy = Some(self.store.clone());
    }

    /// Stops, puts the copy in the place of what is stored, and starts again later. Whether there was a copy.
    pub(crate) fn restore(&mut self, now_ms: u64, rng: &mut ChaCha20Rng) -> bool {
        let Some(copy) = self.copy.take() else {
            return false;
        };
        self.crash(now_ms, rng);
        self.store = copy;
        true
    }

    /// Its communities as it showed them last, since it was started.
    pub(crate) fn views(&self) -> &[CommunityView] {
        let told = self.told.iter().rev();
        let mut views = told.filter_map(|told| match told {
            FromEngine::News(News::Communities(views)) => Some(&views[..]),
            _ => None,
        });
        views.next().unwrap_or_default()
    }

    /// All that is stored.
    pub(crate) fn rows(&self) -> &BTreeMap<Key, Vec<u8>> {
        &self.store
    }
}

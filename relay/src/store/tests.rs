//! The store against a model of it, on disks that fail.

use super::{
    EmbeddedStore, Millis, Outcome, Store, StoreError, Write,
    disk::{
        Disk, FileSystem,
        faulty::{FaultyDisk, numbers},
    },
};
use crate::{config::Limits, refusal::Refusal};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use ume_wire::{
    auth::{Hash, hash, hash_cells},
    limits::CELL_BYTES,
    relay::{Ballot, LaneKind, LaneNew, Vote},
};

/// Small enough that a few groups fill a segment.
const SEGMENT: (u32, u32) = (32 << 10, 64 << 10);
const TTL: u32 = 60;
const LANES: u64 = 6;
const SLOT_LANE: u8 = 100;

pub(super) fn cell(n: u64) -> Bytes {
    let mut cell = vec![0xa5; CELL_BYTES];
    cell[..8].copy_from_slice(&n.to_le_bytes());
    cell.into()
}

fn open(disk: Arc<dyn Disk>, path: &Path) -> Result<EmbeddedStore, StoreError> {
    EmbeddedStore::open_on(disk, path, Limits::default(), SEGMENT)
}

/// What a lane must hold.
#[derive(Clone, Debug, Default)]
struct ModelLane {
    cells: BTreeMap<u64, (u64, Millis)>,
    first: u64,
    end: u64,
}

/// What the store must hold.
#[derive(Debug, Default)]
struct Model {
    now: Millis,
    lanes: BTreeMap<u8, ModelLane>,
    values: BTreeMap<u64, u64>,
    next_cell: u64,
}

#[derive(Clone, Debug)]
enum Step {
    Make(u8),
    Append(Vec<(u8, u64)>),
    Take(u8, u64),
    Delete(u8),
    Decide(u64, u64),
    Wait(Millis),
    Upkeep,
    Gc,
    Open,
}

impl Model {
    fn step(&mut self, random: &mut impl FnMut() -> u64) -> Step {
        let lane = u8::try_from(random() % LANES).unwrap();
        if !self.lanes.contains_key(&lane) {
            return Step::Make(lane);
        }
        match random() % 32 {
            0 => Step::Delete(lane),
            1..=4 => Step::Take(lane, self.lanes[&lane].first + random() % 20),
            5 => Step::Wait(random() % 30_000),
            6..=9 => Step::Upkeep,
            10 => Step::Gc,
            11 => Step::Open,
            12..=13 => Step::Decide(self.values.len() as u64 + 1, random()),
            _ => {
                let cells = (0..=random() % 8).map(|_| {
                    let lane = u8::try_from(random() % LANES).unwrap();
                    // Now and then one that may be there already.
                    if random().is_multiple_of(4) && self.next_cell > 0 {
                        return (lane, random() % self.next_cell);
                    }
                    self.next_cell += 1;
                    (lane, self.next_cell - 1)
                });
                Step::Append(cells.collect())
            }
        }
    }

    /// Does to the model what was done to the store.
    fn follow(&mut self, step: &Step, outcomes: &[Outcome]) {
        match step {
            Step::Make(lane) => {
                let lane = self.lanes.entry(*lane).or_default();
                (lane.first, lane.end) = (1, 1);
            }
            Step::Delete(lane) => {
                self.lanes.remove(lane);
            }
            Step::Take(lane, upto) => {
                let lane = self.lanes.get_mut(lane).unwrap();
                lane.first = lane.first.max((upto + 1).min(lane.end));
                lane.cells = lane.cells.split_off(&lane.first);
            }
            Step::Append(cells) => {
                for ((lane, n), outcome) in cells.iter().zip(outcomes) {
                    let Some(lane) = self.lanes.get_mut(lane) else {
                        assert_eq!(*outcome, Outcome::Refused(Refusal::DENIED));
                        continue;
                    };
                    let Outcome::Appended { seq, .. } = outcome else {
                        panic!("{outcome:?}")
                    };
                    let live = |(_, (other, until)): &(&u64, &(u64, Millis))| {
                        other == n && *until > self.now
                    };
                    if let Some((known, _)) = lane.cells.iter().find(live) {
                        assert_eq!(known, seq, "a cell keeps its number");
                        continue;
                    }
                    assert_eq!(*seq, lane.end, "numbers have no holes");
                    lane.end += 1;
                    let until = self.now.div_ceil(1000) * 1000 + u64::from(TTL) * 1000;
                    lane.cells.insert(*seq, (*n, until));
                }
            }
            Step::Decide(slot, value) => {
                self.values.insert(*slot, *value);
            }
            Step::Wait(time) => self.now += time,
            Step::Upkeep | Step::Gc | Step::Open => {}
        }
    }

    fn check(&self, store: &EmbeddedStore) {
        let mut live = 0;
        for (id, lane) in &self.lanes {
            let mut next = 1;
            let mut found = Vec::new();
            let end = loop {
                let cells = store
                    .cells(self.now, &[*id; 32], next, u64::MAX, 7)
                    .unwrap();
                found.extend(cells.items);
                assert!(cells.next >= next || cells.next == cells.end);
                next = cells.next;
                if next >= cells.end {
                    break cells.end;
                }
            };
            let is_live = |(seq, (n, until)): (&u64, &(u64, Millis))| {
                (*until > self.now).then(|| (*seq, cell(*n)))
            };
            let expected: Vec<_> = lane.cells.iter().filter_map(is_live).collect();
            assert_eq!(end, lane.end, "lane {id}");
            let seqs = |cells: &[(u64, Bytes)]| cells.iter().map(|cell| cell.0).collect::<Vec<_>>();
            assert_eq!(seqs(&found), seqs(&expected), "lane {id}");
            assert!(found == expected, "other cells in lane {id}");
            assert_eq!(store.end(&[*id; 32]).unwrap(), end);
            live += lane
                .cells
                .values()
                .filter(|(_, until)| *until > self.now)
                .count();
        }
        let values = store
            .values(self.now, &[SLOT_LANE; 32], 1, u64::MAX, 9999)
            .unwrap();
        let values = values.items.iter().map(|value| {
            (
                value.slot,
                u64::from_le_bytes(value.cells[..8].try_into().unwrap()),
            )
        });
        assert_eq!(values.collect::<BTreeMap<_, _>>(), self.values);
        let stats = store.stats().unwrap();
        assert!(stats.cells >= live as u64);
        assert_eq!(stats.damaged, 0);
    }
}

pub(super) fn lane_new(id: u8, kind: LaneKind, ttl_seconds: u32) -> LaneNew {
    LaneNew {
        lane: Bytes::copy_from_slice(&[id; 32]),
        kind: kind.into(),
        ttl_seconds,
        acceptors: 1,
        ..LaneNew::default()
    }
}

fn make(id: u8, kind: LaneKind, ttl_seconds: u32) -> Write {
    Write::LaneNew {
        new: lane_new(id, kind, ttl_seconds),
        account: None,
    }
}

pub(super) fn append(lane: u8, n: u64) -> Write {
    let cell = cell(n);
    Write::Append {
        lane: [lane; 32],
        hash: hash(&cell),
        cell,
    }
}

fn decide(slot: u64, value: u64) -> Write {
    let cells = vec![cell(value)];
    let vote = Vote {
        ballot: Some(Ballot {
            round: 1,
            tie: Bytes::from_static(&[1; 12]),
        }),
        value_hash: Bytes::copy_from_slice(&hash_cells(&cells)),
        cells: 1,
        signature: Bytes::new(),
    };
    Write::Accept {
        lane: [SLOT_LANE; 32],
        slot,
        vote,
        cells,
    }
}

fn writes(step: &Step) -> Vec<Write> {
    match step {
        Step::Make(lane) => vec![make(*lane, LaneKind::Queue, TTL)],
        Step::Append(cells) => cells.iter().map(|(lane, n)| append(*lane, *n)).collect(),
        Step::Take(lane, upto) => vec![Write::Acknowledge {
            lane: [*lane; 32],
            upto: *upto,
        }],
        Step::Delete(lane) => vec![Write::LaneDelete([*lane; 32])],
        Step::Decide(slot, value) => vec![decide(*slot, *value)],
        _ => Vec::new(),
    }
}

/// A store on a disk that fails, and what becomes of it.
struct Place {
    // Goes before its directory.
    store: Option<EmbeddedStore>,
    directory: tempfile::TempDir,
    disk: FaultyDisk,
    failures: u64,
}

impl Place {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            disk: FaultyDisk::default(),
            store: None,
            failures: 0,
        }
    }

    fn open(&mut self) -> Result<(), StoreError> {
        self.store = None;
        if self.disk.is_dead() {
            self.disk.revive();
        }
        self.store = Some(open(Arc::new(self.disk.clone()), self.directory.path())?);
        Ok(())
    }

    /// Does something as often as it takes.
    fn persist<T>(&mut self, mut job: impl FnMut(&EmbeddedStore) -> Result<T, StoreError>) -> T {
        let mut last = None;
        for _ in 0..200 {
            match &self.store {
                Some(store) if !self.disk.is_dead() => {
                    if self.failures > 0 {
                        last = store.reopen().err().or(last);
                    }
                }
                _ => {
                    last = self.open().err().or(last);
                }
            }
            let Some(store) = &self.store else {
                self.failures += 1;
                continue;
            };
            match job(store) {
                Ok(done) => return done,
                Err(error) => {
                    last = Some(error);
                    self.failures += 1;
                }
            }
        }
        panic!("it never comes back: {last:?}")
    }

    fn run(&mut self, model: &mut Model, step: &Step) {
        let now = model.now;
        let outcomes = match step {
            Step::Upkeep => {
                self.persist(|store| store.expire(now, 5));
                Vec::new()
            }
            Step::Gc => {
                self.persist(|store| store.gc(now, &|| false));
                Vec::new()
            }
            Step::Open => {
                self.store = None;
                self.persist(|_| Ok(()));
                Vec::new()
            }
            step => {
                let writes = writes(step);
                self.persist(|store| store.apply(now, &writes))
            }
        };
        model.follow(step, &outcomes);
    }
}

/// Runs random steps, with faults as `disturb` says before each, and compares all the time.
fn run(seed: u64, steps: usize, mut disturb: impl FnMut(&FaultyDisk, u64)) -> u64 {
    let (mut random, mut model, mut place) = (numbers(seed), Model::default(), Place::new());
    place.persist(|store| store.apply(0, &[make(SLOT_LANE, LaneKind::Slot, 1 << 24)]));
    for _ in 0..steps {
        disturb(&place.disk, random());
        let step = model.step(&mut random);
        place.run(&mut model, &step);
        place.persist(|store| store.lane(&[0; 32]));
        if !place.disk.is_dead() && random().is_multiple_of(4) {
            place.disk.calm();
            place.persist(EmbeddedStore::reopen);
            model.check(place.store.as_ref().unwrap());
        }
    }
    place.disk.calm();
    place.store = None;
    place.persist(|_| Ok(()));
    model.check(place.store.as_ref().unwrap());
    place.failures
}

fn seeds() -> std::ops::Range<u64> {
    let count = std::env::var("UME_STORE_SEEDS").ok();
    0..count.and_then(|count| count.parse().ok()).unwrap_or(3)
}

#[test]
fn it_does_what_the_model_does() {
    for seed in seeds() {
        assert_eq!(run(seed, 400, |_, _| {}), 0, "seed {seed}");
    }
}

#[test]
fn operations_that_fail_lose_nothing() {
    let mut failures = 0;
    for seed in seeds() {
        println!("seed {seed}");
        failures += run(seed, 300, |disk, random| {
            if random.is_multiple_of(5) {
                disk.fail(
                    random / 5 % 40,
                    1 + random / 200 % 6,
                    random.is_multiple_of(2),
                );
            }
        });
    }
    assert!(failures > 20, "{failures}");
}

#[test]
fn lost_power_loses_nothing() {
    let mut failures = 0;
    for seed in seeds() {
        println!("seed {seed}");
        failures += run(seed, 300, |disk, random| {
            if random.is_multiple_of(5) {
                disk.die(random / 5 % 60);
            }
        });
    }
    assert!(failures > 20, "{failures}");
}

/// Every operation of a short life fails once, one life each.
#[test]
fn each_operation_in_turn_may_fail() {
    let life = |after: Option<(u64, bool)>| {
        let (mut model, mut place) = (Model::default(), Place::new());
        place.persist(|store| store.apply(0, &[make(SLOT_LANE, LaneKind::Slot, 1 << 24)]));
        let begun = place.disk.operations();
        if let Some((after, full)) = after {
            place.disk.fail(after, 1, full);
        }
        let mut n = 0;
        let mut cells = |lane: u8, count: u64| {
            n += count;
            Step::Append((n - count..n).map(|n| (lane, n)).collect())
        };
        let steps = [
            Step::Make(1),
            cells(1, 10),
            Step::Make(2),
            cells(2, 12),
            Step::Decide(1, 7),
            cells(1, 9),
            Step::Take(1, 8),
            Step::Upkeep,
            cells(2, 12),
            Step::Take(1, 19),
            Step::Gc,
            Step::Open,
            cells(1, 5),
            Step::Delete(2),
            Step::Upkeep,
        ];
        for step in &steps {
            place.run(&mut model, step);
        }
        let operations = place.disk.operations() - begun;
        place.disk.calm();
        place.store = None;
        place.persist(|_| Ok(()));
        model.check(place.store.as_ref().unwrap());
        operations
    };
    let operations = life(None);
    let step = 1.max(operations / 60);
    for after in (0..operations).step_by(usize::try_from(step).unwrap()) {
        println!("after {after}");
        life(Some((after, after.is_multiple_of(2))));
    }
}

#[test]
fn a_full_disk_refuses_and_comes_back() {
    let mut place = Place::new();
    let mut model = Model::default();
    place.persist(|store| store.apply(0, &[make(SLOT_LANE, LaneKind::Slot, 1 << 24)]));
    place.run(&mut model, &Step::Make(1));
    place.run(&mut model, &Step::Append((0..10).map(|n| (1, n)).collect()));
    place.disk.fail(0, u64::MAX / 2, true);
    let store = place.store.as_ref().unwrap();
    for n in 10..50 {
        let _ = store.reopen();
        assert!(store.apply(0, &[append(1, n)]).is_err());
    }
    place.disk.calm();
    place.failures = 1;
    place.run(
        &mut model,
        &Step::Append((10..60).map(|n| (1, n)).take(20).collect()),
    );
    model.check(place.store.as_ref().unwrap());
}

#[test]
fn damaged_records_are_skipped_and_told_of() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(Arc::new(FileSystem), directory.path()).unwrap();
    store.apply(0, &[make(1, LaneKind::Log, TTL)]).unwrap();
    for n in 0..60 {
        store.apply(0, &[append(1, n)]).unwrap();
    }
    // One in the middle of each file that has records.
    let mut hit = 0;
    for entry in std::fs::read_dir(directory.path().join("log")).unwrap() {
        let path = entry.unwrap().path();
        // Other files come and go.
        if path.extension().is_none_or(|kind| kind != "seg") {
            continue;
        }
        let mut bytes = std::fs::read(&path).unwrap();
        let at = 4096 + 2 * 1856 + 900;
        if bytes.len() > at {
            bytes[at] ^= 4;
            std::fs::write(&path, bytes).unwrap();
            hit += 1;
        }
    }
    assert!(hit > 1);
    let read = |store: &EmbeddedStore| {
        let cells = store.cells(0, &[1; 32], 1, u64::MAX, 999).unwrap();
        assert_eq!((cells.next, cells.end), (61, 61));
        let ours = |(seq, found): &(u64, Bytes)| *found == cell(seq - 1);
        assert!(cells.items.iter().all(ours));
        cells.items.len()
    };
    assert_eq!(read(&store), 60 - hit);
    assert_eq!(store.stats().unwrap().damaged, hit as u64);
    drop(store);
    let store = open(Arc::new(FileSystem), directory.path()).unwrap();
    assert_eq!(read(&store), 60 - hit, "the index may still name it");
    assert!(store.stats().unwrap().damaged > 0);
    // Whoever misses it may send it again.
    let again: Vec<_> = (0..60).map(|n| append(1, n)).collect();
    store.apply(0, &again).unwrap();
    let cells = store.cells(0, &[1; 32], 1, u64::MAX, 999).unwrap();
    let there: BTreeSet<Hash> = cells.items.iter().map(|(_, cell)| hash(cell)).collect();
    assert_eq!(there.len(), 60);
}

struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_backup_is_of_one_moment_while_everything_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(Arc::new(FileSystem), directory.path()).unwrap();
    for lane in 1..=2 {
        store.apply(0, &[make(lane, LaneKind::Queue, TTL)]).unwrap();
    }
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut n = 0u64;
            while !stop.load(Ordering::Relaxed) {
                // Both lanes in one group: a copy of one moment has both or neither.
                store.apply(0, &[append(1, n), append(2, n)]).unwrap();
                n += 1;
                if n.is_multiple_of(50) {
                    let taken = (1..=2).map(|lane| Write::Acknowledge {
                        lane: [lane; 32],
                        upto: n - 20,
                    });
                    store.apply(0, &taken.collect::<Vec<_>>()).unwrap();
                    store.expire(0, 64).unwrap();
                }
            }
            n
        });
        // Also when something below fails.
        let stopping = Stopping(&stop);
        for copy in 0..4 {
            let to = directory.path().join(format!("copy{copy}"));
            let before = store.end(&[1; 32]).unwrap();
            store.backup(&to, &|| false).unwrap();
            let again = store.backup(&to, &|| false);
            assert!(again.is_err(), "not into a directory in use");
            let copy = open(Arc::new(FileSystem), &to).unwrap();
            let all = |lane: u8| copy.cells(0, &[lane; 32], 1, u64::MAX, 99_999).unwrap();
            let (one, two) = (all(1), all(2));
            assert!(one.end >= before && one == two);
            assert_eq!(one.items.len() as u64, one.end - one.first);
            for (seq, found) in one.items {
                assert_eq!(found, cell(seq - 1));
            }
            // It goes on from there.
            let next = Outcome::Appended {
                seq: one.end,
                new: true,
            };
            assert_eq!(copy.apply(0, &[append(1, 1 << 40)]).unwrap(), [next]);
        }
        drop(stopping);
        assert!(writer.join().unwrap() > 0);
    });
}

#[test]
fn room_that_is_wasted_is_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(Arc::new(FileSystem), directory.path()).unwrap();
    // One lane is taken quickly; the other keeps one cell in each segment.
    store
        .apply(
            0,
            &[make(1, LaneKind::Queue, TTL), make(2, LaneKind::Log, TTL)],
        )
        .unwrap();
    for n in 0..3000u64 {
        store.apply(0, &[append(1, n)]).unwrap();
        if n.is_multiple_of(15) {
            store.apply(0, &[append(2, n)]).unwrap();
        }
        let taken = Write::Acknowledge {
            lane: [1; 32],
            upto: n.saturating_sub(10),
        };
        store.apply(0, &[taken]).unwrap();
        if n.is_multiple_of(20) {
            while store.expire(0, 64).unwrap() {}
        }
    }
    let settle = || {
        // The keeper may be a little behind.
        for _ in 0..200 {
            while store.expire(0, 64).unwrap() {}
            let stats = store.stats().unwrap();
            let live = stats.cells * 1856;
            if stats.segments * u64::from(SEGMENT.1) <= 2 * live + 2 * u64::from(SEGMENT.1) {
                return stats;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("{:?}", store.stats().unwrap())
    };
    let stats = settle();
    assert_eq!(stats.cells, 200 + 11);
    let cells = store.cells(0, &[2; 32], 1, u64::MAX, 999).unwrap();
    let expected: Vec<_> = (0..200).map(|n| (n + 1, cell(n * 15))).collect();
    assert!(cells.items == expected, "moved, not changed");
}

//! The keeper: a thread for what the writer must not wait for. It seals full segments, and makes files for new ones.

use super::{
    Log, Serial, Standing,
    segment::{Entry, Segment, write_index},
};
use crate::{journal, store::StoreError};
use std::{
    collections::VecDeque,
    io,
    path::PathBuf,
    sync::{Arc, atomic::Ordering, mpsc},
    thread,
};

/// Spare files that wait for their use.
pub(super) const SPARES: usize = 1;

/// Puts into the tables where lanes stand, durably.
pub(in crate::store) type Recorder =
    Box<dyn Fn(&[(Serial, Standing)]) -> Result<(), StoreError> + Send>;

/// A segment that nothing more is written to.
#[derive(Debug)]
pub(super) struct Full {
    pub(super) segment: Arc<Segment>,
    pub(super) end: u32,
    pub(super) entries: Vec<Entry>,
    /// Lanes whose trims are in it.
    pub(super) trimmed: Vec<Serial>,
}

enum Job {
    Seal(Full),
    Spare,
    Again,
}

/// The way to the keeper's thread, which ends with it.
#[derive(Debug)]
pub(super) struct Keeper {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Keeper {
    pub(super) fn start(log: Arc<Log>, recorder: Recorder) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let mut work = Work {
            log,
            recorder,
            full: VecDeque::new(),
            wants_spare: false,
            failing: false,
        };
        let thread = thread::Builder::new()
            .name("keeper".into())
            .spawn(move || work.run(&queue))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    pub(super) fn seal(&self, full: Full) {
        self.send(Job::Seal(full));
    }

    pub(super) fn spare(&self) {
        self.send(Job::Spare);
    }

    /// Tries again what has failed.
    pub(super) fn again(&self) {
        self.send(Job::Again);
    }

    fn send(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            let _ = jobs.send(job);
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Work {
    log: Arc<Log>,
    recorder: Recorder,
    full: VecDeque<Full>,
    wants_spare: bool,
    failing: bool,
}

impl Work {
    fn run(&mut self, queue: &mpsc::Receiver<Job>) {
        while let Ok(job) = queue.recv() {
            match job {
                Job::Seal(full) => self.full.push_back(full),
                Job::Spare => self.wants_spare = true,
                Job::Again => {}
            }
            if let Err(error) = self.work() {
                if !self.failing {
                    journal::because(journal::LOG_FAILS, &error.to_string());
                }
                self.failing = true;
            } else {
                self.failing = false;
            }
        }
    }

    fn work(&mut self) -> Result<(), StoreError> {
        if self.wants_spare {
            // A file that was used before may have come back in the meantime; and on a full disk the writer makes one
            // itself once it needs it.
            let next = self.log.next_bytes.load(Ordering::Relaxed);
            if self.log.spares.lock().len() < SPARES && self.log.free()? >= u64::from(next) {
                let spare = self.log.make_spare(0)?;
                self.log.add_spare(spare)?;
            }
            self.wants_spare = false;
        }
        // In their order: that a segment is sealed says that all before it are.
        while let Some(full) = self.full.front() {
            self.seal(full)?;
            self.full.pop_front();
        }
        Ok(())
    }

    fn seal(&self, full: &Full) -> Result<(), StoreError> {
        let mut serials: Vec<Serial> = full.entries.iter().map(|entry| entry.serial).collect();
        serials.extend(&full.trimmed);
        serials.sort_unstable();
        serials.dedup();
        let standings: Vec<(Serial, Standing)> = serials
            .into_iter()
            .filter_map(|serial| Some((serial, self.log.standing(serial)?)))
            .collect();
        // First what the segment's trims and numbers mean, then the index that makes reading it needless.
        (self.recorder)(&standings)?;
        let (log, segment) = (&self.log, &full.segment);
        write_index(&*log.disk, &log.directory, segment, full.end, &full.entries)?;
        segment.sealed.store(true, Ordering::Release);
        for (serial, _) in standings {
            log.forget_empty(serial, segment.number);
        }
        Ok(())
    }
}

impl Log {
    fn add_spare(&self, spare: (PathBuf, u32)) -> io::Result<()> {
        let mut spares = self.spares.lock();
        if spares.len() < SPARES {
            spares.push(spare);
            return Ok(());
        }
        self.disk.remove(&spare.0)
    }

    /// Forgets a lane without cells that has not been written since a segment whose lanes are in the tables.
    pub(super) fn forget_empty(&self, serial: Serial, sealed: u32) {
        let mut shard = self.index.shard(serial).write();
        let is_over =
            |lane: &super::index::LaneCells| lane.places.is_empty() && lane.touched <= sealed;
        if shard.lane(serial).is_some_and(is_over) {
            shard.remove(serial);
        }
    }
}

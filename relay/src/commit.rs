//! The committer: one thread that writes whatever waits as one transaction, and answers when it is on disk.
//!
//! Groups form by themselves: while one transaction is flushed, the next one's writes gather.

use crate::{
    hub::{Hub, news_of},
    journal,
    metrics::Metrics,
    push::News,
    refusal::Refusal,
    store::{Millis, Outcome, Store, Write},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Writes in one transaction.
const GROUP_MAX: usize = 2048;
/// Rows that one transaction removes because their time has come: short, so that writers do not wait for it.
const EXPIRE_ROWS: usize = 1024;
/// Time between two attempts to come back after a failure.
const REOPEN_AFTER: Duration = Duration::from_secs(1);
/// Cells that wait for the committer; more make their senders wait.
const WAITING_CELLS: usize = 16_384;

/// The way to the committer's thread.
pub(crate) struct Committer {
    queue: mpsc::UnboundedSender<Order>,
    /// Bounds the queue by what its entries weigh.
    room: Arc<Semaphore>,
    healthy: Arc<AtomicBool>,
    short: Arc<AtomicBool>,
}

#[allow(clippy::large_enum_variant)] // the other one is rare
enum Order {
    Write(Job),
    Expire,
}

struct Job {
    write: Write,
    answer: oneshot::Sender<Outcome>,
    room: Option<OwnedSemaphorePermit>,
}

impl Committer {
    /// Starts the thread. It ends, after everything that was handed to it, once the committer is dropped.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        hub: Arc<Hub>,
        metrics: Arc<Metrics>,
        news: Arc<News>,
    ) -> std::io::Result<(Self, thread::JoinHandle<()>)> {
        let (queue, orders) = mpsc::unbounded_channel();
        let healthy = Arc::new(AtomicBool::new(true));
        let short = Arc::new(AtomicBool::new(false));
        let mut work = Work {
            store,
            hub,
            metrics,
            news,
            healthy: healthy.clone(),
            short: short.clone(),
            failed: None,
        };
        let thread = thread::Builder::new()
            .name("committer".into())
            .spawn(move || work.run(orders))?;
        Ok((
            Self {
                queue,
                room: Arc::new(Semaphore::new(WAITING_CELLS)),
                healthy,
                short,
            },
            thread,
        ))
    }

    /// Hands over a write; the receiver gets its outcome once it is durable, or nothing if the relay stops first. Writes
    /// take effect in the order in which they are handed over. Waits while too much is in the queue.
    pub(crate) async fn submit(&self, write: Write) -> oneshot::Receiver<Outcome> {
        let weight = match &write {
            Write::Accept { cells, .. } | Write::BlobPut { cells, .. } => cells.len().max(1),
            _ => 1,
        };
        let permits = u32::try_from(weight.min(WAITING_CELLS)).unwrap_or(u32::MAX);
        let room = self.room.clone().acquire_many_owned(permits).await.ok();
        let (answer, outcome) = oneshot::channel();
        // A closed queue drops the sender, and the receiver finds out.
        let _ = self.queue.send(Order::Write(Job {
            write,
            answer,
            room,
        }));
        outcome
    }

    /// Asks for the removal of what is over.
    pub(crate) fn expire(&self) {
        let _ = self.queue.send(Order::Expire);
    }

    /// Cells that wait to be written.
    pub(crate) fn waiting(&self) -> usize {
        WAITING_CELLS - self.room.available_permits().min(WAITING_CELLS)
    }

    /// Whether the last transaction went well.
    pub(crate) fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    /// Whether nothing new is stored for want of room on the disk.
    pub(crate) fn is_short(&self) -> bool {
        self.short.load(Ordering::Relaxed)
    }
}

struct Work {
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    metrics: Arc<Metrics>,
    news: Arc<News>,
    healthy: Arc<AtomicBool>,
    short: Arc<AtomicBool>,
    failed: Option<Instant>,
}

impl Work {
    fn run(&mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut expiring = false;
        loop {
            let mut jobs = Vec::new();
            let first = if expiring {
                orders.try_recv().ok()
            } else {
                orders.blocking_recv()
            };
            if first.is_none() && !expiring {
                return;
            }
            let mut next = first;
            while let Some(order) = next {
                match order {
                    Order::Write(job) => jobs.push(job),
                    Order::Expire => {
                        expiring = true;
                        self.look_at_disk();
                    }
                }
                next = if jobs.len() < GROUP_MAX {
                    orders.try_recv().ok()
                } else {
                    None
                };
            }
            if !jobs.is_empty() {
                self.commit(jobs);
            }
            if expiring {
                // A stop does not wait for it.
                expiring = !orders.is_closed() && self.expire();
            }
        }
    }

    fn commit(&mut self, jobs: Vec<Job>) {
        self.come_back();
        let mut writes = Vec::with_capacity(jobs.len());
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            writes.push(job.write);
            answers.push((job.answer, job.room));
        }
        let begun = Instant::now();
        match self.store.apply(now(), &writes) {
            Ok(outcomes) => {
                self.metrics.committed(writes.len(), begun.elapsed());
                self.healthy.store(true, Ordering::Relaxed);
                self.hub.publish(&writes, &outcomes);
                let done = writes.iter().zip(&outcomes);
                let news = done.filter_map(|(write, outcome)| news_of(write, outcome));
                self.news.note(news.map(|(lane, _)| lane));
                for ((answer, _room), outcome) in answers.into_iter().zip(outcomes) {
                    let _ = answer.send(outcome);
                }
            }
            Err(error) => {
                self.metrics.commit_failures.inc();
                self.fail(&error.to_string());
                for (answer, _room) in answers {
                    let _ = answer.send(Outcome::Refused(Refusal::STORAGE));
                }
            }
        }
    }

    /// Whether there is more to remove.
    fn expire(&mut self) -> bool {
        self.come_back();
        match self.store.expire(now(), EXPIRE_ROWS) {
            Ok(more) => more,
            Err(error) => {
                self.fail(&error.to_string());
                false
            }
        }
    }

    fn look_at_disk(&self) {
        let short = self.store.is_short();
        if self.short.swap(short, Ordering::Relaxed) != short {
            journal::note(if short {
                journal::DISK_SHORT
            } else {
                journal::DISK_FINE
            });
        }
    }

    fn fail(&mut self, error: &str) {
        self.failed.get_or_insert_with(Instant::now);
        if self.healthy.swap(false, Ordering::Relaxed) {
            journal::because(journal::STORE_FAILS, error);
        }
    }

    /// An engine that failed once refuses to write until it is opened again.
    fn come_back(&mut self) {
        if self
            .failed
            .is_none_or(|failed| failed.elapsed() < REOPEN_AFTER)
        {
            return;
        }
        self.failed = Some(Instant::now());
        if self.store.reopen().is_ok() {
            self.failed = None;
            self.healthy.store(true, Ordering::Relaxed);
            journal::note(journal::STORE_BACK);
        }
    }
}

/// The relay's clock.
pub(crate) fn now() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

//! Sends for one connection that keeps a pace: at each tick so many frames, one message and, under TLS, one record each.
//!
//! It has threads that nothing else runs on. Whatever the tasks of connections do or wait for, the committer, the disk, a
//! signature, shifts no tick. What a tick carries is put together a little before it, so that real frames take no longer
//! than pads when it comes.

use super::{outbox::Outbox, trace::Trace};
use crate::{
    metrics::Metrics,
    packet::BYTES,
    patience::{Demand, Patience},
};
use bytes::BytesMut;
use rand_chacha::ChaCha20Rng;
use std::{io, sync::Arc, thread, time::Duration};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    runtime::{Builder, Runtime},
    time::{Instant, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;
use ume_wire::pace::{Pace, Pacer};

/// How long before a tick its frames are put together.
const LEAD: Duration = Duration::from_millis(2);
/// Threads for all senders: one tick takes some ten microseconds.
const THREADS_MAX: usize = 4;

/// The threads of all senders.
pub(crate) struct Senders(Option<Runtime>);

impl Senders {
    pub(crate) fn start() -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let runtime = Builder::new_multi_thread()
            .worker_threads((cores / 2).clamp(1, THREADS_MAX))
            .thread_name("sender")
            .enable_time()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Lets a sender run; it ends with what it gives back. `None` cannot happen while the relay is there.
    pub(super) fn spawn<W>(&self, sender: Sender<W>) -> Option<AbortOnDropHandle<Option<W>>>
    where
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let runtime = self.0.as_ref()?;
        Some(AbortOnDropHandle::new(runtime.spawn(sender.run())))
    }
}

impl Drop for Senders {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Sends at its ticks until it is told to stop, or the client takes nothing any more.
pub(super) struct Sender<W> {
    stream: Patience<W>,
    outbox: Arc<Outbox>,
    pacer: Pacer<ChaCha20Rng>,
    /// What the pacer's times count from.
    start: Instant,
    metrics: Arc<Metrics>,
    trace: Trace,
}

impl<W: AsyncWrite + Unpin> Sender<W> {
    pub(super) fn new(
        stream: W,
        demand: Demand,
        outbox: Arc<Outbox>,
        metrics: Arc<Metrics>,
        (rng, pace): (ChaCha20Rng, Pace),
    ) -> Self {
        let trace = Trace::begin();
        Self {
            stream: Patience::new(stream, demand),
            outbox,
            pacer: Pacer::new(rng, 0, trace.pace(pace)),
            start: Instant::now(),
            metrics,
            trace,
        }
    }

    /// Gives the stream back if whole frames were sent on it.
    async fn run(mut self) -> Option<W> {
        if self.send().await.is_ok() {
            return Some(self.stream.into_inner());
        }
        self.outbox.leave();
        None
    }

    async fn send(&mut self) -> io::Result<()> {
        loop {
            let tick = self.start + Duration::from_millis(self.pacer.next_ms());
            let before = tick.checked_sub(LEAD).unwrap_or(tick);
            let before = self.trace.ready(before, tick);
            let orders = tokio::select! {
                biased;
                orders = self.outbox.orders() => Some(orders),
                () = sleep_until(before) => None,
            };
            let Some(orders) = orders else {
                self.tick(tick).await?;
                continue;
            };
            for control in orders.controls {
                self.write(&control).await?;
            }
            if orders.is_over {
                return Ok(());
            }
            if let Some(pace) = orders.pace {
                self.pacer.change(self.now_ms(), self.trace.pace(pace));
            }
        }
    }

    async fn tick(&mut self, tick: Instant) -> io::Result<()> {
        let count = usize::try_from(self.pacer.law().frames).unwrap_or(1);
        let mut frames = BytesMut::with_capacity(count * BYTES);
        let real = self.outbox.load(count, &mut frames);
        self.trace.put_together(real);
        sleep_until(tick).await;
        // Before anything is written: for how long that waits must not count as lateness of the next tick.
        self.pacer.tick(self.now_ms());
        for (place, frame) in frames.chunks(BYTES).enumerate() {
            self.write(frame).await?;
            self.trace.sent(tick, place < real);
        }
        self.metrics.pads_out.inc_by((count - real) as u64);
        if real > 0 {
            self.outbox.wake();
        }
        Ok(())
    }

    /// Writes one message. Flushed by itself, it is one TLS record.
    async fn write(&mut self, message: &[u8]) -> io::Result<()> {
        self.stream.write_all(message).await?;
        self.stream.flush().await?;
        self.metrics.bytes_out.inc_by(message.len() as u64);
        Ok(())
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

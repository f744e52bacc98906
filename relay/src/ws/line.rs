//! How frames leave a connection: at once and by its own task, or at the ticks of a pace and by a sender.

use super::{
    outbox::Outbox,
    sender::{Sender, Senders},
};
use crate::{metrics::Metrics, patience::Demand};
use bytes::Bytes;
use prometheus_client::metrics::gauge::Gauge;
use rand_chacha::ChaCha20Rng;
use rand_core::{OsRng, RngCore, SeedableRng};
use std::{
    collections::VecDeque,
    io, mem,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadHalf, WriteHalf, split},
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;
use ume_websocket::{Event, Socket, SocketError};
use ume_wire::pace::Pace;

/// Time for the sender to finish the frame that it is at.
const HAND_BACK: Duration = Duration::from_secs(2);

/// The socket of a connection.
pub(super) enum Line<S> {
    /// What is queued leaves at once.
    Direct(Socket<S>),
    /// What is queued waits for its tick.
    Paced(Paced<S>),
    /// The system did not give what a pace takes.
    Broken,
}

pub(super) struct Paced<S> {
    socket: Socket<ReadHalf<S>>,
    outbox: Arc<Outbox>,
    sender: AbortOnDropHandle<Option<WriteHalf<S>>>,
    _counted: Counted,
}

/// Counts a connection while it is there.
struct Counted(Gauge);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Line<S> {
    /// Keeps a pace from now on. What was queued before leaves at once. `None`: the system has no randomness.
    pub(super) fn keep(
        &mut self,
        pace: Pace,
        demand: Demand,
        senders: &Senders,
        metrics: &Arc<Metrics>,
    ) -> Option<()> {
        if let Self::Paced(paced) = self {
            paced.outbox.order(|orders| orders.pace = Some(pace));
            return Some(());
        }
        let mut seed = <ChaCha20Rng as SeedableRng>::Seed::default();
        OsRng.try_fill_bytes(&mut seed).ok()?;
        let Self::Direct(mut socket) = mem::replace(self, Self::Broken) else {
            return None;
        };
        let outbox = Arc::new(Outbox::new());
        outbox.order(|orders| orders.controls.extend(socket.take_queued()));
        let mut write = None;
        let socket = socket.over(|stream| {
            let (one, other) = split(stream);
            write = Some(other);
            one
        });
        let random = (ChaCha20Rng::from_seed(seed), pace);
        let sender = Sender::new(write?, demand, outbox.clone(), metrics.clone(), random);
        metrics.paced.inc();
        *self = Self::Paced(Paced {
            _counted: Counted(metrics.paced.clone()),
            sender: senders.spawn(sender)?,
            socket,
            outbox,
        });
        Some(())
    }

    /// The socket, when no sender writes to it any more: what still waits for a tick is dropped, or the end of a connection
    /// would show how much that was. `None` if the sender does not give it back.
    pub(super) async fn end(self) -> Option<Socket<S>> {
        match self {
            Self::Direct(socket) => Some(socket),
            Self::Paced(paced) => {
                paced.outbox.order(|orders| orders.is_over = true);
                let write = timeout(HAND_BACK, paced.sender).await.ok()?.ok()??;
                Some(paced.socket.over(|read| read.unsplit(write)))
            }
            Self::Broken => None,
        }
    }

    pub(super) fn poll_events(
        &mut self,
        context: &mut Context<'_>,
        events: &mut VecDeque<Event>,
    ) -> Poll<Result<(), SocketError>> {
        match self {
            Self::Direct(socket) => socket.poll_events(context, events),
            Self::Paced(paced) => paced.socket.poll_events(context, events),
            Self::Broken => Poll::Ready(Err(SocketError::End)),
        }
    }

    /// Writes what is queued, unless a sender does. Ready once nothing more is to be done here.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Direct(socket) => socket.poll_flush(context),
            Self::Paced(paced) if !paced.outbox.is_gone(context) => Poll::Ready(Ok(())),
            Self::Paced(_) | Self::Broken => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }
}

impl<S> Line<S> {
    pub(super) fn is_paced(&self) -> bool {
        matches!(self, Self::Paced(_))
    }

    /// Queues a frame.
    pub(super) fn queue(&mut self, packet: Bytes) {
        match self {
            Self::Direct(socket) => socket.queue(packet),
            Self::Paced(paced) => paced.outbox.put(packet),
            Self::Broken => {}
        }
    }

    /// Queues what waits for no tick.
    pub(super) fn queue_control(&mut self, control: Bytes) {
        match self {
            Self::Direct(socket) => socket.queue(control),
            Self::Paced(paced) => paced.outbox.order(|orders| orders.controls.push(control)),
            Self::Broken => {}
        }
    }

    /// Frames that wait to leave.
    pub(super) fn queued_frames(&self) -> usize {
        match self {
            Self::Direct(socket) => socket.queued_frames(),
            Self::Paced(paced) => paced.outbox.frames(),
            Self::Broken => 0,
        }
    }

    /// Of so many frames that might be queued in one go, how many make sense: what waits for longer than the next ticks makes
    /// all that comes later wait as well.
    pub(super) fn turn(&self, frames: usize) -> usize {
        match self {
            Self::Paced(paced) => frames.min(paced.outbox.near()),
            Self::Direct(_) | Self::Broken => frames,
        }
    }

    /// Bytes that this task has written.
    pub(super) fn written(&self) -> u64 {
        match self {
            Self::Direct(socket) => socket.written(),
            Self::Paced(_) | Self::Broken => 0,
        }
    }

    /// Gives back memory that was needed under load only.
    pub(super) fn rest(&mut self) {
        if let Self::Direct(socket) = self {
            socket.rest();
        }
    }
}

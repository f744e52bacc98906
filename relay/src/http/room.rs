//! Room for bodies that come in. It is bounded, for all together and for each part of the network; and whoever sends half a
//! body and keeps the rest to themselves has to give way to those who send theirs whole.

use crate::admission::{Bodies, Visitor};
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    pin::pin,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};
use ume_wire::limits::FRAME_BYTES;

/// Memory for bodies, of all connections together, in frames: 16 MiB, and 8 MiB for small ones.
const LARGE_ROOM: usize = 8 * 1024;
const SMALL_ROOM: usize = 4 * 1024;
/// The same in bytes.
pub(crate) const ROOM_BYTES: usize = (LARGE_ROOM + SMALL_ROOM) * FRAME_BYTES;
/// One part of the network may take one of so many parts of a room.
const SHARES: usize = 8;
/// A body of so few frames has a room of its own: who sends many long ones slowly must not shut out those who send little.
const SMALL_FRAMES: usize = 4;
/// What a body takes besides its frames, in frames: the buffer that it is read into.
const BUFFER_FRAMES: usize = 8;
/// Bodies that wait for a room. A connection that waits takes memory too: who would be one more is told to come later.
const QUEUE: usize = 512;
/// What a body gets to come in before it has to give way. Most come in one flight with their head.
const GRACE: Duration = Duration::from_millis(50);
/// How often somebody who waits looks for a body that has to give way.
const TURN: Duration = Duration::from_millis(10);

/// Where bodies are taken in.
#[derive(Debug)]
pub(crate) struct Intake {
    small: Room,
    large: Room,
}

#[derive(Debug)]
struct Room {
    size: usize,
    free: Arc<Semaphore>,
    queue: Semaphore,
    /// Bodies that are coming in, the oldest first.
    coming: Mutex<VecDeque<Coming>>,
}

#[derive(Debug)]
struct Coming {
    since: Instant,
    frames: usize,
    wanted: Weak<Notify>,
}

/// The place of a body that is coming in.
#[derive(Debug)]
pub(super) struct Place {
    kept: Kept,
    wanted: Arc<Notify>,
}

/// The place of a body that is there. Nobody else gets it until it is dropped.
#[derive(Debug)]
pub(super) struct Kept(Vec<OwnedSemaphorePermit>);

impl Default for Intake {
    fn default() -> Self {
        Self {
            small: Room::new(SMALL_ROOM),
            large: Room::new(LARGE_ROOM),
        }
    }
}

impl Intake {
    /// Waits for a place for a body. `None` if too many wait.
    pub(super) async fn place(&self, visitor: &Visitor, bytes: usize) -> Option<Place> {
        let frames = bytes.div_ceil(FRAME_BYTES);
        let (room, bodies) = if frames <= SMALL_FRAMES {
            (&self.small, Bodies::Small)
        } else {
            (&self.large, Bodies::Large)
        };
        let share = visitor.share(bodies, room.size / SHARES);
        room.place(share, frames + BUFFER_FRAMES).await
    }
}

impl Room {
    fn new(size: usize) -> Self {
        Self {
            size,
            free: Arc::new(Semaphore::new(size)),
            queue: Semaphore::new(QUEUE),
            coming: Mutex::default(),
        }
    }

    async fn place(&self, share: Option<Arc<Semaphore>>, frames: usize) -> Option<Place> {
        let count = u32::try_from(frames).unwrap_or(u32::MAX);
        let _waiting = self.queue.try_acquire().ok()?;
        let mut permits = Vec::new();
        // The share first: whoever waits for that has nothing of the room.
        if let Some(share) = share {
            permits.push(share.acquire_many_owned(count).await.ok()?);
        }
        let mut room = pin!(self.free.clone().acquire_many_owned(count));
        let mut wait = Duration::ZERO;
        permits.push(loop {
            match timeout(wait, &mut room).await {
                Ok(permit) => break permit.ok()?,
                Err(_) => self.clear(frames),
            }
            wait = TURN;
        });
        let wanted = Arc::new(Notify::new());
        let mut coming = self.coming.lock();
        if coming.len() >= self.size {
            // Most of them have come long since: so many do not fit.
            coming.retain(|one| one.wanted.strong_count() > 0);
        }
        coming.push_back(Coming {
            since: Instant::now(),
            frames,
            wanted: Arc::downgrade(&wanted),
        });
        let kept = Kept(permits);
        Some(Place { kept, wanted })
    }

    /// Asks the oldest bodies to give way, until there is room for so many frames.
    fn clear(&self, frames: usize) {
        let (mut coming, mut cleared) = (self.coming.lock(), 0);
        while cleared < frames
            && let Some(oldest) = coming.front()
            && oldest.since.elapsed() >= GRACE
        {
            if let Some(wanted) = oldest.wanted.upgrade() {
                wanted.notify_one();
                cleared += oldest.frames;
            }
            coming.pop_front();
        }
    }
}

impl Place {
    /// Ends when somebody else needs the place more.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    pub(super) fn keep(self) -> Kept {
        self.kept
    }
}

impl Kept {
    /// Gives back the room of one frame.
    pub(super) fn give_back(&mut self) {
        for permit in &mut self.0 {
            drop(permit.split(1));
        }
    }
}

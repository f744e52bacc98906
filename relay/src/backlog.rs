//! Frames that were read for somebody who has not taken them yet, of all connections together. The more there are, the
//! fewer are read for anybody at a time: what silent readers make the relay hold grows far slower than their number.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Frames that are read for somebody in one go while few wait.
const TURN_FRAMES: usize = 16;
/// A turn has so many frames divided by those that wait already. With n readers that take nothing, the square root of
/// about 2n times this wait in all: 12 MiB for 500 of them, 52 MiB for 10,000.
const SPREAD: usize = 32 * 1024;

/// How many frames wait.
#[derive(Debug, Default)]
pub(crate) struct Backlog(AtomicUsize);

impl Backlog {
    /// How many frames may be read for somebody in one go. At least one, so that everybody gets on.
    pub(crate) fn turn(&self) -> usize {
        let waiting = self.0.load(Ordering::Relaxed).max(1);
        (SPREAD / waiting).clamp(1, TURN_FRAMES)
    }
}

/// What waits for one reader.
#[derive(Debug)]
pub(crate) struct Waiting {
    backlog: Arc<Backlog>,
    frames: usize,
}

impl Waiting {
    /// Nothing, at first.
    pub(crate) fn new(backlog: Arc<Backlog>) -> Self {
        Self { backlog, frames: 0 }
    }

    /// So many frames now.
    pub(crate) fn set(&mut self, frames: usize) {
        let total = &self.backlog.0;
        if frames > self.frames {
            total.fetch_add(frames - self.frames, Ordering::Relaxed);
        } else if frames < self.frames {
            total.fetch_sub(self.frames - frames, Ordering::Relaxed);
        }
        self.frames = frames;
    }

    /// See [`Backlog::turn`].
    pub(crate) fn turn(&self) -> usize {
        self.backlog.turn()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each reads while it has less than a turn, and takes nothing.
    fn silent_readers(count: usize) -> usize {
        let backlog = Arc::new(Backlog::default());
        let mut readers: Vec<Waiting> = (0..count).map(|_| Waiting::new(backlog.clone())).collect();
        for reader in &mut readers {
            while reader.frames < backlog.turn() {
                reader.set(reader.frames + backlog.turn());
            }
            assert!(reader.frames > 0, "everybody gets on");
        }
        let waiting = backlog.0.load(Ordering::Relaxed);
        drop(readers);
        assert_eq!(backlog.0.load(Ordering::Relaxed), 0);
        assert_eq!(backlog.turn(), TURN_FRAMES);
        waiting
    }

    #[test]
    fn many_who_take_nothing_do_not_make_much_wait() {
        assert_eq!(silent_readers(10), 10 * TURN_FRAMES);
        assert!(silent_readers(500) < 8 * 1024);
        assert!(silent_readers(10_000) < 32 * 1024);
    }
}

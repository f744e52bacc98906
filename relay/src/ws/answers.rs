//! Answers of many frames, a page at a time: the next one is read when the client has taken most of the last.

use super::{Connection, End};
use crate::{
    packet::encode,
    reading::{self, Content, Page, Reading, Room, head},
    refusal::Refusal,
};
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use ume_websocket::code;
use ume_wire::{auth::Hash, limits::READ_FRAMES_MAX, relay::frame::Body};

/// Something that begins when all earlier writes are done, before the next request is looked at.
#[derive(Debug)]
pub(super) enum Job {
    /// Only that the writes are done.
    Settle,
    Subscribe {
        request: u32,
        reading: Reading,
    },
    Read {
        request: u32,
        reading: Reading,
        /// Frames that the answer may still have.
        left: usize,
    },
    Blob {
        request: u32,
        id: Hash,
        /// The cell to go on with.
        from: usize,
    },
}

impl Job {
    pub(super) fn read(request: u32, reading: Reading) -> Self {
        Self::Read {
            request,
            reading,
            left: READ_FRAMES_MAX,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Connection<S> {
    /// Goes on with a job for one page.
    pub(super) async fn go_on(&mut self, job: Job) -> Result<(), End> {
        match job {
            Job::Settle => Ok(()),
            Job::Subscribe { request, reading } => {
                self.subscribe(request, reading);
                Ok(())
            }
            Job::Read {
                request,
                reading,
                left,
            } => self.read(request, reading, left).await,
            Job::Blob { request, id, from } => self.send_blob(request, id, from).await,
        }
    }

    /// What is left of a job goes on before anything else is looked at. Where there is a pace, that may take minutes: there
    /// it takes turns with what else is to be done.
    fn later(&mut self, job: Job) {
        if self.line.is_paced() {
            self.long.push_back(job);
        } else {
            self.job = Some(job);
        }
    }

    async fn read(&mut self, request: u32, mut reading: Reading, left: usize) -> Result<(), End> {
        if reading.content == Content::Fleeting {
            let (end, life) = self.core.hub.fleeting_end(&reading.lane);
            reading.life = life;
            self.send_all(head(request, &reading, &Page::fleeting(end)));
            return Ok(());
        }
        let store = self.core.store.clone();
        let room = Room {
            page: self.line.turn(self.waiting.turn()),
            answer: left,
        };
        let page =
            blocking(move || reading::page(&*store, request, &reading, u64::MAX, room)).await?;
        let Ok(mut page) = page else {
            self.answer(request, Refusal::STORAGE.body());
            return Ok(());
        };
        let frames = std::mem::take(&mut page.frames);
        let left = left.saturating_sub(frames.len());
        let is_stuck = frames.is_empty() && page.place == reading.place;
        let is_between = page.place.part == 0;
        let is_over = page.is_full || is_between && (left == 0 || page.place.number >= page.end);
        self.send_all(frames);
        reading.place = page.place;
        if is_over || is_stuck {
            self.send_all(head(request, &reading, &page));
        } else {
            self.later(Job::Read {
                request,
                reading,
                left,
            });
        }
        Ok(())
    }

    async fn send_blob(&mut self, request: u32, id: Hash, from: usize) -> Result<(), End> {
        let (store, turn) = (self.core.store.clone(), self.line.turn(self.waiting.turn()));
        match blocking(move || reading::blob(&*store, request, &id, from, turn)).await? {
            Ok((frames, total)) => {
                self.send_all(frames);
                let from = from + turn;
                if from < total {
                    self.later(Job::Blob { request, id, from });
                }
            }
            Err(refusal) => self.answer(request, refusal.body()),
        }
        Ok(())
    }

    /// Queues an answer of one frame.
    pub(super) fn answer(&mut self, request: u32, body: Body) {
        self.send_all(encode(request, body));
    }

    /// Queues frames.
    pub(super) fn send_all(&mut self, frames: impl IntoIterator<Item = Bytes>) {
        for frame in frames {
            self.line.queue(frame);
            self.own += 1;
        }
        self.waiting.set(self.own);
    }
}

/// Runs something that may wait for the disk.
pub(super) async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> T + Send + 'static,
) -> Result<T, End> {
    tokio::task::spawn_blocking(job)
        .await
        .map_err(|_| End::Close(code::INTERNAL))
}

//! The protocol over `POST /v1/f`: 1 to 64 frames in the body, the answers' frames in the answer's. Every `POST` stands
//! for itself: it needs no `Hello`, and what it subscribes to is read once.

use super::{Answer, body::AnswerBody, gather::gather};
use crate::{
    admission::Visitor,
    backlog::Waiting,
    bucket::Bucket,
    packet::{bare, encode},
    reading::{self, Content, Page, Reading, Room, head},
    refusal::Refusal,
    server::Core,
    session::{Messages, Session, Step},
    store::{Outcome, Write},
};
use bytes::{Bytes, BytesMut};
use hyper::{
    Request, Response,
    body::Incoming,
    header::{self, HeaderValue},
};
use std::{sync::Arc, time::Instant};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time,
};
use ume_wire::{
    auth::Hash,
    limits::{FRAME_BYTES, READ_FRAMES_MAX},
    relay::{Done, Frame, frame::Body},
};

/// Once an answer has so many frames, nothing more is read into it.
const ANSWER_FRAMES: usize = READ_FRAMES_MAX;
/// Frames of an answer that are handed over in one piece, at most.
const PIECE_FRAMES: usize = 8;

/// Answers one `POST`.
pub(super) async fn answer(
    core: Arc<Core>,
    visitor: Arc<Visitor>,
    request: Request<Incoming>,
    bucket: Arc<Mutex<Bucket>>,
) -> Answer {
    let mut frames = match gather(&core, &visitor, request.into_body()).await {
        Ok(frames) => frames,
        Err(refused) => return refused.answer(),
    };
    // The answer goes out while it is made, so that nobody makes the relay hold a long one.
    let (pieces, taken) = mpsc::channel(1);
    let mut exchange = Exchange {
        session: Session::post(core.clone(), visitor.clone()),
        core,
        pending: Vec::new(),
        out: Piece::default(),
        frames: 0,
        pieces,
    };
    tokio::spawn(async move {
        while let Some(frame) = frames.next() {
            pace(&bucket, &visitor).await;
            exchange.core.metrics.frames_in.inc();
            if exchange.open(&frame).await.is_none() {
                return;
            }
        }
        if exchange.drain().await.is_some() {
            exchange.hand_over().await;
        }
    });
    let mut answer = Response::new(AnswerBody::Pieces(taken));
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    answer
}

/// A part of an answer. Its frames wait until it is written, or nobody wants it.
#[derive(Default)]
struct Piece {
    bytes: BytesMut,
    waiting: Option<Waiting>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

async fn pace(bucket: &Mutex<Bucket>, visitor: &Visitor) {
    let mut bucket = bucket.lock().await;
    loop {
        let now = Instant::now();
        let wait = bucket.wait(now).max(visitor.wait(now));
        if wait.is_zero() {
            break;
        }
        time::sleep(wait).await;
    }
    bucket.take(1);
    visitor.take(1);
}

/// One `POST` on its way. Everything gives `None` once nobody takes the answer.
struct Exchange {
    core: Arc<Core>,
    session: Session,
    pending: Vec<(u32, oneshot::Receiver<Outcome>)>,
    /// Frames that were not handed over yet.
    out: Piece,
    /// Frames of the answer in all.
    frames: usize,
    pieces: mpsc::Sender<Bytes>,
}

impl Exchange {
    async fn open(&mut self, frame: &Bytes) -> Option<()> {
        match self.session.open(frame) {
            Messages::One(message) => self.take(message).await,
            // Nobody saves anything by it here, and its answers would be many times as long.
            Messages::Several(request, _) => {
                let refused = self.core.refuse(Refusal::UNKNOWN);
                self.put(encode(request, refused)).await
            }
            Messages::Refused(request, refused) => self.put(encode(request, refused)).await,
        }
    }

    async fn take(&mut self, message: Frame) -> Option<()> {
        let (request, step) = self.session.handle(message);
        match step {
            Step::Nothing => Some(()),
            // A `POST` has no pace, so nothing comes of the first of a `Pace` here.
            Step::Answer(body) | Step::Pace(_, body) => self.put(encode(request, body)).await,
            Step::Unsubscribe(_) => self.put(encode(request, Body::Done(Done::default()))).await,
            Step::Write(write) => {
                let alone = matches!(write, Write::LaneNew { .. } | Write::LaneDelete(_));
                let outcome = self.core.commit.submit(write).await;
                self.pending.push((request, outcome));
                if alone { self.drain().await } else { Some(()) }
            }
            Step::Read(reading) | Step::Subscribe(reading) => self.read(request, reading).await,
            Step::Blob(id) => self.blob(request, id).await,
        }
    }

    async fn read(&mut self, request: u32, mut reading: Reading) -> Option<()> {
        self.drain().await?;
        if reading.content == Content::Fleeting {
            let (end, life) = self.core.hub.fleeting_end(&reading.lane);
            reading.life = life;
            return self
                .put(head(request, &reading, &Page::fleeting(end)))
                .await;
        }
        if self.frames >= ANSWER_FRAMES {
            return self.put(encode(request, Refusal::LIMIT.body())).await;
        }
        let mut left = READ_FRAMES_MAX;
        loop {
            let room = Room {
                page: self.core.backlog.turn(),
                answer: left,
            };
            let store = self.core.store.clone();
            let page = move || reading::page(&*store, request, &reading, u64::MAX, room);
            let Ok(Ok(mut page)) = tokio::task::spawn_blocking(page).await else {
                return self.put(encode(request, Refusal::STORAGE.body())).await;
            };
            let frames = std::mem::take(&mut page.frames);
            left = left.saturating_sub(frames.len());
            let is_stuck = frames.is_empty() && page.place == reading.place;
            let is_between = page.place.part == 0;
            let is_over =
                page.is_full || is_between && (left == 0 || page.place.number >= page.end);
            self.put(frames).await?;
            reading.place = page.place;
            if is_over || is_stuck {
                return self.put(head(request, &reading, &page)).await;
            }
        }
    }

    async fn blob(&mut self, request: u32, id: Hash) -> Option<()> {
        self.drain().await?;
        let mut from = 0;
        if self.frames >= ANSWER_FRAMES {
            return self.put(encode(request, Refusal::LIMIT.body())).await;
        }
        loop {
            let (store, turn) = (self.core.store.clone(), self.core.backlog.turn());
            let part = move || reading::blob(&*store, request, &id, from, turn);
            let part = tokio::task::spawn_blocking(part).await;
            match part.unwrap_or(Err(Refusal::STORAGE)) {
                Ok((frames, total)) => {
                    self.put(frames).await?;
                    from += turn;
                    if from >= total {
                        return Some(());
                    }
                }
                Err(refusal) => return self.put(encode(request, refusal.body())).await,
            }
        }
    }

    async fn drain(&mut self) -> Option<()> {
        for (request, outcome) in std::mem::take(&mut self.pending) {
            let outcome = outcome.await.unwrap_or(Outcome::Refused(Refusal::STORAGE));
            self.put(encode(request, self.core.body(outcome))).await?;
        }
        Some(())
    }

    async fn put(&mut self, packets: impl IntoIterator<Item = Bytes>) -> Option<()> {
        for packet in packets {
            let backlog = &self.core.backlog;
            let turn = backlog.turn();
            let out = &mut self.out;
            if out.bytes.is_empty() {
                out.bytes.reserve(turn.min(PIECE_FRAMES) * FRAME_BYTES);
            }
            out.bytes.extend_from_slice(bare(&packet));
            let frames = out.bytes.len() / FRAME_BYTES;
            let waiting = out
                .waiting
                .get_or_insert_with(|| Waiting::new(backlog.clone()));
            waiting.set(frames);
            self.frames += 1;
            if frames >= turn.min(PIECE_FRAMES) {
                self.hand_over().await?;
            }
        }
        Some(())
    }

    async fn hand_over(&mut self) -> Option<()> {
        let piece = std::mem::take(&mut self.out);
        if piece.bytes.is_empty() {
            return Some(());
        }
        self.pieces.send(Bytes::from_owner(piece)).await.ok()
    }
}

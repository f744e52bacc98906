//! The protocol over `POST /v1/f`: 1 to 64 frames in the body, the answers' frames in the answer's. Every `POST` stands
//! for itself: it needs no `Hello`, and what it subscribes to is read once.

use super::{Answer, plain};
use crate::{
    bucket::Bucket,
    reading::{self, Reading, encode, head},
    refusal::Refusal,
    server::Core,
    session::{Session, Step},
    store::{Outcome, Write},
};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::{Body as _, Incoming},
    header::{self, HeaderValue},
};
use std::{sync::Arc, time::Instant};
use tokio::{
    sync::{Mutex, oneshot},
    time,
};
use ume_wire::{
    limits::{FRAGMENTS_MAX, FRAME_BYTES, POST_FRAMES_MAX, READ_FRAMES_MAX},
    relay::{Done, frame::Body},
};

/// Once an answer has so many frames, nothing more is read into it.
const ANSWER_FRAMES: usize = READ_FRAMES_MAX;
const BODY_BYTES_MAX: usize = POST_FRAMES_MAX * FRAME_BYTES;

/// Answers one `POST`.
pub(super) async fn answer(
    core: Arc<Core>,
    request: Request<Incoming>,
    bucket: Arc<Mutex<Bucket>>,
) -> Answer {
    if request.body().size_hint().lower() > BODY_BYTES_MAX as u64 {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "at most 64 frames\n");
    }
    let body = Limited::new(request.into_body(), BODY_BYTES_MAX).collect();
    let body = match time::timeout(core.limits.body_timeout, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return plain(StatusCode::PAYLOAD_TOO_LARGE, "at most 64 frames\n"),
        Err(_) => return plain(StatusCode::REQUEST_TIMEOUT, "the body takes too long\n"),
    };
    if body.is_empty() || !body.len().is_multiple_of(FRAME_BYTES) {
        return plain(
            StatusCode::BAD_REQUEST,
            "the body is not made of frames of 2048 bytes\n",
        );
    }
    let mut exchange = Exchange {
        session: Session::post(core.clone()),
        core,
        pending: Vec::new(),
        out: Vec::new(),
    };
    for start in (0..body.len()).step_by(FRAME_BYTES) {
        pace(&bucket).await;
        exchange.take(&body.slice(start..start + FRAME_BYTES)).await;
    }
    exchange.drain().await;
    let mut frames = BytesMut::with_capacity(exchange.out.len() * FRAME_BYTES);
    for frame in &exchange.out {
        frames.extend_from_slice(frame);
    }
    let mut answer = Response::new(Full::new(frames.freeze()));
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    answer
}

async fn pace(bucket: &Mutex<Bucket>) {
    let mut bucket = bucket.lock().await;
    loop {
        let wait = bucket.wait(Instant::now());
        if wait.is_zero() {
            break;
        }
        time::sleep(wait).await;
    }
    bucket.take();
}

struct Exchange {
    core: Arc<Core>,
    session: Session,
    pending: Vec<(u32, oneshot::Receiver<Outcome>)>,
    out: Vec<Bytes>,
}

impl Exchange {
    async fn take(&mut self, frame: &Bytes) {
        let (request, step) = self.session.handle(frame);
        match step {
            Step::Answer(body) => self.out.extend(encode(request, body)),
            Step::Unsubscribe(_) => self.out.extend(encode(request, Body::Done(Done {}))),
            Step::Write(write) => {
                let alone = matches!(write, Write::LaneNew(_) | Write::LaneDelete(_));
                let outcome = self.core.commit.submit(write).await;
                self.pending.push((request, outcome));
                if alone {
                    self.drain().await;
                }
            }
            Step::Read(reading) | Step::Subscribe(reading) => self.read(request, reading).await,
            Step::Blob(id) => {
                let core = self.core.clone();
                let job = move || reading::blob(&*core.store, request, &id, 0, FRAGMENTS_MAX);
                self.fetch(request, move || Ok(job()?.0)).await;
            }
        }
    }

    async fn read(&mut self, request: u32, reading: Reading) {
        let core = self.core.clone();
        let job = move || {
            let mut page = reading::stored_or_fleeting(&core, request, &reading, READ_FRAMES_MAX)?;
            page.frames
                .extend(head(request, &reading.lane, page.numbers));
            Ok(page.frames)
        };
        self.fetch(request, job).await;
    }

    async fn fetch(
        &mut self,
        request: u32,
        job: impl FnOnce() -> Result<Vec<Bytes>, Refusal> + Send + 'static,
    ) {
        self.drain().await;
        let frames = if self.out.len() >= ANSWER_FRAMES {
            Err(Refusal::LIMIT)
        } else {
            tokio::task::spawn_blocking(job)
                .await
                .unwrap_or(Err(Refusal::STORAGE))
        };
        match frames {
            Ok(frames) => self.out.extend(frames),
            Err(refusal) => self.out.extend(encode(request, refusal.body())),
        }
    }

    async fn drain(&mut self) {
        for (request, outcome) in std::mem::take(&mut self.pending) {
            let outcome = outcome.await.unwrap_or(Outcome::Refused(Refusal::STORAGE));
            self.out.extend(encode(request, self.core.body(outcome)));
        }
    }
}

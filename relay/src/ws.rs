//! The protocol over a WebSocket: one binary message of 2,048 bytes for each frame, no compression.
//!
//! One task does everything for a connection, so that what waits for it is bounded by what it takes: while the client
//! does not read, nothing is read from it either, and whoever takes nothing for too long is cut off.

mod subscription;

use crate::{
    bucket::Bucket,
    hub::Mailbox,
    reading::{self, Content, Reading, encode, head},
    refusal::Refusal,
    server::{Core, asked},
    session::{Session, Step},
    store::{Outcome, Write},
};
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream};
use std::{
    collections::{HashMap, VecDeque},
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};
use subscription::Subscription;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{oneshot, watch},
    time,
};
use tokio_websockets::{CloseCode, Error, Limits, Message, ServerBuilder, WebSocketStream};
use ume_wire::{
    auth::{Hash, LaneId},
    limits::{FRAME_BYTES, READ_FRAMES_MAX},
    relay::{Done, frame::Body},
};

/// Bytes that wait to be written before the connection is no longer read.
const OUTGOING_BYTES: usize = 64 * 1024;
/// Writes of one connection that wait for the committer.
const PENDING_MAX: usize = 1024;
/// Frames that are read from the store in one go.
const TURN_FRAMES: usize = 64;
/// Time for saying goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a connection ends.
#[derive(Debug)]
enum End {
    /// It is gone already.
    Gone,
    /// Close it with this code.
    Close(CloseCode),
    /// The client broke the rules of the WebSocket protocol, and what it is told about that is queued already.
    Faulty,
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        match error {
            Error::Protocol(_) | Error::PayloadTooLong { .. } => Self::Faulty,
            _ => Self::Gone,
        }
    }
}

enum Event {
    Stop,
    Outcome(Outcome),
    Mail,
    Incoming(Option<Result<Message, Error>>),
    Work,
    Timer,
}

struct Connection<S> {
    core: Arc<Core>,
    socket: WebSocketStream<S>,
    session: Session,
    bucket: Bucket,
    /// Requests that the committer has, in their order.
    pending: VecDeque<(u32, oneshot::Receiver<Outcome>)>,
    mailbox: Arc<Mailbox>,
    subscriptions: HashMap<LaneId, Subscription>,
    /// Subscriptions with something to deliver, one turn each.
    work: VecDeque<LaneId>,
    opened: Instant,
    heard: Instant,
    pinged: bool,
}

/// Serves a connection to its end.
pub(crate) async fn serve<S>(core: Arc<Core>, stream: S, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let socket = ServerBuilder::new()
        .limits(Limits::default().max_payload_len(Some(FRAME_BYTES)))
        .config(tokio_websockets::Config::default().flush_threshold(OUTGOING_BYTES))
        .serve(stream);
    let opened = Instant::now();
    let mut connection = Connection {
        session: Session::connection(core.clone()),
        bucket: Bucket::new(
            core.limits.frames_burst,
            core.limits.frames_per_second,
            opened,
        ),
        socket,
        pending: VecDeque::new(),
        mailbox: Arc::default(),
        subscriptions: HashMap::new(),
        work: VecDeque::new(),
        opened,
        heard: opened,
        pinged: false,
        core,
    };
    let end = connection.run(&mut stopped).await;
    connection.leave_all();
    let _ = match end {
        Ok(()) | Err(End::Gone) => return,
        Err(End::Close(reason)) => time::timeout(CLOSE_TIMEOUT, connection.close(reason)).await,
        Err(End::Faulty) => time::timeout(CLOSE_TIMEOUT, connection.socket.close()).await,
    };
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    async fn run(&mut self, stopped: &mut watch::Receiver<bool>) -> Result<(), End> {
        loop {
            match self.next(stopped).await {
                Event::Stop => {
                    // What was taken is answered first.
                    time::timeout(CLOSE_TIMEOUT, self.drain())
                        .await
                        .map_err(|_| End::Gone)??;
                    return Err(End::Close(CloseCode::SERVICE_RESTART));
                }
                Event::Outcome(outcome) => self.answer_pending(outcome).await?,
                Event::Mail => self.collect_mail().await?,
                Event::Incoming(None) => return Err(End::Gone),
                Event::Incoming(Some(message)) => self.take(message?).await?,
                Event::Work => self.deliver().await?,
                Event::Timer => self.look_at_clock().await?,
            }
        }
    }

    async fn next(&mut self, stopped: &mut watch::Receiver<bool>) -> Event {
        let wait = self.bucket.wait(Instant::now());
        let may_read = wait.is_zero() && self.pending.len() < PENDING_MAX;
        let deadline = self.deadline(wait);
        let Self {
            socket,
            pending,
            mailbox,
            work,
            ..
        } = self;
        tokio::select! {
            biased;
            () = asked(stopped) => Event::Stop,
            outcome = first_outcome(pending), if !pending.is_empty() => Event::Outcome(outcome),
            () = mailbox.arrived() => Event::Mail,
            message = poll_fn(|context| poll_socket(socket, may_read, context)) => Event::Incoming(message),
            () = std::future::ready(()), if !work.is_empty() => Event::Work,
            () = time::sleep_until(deadline.into()) => Event::Timer,
        }
    }

    fn deadline(&self, bucket_wait: Duration) -> Instant {
        let limits = &self.core.limits;
        let silence = if self.pinged {
            limits.dead_after
        } else {
            limits.ping_after
        };
        let mut deadline = self.heard + silence;
        if !self.session.is_greeted() {
            deadline = deadline.min(self.opened + limits.hello_timeout);
        }
        if !bucket_wait.is_zero() {
            deadline = deadline.min(Instant::now() + bucket_wait);
        }
        deadline
    }

    async fn look_at_clock(&mut self) -> Result<(), End> {
        let (now, limits) = (Instant::now(), &self.core.limits);
        if !self.session.is_greeted() && now >= self.opened + limits.hello_timeout {
            return Err(End::Close(CloseCode::POLICY_VIOLATION));
        }
        if now >= self.heard + limits.dead_after {
            return Err(End::Gone);
        }
        if !self.pinged && now >= self.heard + limits.ping_after {
            self.pinged = true;
            self.feed(Message::ping(Bytes::new())).await?;
        }
        Ok(())
    }

    async fn take(&mut self, message: Message) -> Result<(), End> {
        self.bucket.take();
        self.heard = Instant::now();
        self.pinged = false;
        if message.is_ping() || message.is_pong() || message.is_close() {
            return Ok(());
        }
        if !message.is_binary() {
            return Err(End::Close(CloseCode::UNSUPPORTED_DATA));
        }
        let frame = Bytes::from(message.into_payload());
        if frame.len() != FRAME_BYTES {
            return Err(End::Close(CloseCode::POLICY_VIOLATION));
        }
        let (request, step) = self.session.handle(&frame);
        match step {
            Step::Answer(body) => self.answer(request, body).await,
            Step::Write(write) => self.write(request, write).await,
            Step::Read(reading) => {
                self.drain().await?;
                self.read(request, reading).await
            }
            Step::Subscribe(reading) => {
                self.drain().await?;
                self.subscribe(request, reading).await
            }
            Step::Unsubscribe(lane) => {
                self.leave(&lane);
                self.answer(request, Body::Done(Done {})).await
            }
            Step::Blob(id) => {
                self.drain().await?;
                self.send_blob(request, id).await
            }
        }
    }

    async fn write(&mut self, request: u32, write: Write) -> Result<(), End> {
        // What follows may be about this lane: it has to find it as this request leaves it.
        let alone = matches!(write, Write::LaneNew(_) | Write::LaneDelete(_));
        let outcome = self.core.commit.submit(write).await;
        self.pending.push_back((request, outcome));
        if alone { self.drain().await } else { Ok(()) }
    }

    /// Waits until the committer has done everything that this connection asked for.
    async fn drain(&mut self) -> Result<(), End> {
        while !self.pending.is_empty() {
            let outcome = first_outcome(&mut self.pending).await;
            self.answer_pending(outcome).await?;
        }
        Ok(())
    }

    async fn answer_pending(&mut self, outcome: Outcome) -> Result<(), End> {
        let Some((request, _)) = self.pending.pop_front() else {
            return Ok(());
        };
        let body = self.core.body(outcome);
        self.answer(request, body).await
    }

    async fn read(&mut self, request: u32, mut reading: Reading) -> Result<(), End> {
        let mut left = READ_FRAMES_MAX;
        loop {
            // Cells come piece by piece, so that somebody who takes them slowly does not hold many of them.
            let max = if reading.content == Content::Cells {
                left.min(TURN_FRAMES)
            } else {
                left
            };
            let core = self.core.clone();
            let page = blocking(move || reading::stored_or_fleeting(&core, request, &reading, max))
                .await?;
            let Ok(page) = page else {
                return self.answer(request, Refusal::STORAGE.body()).await;
            };
            let count = page.frames.len();
            self.send_all(page.frames).await?;
            left = left.saturating_sub(count);
            if count < max || left == 0 || reading.content != Content::Cells {
                return self
                    .send_all(head(request, &reading.lane, page.numbers))
                    .await;
            }
            reading.from = page.numbers.next;
        }
    }

    async fn send_blob(&mut self, request: u32, id: Hash) -> Result<(), End> {
        let mut from = 0;
        loop {
            let store = self.core.store.clone();
            match blocking(move || reading::blob(&*store, request, &id, from, TURN_FRAMES)).await? {
                Ok((frames, total)) => {
                    self.send_all(frames).await?;
                    from += TURN_FRAMES;
                    if from >= total {
                        return Ok(());
                    }
                }
                Err(refusal) => return self.answer(request, refusal.body()).await,
            }
        }
    }

    async fn answer(&mut self, request: u32, body: Body) -> Result<(), End> {
        self.send_all(encode(request, body)).await
    }

    async fn send_all(&mut self, frames: impl IntoIterator<Item = Bytes>) -> Result<(), End> {
        for frame in frames {
            self.feed(Message::binary(frame)).await?;
        }
        Ok(())
    }

    async fn feed(&mut self, message: Message) -> Result<(), End> {
        let fed = time::timeout(self.core.limits.dead_after, self.socket.feed(message));
        fed.await.map_err(|_| End::Gone)?.map_err(End::from)
    }

    async fn close(&mut self, code: CloseCode) -> Result<(), Error> {
        self.socket.send(Message::close(Some(code), "")).await?;
        // The client's answer, so that it reads the code before it sees the connection end.
        while let Some(Ok(message)) =
            poll_fn(|context| Pin::new(&mut self.socket).poll_next(context)).await
        {
            if message.is_close() {
                break;
            }
        }
        self.socket.close().await
    }
}

/// Runs something that may wait for the disk.
async fn blocking<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> Result<T, End> {
    tokio::task::spawn_blocking(job)
        .await
        .map_err(|_| End::Close(CloseCode::INTERNAL_SERVER_ERROR))
}

/// The outcome of the request that waits for longest; stays where it is until it is there.
async fn first_outcome(pending: &mut VecDeque<(u32, oneshot::Receiver<Outcome>)>) -> Outcome {
    match pending.front_mut() {
        Some((_, outcome)) => outcome.await.unwrap_or(Outcome::Refused(Refusal::STORAGE)),
        None => std::future::pending().await,
    }
}

/// Writes what waits, and reads if that is wanted and not too much waits.
fn poll_socket<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    may_read: bool,
    context: &mut Context<'_>,
) -> Poll<Option<Result<Message, Error>>> {
    let mut socket = Pin::new(socket);
    if may_read {
        // Also keeps pongs from piling up for somebody who only sends.
        if let Err(error) = ready!(socket.as_mut().poll_ready(context)) {
            return Poll::Ready(Some(Err(error)));
        }
        return socket.poll_next(context);
    }
    match ready!(socket.poll_flush(context)) {
        Ok(()) => Poll::Pending,
        Err(error) => Poll::Ready(Some(Err(error))),
    }
}

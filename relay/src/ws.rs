//! The protocol over a WebSocket: one binary message of 2,048 bytes for each frame, no compression.
//!
//! One task does everything for a connection. It answers, and delivers what is new, only while little waits to be
//! written, and reads only when it has answered: so what a client makes the relay hold is bounded by what it takes, and
//! whoever takes nothing for too long is cut off.
//!
//! Where a client asked for a pace, a sender of its own writes (`ws/sender.rs`), and what is answered waits for its ticks.
//! Then the task goes on reading while answers wait: whether a client's frames are taken must not show what waits for it.

mod answers;
mod line;
mod outbox;
mod sender;
mod subscription;
#[cfg_attr(not(feature = "trace"), path = "ws/untraced.rs")]
mod trace;

pub(crate) use sender::Senders;

use crate::{
    admission::Visitor,
    backlog::Waiting,
    bucket::Bucket,
    config::Config,
    http::Upgraded,
    hub::{Ear, Mailbox},
    patience::Pace,
    refusal::Refusal,
    server::{Core, asked, retry_millis},
    session::{Messages, Session, Step},
    store::{Outcome, Write},
};
use answers::Job;
use line::Line;
use std::{
    collections::{HashMap, VecDeque},
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};
use subscription::Subscription;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{oneshot, watch},
    time::{self, Sleep},
};
use ume_websocket::{Event, Limits, Socket, SocketError, code, encode};
use ume_wire::{
    auth::LaneId,
    limits::FRAME_BYTES,
    relay::{Frame, frame::Body},
};

/// Frames that wait to be written, of those that many share.
const SHARED_FRAMES: usize = 64;
/// Writes of one connection that wait for the committer.
const PENDING_MAX: usize = 256;
/// Answers of many frames that go on at once where there is a pace.
const LONG_MAX: usize = 16;
/// Requests that wait there, and frames of answers, before nothing more is read. Only who floods comes to it.
const HELD_MAX: usize = 64;
/// Frames that a refused capability counts for: looking at a signature costs much more than making one up.
const DENIED_FRAMES: u32 = 8;
/// Pings and the like that a connection may send in one go, and a second.
const CONTROLS: (u32, u32) = (64, 4);
/// Time for what was taken to be answered when the relay stops.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a connection ends.
#[derive(Debug)]
enum End {
    /// It is gone already.
    Gone,
    /// The relay stops.
    Stop,
    /// The client closes it, with this code.
    Closed(Option<u16>),
    /// Close it with this code.
    Close(u16),
}

impl From<SocketError> for End {
    fn from(error: SocketError) -> Self {
        match error {
            SocketError::Violation(violation) => Self::Close(violation.code()),
            _ => Self::Gone,
        }
    }
}

struct Connection<S> {
    core: Arc<Core>,
    /// As it was when the connection began.
    config: Arc<Config>,
    line: Line<S>,
    session: Session,
    visitor: Arc<Visitor>,
    bucket: Bucket,
    controls: Bucket,
    /// What came and was not looked at: no more than one read gives.
    events: VecDeque<Event>,
    /// Messages that wait for their turn: those of a `Several`, and where there is a pace all.
    messages: VecDeque<Frame>,
    /// What goes on before anything else is looked at.
    job: Option<Job>,
    /// What goes on beside everything else, where there is a pace.
    long: VecDeque<Job>,
    /// Requests that the committer has, in their order.
    pending: VecDeque<(u32, oneshot::Receiver<Outcome>)>,
    mailbox: Arc<Mailbox>,
    subscriptions: HashMap<LaneId, Subscription>,
    /// Subscriptions with something to deliver, one turn each.
    work: VecDeque<LaneId>,
    opened: Instant,
    heard: Instant,
    pinged: bool,
    /// Frames made for this connection alone that wait to be written.
    own: usize,
    waiting: Waiting,
    pace: Pace,
    timer: Pin<Box<Sleep>>,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Serves a connection to its end.
pub(crate) async fn serve<S>(
    core: Arc<Core>,
    upgraded: Upgraded<S>,
    mut stopped: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = Limits {
        message_bytes: FRAME_BYTES,
    };
    let Upgraded {
        stream,
        early,
        visitor,
    } = upgraded;
    let socket = Socket::new(stream, early, limits);
    let Some(session) = Session::connection(core.clone(), visitor.clone()) else {
        return socket.close(Some(code::INTERNAL), "").await;
    };
    let now = Instant::now();
    let config = core.config.get();
    let limits = &config.limits;
    let mut connection = Connection {
        session,
        visitor,
        bucket: Bucket::new(limits.frames_burst, limits.frames_per_second, now),
        controls: Bucket::new(CONTROLS.0, CONTROLS.1, now),
        line: Line::Direct(socket),
        events: VecDeque::new(),
        messages: VecDeque::new(),
        job: None,
        long: VecDeque::new(),
        pending: VecDeque::new(),
        mailbox: Arc::default(),
        subscriptions: HashMap::new(),
        work: VecDeque::new(),
        opened: now,
        heard: now,
        pinged: false,
        own: 0,
        waiting: Waiting::new(core.backlog.clone()),
        pace: Pace::new(limits.demand()),
        timer: Box::pin(time::sleep(limits.hello_timeout.min(limits.ping_after))),
        stop: Box::pin(async move { asked(&mut stopped).await }),
        config,
        core,
    };
    let end = connection.run().await;
    connection.leave_all();
    if matches!(end, End::Gone) {
        return;
    }
    let Some(socket) = connection.line.end().await else {
        return;
    };
    match end {
        End::Gone => {}
        End::Stop => {
            let retry = format!("retry={}", retry_millis());
            socket.close(Some(code::RESTART), &retry).await;
        }
        End::Closed(answer) => socket.answer_close(answer).await,
        End::Close(reason) => socket.close(Some(reason), "").await,
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Connection<S> {
    async fn run(&mut self) -> End {
        loop {
            if let Err(end) = self.advance().await {
                return end;
            }
            match poll_fn(|context| self.poll_next(context)).await {
                Ok(()) => {}
                // How much was still to be answered must not show; it is asked again.
                Err(End::Stop) if self.line.is_paced() => return End::Stop,
                Err(End::Stop) => {
                    // What was taken is answered first.
                    let settled = poll_fn(|context| self.poll_settled(context));
                    let _ = time::timeout(SETTLE_TIMEOUT, settled).await;
                    return End::Stop;
                }
                Err(end) => return end,
            }
        }
    }

    /// Does all that can be done without waiting for the client.
    async fn advance(&mut self) -> Result<(), End> {
        loop {
            if self.line.is_paced() {
                self.sort()?;
            }
            if !self.has_task() {
                return Ok(());
            }
            if let Some(job) = self.job.take() {
                self.go_on(job).await?;
            } else if let Some(message) = self.next_message() {
                self.request(message).await?;
            } else if let Some(event) = self.next_event() {
                self.take(event).await?;
            } else {
                self.deliver().await?;
                if self.has_page_room()
                    && let Some(job) = self.long.pop_front()
                {
                    self.go_on(job).await?;
                }
            }
        }
    }

    /// Whether there is something to do that need not wait.
    fn has_task(&self) -> bool {
        if !self.has_room() {
            return false;
        }
        if self.job.is_some() {
            return self.pending.is_empty();
        }
        let has_request = !self.messages.is_empty() && self.takes_requests();
        let has_event = self.messages.is_empty() && !self.events.is_empty();
        let has_more = !self.work.is_empty() || !self.long.is_empty();
        has_request || has_event || has_more && self.has_page_room()
    }

    fn takes_requests(&self) -> bool {
        self.pending.len() < PENDING_MAX && self.long.len() < LONG_MAX
    }

    fn next_message(&mut self) -> Option<Frame> {
        if !self.takes_requests() {
            return None;
        }
        let message = self.messages.pop_front();
        if self.messages.is_empty() {
            self.messages = VecDeque::new();
        }
        message
    }

    /// The messages of a frame come before those of the next one.
    fn next_event(&mut self) -> Option<Event> {
        if self.messages.is_empty() {
            self.events.pop_front()
        } else {
            None
        }
    }

    /// Writes and reads; ready when [`Self::advance`] has something to do.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        let now = Instant::now();
        self.poll_write(context, now)?;
        if self.stop.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(End::Stop));
        }
        let mut is_ready = false;
        if let Poll::Ready(ears) = self.mailbox.poll_mail(context) {
            self.hear(&ears);
            is_ready = true;
        }
        if self.has_room() {
            is_ready |= self.poll_outcomes(context);
        }
        if self.has_room() || self.line.is_paced() {
            is_ready |= self.poll_read(context, now)?;
        }
        is_ready |= self.has_task();
        if is_ready {
            return Poll::Ready(Ok(()));
        }
        self.poll_clock(context, now)
    }

    /// How long not to read: what this connection may send, and all of its prefix together.
    fn wait(&mut self, now: Instant) -> Duration {
        self.bucket.wait(now).max(self.visitor.wait(now))
    }

    fn has_room(&self) -> bool {
        self.line.queued_frames() < self.waiting.turn()
    }

    /// Whether there is room for more of what can go on for long.
    fn has_page_room(&self) -> bool {
        self.line.queued_frames() < self.line.turn(self.waiting.turn())
    }

    fn poll_write(&mut self, context: &mut Context<'_>, now: Instant) -> Result<(), End> {
        let before = self.line.written();
        let flushed = self.line.poll_flush(context);
        let written = self.line.written() - before;
        self.core.metrics.bytes_out.inc_by(written);
        self.own = self.own.min(self.line.queued_frames());
        self.waiting.set(self.own);
        if let Poll::Ready(Err(_)) = flushed {
            return Err(End::Gone);
        }
        if written > 0 && self.pace.deadline().is_some() {
            // The system takes more only when the client has taken some: a sign of life.
            self.heard = now;
        }
        if (flushed.is_ready() || written > 0) && !self.pace.took(written, now) {
            return Err(End::Gone);
        }
        if flushed.is_pending() {
            self.pace.waits(now);
        }
        Ok(())
    }

    fn poll_read(&mut self, context: &mut Context<'_>, now: Instant) -> Result<bool, End> {
        let may_read = if self.line.is_paced() {
            self.messages.len() < HELD_MAX && self.line.queued_frames() < HELD_MAX
        } else {
            let is_free = self.job.is_none() && self.events.is_empty() && self.messages.is_empty();
            is_free && self.pending.len() < PENDING_MAX
        };
        if !may_read || !self.wait(now).is_zero() {
            return Ok(false);
        }
        match self.line.poll_events(context, &mut self.events) {
            Poll::Ready(read) => read?,
            Poll::Pending => return Ok(false),
        }
        self.heard = now;
        self.pinged = false;
        Ok(true)
    }

    /// Answers what the committer has done; tells whether there was anything.
    fn poll_outcomes(&mut self, context: &mut Context<'_>) -> bool {
        let before = self.pending.len();
        while self.has_room()
            && let Some((request, outcome)) = self.pending.front_mut()
            && let Poll::Ready(outcome) = Pin::new(outcome).poll(context)
        {
            let request = *request;
            self.pending.pop_front();
            let outcome = outcome.unwrap_or(Outcome::Refused(Refusal::STORAGE));
            let body = self.core.body(outcome);
            self.answer(request, body);
        }
        self.pending.len() < before
    }

    fn poll_settled(&mut self, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        loop {
            self.poll_write(context, Instant::now())?;
            if !self.poll_outcomes(context) {
                break;
            }
        }
        if self.pending.is_empty() {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }

    fn poll_clock(&mut self, context: &mut Context<'_>, now: Instant) -> Poll<Result<(), End>> {
        let wait = self.wait(now);
        let token = (!wait.is_zero()).then(|| now + wait);
        let soonest = token.into_iter().chain(self.pace.deadline()).min();
        if let Some(soonest) = soonest
            && self.timer.deadline() > soonest.into()
        {
            self.timer.as_mut().reset(soonest.into());
        }
        while self.timer.as_mut().poll(context).is_ready() {
            let next = self.look_at_clock()?;
            self.timer.as_mut().reset(next.into());
            if !wait.is_zero() || self.line.queued_frames() > 0 {
                // There may be a token now; and what was queued wants to be written.
                return Poll::Ready(Ok(()));
            }
        }
        Poll::Pending
    }

    /// Does what is due; gives when to look again.
    fn look_at_clock(&mut self) -> Result<Instant, End> {
        let (now, limits) = (Instant::now(), &self.config.limits);
        let mut next = now + limits.ping_after;
        if !self.session.is_greeted() {
            let deadline = self.opened + limits.hello_timeout;
            if now >= deadline {
                return Err(End::Close(code::POLICY));
            }
            next = next.min(deadline);
        }
        let dead = self.heard + limits.dead_after;
        if now >= dead {
            return Err(End::Gone);
        }
        if let Some(deadline) = self.pace.deadline() {
            if now >= deadline {
                return Err(End::Gone);
            }
            next = next.min(deadline);
        }
        // Who keeps a pace is heard of without being asked.
        let is_asked = self.pinged || self.line.is_paced();
        if !is_asked && now >= self.heard + limits.ping_after {
            self.pinged = true;
            self.line.queue_control(encode::ping());
            self.line.rest();
        }
        let ping = self.heard + limits.ping_after;
        let is_asked = self.pinged || self.line.is_paced();
        next = next.min(if is_asked { dead } else { ping });
        Ok(next)
    }

    /// Looks at an event; gives the messages that it brings.
    fn open(&mut self, event: Event) -> Result<Option<Messages>, End> {
        match event {
            Event::Binary(frame) if frame.len() == FRAME_BYTES => {
                self.core.metrics.frames_in.inc();
                let messages = self.session.open(&frame);
                // What shares a frame takes as much work as what comes alone.
                let count = match &messages {
                    Messages::Several(_, messages) => {
                        u32::try_from(messages.len()).unwrap_or(u32::MAX)
                    }
                    Messages::One(_) | Messages::Refused(..) => 1,
                };
                self.bucket.take(count);
                self.visitor.take(count);
                Ok(Some(messages))
            }
            Event::Binary(_) => Err(End::Close(code::POLICY)),
            Event::Text(_) => Err(End::Close(code::UNSUPPORTED)),
            Event::Close(reason) => Err(End::Closed(reason.map(|reason| reason.code))),
            Event::Ping(_) | Event::Pong(_) => {
                // Nobody needs many; who sends a flood of them is not slowed down but sent away.
                if !self.controls.wait(Instant::now()).is_zero() {
                    return Err(End::Close(code::POLICY));
                }
                self.controls.take(1);
                if let Event::Ping(payload) = event {
                    self.line.queue_control(encode::pong(&payload));
                }
                Ok(None)
            }
        }
    }

    async fn take(&mut self, event: Event) -> Result<(), End> {
        match self.open(event)? {
            Some(Messages::One(message)) => self.request(message).await,
            Some(Messages::Several(_, messages)) => {
                self.messages.extend(messages);
                Ok(())
            }
            Some(Messages::Refused(request, refused)) => {
                self.answer(request, refused);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Where there is a pace, looks at all that came: a change of it begins at once, whatever waits, and the rest takes its
    /// place.
    fn sort(&mut self) -> Result<(), End> {
        while let Some(event) = self.events.pop_front() {
            let messages = match self.open(event)? {
                Some(Messages::One(message)) => vec![message],
                Some(Messages::Several(_, messages)) => messages,
                Some(Messages::Refused(request, refused)) => {
                    self.answer(request, refused);
                    continue;
                }
                None => continue,
            };
            for message in messages {
                match message.body {
                    Some(Body::Pad(_)) => {}
                    Some(Body::Pace(_)) => {
                        let (request, step) = self.session.handle(message);
                        match step {
                            Step::Pace(pace, answer) => self.keep(pace, request, answer)?,
                            Step::Answer(answer) => self.answer(request, answer),
                            _ => {}
                        }
                    }
                    _ => self.messages.push_back(message),
                }
            }
        }
        Ok(())
    }

    fn keep(&mut self, pace: ume_wire::pace::Pace, request: u32, answer: Body) -> Result<(), End> {
        let (core, demand) = (&self.core, self.config.limits.demand());
        self.line
            .keep(pace, demand, &core.senders, &core.metrics)
            .ok_or(End::Gone)?;
        self.answer(request, answer);
        Ok(())
    }

    async fn request(&mut self, message: Frame) -> Result<(), End> {
        let (request, step) = self.session.handle(message);
        match step {
            Step::Nothing => {}
            Step::Pace(pace, answer) => self.keep(pace, request, answer)?,
            Step::Answer(body) => {
                if matches!(&body, Body::Refused(refused) if refused.code == Refusal::DENIED.code as i32)
                {
                    self.bucket.take(DENIED_FRAMES);
                    self.visitor.take(DENIED_FRAMES);
                }
                self.answer(request, body);
            }
            Step::Write(write) => {
                // What follows may be about this lane: it has to find it as this request leaves it.
                if matches!(write, Write::LaneNew { .. } | Write::LaneDelete(_)) {
                    self.job = Some(Job::Settle);
                }
                let outcome = self.core.commit.submit(write).await;
                self.pending.push_back((request, outcome));
            }
            Step::Read(reading) => self.job = Some(Job::read(request, reading)),
            Step::Subscribe(reading) => self.job = Some(Job::Subscribe { request, reading }),
            Step::Unsubscribe(lane) => {
                self.leave(&lane);
                self.answer(request, Body::Done(ume_wire::relay::Done::default()));
            }
            Step::Blob(id) => {
                let from = 0;
                self.job = Some(Job::Blob { request, id, from });
            }
        }
        Ok(())
    }

    fn hear(&mut self, ears: &[Arc<Ear>]) {
        for ear in ears {
            if let Some(news) = ear.take()
                && let Some(subscription) = self.subscriptions.get_mut(ear.lane())
                && subscription.hear(news)
            {
                self.work.push_back(*ear.lane());
            }
        }
    }
}

//! A codec over a stream.

use crate::{Decoder, Event, Limits, Violation, encode};
use bytes::{Buf, Bytes};
use std::{
    cell::RefCell,
    collections::VecDeque,
    future::poll_fn,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::timeout,
};

/// What is read in one go.
const SCRATCH_BYTES: usize = 32 * 1024;
/// Frames that are written in one go.
const SLICES_MAX: usize = 64;
/// Room for queued frames that an idle socket keeps.
const QUEUE_IDLE: usize = 8;
/// Time for saying goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH_BYTES].into());
}

/// Why nothing more comes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SocketError {
    /// The stream fails.
    #[error(transparent)]
    Stream(#[from] io::Error),
    /// The stream ended, without a close.
    #[error("the stream ended")]
    End,
    /// The client broke the rules.
    #[error(transparent)]
    Violation(#[from] Violation),
}

/// The server's end of a WebSocket.
#[derive(Debug)]
pub struct Socket<S> {
    stream: S,
    /// What came together with the handshake.
    early: Bytes,
    decoder: Decoder,
    queue: VecDeque<Bytes>,
    queued_bytes: usize,
    /// The stream may hold back what it took.
    is_held: bool,
    written: u64,
}

impl<S> Socket<S> {
    /// Over a stream after its handshake; `early` is what was read of it beyond the handshake.
    pub fn new(stream: S, early: Bytes, limits: Limits) -> Self {
        Self {
            stream,
            // What is empty may still hold the whole buffer that the handshake was read into.
            early: if early.is_empty() {
                Bytes::new()
            } else {
                early
            },
            decoder: Decoder::new(limits),
            queue: VecDeque::new(),
            queued_bytes: 0,
            is_held: false,
            written: 0,
        }
    }

    /// The same socket over another stream that goes on where this one is, as a half of it does, or the whole again.
    pub fn over<T>(self, change: impl FnOnce(S) -> T) -> Socket<T> {
        Socket {
            stream: change(self.stream),
            early: self.early,
            decoder: self.decoder,
            queue: self.queue,
            queued_bytes: self.queued_bytes,
            is_held: self.is_held,
            written: self.written,
        }
    }

    /// Takes what waits to be written, for somebody else who writes it. The first frame may have been written in part.
    pub fn take_queued(&mut self) -> VecDeque<Bytes> {
        self.queued_bytes = 0;
        std::mem::take(&mut self.queue)
    }

    /// Queues an encoded frame.
    pub fn queue(&mut self, frame: Bytes) {
        self.queued_bytes += frame.len();
        self.queue.push_back(frame);
    }

    /// Frames that wait to be written.
    pub fn queued_frames(&self) -> usize {
        self.queue.len()
    }

    /// Bytes that wait to be written.
    pub fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// Bytes that the stream has taken in all.
    pub fn written(&self) -> u64 {
        self.written
    }

    fn take_off(&mut self, mut taken: usize) {
        self.queued_bytes = self.queued_bytes.saturating_sub(taken);
        self.written += taken as u64;
        while let Some(front) = self.queue.front_mut() {
            if taken < front.len() {
                front.advance(taken);
                return;
            }
            taken -= front.len();
            self.queue.pop_front();
        }
    }

    /// Gives back memory that was needed under load only.
    pub fn rest(&mut self) {
        if self.queue.is_empty() && self.queue.capacity() > QUEUE_IDLE {
            self.queue = VecDeque::new();
        }
    }
}

impl<S: AsyncRead + Unpin> Socket<S> {
    /// Reads once, and puts what that completes behind `events`. Pings and closes have to be answered by the caller.
    ///
    /// # Errors
    /// [`SocketError`], once all events that came before it were given.
    pub fn poll_events(
        &mut self,
        context: &mut Context<'_>,
        events: &mut VecDeque<Event>,
    ) -> Poll<Result<(), SocketError>> {
        if let Some(violation) = self.decoder.failed() {
            return Poll::Ready(Err(violation.into()));
        }
        let before = events.len();
        let decoder = &mut self.decoder;
        let mut decode = |input: &[u8]| decode_all(decoder, input, events);
        let taken = if self.early.is_empty() {
            ready!(poll_read(&mut self.stream, context, decode))?
        } else {
            decode(&std::mem::take(&mut self.early))
        };
        match taken {
            Err(violation) if events.len() == before => Poll::Ready(Err(violation.into())),
            _ => Poll::Ready(Ok(())),
        }
    }
}

impl<S: AsyncWrite + Unpin> Socket<S> {
    /// Writes what is queued; ready once nothing is.
    ///
    /// # Errors
    /// What the stream says.
    pub fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.queue.is_empty() {
            let mut slices = [IoSlice::new(&[]); SLICES_MAX];
            let mut count = 0;
            for (slice, frame) in slices.iter_mut().zip(&self.queue) {
                *slice = IoSlice::new(frame);
                count += 1;
            }
            let stream = Pin::new(&mut self.stream);
            let taken = ready!(stream.poll_write_vectored(context, &slices[..count]))?;
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.take_off(taken);
            self.is_held = true;
        }
        // A stream that encrypts may hold back what it took.
        if self.is_held {
            ready!(Pin::new(&mut self.stream).poll_flush(context))?;
            self.is_held = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// Says why it ends, waits a little for the client's answer, so that it reads the reason before it sees the end, and
    /// closes. What was queued is written first.
    pub async fn close(mut self, code: Option<u16>, reason: &str) {
        self.queue(encode::close(code, reason));
        // Neither a client that takes nothing nor one that goes on talking holds it for long.
        let _ = timeout(CLOSE_TIMEOUT, self.say_goodbye()).await;
    }

    /// Answers a client's close, and closes.
    pub async fn answer_close(mut self, code: Option<u16>) {
        self.queue(encode::close(code, ""));
        let _ = timeout(CLOSE_TIMEOUT, async {
            poll_fn(|context| self.poll_flush(context)).await?;
            poll_fn(|context| Pin::new(&mut self.stream).poll_shutdown(context)).await
        })
        .await;
    }

    async fn say_goodbye(&mut self) -> Result<(), SocketError> {
        poll_fn(|context| self.poll_flush(context)).await?;
        poll_fn(|context| Pin::new(&mut self.stream).poll_shutdown(context)).await?;
        // What is not taken makes the end a reset, which may overtake the reason.
        let mut events = VecDeque::new();
        loop {
            let read = if self.decoder.failed().is_some() {
                poll_fn(|context| poll_read(&mut self.stream, context, |_| ())).await
            } else {
                poll_fn(|context| self.poll_events(context, &mut events)).await
            };
            match read {
                Ok(()) | Err(SocketError::Violation(_)) => {}
                Err(error) => return Err(error),
            }
            if (events.drain(..)).any(|event| matches!(event, Event::Close(_))) {
                return Ok(());
            }
        }
    }
}

/// Reads once, into a buffer that all sockets of the thread share: nobody holds one while waiting.
fn poll_read<S: AsyncRead + Unpin, T>(
    stream: &mut S,
    context: &mut Context<'_>,
    take: impl FnOnce(&[u8]) -> T,
) -> Poll<Result<T, SocketError>> {
    SCRATCH.with_borrow_mut(|scratch| {
        let mut buffer = ReadBuf::new(scratch);
        ready!(Pin::new(stream).poll_read(context, &mut buffer))?;
        if buffer.filled().is_empty() {
            return Poll::Ready(Err(SocketError::End));
        }
        Poll::Ready(Ok(take(buffer.filled())))
    })
}

fn decode_all(
    decoder: &mut Decoder,
    mut input: &[u8],
    events: &mut VecDeque<Event>,
) -> Result<(), Violation> {
    while let Some(event) = decoder.decode(&mut input)? {
        events.push_back(event);
    }
    Ok(())
}

//! Whoever takes nothing of what waits for them, or next to nothing, is cut off.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{self, Sleep, sleep_until},
};

/// The rate is looked at whenever somebody was waited for so long in all. Whoever is slow for a moment only is not cut off.
const WINDOW: Duration = Duration::from_secs(30);

/// What is asked of those who take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Demand {
    /// Time in which they take at least something.
    pub(crate) within: Duration,
    /// Bytes a second that they take on average while they are waited for.
    pub(crate) rate: u64,
}

/// How somebody takes what waits for them.
#[derive(Debug)]
pub(crate) struct Pace {
    demand: Demand,
    /// Since when they have taken nothing although something waits.
    since: Option<Instant>,
    /// For how long they were waited for, and what they took, since the rate was looked at.
    waited: Duration,
    taken: u64,
}

impl Pace {
    pub(crate) fn new(demand: Demand) -> Self {
        Self {
            demand,
            since: None,
            waited: Duration::ZERO,
            taken: 0,
        }
    }

    /// They took so many bytes, perhaps the last ones; tells whether that is fast enough.
    pub(crate) fn took(&mut self, bytes: u64, now: Instant) -> bool {
        self.taken = self.taken.saturating_add(bytes);
        if let Some(since) = self.since.take() {
            self.waited += now.saturating_duration_since(since);
        }
        if self.waited < WINDOW {
            return true;
        }
        let asked = self.demand.rate.saturating_mul(self.waited.as_secs());
        let is_enough = self.taken >= asked;
        (self.waited, self.taken) = (Duration::ZERO, 0);
        is_enough
    }

    /// Something waits for them.
    pub(crate) fn waits(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// When they have to have taken something; none if nothing waits.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.since.map(|since| since + self.demand.within)
    }
}

/// A stream that ends with an error for a peer that does not take what is asked.
pub(crate) struct Patience<S> {
    stream: S,
    pace: Pace,
    /// Runs while a write waits.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<S> Patience<S> {
    pub(crate) fn new(stream: S, demand: Demand) -> Self {
        Self {
            stream,
            pace: Pace::new(demand),
            timer: None,
        }
    }

    /// The stream, for a protocol that looks after its peers itself.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    /// Passes a result on if there is one; if there was none for too long, that is an error.
    fn bounded<T>(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<T>>,
        bytes: impl FnOnce(&T) -> usize,
    ) -> Poll<io::Result<T>> {
        // The clock of the runtime: it can be made to run faster in tests.
        let now = time::Instant::now().into_std();
        if let Poll::Ready(result) = result {
            self.timer = None;
            let taken = result.as_ref().map_or(0, bytes);
            if !self.pace.took(taken as u64, now) {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            return Poll::Ready(result);
        }
        self.pace.waits(now);
        let deadline = self.pace.deadline().unwrap_or(now);
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(deadline.into())));
        ready!(timer.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patience<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patience<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.bounded(context, result, |taken| *taken)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.bounded(context, result, |taken| *taken)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(context);
        self.bounded(context, result, |()| 0)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(context);
        self.bounded(context, result, |()| 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        time::sleep,
    };

    const DEMAND: Demand = Demand {
        within: Duration::from_secs(10),
        rate: 1,
    };

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_given_up() {
        let (near, _far) = tokio::io::duplex(10);
        let mut stream = Patience::new(near, DEMAND);
        let error = stream.write_all(&[0; 11]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    /// Takes some bytes every so often; whether that was enough.
    async fn takes(bytes: usize, every: Duration) -> bool {
        let (near, mut far) = tokio::io::duplex(10);
        let mut stream = Patience::new(near, DEMAND);
        let writing = tokio::spawn(async move {
            stream.write_all(&[7; 100]).await?;
            stream.write_all(&[7; 100]).await
        });
        let mut got = 0;
        while got < 200 {
            sleep(every).await;
            let mut some = vec![0; bytes];
            match far.read(&mut some).await.unwrap() {
                0 => break,
                count => got += count,
            }
        }
        writing.await.unwrap().is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_peer_gets_everything() {
        assert!(takes(10, Duration::from_secs(9)).await);
        assert!(takes(2, Duration::from_millis(1500)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_drop_by_drop_is_given_up() {
        assert!(!takes(1, Duration::from_secs(9)).await);
        assert!(!takes(1, Duration::from_secs(2)).await);
    }

    #[test]
    fn nothing_is_asked_of_who_is_not_waited_for() {
        let (mut pace, start) = (Pace::new(DEMAND), Instant::now());
        assert!(pace.took(1, start));
        assert_eq!(pace.deadline(), None);
        assert!(pace.took(1, start + WINDOW * 10));
        pace.waits(start + WINDOW * 10);
        assert_eq!(pace.deadline(), Some(start + WINDOW * 10 + DEMAND.within));
    }
}

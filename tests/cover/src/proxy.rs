//! A proxy between clients and a relay that hands on at once what comes, and writes down when and what passed.

use crate::fault::{Fault, Result};
use crate::trace::{Direction, Frame};
use crate::wire::{Reader, Seen};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Records of TLS of this type carry data, and all that is said after the handshake.
const DATA: u8 = 23;

/// A clock that never goes back, in microseconds since 1970: so that what others log can be compared.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    began: Instant,
    epoch: u64,
}

impl Clock {
    /// Begins now.
    pub(crate) fn new() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            began: Instant::now(),
            epoch: since.as_micros() as u64,
        }
    }

    /// Microseconds since 1970.
    pub(crate) fn now(self) -> u64 {
        self.at(Instant::now())
    }

    /// The same of another moment, which is not before the clock began.
    pub(crate) fn at(self, moment: Instant) -> u64 {
        self.epoch + moment.saturating_duration_since(self.began).as_micros() as u64
    }
}

/// What passed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Capture {
    /// Messages, each direction of each connection in its order.
    pub(crate) frames: Vec<Frame>,
    /// Records of TLS that carry something, in the same order. What they carry is not known.
    pub(crate) records: Vec<Frame>,
    /// Pings, pongs and closes.
    pub(crate) controls: u64,
    /// Connections, including those that were no WebSocket.
    pub(crate) connections: u64,
    /// What could not be read: nothing is proven then.
    pub(crate) faults: Vec<String>,
}

/// A running proxy.
pub(crate) struct Proxy {
    address: SocketAddr,
    capture: Arc<Mutex<Capture>>,
}

impl Proxy {
    /// Listens, and connects each connection to `relay`.
    ///
    /// # Errors
    /// When it cannot listen.
    pub(crate) async fn start(listen: SocketAddr, relay: SocketAddr, clock: Clock) -> Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let capture = Arc::new(Mutex::new(Capture::default()));
        let shared = capture.clone();
        tokio::spawn(async move {
            let mut client = 0;
            while let Ok((stream, _)) = listener.accept().await {
                let capture = shared.clone();
                lock(&capture).connections += 1;
                tokio::spawn(async move {
                    if let Err(fault) = connect(stream, relay, client, clock, &capture).await {
                        lock(&capture).faults.push(fault.to_string());
                    }
                });
                client += 1;
            }
        });
        Ok(Self { address, capture })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections there were until now.
    pub(crate) fn connections(&self) -> u64 {
        lock(&self.capture).connections
    }

    /// What passed until now.
    pub(crate) fn capture(&self) -> Capture {
        lock(&self.capture).clone()
    }
}

fn lock(capture: &Mutex<Capture>) -> std::sync::MutexGuard<'_, Capture> {
    capture.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn connect(
    client: TcpStream,
    relay: SocketAddr,
    number: u32,
    clock: Clock,
    capture: &Arc<Mutex<Capture>>,
) -> Result {
    let relay = TcpStream::connect(relay).await?;
    client.set_nodelay(true)?;
    relay.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_relay, to_relay) = relay.into_split();
    let way = |direction| Way {
        client: number,
        direction,
        clock,
        capture: capture.clone(),
    };
    let up = tokio::spawn(way(Direction::Up).carry(from_client, to_relay));
    let down = tokio::spawn(way(Direction::Down).carry(from_relay, to_client));
    for way in [up, down] {
        way.await
            .map_err(|error| Fault::Text(error.to_string()))??;
    }
    Ok(())
}

/// One direction of one connection.
struct Way {
    client: u32,
    direction: Direction,
    clock: Clock,
    capture: Arc<Mutex<Capture>>,
}

impl Way {
    async fn carry(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> Result {
        let mut reader = Reader::new();
        let mut chunk = vec![0; 64 * 1024];
        let mut open = true;
        loop {
            // A side that is gone ends the connection. What it does not take has passed all the same: it was sent.
            let count = from.read(&mut chunk).await.unwrap_or(0);
            let at = self.clock.now();
            if count == 0 {
                let _ = to.shutdown().await;
                return Ok(());
            }
            open = open && to.write_all(&chunk[..count]).await.is_ok();
            let seen = reader
                .read(&chunk[..count])
                .map_err(|error| Fault::Text(error.to_string()))?;
            self.note(at, &seen);
        }
    }

    fn note(&self, at: u64, seen: &[Seen]) {
        let mut capture = lock(&self.capture);
        for what in seen {
            let frame = |bytes, real| Frame {
                client: self.client,
                direction: self.direction,
                at,
                bytes,
                real,
                lane: None,
                due: None,
            };
            match *what {
                Seen::Message { bytes, real } => capture.frames.push(frame(bytes, real)),
                Seen::Control(..) => capture.controls += 1,
                Seen::Record(DATA, bytes) => capture.records.push(frame(bytes, false)),
                Seen::Record(..) => {}
            }
        }
    }
}

//! What can be set, and the bounds of everything that a stranger could make grow.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// How a relay runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Directory of the store and the relay's key; made if missing.
    pub data: PathBuf,
    /// Directory of the app's files, read once at start; without it only the protocol is served.
    pub app: Option<PathBuf>,
    /// Whether browsers reach this relay through TLS that something in front of it ends.
    pub behind_tls: bool,
    /// Bounds.
    pub limits: Limits,
}

impl Config {
    /// Defaults, without an app.
    pub fn new(listen: SocketAddr, data: PathBuf) -> Self {
        Self {
            listen,
            data,
            app: None,
            behind_tls: false,
            limits: Limits::default(),
        }
    }
}

/// Bounds. The defaults hold on a machine with one core and 512 MiB.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once; further ones wait to be accepted.
    pub connections: usize,
    /// Frames that one connection may send in one go.
    pub frames_burst: u32,
    /// Frames a second that one connection may send in the long run. Beyond it the relay reads more slowly.
    pub frames_per_second: u32,
    /// Bytes of cells, values and blobs in the store. Beyond it writing is refused.
    pub store_bytes: u64,
    /// Cells in one queue that nobody has acknowledged. Beyond it appending is refused.
    pub queue_cells: u64,
    /// Cells of unfinished values and blobs that are held in memory, of all connections together.
    pub staged_cells: usize,
    /// Memory of the store's page cache in bytes.
    pub cache_bytes: usize,
    /// Time for the header of an HTTP request, and between two requests of one connection.
    pub header_timeout: Duration,
    /// Time for the body of a `POST`.
    pub body_timeout: Duration,
    /// Time for the `Hello` after a WebSocket is open.
    pub hello_timeout: Duration,
    /// A WebSocket that was silent for this long is pinged.
    pub ping_after: Duration,
    /// A WebSocket that was silent, or took nothing, for this long is closed.
    pub dead_after: Duration,
    /// Time that a stop leaves connections to close.
    pub stop_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            frames_burst: 4_000,
            frames_per_second: 500,
            store_bytes: 16 << 30,
            queue_cells: 10_000,
            staged_cells: 16_384,
            cache_bytes: 128 << 20,
            header_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(15),
            hello_timeout: Duration::from_secs(5),
            ping_after: Duration::from_secs(30),
            dead_after: Duration::from_secs(75),
            stop_timeout: Duration::from_secs(8),
        }
    }
}

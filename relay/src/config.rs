//! What can be set, and the bounds of everything that a stranger could make grow.
//!
//! `keys` is the table of all keys; `layers` puts flags, environment, file and defaults above one another; `check` says
//! what does not fit together.

mod check;
#[cfg(test)]
mod document;
mod forms;
mod keys;
mod layers;

/// Reads a size, like "64 MiB".
pub(crate) fn size(text: &str) -> Result<u64, String> {
    forms::size::read(&vec![text.to_owned()])
}

pub(crate) use check::{Finding, errors, findings};
pub(crate) use keys::{KEYS, Key};
#[cfg(feature = "fuzzing")]
pub(crate) use layers::of_text;
pub(crate) use layers::{ConfigError, DEFAULT_FILE, Layers, Resolved, unknown_variables};

use crate::{
    admission::{Access, AdmissionLimits},
    journal,
    patience::Demand,
};
use ipnet::IpNet;
use parking_lot::RwLock;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

/// How a relay runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Addresses to listen on; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Directory of the store and the relay's key; made if missing.
    pub data: PathBuf,
    /// Directory of the app's files, read once at start; without it only the protocol is served.
    pub app: Option<PathBuf>,
    /// What the app is called here and how it looks, read once at start.
    pub brand: Option<PathBuf>,
    /// Whether browsers reach this relay through TLS that something in front of it ends.
    pub behind_tls: bool,
    /// Networks of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Certificate chain for TLS, PEM.
    pub tls_certificate: Option<PathBuf>,
    /// Private key of that certificate, PEM.
    pub tls_key: Option<PathBuf>,
    /// Certificates that the relay gets for itself.
    pub acme: Acme,
    /// Addresses where plain HTTP is answered with a redirect to HTTPS.
    pub redirect_listen: Vec<SocketAddr>,
    /// Who may make lanes and store blobs.
    pub access: Access,
    /// Where numbers about the relay can be fetched, in the text form of Prometheus.
    pub metrics_listen: Option<SocketAddr>,
    /// Whether that may be an address that others can reach.
    pub metrics_public: bool,
    /// Names of hosts, besides addresses and localhost, by which the numbers may be asked for.
    pub metrics_names: Vec<String>,
    /// How devices are woken that are not connected.
    pub push: WebPush,
    /// What the relay says about itself.
    pub log_level: journal::Level,
    /// And in which form.
    pub log_format: journal::Format,
    /// Bounds.
    pub limits: Limits,
}

/// Certificates by ACME (RFC 8555) with the challenge TLS-ALPN-01 (RFC 8737).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acme {
    /// Names for the certificate; without any, ACME is off.
    pub domains: Vec<String>,
    /// Address that the certificate authority may write to.
    pub contact: Option<String>,
    /// Whether to use Let's Encrypt's test service, whose certificates browsers do not believe.
    pub staging: bool,
    /// Directory URL of another certificate authority.
    pub directory: Option<String>,
    /// Root certificates (PEM) that authenticate that authority's own service, instead of Mozilla's.
    pub roots: Option<PathBuf>,
}

/// Web Push (RFC 8030): which services are asked to wake devices, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebPush {
    /// Services that may be asked: a name, or all names below one (`*.`), and a port other than 443 if there is one. Without
    /// any, nobody is woken.
    pub allow: Vec<String>,
    /// Services that may be asked and may be at addresses that only this network has.
    pub private: Vec<String>,
    /// Root certificates (PEM) that authenticate those, besides Mozilla's.
    pub roots: Option<PathBuf>,
    /// Whom a push service may ask about this relay: a mail address or a page.
    pub contact: Option<String>,
    /// For so long a device that was woken, and did not come, is not woken again.
    pub pause: Duration,
    /// What is new is kept back for a time between none and this, drawn at random.
    pub delay: Duration,
    /// Time for one request to a push service.
    pub timeout: Duration,
    /// Time before the first repetition of a request that failed.
    pub retry: Duration,
}

impl WebPush {
    /// Whether anybody is woken at all.
    pub(crate) fn is_on(&self) -> bool {
        !self.allow.is_empty() || !self.private.is_empty()
    }
}

impl Default for WebPush {
    fn default() -> Self {
        // What the browsers' makers run: Chromium, Firefox, Edge, Safari.
        let allow = [
            "fcm.googleapis.com",
            "*.push.services.mozilla.com",
            "*.notify.windows.com",
            "*.push.apple.com",
        ];
        Self {
            allow: allow.map(str::to_owned).to_vec(),
            private: Vec::new(),
            roots: None,
            contact: None,
            pause: Duration::from_mins(15),
            delay: Duration::from_secs(5),
            timeout: Duration::from_secs(10),
            retry: Duration::from_secs(15),
        }
    }
}

impl Config {
    /// Defaults, without an app.
    pub fn new(listen: SocketAddr, data: PathBuf) -> Self {
        Self {
            listen: vec![listen],
            data,
            ..Self::default()
        }
    }

    /// Whether the relay ends TLS itself.
    pub(crate) fn ends_tls(&self) -> bool {
        self.tls_certificate.is_some() || self.tls_key.is_some() || !self.acme.domains.is_empty()
    }

    /// Whether browsers reach the relay through TLS, whoever ends it.
    pub(crate) fn is_reached_by_tls(&self) -> bool {
        self.behind_tls || self.ends_tls()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 7700))],
            data: PathBuf::from("./data"),
            app: None,
            brand: None,
            behind_tls: false,
            trusted_proxies: Vec::new(),
            tls_certificate: None,
            tls_key: None,
            acme: Acme::default(),
            redirect_listen: Vec::new(),
            access: Access::Open,
            metrics_listen: None,
            metrics_public: false,
            metrics_names: Vec::new(),
            push: WebPush::default(),
            log_level: journal::Level::Info,
            log_format: journal::Format::Text,
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
    /// Lanes in the store. Beyond it new ones are refused.
    pub store_lanes: u64,
    /// Room that is left free on the disk. With less of it nothing new is stored; reading and deleting go on.
    pub disk_reserve_bytes: u64,
    /// Cells in one queue that nobody has acknowledged. Beyond it appending is refused.
    pub queue_cells: u64,
    /// Devices that are woken by Web Push. Beyond it new ones are refused.
    pub push_devices: u64,
    /// A device that was not named for so long is forgotten.
    pub push_unused: Duration,
    /// Cells of unfinished values and blobs that are held in memory, of all connections together.
    pub staged_cells: usize,
    /// Memory of the store's page cache in bytes.
    pub cache_bytes: usize,
    /// Memory that the process may take before it turns new connections away at 80 % of it; none: what its cgroup
    /// allows.
    pub memory_bytes: Option<u64>,
    /// Bounds of what strangers may do.
    pub admission: AdmissionLimits,
    /// Bytes of the header of an HTTP request.
    pub header_bytes: usize,
    /// Time for the handshake of TLS.
    pub tls_timeout: Duration,
    /// Time for the header of an HTTP request, and between two requests of one connection.
    pub header_timeout: Duration,
    /// Time for the body of a `POST`, and how long it may wait for room.
    pub body_timeout: Duration,
    /// Bytes a second of a body that earn it more time.
    pub body_rate: u64,
    /// Time in which a client has to take some of what waits for it.
    pub write_timeout: Duration,
    /// Bytes a second that a client has to take while something waits for it, over half a minute.
    pub write_rate: u64,
    /// Time for the `Hello` after a WebSocket is open.
    pub hello_timeout: Duration,
    /// A WebSocket that was silent for this long is pinged.
    pub ping_after: Duration,
    /// A WebSocket that was silent for this long is closed.
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
            store_bytes: 4 << 30,
            store_lanes: 150_000,
            disk_reserve_bytes: 256 << 20,
            queue_cells: 10_000,
            push_devices: 5_000,
            push_unused: Duration::from_hours(60 * 24),
            staged_cells: 16_384,
            cache_bytes: 64 << 20,
            memory_bytes: None,
            admission: AdmissionLimits::default(),
            header_bytes: 16 << 10,
            tls_timeout: Duration::from_secs(5),
            header_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(8),
            body_rate: 8 << 10,
            write_timeout: Duration::from_secs(15),
            write_rate: 1 << 10,
            hello_timeout: Duration::from_secs(5),
            ping_after: Duration::from_secs(30),
            dead_after: Duration::from_secs(75),
            stop_timeout: Duration::from_secs(8),
        }
    }
}

impl Limits {
    /// What is asked of those for whom something waits.
    pub(crate) fn demand(&self) -> Demand {
        Demand {
            within: self.write_timeout,
            rate: self.write_rate,
        }
    }
}

/// The configuration that counts now. A connection takes it once, when it begins.
pub(crate) struct Live(RwLock<Arc<Config>>);

impl Live {
    pub(crate) fn new(config: Config) -> Self {
        Self(RwLock::new(Arc::new(config)))
    }

    pub(crate) fn get(&self) -> Arc<Config> {
        self.0.read().clone()
    }

    /// Takes over what may change while the relay runs; gives the names of the keys that would need a new start.
    pub(crate) fn reload(&self, new: &Config) -> Vec<&'static str> {
        let mut config = Config::clone(&self.get());
        let mut left = Vec::new();
        for key in KEYS {
            if key.value(&config) == key.value(new) {
                continue;
            }
            if key.reloads {
                key.copy(new, &mut config);
            } else {
                left.push(key.name);
            }
        }
        *self.0.write() = Arc::new(config);
        left
    }
}

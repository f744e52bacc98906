//! The servers that are measured: started with a configuration made here, on a core of their own, in a directory that is
//! gone afterwards.

use crate::{
    dialect::{Dialect, mqtt::Mqtt, nats::Nats, nostr::Nostr, ume::Ume},
    fault::{During, Result, fault},
    machine::SERVER_CORE,
};
use bytes::Bytes;
use std::{
    fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tempfile::TempDir;

/// A server in one of the ways in which it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// ume with fleeting lanes: nothing is stored.
    Ume,
    /// ume with lanes that are stored: acknowledged after fdatasync, delivered after that.
    UmeStored,
    /// NATS without storage.
    Nats,
    /// A `JetStream` stream as NATS sets it up by itself: acknowledged before anything is synced.
    NatsStream,
    /// A `JetStream` stream that syncs before it acknowledges.
    NatsSynced,
    /// mosquitto, publishing without acknowledgements (quality of service 0).
    Mosquitto,
    /// mosquitto, quality of service 1 to publish, persistence on: acknowledged from memory.
    MosquittoAcked,
    /// nostr-rs-relay: `SQLite` without a sync at commit.
    Nostr,
    /// The raw TCP server of this program.
    Raw,
}

impl Peer {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ume => "ume",
            Self::UmeStored => "ume-stored",
            Self::Nats => "nats",
            Self::NatsStream => "nats-stream",
            Self::NatsSynced => "nats-stream-synced",
            Self::Mosquitto => "mosquitto",
            Self::MosquittoAcked => "mosquitto-qos1",
            Self::Nostr => "nostr-rs",
            Self::Raw => "raw-tcp",
        }
    }

    fn dialect(self) -> Result<Dialect> {
        let ume = |ttl_seconds| {
            Dialect::Ume(Ume {
                ttl_seconds,
                run: SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .map_or(0, |time| time.as_nanos() as u64),
                access: Bytes::new(),
            })
        };
        let mqtt = |qos| {
            Dialect::Mqtt(Mqtt {
                qos,
                clients: std::sync::Arc::default(),
            })
        };
        Ok(match self {
            Self::Ume => ume(0),
            Self::UmeStored => ume(3600),
            Self::Nats => Dialect::Nats(Nats { stream: false }),
            Self::NatsStream | Self::NatsSynced => Dialect::Nats(Nats { stream: true }),
            Self::Mosquitto => mqtt(0),
            Self::MosquittoAcked => mqtt(1),
            Self::Nostr => match Nostr::new() {
                Some(nostr) => Dialect::Nostr(nostr),
                None => return fault("no key for nostr"),
            },
            Self::Raw => Dialect::Raw,
        })
    }
}

/// Where the programs are; a peer that is not installed is left out.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Programs {
    /// The relay.
    #[arg(long, value_name = "FILE")]
    pub(crate) relay: PathBuf,
    /// nats-server.
    #[arg(long, value_name = "FILE")]
    pub(crate) nats: Option<PathBuf>,
    /// mosquitto, built with its WebSocket listener.
    #[arg(long, value_name = "FILE")]
    pub(crate) mosquitto: Option<PathBuf>,
    /// nostr-rs-relay.
    #[arg(long, value_name = "FILE")]
    pub(crate) nostr: Option<PathBuf>,
    /// Where servers keep their data; a disk, not memory, if acknowledgements are to mean anything.
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: Option<PathBuf>,
}

impl Programs {
    /// The same with whole paths: servers run in directories of their own.
    pub(crate) fn absolute(mut self) -> Result<Self> {
        let others = [&mut self.nats, &mut self.mosquitto, &mut self.nostr];
        for path in others.into_iter().flatten().chain([&mut self.relay]) {
            *path = path.canonicalize().during(path.display().to_string())?;
        }
        Ok(self)
    }

    /// Whether this peer can be started.
    pub(crate) fn has(&self, peer: Peer) -> bool {
        match peer {
            Peer::Ume | Peer::UmeStored | Peer::Raw => true,
            Peer::Nats | Peer::NatsStream | Peer::NatsSynced => self.nats.is_some(),
            Peer::Mosquitto | Peer::MosquittoAcked => self.mosquitto.is_some(),
            Peer::Nostr => self.nostr.is_some(),
        }
    }
}

/// A running server. It ends with this value.
pub(crate) struct Server {
    child: Child,
    directory: TempDir,
    pub(crate) address: SocketAddr,
    pub(crate) dialect: Dialect,
}

impl Server {
    pub(crate) fn start(programs: &Programs, peer: Peer) -> Result<Self> {
        let scratch = programs.scratch.clone().unwrap_or_else(std::env::temp_dir);
        let directory = TempDir::with_prefix_in("load-", scratch).during("a directory")?;
        let address = free_address()?;
        let command = command(programs, peer, address, directory.path())?;
        let mut server = Self::spawn(command, directory, address, peer.dialect()?)?;
        server.wait_until_ready(peer)?;
        Ok(server)
    }

    fn spawn(
        (program, arguments): (PathBuf, Vec<String>),
        directory: TempDir,
        address: SocketAddr,
        dialect: Dialect,
    ) -> Result<Self> {
        let log = fs::File::create(directory.path().join("log")).during("the server's log")?;
        let child = Command::new("taskset")
            .args(["-c", &SERVER_CORE.to_string()])
            .arg(&program)
            .args(arguments)
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .during(format!("taskset {}", program.display()))?;
        Ok(Self {
            child,
            directory,
            address,
            dialect,
        })
    }

    /// Our own programs print their line once they listen; the others are ready when they accept.
    fn wait_until_ready(&mut self, peer: Peer) -> Result {
        let until = Instant::now() + Duration::from_secs(20);
        if matches!(peer, Peer::Ume | Peer::UmeStored)
            && let Some(out) = self.child.stdout.take()
        {
            let mut line = String::new();
            BufReader::new(out).read_line(&mut line).during("relay")?;
        }
        while TcpStream::connect(self.address).is_err() {
            if Instant::now() > until || self.child.try_wait().during("server")?.is_some() {
                let log = fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
                return fault(format!("{} did not start: {log}", peer.name()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .during("a free port")
}

/// Writes a server's configuration and gives the command that starts it.
fn command(
    programs: &Programs,
    peer: Peer,
    address: SocketAddr,
    directory: &Path,
) -> Result<(PathBuf, Vec<String>)> {
    // One of them goes by the name of its kind.
    let file = directory.join("config.toml");
    let write = |text: String| fs::write(&file, text).during("a configuration");
    let config = file.display().to_string();
    let installed = |program: &Option<PathBuf>| match program {
        Some(program) => Ok(program.clone()),
        None => fault(format!("{} is not installed", peer.name())),
    };
    let port = address.port();
    let data = directory.join("data").display().to_string();
    Ok(match peer {
        Peer::Ume | Peer::UmeStored => (programs.relay.clone(), relay(address, data)),
        Peer::Nats | Peer::NatsStream | Peer::NatsSynced => {
            write(nats(peer, address, &data)?)?;
            (
                installed(&programs.nats)?,
                vec!["--config".to_owned(), config],
            )
        }
        Peer::Mosquitto | Peer::MosquittoAcked => {
            fs::create_dir_all(&data).during("a directory")?;
            write(format!(
                "listener {port} 127.0.0.1\nprotocol websockets\nallow_anonymous true\nuser root\nlog_dest none\n\
                 max_queued_messages 100000\nmax_inflight_messages 0\nset_tcp_nodelay true\nsys_interval 0\n\
                 persistence {}\npersistence_location {data}/\n",
                peer == Peer::MosquittoAcked
            ))?;
            (
                installed(&programs.mosquitto)?,
                vec!["-c".to_owned(), config],
            )
        }
        Peer::Nostr => {
            fs::create_dir_all(&data).during("a directory")?;
            write(format!(
                "[network]\naddress = \"127.0.0.1\"\nport = {port}\n[database]\ndata_directory = \"{data}\"\n\
                 [limits]\nmax_event_bytes = 131072\nmax_ws_message_bytes = 262144\nmax_ws_frame_bytes = 262144\n\
                 broadcast_buffer = 16384\nevent_persist_buffer = 4096\n"
            ))?;
            let arguments = ["--config", &config, "--db", &data].map(str::to_owned);
            (installed(&programs.nostr)?, arguments.to_vec())
        }
        Peer::Raw => (
            std::env::current_exe().during("this program")?,
            vec!["raw-server".to_owned(), address.to_string()],
        ),
    })
}

/// The relay with bounds that none of the measurements reaches: what a stranger may do is not measured here.
fn relay(address: SocketAddr, data: String) -> Vec<String> {
    let mut arguments = vec!["run".to_owned(), "--listen".to_owned(), address.to_string()];
    arguments.extend(["--data".to_owned(), data]);
    arguments.extend(["--store-bytes".to_owned(), "20 GiB".to_owned()]);
    for (name, value) in [
        ("--connections", 15_000),
        ("--frames-burst", 1 << 24),
        ("--frames-per-second", 1 << 24),
        ("--free-lanes-per-minute", 1 << 24),
    ] {
        arguments.extend([name.to_owned(), value.to_string()]);
    }
    arguments
}

fn nats(peer: Peer, address: SocketAddr, data: &str) -> Result<String> {
    let tcp = free_address()?;
    let store = match peer {
        Peer::NatsStream => {
            format!("jetstream {{ store_dir: \"{data}\", max_file_store: 20GB }}\n")
        }
        Peer::NatsSynced => format!(
            "jetstream {{ store_dir: \"{data}\", max_file_store: 20GB, sync_interval: always }}\n"
        ),
        _ => String::new(),
    };
    Ok(format!(
        "listen: \"{tcp}\"\nwebsocket {{ listen: \"{address}\", no_tls: true, compression: false }}\n\
         max_connections: 20000\nping_interval: \"10m\"\n{store}"
    ))
}

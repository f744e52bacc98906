//! A running relay: its parts, its listener, its end.

use crate::{
    accept::{accept, redirect},
    admin::{AtWork, Desk, Socket},
    admission::Admission,
    app::{App, AppError},
    backlog::Backlog,
    commit::{Committer, now},
    config::{Config, Limits, Live},
    http,
    hub::Hub,
    identity::{Identity, IdentityError, Opened},
    journal,
    memory::Memory,
    metrics::{self, Metrics, Sample},
    push::{self, Push},
    refusal::Refusal,
    stage::Stage,
    store::{EmbeddedStore, Outcome, Store, StoreError},
    tls::{Tls, TlsError},
    ws::Senders,
};
use bytes::Bytes;
use parking_lot::Mutex;
use rand_core::{OsRng, RngCore};
use std::{
    fs, io,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinHandle,
    time,
};
use tokio_util::task::TaskTracker;
use ume_wire::{
    auth::Statement,
    relay::{Accepted, Appended, Done, Promise, frame::Body},
};

/// How often what is over is removed.
const EXPIRE_EVERY: Duration = Duration::from_secs(1);
/// Clients come back at a time of their own between these, so that they do not all come at once.
const RETRY_MILLIS: std::ops::Range<u32> = 500..5000;

/// Why a relay does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The data directory cannot be made.
    #[error("cannot use the data directory: {0}")]
    Data(#[source] io::Error),
    /// The relay's key cannot be read or made.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The app's files cannot be read.
    #[error(transparent)]
    App(#[from] AppError),
    /// The socket for operators cannot be made.
    #[error("cannot make the socket for commands in the data directory: {0}")]
    Admin(#[source] io::Error),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system starts no further thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
}

/// What all connections share.
pub(crate) struct Core {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) commit: Committer,
    pub(crate) hub: Arc<Hub>,
    /// Cells of values that are not complete: every one was voted for with a writer's signature.
    pub(crate) values: Mutex<Stage>,
    /// Cells of blobs that are not complete: anybody may put one.
    pub(crate) blobs: Mutex<Stage>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) admission: Admission,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) senders: Senders,
    /// What was read for those who do not take it.
    pub(crate) backlog: Arc<Backlog>,
    /// Room for the bodies of `POST`s.
    pub(crate) intake: http::Intake,
    /// Bounds as they were at the start.
    pub(crate) limits: Limits,
    /// What counts now.
    pub(crate) config: Arc<Live>,
    pub(crate) tls: Option<Tls>,
    pub(crate) memory: Memory,
    pub(crate) app: App,
    pub(crate) push: Arc<Push>,
}

impl Core {
    /// Whether the relay can do its work; else what is wrong.
    pub(crate) fn readiness(&self) -> Result<(), &'static str> {
        if !self.commit.is_healthy() {
            return Err("the store cannot be written\n");
        }
        if self.commit.is_short() {
            return Err("the disk is nearly full\n");
        }
        if self.tls.as_ref().is_some_and(|tls| !tls.is_valid()) {
            return Err("there is no valid certificate\n");
        }
        if self.memory.is_short() {
            return Err("memory is short\n");
        }
        Ok(())
    }

    /// The numbers of this moment, for the operator's monitoring.
    fn sample(&self) -> Sample {
        Sample {
            // A store that fails is seen by other numbers.
            stats: self.store.stats().unwrap_or_default(),
            waiting: self.commit.waiting(),
            work_bits: self.admission.work_bits_of_all(Instant::now()),
            certificate_end: self
                .tls
                .as_ref()
                .and_then(Tls::ends_at)
                .and_then(|end| i64::try_from(end).ok())
                .unwrap_or(0),
            memory_short: self.memory.is_short(),
        }
    }

    /// The answer to what became of a write.
    pub(crate) fn body(&self, outcome: Outcome) -> Body {
        match outcome {
            Outcome::Done => Body::Done(Done::default()),
            Outcome::Made(made) => Body::Done(Done {
                made,
                ..Done::default()
            }),
            Outcome::Appended { seq, .. } => Body::Appended(Appended { seq }),
            Outcome::Promised {
                slot,
                ballot,
                accepted,
            } => Body::Promise(Promise {
                slot,
                ballot: Some(ballot),
                accepted,
            }),
            Outcome::Accepted {
                lane,
                slot,
                ballot,
                value_hash,
                ..
            } => {
                let signature = Statement::Accepted(&lane, slot, &ballot, &value_hash)
                    .sign(self.identity.key());
                let signature = Bytes::copy_from_slice(&signature);
                Body::Accepted(Accepted {
                    slot,
                    ballot: Some(ballot),
                    value_hash,
                    signature,
                })
            }
            Outcome::Refused(refusal) => self.refuse(refusal),
        }
    }

    /// The answer to what is not done.
    pub(crate) fn refuse(&self, refusal: Refusal) -> Body {
        self.metrics.refused(refusal.code);
        refusal.body()
    }
}

/// A relay that runs until [`Relay::stop`].
pub struct Relay {
    addresses: Vec<SocketAddr>,
    core: Arc<Core>,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
    connections: TaskTracker,
    committer: thread::JoinHandle<()>,
}

impl Relay {
    /// Opens the store and listens. Connections are accepted once this returns.
    ///
    /// # Errors
    /// [`StartError`], and nothing is left running.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let app = App::load(
            config.app.as_deref(),
            config.brand.as_deref(),
            config.is_reached_by_tls(),
        )?;
        make_private(&config.data).map_err(StartError::Data)?;
        // The store's lock comes first: two relays must not make two keys.
        let store: Arc<dyn Store> =
            Arc::new(EmbeddedStore::open(&config.data, config.limits.clone())?);
        let Opened { identity, restored } = Identity::open(&config.data, now())?;
        if restored {
            journal::note(journal::RESTORED);
        }
        let identity = Arc::new(identity);
        let admin = Socket::bind(&config.data).map_err(StartError::Admin)?;
        let metrics = Arc::new(Metrics::default());
        let (tls, orders) = Tls::start(&config)?.unzip();
        let sockets = bind(&config.listen).await?;
        let redirects = bind(&config.redirect_listen).await?;
        let scraped = bind(config.metrics_listen.as_slice()).await?;
        let addresses = sockets.iter().map(|(_, address)| *address).collect();
        let hub = Arc::new(Hub::default());
        let push = Arc::new(Push::new(&config)?);
        let news = push.news.clone();
        let (commit, committer) =
            Committer::start(store.clone(), hub.clone(), metrics.clone(), news)
                .map_err(StartError::Thread)?;
        let stage = || Mutex::new(Stage::new(config.limits.staged_cells / 2));
        let core = Arc::new(Core {
            admission: Admission::new(
                store.clone(),
                config.access,
                config.limits.admission,
                Instant::now(),
            ),
            identity,
            metrics,
            senders: Senders::start().map_err(StartError::Thread)?,
            store,
            commit,
            hub,
            values: stage(),
            blobs: stage(),
            backlog: Arc::default(),
            intake: http::Intake::default(),
            limits: config.limits.clone(),
            config: Arc::new(Live::new(config)),
            tls,
            memory: Memory::default(),
            app,
            push,
        });
        let (stop, stopped) = watch::channel(false);
        let connections = TaskTracker::new();
        let desk = Desk::new(
            core.store.clone(),
            core.identity.clone(),
            AtWork::new(core.clone(), stopped.clone()),
        );
        connections.spawn(admin.serve(Arc::new(desk), stopped.clone()));
        connections.spawn(keep_clean(core.clone(), stopped.clone()));
        connections.spawn(keep_watch(core.clone(), stopped.clone()));
        connections.spawn(push::run(core.clone(), stopped.clone()));
        if let Some(orders) = orders.flatten() {
            connections.spawn(orders.run(stopped.clone()));
        }
        let places = Arc::new(Semaphore::new(core.limits.connections));
        let port = sockets.first().map_or(443, |(_, address)| address.port());
        let mut listeners = Vec::new();
        for (socket, _) in sockets {
            let (core, connections) = (core.clone(), connections.clone());
            let accepting = accept(socket, core, places.clone(), connections, stopped.clone());
            listeners.push(tokio::spawn(accepting));
        }
        for (socket, _) in scraped {
            let sampled = core.clone();
            let text = move || sampled.metrics.text(sampled.sample());
            let names = core.config.get().metrics_names.clone();
            connections.spawn(metrics::listen(socket, names, text, stopped.clone()));
        }
        for (socket, _) in redirects {
            let (core, connections) = (core.clone(), connections.clone());
            let answering = redirect(socket, core, port, connections, stopped.clone());
            listeners.push(tokio::spawn(answering));
        }
        Ok(Self {
            addresses,
            core,
            stop,
            listeners,
            connections,
            committer,
        })
    }

    /// Where it listens first.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Whether it ends TLS itself.
    pub fn ends_tls(&self) -> bool {
        self.core.tls.is_some()
    }

    /// Its public key, an Ed25519 key of 32 bytes. Its SHA-256 is the relay's id.
    pub fn key(&self) -> [u8; 32] {
        self.core.identity.key().verifying_key().to_bytes()
    }

    /// Takes over what can change while it runs, and looks at the certificate's files again.
    pub fn reload(&self, config: &Config) {
        for key in self.core.config.reload(config) {
            journal::because(journal::RELOAD_LATER, key);
        }
        let now = self.core.config.get();
        self.core.admission.set_limits(now.limits.admission);
        journal::set(now.log_level, now.log_format);
        if let Some(tls) = &self.core.tls {
            tls.reload();
        }
        journal::note(journal::RELOADED);
    }

    /// Accepts nothing more, answers what is on its way, closes every WebSocket with 1012 (service restart), and returns
    /// once the store is closed. Takes at most 10 seconds.
    pub async fn stop(self) {
        let deadline = self.core.config.get().limits.stop_timeout;
        self.stop.send_replace(true);
        for listener in self.listeners {
            let _ = listener.await;
        }
        self.connections.close();
        if time::timeout(deadline, self.connections.wait())
            .await
            .is_err()
        {
            journal::note(journal::STOP_CUT);
        }
        // With the last user of the committer its queue ends, and after the queue its thread.
        drop(self.core);
        let joined = tokio::task::spawn_blocking(move || self.committer.join());
        if time::timeout(Duration::from_secs(1), joined).await.is_err() {
            journal::note(journal::STOP_STORE);
        }
    }
}

async fn bind(addresses: &[SocketAddr]) -> Result<Vec<(TcpListener, SocketAddr)>, StartError> {
    let mut sockets = Vec::new();
    for address in addresses {
        let listen = |error| StartError::Listen(*address, error);
        let socket = TcpListener::bind(address).await.map_err(listen)?;
        let address = socket.local_addr().map_err(listen)?;
        sockets.push((socket, address));
    }
    Ok(sockets)
}

/// When a client may come back after a stop, in milliseconds.
pub(crate) fn retry_millis() -> u32 {
    let span = RETRY_MILLIS.end - RETRY_MILLIS.start;
    RETRY_MILLIS.start + OsRng.next_u32() % span
}

fn make_private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Waits until the relay is asked to stop.
pub(crate) async fn asked(stopped: &mut watch::Receiver<bool>) {
    // An error means that the relay itself is gone.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Looks after certificates and memory.
async fn keep_watch(core: Arc<Core>, stopped: watch::Receiver<bool>) {
    let (mut one, mut other) = (stopped.clone(), stopped);
    let certificates = async {
        if let Some(tls) = &core.tls {
            tls.watch(&mut one).await;
        }
    };
    tokio::join!(certificates, core.memory.watch(&core.config, &mut other));
}

async fn keep_clean(core: Arc<Core>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = time::interval(EXPIRE_EVERY);
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = asked(&mut stopped) => return,
            _ = ticks.tick() => {
                core.values.lock().sweep(Instant::now());
                core.blobs.lock().sweep(Instant::now());
                core.admission.sweep(Instant::now());
                core.commit.expire();
            }
        }
    }
}

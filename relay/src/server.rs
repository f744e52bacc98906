//! A running relay: its parts, its listener, its end.

use crate::{
    app::{App, AppError},
    commit::Committer,
    config::{Config, Limits},
    http,
    hub::Hub,
    identity::{self, IdentityError},
    journal,
    stage::Stage,
    store::{EmbeddedStore, Outcome, Store, StoreError},
};
use bytes::Bytes;
use ed25519_dalek::SigningKey;
use parking_lot::Mutex;
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
/// Pause after the system refused a connection (too many open files, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

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
    /// The system starts no further thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
}

/// What all connections share.
pub(crate) struct Core {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) commit: Committer,
    pub(crate) hub: Arc<Hub>,
    pub(crate) stage: Mutex<Stage>,
    pub(crate) key: SigningKey,
    pub(crate) limits: Limits,
    pub(crate) app: App,
}

impl Core {
    /// The answer to what became of a write.
    pub(crate) fn body(&self, outcome: Outcome) -> Body {
        match outcome {
            Outcome::Done => Body::Done(Done {}),
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
                let signature =
                    Statement::Accepted(&lane, slot, &ballot, &value_hash).sign(&self.key);
                let signature = Bytes::copy_from_slice(&signature);
                Body::Accepted(Accepted {
                    slot,
                    ballot: Some(ballot),
                    value_hash,
                    signature,
                })
            }
            Outcome::Refused(refusal) => refusal.body(),
        }
    }
}

/// A relay that runs until [`Relay::stop`].
pub struct Relay {
    address: SocketAddr,
    core: Arc<Core>,
    stop: watch::Sender<bool>,
    listener: JoinHandle<()>,
    connections: TaskTracker,
    committer: thread::JoinHandle<()>,
}

impl Relay {
    /// Opens the store and listens. Connections are accepted once this returns.
    ///
    /// # Errors
    /// [`StartError`], and nothing is left running.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let app = App::load(config.app.as_deref(), config.behind_tls)?;
        make_private(&config.data).map_err(StartError::Data)?;
        // The store's lock comes first: two relays must not make two keys.
        let store: Arc<dyn Store> =
            Arc::new(EmbeddedStore::open(&config.data, config.limits.clone())?);
        let key = identity::load_or_make(&config.data)?;
        let listen = |error| StartError::Listen(config.listen, error);
        let socket = TcpListener::bind(config.listen).await.map_err(listen)?;
        let address = socket.local_addr().map_err(listen)?;
        let hub = Arc::new(Hub::default());
        let (commit, committer) =
            Committer::start(store.clone(), hub.clone()).map_err(StartError::Thread)?;
        let stage = Mutex::new(Stage::new(config.limits.staged_cells));
        let core = Arc::new(Core {
            store,
            commit,
            hub,
            stage,
            key,
            limits: config.limits,
            app,
        });
        let (stop, stopped) = watch::channel(false);
        let connections = TaskTracker::new();
        connections.spawn(keep_clean(core.clone(), stopped.clone()));
        let listener = tokio::spawn(accept(socket, core.clone(), connections.clone(), stopped));
        Ok(Self {
            address,
            core,
            stop,
            listener,
            connections,
            committer,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its public key, an Ed25519 key of 32 bytes. Its SHA-256 is the relay's id.
    pub fn key(&self) -> [u8; 32] {
        self.core.key.verifying_key().to_bytes()
    }

    /// Accepts nothing more, answers what is on its way, closes every WebSocket with 1012 (service restart), and returns
    /// once the store is closed. Takes at most 10 seconds.
    pub async fn stop(self) {
        let deadline = self.core.limits.stop_timeout;
        self.stop.send_replace(true);
        let _ = self.listener.await;
        self.connections.close();
        if time::timeout(deadline, self.connections.wait())
            .await
            .is_err()
        {
            journal::note("some connections did not close in time");
        }
        // With the last user of the committer its queue ends, and after the queue its thread.
        drop(self.core);
        let joined = tokio::task::spawn_blocking(move || self.committer.join());
        if time::timeout(Duration::from_secs(1), joined).await.is_err() {
            journal::note("the store did not close in time; nothing that was acknowledged is lost");
        }
    }
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

async fn accept(
    socket: TcpListener,
    core: Arc<Core>,
    connections: TaskTracker,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(core.limits.connections));
    loop {
        let accepted = tokio::select! {
            () = asked(&mut stopped) => return,
            accepted = async {
                let place = places.clone().acquire_owned().await;
                (place, socket.accept().await)
            } => accepted,
        };
        let (Ok(place), Ok((stream, _))) = accepted else {
            time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Frames are whole messages; waiting for more to send makes them late.
        let _ = stream.set_nodelay(true);
        let (core, stopped) = (core.clone(), stopped.clone());
        connections.spawn(async move {
            http::serve(core, stream, stopped).await;
            drop(place);
        });
    }
}

async fn keep_clean(core: Arc<Core>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = time::interval(EXPIRE_EVERY);
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = asked(&mut stopped) => return,
            _ = ticks.tick() => {
                core.stage.lock().sweep(Instant::now());
                core.commit.expire();
            }
        }
    }
}

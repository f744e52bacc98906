//! `ume-relay run`: from the command line to a relay that was asked to stop.

use super::{check, settings::Settings};
use crate::{
    Relay,
    config::{Layers, Resolved, errors},
    journal, notify,
};
use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{error::Error, io::Write, process::ExitCode};
use tokio::signal::unix::{Signal, SignalKind, signal};

pub(super) const HELP: &str = "\
Each key can be set as a flag, in the environment (UME_...) and in the file, in this order of weight. In the file it has
the flag's name with _ in place of -. Lists are separated by commas. `ume-relay check-config` takes the same flags, and
says what they amount to.

Once it is ready it prints one line for each address to the standard output:
  listening on http://ADDRESS:PORT
Everything else it has to say goes to the standard error output, and holds no ids, addresses of clients or sizes.

Signals:
  SIGTERM, SIGINT  accept nothing more, close connections with code 1012 so that clients come back, exit with 0 within
                   10 seconds. It may also be killed at any time: what was acknowledged stays.
  SIGHUP           read the configuration and the certificates again. What cannot change while it runs is said.

Served on one port:
  /v1/ws     the protocol over a WebSocket
  /v1/f      the protocol over POST
  /healthz   200 while the process is alive
  /readyz    200 while the relay can do its work: store writable, certificate valid, not stopping
  /          the app's files, if there is an app

Examples:
  Try it on this machine:        ume-relay run --dev --app dist
  With a certificate of its own: ume-relay run --listen 0.0.0.0:443,[::]:443 --acme-domains relay.example.org
  Behind a proxy that ends TLS:  ume-relay run --behind-tls --trusted-proxies 127.0.0.1";

#[derive(Args)]
pub(super) struct Run {
    /// Only try it out: plain HTTP on this machine, open to everybody there, with a store that is gone at the end.
    #[arg(long)]
    dev: bool,
    #[command(flatten)]
    settings: Settings,
}

/// Threads that read from the store, each one thing at a time. More of them only take more memory.
const READERS: usize = 16;
/// Open files besides connections: the store's, the listeners'.
const OTHER_FILES: u64 = 128;

/// Runs the command.
pub(super) fn run(run: Run) -> ExitCode {
    let Settings(mut layers) = run.settings;
    // Removed when this function ends.
    let throw_away = match run
        .dev
        .then(|| tempfile::Builder::new().prefix("ume-relay-").tempdir())
    {
        None => None,
        Some(Ok(directory)) => Some(directory),
        Some(Err(error)) => return super::done(Err(error)),
    };
    layers.dev = throw_away
        .as_ref()
        .map(|directory| directory.path().to_path_buf());
    let resolved = match read(&layers) {
        Ok(resolved) => resolved,
        Err(code) => return code,
    };
    journal::set(resolved.config.log_level, resolved.config.log_format);
    super::done(serve(&layers, resolved))
}

/// The configuration, if a relay can start with it.
fn read(layers: &Layers) -> Result<Resolved, ExitCode> {
    let resolved = layers.resolve().map_err(|errors| check::fail(&errors))?;
    let mut errors = errors(&resolved.config);
    let config = &resolved.config;
    let is_local = config
        .listen
        .iter()
        .all(|address| address.ip().is_loopback());
    if layers.dev.is_some() && (!is_local || config.is_reached_by_tls()) {
        errors.push(
            "--dev is for plain HTTP on this machine: leave listen and TLS as they are".into(),
        );
    }
    if errors.is_empty() {
        return Ok(resolved);
    }
    for words in errors {
        eprintln!("error: {words}");
    }
    Err(ExitCode::FAILURE)
}

/// Runs a relay until it is asked to stop.
fn serve(layers: &Layers, resolved: Resolved) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(READERS)
        .build()?;
    runtime.block_on(attend(layers, resolved))
}

async fn attend(layers: &Layers, resolved: Resolved) -> Result<(), Box<dyn Error>> {
    // Before anything else, so that a signal during the start is not lost.
    let mut signals = Signals::new()?;
    raise_open_files(resolved.config.limits.connections);
    let relay = Relay::start(resolved.config).await?;
    announce(&relay)?;
    journal::note(journal::STARTED);
    notify::ready();
    let watched = tokio::spawn(notify::watch());
    while signals.next().await == Asked::Reload {
        reload(&relay, layers);
    }
    notify::stopping();
    journal::note(journal::STOPPING);
    relay.stop().await;
    watched.abort();
    journal::note(journal::STOPPED);
    Ok(())
}

/// Every connection is an open file: takes as many as the system gives.
fn raise_open_files(connections: usize) {
    let now = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: now.maximum,
        maximum: now.maximum,
    };
    let _ = setrlimit(Resource::Nofile, raised);
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX);
    let current = getrlimit(Resource::Nofile).current;
    if current.is_some_and(|files| files < wanted.saturating_add(OTHER_FILES)) {
        journal::note(journal::FILES_FEW);
    }
}

/// Says on the standard output where the relay listens.
fn announce(relay: &Relay) -> std::io::Result<()> {
    let scheme = if relay.ends_tls() { "https" } else { "http" };
    let mut out = std::io::stdout();
    for address in relay.addresses() {
        writeln!(out, "listening on {scheme}://{address}")?;
    }
    out.flush()
}

fn reload(relay: &Relay, layers: &Layers) {
    let resolved = match layers.resolve() {
        Ok(resolved) => resolved,
        Err(errors) => {
            for error in errors {
                journal::because(journal::RELOAD_FAILED, &error.to_string());
            }
            return;
        }
    };
    let wrong = errors(&resolved.config);
    if wrong.is_empty() {
        relay.reload(&resolved.config);
    }
    for words in wrong {
        journal::because(journal::RELOAD_FAILED, &words);
    }
}

#[derive(PartialEq, Eq)]
enum Asked {
    Stop,
    Reload,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.hang_up.recv() => Asked::Reload,
        }
    }
}

//! The program `ume-relay`: its command line.

use clap::{Args, Parser, Subcommand};
use std::{io::Write, net::SocketAddr, path::PathBuf, process::ExitCode};
use tokio::signal::unix::{SignalKind, signal};
use ume_relay::{Config, Limits, Relay};

/// Stores and forwards cells that it cannot read, and serves the app.
///
/// A relay sees no names, no texts and no members: only lanes, which are sequences of encrypted cells of one size, and
/// the public keys that may write to them. Everything that it has acknowledged is on disk.
#[derive(Parser)]
#[command(name = "ume-relay", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the relay until SIGTERM or Ctrl-C.
    #[command(after_help = RUN_HELP)]
    Run(Run),
    /// Print the version of the program and of the protocol.
    Version,
}

const RUN_HELP: &str = "\
Once it is ready it prints one line to the standard output:
  listening on http://ADDRESS:PORT
Everything else it has to say (that it started, stopped or failed) goes to the standard error output, and holds no ids,
addresses or sizes. On SIGTERM it accepts nothing more, closes connections with code 1012 so that clients come back,
and exits with 0 within 10 seconds. It may be killed at any time: what was acknowledged stays.

Served on one port:
  /v1/ws     the protocol over a WebSocket
  /v1/f      the protocol over POST
  /healthz   200 while the store can be written, else 503
  /          the app's files, with --app

Examples:
  Try it on this machine:        ume-relay run --app dist
  Behind a proxy that ends TLS:  ume-relay run --data /var/lib/ume --app /usr/share/ume --behind-tls
  Only the protocol:             ume-relay run --listen 0.0.0.0:7700

Back up the data directory while the relay is stopped. A relay that comes back from a backup has forgotten promises:
remove relay.key from the restored directory, so that it comes back as another relay.";

#[derive(Args)]
struct Run {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(
        long,
        env = "UME_LISTEN",
        default_value = "127.0.0.1:7700",
        value_name = "ADDRESS:PORT"
    )]
    listen: SocketAddr,
    /// Directory of the store and of the relay's key; made if missing. One relay at a time.
    #[arg(long, env = "UME_DATA", default_value = "./data", value_name = "DIR")]
    data: PathBuf,
    /// Directory of the app's files, read once at start. A FILE.br beside a FILE is served as its compressed form.
    #[arg(long, env = "UME_APP", value_name = "DIR")]
    app: Option<PathBuf>,
    /// Browsers reach this relay through TLS that a proxy in front of it ends: send HSTS, and let the app connect to
    /// nothing without TLS.
    #[arg(long, env = "UME_BEHIND_TLS")]
    behind_tls: bool,
    /// Connections at once; further ones wait.
    #[arg(long, env = "UME_CONNECTIONS", default_value_t = Limits::default().connections, value_name = "N")]
    connections: usize,
    /// Frames of 2,048 bytes that one connection may send in one go.
    #[arg(long, env = "UME_FRAMES_BURST", default_value_t = Limits::default().frames_burst, value_name = "N")]
    frames_burst: u32,
    /// Frames a second that one connection may send in the long run; beyond it the relay reads more slowly.
    #[arg(long, env = "UME_FRAMES_PER_SECOND", default_value_t = Limits::default().frames_per_second, value_name = "N")]
    frames_per_second: u32,
    /// What the store may hold, in MiB; beyond it writing is refused until something has expired.
    #[arg(long, env = "UME_STORE_MIB", default_value_t = Limits::default().store_bytes >> 20, value_name = "MIB")]
    store_mib: u64,
    /// Memory of the store's cache, in MiB.
    #[arg(long, env = "UME_CACHE_MIB", default_value_t = Limits::default().cache_bytes >> 20, value_name = "MIB")]
    cache_mib: usize,
}

impl Run {
    fn config(self) -> Config {
        let limits = Limits {
            connections: self.connections.clamp(1, 1 << 20),
            frames_burst: self.frames_burst,
            frames_per_second: self.frames_per_second,
            store_bytes: self.store_mib.saturating_mul(1 << 20),
            cache_bytes: self.cache_mib.saturating_mul(1 << 20),
            ..Limits::default()
        };
        Config {
            app: self.app,
            behind_tls: self.behind_tls,
            limits,
            ..Config::new(self.listen, self.data)
        }
    }
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Version => print_version(),
        Command::Run(run) => serve(run.config()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ume-relay: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print_version() -> Result<(), Box<dyn std::error::Error>> {
    let (program, protocol) = (env!("CARGO_PKG_VERSION"), ume_wire::limits::VERSION);
    writeln!(
        std::io::stdout(),
        "ume-relay {program}, protocol {protocol}"
    )?;
    Ok(())
}

#[tokio::main]
async fn serve(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    // Before anything else, so that a signal during the start is not lost.
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let relay = Relay::start(config).await?;
    let mut out = std::io::stdout();
    writeln!(out, "listening on http://{}", relay.address())?;
    out.flush()?;
    eprintln!("ume-relay: started");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    relay.stop().await;
    eprintln!("ume-relay: stopped");
    Ok(())
}

//! The command line of `ume-relay`.
//!
//! The tree of commands is here; what each does is in a module of its own. Commands other than `run`, `check-config`,
//! `restore` and `version` speak with the relay that runs, over its socket in the data directory.

mod admin;
mod check;
mod run;
mod settings;

#[cfg(feature = "fuzzing")]
pub(crate) use check::effective;

use clap::{Parser, Subcommand};
use settings::Settings;
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// Stores and forwards cells that it cannot read, and serves the app.
///
/// A relay sees no names, no texts and no members: only lanes, which are sequences of encrypted cells of one size, and
/// the public keys that may write to them. Everything that it has acknowledged is on disk.
#[derive(Parser)]
#[command(name = "ume-relay", version, arg_required_else_help = true, after_help = HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const HELP: &str = "\
Try it:      ume-relay run --dev --app dist
Set it up:   docs/operate.md";

#[derive(Subcommand)]
enum Command {
    /// Run the relay until SIGTERM or Ctrl-C.
    #[command(after_help = run::HELP)]
    Run(Box<run::Run>),
    /// Say what the configuration amounts to, where each value comes from, and what is wrong with it.
    #[command(after_help = check::HELP)]
    CheckConfig(Box<Settings>),
    #[command(flatten)]
    Admin(admin::Command),
    /// Print the version of the program and of the protocol.
    Version,
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(run) => run::run(*run),
        Command::CheckConfig(settings) => check::run(&settings),
        Command::Admin(command) => admin::run(command),
        Command::Version => done(version()),
    }
}

fn version() -> io::Result<()> {
    let (program, protocol) = (env!("CARGO_PKG_VERSION"), ume_wire::limits::VERSION);
    writeln!(io::stdout(), "ume-relay {program}, protocol {protocol}")
}

/// What the shell is told: 0, or 1 with the reason on the standard error output.
fn done<E: std::fmt::Display>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ume-relay: {error}");
            ExitCode::FAILURE
        }
    }
}

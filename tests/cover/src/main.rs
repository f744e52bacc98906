//! `ume-cover`: attacks cover traffic the way an observer of links would, and shows what they find. `cargo xtask cover` builds
//! and starts it.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)] // Figures of measurements: times and counts that stay far below 2^52.

mod boost;
mod capture;
mod chromium;
mod classify;
mod client;
mod contest;
mod cost;
mod detect;
mod diary;
mod dice;
mod fault;
mod hidden;
mod law;
mod plot;
mod prove;
mod proxy;
mod report;
mod residual;
mod roc;
mod schedule;
mod stage;
mod stats;
mod trace;
mod wire;
mod workload;

use clap::{Parser, Subcommand};
use fault::{Fault, Result};
use prove::{Proof, Size};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Attacks cover traffic and shows what is found.
#[derive(Parser)]
#[command(name = "ume-cover", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Try everything in virtual time; the exit code is not 0 when a bar is missed or a control is not caught.
    Prove {
        /// Little of everything: to see that it works, not to judge.
        #[arg(long)]
        quick: bool,
        /// More seeds, and days in the place of hours.
        #[arg(long, conflicts_with = "quick")]
        long: bool,
        /// A page whose section `figures` gets the tables.
        #[arg(long)]
        page: Option<PathBuf>,
        /// Where pictures go.
        #[arg(long)]
        pictures: Option<PathBuf>,
    },
    /// Judge the residuals of a trace: a frame a line, as `native --trace` writes them.
    Judge {
        /// The trace.
        trace: PathBuf,
    },
    /// Capture what Chromium and a relay say to each other, and judge it.
    Chromium {
        /// A relay built with the feature `trace`.
        #[arg(long)]
        relay: PathBuf,
        /// The built app.
        #[arg(long)]
        app: PathBuf,
        /// For how many seconds, a fifth of them under TLS and with the fault.
        #[arg(long, default_value_t = 260)]
        seconds: u64,
        /// How many threads keep the processor busy.
        #[arg(long, default_value_t = 0)]
        busy: usize,
        /// A page whose section `chromium idle` or `chromium busy` gets the tables.
        #[arg(long)]
        page: Option<PathBuf>,
    },
    /// Watch the ticks of a page in front, behind another tab, frozen, and back.
    Hidden {
        /// A relay built with the feature `trace`.
        #[arg(long)]
        relay: PathBuf,
        /// The built app.
        #[arg(long)]
        app: PathBuf,
        /// So many times as short are the gaps.
        #[arg(long, default_value_t = 1)]
        quicker: u32,
        /// Seconds in front, behind, frozen.
        #[arg(long, num_args = 3, default_values_t = [120, 600, 120])]
        seconds: Vec<u64>,
        /// A page whose section `hidden` gets the table.
        #[arg(long)]
        page: Option<PathBuf>,
    },
    /// Capture what native clients and a running relay say to each other, and judge it.
    Native {
        /// Where the relay listens.
        #[arg(long)]
        relay: SocketAddr,
        /// How many clients.
        #[arg(long, default_value_t = 30)]
        clients: u64,
        /// For how many seconds.
        #[arg(long, default_value_t = 45)]
        seconds: u64,
        /// Where the frames of the clients that seal before their ticks go, a line each.
        #[arg(long)]
        trace: Option<PathBuf>,
        /// A page whose section `captures` gets the tables.
        #[arg(long)]
        page: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Chromium {
            relay,
            app,
            seconds,
            busy,
            page,
        } => {
            let chromium = chromium::Chromium {
                relay,
                app,
                seconds,
                busy,
            };
            captures(&chromium, page.as_deref())
        }
        Command::Prove {
            quick,
            long,
            page,
            pictures,
        } => {
            let size = match (quick, long) {
                (true, _) => Size::QUICK,
                (_, true) => Size::LONG,
                _ => Size::WHOLE,
            };
            prove(size, page.as_deref(), pictures.as_deref())
        }
        Command::Judge { trace } => judge(&trace),
        Command::Hidden {
            relay,
            app,
            quicker,
            seconds,
            page,
        } => hidden(&relay, &app, quicker, &seconds, page.as_deref()),
        Command::Native {
            relay,
            clients,
            seconds,
            trace,
            page,
        } => {
            let lasts = Duration::from_secs(seconds);
            let native_clients = capture::Native {
                relay,
                clients,
                lasts,
            };
            native(native_clients, trace.as_deref(), page.as_deref())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("ume-cover: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn prove(size: Size, page: Option<&Path>, pictures: Option<&Path>) -> Result {
    let proof = Proof::of(size);
    let text = report::all(&proof.tables);
    println!("\n{text}");
    if let Some(page) = page {
        fill(page, "figures", &text)?;
    }
    if let Some(folder) = pictures {
        proof.draw(folder)?;
    }
    report::judge(&proof.tables)
}

/// Puts a text into a section of a page.
fn fill(page: &Path, section: &str, text: &str) -> Result {
    let failed = |error| Fault::File(page.to_owned(), error);
    let old = std::fs::read_to_string(page).map_err(failed)?;
    let new = report::insert(&old, section, text)
        .ok_or_else(|| Fault::Text(format!("{} has no section `{section}`", page.display())))?;
    std::fs::write(page, new).map_err(failed)
}

fn judge(file: &Path) -> Result {
    let text =
        std::fs::read_to_string(file).map_err(|error| Fault::File(file.to_owned(), error))?;
    let table = capture::residuals(&trace::read(&text)?);
    println!("\n{}", table.markdown());
    report::judge(&[table])
}

fn captures(chromium: &chromium::Chromium, page: Option<&Path>) -> Result {
    let tables = chromium::captures(chromium)?;
    let text = report::all(&tables);
    println!("\n{text}");
    if let Some(page) = page {
        let idle = chromium.busy == 0;
        fill(
            page,
            if idle {
                "chromium idle"
            } else {
                "chromium busy"
            },
            &text,
        )?;
    }
    report::judge(&tables)
}

fn hidden(relay: &Path, app: &Path, quicker: u32, seconds: &[u64], page: Option<&Path>) -> Result {
    let &[front, behind, frozen] = seconds else {
        return Err(Fault::Text("seconds are three numbers".to_owned()));
    };
    let table = hidden::watch(relay, app, quicker, [front, behind, frozen])?;
    let text = table.markdown();
    println!("\n{text}");
    if let Some(page) = page {
        fill(page, "hidden", &text)?;
    }
    report::judge(&[table])
}

fn native(native: capture::Native, trace: Option<&Path>, page: Option<&Path>) -> Result {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let (tables, frames) = runtime.block_on(capture::native(native))?;
    if let Some(file) = trace {
        let failed = |error| Fault::File(file.to_owned(), error);
        std::fs::write(file, trace::write(&frames)).map_err(failed)?;
    }
    let text = report::all(&tables);
    println!("\n{text}");
    if let Some(page) = page {
        fill(page, "captures", &text)?;
    }
    report::judge(&tables)
}

//! The load generator: what a delivery costs a relay and its peers.
//!
//! One thread, raw sockets and epoll: a comfortable client would be the bottleneck of what it measures.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)] // Figures of measurements, and counters that stay far below their types' ends.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bench;
mod cases;
mod cover;
mod dialect;
mod fault;
mod floor;
mod goals;
mod idle;
mod inflow;
mod machine;
mod net;
mod reference;
mod server;
mod soak;
mod traffic;
mod ws;

use clap::{Parser, Subcommand};
use std::{net::SocketAddr, process::ExitCode};

/// Loads a relay and its peers and measures what a delivery costs them.
#[derive(Parser)]
#[command(name = "ume-load", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure the relay beside its peers and judge the goals.
    Bench(bench::Bench),
    /// Load a relay for hours and watch its memory and descriptors.
    Soak(soak::Soak),
    /// The server that stands for the limit: raw TCP, no framing, no storage.
    RawServer {
        /// Where it listens.
        address: SocketAddr,
    },
}

fn main() -> ExitCode {
    machine::raise_descriptors();
    let result = match Cli::parse().command {
        Command::Bench(bench) => {
            machine::pin_self();
            bench::run(bench)
        }
        Command::Soak(soak) => soak::run(&soak),
        Command::RawServer { address } => reference::serve(address),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ume-load: {error}");
            ExitCode::FAILURE
        }
    }
}

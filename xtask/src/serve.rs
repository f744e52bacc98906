//! `cargo xtask run`: everything from nothing to an address in a browser.
use crate::fault::{Fault, Result};
use crate::process::{cargo, program, run as run_program};
use crate::repo::Repo;
use crate::{app, setup};
use std::net::TcpListener;
use std::process::Command;

const DEFAULT_LISTEN: &str = "127.0.0.1:7700";

pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result {
    let asked = match arguments {
        [] => None,
        [flag, address] if flag == "--listen" => Some(address.as_str()),
        _ => return Err(Fault::new("`run` takes only `--listen ADDRESS:PORT`")),
    };
    setup::ready(repo, setup::Need::Run)?;
    app::build(repo, false)?;
    build_relay(repo)?;
    let listen = listen_address(asked)?;

    println!("\n    ume is at  http://{listen}\n    Its data is in ./data. Stop it with Ctrl-C.\n");
    let mut relay = program(repo, repo.relay());
    relay.args([
        "run", "--listen", &listen, "--data", "./data", "--app", "./dist",
    ]);
    become_program(&mut relay)
}

/// The relay as people run it.
pub(crate) fn build_relay(repo: &Repo) -> Result {
    run_program(&mut cargo(
        repo,
        &["build", "--release", "--locked", "--package", "ume-relay"],
    ))
}

fn listen_address(asked: Option<&str>) -> Result<String> {
    let wanted = asked.unwrap_or(DEFAULT_LISTEN);
    if TcpListener::bind(wanted).is_ok() {
        return Ok(wanted.to_owned());
    }
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    match (asked, free) {
        (None, Ok(address)) => {
            println!("Something else listens on {wanted}; taking {address} this time.");
            Ok(address.to_string())
        }
        _ => Err(Fault::new(format!(
            "cannot listen on {wanted}: something else does, or it is not ours"
        ))),
    }
}

/// Puts the relay in the place of this process, so that Ctrl-C and every other signal reach it.
#[cfg(unix)]
fn become_program(command: &mut Command) -> Result {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(Fault::new(format!("the relay did not start: {error}")))
}

#[cfg(not(unix))]
fn become_program(command: &mut Command) -> Result {
    run_program(command)
}

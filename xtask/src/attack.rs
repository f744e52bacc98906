//! `cargo xtask attack`: strangers' attacks on the real relay, and outside judges of it.
use crate::fault::{During, Fault, Result};
use crate::process::{cargo, has, probe, program, run};
use crate::repo::Repo;
use crate::serve;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const KILLS: &str = "1000";
const AUTOBAHN: &str = "autobahntestsuite==0.8.2";

/// All attacks, or those named; `autobahn` and `kill` are judges of their own.
pub(crate) fn attack(repo: &Repo, arguments: &[String]) -> Result {
    match arguments.first().map(String::as_str) {
        Some("autobahn") => autobahn(repo),
        Some("kill") => kill(repo),
        _ => {
            slowhttptest(repo)?;
            attackers(repo, arguments)
        }
    }
}

/// The quick ones, which fit into every test run.
pub(crate) fn quick(repo: &Repo) -> Result {
    let names = [
        "giants",
        "continuations",
        "pings",
        "half-open",
        "half-tls",
        "noise",
        "numbers",
    ];
    let mut arguments = vec!["--quick".to_owned()];
    arguments.extend(names.iter().map(|name| (*name).to_owned()));
    attackers(repo, &arguments)
}

fn attackers(repo: &Repo, arguments: &[String]) -> Result {
    serve::build_relay(repo)?;
    run(&mut cargo(
        repo,
        &["build", "--release", "--locked", "--package", "ume-attack"],
    ))?;
    run(program(repo, repo.target().join("release/ume-attack"))
        .arg("--relay")
        .arg(repo.relay())
        .args(arguments))
}

/// The relay's test of kills, a thousand times.
fn kill(repo: &Repo) -> Result {
    run(cargo(
        repo,
        &[
            "nextest",
            "run",
            "--locked",
            "--release",
            "--package",
            "ume-relay",
            "--test",
            "kill",
            "--no-capture",
        ],
    )
    .env("UME_KILLS", KILLS))
}

/// Autobahn's cases on an echo server that is made of the relay's codec.
fn autobahn(repo: &Repo) -> Result {
    let (python, place) = autobahn_installed(repo)?;
    run(&mut cargo(
        repo,
        &[
            "build",
            "--release",
            "--locked",
            "--package",
            "ume-websocket",
            "--example",
            "echo",
        ],
    ))?;
    let (mut echo, address) = start(&repo.target().join("release/examples/echo"))?;
    let reports = repo.state().join("autobahn");
    fs::create_dir_all(&reports).during(reports.display())?;
    let result = run(Command::new(&python)
        .current_dir(repo.root())
        .arg("tests/attack/autobahn/run.py")
        .arg(&address)
        .arg(&reports)
        .env("PYTHONPATH", place));
    echo.kill().during("the echo server")?;
    echo.wait().during("the echo server")?;
    result
}

/// Starts the echo server; it says where it listens.
fn start(server: &Path) -> Result<(Child, String)> {
    let mut echo = Command::new(server)
        .arg("127.0.0.1:0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .during(server.display())?;
    let mut line = String::new();
    if let Some(out) = echo.stdout.take() {
        BufReader::new(out)
            .read_line(&mut line)
            .during("the echo server")?;
    }
    match line.trim().rsplit_once(' ') {
        Some((_, address)) => Ok((echo, address.to_owned())),
        None => Err(Fault::new("the echo server does not say where it listens")),
    }
}

/// A Python 2.7 and the folder with the test suite for it, which was never made to run on Python 3.
fn autobahn_installed(repo: &Repo) -> Result<(PathBuf, PathBuf)> {
    let python = python2(repo).ok_or_else(|| {
        Fault::new("Autobahn's test suite needs a Python 2.7 with pip (pyenv install 2.7.18)")
    })?;
    let place = repo.tools().join("autobahn");
    if !place.join("autobahntestsuite").is_dir() {
        run(Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .arg("--target")
            .arg(&place)
            .arg(AUTOBAHN))?;
    }
    Ok((python, place))
}

fn python2(repo: &Repo) -> Option<PathBuf> {
    let pyenv = env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".pyenv")))?;
    let installed = fs::read_dir(pyenv.join("versions"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin/python2.7"));
    installed
        .chain([PathBuf::from("python2.7")])
        .find(|python| probe(program(repo, python).args(["-m", "pip", "--version"])).is_some())
}

fn slowhttptest(repo: &Repo) -> Result {
    if has(repo, "slowhttptest") {
        return Ok(());
    }
    Err(Fault::new(
        "slowhttptest is needed (Debian: apt-get install slowhttptest)",
    ))
}

//! `cargo xtask cover`: attacks cover traffic as an observer would, and writes what is found into `docs/cover.md`.
use crate::fault::{During, Fault, Result};
use crate::process::{cargo, program, run as run_program};
use crate::repo::Repo;
use crate::{app, setup};
use std::fs;
use std::path::PathBuf;

const RUN: [&str; 5] = ["run", "--release", "--locked", "--package", "ume-cover"];
const PAGE: [&str; 2] = ["--page", "docs/cover.md"];
const PICTURES: [&str; 2] = ["--pictures", "docs/images"];

/// Seeds and hours over which the engine's lines have to look the same.
const LONG: [(&str, &str); 2] = [("UME_COVER_SEEDS", "1000"), ("UME_COVER_HOURS", "24")];

/// The proof in virtual time, or another one. `--quick` tries a little of everything and writes nothing.
pub(crate) fn run(repo: &Repo, words: &[String]) -> Result {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [] => run_program(
            cargo(repo, &RUN)
                .args(["--", "prove"])
                .args(PAGE)
                .args(PICTURES),
        ),
        ["--quick"] => run_program(cargo(repo, &RUN).args(["--", "prove", "--quick"])),
        ["--long"] => long(repo),
        ["captures"] => captures(repo),
        ["hidden"] => {
            let relay = ready(repo)?;
            let mut cover = cover(repo, "hidden", &relay);
            run_program(cover.args(PAGE))
        }
        _ => Err(Fault::new(
            "`cover` takes `--quick`, `--long`, `captures` or `hidden`",
        )),
    }
}

/// More seeds than anybody waits for: of the schedule alone, and of the engine around it.
fn long(repo: &Repo) -> Result {
    run_program(
        cargo(repo, &RUN)
            .args(["--", "prove", "--long"])
            .args(PAGE)
            .args(PICTURES),
    )?;
    let test = [
        "nextest",
        "run",
        "--release",
        "--locked",
        "--package",
        "ume-sim",
    ];
    // No end to the time of a test: the profile says so.
    let chosen = [
        "--profile",
        "long",
        "-E",
        "test(looks_the_same_whatever_happens)",
    ];
    run_program(cargo(repo, &test).args(chosen).envs(LONG))
}

/// Chromium and a relay, on an idle processor and on one that is not.
fn captures(repo: &Repo) -> Result {
    let relay = ready(repo)?;
    run_program(cover(repo, "chromium", &relay).args(PAGE))?;
    let mut busy = cover(repo, "chromium", &relay);
    run_program(busy.args(PAGE).args(["--busy", "2"]))
}

fn cover(repo: &Repo, command: &str, relay: &PathBuf) -> std::process::Command {
    let mut cover = program(repo, repo.target().join("release/ume-cover"));
    cover.arg(command).arg("--relay").arg(relay);
    cover.arg("--app").arg(repo.dist());
    cover
}

/// Builds everything that captures take. Gives the relay that writes down when frames leave, which is put aside: nothing
/// else may take it for the one that people run.
fn ready(repo: &Repo) -> Result<PathBuf> {
    setup::ready(repo, setup::Need::Test)?;
    app::build(repo, false)?;
    let build = ["build", "--release", "--locked", "--package"];
    run_program(cargo(repo, &build).args(["ume-relay", "--features", "trace"]))?;
    let relay = repo.state().join("ume-relay-trace");
    fs::create_dir_all(repo.state()).during(repo.state().display())?;
    fs::rename(repo.relay(), &relay).during(relay.display())?;
    run_program(cargo(repo, &build).arg("ume-cover"))?;
    Ok(relay)
}

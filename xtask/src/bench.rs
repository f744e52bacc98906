//! `cargo xtask bench`: the budgets, measured on the release build in Chromium.
use crate::fault::{During, Result};
use crate::process::{cargo, program, run as run_program};
use crate::repo::Repo;
use crate::{app, serve, setup};
use std::fs;

pub(crate) fn run(repo: &Repo) -> Result {
    setup::ready(repo, setup::Need::Test)?;
    app::build(repo, false)?;
    serve::build_relay(repo)?;
    run_program(
        program(repo, "node")
            .arg("tests/bench/main.mjs")
            .env("UME_RELAY", repo.relay())
            .env("UME_DIST", repo.dist())
            .env("UME_SIZES", app::sizes_file(repo)),
    )
}

/// Looking for something among very many posts: the engine by itself, as a native program, or with `wasm` as what browsers
/// run, in Node.
pub(crate) fn search(repo: &Repo, words: &[String]) -> Result {
    const PACKAGE: &str = "ume-search-bench";
    if words.first().map(String::as_str) != Some("wasm") {
        let build = ["run", "--release", "--locked", "--package", PACKAGE, "--"];
        return run_program(cargo(repo, &build).args(words));
    }
    setup::ready(repo, setup::Need::Test)?;
    let build = [
        "build",
        "--locked",
        "--profile",
        "app",
        "--target",
        "wasm32-unknown-unknown",
    ];
    run_program(cargo(repo, &build).args(["--package", PACKAGE]))?;
    let place = repo.target().join("search-bench");
    let modules = repo.target().join("wasm32-unknown-unknown/app");
    run_program(
        program(repo, "wasm-bindgen")
            .args([
                "--no-typescript",
                "--target",
                "nodejs",
                "--out-name",
                "bench",
                "--out-dir",
            ])
            .arg(&place)
            .arg(modules.join(format!("{PACKAGE}.wasm"))),
    )?;
    // What it makes is no module, whatever the scripts around it are.
    let package = place.join("package.json");
    fs::write(&package, "{}").during(package.display())?;
    run_program(program(repo, "node").arg(place.join("bench.js")))
}

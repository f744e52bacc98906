//! `cargo xtask bench`: the budgets, measured on the release build in Chromium.
use crate::fault::Result;
use crate::process::{program, run as run_program};
use crate::repo::Repo;
use crate::{app, serve, setup};

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

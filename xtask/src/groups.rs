//! `cargo xtask bench groups`: what joining, removing and posting cost in communities of any size.
use crate::fault::Result;
use crate::process::{cargo, run as run_program};
use crate::repo::Repo;

/// Builds the bench for release and runs it with these words.
pub(crate) fn run(repo: &Repo, words: &[String]) -> Result {
    let arguments = [
        "run",
        "--release",
        "--locked",
        "--package",
        "ume-groups-bench",
        "--",
    ];
    run_program(cargo(repo, &arguments).args(words))
}

//! `cargo xtask cover`: attacks cover traffic as an observer would, and writes what is found into `docs/cover.md`.
use crate::fault::{Fault, Result};
use crate::process::{cargo, run as run_program};
use crate::repo::Repo;

const RUN: [&str; 5] = ["run", "--release", "--locked", "--package", "ume-cover"];

/// The proof in virtual time. `--quick` tries a little of everything and writes nothing.
pub(crate) fn run(repo: &Repo, words: &[String]) -> Result {
    let mut command = cargo(repo, &RUN);
    command.args(["--", "prove"]);
    match words {
        [] => command.args(["--page", "docs/cover.md", "--pictures", "docs/images"]),
        [word] if word == "--quick" => command.arg(word),
        _ => {
            return Err(Fault::new("`cover` takes only `--quick`"));
        }
    };
    run_program(&mut command)
}

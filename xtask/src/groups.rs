//! `cargo xtask bench groups`: what joining, removing and posting cost in communities of any size.
use crate::fault::{Fault, Result};
use crate::process::{cargo, program, run as run_program};
use crate::repo::Repo;
use crate::{app, serve, setup};

/// The workspace of its own in which other libraries do the same work.
pub(crate) const MLS_BENCH: &str = "tests/mls/Cargo.toml";
/// What is measured of ume alone.
const RECONCILE: &str = "reconcile";

const BUILD: [&str; 4] = ["--release", "--locked", "--package", "ume-groups-bench"];

/// Builds the bench for release and runs it with these words; then the same work by mls-rs.
pub(crate) fn run(repo: &Repo, words: &[String]) -> Result {
    if let Some((first, words)) = words.split_first()
        && first == "chromium"
    {
        return chromium(repo, words);
    }
    run_program(cargo(repo, &["run"]).args(BUILD).arg("--").args(words))?;
    let shared: Vec<&String> = words.iter().filter(|word| *word != RECONCILE).collect();
    if shared.is_empty() && !words.is_empty() {
        return Ok(());
    }
    let arguments = ["run", "--release", "--locked", "--manifest-path", MLS_BENCH];
    run_program(
        cargo(repo, &arguments)
            .arg("--target-dir")
            .arg(repo.target().join("mls"))
            .arg("--")
            .args(shared),
    )
}

/// A long feed in Chromium: two engines write it, on a real relay.
pub(crate) fn feed(repo: &Repo, words: &[String]) -> Result {
    let posts = match words {
        [] => "10000",
        [flag, posts] if flag == "--posts" => posts,
        _ => return Err(Fault::new("`bench feed` takes only `--posts 10000`")),
    };
    in_chromium(repo, "tests/bench/feed.mjs", ("UME_POSTS", posts))
}

/// The app's release build in Chromium, on a real relay, among visitors who are real engines.
fn chromium(repo: &Repo, words: &[String]) -> Result {
    let sizes = match words {
        [] => "10,100,1000",
        [flag, sizes] if flag == "--sizes" => sizes,
        _ => {
            return Err(Fault::new(
                "`bench groups chromium` takes only `--sizes 10,100`",
            ));
        }
    };
    in_chromium(repo, "tests/bench/groups.mjs", ("UME_GROUP_SIZES", sizes))
}

fn in_chromium(repo: &Repo, script: &str, (name, value): (&str, &str)) -> Result {
    setup::ready(repo, setup::Need::Test)?;
    app::build(repo, false)?;
    serve::build_relay(repo)?;
    run_program(cargo(repo, &["build"]).args(BUILD))?;
    run_program(
        program(repo, "node")
            .arg(script)
            .env("UME_RELAY", repo.relay())
            .env("UME_DIST", repo.dist())
            .env("UME_GROUPS", repo.target().join("release/ume-groups-bench"))
            .env(name, value),
    )
}

use crate::fault::{During, Result};
use crate::repo::Repo;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::fs;

/// Everything that the app is made of, and what makes it.
const INPUTS: [&str; 16] = [
    ".cargo",
    "Cargo.lock",
    "Cargo.toml",
    "assets",
    "build",
    "build.rs",
    "crates/api",
    "crates/engine",
    "crates/vault",
    "crates/wire",
    "index.html",
    "locales",
    "package-lock.json",
    "rust-toolchain.toml",
    "src",
    "worker",
];

/// A hash over the content of every input.
pub(super) fn of_inputs(repo: &Repo) -> Result<String> {
    let mut hash = Sha256::new();
    for input in INPUTS
        .into_iter()
        .chain(["xtask/src/app", "xtask/src/app.rs", "xtask/node"])
    {
        for path in repo.files_below(input)? {
            let content = fs::read(&path).during(path.display())?;
            hash.update(repo.relative(&path));
            hash.update([0]);
            hash.update(Sha256::digest(&content));
        }
    }
    Ok(HEXLOWER.encode(&hash.finalize()))
}

use super::Files;
use crate::fault::{During, Fault, Result};
use crate::process::{capture, program};
use crate::repo::{Repo, extension};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;
use std::thread;

/// What wasm-opt may assume of a browser. Never `--all-features`: its output does not compile in any of them.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// How it shrinks. Functions in the order of their names: those of one generic origin are much alike, and what is alike and
/// near is what Brotli finds. It finds an expression that is computed twice as well, and better than what would spare it.
const PASSES: [&str; 3] = [
    "-Oz",
    "--skip-pass=local-cse",
    "--reorder-functions-by-name",
];

/// Runs wasm-opt over every module, side by side; a module that did not change is taken from the last time.
pub(super) fn all(repo: &Repo, files: &mut Files) -> Result {
    let cache = repo.state().join("wasm-opt");
    fs::create_dir_all(&cache).during(cache.display())?;
    let modules = files
        .iter_mut()
        .filter(|(name, _)| extension(name) == "wasm");
    thread::scope(|scope| {
        let work: Vec<_> = modules
            .map(|(_, content)| scope.spawn(|| shrink(repo, &cache, content)))
            .collect();
        work.into_iter().try_for_each(|module| {
            module
                .join()
                .unwrap_or_else(|_| Err(Fault::new("wasm-opt: a thread died")))
        })
    })
}

fn shrink(repo: &Repo, cache: &Path, content: &mut Vec<u8>) -> Result {
    let how = PASSES.concat();
    let key = HEXLOWER.encode(
        &Sha256::new()
            .chain_update(how)
            .chain_update(&*content)
            .finalize(),
    );
    let small = cache.join(format!("{key}.small.wasm"));
    if !small.is_file() {
        let large = cache.join(format!("{key}.wasm"));
        let partial = cache.join(format!("{key}.partial.wasm"));
        fs::write(&large, &*content).during(large.display())?;
        capture(
            program(repo, "wasm-opt")
                .args(PASSES)
                .args(FEATURES)
                .arg(&large)
                .arg("-o")
                .arg(&partial),
        )?;
        fs::remove_file(&large).during(large.display())?;
        fs::rename(&partial, &small).during(small.display())?;
    }
    *content = fs::read(&small).during(small.display())?;
    Ok(())
}

//! A file that outgrew this has more than one reason to change.
use crate::fault::{During, Fault, Result};
use crate::repo::{Repo, extension};
use std::fs;

const LINES_MAX: usize = 800;
const FOLDERS: [&str; 7] = ["crates", "fuzz", "relay", "src", "tests", "worker", "xtask"];
const KINDS: [&str; 4] = ["rs", "mjs", "js", "css"];

pub(crate) fn check(repo: &Repo) -> Result {
    let mut faults = Vec::new();
    for folder in FOLDERS {
        for path in repo.files_below(folder)? {
            let name = repo.relative(&path);
            if KINDS.contains(&extension(&name)) {
                let lines = fs::read_to_string(&path).during(&name)?.lines().count();
                if lines > LINES_MAX {
                    faults.push(format!("{name} has {lines} lines, more than {LINES_MAX}"));
                }
            }
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Fault::new(faults.join("\n       ")))
    }
}

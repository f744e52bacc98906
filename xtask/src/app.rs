//! The app for release: built, shrunk, named by its content, compressed and checked.
mod budget;
mod fingerprint;
mod modules;
mod names;
mod page;
mod shrink;
mod sinks;
mod split;
pub(crate) mod words;

use crate::fault::{During, Result};
use crate::process::{capture, program};
use crate::repo::{Repo, slashed};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The files of the app by their path below its root, with `/` between the parts.
type Files = BTreeMap<String, Vec<u8>>;

/// Builds the app into `dist/`, unless nothing changed since the last time or `force` is set.
pub(crate) fn build(repo: &Repo, force: bool) -> Result {
    let inputs = fingerprint::of_inputs(repo)?;
    let remembered = repo.state().join("app.fingerprint");
    let fresh = fs::read_to_string(&remembered).is_ok_and(|last| last == inputs);
    if fresh && !force && repo.dist().join("index.html").is_file() {
        println!("build: the app in dist/ is up to date");
        return Ok(());
    }
    let start = Instant::now();
    let mut files = modules::all(repo)?;
    println!("build: compiled after {} s", start.elapsed().as_secs());
    shrink::all(repo, &mut files)?;
    sinks::close(&mut files);
    sinks::refuse(&files)?;
    let files = names::by_content(files)?;
    let fresh_dist = repo.path("dist.new");
    write(&fresh_dist, &files)?;
    let sizes = compress(repo, &fresh_dist)?;
    replace(&fresh_dist, &repo.dist())?;
    println!(
        "build: dist/ is ready after {} s",
        start.elapsed().as_secs()
    );
    budget::report(&sizes);

    fs::create_dir_all(repo.state()).during(repo.state().display())?;
    fs::write(sizes_file(repo), sizes.to_string()).during("remembering sizes")?;
    fs::write(&remembered, inputs).during(remembered.display())
}

/// Where the sizes of the last build are: `{"<path>": {"raw": n, "br": n}}`, bytes.
pub(crate) fn sizes_file(repo: &Repo) -> PathBuf {
    repo.state().join("sizes.json")
}

fn read(root: &Path) -> Result<Files> {
    fn visit(root: &Path, folder: &Path, files: &mut Files) -> Result {
        for entry in fs::read_dir(folder).during(folder.display())? {
            let path = entry.during(folder.display())?.path();
            if path.is_dir() {
                visit(root, &path, files)?;
            } else {
                let name = slashed(path.strip_prefix(root).unwrap_or(&path));
                files.insert(name, fs::read(&path).during(path.display())?);
            }
        }
        Ok(())
    }
    let mut files = Files::new();
    visit(root, root, &mut files)?;
    Ok(files)
}

fn write(root: &Path, files: &Files) -> Result {
    if root.exists() {
        fs::remove_dir_all(root).during(root.display())?;
    }
    for (name, content) in files {
        let path = root.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).during(folder.display())?;
        }
        fs::write(&path, content).during(path.display())?;
    }
    Ok(())
}

/// Writes the `.br` twins, proves that every module compiles, and says how large everything is.
fn compress(repo: &Repo, root: &Path) -> Result<serde_json::Value> {
    let printed = capture(program(repo, "node").arg("xtask/node/finish.mjs").arg(root))?;
    serde_json::from_str(&printed).during("finish.mjs")
}

fn replace(fresh: &Path, place: &Path) -> Result {
    if place.exists() {
        fs::remove_dir_all(place).during(place.display())?;
    }
    fs::rename(fresh, place).during(place.display())
}

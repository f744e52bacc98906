//! What the page says that it is made of: three WebAssembly modules and files that are copied.
//!
//! `index.html` says it in the form that Trunk reads, so that `trunk serve` and the release are made of the same. The
//! release is built without Trunk: compiling it takes longer than compiling ume.
use super::{Files, page, read, split};
use crate::fault::{During, Fault, Result};
use crate::process::{cargo, program, run};
use crate::repo::Repo;
use std::fs;
use std::path::Path;

const PAGE: &str = "index.html";
/// The release profile of what browsers download.
const PROFILE: &str = "app";
/// The package whose module is cut in two.
const APP: &str = "ume";
const WASM: &str = "wasm32-unknown-unknown";

/// A program of a package that becomes a module with its glue.
struct Module {
    package: &'static str,
    program: String,
    /// What kind of script loads it.
    script: String,
}

/// Builds and gathers everything.
pub(super) fn all(repo: &Repo) -> Result<Files> {
    let page = fs::read_to_string(repo.path(PAGE)).during(PAGE)?;
    let place = repo.target().join("app-modules");
    if place.exists() {
        fs::remove_dir_all(&place).during(place.display())?;
    }
    let modules = modules(&page)?;
    compile(repo, &modules)?;
    for module in &modules {
        bind(repo, module, &place)?;
    }
    super::words::write(repo)?;
    let mut files = read(&place)?;
    for tag in page::tags(&page).filter(|tag| page::is_for_trunk(tag)) {
        let path = page::attribute(tag, "href").unwrap_or_default();
        match page::attribute(tag, "rel") {
            Some("copy-file") => {
                let content = fs::read(repo.path(path)).during(path)?;
                files.insert(last(path).to_owned(), content);
            }
            Some("copy-dir") => files.extend(
                read(&repo.path(path))?
                    .into_iter()
                    .map(|(name, content)| (format!("{}/{name}", last(path)), content)),
            ),
            _ => {}
        }
    }
    files.insert(PAGE.to_owned(), page.into_bytes());
    Ok(files)
}

fn modules(page: &str) -> Result<Vec<Module>> {
    page::tags(page)
        .filter(|tag| page::is_for_trunk(tag) && page::attribute(tag, "rel") == Some("rust"))
        .map(|tag| {
            let package = match page::attribute(tag, "href") {
                Some("Cargo.toml") => APP,
                Some("worker/Cargo.toml") => "ume-worker",
                _ => return Err(Fault::new(format!("{PAGE}: whose is `{tag}`?"))),
            };
            let program = page::attribute(tag, "data-bin")
                .ok_or_else(|| Fault::new(format!("{PAGE}: `{tag}` names no program")))?;
            let script = page::attribute(tag, "data-bindgen-target").unwrap_or("web");
            Ok(Module {
                package,
                program: program.to_owned(),
                script: script.to_owned(),
            })
        })
        .collect()
}

/// One call for each package: together, each would get features that only the other one wants.
fn compile(repo: &Repo, modules: &[Module]) -> Result {
    let (apps, others): (Vec<_>, Vec<_>) = modules.iter().partition(|one| one.package == APP);
    for (verb, modules, last) in [("rustc", apps, &split::LINK[..]), ("build", others, &[])] {
        let mut command = cargo(repo, &[verb, "--locked", "--target", WASM]);
        command.args(["--profile", PROFILE]);
        for module in modules {
            command.args(["--package", module.package, "--bin", &module.program]);
        }
        if !last.is_empty() {
            command.arg("--").args(last);
        }
        run(&mut command)?;
    }
    Ok(())
}

/// Makes the script that loads a module.
fn bind(repo: &Repo, module: &Module, place: &Path) -> Result {
    let built = repo.target().join(WASM).join(PROFILE);
    let mut built = built.join(format!("{}.wasm", module.program));
    let mut bindgen = program(repo, "wasm-bindgen");
    if module.package == APP {
        built = split::cut(&built, place)?;
        // What the second module shares with the first.
        bindgen.arg("--keep-lld-exports");
    }
    run(bindgen
        .args(["--no-typescript", "--target", &module.script])
        .args(["--out-name", &module.program, "--out-dir"])
        .arg(place)
        .arg(built))?;
    if module.package == APP {
        split::join(place)?;
    }
    Ok(())
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_three_modules() {
        let page = include_str!("../../../index.html");
        let found = modules(page).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.package, one.program.as_str(), one.script.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("ume", "ume", "web"),
                ("ume-worker", "engine", "web"),
                ("ume-worker", "service", "no-modules")
            ]
        );
    }
}

//! `cargo xtask test`: every check and test in one order, each run even when another failed, and a summary.
use crate::check::{direction, length, purity, words};
use crate::fault::{During, Fault, Result};
use crate::process::{cargo, program, run};
use crate::repo::Repo;
use crate::{app, attack, fuzz, groups, serve, setup};
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// One line of the summary.
struct Step {
    name: &'static str,
    /// Needs no test run: part of `cargo xtask check`.
    quick: bool,
    work: fn(&Repo) -> Result,
}

const STEPS: [Step; 17] = [
    Step {
        name: "format",
        quick: true,
        work: format,
    },
    Step {
        name: "direction",
        quick: true,
        work: direction::check,
    },
    Step {
        name: "purity",
        quick: true,
        work: purity::check,
    },
    Step {
        name: "length",
        quick: true,
        work: length::check,
    },
    Step {
        name: "words",
        quick: true,
        work: words::check,
    },
    Step {
        name: "deny",
        quick: true,
        work: deny,
    },
    Step {
        name: "clippy",
        quick: true,
        work: clippy,
    },
    Step {
        name: "clippy-wasm",
        quick: true,
        work: clippy_wasm,
    },
    Step {
        name: "docs",
        quick: false,
        work: docs,
    },
    Step {
        name: "native",
        quick: false,
        work: native,
    },
    Step {
        name: "doctests",
        quick: false,
        work: doctests,
    },
    Step {
        name: "browser",
        quick: false,
        work: browser,
    },
    Step {
        name: "app",
        quick: false,
        work: |repo| app::build(repo, false),
    },
    Step {
        name: "relay",
        quick: false,
        work: serve::build_relay,
    },
    Step {
        name: "attack",
        quick: false,
        work: attack::quick,
    },
    Step {
        name: "fuzz",
        quick: false,
        work: fuzz::smoke,
    },
    Step {
        name: "e2e",
        quick: false,
        work: |repo| scenarios(repo, &[]),
    },
];

/// Everything that runs outside a browser.
const NATIVE: [&str; 3] = ["--workspace", "--exclude", "ume"];

/// Seeds of the simulation and kills of the relay that the whole suite goes through.
const SIM_SEEDS: &str = "2000";
const RELAY_KILLS: &str = "200";

pub(crate) fn test(repo: &Repo, names: &[String]) -> Result {
    if names.iter().any(|name| name == "--list") {
        let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        println!("{}", names.join("\n"));
        return Ok(());
    }
    if let Some(name) = names
        .iter()
        .find(|name| STEPS.iter().all(|step| step.name != *name))
    {
        return Err(Fault::new(format!(
            "no step `{name}`; `cargo xtask test --list` names them"
        )));
    }
    all(repo, |step| {
        names.is_empty() || names.iter().any(|name| name == step.name)
    })
}

pub(crate) fn check(repo: &Repo) -> Result {
    all(repo, |step| step.quick)
}

pub(crate) fn end_to_end(repo: &Repo, files: &[String]) -> Result {
    setup::ready(repo, setup::Need::Test)?;
    app::build(repo, false)?;
    serve::build_relay(repo)?;
    scenarios(repo, files)
}

fn all(repo: &Repo, chosen: impl Fn(&Step) -> bool) -> Result {
    let start = Instant::now();
    setup::ready(repo, setup::Need::Test)?;
    let mut rows = vec![("setup", true, start.elapsed())];
    for step in STEPS.iter().filter(|step| chosen(step)) {
        println!("\n==== {} ====", step.name);
        let start = Instant::now();
        let outcome = (step.work)(repo);
        if let Err(fault) = &outcome {
            println!("FAILED: {fault}");
        }
        rows.push((step.name, outcome.is_ok(), start.elapsed()));
    }
    summary(&rows)
}

fn summary(rows: &[(&str, bool, Duration)]) -> Result {
    println!("\n  {:<14}{:<8}{:>8}", "step", "result", "seconds");
    for (name, passed, took) in rows {
        println!(
            "  {name:<14}{:<8}{:>8.1}",
            if *passed { "ok" } else { "FAILED" },
            took.as_secs_f32()
        );
    }
    let failed: Vec<&str> = rows.iter().filter(|row| !row.1).map(|row| row.0).collect();
    println!(
        "\n{} passed, {} failed",
        rows.len() - failed.len(),
        failed.len()
    );
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Fault::new(format!("failed: {}", failed.join(", "))))
    }
}

fn format(repo: &Repo) -> Result {
    run(&mut cargo(repo, &["fmt", "--all", "--check"]))?;
    let other = ["fmt", "--manifest-path", groups::MLS_BENCH, "--check"];
    run(&mut cargo(repo, &other))
}

fn deny(repo: &Repo) -> Result {
    // Advisories come from a host that is no package registry; where it can be reached, run `cargo deny check`.
    for manifest in ["Cargo.toml", groups::MLS_BENCH] {
        run(program(repo, "cargo-deny").args([
            "--manifest-path",
            manifest,
            "--all-features",
            "--config",
            "deny.toml",
            "check",
            "bans",
            "licenses",
            "sources",
        ]))?;
    }
    Ok(())
}

fn clippy(repo: &Repo) -> Result {
    let mut command = cargo(repo, &["clippy", "--locked", "--all-targets"]);
    run(command.args(NATIVE).args(["--", "-D", "warnings"]))
}

fn clippy_wasm(repo: &Repo) -> Result {
    let packages = ["--package", "ume", "--package", "ume-worker"];
    let mut command = cargo(
        repo,
        &["clippy", "--locked", "--all-targets", "--target", WASM],
    );
    run(command.args(packages).args(["--", "-D", "warnings"]))
}

fn docs(repo: &Repo) -> Result {
    let mut command = cargo(repo, &["doc", "--locked", "--no-deps"]);
    for library in ["ume-api", "ume-engine", "ume-vault", "ume-wire"] {
        command.args(["--package", library]);
    }
    run(command.env("RUSTDOCFLAGS", "-D warnings"))
}

fn native(repo: &Repo) -> Result {
    run(
        cargo(repo, &["nextest", "run", "--locked", "--profile", "ci"])
            .args(NATIVE)
            .env("UME_SIM_SEEDS", SIM_SEEDS)
            .env("UME_KILLS", RELAY_KILLS),
    )
}

fn doctests(repo: &Repo) -> Result {
    run(cargo(repo, &["test", "--locked", "--quiet", "--doc"]).args(NATIVE))
}

const WASM: &str = "wasm32-unknown-unknown";

/// The adapters of the worker against the real IndexedDB, WebSocket and Web Locks of Chromium.
fn browser(repo: &Repo) -> Result {
    let capabilities = repo.state().join("webdriver.json");
    fs::create_dir_all(repo.state()).during(repo.state().display())?;
    fs::write(&capabilities, WEBDRIVER).during(capabilities.display())?;
    run(cargo(
        repo,
        &[
            "test",
            "--locked",
            "--package",
            "ume-worker",
            "--target",
            WASM,
        ],
    )
    .args(["--lib", "--tests"])
    .env(
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER",
        "wasm-bindgen-test-runner",
    )
    .env("CHROMEDRIVER", "chromedriver")
    .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", &capabilities)
    // Seconds for all tests of a file: some open a vault with a passphrase a dozen times.
    .env("WASM_BINDGEN_TEST_TIMEOUT", "240"))
}

const WEBDRIVER: &str = r#"{"goog:chromeOptions":{"args":
["--headless=new","--no-sandbox","--disable-gpu","--disable-dev-shm-usage","--no-first-run"]}}"#;

/// The end-to-end tests whose file name contains one of `wanted`, or all of them.
fn scenarios(repo: &Repo, wanted: &[String]) -> Result {
    let files: Vec<String> = repo
        .files_below("tests/e2e")?
        .iter()
        .map(|path| repo.relative(path))
        .filter(|name| name.ends_with(".test.mjs"))
        .filter(|name| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str())))
        .collect();
    if files.is_empty() {
        return Err(Fault::new("no end-to-end test has such a name"));
    }
    run(&mut browsers(repo, &files))
}

/// Runs files of tests with the relay and the app that were built.
fn browsers(repo: &Repo, files: &[String]) -> Command {
    let mut command = program(repo, "node");
    command
        .args([
            "--test",
            "--test-concurrency=2",
            "--test-reporter=spec",
            // Of a whole file; the longest looks at every page in every way.
            "--test-timeout=600000",
        ])
        .args(files)
        .env("UME_RELAY", repo.relay())
        .env("UME_DIST", repo.dist());
    command
}

/// Pictures of every page in every way, into a folder that is not kept.
pub(crate) fn pictures(repo: &Repo, arguments: &[String]) -> Result {
    let folder = match arguments {
        [] => repo.target().join("pictures"),
        [folder] => folder.into(),
        _ => return Err(Fault::new("`pictures` takes one folder at most")),
    };
    setup::ready(repo, setup::Need::Test)?;
    app::build(repo, false)?;
    serve::build_relay(repo)?;
    let files = ["tests/e2e/pictures.mjs".to_owned()];
    run(browsers(repo, &files).env("UME_PICTURES", &folder))?;
    println!("pictures are in {}", folder.display());
    Ok(())
}

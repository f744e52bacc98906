//! Installs what is missing, and only that.
use crate::fault::{During, Fault, Result};
use crate::process::{capture, has, probe, program, run};
use crate::repo::Repo;
use std::fs;
use std::path::Path;
use std::time::Instant;

/// What the machine is made ready for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Building and running ume.
    Run,
    /// Testing it as well: lints, nextest, deny, a browser.
    Test,
}

/// A program that cargo can install.
struct CargoTool {
    package: &'static str,
    /// The program and what makes it say its version.
    probe: &'static [&'static str],
    /// Beginning of the version that is needed; `version` is what gets installed.
    accepts: &'static str,
    version: &'static str,
    options: &'static [&'static str],
    need: Need,
}

const CARGO_TOOLS: [CargoTool; 3] = [
    CargoTool {
        // Must equal the version of the library in Cargo.lock.
        package: "wasm-bindgen-cli",
        probe: &["wasm-bindgen", "--version"],
        accepts: "0.2.130",
        version: "0.2.130",
        options: &[],
        need: Need::Run,
    },
    CargoTool {
        package: "cargo-nextest",
        probe: &["cargo-nextest", "nextest", "--version"],
        accepts: "0.9.",
        version: "0.9.143",
        options: &["--locked"],
        need: Need::Test,
    },
    CargoTool {
        package: "cargo-deny",
        probe: &["cargo-deny", "--version"],
        accepts: "0.20.2",
        version: "0.20.2",
        options: &["--locked"],
        need: Need::Test,
    },
];

/// Programs that the system's packages bring.
struct SystemTool {
    what: &'static str,
    programs: &'static [&'static str],
    packages: &'static [&'static str],
    /// Where the environment may say that there is another one.
    own: Option<&'static str>,
}

/// What testing needs.
const SYSTEM_TOOLS: [SystemTool; 3] = [
    SystemTool {
        what: "Chromium for the tests",
        programs: &["chromium", "chromedriver"],
        packages: &["chromium", "chromium-driver", "fonts-liberation"],
        own: Some("UME_CHROMIUM"),
    },
    SystemTool {
        what: "a certificate authority for the tests (pebble)",
        programs: &["pebble", "pebble-challtestsrv"],
        packages: &["pebble"],
        own: None,
    },
    CXX,
];

/// Opens what the relay sends to push services: a library that is not ours (`relay/tests/support/judge.py`).
const HTTP_ECE: &str = "http-ece==1.2.1";

/// What builds libFuzzer.
const CXX: SystemTool = SystemTool {
    what: "a C++ compiler for the fuzzers",
    programs: &["c++"],
    packages: &["g++"],
    own: Some("CXX"),
};

/// Makes the machine ready; says what it installs and how long that took, and nothing when all is there.
pub(crate) fn ready(repo: &Repo, need: Need) -> Result {
    toolchain(repo, need)?;
    node_packages(repo)?;
    for tool in CARGO_TOOLS
        .iter()
        .filter(|tool| tool.need == Need::Run || need == Need::Test)
    {
        cargo_tool(repo, tool)?;
    }
    if need == Need::Test {
        for tool in &SYSTEM_TOOLS {
            system_tool(repo, tool)?;
        }
        http_ece(repo)?;
    }
    Ok(())
}

/// The compiler for libFuzzer.
pub(crate) fn cxx(repo: &Repo) -> Result {
    system_tool(repo, &CXX)
}

fn toolchain(repo: &Repo, need: Need) -> Result {
    let sysroot = capture(program(repo, "rustc").args(["--print", "sysroot"]))?;
    let sysroot = Path::new(sysroot.trim());
    if !sysroot
        .join("lib/rustlib/wasm32-unknown-unknown/lib")
        .is_dir()
    {
        rustup(
            repo,
            "the WebAssembly target",
            &["target", "add", "wasm32-unknown-unknown"],
        )?;
    }
    for (file, component) in [("bin/cargo-fmt", "rustfmt"), ("bin/cargo-clippy", "clippy")] {
        if need == Need::Test && !sysroot.join(file).exists() {
            rustup(repo, component, &["component", "add", component])?;
        }
    }
    Ok(())
}

fn rustup(repo: &Repo, what: &str, arguments: &[&str]) -> Result {
    installing(what, || {
        run(program(repo, "rustup").args(arguments))
            .during("rustup could not add it; add it to your toolchain by hand")
    })
}

fn node_packages(repo: &Repo) -> Result {
    let wanted = fs::read(repo.path("package-lock.json")).during("package-lock.json")?;
    let stamp = repo.path("node_modules/.installed-lock.json");
    if fs::read(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    if probe(program(repo, "npm").arg("--version")).is_none() {
        return Err(Fault::new(
            "node and npm are needed (Debian: apt-get install nodejs npm)",
        ));
    }
    installing(
        "the node packages (wasm-opt, a driver for Chromium)",
        || run(program(repo, "npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])),
    )?;
    fs::write(&stamp, wanted).during(stamp.display())
}

fn cargo_tool(repo: &Repo, tool: &CargoTool) -> Result {
    let version = tool.probe.split_first().and_then(|(name, arguments)| {
        let line = probe(program(repo, name).args(arguments))?;
        line.split_whitespace().nth(1).map(str::to_owned)
    });
    if version.is_some_and(|version| version.starts_with(tool.accepts)) {
        return Ok(());
    }
    installing(
        &format!(
            "{} {} (compiles for a minute or two)",
            tool.package, tool.version
        ),
        || {
            let root = repo.tools();
            run(program(repo, "cargo")
                .args([
                    "install",
                    tool.package,
                    "--version",
                    tool.version,
                    "--force",
                    "--root",
                ])
                .arg(&root)
                .args(tool.options)
                // A tool that runs for seconds is not worth minutes of optimisation.
                .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
                .env("CARGO_PROFILE_RELEASE_LTO", "off")
                .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
                .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
                .env("CARGO_TARGET_DIR", root.join("build")))?;
            // Kept only to resume an install that was broken off.
            fs::remove_dir_all(root.join("build")).during(root.display())
        },
    )
}

fn system_tool(repo: &Repo, tool: &SystemTool) -> Result {
    let own = tool
        .own
        .is_some_and(|name| std::env::var_os(name).is_some());
    if own || tool.programs.iter().all(|name| has(repo, name)) {
        return Ok(());
    }
    if !has(repo, "apt-get") {
        let programs = tool.programs.join(" and ");
        return Err(Fault::new(format!(
            "{programs} are needed, and there is no apt-get to install them"
        )));
    }
    let root = probe(program(repo, "id").arg("-u")).is_some_and(|id| id.trim() == "0");
    let apt = |arguments: &[&str]| {
        let mut command = if root {
            program(repo, "apt-get")
        } else {
            program(repo, "sudo")
        };
        if !root {
            command.arg("apt-get");
        }
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        run(&mut command)
    };
    installing(tool.what, || {
        apt(&["update", "-qq"])?;
        let mut install = vec!["install", "-y", "-qq", "--no-install-recommends"];
        install.extend(tool.packages);
        apt(&install)
    })
}

/// For Python 3. Where there is none, or no way to install it, the tests that ask it say so and do the rest.
fn http_ece(repo: &Repo) -> Result {
    let place = repo.tools().join("http-ece");
    let pip = ["-m", "pip", "--version"];
    if place.join("http_ece").is_dir() || probe(program(repo, "python3").args(pip)).is_none() {
        return Ok(());
    }
    installing("a judge for Web Push (http-ece)", || {
        run(program(repo, "python3")
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--target",
            ])
            .arg(&place)
            .arg(HTTP_ECE))
    })
}

fn installing(what: &str, install: impl FnOnce() -> Result) -> Result {
    println!("setup: installing {what}");
    let start = Instant::now();
    install().during(format!("installing {what}"))?;
    println!("setup: {what}: done in {} s", start.elapsed().as_secs());
    Ok(())
}

//! `cargo xtask fuzz`: every parser that a stranger can reach, for a while each, three at a time.
//!
//! libFuzzer needs a compiler that counts which branches were taken. The flags that make ours do so are stable, so that no
//! other toolchain is needed; libFuzzer itself is C++ and comes with the crate `libfuzzer-sys`.
mod stats;

use crate::fault::{During, Fault, Result};
use crate::process::{capture, cargo, program, run};
use crate::repo::{Repo, extension};
use crate::setup;
use stats::Stats;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

const SECONDS: &str = "60";
/// libFuzzer takes another seed each time.
const ANY_SEED: &str = "0";
const SUITE_SEED: &str = "1";
/// Targets that run at once: more than two cores, as some wait for sockets and disks.
const JOBS: usize = 3;
/// Where all of it lies, below the target folder, with flags and so artifacts of its own.
const PLACE: &str = "fuzz";
/// Lines of the fuzzer's last words that are shown when it found something.
const LAST_WORDS: usize = 40;

/// What `cargo fuzz --sanitizer none` gives the compiler: a counter for every edge, a table of them, and calls at
/// comparisons, from which libFuzzer learns the bytes that are waited for.
const FLAGS: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// `--seconds N` and names of targets.
pub(crate) fn fuzz(repo: &Repo, arguments: &[String]) -> Result {
    let (seconds, names) = match arguments {
        [flag, seconds, names @ ..] if flag == "--seconds" => (seconds.as_str(), names),
        names => (SECONDS, names),
    };
    drive(repo, seconds, names, ANY_SEED)
}

/// All targets as in the test command: from the same seed each time, so that what it says of a commit stays said. New
/// seeds are for the named command.
pub(crate) fn smoke(repo: &Repo) -> Result {
    drive(repo, SECONDS, &[], SUITE_SEED)
}

fn drive(repo: &Repo, seconds: &str, names: &[String], seed: &str) -> Result {
    let mut targets = targets(repo)?;
    if let Some(unknown) = names.iter().find(|name| !targets.contains(name)) {
        return Err(Fault::new(format!(
            "`{unknown}` is none of the targets: {}",
            targets.join(", ")
        )));
    }
    targets.retain(|target| names.is_empty() || names.contains(target));
    setup::cxx(repo)?;
    let programs = build(repo)?;
    let scratch = Scratch::new(repo)?;
    let waiting = Mutex::new(targets.iter());
    let done = Mutex::new(Vec::new());
    let next = || waiting.lock().ok()?.next();
    thread::scope(|scope| {
        for _ in 0..JOBS {
            scope.spawn(|| {
                while let Some(target) = next() {
                    let found = one(repo, &programs, &scratch.0, target, [seconds, seed]);
                    if let Ok(mut done) = done.lock() {
                        done.push((target.as_str(), found));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().during("a fuzzer's thread")?;
    done.sort_by_key(|(target, _)| *target);
    summary(&done)
}

fn place(repo: &Repo) -> PathBuf {
    repo.target().join(PLACE)
}

/// All there are: a program each.
fn targets(repo: &Repo) -> Result<Vec<String>> {
    let files = repo.files_below("fuzz/targets")?;
    let names = files.iter().filter_map(|path| path.file_name()?.to_str());
    Ok(names
        .filter(|name| extension(name) == "rs")
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .collect())
}

/// Builds the programs; where they are.
fn build(repo: &Repo) -> Result<PathBuf> {
    let start = Instant::now();
    let version = capture(program(repo, "rustc").arg("-vV"))?;
    let mut lines = version.lines();
    let host = lines
        .find_map(|line| line.strip_prefix("host: "))
        .ok_or_else(|| Fault::new("rustc does not say what machine this is"))?;
    // With a target named, flags hold for what is fuzzed and not for what builds it.
    run(cargo(repo, &["build", "--locked", "--package", "ume-fuzz"])
        .args(["--bins", "--features", "libfuzzer", "--profile", "fuzz"])
        .args(["--target", host, "--target-dir"])
        .arg(place(repo))
        .env("RUSTFLAGS", FLAGS.join(" ")))?;
    println!("fuzz: built in {} s", start.elapsed().as_secs());
    Ok(place(repo).join(host).join("fuzz"))
}

/// One target. What it finds that is new grows a corpus on this machine; what fails lands beside it.
fn one(
    repo: &Repo,
    programs: &Path,
    scratch: &Path,
    target: &str,
    [seconds, seed]: [&str; 2],
) -> Result<Stats> {
    let folder = |name: &str| {
        let folder = place(repo).join(name).join(target);
        fs::create_dir_all(&folder).during(folder.display())?;
        Ok(folder)
    };
    let (corpus, artifacts) = (folder("corpus")?, folder("artifacts")?);
    let log = folder("logs")?.join("log");
    let out = File::create(&log).during(log.display())?;
    let status = program(repo, programs.join(target))
        .args([&corpus, &repo.path("fuzz/seeds").join(target)])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-seed={seed}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(["-timeout=25", "-rss_limit_mb=2048", "-detect_leaks=0"])
        .args(["-print_final_stats=1"])
        .env("TMPDIR", scratch)
        .stdout(Stdio::null())
        .stderr(out)
        .status()
        .during(target)?;
    let text = String::from_utf8_lossy(&fs::read(&log).during(log.display())?).into_owned();
    if status.success() {
        println!("fuzz: {target} ran {seconds} s");
        return Ok(Stats::read(&text));
    }
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.len().saturating_sub(LAST_WORDS);
    Err(Fault::new(format!(
        "{}\n{target} failed ({status}); the input is in {}",
        lines[last..].join("\n"),
        artifacts.display()
    )))
}

fn summary(done: &[(&str, Result<Stats>)]) -> Result {
    let mut failed = Vec::new();
    for (target, found) in done {
        if let Err(fault) = found {
            println!("\n{fault}");
            failed.push(*target);
        }
    }
    println!("\n  {:<12}{}", "target", Stats::HEAD);
    for (target, found) in done {
        match found {
            Ok(stats) => println!("  {target:<12}{stats}"),
            Err(_) => println!("  {target:<12}FAILED"),
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Fault::new(format!("failed: {}", failed.join(", "))))
    }
}

/// A place for what targets store, in memory where there is such a place; gone at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(repo: &Repo) -> Result<Self> {
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() {
            memory.join(format!("ume-fuzz-{}", std::process::id()))
        } else {
            place(repo).join("scratch")
        };
        fs::create_dir_all(&place).during(place.display())?;
        Ok(Self(place))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

use crate::fault::{During, Fault, Result};
use crate::repo::Repo;
use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

/// A program run in the root of the checkout, which finds our own tools first.
pub(crate) fn program(repo: &Repo, name: impl AsRef<Path>) -> Command {
    let ours = [repo.tools().join("bin"), repo.path("node_modules/.bin")];
    let theirs = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(ours.into_iter().chain(env::split_paths(&theirs)));
    // The lookup of a bare name uses the child's PATH when that is set explicitly.
    let mut command = Command::new(name.as_ref());
    command.current_dir(repo.root());
    if let Ok(path) = path {
        command.env("PATH", path);
    }
    command
}

/// `cargo` of the toolchain that runs this.
pub(crate) fn cargo(repo: &Repo, arguments: &[&str]) -> Command {
    let mut command = program(repo, "cargo");
    command.args(arguments);
    command
}

/// Runs a program with its output on the terminal.
pub(crate) fn run(command: &mut Command) -> Result {
    let line = describe(command);
    println!("$ {line}");
    let status = command.status().during(&line)?;
    if status.success() {
        Ok(())
    } else {
        Err(Fault::new(format!("`{line}` failed ({status})")))
    }
}

/// Runs a program and returns what it printed.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let line = describe(command);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .during(&line)?;
    if !output.status.success() {
        return Err(Fault::new(format!("`{line}` failed ({})", output.status)));
    }
    String::from_utf8(output.stdout).during(&line)
}

/// The first line that a program prints, or nothing when it is missing or fails.
pub(crate) fn probe(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = output.status.success().then_some(output.stdout)?;
    String::from_utf8_lossy(&text)
        .lines()
        .next()
        .map(str::to_owned)
}

/// Whether there is a program of this name. Not every program has an option that ends with success: the shell knows.
pub(crate) fn has(repo: &Repo, name: &str) -> bool {
    probe(program(repo, "sh").args(["-c", "command -v \"$0\"", name])).is_some()
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

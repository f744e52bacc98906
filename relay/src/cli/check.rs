//! `ume-relay check-config`.

use super::settings::Settings;
use crate::{
    config::{ConfigError, Finding, KEYS, Resolved, findings, unknown_variables},
    tls,
};
use std::{
    fmt::Write as _,
    io::{self, Write as _},
    process::ExitCode,
};

pub(super) const HELP: &str = "\
Prints every key with its value in the form of the configuration file, and behind it where the value comes from. What is
wrong goes to the standard error output. The exit code is 1 if the relay would not start like this, else 0. No key holds a
secret: private keys are in files of their own, which are read here, and never shown.";

/// Runs the command.
pub(super) fn run(settings: &Settings) -> ExitCode {
    let resolved = match settings.0.resolve() {
        Ok(resolved) => resolved,
        Err(errors) => return fail(&errors),
    };
    // A pipe that was closed early is no fault of the configuration.
    let _ = io::stdout()
        .lock()
        .write_all(effective(&resolved).as_bytes());
    let mut found = findings(&resolved.config);
    if let Err(error) = tls::check(&resolved.config) {
        found.push(Finding::Error(error.to_string()));
    }
    if let Some(app) = &resolved.config.app
        && !app.join("index.html").is_file()
    {
        let words = format!("app: {} holds no index.html", app.display());
        found.push(Finding::Error(words));
    }
    let unknown = unknown_variables().into_iter();
    found.extend(unknown.map(|name| {
        Finding::Warning(format!(
            "the environment holds {name}, which is no key of the relay"
        ))
    }));
    let mut code = ExitCode::SUCCESS;
    for finding in found {
        match finding {
            Finding::Error(words) => {
                eprintln!("error: {words}");
                code = ExitCode::FAILURE;
            }
            Finding::Warning(words) => eprintln!("warning: {words}"),
        }
    }
    code
}

/// Says what could not be read.
pub(super) fn fail(errors: &[ConfigError]) -> ExitCode {
    for error in errors {
        eprintln!("error: {error}");
    }
    ExitCode::FAILURE
}

/// The configuration as a file that could be used as it is.
pub(crate) fn effective(resolved: &Resolved) -> String {
    let mut text = String::new();
    for key in KEYS {
        let (value, source) = (key.value(&resolved.config), resolved.source(key));
        let _ = match value {
            Some(value) => writeln!(text, "{} = {value} # {source}", key.name),
            None => writeln!(text, "# {} is not set", key.name),
        };
    }
    text
}

//! The core asks nobody for the time, for chance or for the network: its sources do not name them.
use crate::fault::{During, Fault, Result};
use crate::repo::{Repo, extension};
use std::fs;

const CORE: [&str; 4] = [
    "crates/wire/src",
    "crates/engine/src",
    "crates/vault/src",
    "crates/api/src",
];
const OUTSIDE: [&str; 10] = [
    "SystemTime",
    "Instant::now",
    "std::net",
    "std::fs",
    "std::thread",
    "thread_rng",
    "OsRng",
    "getrandom",
    // A generator's own: it is given none. Recovery words are made `from_entropy` of the caller's.
    "from_entropy()",
    "web_time",
];

pub(crate) fn check(repo: &Repo) -> Result {
    let mut faults = Vec::new();
    for folder in CORE {
        for path in repo.files_below(folder)? {
            let name = repo.relative(&path);
            if extension(&name) == "rs" && !name.ends_with("/tests.rs") && !name.contains("/tests/")
            {
                let text = fs::read_to_string(&path).during(&name)?;
                faults.extend(
                    named(&text)
                        .into_iter()
                        .map(|(line, what)| format!("{name}:{line} names {what}")),
                );
            }
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Fault::new(faults.join("\n       ")))
    }
}

/// Line and word of each thing of the outside world that code names; comments and a module of tests may.
fn named(text: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        let next_is_tests = lines
            .peek()
            .is_some_and(|(_, next)| next.starts_with("mod tests {"));
        if line == "#[cfg(test)]" && next_is_tests {
            break;
        }
        let code = line.split("//").next().unwrap_or_default();
        found.extend(
            OUTSIDE
                .into_iter()
                .filter(|what| code.contains(what))
                .map(|what| (at + 1, what)),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_searched_and_comments_and_tests_are_not() {
        let text = "// OsRng\nlet a = OsRng;\n#[cfg(test)]\nmod tests {\n    use std::net::X;\n}\n";
        assert_eq!(named(text), [(2, "OsRng")]);
    }
}

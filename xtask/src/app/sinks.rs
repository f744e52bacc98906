use super::Files;
use crate::fault::{Fault, Result};
use crate::repo::extension;

/// What a page under our content security policy never does.
const SINKS: [&str; 6] = [
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "eval(",
    "new Function",
];

/// Fails when a script could turn text into markup or code.
pub(super) fn refuse(files: &Files) -> Result {
    let mut found = Vec::new();
    for (name, content) in files.iter().filter(|(name, _)| extension(name) == "js") {
        let text = String::from_utf8_lossy(content);
        for sink in SINKS {
            if text.contains(sink) {
                found.push(format!("{name} contains `{sink}`"));
            }
        }
    }
    if found.is_empty() {
        Ok(())
    } else {
        Err(Fault::new(found.join("\n       ")))
    }
}

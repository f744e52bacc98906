//! What could turn text into markup or code has no place in the scripts.
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

/// How the glue of a module gives the framework a way to set markup. Ours never uses it: texts are texts.
const MARKUP: &str = ".innerHTML = getStringFromWasm0(";
/// By this name the module asks for it; the name alone does nothing.
const MARKUP_NAME: &str = "__wbg_set_innerHTML_";

/// Takes that way out of the glue: whoever found it would meet an error, and not the browser's parser.
pub(super) fn close(files: &mut Files) {
    let scripts = files.iter_mut().filter(|(name, _)| extension(name) == "js");
    for (_, content) in scripts {
        let text = String::from_utf8_lossy(content);
        if text.contains(MARKUP) {
            *content = without_markup(&text).into_bytes();
        }
    }
}

fn without_markup(script: &str) -> String {
    let mut out = String::with_capacity(script.len());
    for line in script.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        if line.contains(MARKUP) {
            out += &line[..indent];
            out += "throw new Error(\"no markup is made from text\");\n";
        } else {
            out += line;
        }
    }
    out
}

/// Fails when a script could turn text into markup or code.
pub(super) fn refuse(files: &Files) -> Result {
    let mut found = Vec::new();
    for (name, content) in files.iter().filter(|(name, _)| extension(name) == "js") {
        let text = String::from_utf8_lossy(content).replace(MARKUP_NAME, "");
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

#[cfg(test)]
mod tests {
    use super::*;

    const GLUE: &str = "__wbg_set_innerHTML_a9: function(arg0, arg1, arg2) {\n    \
        arg0.innerHTML = getStringFromWasm0(arg1, arg2);\n},\n";

    #[test]
    fn no_way_to_markup_is_left() {
        let mut files = Files::from([("a.js".to_owned(), GLUE.as_bytes().to_vec())]);
        assert!(refuse(&files).is_err());
        close(&mut files);
        refuse(&files).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&files["a.js"]),
            "__wbg_set_innerHTML_a9: function(arg0, arg1, arg2) {\n    throw new Error(\"no markup is made from text\");\n},\n"
        );
    }

    #[test]
    fn every_other_way_is_refused() {
        let text = "element.innerHTML = text;\n";
        let mut files = Files::from([("a.js".to_owned(), text.as_bytes().to_vec())]);
        close(&mut files);
        assert!(refuse(&files).is_err());
    }
}

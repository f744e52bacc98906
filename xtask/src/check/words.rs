//! What people read comes from `locales/`: no view says it itself.
use crate::fault::{During, Fault, Result};
use crate::repo::{Repo, extension};
use std::fs;

const FOLDERS: [&str; 3] = ["src/components", "src/pages", "src/app.rs"];
/// Attributes that are read out or shown.
const READ_OUT: [&str; 6] = [
    "aria-label",
    "alt",
    "title",
    "placeholder",
    "label",
    "aria-description",
];
/// What only development builds show.
const DEVELOPERS: &str = "src/pages/gallery.rs";
/// What ume is called is the same in every language.
const NAMES: [&str; 1] = ["ume"];

pub(crate) fn check(repo: &Repo) -> Result {
    let mut faults = Vec::new();
    for folder in FOLDERS {
        for path in repo.files_below(folder)? {
            let name = repo.relative(&path);
            if extension(&name) == "rs" && name != DEVELOPERS {
                let text = fs::read_to_string(&path).during(&name)?;
                let found = literals(&text).into_iter();
                faults.extend(
                    found.map(|(line, words)| format!("{name}:{line} says \"{words}\" itself")),
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

/// Line and text of each literal with a letter in it that stands as a child of a tag, or as an attribute that is shown.
fn literals(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('"') {
        let Some((before, words)) = text.get(..at).zip(text.get(at + 1..)) else {
            continue;
        };
        let (Some(end), shown) = (words.find('"'), is_shown(before)) else {
            continue;
        };
        let words = words.get(..end).unwrap_or_default();
        if shown && words.chars().any(char::is_alphabetic) && !NAMES.contains(&words) {
            found.push((before.matches('\n').count() + 1, words.to_owned()));
        }
    }
    found
}

/// Whether what follows is shown: a child of a tag, which comes after one, or one of the attributes.
fn is_shown(before: &str) -> bool {
    let line = before.lines().next_back().unwrap_or_default();
    if line.contains("//") {
        return false;
    }
    let code = before.trim_end();
    if let Some(name) = code.strip_suffix('=') {
        return READ_OUT.iter().any(|attribute| {
            name.strip_suffix(attribute)
                .is_some_and(|rest| rest.ends_with(char::is_whitespace))
        });
    }
    // Not `=>`, `->` or a comparison: a tag ends after its name, a value or a quote.
    code.strip_suffix('>')
        .is_some_and(|tag| !tag.ends_with(['=', '-', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_and_attributes_that_are_shown_are_found() {
        let text = "view! { <p class=\"a\">\n\"Hello\"</p><b>{t!(i18n, a.b)}</b><img alt=\"A dog\">\n<i>\"ume\"</i> } match x { A => \"b\" }";
        assert_eq!(
            literals(text),
            [(2, "Hello".to_owned()), (2, "A dog".to_owned())]
        );
    }
}

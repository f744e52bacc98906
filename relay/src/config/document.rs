//! docs/operate.md holds the tables of this program as they are.

use super::{Config, KEYS};
use crate::journal;
use std::fmt::Write;

const DOCUMENT: &str = include_str!("../../../docs/operate.md");

/// What stands between a comment that begins so and the next one that says it ends.
fn part(name: &str) -> &'static str {
    let (_, part) = DOCUMENT.split_once(&format!("<!-- {name}: ")).unwrap();
    let (_, part) = part.split_once("-->\n").unwrap();
    part.split_once("<!-- end -->").unwrap().0
}

#[test]
fn all_keys_are_in_the_document() {
    let mut table = "| Key | Default | Takes | Reload | What |\n|---|---|---|---|---|\n".to_owned();
    for key in KEYS {
        let default = key.value(&Config::default());
        let default = default.map_or("-".into(), |value| format!("`{value}`"));
        let (name, form, help) = (key.name, key.form, key.help);
        let reload = if key.reloads { "yes" } else { "-" };
        writeln!(
            table,
            "| `{name}` | {default} | {form} | {reload} | {help} |"
        )
        .unwrap();
    }
    assert_eq!(part("keys"), table, "the table has to be:\n{table}");
}

#[test]
fn all_events_are_in_the_document() {
    let mut table = "| Event | Level | Words |\n|---|---|---|\n".to_owned();
    for event in journal::ALL {
        let (name, level, words) = (event.name, event.level, event.words);
        let level = format!("{level:?}").to_lowercase();
        writeln!(table, "| `{name}` | {level} | {words} |").unwrap();
    }
    assert_eq!(part("events"), table, "the table has to be:\n{table}");
}

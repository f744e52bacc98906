//! The texts of `locales/`, read and held against each other. The app's build script makes names of them, which are
//! compiled in; xtask makes a table of each language, which a browser fetches when somebody reads that language.
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A language that ume speaks.
pub(crate) struct Language {
    /// As in addresses, `lang` and the name of its file.
    pub(crate) name: &'static str,
    /// As those who speak it call it.
    pub(crate) own_name: &'static str,
    /// Whether it is written from right to left.
    pub(crate) rtl: bool,
    /// The plurals that it tells apart, beside `other`.
    plurals: &'static [&'static str],
}

/// All of them, the one that the others are held against first.
pub(crate) const LANGUAGES: [Language; 4] = [
    Language {
        name: "en",
        own_name: "English",
        rtl: false,
        plurals: &["one"],
    },
    Language {
        name: "de",
        own_name: "Deutsch",
        rtl: false,
        plurals: &["one"],
    },
    Language {
        name: "es",
        own_name: "Español",
        rtl: false,
        plurals: &["one"],
    },
    Language {
        name: "ar",
        own_name: "العربية",
        rtl: true,
        plurals: &["zero", "one", "two", "few", "many"],
    },
];

const PLURALS: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];

/// A text that every language has.
pub(crate) struct Place {
    /// Section and key, and the sections above if there are any.
    pub(crate) path: Vec<String>,
    /// What is filled in, in the order of its numbers.
    pub(crate) gaps: Vec<String>,
    /// Whether the text goes by how many there are: the gap `count`.
    pub(crate) counts: bool,
}

/// All texts.
pub(crate) struct Words {
    pub(crate) places: Vec<Place>,
    /// For each language the texts in the order of the places: gaps as `{0}`, plurals as `other|oone|ttwo`, each but the first
    /// after the first letter of its name.
    pub(crate) tables: Vec<Vec<String>>,
}

/// The forms of one text: `other` alone if it counts nothing.
type Forms = BTreeMap<&'static str, String>;
type Texts = BTreeMap<Vec<String>, Forms>;

impl Words {
    /// Reads the folder.
    ///
    /// # Errors
    /// Everything that is wrong, a line each.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let mut faults = Vec::new();
        let mut all = Vec::new();
        for language in &LANGUAGES {
            let path = folder.join(format!("{}.json", language.name));
            let text = fs::read_to_string(&path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            let root = serde_json::from_str(&text)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            let mut texts = Texts::new();
            gather(
                &root,
                &mut Vec::new(),
                &mut texts,
                &mut faults,
                language.name,
            );
            all.push(texts);
        }
        let words = compare(&all, &mut faults);
        if faults.is_empty() {
            Ok(words)
        } else {
            Err(faults.join("\n"))
        }
    }
}

fn gather(
    section: &Map<String, Value>,
    above: &mut Vec<String>,
    texts: &mut Texts,
    faults: &mut Vec<String>,
    language: &str,
) {
    for (key, value) in section {
        let (base, form) = key
            .rsplit_once('_')
            .and_then(|(base, end)| {
                let form = PLURALS.into_iter().find(|form| *form == end)?;
                Some((base, form))
            })
            .unwrap_or((key, "other"));
        above.push(base.to_owned());
        match value {
            Value::String(text) => {
                let forms = texts.entry(above.clone()).or_default();
                if forms.insert(form, text.clone()).is_some() {
                    faults.push(format!(
                        "{language}: {} is there with and without plurals",
                        above.join(".")
                    ));
                }
            }
            Value::Object(inner) => {
                above.pop();
                above.push(key.clone());
                gather(inner, above, texts, faults, language);
            }
            _ => faults.push(format!("{language}: {} is no text", above.join("."))),
        }
        above.pop();
    }
}

fn compare(all: &[Texts], faults: &mut Vec<String>) -> Words {
    let paths: BTreeSet<&Vec<String>> = all.iter().flat_map(Texts::keys).collect();
    let mut words = Words {
        places: Vec::new(),
        tables: all.iter().map(|_| Vec::new()).collect(),
    };
    for path in paths {
        let name = path.join(".");
        let Some(first) = all.first().and_then(|texts| texts.get(path)) else {
            faults.push(format!("{name} is not in {}", LANGUAGES[0].name));
            continue;
        };
        let counts = first.len() > 1;
        let gaps: BTreeSet<String> = first.values().flat_map(|text| gaps(text)).collect();
        if counts && !gaps.contains("count") {
            faults.push(format!("{name} has plurals and no count"));
        }
        let gaps: Vec<String> = gaps.into_iter().collect();
        for ((texts, language), table) in all.iter().zip(&LANGUAGES).zip(&mut words.tables) {
            let Some(forms) = texts.get(path) else {
                faults.push(format!("{}: {name} is missing", language.name));
                continue;
            };
            match row(forms, &gaps, counts.then_some(language.plurals)) {
                Ok(text) => table.push(text),
                Err(fault) => faults.push(format!("{}: {name} {fault}", language.name)),
            }
        }
        words.places.push(Place {
            path: path.clone(),
            gaps,
            counts,
        });
    }
    words
}

/// A text with all its forms, as it stands in the table. `plurals`: those that it needs, if it counts.
fn row(forms: &Forms, known: &[String], plurals: Option<&[&str]>) -> Result<String, String> {
    let needed: BTreeSet<&str> = plurals
        .into_iter()
        .flatten()
        .copied()
        .chain(["other"])
        .collect();
    let there: BTreeSet<&str> = forms.keys().copied().collect();
    if needed != there {
        return Err(format!("has the plurals {there:?} and needs {needed:?}"));
    }
    let mut whole = String::new();
    let last_first = forms.iter().rev();
    let (other, more): (Vec<_>, Vec<_>) = last_first.partition(|(form, _)| **form == "other");
    for (form, text) in other.into_iter().chain(more) {
        if text.trim().is_empty() || text.contains(['|', '\n']) {
            return Err("is empty, or has a | or a new line in it".to_owned());
        }
        if *form != "other" {
            whole.push('|');
            whole.extend(form.chars().next());
        }
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("{{") {
            let (gap, after) = after.split_once("}}").ok_or("has a gap without an end")?;
            let place = known.iter().position(|name| name == gap.trim());
            let place = place.ok_or_else(|| {
                format!(
                    "has the gap `{}`, which is not in all languages",
                    gap.trim()
                )
            })?;
            whole.push_str(&plain(before)?);
            whole.extend(
                ['{']
                    .into_iter()
                    .chain(place.to_string().chars())
                    .chain(['}']),
            );
            rest = after;
        }
        whole.push_str(&plain(rest)?);
    }
    if let Some(gap) = known
        .iter()
        .find(|gap| forms.values().all(|text| !gaps(text).contains(*gap)))
    {
        return Err(format!("does not say `{gap}`"));
    }
    Ok(whole)
}

fn plain(text: &str) -> Result<String, String> {
    if text.contains(['{', '}']) {
        return Err("has a bracket that is no gap".to_owned());
    }
    Ok(text.to_owned())
}

fn gaps(text: &str) -> BTreeSet<String> {
    let pieces = text.split("{{").skip(1);
    pieces
        .filter_map(|piece| Some(piece.split_once("}}")?.0.trim().to_owned()))
        .collect()
}

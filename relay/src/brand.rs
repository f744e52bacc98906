//! What a host calls its copy of the app, and how it looks: one file, checked before anything is served (docs/operate.md).

mod colour;
#[cfg(test)]
mod tests;

use colour::Colour;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Letters of a name, at most: it stands in narrow places.
const NAME_LETTERS: usize = 24;
/// Letters of a notice, at most.
const NOTICE_LETTERS: usize = 500;
/// Bytes of an icon, at most.
const ICON_BYTES: usize = 64 << 10;
/// Bytes that are read of a file, at most.
const FILE_BYTES: u64 = 1 << 20;
/// How far text has to stand out (WCAG 2.2, 1.4.3).
const CONTRAST: f64 = 4.5;
/// What colours stand on: the app's ground and what is sunken into it (assets/css/base.css).
const LIGHT: [&str; 2] = ["#f9f5f3", "#f1ebe8"];
const DARK: [&str; 2] = ["#181315", "#2a2326"];

/// Why a brand is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrandError {
    /// The file, or its icon, cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not made like a brand.
    #[error("{path} is not a brand: {source}")]
    Form {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// What it says cannot be.
    #[error("{path}: {}", faults.join("; "))]
    Faults {
        /// Which file.
        path: PathBuf,
        /// Everything that is wrong.
        faults: Vec<String>,
    },
}

/// As the file says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    icon: Option<PathBuf>,
    colours: Option<Colours>,
    relay: Option<String>,
    languages: Option<Vec<String>>,
    #[serde(default)]
    notice: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Colours {
    light: Pair,
    dark: Pair,
}

/// The colour of what can be tapped, and of text on it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    accent: String,
    on_accent: String,
}

/// A brand that can be served.
#[derive(Debug)]
pub(crate) struct Brand {
    /// What the app reads.
    pub(crate) page: Vec<u8>,
    /// The icon's name and content.
    pub(crate) icon: Option<(&'static str, Vec<u8>)>,
    name: String,
    theme: Option<String>,
}

impl Brand {
    /// What the app is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`BrandError`], with everything that is wrong.
    pub(crate) fn open(path: &Path) -> Result<Self, BrandError> {
        let file = read(path)?;
        let file: File = serde_json::from_slice(&file).map_err(|source| BrandError::Form {
            path: path.to_path_buf(),
            source,
        })?;
        let mut faults = faults(&file);
        let beside = path.parent().unwrap_or(Path::new("."));
        let icon = match &file.icon {
            Some(icon) => Some((icon_name(icon, &mut faults), read(&beside.join(icon))?)),
            None => None,
        };
        if icon
            .as_ref()
            .is_some_and(|(_, icon)| icon.len() > ICON_BYTES)
        {
            faults.push("icon: larger than 64 KiB".to_owned());
        }
        if !faults.is_empty() {
            return Err(BrandError::Faults {
                path: path.to_path_buf(),
                faults,
            });
        }
        let page = json!({
            "name": file.name,
            "icon": icon.as_ref().map(|(name, _)| format!("/{name}")),
            "colours": file.colours.as_ref().map(|Colours { light, dark }| json!({
                "light": [light.accent, light.on_accent],
                "dark": [dark.accent, dark.on_accent],
            })),
            "relay": file.relay,
            "languages": file.languages,
            "notice": file.notice,
        });
        Ok(Self {
            page: page.to_string().into_bytes(),
            icon,
            name: file.name,
            theme: file.colours.map(|colours| colours.light.accent),
        })
    }

    /// The app's manifest with the brand in it; as it was if it is none.
    pub(crate) fn manifest(&self, manifest: &[u8]) -> Vec<u8> {
        let Ok(Value::Object(mut all)) = serde_json::from_slice(manifest) else {
            return manifest.to_vec();
        };
        all.insert("name".to_owned(), self.name.clone().into());
        all.insert("short_name".to_owned(), self.name.clone().into());
        if let Some(theme) = &self.theme {
            all.insert("theme_color".to_owned(), theme.clone().into());
        }
        if let Some((name, _)) = &self.icon {
            let sizes = if is_svg(name) { "any" } else { "512x512" };
            let icon = json!([{ "src": format!("/{name}"), "sizes": sizes, "purpose": "any" }]);
            all.insert("icons".to_owned(), icon);
        }
        Value::Object(all).to_string().into_bytes()
    }
}

/// Reads a file, but no device or pipe, and not beyond what any brand needs.
fn read(path: &Path) -> Result<Vec<u8>, BrandError> {
    let content = || {
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        let mut content = Vec::new();
        fs::File::open(path)?
            .take(FILE_BYTES)
            .read_to_end(&mut content)?;
        Ok(content)
    };
    content().map_err(|source| BrandError::Read {
        path: path.to_path_buf(),
        source,
    })
}

fn is_svg(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("svg"))
}

/// Under which name an icon is served.
fn icon_name(icon: &Path, faults: &mut Vec<String>) -> &'static str {
    match icon.extension().and_then(|end| end.to_str()) {
        Some("svg") => "brand-icon.svg",
        Some("png") => "brand-icon.png",
        _ => {
            faults.push(format!("icon: {} is neither .svg nor .png", icon.display()));
            ""
        }
    }
}

fn faults(file: &File) -> Vec<String> {
    let mut faults = Vec::new();
    let letters = file.name.trim().chars().count();
    if letters == 0 || letters > NAME_LETTERS || file.name.chars().any(|one| "|{}\n".contains(one))
    {
        faults.push(format!(
            "name: 1 to {NAME_LETTERS} letters, without |, {{, }} and line ends"
        ));
    }
    if let Some(Colours { light, dark }) = &file.colours {
        pair("colours.light", light, LIGHT, &mut faults);
        pair("colours.dark", dark, DARK, &mut faults);
    }
    if file.relay.as_deref().is_some_and(|relay| !is_relay(relay)) {
        faults.push(
            "relay: an address like \"https://relay.example.org\", without a path".to_owned(),
        );
    }
    if file.languages.as_ref().is_some_and(Vec::is_empty) {
        faults.push("languages: at least one, or leave it out".to_owned());
    }
    let languages = file.languages.iter().flatten().chain(file.notice.keys());
    for language in languages {
        if language.len() != 2 || !language.bytes().all(|one| one.is_ascii_lowercase()) {
            faults.push(format!(
                "{language:?} is no language: two letters, like \"en\""
            ));
        }
    }
    for (language, notice) in &file.notice {
        if notice.chars().count() > NOTICE_LETTERS {
            faults.push(format!(
                "notice.{language}: longer than {NOTICE_LETTERS} letters"
            ));
        }
    }
    faults
}

/// A host by https, or one on this machine.
fn is_relay(address: &str) -> bool {
    let host = address
        .strip_prefix("https://")
        .or_else(|| address.strip_prefix("http://127.0.0.1"))
        .or_else(|| address.strip_prefix("http://localhost"));
    host.is_some_and(|host| {
        !host.contains(['/', '?', '#', '@', ' ', '\\'])
            && (!address.starts_with("https://") || !host.is_empty())
    })
}

fn pair(which: &str, pair: &Pair, grounds: [&str; 2], faults: &mut Vec<String>) {
    let mut colour = |name: &str, text: &str| {
        let colour = Colour::read(text);
        if colour.is_none() {
            faults.push(format!(
                "{which}.{name}: {text:?} is no colour like \"#1f6f5c\""
            ));
        }
        colour
    };
    let (accent, on_accent) = (
        colour("accent", &pair.accent),
        colour("on_accent", &pair.on_accent),
    );
    let (Some(accent), Some(on_accent)) = (accent, on_accent) else {
        return;
    };
    let mut stands_out = |what: &str, of: Colour, on: Colour| {
        let contrast = of.contrast(on);
        if contrast < CONTRAST {
            faults.push(format!(
                "{which}.{what}: a contrast of {contrast:.1}, at least {CONTRAST} is needed to read it"
            ));
        }
    };
    for ground in grounds.into_iter().filter_map(Colour::read) {
        stands_out("accent on the app's ground", accent, ground);
    }
    stands_out("on_accent on accent", on_accent, accent);
}

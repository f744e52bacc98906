//! Flags above the environment, above the file, above the defaults.

use super::{Config, KEYS, Key, forms::Texts};
use std::{
    collections::BTreeMap,
    env, fmt, fs, io,
    path::{Path, PathBuf},
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The file that is read if it exists and no other is named.
pub(crate) const DEFAULT_FILE: &str = "/etc/ume-relay.toml";

/// What is wrong with a flag, a variable or the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path}, line {line}: {words}")]
    Syntax {
        path: PathBuf,
        line: usize,
        words: String,
    },
    #[error("{path}, line {line}: there is no key {key:?}")]
    UnknownKey {
        path: PathBuf,
        line: usize,
        key: String,
    },
    #[error("{origin}: {key} {words}")]
    Value {
        origin: Source,
        key: &'static str,
        words: String,
    },
}

/// Where a value comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Source {
    #[default]
    Default,
    Dev,
    File(PathBuf, usize),
    Variable(String),
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => write!(out, "default"),
            Self::Dev => write!(out, "--dev"),
            Self::File(path, line) => write!(out, "{}, line {line}", path.display()),
            Self::Variable(name) => write!(out, "environment {name}"),
            Self::Flag(name) => write!(out, "flag --{name}"),
        }
    }
}

/// What was said on the command line; the rest is read again at every [`Layers::resolve`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers {
    pub(crate) flags: BTreeMap<&'static str, Texts>,
    pub(crate) file: Option<PathBuf>,
    /// Directory of a throw-away store: the relay is only tried out, and the usual file does not count.
    pub(crate) dev: Option<PathBuf>,
}

/// The configuration, and where each value comes from.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) config: Config,
    sources: BTreeMap<&'static str, Source>,
}

impl Resolved {
    /// Where a value comes from.
    pub(crate) fn source(&self, key: &Key) -> Source {
        self.sources.get(key.name).cloned().unwrap_or_default()
    }

    fn set(
        &mut self,
        key: &'static Key,
        texts: &Texts,
        origin: Source,
        wrong: &mut Vec<ConfigError>,
    ) {
        match key.set(&mut self.config, texts) {
            Ok(()) => {
                self.sources.insert(key.name, origin);
            }
            Err(words) => wrong.push(ConfigError::Value {
                origin,
                key: key.name,
                words,
            }),
        }
    }
}

impl Layers {
    /// Puts the layers above one another. All that is wrong is told at once.
    pub(crate) fn resolve(&self) -> Result<Resolved, Vec<ConfigError>> {
        let (mut resolved, mut wrong) = (Resolved::default(), Vec::new());
        if let Some(directory) = &self.dev {
            resolved.config.data.clone_from(directory);
            resolved.sources.insert("data", Source::Dev);
        }
        match self.text() {
            Ok(Some((path, text))) => from_file(&mut resolved, &path, &text, &mut wrong),
            Ok(None) => {}
            Err(error) => wrong.push(error),
        }
        for key in KEYS {
            let name = key.variable();
            match env::var(&name) {
                Ok(text) => resolved.set(key, &vec![text], Source::Variable(name), &mut wrong),
                Err(env::VarError::NotPresent) => {}
                Err(env::VarError::NotUnicode(_)) => wrong.push(ConfigError::Value {
                    origin: Source::Variable(name),
                    key: key.name,
                    words: "has to be UTF-8".into(),
                }),
            }
        }
        for key in KEYS {
            if let Some(texts) = self.flags.get(key.name) {
                resolved.set(key, texts, Source::Flag(key.flag()), &mut wrong);
            }
        }
        if wrong.is_empty() {
            Ok(resolved)
        } else {
            Err(wrong)
        }
    }

    fn text(&self) -> Result<Option<(PathBuf, String)>, ConfigError> {
        let path = match &self.file {
            Some(path) => path.clone(),
            None if self.dev.is_some() => return Ok(None),
            None => PathBuf::from(DEFAULT_FILE),
        };
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some((path, text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.file.is_none() => {
                Ok(None)
            }
            Err(source) => Err(ConfigError::Read { path, source }),
        }
    }
}

/// Names in the environment that look like keys and are none, most likely with a slip of the pen.
pub(crate) fn unknown_variables() -> Vec<String> {
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names
        .filter(|name| name.starts_with("UME_"))
        .filter(|name| KEYS.iter().all(|key| key.variable() != *name))
        .collect()
}

/// What a file with this text says, for the fuzz targets: no environment, no flags.
#[cfg(feature = "fuzzing")]
pub(crate) fn of_text(text: &str) -> Result<Resolved, Vec<ConfigError>> {
    let (mut resolved, mut wrong) = (Resolved::default(), Vec::new());
    from_file(&mut resolved, Path::new("file"), text, &mut wrong);
    if wrong.is_empty() {
        Ok(resolved)
    } else {
        Err(wrong)
    }
}

fn from_file(resolved: &mut Resolved, path: &Path, text: &str, wrong: &mut Vec<ConfigError>) {
    let line = |at: usize| {
        let before = text.get(..at).unwrap_or(text);
        1 + before.matches('\n').count()
    };
    let table = match DeTable::parse(text) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            return wrong.push(ConfigError::Syntax {
                path: path.to_path_buf(),
                line: line(error.span().map_or(0, |span| span.start)),
                words: error.message().to_owned(),
            });
        }
    };
    for (name, value) in &table {
        let line = line(name.span().start);
        let origin = Source::File(path.to_path_buf(), line);
        let Some(key) = KEYS.iter().find(|key| key.name == name.get_ref().as_ref()) else {
            wrong.push(ConfigError::UnknownKey {
                path: path.to_path_buf(),
                line,
                key: name.get_ref().to_string(),
            });
            continue;
        };
        match texts(value) {
            Some(texts) => resolved.set(key, &texts, origin, wrong),
            None => wrong.push(ConfigError::Value {
                origin,
                key: key.name,
                words: "has to be a text, a number, true or false, or a list of them".into(),
            }),
        }
    }
}

fn texts(value: &Spanned<DeValue<'_>>) -> Option<Texts> {
    let scalar = |value: &DeValue<'_>| match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Boolean(value) => Some(value.to_string()),
        _ => None,
    };
    match value.get_ref() {
        DeValue::Array(values) => values.iter().map(|value| scalar(value.get_ref())).collect(),
        value => scalar(value).map(|text| vec![text]),
    }
}

//! How values are written: the same text in the file, in the environment and as a flag.
#![allow(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_wraps
)] // one signature for all

use std::fmt::Write;

/// What stands for a value: one text, or several for a list.
pub(crate) type Texts = Vec<String>;

/// The text of a value that is no list.
fn single(texts: &Texts) -> Result<&str, String> {
    match texts.as_slice() {
        [text] => Ok(text.trim()),
        _ => Err("takes one value, not a list".into()),
    }
}

/// The parts of a list; in one text they are separated by commas.
fn parts(texts: &Texts) -> impl Iterator<Item = &str> {
    let parts = texts.iter().flat_map(|text| text.split(','));
    parts.map(str::trim).filter(|part| !part.is_empty())
}

/// A basic string of TOML (section "String" of TOML 1.0): it holds every letter but these as it is.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            letter if letter.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// Also an empty one is shown: that is another value than none, where the default is not empty.
fn list<T: std::fmt::Display>(values: &[T]) -> Option<String> {
    let values: Vec<_> = values
        .iter()
        .map(|value| quoted(&value.to_string()))
        .collect();
    Some(format!("[{}]", values.join(", ")))
}

/// A number with one of these units behind it.
fn measure(text: &str, units: &[(&str, u64)], example: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let unit = text[digits.len()..].trim();
    let number = digits.replace(['_', ' '], "").parse::<u64>().ok();
    let factor = units.iter().find(|(name, _)| *name == unit);
    match (number, factor) {
        (Some(number), Some((_, factor))) => number
            .checked_mul(*factor)
            .ok_or_else(|| "is too large".into()),
        _ => Err(format!("has to look like {example:?}")),
    }
}

/// The same, shown with the largest unit that leaves a whole number.
fn in_units(value: u64, units: &[(&str, u64)]) -> String {
    let fits = |factor: u64| value.is_multiple_of(factor) && value >= factor;
    match units.iter().rev().find(|(_, factor)| fits(*factor)) {
        Some((name, factor)) => quoted(&format!("{} {name}", value / factor)),
        None => quoted(&format!("{value} {}", units[0].0)),
    }
}

pub(super) mod number {
    use super::{Texts, single};
    pub(in crate::config) const FORM: &str = "number";

    pub(in crate::config) fn read<T: TryFrom<u64>>(texts: &Texts) -> Result<T, String> {
        let number = single(texts)?.replace('_', "").parse::<u64>();
        let number = number.map_err(|_| "has to be a whole number".to_owned())?;
        T::try_from(number).map_err(|_| "is too large".into())
    }

    pub(in crate::config) fn show(value: &impl ToString) -> Option<String> {
        Some(value.to_string())
    }
}

pub(super) mod size {
    use super::{Texts, in_units, measure, single};
    pub(in crate::config) const FORM: &str = "size (B, KiB, MiB, GiB, TiB)";
    const UNITS: [(&str, u64); 5] = [
        ("B", 1),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
    ];

    pub(in crate::config) fn read<T: TryFrom<u64>>(texts: &Texts) -> Result<T, String> {
        let bytes = measure(single(texts)?, &UNITS, "64 MiB")?;
        T::try_from(bytes).map_err(|_| "is too large".into())
    }

    pub(in crate::config) fn show<T: Copy + TryInto<u64>>(value: &T) -> Option<String> {
        Some(in_units((*value).try_into().ok()?, &UNITS))
    }
}

pub(super) mod maybe_size {
    use super::{Texts, size};
    pub(in crate::config) const FORM: &str = size::FORM;

    pub(in crate::config) fn read(texts: &Texts) -> Result<Option<u64>, String> {
        size::read(texts).map(Some)
    }

    pub(in crate::config) fn show(value: &Option<u64>) -> Option<String> {
        value.as_ref().and_then(size::show)
    }
}

pub(super) mod time {
    use super::{Texts, in_units, measure, single};
    use std::time::Duration;
    pub(in crate::config) const FORM: &str = "time (ms, s, min, h, d)";
    const UNITS: [(&str, u64); 5] = [
        ("ms", 1),
        ("s", 1000),
        ("min", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
    ];

    pub(in crate::config) fn read(texts: &Texts) -> Result<Duration, String> {
        measure(single(texts)?, &UNITS, "5 s").map(Duration::from_millis)
    }

    pub(in crate::config) fn show(value: &Duration) -> Option<String> {
        let millis = u64::try_from(value.as_millis()).ok()?;
        // A time of two minutes and a half is shown in seconds.
        Some(in_units(millis, &UNITS))
    }
}

pub(super) mod switch {
    use super::{Texts, single};
    pub(in crate::config) const FORM: &str = "true or false";

    pub(in crate::config) fn read(texts: &Texts) -> Result<bool, String> {
        match single(texts)? {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("has to be true or false".into()),
        }
    }

    pub(in crate::config) fn show(value: &bool) -> Option<String> {
        Some(value.to_string())
    }
}

pub(super) mod path {
    use super::{Texts, quoted, single};
    use std::path::{Path, PathBuf};
    pub(in crate::config) const FORM: &str = "path";

    pub(in crate::config) fn read(texts: &Texts) -> Result<PathBuf, String> {
        match single(texts)? {
            "" => Err("has to be a path".into()),
            text => Ok(PathBuf::from(text)),
        }
    }

    pub(in crate::config) fn show(value: &Path) -> Option<String> {
        Some(quoted(&value.to_string_lossy()))
    }
}

pub(super) mod maybe_path {
    use super::{Texts, path};
    use std::path::PathBuf;
    pub(in crate::config) const FORM: &str = path::FORM;

    pub(in crate::config) fn read(texts: &Texts) -> Result<Option<PathBuf>, String> {
        path::read(texts).map(Some)
    }

    pub(in crate::config) fn show(value: &Option<PathBuf>) -> Option<String> {
        value.as_deref().and_then(path::show)
    }
}

pub(super) mod maybe_text {
    use super::{Texts, quoted, single};
    pub(in crate::config) const FORM: &str = "text";

    pub(in crate::config) fn read(texts: &Texts) -> Result<Option<String>, String> {
        match single(texts)? {
            "" => Err("must not be empty".into()),
            text => Ok(Some(text.to_owned())),
        }
    }

    pub(in crate::config) fn show(value: &Option<String>) -> Option<String> {
        value.as_deref().map(quoted)
    }
}

pub(super) mod names {
    use super::{Texts, list, parts};
    pub(in crate::config) const FORM: &str = "list of names";

    pub(in crate::config) fn read(texts: &Texts) -> Result<Vec<String>, String> {
        Ok(parts(texts).map(str::to_ascii_lowercase).collect())
    }

    pub(in crate::config) fn show(value: &[String]) -> Option<String> {
        list(value)
    }
}

pub(super) mod addresses {
    use super::{Texts, list, maybe_address, parts};
    use std::net::SocketAddr;
    pub(in crate::config) const FORM: &str = "list of ADDRESS:PORT";

    pub(in crate::config) fn read(texts: &Texts) -> Result<Vec<SocketAddr>, String> {
        parts(texts).map(maybe_address::parse).collect()
    }

    pub(in crate::config) fn show(value: &[SocketAddr]) -> Option<String> {
        list(value)
    }
}

pub(super) mod maybe_address {
    use super::{Texts, quoted, single};
    use std::net::SocketAddr;
    pub(in crate::config) const FORM: &str = "ADDRESS:PORT";

    pub(super) fn parse(text: &str) -> Result<SocketAddr, String> {
        let wrong = "has to look like \"127.0.0.1:7700\" or \"[::1]:7700\"";
        text.parse().map_err(|_| wrong.into())
    }

    pub(in crate::config) fn read(texts: &Texts) -> Result<Option<SocketAddr>, String> {
        parse(single(texts)?).map(Some)
    }

    pub(in crate::config) fn show(value: &Option<SocketAddr>) -> Option<String> {
        value.map(|address| quoted(&address.to_string()))
    }
}

pub(super) mod networks {
    use super::{Texts, list, parts};
    use ipnet::IpNet;
    use std::net::IpAddr;
    pub(in crate::config) const FORM: &str = "list of networks or addresses";

    pub(in crate::config) fn read(texts: &Texts) -> Result<Vec<IpNet>, String> {
        let network = |text: &str| {
            let network = text.parse::<IpNet>();
            network.or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        };
        let wrong = "has to be made of networks like \"10.0.0.0/8\" or \"::1\"";
        parts(texts)
            .map(|text| network(text).map_err(|_| wrong.to_owned()))
            .collect()
    }

    pub(in crate::config) fn show(value: &[IpNet]) -> Option<String> {
        list(value)
    }
}

macro_rules! choice {
    ($module:ident: $type:ty, $form:literal, $($word:literal => $value:path),+) => {
        pub(super) mod $module {
            use super::{Texts, quoted, single};
            pub(in crate::config) const FORM: &str = $form;

            pub(in crate::config) fn read(texts: &Texts) -> Result<$type, String> {
                match single(texts)? {
                    $($word => Ok($value),)+
                    _ => Err(format!("has to be {}", $form)),
                }
            }

            pub(in crate::config) fn show(value: &$type) -> Option<String> {
                Some(quoted(match value { $($value => $word,)+ }))
            }
        }
    };
}

choice!(access: crate::Access, "open or keys",
    "open" => crate::Access::Open, "keys" => crate::Access::Keys);
choice!(level: crate::journal::Level, "error, warn, info, debug or trace",
    "error" => crate::journal::Level::Error, "warn" => crate::journal::Level::Warn,
    "info" => crate::journal::Level::Info, "debug" => crate::journal::Level::Debug,
    "trace" => crate::journal::Level::Trace);
choice!(format: crate::journal::Format, "text or json",
    "text" => crate::journal::Format::Text, "json" => crate::journal::Format::Json);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(text: &str) -> Texts {
        vec![text.to_owned()]
    }

    #[test]
    fn any_text_is_read_from_a_file_as_it_is_shown() {
        for text in [
            "a",
            "e\u{301}",
            "\u{7f}",
            "\0\t\n",
            "\"\\",
            "\u{85}\u{1f338}",
        ] {
            let shown = quoted(text);
            let file = format!("key = {shown}");
            let table = toml::de::DeTable::parse(&file).unwrap();
            let read = table.get_ref().values().next().unwrap();
            assert_eq!(read.get_ref().as_str(), Some(text), "{shown}");
        }
    }

    #[test]
    fn sizes_and_times_have_units() {
        assert_eq!(size::read::<u64>(&texts("64 MiB")), Ok(64 << 20));
        assert_eq!(size::read::<u64>(&texts("64MiB")), Ok(64 << 20));
        assert_eq!(size::show(&(64u64 << 20)).unwrap(), "\"64 MiB\"");
        assert_eq!(size::show(&0u64).unwrap(), "\"0 B\"");
        assert_eq!(
            time::read(&texts("1_500 ms")),
            Ok(std::time::Duration::from_millis(1500))
        );
        for wrong in ["", "64", "MiB", "64 MB", "-1 B", "1.5 GiB", "64 mib", "ä"] {
            assert!(size::read::<u64>(&texts(wrong)).is_err(), "{wrong}");
        }
        assert!(size::read::<u64>(&texts("99999999999 TiB")).is_err());
        assert!(size::read::<u32>(&texts("4 GiB")).is_err());
    }

    #[test]
    fn an_empty_list_is_shown_as_one() {
        assert_eq!(addresses::show(&[]).as_deref(), Some("[]"));
        assert_eq!(addresses::read(&vec![]), Ok(vec![]));
    }

    #[test]
    fn networks_may_be_single_addresses() {
        let both = networks::read(&texts("10.0.0.0/8, ::1")).unwrap();
        assert_eq!(
            networks::show(&both).unwrap(),
            "[\"10.0.0.0/8\", \"::1/128\"]"
        );
        assert!(networks::read(&texts("localhost")).is_err());
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(bytes: u64, text in ".{0,40}") {
            let shown = size::show(&bytes).unwrap();
            prop_assert_eq!(size::read::<u64>(&texts(shown.trim_matches('"'))), Ok(bytes));
            // Whatever stands there, reading ends with a value or with words.
            let _ = (size::read::<u64>(&texts(&text)), time::read(&texts(&text)));
            let _ = (networks::read(&texts(&text)), addresses::read(&texts(&text)));
        }
    }
}

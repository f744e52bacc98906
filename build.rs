//! Turns the translations in `locales/` into the module that `src/i18n.rs` takes in.
//!
//! A key that one language lacks, or has too many, fails the build.
use leptos_i18n_parser::parse_locales::options::{Config, ParseOptions};
use leptos_i18n_parser::parse_locales::parse_locales;
use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

const DEFAULT: &str = "en";
const OTHERS: [&str; 1] = ["de"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=locales");
    let mut config = Config::new(DEFAULT)?;
    for locale in OTHERS {
        config = config.add_locale(locale)?;
    }
    // Attributes need strings, with values in them.
    config = config.parse_options(ParseOptions::new().interpolate_display(true));
    let locales = parse_locales(None, config)?;
    for error in locales.diag.errors().iter() {
        println!("cargo::error={error}");
    }
    for warning in locales.diag.warnings().iter() {
        println!("cargo::error={warning}");
    }
    let module = leptos_i18n_codegen::gen_code(&locales, None, false, None, false)?.to_string();
    let place = PathBuf::from(env::var("OUT_DIR")?).join("i18n.rs");
    Ok(fs::write(place, with_plurals_of_the_browser(&module)?)?)
}

/// The generated code asks ICU's tables which plural a number takes; a browser has tables of its own, which nobody downloads.
fn with_plurals_of_the_browser(module: &str) -> Result<String, Box<dyn Error>> {
    const ICU: &str = "l_i18n_crate :: reexports :: icu :: plurals";
    const PRIVATE: &str = "l_i18n_crate :: __private";
    let swaps = [
        (
            format!("{PRIVATE} :: get_plural_rules"),
            "crate :: i18n :: plural_rules",
        ),
        (
            format!("{PRIVATE} :: InterpolatePluralCount"),
            "crate :: i18n :: Counted",
        ),
        (
            format!("Into < {ICU} :: PluralOperands >"),
            "crate :: i18n :: Count",
        ),
    ];
    let mut module = module.to_owned();
    for (theirs, ours) in swaps {
        if !module.contains(&theirs) {
            return Err(format!("the generated translations no longer say `{theirs}`").into());
        }
        module = module.replace(&theirs, ours);
    }
    Ok(module)
}

//! Cuts the app's module in two where it says so (`src/later.rs`): what the first screen needs, and the rest, which the app
//! fetches by itself.
use crate::fault::{During, Fault, Result};
use std::fs;
use std::path::{Path, PathBuf};
use wasm_split_cli_support::{Options, transform};

/// What the linker has to leave in, so that code can be moved: where it names other code and data.
pub(super) const LINK: [&str; 2] = ["-C", "link-arg=--emit-relocs"];
/// As the first module calls the script that fetches the second. No name of a file, or naming by content would change it
/// here and not in the module.
const CALLED: &str = "later";
/// That script.
const LOADER: &str = "ume-later.js";
/// The loader would take the first module's exports from its glue, which names the loader: a ring. `boot.js` holds them out.
const RING: [(&str, &str); 2] = [
    ("import { initSync } from \"./ume.js\";", ""),
    ("initSync(undefined, undefined)", "ume.shared()"),
];

/// Puts the second module and the loader into `place`; gives the first module.
pub(super) fn cut(built: &Path, place: &Path) -> Result<PathBuf> {
    let whole = fs::read(built).during(built.display())?;
    let first = built.with_extension("first.wasm");
    let mut options = Options::new(&whole);
    options.output_dir = place;
    options.main_out_path = &first;
    options.main_module = "./ume.js";
    options.link_name = CALLED;
    let parts = transform(options).map_err(|fault| Fault::new(format!("{fault:#}")))?;
    if parts.split_modules.len() != 1 {
        return Err(Fault::new(format!(
            "the app was cut into {} pieces behind the first, instead of one",
            parts.split_modules.len()
        )));
    }
    let written = place.join(CALLED);
    let script = fs::read_to_string(&written).during(written.display())?;
    fs::remove_file(&written).during(written.display())?;
    write(&place.join(LOADER), &without_ring(&script)?)?;
    Ok(first)
}

/// Lets the first module's glue find the loader.
pub(super) fn join(place: &Path) -> Result {
    let glue = place.join("ume.js");
    let script = fs::read_to_string(&glue).during(glue.display())?;
    let (from, to) = (format!("from \"{CALLED}\""), format!("from \"./{LOADER}\""));
    write(&glue, &once(&script, &from, &to)?)
}

fn write(path: &Path, script: &str) -> Result {
    fs::write(path, script).during(path.display())
}

fn without_ring(script: &str) -> Result<String> {
    RING.into_iter()
        .try_fold(script.to_owned(), |script, (from, to)| {
            once(&script, from, to)
        })
}

fn once(script: &str, from: &str, to: &str) -> Result<String> {
    if script.matches(from).count() == 1 {
        Ok(script.replace(from, to))
    } else {
        Err(Fault::new(format!(
            "a script that was made no longer says `{from}` once"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_names_nothing_that_names_it() {
        let script = "import { initSync } from \"./ume.js\";\n\nconst { a } = initSync(undefined, undefined);\n";
        assert_eq!(
            without_ring(script).unwrap(),
            "\n\nconst { a } = ume.shared();\n"
        );
        assert!(without_ring("import { other } from \"./ume.js\";").is_err());
    }
}

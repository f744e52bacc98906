//! The texts of each language as a table that browsers fetch: a line for each name that the app was compiled with.
use crate::fault::{During, Fault, Result};
use crate::repo::Repo;
use std::fs;

#[path = "../../../build/words.rs"]
#[expect(dead_code, reason = "the app's build script reads the rest")]
mod read;

/// Writes the tables into the folder that `index.html` names.
pub(crate) fn write(repo: &Repo) -> Result {
    let words = read::Words::read(&repo.path("locales")).map_err(Fault::new)?;
    let place = repo.path("target/words");
    fs::create_dir_all(&place).during(place.display())?;
    for (language, table) in read::LANGUAGES.iter().zip(words.tables) {
        let path = place.join(format!("{}.txt", language.name));
        fs::write(&path, table.join("\n")).during(path.display())?;
    }
    Ok(())
}

//! A doorway for the fuzz targets in `fuzz/`: what no public function reaches. It is compiled with the feature `fuzzing`,
//! which no program of ours has.

use crate::{cli, config};

/// The configuration of a file with this text, written as a file again; nothing if the relay would refuse it.
pub fn config(text: &str) -> Option<String> {
    let resolved = config::of_text(text).ok()?;
    let _ = config::findings(&resolved.config);
    Some(cli::effective(&resolved))
}

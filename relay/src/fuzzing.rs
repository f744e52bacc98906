//! A doorway for the fuzz targets in `fuzz/`: what no public function reaches. It is compiled with the feature `fuzzing`,
//! which no program of ours has.

use crate::{cli, config, push};

/// The configuration of a file with this text, written as a file again; nothing if the relay would refuse it.
pub fn config(text: &str) -> Option<String> {
    let resolved = config::of_text(text).ok()?;
    let _ = config::findings(&resolved.config);
    Some(cli::effective(&resolved))
}

/// Host, port and path of a device's address as they are connected to, and whether a relay with the usual configuration would
/// ask there; nothing if it is refused whatever is configured.
pub fn endpoint(text: &str) -> Option<(String, u16, String, bool)> {
    let endpoint = push::Endpoint::parse(text)?;
    let rules = push::Rules::of(&config::Config::default().push);
    let is_asked = rules.rule(&endpoint).is_some();
    let (host, port, path) = endpoint.into_parts();
    Some((host, port, path, is_asked))
}

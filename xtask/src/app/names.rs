//! Names that say what is inside, so that a browser may keep a file for ever.
//!
//! `ume.js` becomes `ume-0123456789abcdef.js` (the first 64 bits of its SHA-256), and every HTML, JS and CSS file that
//! names it names it so. A few addresses have to stay: the page, the service worker, the manifest, and images.
use super::{Files, page};
use crate::fault::{Fault, Result};
use crate::repo::extension;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

const HASH_DIGITS: usize = 16;
/// What the service worker has to keep for offline use: made here, named in `sw.js`.
const MANIFEST: &str = "asset-manifest.js";
/// Pictures of the app for whoever thinks of installing it: of no use to the app itself.
const PICTURES: &str = "shots/";
/// Have one address for ever, by which browsers look for a new version.
const SERVICE_WORKER: &str = "sw.js";
const PUSH_WORKER: &str = "push.js";

/// Renames, rewrites references, and adds the service worker's list of files.
pub(super) fn by_content(files: Files) -> Result<Files> {
    let service_worker = files.get(SERVICE_WORKER).cloned();
    let mut naming = Naming {
        files,
        done: BTreeMap::new(),
        result: Files::new(),
    };
    let names: Vec<String> = naming.files.keys().cloned().collect();
    for name in names.iter().filter(|name| *name != SERVICE_WORKER) {
        naming.finish(name, &mut Vec::new())?;
    }
    if service_worker.is_some() {
        let manifest = manifest(&naming.result);
        naming.files.insert(MANIFEST.to_owned(), manifest);
        naming.finish(SERVICE_WORKER, &mut Vec::new())?;
    }
    Ok(naming.result)
}

struct Naming {
    files: Files,
    /// Old name to new name.
    done: BTreeMap<String, String>,
    result: Files,
}

impl Naming {
    /// Finishes what `name` refers to, then `name` itself, and returns its new name.
    fn finish(&mut self, name: &str, above: &mut Vec<String>) -> Result<String> {
        if let Some(finished) = self.done.get(name) {
            return Ok(finished.clone());
        }
        if above.iter().any(|other| other == name) {
            return Err(Fault::new(format!(
                "files name each other in a ring: {}, {name}",
                above.join(", ")
            )));
        }
        above.push(name.to_owned());
        let mut content = self.files.get(name).cloned().unwrap_or_default();
        if is_text(name) {
            let mut text = String::from_utf8(content)
                .map_err(|_| Fault::new(format!("{name} is not UTF-8")))?;
            let others: Vec<String> = self
                .files
                .keys()
                .filter(|other| *other != name && is_renamed(other))
                .cloned()
                .collect();
            for other in others {
                if occurrences(&text, &other).next().is_some() {
                    let new = self.finish(&other, above)?;
                    text = replace(&text, &other, &new);
                }
            }
            if extension(name) == "html" {
                text = page::finished(&text, &self.result);
            }
            content = text.into_bytes();
        }
        above.pop();
        let new = if is_renamed(name) {
            hashed(name, &content)
        } else {
            name.to_owned()
        };
        self.done.insert(name.to_owned(), new.clone());
        self.result.insert(new.clone(), content);
        Ok(new)
    }
}

fn is_text(name: &str) -> bool {
    matches!(extension(name), "html" | "js" | "css" | "webmanifest")
}

fn is_renamed(name: &str) -> bool {
    name != SERVICE_WORKER
        && name != PUSH_WORKER
        && matches!(extension(name), "js" | "css" | "wasm" | "woff2" | "txt")
}

fn hashed(name: &str, content: &[u8]) -> String {
    let digest = HEXLOWER.encode(&Sha256::digest(content));
    let digits = digest.get(..HASH_DIGITS).unwrap_or(&digest);
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    format!("{stem}-{digits}.{extension}")
}

/// Where `text` names the file `name`: as a whole, after a quote, a bracket or a slash.
fn occurrences<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(name)
        .map(|(at, _)| at)
        .filter(move |&at| {
            let before = text.get(..at).and_then(|part| part.chars().next_back());
            let after = text
                .get(at + name.len()..)
                .and_then(|part| part.chars().next());
            before.is_some_and(|sign| "/\"'`(".contains(sign))
                && after.is_some_and(|sign| "\"'`)?#".contains(sign))
        })
}

fn replace(text: &str, old: &str, new: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for at in occurrences(text, old) {
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push_str(new);
        from = at + old.len();
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// `self.UME_ASSETS`: the version of the whole app and the address of every file that it needs without a network.
fn manifest(files: &Files) -> Vec<u8> {
    let mut all = Sha256::new();
    let mut paths = Vec::new();
    for (name, content) in files {
        all.update(name);
        all.update([0]);
        all.update(Sha256::digest(content));
        if !name.starts_with(PICTURES) {
            paths.push(format!("/{name}"));
        }
    }
    let list = serde_json::json!({ "version": HEXLOWER.encode(&all.finalize()), "files": paths });
    format!("self.UME_ASSETS={list};\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> Files {
        list.iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect()
    }

    fn text<'a>(files: &'a Files, start: &str) -> &'a str {
        let (_, content) = files
            .iter()
            .find(|(name, _)| name.starts_with(start))
            .expect("file");
        std::str::from_utf8(content).expect("text")
    }

    #[test]
    fn a_change_deep_down_renames_everything_above_it() {
        let app = |module: &str| {
            by_content(files(&[
                ("index.html", "<script src=\"/boot.js\"></script>"),
                ("boot.js", "import start from './ume.js'; // not ume.json"),
                ("ume.js", "new URL('ume_bg.wasm', import.meta.url)"),
                ("ume_bg.wasm", module),
            ]))
            .expect("named")
        };
        let (first, second) = (app("one"), app("two"));
        assert_ne!(text(&first, "index.html"), text(&second, "index.html"));
        assert_eq!(text(&first, "index.html"), text(&app("one"), "index.html"));
        assert!(text(&first, "boot-").contains("not ume.json"));
        let wasm = first
            .keys()
            .find(|name| extension(name) == "wasm")
            .expect("module");
        assert!(text(&first, "ume-").contains(&format!("'{wasm}'")));
        assert_eq!(wasm.len(), "ume_bg-.wasm".len() + HASH_DIGITS);
    }

    #[test]
    fn the_service_worker_keeps_its_name_and_lists_everything_else() {
        let app = by_content(files(&[
            ("index.html", "<link href=\"/ume.css\">"),
            ("ume.css", "body{}"),
            ("sw.js", "importScripts('/asset-manifest.js')"),
        ]))
        .expect("named");
        let list = text(&app, "asset-manifest-");
        assert!(
            list.contains("\"/index.html\"") && list.contains("\"/ume-") && !list.contains("sw.js")
        );
        assert!(text(&app, "sw.js").contains("'/asset-manifest-"));
    }

    #[test]
    fn a_ring_of_names_is_refused() {
        assert!(by_content(files(&[("a.js", "'/b.js'"), ("b.js", "'/a.js'")])).is_err());
    }
}

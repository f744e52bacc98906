//! Reading the app's directory and preparing each file.

use super::{AppError, Asset};
use crate::brand::Brand;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use flate2::{Compression, write::GzEncoder};
use std::{
    collections::HashMap,
    ffi::OsStr,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

/// Beyond this it is not the app.
const BYTES_MAX: u64 = 256 << 20;
/// Smaller files do not become smaller.
const COMPRESS_FROM: usize = 256;
/// Hex digits in a file's name that make it a name by content.
const HASH_DIGITS: usize = 16;
/// Quality of brotli for files that were not compressed beforehand: quick, at some cost in size.
const BROTLI_QUALITY: u32 = 5;
const BROTLI_WINDOW: u32 = 22;

/// Reads a directory with all that is in it, but hidden files.
pub(super) fn directory(root: &Path) -> Result<HashMap<String, Asset>, AppError> {
    let mut assets = HashMap::new();
    let mut total = 0;
    let mut directories = vec![(root.to_path_buf(), String::new())];
    while let Some((directory, prefix)) = directories.pop() {
        for entry in fs::read_dir(&directory).map_err(|source| AppError::Read {
            path: directory.clone(),
            source,
        })? {
            let entry = entry.map_err(|source| AppError::Read {
                path: directory.clone(),
                source,
            })?;
            let path = entry.path();
            let Some(name) = path
                .file_name()
                .and_then(OsStr::to_str)
                .filter(|name| !name.starts_with('.'))
            else {
                continue;
            };
            let name = format!("{prefix}{name}");
            if path.is_dir() {
                directories.push((path, format!("{name}/")));
                continue;
            }
            let is_variant =
                path.extension() == Some(OsStr::new("br")) && path.with_extension("").is_file();
            if is_variant {
                continue;
            }
            let content = read(&path)?;
            total += content.len() as u64;
            if total > BYTES_MAX {
                return Err(AppError::TooMuch(root.to_path_buf()));
            }
            let asset = prepare(Some(&path), &name, content)?;
            assets.insert(name, asset);
        }
    }
    if assets.contains_key("index.html") {
        Ok(assets)
    } else {
        Err(AppError::NoIndex(root.to_path_buf()))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, AppError> {
    fs::read(path).map_err(|source| AppError::Read {
        path: path.to_path_buf(),
        source,
    })
}

/// What the app asks for when it starts. Without a brand it says nothing.
const BRAND: &str = "brand.json";
const MANIFEST: &str = "manifest.webmanifest";

/// Puts the brand among the files, in its place in the manifest as well.
pub(super) fn dress(assets: &mut HashMap<String, Asset>, brand: Option<Brand>) {
    let mut made = vec![(BRAND.to_owned(), b"{}".to_vec())];
    if let Some(brand) = brand {
        let manifest = assets.get(MANIFEST);
        let manifest = manifest.map(|manifest| brand.manifest(&manifest.plain));
        made.extend(manifest.map(|manifest| (MANIFEST.to_owned(), manifest)));
        made.push((BRAND.to_owned(), brand.page));
        made.extend(brand.icon.map(|(name, icon)| (name.to_owned(), icon)));
    }
    for (name, content) in made {
        // Nothing is read that could fail.
        if let Ok(asset) = prepare(None, &name, content) {
            assets.insert(name, asset);
        }
    }
}

/// `path`: where a form that was compressed beforehand may lie beside it.
fn prepare(path: Option<&Path>, name: &str, content: Vec<u8>) -> Result<Asset, AppError> {
    let (mime, may_shrink) = mime(name);
    let tag = HEXLOWER.encode(&ume_wire::auth::hash(&content)[..16]);
    let (mut brotli, mut gzip) = (None, None);
    if may_shrink && content.len() >= COMPRESS_FROM {
        let beside = path.map(|path| {
            let mut beside = path.as_os_str().to_owned();
            beside.push(".br");
            PathBuf::from(beside)
        });
        let compressed = match beside.filter(|beside| beside.is_file()) {
            Some(beside) => Some(read(&beside)?),
            None => compress_brotli(&content),
        };
        brotli = compressed
            .filter(|compressed| compressed.len() < content.len())
            .map(Bytes::from);
        gzip = compress_gzip(&content)
            .filter(|compressed| compressed.len() < content.len())
            .map(Bytes::from);
    }
    Ok(Asset {
        mime,
        is_immutable: is_named_by_content(name),
        tag,
        plain: content.into(),
        brotli,
        gzip,
    })
}

fn compress_brotli(content: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut writer =
        brotli::CompressorWriter::new(&mut out, 1 << 16, BROTLI_QUALITY, BROTLI_WINDOW);
    writer.write_all(content).ok()?;
    drop(writer);
    Some(out)
}

fn compress_gzip(content: &[u8]) -> Option<Vec<u8>> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::new(6));
    writer.write_all(content).ok()?;
    writer.finish().ok()
}

/// Whether a name holds a hash: at least 16 hex digits in a row, set off from the rest.
pub(super) fn is_named_by_content(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    let words = file.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.into_iter().any(|word| {
        word.len() >= HASH_DIGITS
            && word
                .bytes()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Media type by ending, and whether such files shrink.
fn mime(name: &str) -> (&'static str, bool) {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => ("text/html; charset=utf-8", true),
        "js" | "mjs" => ("text/javascript; charset=utf-8", true),
        "css" => ("text/css; charset=utf-8", true),
        "wasm" => ("application/wasm", true),
        "webmanifest" => ("application/manifest+json", true),
        "json" | "map" => ("application/json", true),
        "svg" => ("image/svg+xml", true),
        "txt" | "md" => ("text/plain; charset=utf-8", true),
        "png" => ("image/png", false),
        "jpg" | "jpeg" => ("image/jpeg", false),
        "webp" => ("image/webp", false),
        "avif" => ("image/avif", false),
        "ico" => ("image/x-icon", true),
        "woff2" => ("font/woff2", false),
        _ => ("application/octet-stream", false),
    }
}

//! The app's files: read and compressed once at start, served from memory with every header that keeps the origin safe.

mod headers;
mod load;
#[cfg(test)]
mod tests;

use crate::brand::{Brand, BrandError};
use crate::http::{Answer, AnswerBody, plain};
use bytes::Bytes;
use hyper::{
    Request, Response, StatusCode,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};
use std::{collections::HashMap, io, path::Path, path::PathBuf};

/// Why the app cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// A file or the directory cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The directory holds no `index.html`.
    #[error("{0} holds no index.html: is it the app's directory?")]
    NoIndex(PathBuf),
    /// What the app is called here cannot be served.
    #[error("brand: {0}")]
    Brand(#[from] BrandError),
    /// The directory holds more than an app.
    #[error("{0} holds more than 256 MiB: is it the app's directory?")]
    TooMuch(PathBuf),
}

/// One file.
#[derive(Debug)]
struct Asset {
    mime: &'static str,
    /// Named by its content, so that it never changes.
    is_immutable: bool,
    /// First 16 bytes of the SHA-256 of the content, in hex.
    tag: String,
    plain: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
}

/// All files, by path.
pub(crate) struct App {
    assets: HashMap<String, Asset>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// What it is called here, if not by its own name.
    pub(crate) name: Option<String>,
}

impl App {
    /// Reads a directory.
    pub(crate) fn load(
        directory: Option<&Path>,
        brand: Option<&Path>,
        behind_tls: bool,
    ) -> Result<Self, AppError> {
        let mut assets = directory.map_or_else(|| Ok(HashMap::new()), load::directory)?;
        let mut name = None;
        if directory.is_some() {
            let brand = brand.map(Brand::open).transpose()?;
            name = brand.as_ref().map(|brand| brand.name().to_owned());
            load::dress(&mut assets, brand);
        }
        Ok(Self {
            assets,
            headers: headers::security(behind_tls),
            name,
        })
    }

    /// Answers a `GET` or `HEAD`.
    pub(crate) fn answer<B>(&self, request: &Request<B>) -> Answer {
        let mut answer = match self.find(request.uri().path()) {
            Some(asset) => asset.answer(request.headers()),
            None => plain(StatusCode::NOT_FOUND, "not found\n"),
        };
        let headers = answer.headers_mut();
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
        let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        if kind.is_some_and(|kind| kind.starts_with(b"text/html")) {
            headers.insert(
                headers::INTEGRITY.0,
                HeaderValue::from_static(headers::INTEGRITY.1),
            );
        }
        answer
    }

    /// A path is looked up as it is: what is not among the files does not exist, however it is written.
    fn find(&self, path: &str) -> Option<&Asset> {
        let path = path.strip_prefix('/')?;
        let is_page = !path.contains('.');
        self.assets
            .get(path)
            .or_else(|| is_page.then(|| self.assets.get("index.html")).flatten())
    }
}

impl Asset {
    fn answer(&self, request: &HeaderMap) -> Answer {
        let (encoding, body) = self.choose(request);
        let tag = match encoding {
            Some(encoding) => format!("\"{}-{encoding}\"", self.tag),
            None => format!("\"{}\"", self.tag),
        };
        let is_known = request.get_all(header::IF_NONE_MATCH).iter().any(|known| {
            let known = known.to_str().unwrap_or_default();
            known
                .split(',')
                .map(|known| known.trim().trim_start_matches("W/"))
                .any(|known| known == "*" || known == tag)
        });
        let mut answer = Response::new(AnswerBody::whole(if is_known {
            Bytes::new()
        } else {
            body.clone()
        }));
        if is_known {
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = answer.headers_mut();
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(tag) = HeaderValue::try_from(tag) {
            headers.insert(header::ETAG, tag);
        }
        let caching = if self.is_immutable {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        if is_known {
            return answer;
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.mime));
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        answer
    }

    /// The smallest form that the client takes.
    fn choose(&self, request: &HeaderMap) -> (Option<&'static str>, &Bytes) {
        let accepts = |wanted: &str| {
            let values = request
                .get_all(header::ACCEPT_ENCODING)
                .into_iter()
                .filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).any(|value| {
                let mut parts = value.split(';').map(str::trim);
                let is_wanted = parts
                    .next()
                    .is_some_and(|name| name.eq_ignore_ascii_case(wanted));
                is_wanted
                    && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
            })
        };
        match (&self.brotli, &self.gzip) {
            (Some(body), _) if accepts("br") => (Some("br"), body),
            (_, Some(body)) if accepts("gzip") => (Some("gzip"), body),
            _ => (None, &self.plain),
        }
    }
}

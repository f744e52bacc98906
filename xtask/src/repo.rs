use crate::fault::{During, Fault, Result};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The checkout that this runs in.
pub(crate) struct Repo {
    root: PathBuf,
}

impl Repo {
    /// Cargo says where this package is; a copied binary falls back to where it was built.
    pub(crate) fn find() -> Result<Self> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.parent().map(Path::to_path_buf);
        match root {
            Some(root) if root.join("Trunk.toml").is_file() => Ok(Self { root }),
            _ => Err(Fault::new(
                "the checkout was not found; run `cargo xtask` inside it",
            )),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Where cargo tools are installed when PATH has none of the right version: with the caches of the person, so that
    /// each checkout does not compile them anew; in the checkout for whoever has no home.
    pub(crate) fn tools(&self) -> PathBuf {
        let caches = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
        let caches = caches.filter(|path| path.is_absolute()).or_else(home);
        caches.map_or_else(|| self.path(".tools"), |path| path.join("ume/tools"))
    }

    /// Where cargo builds.
    pub(crate) fn target(&self) -> PathBuf {
        env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| self.path("target"), |path| self.root.join(path))
    }

    /// The finished app, as the relay serves it.
    pub(crate) fn dist(&self) -> PathBuf {
        self.path("dist")
    }

    /// What xtask remembers between runs.
    pub(crate) fn state(&self) -> PathBuf {
        self.target().join("xtask")
    }

    pub(crate) fn relay(&self) -> PathBuf {
        self.target().join("release/ume-relay")
    }

    /// Every file below `relative`, sorted; nothing when there is no such folder.
    pub(crate) fn files_below(&self, relative: &str) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        collect(&self.path(relative), &mut found)?;
        found.sort();
        Ok(found)
    }

    /// `path` as it reads from the root, with `/` between its parts.
    pub(crate) fn relative(&self, path: &Path) -> String {
        slashed(path.strip_prefix(&self.root).unwrap_or(path))
    }
}

/// `path` with `/` between its parts on every system.
pub(crate) fn slashed(path: &Path) -> String {
    path.components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}

/// What stands after the last dot of a file's name.
pub(crate) fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn collect(path: &Path, found: &mut Vec<PathBuf>) -> Result {
    if path.is_file() {
        found.push(path.to_path_buf());
    }
    if path.is_dir() {
        for entry in fs::read_dir(path).during(path.display())? {
            collect(&entry.during(path.display())?.path(), found)?;
        }
    }
    Ok(())
}

//! The relay's own key: made at the first start, kept in the data directory, never anywhere else.

use ed25519_dalek::SigningKey;
use rand_core::{OsRng, RngCore};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

const FILE: &str = "relay.key";

/// Why the relay has no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The key's file cannot be read or written.
    #[error("cannot use {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file holds something else than 32 bytes. It is never overwritten: the relay would become another one.
    #[error("{0} does not hold a relay's key (32 bytes)")]
    NoKey(PathBuf),
}

/// Reads the key in a directory, or makes one.
pub(crate) fn load_or_make(directory: &Path) -> Result<SigningKey, IdentityError> {
    let path = directory.join(FILE);
    match fs::read(&path).map(Zeroizing::new) {
        Ok(bytes) => match <&[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(secret) => Ok(SigningKey::from_bytes(secret)),
            Err(_) => Err(IdentityError::NoKey(path)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(directory, &path).map_err(|source| IdentityError::File { path, source })
        }
        Err(source) => Err(IdentityError::File { path, source }),
    }
}

fn make(directory: &Path, path: &Path) -> io::Result<SigningKey> {
    let mut secret = Zeroizing::new([0; 32]);
    OsRng
        .try_fill_bytes(secret.as_mut())
        .map_err(|error| io::Error::other(error.to_string()))?;
    // Written aside and renamed, so that a crash leaves either no key or a whole one.
    let aside = path.with_extension("key.new");
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private_file(&aside)?;
    file.write_all(secret.as_ref())?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    File::open(directory)?.sync_all()?;
    Ok(SigningKey::from_bytes(&secret))
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_stays_the_same_and_private() {
        let directory = tempfile::tempdir().unwrap();
        let first = load_or_make(directory.path()).unwrap();
        let second = load_or_make(directory.path()).unwrap();
        assert_eq!(first.to_bytes(), second.to_bytes());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(directory.path().join(FILE))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_key_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(FILE), [1; 31]).unwrap();
        assert!(matches!(
            load_or_make(directory.path()),
            Err(IdentityError::NoKey(_))
        ));
        assert_eq!(fs::read(directory.path().join(FILE)).unwrap().len(), 31);
    }
}

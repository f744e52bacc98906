//! Makes a data directory from a backup.

use super::{SOCKET, desk::make_private};
use crate::{
    commit::now,
    identity::{self, BACKUP_FILE, FILE, Identity, Oldest, UNFINISHED_FILE},
};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// Directories within a backup, one inside the other.
const DEPTH_MAX: usize = 4;

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// It has no key: something else, or a backup that was cut off.
    #[error(
        "{0} is not a whole backup: it has no relay.key.backup, nor is it the data of a stopped relay"
    )]
    NoBackup(PathBuf),
    /// A relay runs there.
    #[error("a relay runs in {0}: make a backup of it instead (ume-relay backup)")]
    Runs(PathBuf),
    /// Something cannot be read or written.
    #[error("cannot restore: {0}")]
    File(#[from] io::Error),
    /// The backup's key cannot be used.
    #[error(transparent)]
    Identity(#[from] crate::IdentityError),
}

/// Copies a backup, or the data of a stopped relay, into a directory that is empty or missing. The relay that starts there
/// has a new key, for which the old one vouches. Clients follow eight such steps: a ninth is refused, unless
/// `forget_oldest` says that whoever knows the relay by its oldest key may lose it.
///
/// # Errors
/// [`RestoreError`]. What was copied so far is not taken for a relay's data.
pub fn restore(from: &Path, data: &Path, forget_oldest: bool) -> Result<(), RestoreError> {
    let oldest = if forget_oldest {
        Oldest::Goes
    } else {
        Oldest::Stays
    };
    let key = [BACKUP_FILE, FILE]
        .into_iter()
        .find(|name| from.join(name).is_file())
        .ok_or_else(|| RestoreError::NoBackup(from.to_owned()))?;
    if std::os::unix::net::UnixStream::connect(from.join(SOCKET)).is_ok() {
        return Err(RestoreError::Runs(from.to_owned()));
    }
    Identity::check_backup(&from.join(key), oldest)?;
    make_private(data)?;
    let unfinished = data.join(UNFINISHED_FILE);
    identity::private_file(&unfinished)?.sync_all()?;
    identity::sync(data)?;
    copy_all(from, data, 0)?;
    copy(&from.join(key), &data.join(BACKUP_FILE))?;
    identity::sync(data)?;
    fs::remove_file(&unfinished)?;
    identity::sync(data)?;
    Identity::open_with(data, now(), oldest)?;
    Ok(())
}

fn copy_all(from: &Path, to: &Path, depth: usize) -> io::Result<()> {
    if depth > DEPTH_MAX {
        return Err(io::Error::other("directories within directories"));
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let target = to.join(&name);
        if kind.is_dir() {
            make_private(&target)?;
            copy_all(&entry.path(), &target, depth + 1)?;
        } else if kind.is_file() && name != FILE && name != BACKUP_FILE {
            copy(&entry.path(), &target)?;
        }
        // Sockets stay where they are.
    }
    identity::sync(to)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut target = identity::private_file(to)?;
    io::copy(&mut File::open(from)?, &mut target)?;
    target.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use ume_wire::{auth::follow_successions, limits::SUCCESSIONS_MAX};

    #[test]
    fn a_backup_is_copied_privately_and_comes_back_under_a_new_key() {
        for is_backup in [true, false] {
            let place = tempfile::tempdir().unwrap();
            let (from, data) = (place.path().join("backup"), place.path().join("deep/data"));
            fs::create_dir_all(from.join("log")).unwrap();
            fs::write(from.join("log/1"), b"segment").unwrap();
            fs::write(from.join("tables"), b"tables").unwrap();
            let old = Identity::open(&from, 5).unwrap().identity;
            if is_backup {
                old.write_backup(&from).unwrap();
                fs::remove_file(from.join(FILE)).unwrap();
            }
            restore(&from, &data, false).unwrap();

            assert_eq!(fs::read(data.join("log/1")).unwrap(), b"segment");
            assert_eq!(fs::read(data.join("tables")).unwrap(), b"tables");
            let mode = |name: &str| fs::metadata(data.join(name)).unwrap().permissions().mode();
            assert_eq!(
                (mode("tables") & 0o777, mode("log") & 0o777),
                (0o600, 0o700)
            );
            let opened = Identity::open(&data, 5).unwrap();
            assert!(!opened.restored, "restore has done it");
            let new = opened.identity;
            assert_ne!(old.id(), new.id());
            let key = new.key().verifying_key();
            assert!(follow_successions(old.id(), new.successions(), key.as_bytes()).is_ok());
            let again = restore(&from, &data, false);
            assert!(matches!(again, Err(RestoreError::File(_))));
        }
    }

    #[test]
    fn what_has_no_key_is_no_backup() {
        let place = tempfile::tempdir().unwrap();
        let data = place.path().join("data");
        assert!(matches!(
            restore(place.path(), &data, false),
            Err(RestoreError::NoBackup(_))
        ));
        assert!(!data.exists());
    }

    #[test]
    fn one_restore_more_than_clients_follow_has_to_be_meant() {
        let place = tempfile::tempdir().unwrap();
        let at = |n: usize| place.path().join(n.to_string());
        Identity::open(place.path(), 5).unwrap();
        fs::create_dir(at(0)).unwrap();
        fs::rename(place.path().join(FILE), at(0).join(FILE)).unwrap();
        for n in 0..SUCCESSIONS_MAX {
            restore(&at(n), &at(n + 1), false).unwrap();
        }
        let (from, data) = (at(SUCCESSIONS_MAX), at(SUCCESSIONS_MAX + 1));
        let refused = restore(&from, &data, false).unwrap_err().to_string();
        assert!(
            refused.contains("never find it") && refused.contains("--forget-oldest"),
            "{refused}"
        );
        assert!(!data.exists(), "nothing was begun");
        restore(&from, &data, true).unwrap();
        let successions = Identity::open(&data, 5).unwrap().identity;
        assert_eq!(successions.successions().len(), SUCCESSIONS_MAX);
    }
}

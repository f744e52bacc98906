//! The relay's own key: made at the first start, kept in the data directory, never anywhere else but in backups.
//!
//! | file | holds |
//! |---|---|
//! | `relay.key` | the secret key, 32 bytes, and after it the [`Past`] |
//! | `relay.key.backup` | the same, as a backup carries it |
//! | `push.key` | what push services know the relay by (`push/key.rs`) |
//!
//! A relay that comes back from a backup has forgotten what it promised since, so it must not go on under the key that
//! signed those promises. The name of the file in backups sees to that, whoever copies them back and how: a relay that
//! starts beside a `relay.key.backup` makes a new key, has the old one sign a [`Succession`] as its last act, and removes
//! the old one.

use crate::{day::Day, push::PushKey};
use bytes::Bytes;
use ed25519_dalek::SigningKey;
use prost::Message;
use rand_core::{OsRng, RngCore};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};
use ume_wire::{
    auth::{Hash, Statement, relay_id},
    limits::{LIFE_BYTES, SUCCESSIONS_MAX},
    relay::Succession,
};
use zeroize::Zeroizing;

/// The key of a relay that runs or ran here.
pub(crate) const FILE: &str = "relay.key";
/// The key as a backup carries it. It is written last: a backup without it is not whole.
pub(crate) const BACKUP_FILE: &str = "relay.key.backup";
/// Stands in a data directory while a backup is copied into it.
pub(crate) const UNFINISHED_FILE: &str = "restore.unfinished";
const SECRET_BYTES: usize = 32;

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
    /// The file holds something else than a key. It is never overwritten: the relay would become another one.
    #[error("{0} does not hold a relay's key")]
    NoKey(PathBuf),
    /// Clients would not follow it any more.
    #[error(
        "this relay came back from backups {SUCCESSIONS_MAX} times already, and clients follow no more than that: once \
         more, and communities and links from before {before} never find it again. To do it all the same: \
         ume-relay restore --forget-oldest"
    )]
    ManyRestores {
        /// The day of the first of these restores.
        before: String,
    },
    /// A restore into this directory was cut off.
    #[error("{0} was only partly restored: empty it and restore again")]
    HalfRestored(PathBuf),
}

/// How the relay came from earlier keys, oldest first.
#[derive(Clone, PartialEq, Message)]
struct Past {
    #[prost(message, repeated, tag = "1")]
    successions: Vec<Succession>,
}

/// What becomes of the oldest of as many earlier keys as clients follow, when one more is to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oldest {
    /// It stays: there is no further key.
    Stays,
    /// It is forgotten, and with it whoever knows the relay by it.
    Goes,
}

/// Who the relay is, and who it was.
pub(crate) struct Identity {
    key: SigningKey,
    id: Hash,
    past: Past,
    life_key: Zeroizing<[u8; 32]>,
    /// Stays the same when the relay comes back from a backup: it vouches for nothing that could be forgotten.
    push: Option<PushKey>,
}

/// An identity, and how it was come by.
pub(crate) struct Opened {
    pub(crate) identity: Identity,
    /// The directory was a backup: the key is new.
    pub(crate) restored: bool,
}

impl Identity {
    /// Reads the key in a data directory, makes one for a new directory, and makes a new one where a backup was put.
    pub(crate) fn open(directory: &Path, now_ms: u64) -> Result<Opened, IdentityError> {
        Self::open_with(directory, now_ms, Oldest::Stays)
    }

    /// As [`Identity::open`], for a restore that the operator has thought over.
    pub(crate) fn open_with(
        directory: &Path,
        now_ms: u64,
        oldest: Oldest,
    ) -> Result<Opened, IdentityError> {
        let mut opened = Self::open_own(directory, now_ms, oldest)?;
        opened.identity.push = Some(PushKey::open(directory)?);
        Ok(opened)
    }

    fn open_own(directory: &Path, now_ms: u64, oldest: Oldest) -> Result<Opened, IdentityError> {
        if directory.join(UNFINISHED_FILE).exists() {
            return Err(IdentityError::HalfRestored(directory.to_owned()));
        }
        let path = directory.join(FILE);
        let own = Self::read(&path)?;
        let backup_path = directory.join(BACKUP_FILE);
        let Some(backup) = Self::read(&backup_path)? else {
            let identity = match own {
                Some(own) => own,
                None => Self::fresh(Past::default()).and_then(|new| {
                    new.write(directory, FILE)?;
                    Ok(new)
                })?,
            };
            return Ok(Opened {
                identity,
                restored: false,
            });
        };
        // A backup that was copied over a directory in use: its store is the older one, but the key there may be newer.
        let old = own
            .filter(|own| own.descends_from(&backup))
            .unwrap_or(backup);
        let new = old.succeed(now_ms, oldest)?;
        new.write(directory, FILE)?;
        fs::remove_file(&backup_path)
            .and_then(|()| sync(directory))
            .map_err(|source| IdentityError::File {
                path: backup_path,
                source,
            })?;
        Ok(Opened {
            identity: new,
            restored: true,
        })
    }

    /// Puts the keys into a finished backup.
    pub(crate) fn write_backup(&self, directory: &Path) -> Result<(), IdentityError> {
        if let Some(push) = &self.push {
            push.write(directory)?;
        }
        self.write(directory, BACKUP_FILE)
    }

    /// What push services know it by.
    pub(crate) fn push_key(&self) -> Option<&PushKey> {
        self.push.as_ref()
    }

    /// What it signs with.
    pub(crate) fn key(&self) -> &SigningKey {
        &self.key
    }

    /// SHA-256 of its public key.
    pub(crate) fn id(&self) -> &Hash {
        &self.id
    }

    /// How it came from earlier keys, oldest first.
    pub(crate) fn successions(&self) -> &[Succession] {
        &self.past.successions
    }

    /// What `Head.life` says for the lane of this serial: another value for every lane and for every key of the relay.
    /// Under a secret, so that nobody can count the relay's lanes from it.
    pub(crate) fn life(&self, serial: u64) -> [u8; LIFE_BYTES] {
        let mut digest = Sha256::new();
        digest.update(&self.life_key[..]);
        digest.update(serial.to_le_bytes());
        let mut life = [0; LIFE_BYTES];
        life.copy_from_slice(&digest.finalize()[..LIFE_BYTES]);
        life
    }

    fn new(key: SigningKey, past: Past) -> Self {
        let mut digest = Sha256::new();
        digest.update(b"ume/1/life");
        digest.update(key.as_bytes());
        Self {
            id: relay_id(key.verifying_key().as_bytes()),
            life_key: Zeroizing::new(digest.finalize().into()),
            key,
            past,
            push: None,
        }
    }

    fn fresh(past: Past) -> Result<Self, IdentityError> {
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        OsRng
            .try_fill_bytes(secret.as_mut())
            .map_err(|error| IdentityError::File {
                path: FILE.into(),
                source: io::Error::other(error.to_string()),
            })?;
        Ok(Self::new(SigningKey::from_bytes(&secret), past))
    }

    /// Whether what is in the file of a key can be given a further one.
    pub(crate) fn check_backup(path: &Path, oldest: Oldest) -> Result<(), IdentityError> {
        match Self::read(path)? {
            Some(identity) => identity.may_be_succeeded(oldest),
            None => Err(IdentityError::NoKey(path.to_owned())),
        }
    }

    fn may_be_succeeded(&self, oldest: Oldest) -> Result<(), IdentityError> {
        match self.successions().first() {
            Some(first) if oldest == Oldest::Stays && self.is_full() => {
                let before = Day(first.time_ms).to_string();
                Err(IdentityError::ManyRestores { before })
            }
            _ => Ok(()),
        }
    }

    fn is_full(&self) -> bool {
        self.successions().len() >= SUCCESSIONS_MAX
    }

    /// A new key, to which this one has handed over.
    fn succeed(&self, now_ms: u64, oldest: Oldest) -> Result<Self, IdentityError> {
        self.may_be_succeeded(oldest)?;
        let mut new = Self::fresh(self.past.clone())?;
        let (old_key, new_key) = (self.public(), new.public());
        let signature = Statement::Succession(&new_key, now_ms).sign(&self.key);
        let successions = &mut new.past.successions;
        successions.push(Succession {
            old_key,
            new_key,
            time_ms: now_ms,
            signature: Bytes::copy_from_slice(&signature),
        });
        // Whoever knows the relay by a key before these does not find it any more.
        let surplus = successions.len().saturating_sub(SUCCESSIONS_MAX);
        successions.drain(..surplus);
        Ok(new)
    }

    fn public(&self) -> Bytes {
        Bytes::copy_from_slice(self.key.verifying_key().as_bytes())
    }

    fn descends_from(&self, other: &Self) -> bool {
        let key = other.public();
        self.public() == key || self.successions().iter().any(|one| one.old_key == key)
    }

    fn read(path: &Path) -> Result<Option<Self>, IdentityError> {
        let bytes = match fs::read(path).map(Zeroizing::new) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                let path = path.to_owned();
                return Err(IdentityError::File { path, source });
            }
        };
        let none = || IdentityError::NoKey(path.to_owned());
        let (secret, past) = bytes.split_first_chunk().ok_or_else(none)?;
        let past = Past::decode(past).map_err(|_| none())?;
        Ok(Some(Self::new(SigningKey::from_bytes(secret), past)))
    }

    fn write(&self, directory: &Path, name: &str) -> Result<(), IdentityError> {
        let bytes = Zeroizing::new([&self.key.as_bytes()[..], &self.past.encode_to_vec()].concat());
        replace(directory, name, &bytes).map_err(|source| IdentityError::File {
            path: directory.join(name),
            source,
        })
    }
}

/// Writes a private file aside and renames it, so that a crash leaves either what was there or the whole new one.
pub(crate) fn replace(directory: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let aside = directory.join(format!("{name}.new"));
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private_file(&aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&aside, directory.join(name))?;
    sync(directory)
}

/// Makes what was renamed or removed in a directory last.
pub(crate) fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// A new file that only this user may read.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use ume_wire::auth::follow_successions;

    fn open(directory: &Path) -> Opened {
        Identity::open(directory, 5).unwrap()
    }

    fn back_up(identity: &Identity) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        identity.write_backup(directory.path()).unwrap();
        directory
    }

    #[test]
    fn the_key_stays_the_same_and_private() {
        let directory = tempfile::tempdir().unwrap();
        let first = open(directory.path());
        let second = open(directory.path());
        assert!(!first.restored && !second.restored);
        assert_eq!(first.identity.id(), second.identity.id());
        assert_eq!(first.identity.life(7), second.identity.life(7));
        assert_ne!(first.identity.life(7), first.identity.life(8));
        let file = fs::metadata(directory.path().join(FILE)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_key_is_not_replaced() {
        for file in [FILE, BACKUP_FILE] {
            for content in [&[1; 31][..], &[255; 40]] {
                let directory = tempfile::tempdir().unwrap();
                fs::write(directory.path().join(file), content).unwrap();
                assert!(matches!(
                    Identity::open(directory.path(), 5),
                    Err(IdentityError::NoKey(_))
                ));
                assert_eq!(fs::read(directory.path().join(file)).unwrap(), content);
            }
        }
    }

    #[test]
    fn a_backup_comes_back_under_a_new_key_that_the_old_one_named() {
        let directory = tempfile::tempdir().unwrap();
        let first = open(directory.path()).identity;
        let mut last = first.public();
        let mut known = *first.id();
        let mut place = back_up(&first);
        for restores in 1..=SUCCESSIONS_MAX + 2 {
            let is_one_too_many = restores > SUCCESSIONS_MAX;
            let Opened { identity, restored } = if is_one_too_many {
                // Not before somebody said that it may lose those who know its oldest key, and nothing has changed.
                for _ in 0..2 {
                    let refused = Identity::open(place.path(), 5);
                    assert!(matches!(refused, Err(IdentityError::ManyRestores { .. })));
                }
                Identity::open_with(place.path(), 5, Oldest::Goes).unwrap()
            } else {
                open(place.path())
            };
            assert!(restored);
            assert_ne!(identity.public(), last);
            assert_eq!(identity.successions().len(), restores.min(SUCCESSIONS_MAX));
            let found = follow_successions(&known, identity.successions(), &identity.public());
            assert_eq!(found.is_ok(), !is_one_too_many, "{restores}");
            assert!(!open(place.path()).restored, "once is enough");
            last = identity.public();
            place = back_up(&identity);
        }
        // The one before is always there.
        known = relay_id(&last);
        let next = Identity::open_with(place.path(), 5, Oldest::Goes).unwrap();
        let next = next.identity;
        assert!(follow_successions(&known, next.successions(), &next.public()).is_ok());
    }

    #[test]
    fn the_life_of_a_lane_ends_with_a_restore() {
        let directory = tempfile::tempdir().unwrap();
        let first = open(directory.path()).identity;
        let second = open(back_up(&first).path()).identity;
        assert_ne!(first.life(1), second.life(1));
    }

    #[test]
    fn a_backup_copied_over_a_newer_key_follows_the_newer_one() {
        let directory = tempfile::tempdir().unwrap();
        let first = open(directory.path()).identity;
        first.write_backup(directory.path()).unwrap();
        let second = open(directory.path()).identity;
        first.write_backup(directory.path()).unwrap();
        let third = open(directory.path()).identity;
        for known in [&first, &second] {
            assert!(follow_successions(known.id(), third.successions(), &third.public()).is_ok());
        }
    }

    #[test]
    fn a_backup_copied_over_a_stranger_is_the_backups_relay() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = open(one.path()).identity;
        open(other.path());
        first.write_backup(other.path()).unwrap();
        let new = open(other.path()).identity;
        assert!(follow_successions(first.id(), new.successions(), &new.public()).is_ok());
    }

    #[test]
    fn half_a_restore_is_no_relay() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(UNFINISHED_FILE), b"").unwrap();
        assert!(matches!(
            Identity::open(directory.path(), 5),
            Err(IdentityError::HalfRestored(_))
        ));
        assert!(!directory.path().join(FILE).exists());
    }
}

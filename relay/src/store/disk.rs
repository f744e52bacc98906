//! The operations on files that the store is made of: few, so that tests can let any of them fail.

#[cfg(test)]
pub(crate) mod faulty;

use redb::{Database, DatabaseError};
use std::{
    fmt::Debug,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
    sync::Arc,
};

/// Where files are.
pub(crate) trait Disk: Debug + Send + Sync {
    /// Opens a file for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Makes a file, in the place of one that may be there.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Gives a file another name, in the place of one that may have it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes names in a directory durable.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;

    /// Bytes that the file system of a directory has left.
    fn free(&self, directory: &Path) -> io::Result<u64>;

    /// Opens the tables in a file, made if missing, and locked for this process.
    fn tables(&self, path: &Path, cache_bytes: usize) -> Result<Database, DatabaseError>;
}

/// A file.
pub(crate) trait DiskFile: Debug + Send + Sync {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
    fn write_all_at(&self, buffer: &[u8], offset: u64) -> io::Result<()>;
    /// Makes what was written durable.
    fn sync(&self) -> io::Result<()>;
    fn bytes(&self) -> io::Result<u64>;
}

/// The file system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileSystem;

impl Disk for FileSystem {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Arc::new(file))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        // For nobody but the relay's user.
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        Ok(Arc::new(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn free(&self, directory: &Path) -> io::Result<u64> {
        let room = rustix::fs::statvfs(directory)?;
        Ok(room.f_bavail.saturating_mul(room.f_frsize))
    }

    fn tables(&self, path: &Path, cache_bytes: usize) -> Result<Database, DatabaseError> {
        Database::builder().set_cache_size(cache_bytes).create(path)
    }
}

impl DiskFile for File {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        FileExt::read_exact_at(self, buffer, offset)
    }

    fn write_all_at(&self, buffer: &[u8], offset: u64) -> io::Result<()> {
        FileExt::write_all_at(self, buffer, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn bytes(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

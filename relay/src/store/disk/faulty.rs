//! Disks that fail: at any operation, for a while, or for good as when the power goes.

use super::{Disk, DiskFile, FileSystem};
use parking_lot::Mutex;
use redb::{Database, DatabaseError, StorageBackend};
use std::{fs::File, fs::OpenOptions, io, path::Path, sync::Arc};

const SECTOR: usize = 512;

/// What happens to operations, which are counted from 1.
#[derive(Debug, Default)]
struct Plan {
    done: u64,
    /// From this one on, so many fail.
    fail: Option<(u64, u64)>,
    /// The process is gone from this one on.
    dead_from: Option<u64>,
    full: bool,
    /// Bytes that it says it has left; more than anybody needs if nothing was said.
    free: Option<u64>,
    /// What was written since the last flush, with what was there before.
    loose: Vec<Loose>,
    seed: u64,
}

#[derive(Debug)]
struct Loose {
    file: Arc<File>,
    offset: u64,
    before: Vec<u8>,
}

/// The file system, with faults.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultyDisk(Arc<Mutex<Plan>>);

impl FaultyDisk {
    /// Lets operations fail from now on: the one after `after` others, and `count` in all.
    pub(crate) fn fail(&self, after: u64, count: u64, full: bool) {
        let mut plan = self.0.lock();
        plan.fail = Some((plan.done + after + 1, count));
        plan.full = full;
    }

    /// Lets the power go after so many operations.
    pub(crate) fn die(&self, after: u64) {
        let mut plan = self.0.lock();
        plan.dead_from = Some(plan.done + after + 1);
    }

    /// Says from now on that it has so little room left.
    pub(crate) fn shrink(&self, free: u64) {
        self.0.lock().free = Some(free);
    }

    /// No more faults.
    pub(crate) fn calm(&self) {
        let mut plan = self.0.lock();
        (plan.fail, plan.dead_from, plan.free) = (None, None, None);
    }

    pub(crate) fn is_dead(&self) -> bool {
        let plan = self.0.lock();
        plan.dead_from.is_some_and(|from| plan.done >= from)
    }

    /// The power is back. Of what was not flushed some sectors are there and some are not.
    pub(crate) fn revive(&self) {
        let mut plan = self.0.lock();
        plan.dead_from = None;
        lose(&mut plan, |_| true);
    }

    pub(crate) fn operations(&self) -> u64 {
        self.0.lock().done
    }

    fn operate(&self) -> io::Result<()> {
        let mut plan = self.0.lock();
        plan.done += 1;
        if plan.dead_from.is_some_and(|from| plan.done >= from) {
            return Err(io::Error::other("the power is gone"));
        }
        if let Some((from, count)) = plan.fail
            && plan.done >= from
            && plan.done < from + count
        {
            return Err(if plan.full {
                io::ErrorKind::StorageFull.into()
            } else {
                io::Error::other("the disk fails")
            });
        }
        Ok(())
    }

    fn write(&self, file: &Arc<File>, buffer: &[u8], offset: u64) -> io::Result<()> {
        let operated = self.operate();
        if self.is_dead() {
            return operated;
        }
        // What fails may have been done in part.
        let part = if operated.is_ok() {
            buffer
        } else {
            &buffer[..buffer.len() / 2]
        };
        let length = file.metadata()?.len();
        let there = usize::try_from(length.saturating_sub(offset)).unwrap();
        let mut before = vec![0; part.len().min(there)];
        file.read_exact_at(&mut before, offset)?;
        before.resize(part.len(), 0);
        self.0.lock().loose.push(Loose {
            file: file.clone(),
            offset,
            before,
        });
        file.write_all_at(part, offset)?;
        operated
    }

    fn sync(&self, file: &Arc<File>) -> io::Result<()> {
        let operated = self.operate();
        let mut plan = self.0.lock();
        if plan.dead_from.is_some_and(|from| plan.done >= from) {
            return operated;
        }
        if operated.is_err() {
            // The kernel takes such pages for clean, and may drop them.
            lose(&mut plan, |other| Arc::ptr_eq(other, file));
        }
        plan.loose.retain(|loose| !Arc::ptr_eq(&loose.file, file));
        operated
    }

    fn file(&self, file: File) -> FaultyFile {
        FaultyFile {
            disk: self.clone(),
            file: Arc::new(file),
        }
    }
}

/// Undoes some of what was not flushed.
fn lose(plan: &mut Plan, which: impl Fn(&Arc<File>) -> bool) {
    let mut random = numbers(plan.seed);
    plan.seed += 1;
    let (lost, kept) = std::mem::take(&mut plan.loose)
        .into_iter()
        .partition(|loose| which(&loose.file));
    plan.loose = kept;
    let lost: Vec<Loose> = lost;
    // All, none, or some of each.
    let mode = random() % 3;
    for loose in lost.iter().rev() {
        for (index, sector) in loose.before.chunks(SECTOR).enumerate() {
            let offset = loose.offset + (index * SECTOR) as u64;
            if mode == 0 || (mode == 1 && random().is_multiple_of(2)) {
                loose.file.write_all_at(sector, offset).unwrap();
            }
        }
    }
}

/// Numbers from a seed (`SplitMix64`).
pub(crate) fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = state;
        number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ number >> 31
    }
}

impl Disk for FaultyDisk {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.operate()?;
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Arc::new(self.file(file)))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.operate()?;
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)?;
        Ok(Arc::new(self.file(file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operate()?;
        FileSystem.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.operate()?;
        FileSystem.remove(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.operate()?;
        FileSystem.sync_directory(path)
    }

    fn free(&self, _: &Path) -> io::Result<u64> {
        Ok(self.0.lock().free.unwrap_or(u64::MAX))
    }

    fn tables(&self, path: &Path, cache_bytes: usize) -> Result<Database, DatabaseError> {
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(redb::StorageError::from)?;
        Database::builder()
            .set_cache_size(cache_bytes)
            .create_with_backend(self.file(file))
    }
}

#[derive(Debug)]
struct FaultyFile {
    disk: FaultyDisk,
    file: Arc<File>,
}

impl DiskFile for FaultyFile {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.disk.operate()?;
        DiskFile::read_exact_at(&*self.file, buffer, offset)
    }

    fn write_all_at(&self, buffer: &[u8], offset: u64) -> io::Result<()> {
        self.disk.write(&self.file, buffer, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.sync(&self.file)
    }

    fn bytes(&self) -> io::Result<u64> {
        self.disk.operate()?;
        self.file.bytes()
    }
}

impl StorageBackend for FaultyFile {
    fn len(&self) -> io::Result<u64> {
        self.bytes()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        DiskFile::read_exact_at(self, out, offset)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.disk.operate()?;
        self.file.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.write(&self.file, data, offset)
    }
}

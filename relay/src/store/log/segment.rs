//! Files of the log: segments of one size, and beside each that is full an index of what it holds.
//!
//! A segment's first 4,096 bytes hold a header of 64:
//!
//! | offset | bytes | meaning |
//! |---|---|---|
//! | 0 | 8 | `umelog` and the format, 2 bytes |
//! | 8 | 4 | number of the segment, from 1 |
//! | 12 | 4 | salt of its records |
//! | 16 | 4 | number of the segment before, or 0 |
//! | 20 | 4 | where the records of that one end: what follows was never acknowledged |
//! | 24 | 36 | 0 |
//! | 60 | 4 | CRC-32 of the above |
//!
//! An index (`.idx`) has a head of 32 bytes (`umeidx`, format, number, salt, end of the records, count of entries, 0,
//! CRC-32 of the entries) and entries of 32 bytes: serial, number, time of expiry (4), fingerprint (4), offset (4), 0. It
//! is written once the segment is full and what its trims say is recorded in the tables: a segment with a sound index
//! need not be read when the store is opened.

use super::{
    Serial,
    record::{CELL_RECORD_BYTES, checksum, u32_at, u64_at},
};
use crate::store::disk::{Disk, DiskFile};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

/// Where records begin.
pub(super) const RECORDS_FROM: u32 = 4096;
const MAGIC: &[u8; 8] = b"umelog\x01\x00";
const INDEX_MAGIC: &[u8; 8] = b"umeidx\x01\x00";
const HEADER_BYTES: usize = 64;
const INDEX_HEAD_BYTES: usize = 32;
const ENTRY_BYTES: usize = 32;
/// How much is written at once when a file is filled with zeros.
const FILL_BYTES: usize = 1 << 20;

/// A segment that is in use.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u32,
    pub(super) salt: u32,
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) bytes: u32,
    /// Cells in it that the index points to.
    pub(super) live: AtomicU32,
    /// Whether its index is on disk, so that it may be moved or used again.
    pub(super) sealed: AtomicBool,
}

impl Segment {
    pub(super) fn live(&self) -> u32 {
        self.live.load(Ordering::Relaxed)
    }

    pub(super) fn live_bytes(&self) -> u64 {
        u64::from(self.live()) * CELL_RECORD_BYTES as u64
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::Acquire)
    }
}

/// What a segment's header says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Header {
    pub(super) number: u32,
    pub(super) salt: u32,
    pub(super) before: u32,
    pub(super) before_end: u32,
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[..8].copy_from_slice(MAGIC);
        for (index, number) in [self.number, self.salt, self.before, self.before_end]
            .into_iter()
            .enumerate()
        {
            out[8 + 4 * index..12 + 4 * index].copy_from_slice(&number.to_le_bytes());
        }
        let crc = checksum(0, &out[..60]);
        out[60..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    pub(super) fn decode(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let sound = &bytes[..8] == MAGIC && checksum(0, &bytes[..60]) == u32_at(bytes, 60);
        sound.then(|| Self {
            number: u32_at(bytes, 8),
            salt: u32_at(bytes, 12),
            before: u32_at(bytes, 16),
            before_end: u32_at(bytes, 20),
        })
    }

    pub(super) fn read(file: &dyn DiskFile) -> io::Result<Option<Self>> {
        let mut bytes = [0; HEADER_BYTES];
        if file.bytes()? < u64::from(RECORDS_FROM) {
            return Ok(None);
        }
        file.read_exact_at(&mut bytes, 0)?;
        Ok(Self::decode(&bytes))
    }
}

/// A cell in a segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) serial: Serial,
    pub(super) number: u64,
    pub(super) until: u32,
    pub(super) fingerprint: u32,
    pub(super) offset: u32,
}

/// Writes a segment's index, durably.
pub(super) fn write_index(
    disk: &dyn Disk,
    directory: &Path,
    segment: &Segment,
    end: u32,
    entries: &[Entry],
) -> io::Result<()> {
    let mut out = Vec::with_capacity(INDEX_HEAD_BYTES + entries.len() * ENTRY_BYTES);
    out.extend_from_slice(INDEX_MAGIC);
    let count = u32::try_from(entries.len()).map_err(io::Error::other)?;
    for number in [segment.number, segment.salt, end, count, 0, 0] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    for entry in entries {
        out.extend_from_slice(&entry.serial.to_le_bytes());
        out.extend_from_slice(&entry.number.to_le_bytes());
        for number in [entry.until, entry.fingerprint, entry.offset, 0] {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }
    let crc = index_checksum(&out);
    out[28..32].copy_from_slice(&crc.to_le_bytes());
    let (aside, path) = (
        directory.join("index.new"),
        index_path(directory, segment.number),
    );
    let file = disk.create(&aside)?;
    file.write_all_at(&out, 0)?;
    file.sync()?;
    disk.rename(&aside, &path)?;
    disk.sync_directory(directory)
}

/// A sound index of a segment.
#[derive(Debug)]
pub(super) struct IndexFile(Vec<u8>);

impl IndexFile {
    /// Where the segment's records end.
    pub(super) fn end(&self) -> u32 {
        u32_at(&self.0, 16)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        let entries = self.0[INDEX_HEAD_BYTES..].chunks_exact(ENTRY_BYTES);
        entries.map(|bytes| Entry {
            serial: u64_at(bytes, 0),
            number: u64_at(bytes, 8),
            until: u32_at(bytes, 16),
            fingerprint: u32_at(bytes, 20),
            offset: u32_at(bytes, 24),
        })
    }
}

/// Reads a segment's index; `None` if there is no sound one.
pub(super) fn read_index(
    disk: &dyn Disk,
    directory: &Path,
    header: &Header,
) -> io::Result<Option<IndexFile>> {
    let file = match disk.open(&index_path(directory, header.number)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = usize::try_from(file.bytes()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, 0)?;
    if length < INDEX_HEAD_BYTES || &bytes[..8] != INDEX_MAGIC {
        return Ok(None);
    }
    let fits = u32_at(&bytes, 8) == header.number
        && u32_at(&bytes, 12) == header.salt
        && usize::try_from(u32_at(&bytes, 20))
            .is_ok_and(|count| INDEX_HEAD_BYTES + count * ENTRY_BYTES == length)
        && u32_at(&bytes, 28) == index_checksum(&bytes);
    Ok(fits.then_some(IndexFile(bytes)))
}

/// Of all but the checksum's own place.
fn index_checksum(bytes: &[u8]) -> u32 {
    checksum(checksum(0, &bytes[..28]), &bytes[INDEX_HEAD_BYTES..])
}

pub(super) fn segment_path(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("{number:08x}.seg"))
}

pub(super) fn index_path(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("{number:08x}.idx"))
}

/// Makes a file of zeros. Writing into blocks that were written before spares the file system's journal a turn for each
/// flush: several times as many flushes a second as with room that was only reserved.
pub(in crate::store) fn fill(
    disk: &dyn Disk,
    path: &Path,
    bytes: u32,
) -> io::Result<Arc<dyn DiskFile>> {
    let file = disk.create(path)?;
    let zeros = vec![0; FILL_BYTES];
    let mut at = 0;
    while at < u64::from(bytes) {
        let left = usize::try_from(u64::from(bytes) - at).unwrap_or(FILL_BYTES);
        let part = &zeros[..left.min(FILL_BYTES)];
        file.write_all_at(part, at)?;
        at += part.len() as u64;
    }
    file.sync()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::disk::FileSystem;
    use std::os::unix::fs::FileExt;

    const HEADER: Header = Header {
        number: 3,
        salt: 99,
        before: 2,
        before_end: 5000,
    };

    #[test]
    fn a_header_is_whole_or_nothing() {
        let mut bytes = HEADER.encode();
        assert_eq!(Header::decode(&bytes), Some(HEADER));
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&bytes), None);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn an_index_is_whole_or_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let segment = Segment {
            number: HEADER.number,
            salt: HEADER.salt,
            file: fill(&FileSystem, &segment_path(path, 3), 8192).unwrap(),
            bytes: 8192,
            live: AtomicU32::new(0),
            sealed: AtomicBool::new(false),
        };
        let read = |header: &Header| {
            let index = read_index(&FileSystem, path, header).unwrap();
            index.map(|index| (index.end(), index.entries().collect::<Vec<_>>()))
        };
        assert_eq!(read(&HEADER), None);
        let entry = |number| Entry {
            serial: 1,
            number,
            until: 5,
            fingerprint: 6,
            offset: 4096,
        };
        let entries = [entry(1), entry(2)];
        write_index(&FileSystem, path, &segment, 8000, &entries).unwrap();
        assert_eq!(read(&HEADER), Some((8000, entries.to_vec())));
        assert_eq!(
            read(&Header { salt: 1, ..HEADER }),
            None,
            "of an earlier use of the file"
        );
        let file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(index_path(path, 3))
            .unwrap();
        for at in 0..file.bytes().unwrap() {
            let mut byte = [0];
            FileExt::read_exact_at(&file, &mut byte, at).unwrap();
            FileExt::write_all_at(&file, &[byte[0] ^ 1], at).unwrap();
            assert_eq!(read(&HEADER), None, "byte {at}");
            FileExt::write_all_at(&file, &byte, at).unwrap();
        }
        assert!(read(&HEADER).is_some());
    }
}

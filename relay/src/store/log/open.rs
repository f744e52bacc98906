//! Finding out what is in the log when it is opened.

use super::{
    AccountId, Log, Serial,
    index::{Index, LaneCells, Place},
    keep::{Full, Keeper, Recorder, SPARES},
    record::{Kind, Record},
    scan::scan,
    segment::{Entry, Header, RECORDS_FROM, Segment, read_index},
    write::{Active, LogWriter},
};
use crate::store::{StoreError, disk::Disk};
use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
};

/// A log, and its one writer.
#[derive(Debug)]
pub(in crate::store) struct Opened {
    pub(in crate::store) log: Arc<Log>,
    pub(in crate::store) writer: LogWriter,
}

/// What the tables say of a lane.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Known {
    pub(in crate::store) first: u64,
    pub(in crate::store) end: u64,
    pub(in crate::store) account: AccountId,
}

/// Where the log is, and of what kind.
#[derive(Clone, Debug)]
pub(in crate::store) struct Location {
    pub(in crate::store) disk: Arc<dyn Disk>,
    pub(in crate::store) directory: PathBuf,
    /// Bytes of the first segment and of the largest.
    pub(in crate::store) segment_bytes: (u32, u32),
    /// Room on the disk that is not taken for files that are only made in advance, or larger than they need to be.
    pub(in crate::store) reserve_bytes: u64,
    /// What fingerprints are made with: the same as long as the log lives.
    pub(in crate::store) secret: [u64; 4],
}

/// What a segment holds that has no index yet.
#[derive(Default)]
struct Content {
    entries: Vec<Entry>,
    trims: Vec<(Serial, u64)>,
}

/// A segment that was found, where its records end, and what it holds if it has no index.
struct Found {
    segment: Arc<Segment>,
    end: u32,
    content: Option<Content>,
}

impl Opened {
    /// Opens a log, or makes one. Cells of lanes that the tables do not know are dead.
    pub(in crate::store) fn open(
        at: Location,
        known: &HashMap<Serial, Known>,
        recorder: Recorder,
    ) -> Result<Self, StoreError> {
        make_directory(&at.directory)?;
        let (headers, spares) = find_files(&*at.disk, &at.directory)?;
        let mut log = Log {
            disk: at.disk,
            directory: at.directory,
            next_bytes: AtomicU32::new(at.segment_bytes.0),
            segment_bytes: at.segment_bytes,
            reserve_bytes: at.reserve_bytes,
            segments: RwLock::default(),
            leaving: Mutex::default(),
            spares: Mutex::new(spares),
            index: Index::new(at.secret),
            cells: AtomicU64::new(0),
            accounts: Mutex::default(),
            damaged: AtomicU64::new(0),
        };
        let mut found = Vec::new();
        for (index, (header, file)) in headers.iter().enumerate() {
            let next = headers.get(index + 1).map(|(next, _)| next);
            let bytes = u32::try_from(file.bytes()?).unwrap_or(u32::MAX);
            let segment = Arc::new(Segment {
                number: header.number,
                salt: header.salt,
                file: file.clone(),
                bytes,
                live: AtomicU32::new(0),
                sealed: AtomicBool::new(false),
            });
            found.push(log.take_in(segment, header, next, known)?);
            log.grow(bytes);
        }
        log.trim(&found);
        let segments = found.iter().map(|found| found.segment.clone());
        *log.segments.get_mut() = segments.map(|segment| (segment.number, segment)).collect();
        let waiting = log.count_all(known);
        let log = Arc::new(log);
        let keeper = Keeper::start(log.clone(), recorder)?;
        let mut writer = LogWriter {
            log: log.clone(),
            keeper,
            active: None,
            before: (0, RECORDS_FROM),
            next_number: headers.last().map_or(1, |(header, _)| header.number + 1),
            waiting,
            moving: None,
            buffer: Vec::new(),
            failed: false,
        };
        writer.take_over(found)?;
        Ok(Self { log, writer })
    }
}

impl LogWriter {
    /// Goes on with the last segment, and hands the others that have no index to the keeper.
    fn take_over(&mut self, found: Vec<Found>) -> io::Result<()> {
        let last = self.next_number - 1;
        for Found {
            segment,
            end,
            content,
        } in found
        {
            if segment.number == last {
                self.before = (last, end);
            }
            let Some(content) = content else {
                continue;
            };
            let trimmed = content.trims.iter().map(|(serial, _)| *serial).collect();
            if segment.number == last {
                segment.wipe(end)?;
                self.active = Some(Active {
                    segment,
                    end,
                    entries: content.entries,
                    trimmed,
                });
                continue;
            }
            self.keeper.seal(Full {
                segment,
                end,
                entries: content.entries,
                trimmed,
            });
        }
        self.keeper.spare();
        Ok(())
    }
}

type File = Arc<dyn crate::store::disk::DiskFile>;
/// Segments in their order; spare files with their sizes.
type Files = (Vec<(Header, File)>, Vec<(PathBuf, u32)>);

/// Finds what is there, and removes what was not finished when a process ended.
fn find_files(disk: &dyn Disk, directory: &Path) -> io::Result<Files> {
    let (mut headers, mut spares) = (BTreeMap::new(), Vec::new());
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let part = |part: Option<&std::ffi::OsStr>| {
            part.and_then(std::ffi::OsStr::to_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (name, kind) = (part(path.file_stem()), part(path.extension()));
        if name.starts_with("spare-") && spares.len() < SPARES {
            let bytes = u32::try_from(disk.open(&path)?.bytes()?).unwrap_or(0);
            spares.push((path, bytes));
            continue;
        }
        let number = u32::from_str_radix(&name, 16).ok();
        let number = match (number, kind.as_str()) {
            (Some(number), "seg") => number,
            (Some(_), "idx") => continue,
            _ => {
                disk.remove(&path)?;
                continue;
            }
        };
        let file = disk.open(&path)?;
        match Header::read(&*file)? {
            Some(header) if header.number == number => {
                headers.insert(number, (header, file));
            }
            // Never begun, or begun under another name that did not last.
            _ => disk.remove(&path)?,
        }
    }
    Ok((headers.into_values().collect(), spares))
}

fn make_directory(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(builder.recursive(true), 0o700);
    builder.create(directory)
}

impl Log {
    /// Puts what a segment holds into the index. Later segments win: a cell that was moved is where it was moved to.
    fn take_in(
        &mut self,
        segment: Arc<Segment>,
        header: &Header,
        next: Option<&Header>,
        known: &HashMap<Serial, Known>,
    ) -> io::Result<Found> {
        if let Some(index) = read_index(&*self.disk, &self.directory, header)? {
            segment.sealed.store(true, Ordering::Relaxed);
            self.fill_index(&segment, index.entries(), known);
            return Ok(Found {
                segment,
                end: index.end(),
                content: None,
            });
        }
        // The next one says where this one ends. If it does not speak of this one, nothing in this one was acknowledged.
        let end = next.map(|next| {
            if next.before == header.number {
                next.before_end
            } else {
                RECORDS_FROM
            }
        });
        let length = end.unwrap_or(segment.bytes).min(segment.bytes);
        let scanned = self.scan(&segment, length, end.is_some())?;
        let mut content = Content::default();
        for (offset, record) in &scanned.records {
            match record.kind {
                Kind::Cell => content.entries.push(self.entry(*offset, record)),
                Kind::Trim => content.trims.push((record.serial, record.number)),
            }
        }
        self.fill_index(&segment, content.entries.iter().copied(), known);
        Ok(Found {
            segment,
            end: scanned.end,
            content: Some(content),
        })
    }

    fn scan(
        &self,
        segment: &Segment,
        length: u32,
        complete: bool,
    ) -> io::Result<super::scan::Scanned> {
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        segment.file.read_exact_at(&mut bytes, 0)?;
        let scanned = scan(&bytes, segment.salt, RECORDS_FROM, complete);
        self.note_damage(scanned.damaged);
        Ok(scanned)
    }

    /// What the index of a segment would say, if there were one.
    pub(super) fn scan_entries(&self, segment: &Segment) -> io::Result<Vec<Entry>> {
        let scanned = self.scan(segment, segment.bytes, false)?;
        let cells = scanned.records.iter();
        Ok(cells
            .filter(|(_, record)| record.kind == Kind::Cell)
            .map(|(offset, record)| self.entry(*offset, record))
            .collect())
    }

    fn entry(&self, offset: u32, record: &Record) -> Entry {
        Entry {
            serial: record.serial,
            number: record.number,
            until: record.until,
            fingerprint: self.index.fingerprint(&record.hash),
            offset,
        }
    }

    fn fill_index(
        &mut self,
        segment: &Segment,
        entries: impl Iterator<Item = Entry>,
        known: &HashMap<Serial, Known>,
    ) {
        let mut damaged = 0;
        for entry in entries {
            let Some(lane) = known.get(&entry.serial) else {
                continue;
            };
            if entry.number < lane.first {
                continue;
            }
            let place = Place {
                segment: segment.number,
                offset: entry.offset,
                until: entry.until,
                fingerprint: entry.fingerprint,
            };
            let shard = self.index.shard_mut(entry.serial);
            let cells = shard.lane_or(entry.serial, || LaneCells::new(0, lane.account));
            cells.touched = cells.touched.max(segment.number);
            // At the latest: when it was written is not known any more.
            cells.written = cells.written.max(entry.until);
            if shard.fill(entry.serial, entry.number, place).is_none() {
                damaged += 1;
            }
        }
        self.note_damage(damaged);
    }

    /// Takes out what was taken since the tables were told.
    fn trim(&mut self, found: &[Found]) {
        for Found {
            segment, content, ..
        } in found
        {
            for (serial, first) in content.iter().flat_map(|content| &content.trims) {
                let shard = self.index.shard_mut(*serial);
                while shard
                    .lane(*serial)
                    .is_some_and(|lane| lane.first < *first && !lane.places.is_empty())
                {
                    shard.pop(*serial);
                }
                if let Some(lane) = shard.lane_mut(*serial) {
                    lane.touched = lane.touched.max(segment.number);
                }
            }
        }
    }

    /// Counts what is there, makes it known by its content, and gives when each lane's oldest cell is over.
    fn count_all(&mut self, known: &HashMap<Serial, Known>) -> BinaryHeap<Reverse<(u32, Serial)>> {
        let mut waiting = BinaryHeap::new();
        let segments = self.segments.get_mut();
        let (cells, accounts) = (self.cells.get_mut(), self.accounts.get_mut());
        for shard in self.index.shards_mut() {
            let serials: Vec<Serial> = shard.serials().collect();
            for serial in serials {
                let Some(lane) = shard.lane_mut(serial) else {
                    continue;
                };
                if let Some(known) = known.get(&serial) {
                    lane.reach(known.end);
                }
                let mut live = 0;
                // Cells of a lane that stand in one segment mostly follow each other.
                let places = lane.places.make_contiguous();
                for run in places.chunk_by(|one, next| one.segment == next.segment) {
                    let Some(segment) = run.first().and_then(|one| segments.get(&one.segment))
                    else {
                        continue;
                    };
                    let count = u32::try_from(run.len()).unwrap_or(u32::MAX);
                    segment.live.fetch_add(count, Ordering::Relaxed);
                    live += u64::from(count);
                }
                *cells += live;
                if lane.account != 0 {
                    *accounts.entry(lane.account).or_default() += live;
                }
                if let Some(front) = lane.places.front() {
                    lane.waits = true;
                    waiting.push(Reverse((front.until, serial)));
                } else if segments
                    .get(&lane.touched)
                    .is_none_or(|segment| segment.is_sealed())
                {
                    shard.remove(serial);
                }
            }
            shard.recognise();
        }
        waiting
    }
}

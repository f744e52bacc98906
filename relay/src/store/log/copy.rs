//! Copying the log as it is at one moment, while it goes on.

use super::{
    Log, LogWriter,
    segment::{Segment, index_path, segment_path},
};
use crate::store::{Stopping, StoreError};
use std::{fs, path::Path, sync::Arc};

const COPY_BYTES: usize = 1 << 20;

/// The segments of one moment. While it lives, none of them is used again.
#[derive(Debug)]
pub(in crate::store) struct Snapshot {
    log: Arc<Log>,
    segments: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    segment: Arc<Segment>,
    /// How much of it counts.
    length: u32,
    /// Whether its index was there. One that is written later may speak of more than this part.
    has_index: bool,
}

impl LogWriter {
    /// What is durable now.
    pub(in crate::store) fn snapshot(&self) -> Snapshot {
        let segments = self.log.segments.read();
        let active = self.active.as_ref();
        let length = |segment: &Segment| match active {
            Some(active) if active.segment.number == segment.number => active.end,
            _ => segment.bytes,
        };
        Snapshot {
            log: self.log.clone(),
            segments: segments
                .values()
                .map(|segment| Part {
                    segment: segment.clone(),
                    length: length(segment),
                    has_index: segment.is_sealed(),
                })
                .collect(),
        }
    }
}

impl Snapshot {
    /// Writes it into an empty directory, durably.
    pub(in crate::store) fn write(
        &self,
        to: &Path,
        stopping: Stopping<'_>,
    ) -> Result<(), StoreError> {
        let mut builder = fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(to)?;
        for part in &self.segments {
            let segment = &part.segment;
            let copied = segment_path(to, segment.number);
            self.copy(segment, part.length, &copied, stopping)?;
            if part.has_index {
                let index = index_path(&self.log.directory, segment.number);
                let to = index_path(to, segment.number);
                fs::copy(index, &to)?;
                fs::File::open(to)?.sync_all()?;
            }
        }
        Ok(fs::File::open(to)?.sync_all()?)
    }

    fn copy(
        &self,
        segment: &Segment,
        length: u32,
        to: &Path,
        stopping: Stopping<'_>,
    ) -> Result<(), StoreError> {
        let file = self.log.disk.create(to)?;
        let mut buffer = vec![0; COPY_BYTES];
        let (mut at, length) = (0, u64::from(length));
        while at < length {
            if stopping() {
                return Err(StoreError::Stopped);
            }
            let part = usize::try_from(length - at).unwrap_or(COPY_BYTES);
            let part = &mut buffer[..part.min(COPY_BYTES)];
            segment.file.read_exact_at(part, at)?;
            file.write_all_at(part, at)?;
            at += part.len() as u64;
        }
        Ok(file.sync()?)
    }
}

//! What the disk allows: a frame written behind the other and synced, one after the other, by nobody but this loop.

use crate::fault::{During, Result};
use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    path::Path,
    time::{Duration, Instant},
};

/// Bytes of the file that is written over: filled beforehand, so that a sync has no sizes or extents to write.
const FILE: usize = 64 << 20;
const BLOCK: usize = 2048;

/// How many times a second a block is on disk.
pub(crate) fn syncs_per_second(directory: &Path, span: Duration) -> Result<f64> {
    let mut file = File::create(directory.join("floor")).during("a file")?;
    file.write_all(&vec![0; FILE]).during("a file")?;
    file.sync_all().during("a file")?;
    file.seek(SeekFrom::Start(0)).during("a file")?;
    let block = [0x5e; BLOCK];
    let begin = Instant::now();
    let mut done = 0_u32;
    while begin.elapsed() < span {
        if (done as usize).is_multiple_of(FILE / BLOCK) {
            file.seek(SeekFrom::Start(0)).during("a file")?;
        }
        file.write_all(&block).during("a file")?;
        file.sync_data().during("a file")?;
        done += 1;
    }
    Ok(f64::from(done) / begin.elapsed().as_secs_f64())
}

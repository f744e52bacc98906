//! For measurements of the pace: a line for every frame that a paced connection sends, in the file that `UME_RELAY_TRACE`
//! names. Compiled with the feature `trace`, which no released program has: such lines are what a relay must not write.
//!
//! A line: number of the connection, when the tick was to be, when the frame was handed to the system (both microseconds since
//! 1970), and `real` or `pad`.

use std::{
    env,
    fs::File,
    io::Write,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::time::Instant;

/// Where lines go: a thread that writes them, so that no tick waits for a disk.
static LINES: OnceLock<Option<mpsc::Sender<String>>> = OnceLock::new();
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);

/// What one connection writes.
pub(super) struct Trace {
    connection: u64,
    lines: Option<mpsc::Sender<String>>,
    /// The same moment on both clocks.
    start: (Instant, u128),
}

impl Trace {
    pub(super) fn begin() -> Self {
        Self {
            connection: CONNECTIONS.fetch_add(1, Ordering::Relaxed),
            lines: LINES.get_or_init(open).clone(),
            start: (Instant::now(), since_1970()),
        }
    }

    /// A frame of this tick was written.
    pub(super) fn sent(&self, tick: Instant, is_real: bool) {
        let Some(lines) = &self.lines else { return };
        let at = |time: Instant| {
            let (start, micros) = self.start;
            micros + time.saturating_duration_since(start).as_micros()
        };
        let kind = if is_real { "real" } else { "pad" };
        let (planned, sent) = (at(tick), at(Instant::now()));
        let line = format!("{} {planned} {sent} {kind}\n", self.connection);
        // Without its thread there is nowhere to write.
        let _ = lines.send(line);
    }
}

fn open() -> Option<mpsc::Sender<String>> {
    let mut file = File::create(env::var_os("UME_RELAY_TRACE")?).ok()?;
    let (lines, taken) = mpsc::channel::<String>();
    thread::spawn(move || {
        for line in taken {
            if file.write_all(line.as_bytes()).is_err() {
                return;
            }
        }
    });
    Some(lines)
}

fn since_1970() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_micros()
}

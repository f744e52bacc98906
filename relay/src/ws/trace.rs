//! For measurements of the pace: a line for every frame that a paced connection sends, in the file that `UME_RELAY_TRACE`
//! names. Compiled with the feature `trace`, which no released program has: such lines are what a relay must not write.
//!
//! A line: number of the connection, when the tick was to be, when the frame was handed to the system (both microseconds since
//! 1970), and `real` or `pad`.
//!
//! `UME_RELAY_TRACE_QUICKER` makes steady gaps so many times as short, so that minutes are enough to see thousands of
//! frames. With `UME_RELAY_TRACE_AT_TICK` what a tick carries is put together when the tick has come, and takes as long as
//! sealing would: the fault that measurements have to find.

use std::{
    env,
    fs::File,
    hint,
    io::Write,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::Instant;
use ume_wire::pace::Pace;

/// What the environment asks for.
struct Wanted {
    /// Where lines go: a thread that writes them, so that no tick waits for a disk.
    lines: Option<mpsc::Sender<String>>,
    quicker: u32,
    at_tick: bool,
}

static WANTED: OnceLock<Wanted> = OnceLock::new();
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);

/// How long real frames take where they are put together at the tick.
const SEALING: Duration = Duration::from_micros(200);

/// What one connection writes.
pub(super) struct Trace {
    connection: u64,
    wanted: &'static Wanted,
    /// The same moment on both clocks.
    start: (Instant, u128),
}

impl Trace {
    pub(super) fn begin() -> Self {
        Self {
            connection: CONNECTIONS.fetch_add(1, Ordering::Relaxed),
            wanted: WANTED.get_or_init(Wanted::read),
            start: (Instant::now(), since_1970()),
        }
    }

    /// The pace that is kept in the place of one that was asked for.
    pub(super) fn pace(&self, mut pace: Pace) -> Pace {
        pace.steady.gap_ms = (pace.steady.gap_ms / self.wanted.quicker).max(2);
        pace
    }

    /// When what a tick carries is put together.
    pub(super) fn ready(&self, before: Instant, tick: Instant) -> Instant {
        if self.wanted.at_tick { tick } else { before }
    }

    /// What a tick carries was put together, with so many frames that are no pads.
    pub(super) fn put_together(&self, real: usize) {
        if self.wanted.at_tick && real > 0 {
            let began = Instant::now();
            while began.elapsed() < SEALING {
                hint::spin_loop();
            }
        }
    }

    /// A frame of this tick was written.
    pub(super) fn sent(&self, tick: Instant, is_real: bool) {
        let Some(lines) = &self.wanted.lines else {
            return;
        };
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

impl Wanted {
    fn read() -> Self {
        let quicker = env::var("UME_RELAY_TRACE_QUICKER").ok();
        Self {
            lines: open(),
            quicker: quicker
                .and_then(|text| text.parse().ok())
                .unwrap_or(1)
                .max(1),
            at_tick: env::var_os("UME_RELAY_TRACE_AT_TICK").is_some(),
        }
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

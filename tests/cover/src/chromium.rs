//! Captures of real Chromium and a real relay: people post through the app, a proxy writes down what passes, and what passes
//! is joined with what the app's line worker and the relay's sender wrote down.

use crate::capture::{self, RESIDUALS};
use crate::diary::{self, Diaries, Kept, Steady};
use crate::fault::{Fault, Result};
use crate::prove::{residual_row, way};
use crate::proxy::{Capture, Clock, Proxy};
use crate::report::{Table, Verdict};
use crate::residual::{self, Residuals};
use crate::stage::{self, Busy, Folder, Measure, Relay};
use crate::trace::{Direction, Frame};
use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

/// What is captured.
#[derive(Clone, Debug)]
pub(crate) struct Chromium {
    /// A relay built with the feature `trace`.
    pub(crate) relay: PathBuf,
    /// The built app.
    pub(crate) app: PathBuf,
    /// For how many seconds, each time.
    pub(crate) seconds: u64,
    /// How many threads keep the processor busy where it is to be.
    pub(crate) busy: usize,
}

/// People who post, each in a browser of their own.
const PEOPLE: [&str; 3] = ["anna", "bert", "carla"];
/// So many times as short are gaps: 50 ms up and 25 ms down.
const QUICKER: u32 = 40;
/// Mean gaps of balanced, microseconds.
const GAPS: [(Direction, u64); 2] = [(Direction::Up, 2_000_000), (Direction::Down, 1_000_000)];
/// Milliseconds from one post to the next of the same person: two slots.
const POST_EVERY_MS: u64 = 100;
/// Time until what is on its way has passed.
const SETTLE: Duration = Duration::from_millis(500);
/// Bytes of a record that carries a frame: what WebSocket adds (8 up, 4 down), and TLS 1.3 (22).
const RECORDS: [(Direction, u32); 2] = [(Direction::Up, 2_078), (Direction::Down, 2_074)];
/// Records of a connection behind those of frames: what says that it ends.
const LAST: usize = 4;

/// One capture.
struct Take {
    name: &'static str,
    busy: usize,
    at_tick: bool,
    tls: bool,
}

/// What one capture gave.
struct Taken {
    /// Frames with the times at which they were to leave.
    frames: Vec<Frame>,
    /// What was written by who sent, up and down, and which of it is judged.
    written: [(Direction, Diaries, Steady); 2],
}

/// Captures on an idle and on a busy processor, under TLS, and with the fault that has to be found.
///
/// # Errors
/// When a capture is void.
pub(crate) fn captures(chromium: &Chromium) -> Result<Vec<Table>> {
    let take = |name, busy, at_tick, tls| Take {
        name,
        busy,
        at_tick,
        tls,
    };
    let takes = [
        take("idle processor", 0, false, false),
        take("busy processor", chromium.busy, false, false),
        take("idle processor, TLS", 0, false, true),
        take("sealed at the tick", 0, true, false),
        take("sealed at the tick, busy processor", chromium.busy, true, false),
    ];
    let mut residuals = Table::new(
        "Chromium and relay: real frames beside cover, by how late they are",
        RESIDUALS,
    );
    let mut kept = Table::new(
        "Chromium and relay: ticks",
        &["capture", "way", "ticks", "kept", "late: median", "99 of 100"],
    );
    let (mut plain, mut encrypted) = (Vec::new(), Vec::new());
    for take in takes {
        let outcome = take.run(chromium)?;
        for (direction, diaries, steady) in &outcome.written {
            take.judge(&mut residuals, &outcome.frames, *direction, "");
            let sent = diary::as_sent(&outcome.frames, *direction, diaries);
            take.judge(&mut residuals, &sent, *direction, ", as sent");
            let ticks = kept_row(take.name, *direction, &diary::kept(diaries, *steady));
            kept.row(ticks, Verdict::Shown);
        }
        let heap = if take.tls { &mut encrypted } else { &mut plain };
        heap.extend(outcome.frames);
    }
    let sizes = |title, frames: &[Frame]| capture::size_table(title, frames);
    Ok(vec![
        residuals,
        kept,
        sizes("Chromium and relay: sizes of messages", &plain),
        sizes("Chromium and relay: sizes of records of TLS", &encrypted),
    ])
}

fn kept_row(name: &str, direction: Direction, kept: &Kept) -> Vec<String> {
    vec![
        name.to_owned(),
        way(direction).to_owned(),
        kept.ticks.to_string(),
        format!("{:.1} %", kept.share * 100.0),
        format!("{:.2} ms", kept.late.0),
        format!("{:.2} ms", kept.late.1),
    ]
}

impl Take {
    fn judge(&self, table: &mut Table, frames: &[Frame], direction: Direction, seen: &str) {
        let Some(found) = residual::compare(frames, direction) else {
            return;
        };
        let name = format!("{}{seen}", self.name);
        table.row(
            residual_row(&name, direction, &found),
            self.verdict(&found, seen),
        );
    }

    fn verdict(&self, found: &Residuals, seen: &str) -> Verdict {
        match (self.at_tick, seen) {
            (true, "") if self.busy == 0 => Verdict::caught(!found.hidden()),
            (true, _) => Verdict::Shown,
            (false, _) => Verdict::held(found.hold()),
        }
    }

    /// Captures.
    fn run(&self, chromium: &Chromium) -> Result<Taken> {
        println!("\n{}: {} s", self.name, chromium.seconds);
        let measure = Measure {
            quicker: QUICKER,
            at_tick: self.at_tick,
        };
        let folder = Folder::new()?;
        let app = folder.file("app");
        stage::app(&chromium.app, &app, measure)?;
        let certificate = self.tls.then(|| certificate(&folder)).transpose()?;
        let relay = Relay::start(&chromium.relay, &folder, &app, certificate.as_ref(), measure)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let clock = Clock::new();
        let listen = (Ipv4Addr::LOCALHOST, 0).into();
        let proxy = runtime.block_on(Proxy::start(listen, relay.address(), clock))?;
        let scheme = if self.tls { "https" } else { "http" };
        let origin = format!("{scheme}://localhost:{}", proxy.address().port());
        let out = folder.file("browser.trace");
        let mut people = People::meet(&origin, chromium.seconds, &out)?;
        people.hear("begun")?;
        let since = clock.now();
        let busy = Busy::start(self.busy)?;
        people.hear("stopped")?;
        drop(busy);
        let down = diary::read(&relay.end()?)?;
        thread::sleep(SETTLE);
        let capture = proxy.capture();
        people.leave()?;
        let text = fs::read_to_string(&out).map_err(|error| Fault::File(out.clone(), error))?;
        self.join(capture, diary::read(&text)?, down, since)
    }

    fn join(&self, capture: Capture, up: Diaries, down: Diaries, since: u64) -> Result<Taken> {
        if let Some(fault) = capture.faults.first() {
            return Err(Fault::Text(format!("void: {fault}")));
        }
        let mut frames = if self.tls {
            messages(&capture.records)
        } else {
            capture.frames
        };
        let mut written = Vec::new();
        for ((direction, gap), diaries) in GAPS.into_iter().zip([up, down]) {
            let diaries = diary::numbered(diaries, &frames, direction)?;
            let gap = gap / u64::from(QUICKER);
            let steady = Steady { since, gap };
            if self.tls {
                diary::label(&mut frames, direction, &diaries);
            }
            diary::join(&mut frames, direction, &diaries, steady)?;
            written.push((direction, diaries, steady));
        }
        let written = <[_; 2]>::try_from(written).map_err(|_| Fault::Text("one way".to_owned()))?;
        Ok(Taken { frames, written })
    }
}

/// The records that carry frames: on each connection that has such, all from the first of that size on, but for what says at
/// the end that it ends. What has another size in between stays, and shows.
fn messages(records: &[Frame]) -> Vec<Frame> {
    let mut frames = Vec::new();
    for (direction, bytes) in RECORDS {
        let of = |frame: &&Frame| frame.direction == direction;
        let mut clients: Vec<u32> = Vec::new();
        for frame in records.iter().filter(of) {
            if frame.bytes == bytes && !clients.contains(&frame.client) {
                clients.push(frame.client);
            }
        }
        for client in clients {
            let own = records
                .iter()
                .filter(of)
                .filter(|frame| frame.client == client);
            let mut own: Vec<Frame> = own.skip_while(|frame| frame.bytes != bytes).cloned().collect();
            let end = own.iter().rev().take(LAST);
            let others = end.take_while(|frame| frame.bytes != bytes).count();
            own.truncate(own.len() - others);
            frames.extend(own);
        }
    }
    frames.sort_by_key(|frame| frame.at);
    frames
}

/// A certificate that nobody signed, and its key.
fn certificate(folder: &Folder) -> Result<(PathBuf, PathBuf)> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]);
    let made = made.map_err(|error| Fault::Text(error.to_string()))?;
    let (chain, key) = (folder.file("chain.pem"), folder.file("key.pem"));
    for (file, text) in [
        (&chain, made.cert.pem()),
        (&key, made.key_pair.serialize_pem()),
    ] {
        fs::write(file, text).map_err(|error| Fault::File(file.clone(), error))?;
    }
    Ok((chain, key))
}

/// The script that starts browsers and posts through the app.
const SCRIPT: &str = "tests/cover/browser/captures.mjs";

/// Those who post.
struct People {
    process: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl People {
    fn meet(origin: &str, seconds: u64, out: &Path) -> Result<Self> {
        let names = PEOPLE.map(|name| format!("\"{name}\"")).join(",");
        let options = format!(
            "{{\"origin\":\"{origin}\",\"people\":[{names}],\"seconds\":{seconds},\
             \"everyMs\":{POST_EVERY_MS},\"out\":\"{}\"}}",
            out.display()
        );
        let mut process = Command::new("node")
            .args([SCRIPT, &options])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let said = process.stdout.take();
        let said = said.ok_or_else(|| Fault::Text("nothing to listen to".to_owned()))?;
        Ok(Self {
            process,
            said: BufReader::new(said).lines(),
        })
    }

    /// Waits until they say that they are so far.
    fn hear(&mut self, word: &str) -> Result {
        match self.said.next().transpose()? {
            Some(said) if said == word => Ok(()),
            Some(said) => Err(Fault::Text(format!("the browsers say: {said}"))),
            None => Err(Fault::Text("the browsers have ended".to_owned())),
        }
    }

    fn leave(mut self) -> Result {
        if let Some(mut input) = self.process.stdin.take() {
            writeln!(input, "leave")?;
        }
        let status = self.process.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(Fault::Text(format!("the browsers ended with {status}")))
        }
    }
}

impl Drop for People {
    fn drop(&mut self) {
        // They leave by themselves when nobody listens; whoever does not is not waited for.
        if !matches!(self.process.try_wait(), Ok(Some(_))) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_frames_are_those_between_beginning_and_end() {
        let record = |client, bytes| Frame {
            client,
            direction: Direction::Up,
            at: 1,
            bytes,
            real: false,
            lane: None,
            due: None,
        };
        let sizes = |bytes: &[u32]| -> Vec<u32> {
            let records: Vec<Frame> = bytes.iter().map(|bytes| record(3, *bytes)).collect();
            messages(&records).iter().map(|frame| frame.bytes).collect()
        };
        assert_eq!(sizes(&[58, 300, 2_078, 2_078, 30, 24]), [2_078, 2_078]);
        assert_eq!(sizes(&[58, 2_078, 900, 2_078, 24]), [2_078, 900, 2_078]);
        assert!(sizes(&[58, 900]).is_empty());
    }
}

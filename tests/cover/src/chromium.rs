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
    /// For how many seconds, a fifth of them under TLS and with the fault.
    pub(crate) seconds: u64,
    /// How many threads keep the processor busy.
    pub(crate) busy: usize,
}

/// People who post, each in a browser of their own.
const PEOPLE: [&str; 3] = ["anna", "bert", "carla"];
/// So many times as short are gaps: 40 ms up and 20 ms down.
const QUICKER: u32 = 50;
/// Mean gaps of balanced, microseconds.
const GAPS: [(Direction, u64); 2] = [(Direction::Up, 2_000_000), (Direction::Down, 1_000_000)];
/// Milliseconds from one post to the next of the same person, without what posting takes: not quite two slots.
const POST_EVERY_MS: u64 = 60;
/// Time until what is on its way has passed.
const SETTLE: Duration = Duration::from_millis(500);
/// Bytes of a record that carries a frame: what WebSocket adds (8 up, 4 down), and TLS 1.3 (22).
const RECORDS: [(Direction, u32); 2] = [(Direction::Up, 2_078), (Direction::Down, 2_074)];
/// Records of a connection behind those of frames: what says that it ends.
const LAST: usize = 4;

/// One capture.
struct Take {
    name: &'static str,
    seconds: u64,
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

/// Titles of the tables.
struct Titles {
    late: &'static str,
    ticks: &'static str,
    messages: &'static str,
    records: &'static str,
}

const IDLE: Titles = Titles {
    late: "Chromium and relay, idle processor: real frames beside cover, by how late they are",
    ticks: "Chromium and relay, idle processor: ticks",
    messages: "Chromium and relay, idle processor: sizes of messages",
    records: "Chromium and relay, idle processor: sizes of records of TLS",
};
const BUSY: Titles = Titles {
    late: "Chromium and relay, busy processor: real frames beside cover, by how late they are",
    ticks: "Chromium and relay, busy processor: ticks",
    messages: "Chromium and relay, busy processor: sizes of messages",
    records: "Chromium and relay, busy processor: sizes of records of TLS",
};

/// Captures, plain and under TLS, and with the fault that has to be found.
///
/// # Errors
/// When a capture is void.
pub(crate) fn captures(chromium: &Chromium) -> Result<Vec<Table>> {
    let titles = if chromium.busy == 0 { IDLE } else { BUSY };
    let few = chromium.seconds / 5;
    let takes = [
        ("as people run it", chromium.seconds, false, false),
        ("under TLS", few, false, true),
        ("sealed at the tick", few, true, false),
    ];
    let mut late = Table::new(titles.late, RESIDUALS);
    let mut ticks = Table::new(
        titles.ticks,
        &[
            "capture",
            "way",
            "ticks",
            "kept",
            "late: median",
            "99 of 100",
        ],
    );
    let (mut messages, mut records) = (Vec::new(), Vec::new());
    for (name, seconds, at_tick, tls) in takes {
        let take = Take {
            name,
            seconds,
            at_tick,
            tls,
        };
        let outcome = take.run(chromium)?;
        for (direction, diaries, steady) in &outcome.written {
            take.judge(&mut late, &outcome.frames, *direction, "");
            let sent = diary::as_sent(&outcome.frames, *direction, diaries);
            take.judge(&mut late, &sent, *direction, ", by the sender");
            let kept = kept_row(name, *direction, &diary::kept(diaries, *steady));
            ticks.row(kept, Verdict::Shown);
        }
        let heap = if tls { &mut records } else { &mut messages };
        heap.extend(outcome.frames);
    }
    Ok(vec![
        late,
        ticks,
        capture::size_table(titles.messages, &messages),
        capture::size_table(titles.records, &records),
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
        table.row(residual_row(&name, direction, &found), self.verdict(&found));
    }

    /// What is seen on the wire has to hold, and the fault to be caught there, where there is enough of it.
    fn verdict(&self, found: &Residuals) -> Verdict {
        let enough = found.counts.0.min(found.counts.1) >= residual::ENOUGH;
        match (self.at_tick, enough) {
            // With few frames nothing is hidden for sure: that alone is no catch.
            (true, _) => Verdict::caught(!found.hidden() && found.shows()),
            (false, true) => Verdict::held(found.hidden()),
            (false, false) if self.tls => Verdict::Shown,
            (false, false) => Verdict::Missed,
        }
    }

    /// Captures.
    fn run(&self, chromium: &Chromium) -> Result<Taken> {
        println!("\n{}: {} s", self.name, self.seconds);
        let measure = Measure {
            quicker: QUICKER,
            at_tick: self.at_tick,
        };
        let folder = Folder::new()?;
        let app = folder.file("app");
        stage::app(&chromium.app, &app, measure)?;
        let certificate = self.tls.then(|| certificate(&folder)).transpose()?;
        let relay = Relay::start(
            &chromium.relay,
            &folder,
            &app,
            certificate.as_ref(),
            measure,
        )?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let clock = Clock::new();
        let listen = (Ipv4Addr::LOCALHOST, 0).into();
        let proxy = runtime.block_on(Proxy::start(listen, relay.address(), clock))?;
        let scheme = if self.tls { "https" } else { "http" };
        let origin = format!("{scheme}://localhost:{}", proxy.address().port());
        let out = folder.file("browser.trace");
        let mut people = People::meet(&origin, self.seconds, &out)?;
        people.hear("begun")?;
        let since = clock.now();
        let busy = Busy::start(chromium.busy)?;
        people.hear("stopped")?;
        drop(busy);
        // First those who would come back, then what they come back to: it has to write down its last frame.
        people.leave()?;
        thread::sleep(SETTLE);
        let capture = proxy.capture();
        let down = diary::read(&relay.end()?)?;
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
            let mut own: Vec<Frame> = own
                .skip_while(|frame| frame.bytes != bytes)
                .cloned()
                .collect();
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

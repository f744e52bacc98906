//! The real program as a process of its own, for tests.
#![allow(dead_code)] // every test file uses another part
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// Longest wait for something that comes without doubt.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The program without anything of this process's environment that it would take for its own.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ume-relay"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("UME_") {
            command.env_remove(name);
        }
    }
    command
}

pub(crate) fn output(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A relay that runs.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) addresses: Vec<SocketAddr>,
    said: Arc<Mutex<String>>,
}

impl Process {
    /// Starts `ume-relay run` and waits until it listens on so many addresses.
    pub(crate) fn run(mut command: Command, arguments: &[&str], addresses: usize) -> Self {
        command.arg("run").args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let mut err = child.stderr.take().unwrap();
        let hearing = said.clone();
        thread::spawn(move || {
            let mut some = [0; 4096];
            while let Ok(count @ 1..) = err.read(&mut some) {
                hearing.lock().unwrap().push_str(&text(&some[..count]));
            }
        });
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let addresses = (0..addresses)
            .map(|_| {
                let mut line = String::new();
                out.read_line(&mut line).unwrap();
                let (_, address) = line
                    .trim_end()
                    .split_once("://")
                    .unwrap_or_else(|| panic!("{line:?}, {}", said.lock().unwrap()));
                address.parse().unwrap()
            })
            .collect();
        Self {
            child,
            addresses,
            said,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// What it wrote to the standard error output so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits until it has said something.
    pub(crate) fn wait_for(&self, word: &str) {
        let start = Instant::now();
        while !self.said().contains(word) {
            assert!(
                start.elapsed() < PATIENCE,
                "{word:?} not in {}",
                self.said()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "still there: {}", self.said());
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn stop(mut self) -> ExitStatus {
        self.signal("-TERM");
        self.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A certificate for a name, and its key, written into two files.
pub(crate) fn write_pair(directory: &Path, name: &str, days: std::ops::Range<i64>) -> Vec<u8> {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut certificate = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
    let now = std::time::SystemTime::now();
    let day = |n: i64| {
        let span = Duration::from_secs(n.unsigned_abs() * 86_400);
        if n < 0 { now - span } else { now + span }
    };
    (certificate.not_before, certificate.not_after) =
        (day(days.start).into(), day(days.end).into());
    let certificate = certificate.self_signed(&key).unwrap();
    std::fs::write(directory.join("key.pem"), key.serialize_pem()).unwrap();
    std::fs::write(directory.join("chain.pem"), certificate.pem()).unwrap();
    certificate.der().to_vec()
}

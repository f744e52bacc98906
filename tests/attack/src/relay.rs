//! The relay under attack: its process, its memory, its descriptors.

use crate::{Fault, Result, report::Report};
use rustix::process::{Pid, Resource, Signal, getrlimit, kill_process, setrlimit};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
    time,
};

const SAMPLE_EVERY: Duration = Duration::from_millis(50);
const START_TIMEOUT: Duration = Duration::from_secs(20);
const STOP_TIMEOUT: Duration = Duration::from_secs(12);

/// Attackers and relay need more open files than a shell gives at first.
pub(crate) fn raise_descriptors() -> Result {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).map_err(|error| Fault::Io(error.into()))
}

/// A running relay with a data directory of its own.
pub(crate) struct Relay {
    child: Child,
    pid: u32,
    address: SocketAddr,
    program: PathBuf,
    data: TempDir,
}

impl Relay {
    pub(crate) async fn start(program: &Path, options: &[&str]) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let mut child = Command::new(program)
            .args(["run", "--listen", "127.0.0.1:0", "--data"])
            .arg(data.path().join("data"))
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let out = child
            .stdout
            .take()
            .ok_or_else(|| Fault::new("no output of the relay"))?;
        let mut lines = BufReader::new(out).lines();
        let first = time::timeout(START_TIMEOUT, lines.next_line())
            .await
            .map_err(|_| Fault::new("the relay does not start"))??;
        let address = first
            .as_deref()
            .and_then(|line| line.trim().rsplit_once("://"))
            .and_then(|(_, address)| address.parse().ok())
            .ok_or_else(|| Fault::new("the relay does not say where it listens"))?;
        // It must not fail for want of somebody who reads what it prints.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let pid = child
            .id()
            .ok_or_else(|| Fault::new("the relay ended at once"))?;
        Ok(Self {
            child,
            pid,
            address,
            program: program.to_path_buf(),
            data,
        })
    }

    /// The program that it runs.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Open descriptors of the process.
    pub(crate) fn descriptors(&self) -> Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.pid))?.count())
    }

    /// Watches how far memory grows from now on.
    pub(crate) fn watch_memory(&self) -> Result<Memory> {
        let (pid, peak) = (self.pid, Arc::new(AtomicU64::new(0)));
        let before = resident_kib(pid)?;
        let seen = peak.clone();
        let watcher = tokio::spawn(async move {
            while let Ok(now) = resident_kib(pid) {
                seen.fetch_max(now, Ordering::Relaxed);
                time::sleep(SAMPLE_EVERY).await;
            }
        });
        Ok(Memory {
            before,
            peak,
            watcher,
        })
    }

    /// Asks it to stop; it has to do so in time and in order.
    pub(crate) async fn stop(mut self, report: &mut Report) -> Result {
        if let Ok(Some(status)) = self.child.try_wait() {
            report.row("the relay lives", format!("no ({status})"), "yes", false);
            return Ok(());
        }
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| Fault::new("no process id"))?;
        kill_process(pid, Signal::TERM).map_err(|error| Fault::Io(error.into()))?;
        let stopped = time::timeout(STOP_TIMEOUT, self.child.wait()).await;
        let orderly = matches!(stopped, Ok(Ok(status)) if status.success());
        let shown = if orderly { "yes" } else { "no" };
        report.row("lives, and stops in order", shown, "yes", orderly);
        drop(self.data);
        Ok(())
    }
}

/// Watches the resident memory of a process.
pub(crate) struct Memory {
    before: u64,
    peak: Arc<AtomicU64>,
    watcher: JoinHandle<()>,
}

impl Memory {
    /// By how many KiB it had grown at most.
    pub(crate) async fn stop(self) -> u64 {
        time::sleep(SAMPLE_EVERY).await;
        self.watcher.abort();
        self.peak
            .load(Ordering::Relaxed)
            .saturating_sub(self.before)
    }
}

fn resident_kib(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| Fault::new("the process has no memory"))
}

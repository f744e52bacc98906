//! What the kernel says about processes, and on which core they run.

use crate::fault::{During, Result, fault};
use std::{
    fs,
    process::{Command, Stdio},
};

/// The core of every server, and that of the generator.
pub(crate) const SERVER_CORE: usize = 0;
pub(crate) const OWN_CORE: usize = 1;

/// Clock ticks in a second, as /proc counts them on Linux (`USER_HZ`, proc(5)).
const TICKS: f64 = 100.0;

/// Seconds of CPU that all threads of a process have used, user and system.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).during("/proc/PID/stat")?;
    // The name of the program may hold anything, also spaces; it ends with the last parenthesis.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_ascii_whitespace()
        .collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    match (ticks(11), ticks(12)) {
        (Some(user), Some(system)) => Ok((user + system) / TICKS),
        _ => fault("/proc/PID/stat has another form than proc(5) says"),
    }
}

/// Resident memory of a process in KiB.
pub(crate) fn rss_kib(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).during("/proc/PID/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    match line.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok()) {
        Some(kib) => Ok(kib),
        None => fault("/proc/PID/status names no VmRSS"),
    }
}

/// Descriptors that a process holds.
pub(crate) fn descriptors(pid: u32) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))
        .during("/proc/PID/fd")?
        .count())
}

/// The machine's load over the last minute.
pub(crate) fn load_average() -> f64 {
    fs::read_to_string("/proc/loadavg")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .unwrap_or(f64::NAN)
}

/// Puts this process on its core; the server has the other one.
pub(crate) fn pin_self() {
    let mut set = rustix::thread::CpuSet::new();
    set.set(OWN_CORE);
    if rustix::thread::sched_setaffinity(None, &set).is_err() {
        eprintln!("ume-load: one core only: server and generator share it");
    }
}

/// As many descriptors as this process may have.
pub(crate) fn raise_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let most = getrlimit(Resource::Nofile).maximum;
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: most,
            maximum: most,
        },
    );
}

/// Lets a server and this process run before everything else, so that what else the machine does adds nothing to
/// latencies. Needs privileges; without them the figures say what the machine did at the time.
pub(crate) fn real_time(pids: &[u32], on: bool) -> bool {
    pids.iter().all(|pid| {
        let mut chrt = Command::new("chrt");
        chrt.args([
            "--all-tasks",
            if on { "--fifo" } else { "--other" },
            "--pid",
        ]);
        chrt.arg(if on { "5" } else { "0" }).arg(pid.to_string());
        chrt.stdout(Stdio::null()).stderr(Stdio::null());
        chrt.status().is_ok_and(|status| status.success())
    })
}

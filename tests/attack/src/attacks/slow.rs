//! The known slow attacks on HTTP, by the program that is known for them: slowhttptest.

use super::Size;
use crate::{
    Fault, Result,
    relay::Relay,
    report::{Report, note},
};
use std::{net::SocketAddr, process::Stdio, time::Duration};
use tokio::{
    process::Command,
    time::{self, Instant},
};

/// What an attack opened is gone so soon after the last of it came.
const REAPED: Duration = Duration::from_secs(10);

pub(super) async fn all(relay: &Relay, size: Size, report: &mut Report) -> Result {
    let before = relay.descriptors()?;
    for (what, options) in [
        ("slow headers", &["-H", "-i", "3"][..]),
        ("slow bodies", &["-B", "-i", "3", "-s", "131072"][..]),
        (
            "slow answers",
            &[
                "-X", "-w", "10", "-y", "20", "-n", "3", "-z", "8", "-k", "3",
            ][..],
        ),
    ] {
        let path = if options.contains(&"-B") { "v1/f" } else { "" };
        let count = size.pick(100, 1000);
        let start = Instant::now();
        let mut attack = command(relay.address(), path, count, options)
            .spawn()
            .map_err(|error| Fault::new(format!("slowhttptest (Debian has it): {error}")))?;
        let (mut most, mut last) = (0, Duration::ZERO);
        // What slowhttptest has not read yet it believes to be open; what the relay holds is what counts.
        let ended = async {
            loop {
                let open = relay.descriptors()?.saturating_sub(before);
                most = most.max(open);
                if open > FEW {
                    last = start.elapsed();
                }
                if attack.try_wait()?.is_some() {
                    return Result::Ok(());
                }
                time::sleep(Duration::from_millis(100)).await;
            }
        };
        time::timeout(Duration::from_mins(1), ended)
            .await
            .map_err(|_| Fault::new("slowhttptest does not end"))??;
        note(&format!("{what}: open at once, at most"), most);
        // The last ones were opened `count / rate` seconds after the first.
        let reaped = last.saturating_sub(opening(count));
        report.time(&format!("{what}: all reaped after"), reaped, REAPED);
    }
    Ok(())
}

/// Connections that slowhttptest opens in a second.
const RATE: usize = 500;
/// Descriptors that come and go with honest requests.
const FEW: usize = 8;

fn opening(count: usize) -> Duration {
    Duration::from_secs((count / RATE) as u64 + 1)
}

fn command(to: SocketAddr, path: &str, count: usize, options: &[&str]) -> Command {
    let mut command = Command::new("slowhttptest");
    command
        .args(options)
        .args(["-c", &count.to_string(), "-r", &RATE.to_string()])
        .args(["-l", "20", "-p", "3", "-u", &format!("http://{to}/{path}")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command
}

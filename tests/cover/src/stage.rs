//! What captures take beside clients: a relay that writes down what it sends, an app that does, a processor that is busy.

use crate::fault::{Fault, Result};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, hint, io, process, thread};

/// How long a relay may take to start, and to end.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A folder that is gone afterwards.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A new one.
    ///
    /// # Errors
    /// When there can be none.
    pub(crate) fn new() -> Result<Self> {
        let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        let name = format!("ume-cover-{}-{}", process::id(), since.as_micros());
        let path = env::temp_dir().join(name);
        fs::create_dir(&path).map_err(|error| Fault::File(path.clone(), error))?;
        Ok(Self(path))
    }

    /// Something in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind is in the folder for what is temporary.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What is put behind the app's line worker.
const HOOK: &str = include_str!("../browser/line-hook.js");
/// The script that holds the sockets, without the part of its name that says what is inside.
const LINE_WORKER: &str = "line-worker";

/// How client and relay are measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    /// So many times as short are steady gaps.
    pub(crate) quicker: u32,
    /// Whether frames are made only when their tick has come.
    pub(crate) at_tick: bool,
}

/// Copies a built app and puts the hook into its line worker; all else is as people get it.
///
/// # Errors
/// When a file cannot be read or written, or there is no line worker.
pub(crate) fn app(built: &Path, to: &Path, measure: Measure) -> Result {
    let mut hooked = 0;
    copy(built, to, &mut |name, content| {
        if !name.starts_with(LINE_WORKER) {
            return true;
        }
        // The compressed twin is without it.
        let script = name.rsplit_once('.').is_some_and(|(_, kind)| kind == "js");
        if script {
            let Measure { quicker, at_tick } = measure;
            let told = format!("\nconst UME_COVER = {{ quicker: {quicker}, atTick: {at_tick} }};");
            content.extend(told.bytes().chain(HOOK.bytes()));
            hooked += 1;
        }
        script
    })?;
    if hooked == 1 {
        Ok(())
    } else {
        let text = format!("{}: {hooked} line workers", built.display());
        Err(Fault::Text(text))
    }
}

fn copy(from: &Path, to: &Path, change: &mut impl FnMut(&str, &mut Vec<u8>) -> bool) -> Result {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| Fault::File(path, error)
    };
    fs::create_dir(to).map_err(failed(to))?;
    for entry in fs::read_dir(from).map_err(failed(from))? {
        let path = entry.map_err(failed(from))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let target = to.join(&*name);
        if path.is_dir() {
            copy(&path, &target, change)?;
        } else {
            let mut content = fs::read(&path).map_err(failed(&path))?;
            if change(&name, &mut content) {
                fs::write(&target, content).map_err(failed(&target))?;
            }
        }
    }
    Ok(())
}

/// A relay that was built with the feature `trace`.
pub(crate) struct Relay {
    process: Child,
    address: SocketAddr,
    trace: PathBuf,
}

impl Relay {
    /// Starts it in a folder of its own, with an app, and with a certificate if it is to end TLS.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) fn start(
        program: &Path,
        folder: &Folder,
        app: &Path,
        certificate: Option<&(PathBuf, PathBuf)>,
        measure: Measure,
    ) -> Result<Self> {
        let (trace, said) = (folder.file("relay.trace"), folder.file("relay.said"));
        let file = fs::File::create(&said).map_err(|error| Fault::File(said.clone(), error))?;
        let mut command = Command::new(program);
        command
            .args(["run", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.file("data"))
            .arg("--app")
            .arg(app)
            .env("UME_RELAY_TRACE", &trace)
            .env("UME_RELAY_TRACE_QUICKER", measure.quicker.to_string())
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(Stdio::null());
        if measure.at_tick {
            command.env("UME_RELAY_TRACE_AT_TICK", "1");
        }
        if let Some((chain, key)) = certificate {
            command.arg("--tls-certificate").arg(chain);
            command.arg("--tls-key").arg(key);
        }
        let mut process = command.spawn()?;
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let text = fs::read_to_string(&said).unwrap_or_default();
            if let Some(address) = listens(&text) {
                return Ok(Self {
                    process,
                    address,
                    trace,
                });
            }
            thread::sleep(LOOK_EVERY);
        }
        let _ = process.kill();
        let text = fs::read_to_string(&said).unwrap_or_default();
        Err(Fault::Text(format!("the relay does not start: {text}")))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it as an operator would, and gives what it wrote down.
    ///
    /// # Errors
    /// When it does not end, or wrote nothing.
    pub(crate) fn end(mut self) -> Result<String> {
        Command::new("kill")
            .arg(self.process.id().to_string())
            .status()?;
        let until = Instant::now() + PATIENCE;
        while self.process.try_wait()?.is_none() {
            if Instant::now() > until {
                return Err(Fault::Text("the relay does not end".to_owned()));
            }
            thread::sleep(LOOK_EVERY);
        }
        fs::read_to_string(&self.trace).map_err(|error| Fault::File(self.trace.clone(), error))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if !matches!(self.process.try_wait(), Ok(Some(_))) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

/// The address in what a relay says when it listens.
fn listens(said: &str) -> Option<SocketAddr> {
    let rest = said.split("listening on http").nth(1)?;
    let address = rest.trim_start_matches('s').strip_prefix("://")?;
    let end = address.find(char::is_whitespace)?;
    address[..end].trim_end_matches('/').parse().ok()
}

/// Keeps as many threads busy as it is asked to, until it is dropped.
pub(crate) struct Busy {
    over: Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Busy {
    /// Begins now.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub(crate) fn start(threads: usize) -> io::Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let spin = |_| {
            let over = over.clone();
            let spin = move || {
                while !over.load(Ordering::Relaxed) {
                    hint::spin_loop();
                }
            };
            thread::Builder::new().spawn(spin)
        };
        let threads = (0..threads).map(spin).collect::<io::Result<_>>()?;
        Ok(Self { over, threads })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_in_what_a_relay_says() {
        let address = |said: &str| listens(said).map(|address| address.port());
        assert_eq!(
            address("a\nlistening on http://127.0.0.1:7700\n"),
            Some(7700)
        );
        assert_eq!(
            address("listening on https://127.0.0.1:7701/ b"),
            Some(7701)
        );
        assert_eq!(address("listening on http://127.0.0.1:77"), None);
        assert_eq!(address("listening on a socket\n"), None);
    }

    #[test]
    fn only_the_line_worker_is_changed() {
        let (from, to) = (Folder::new().unwrap(), Folder::new().unwrap());
        fs::create_dir(from.file("css")).unwrap();
        for name in ["line-worker-00.js", "line-worker-00.js.br", "css/a.css"] {
            fs::write(from.file(name), "old").unwrap();
        }
        let measure = Measure {
            quicker: 40,
            at_tick: false,
        };
        app(&from.0, &to.file("app"), measure).unwrap();
        let read = |name: &str| fs::read_to_string(to.file("app").join(name));
        let script = read("line-worker-00.js").unwrap();
        assert!(script.starts_with("old\nconst UME_COVER = { quicker: 40, atTick: false };\n"));
        assert!(script.ends_with(HOOK));
        assert!(read("line-worker-00.js.br").is_err());
        assert_eq!(read("css/a.css").unwrap(), "old");
        fs::remove_file(from.file("line-worker-00.js")).unwrap();
        assert!(app(&from.0, &to.file("other"), measure).is_err());
    }
}

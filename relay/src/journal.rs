//! What the relay says about itself: that it started, stopped or failed. Never an id, an address of a client, or the
//! size of a message, so that there is nothing in the logs that could be asked for.
//!
//! Everything that can be said is an [`Event`] with fixed words. Besides them there may be a number, rounded to a power of
//! ten, and the reason of a failure that lies with the operator (a file that cannot be read, say).

use std::{
    error::Error,
    fmt::Write as _,
    io::Write as _,
    sync::atomic::{AtomicU8, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// How grave an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The relay cannot do its work.
    Error,
    /// Somebody should look at it.
    Warn,
    /// What happens once in a while.
    Info,
    /// What happens often.
    Debug,
    /// What happens all the time.
    Trace,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// How an event is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A line of words.
    Text,
    /// A line of JSON.
    Json,
}

/// Something that can be said.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) level: Level,
    /// Stays the same for ever, so that alarms can be set on it.
    pub(crate) name: &'static str,
    pub(crate) words: &'static str,
}

macro_rules! events {
    ($($constant:ident: $level:ident $name:literal $words:literal;)+) => {
        $(pub(crate) const $constant: &Event = &Event { level: Level::$level, name: $name, words: $words };)+
        /// All of them, for the table in docs/operate.md.
        #[cfg(test)]
        pub(crate) const ALL: &[&Event] = &[$($constant),+];
    };
}

events! {
    STARTED: Info "started" "the relay accepts connections";
    STOPPING: Info "stopping" "the relay was asked to stop: nothing new is accepted, connections are closed";
    STOPPED: Info "stopped" "everything is closed";
    STOP_CUT: Warn "stop-cut" "some connections did not close in time";
    STOP_STORE: Warn "stop-store" "the store did not close in time; nothing that was acknowledged is lost";
    STORE_FAILS: Error "store-fails" "the store cannot be written: writes are refused until it can";
    STORE_BACK: Info "store-back" "the store can be written again";
    DISK_SHORT: Error "disk-short" "the disk has less room left than disk_reserve_bytes: nothing new is stored, reading and deleting go on";
    DISK_FINE: Info "disk-fine" "the disk has room again: new things are stored";
    LOG_FAILS: Error "log-fails" "the log cannot be looked after: it grows until it can";
    LOG_DAMAGED: Error "log-damaged" "the log holds damaged records; they are skipped";
    RESTORED: Warn "restored" "the data came back from a backup: the relay has a new key, for which the old one vouches";
    RELOADED: Info "reloaded" "the configuration was read again and holds for new connections";
    RELOAD_FAILED: Error "reload-failed" "the configuration was not taken over, the old one stays";
    RELOAD_LATER: Warn "reload-later" "this key changes only when the relay is started again";
    CERTIFICATE_NEW: Info "certificate-new" "a new certificate is in use";
    CERTIFICATE_BAD: Error "certificate-bad" "the new certificate cannot be used, the old one stays";
    CERTIFICATE_LATE: Error "certificate-late" "the certificate is not valid now: browsers refuse to connect";
    ACME_FAILED: Warn "acme-failed" "no certificate was had this time; it is tried again by itself";
    ACME_CACHE: Warn "acme-cache" "what the certificate authority gave cannot be kept on disk or read from there";
    ACCEPT_FAILED: Warn "accept-failed" "the system gave no connection: too many open files, most likely";
    FILES_FEW: Warn "files-few" "the system allows fewer open files than connections: raise LimitNOFILE";
    MEMORY_HIGH: Warn "memory-high" "memory is short: new connections are turned away";
    MEMORY_FINE: Info "memory-fine" "memory is there again: new connections are taken";
    NOTIFY_FAILED: Warn "notify-failed" "the service manager could not be told";
    HANDSHAKE_FAILED: Trace "handshake-failed" "a client did not finish the handshake of TLS";
}

static LEVEL: AtomicU8 = AtomicU8::new(Level::Info as u8);
static IS_JSON: AtomicU8 = AtomicU8::new(0);

/// Sets what is written from now on, and how.
pub(crate) fn set(level: Level, format: Format) {
    LEVEL.store(level as u8, Ordering::Relaxed);
    IS_JSON.store(u8::from(format == Format::Json), Ordering::Relaxed);
}

/// Says that something happened.
pub(crate) fn note(event: &Event) {
    write(event, None, None);
}

/// Says that something happened so many times; only the power of ten is written.
pub(crate) fn count(event: &Event, count: u64) {
    write(event, Some(count), None);
}

/// Says why. Only for what lies with the operator: their files, their certificate authority, their service manager.
pub(crate) fn because(event: &Event, reason: &str) {
    write(event, None, Some(reason));
}

fn write(event: &Event, count: Option<u64>, reason: Option<&str>) {
    if event.level as u8 > LEVEL.load(Ordering::Relaxed) {
        return;
    }
    let count = count.map(power_of_ten);
    let line = if IS_JSON.load(Ordering::Relaxed) == 0 {
        as_text(event, count, reason)
    } else {
        as_json(event, count, reason)
    };
    // Whoever cannot read what is said does not stop the relay.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

fn as_text(event: &Event, count: Option<u64>, reason: Option<&str>) -> String {
    let (level, name, words) = (event.level.name(), event.name, event.words);
    let mut line = format!("ume-relay: {level}: {words} [{name}]");
    if let Some(count) = count {
        let _ = write!(line, " count>={count}");
    }
    if let Some(reason) = reason {
        // One event, one line.
        let _ = write!(line, ": {}", reason.replace(char::is_control, " "));
    }
    line.push('\n');
    line
}

fn as_json(event: &Event, count: Option<u64>, reason: Option<&str>) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let mut line = serde_json::json!({
        "time": now.map_or(0, |time| time.as_secs()),
        "level": event.level.name(),
        "event": event.name,
        "message": event.words,
    });
    if let Some(count) = count {
        line["count_at_least"] = count.into();
    }
    if let Some(reason) = reason {
        line["reason"] = reason.into();
    }
    format!("{line}\n")
}

fn power_of_ten(count: u64) -> u64 {
    count.checked_ilog10().map_or(0, |power| 10u64.pow(power))
}

/// The words of an error and of what caused it.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(words, ": {error}");
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_without_exact_numbers() {
        let text = as_text(MEMORY_FINE, Some(power_of_ten(1234)), Some("a\nb"));
        assert!(text.ends_with("[memory-fine] count>=1000: a b\n"), "{text}");
        let json = as_json(MEMORY_FINE, Some(power_of_ten(7)), Some("a\n\"b"));
        assert_eq!(json.matches('\n').count(), 1);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["event"], "memory-fine");
        assert_eq!(json["count_at_least"], 1);
        assert_eq!(json["reason"], "a\n\"b");
        assert_eq!(power_of_ten(0), 0);
        assert_eq!(power_of_ten(u64::MAX), 10_000_000_000_000_000_000);
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = ALL.iter().map(|event| event.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }
}

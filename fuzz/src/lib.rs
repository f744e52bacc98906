//! Fuzz targets: every parser that a stranger can reach, each with what has to hold for any input.
//!
//! A target is a function over bytes. `targets/` makes a libFuzzer program of each (`cargo xtask fuzz`), and a test tries
//! all of them on the files in `seeds/`, so that what a fuzzer found once is found by every test run.
#![allow(clippy::missing_panics_doc)] // all that a panic here says is that a rule was broken

mod engine;
mod input;
mod member;
mod parse;
mod relay;
mod wire;

use peak_alloc::PeakAlloc;

/// Counts, so that nothing takes more memory for an input than its target allows.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// One target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name; those of its seeds' folder and of its program.
    pub name: &'static str,
    /// Bytes that an input may make it hold at one moment.
    pub memory: usize,
    run: fn(&[u8]),
}

impl Target {
    /// Tries an input. Panics if a rule is broken.
    pub fn check(&self, input: &[u8]) {
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        (self.run)(input);
        let held = MEMORY.peak_usage().saturating_sub(before);
        assert!(
            held <= self.memory,
            "{} held {held} bytes for {} bytes of input, more than {}",
            self.name,
            input.len(),
            self.memory
        );
    }
}

/// Ends what targets keep running between inputs.
pub fn stop() {
    relay::stop();
}

macro_rules! targets {
    ($($(#[$doc:meta])* $id:ident: $name:literal, $memory:expr, $run:path;)*) => {
        $($(#[$doc])*
        pub const $id: Target = Target { name: $name, memory: $memory, run: $run };)*

        /// All of them.
        pub const TARGETS: &[Target] = &[$($id),*];
    };
}

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

targets! {
    /// An access key as somebody pastes it.
    ACCESS: "access", 64 * KIB, parse::access;
    /// A question to the socket for operators.
    ADMIN: "admin", MIB, parse::admin;
    /// What somebody who asks to come in is answered.
    ANSWER: "answer", MIB, member::answer;
    /// What the lane of an invite holds.
    BUNDLE: "bundle", 4 * MIB, member::bundle;
    /// A call by which an owner begins the group anew, and what it brings.
    CALL: "call", 4 * MIB, member::call;
    /// What the lane of a private invite holds.
    CARD: "card", MIB, member::card;
    /// A sealed cell.
    CELL: "cell", 64 * KIB, member::cell;
    /// The relay's configuration file.
    CONFIG: "config", 4 * MIB, parse::config;
    /// A device's address at a push service.
    ENDPOINT: "endpoint", 64 * KIB, parse::endpoint;
    /// A member's device whose relay does what it likes.
    ENGINE: "engine", 32 * MIB, engine::run;
    /// An entry.
    ENTRY: "entry", MIB, member::entry;
    /// What an entry says of its files.
    FILES: "files", 4 * MIB, parse::files;
    /// The insides of cells.
    FRAGMENTS: "fragments", 8 * MIB, wire::fragments;
    /// A frame of the relay protocol, with every kind of message.
    FRAME: "frame", 256 * KIB, wire::frame;
    /// Statements of a community's ledger.
    LEDGER: "ledger", 4 * MIB, member::ledger;
    /// An invite link as somebody pastes it.
    LINK: "link", 4 * MIB, parse::link;
    /// A log lane as a relay delivers it.
    LOG: "log", 32 * MIB, member::log;
    /// The text of a post.
    MARKDOWN: "markdown", 16 * MIB, parse::markdown;
    /// A pack of old entries, and its announcement.
    PACK: "pack", 16 * MIB, member::pack;
    /// What a slot of the commit lane holds.
    RECORD: "record", 4 * MIB, member::record;
    /// A step of a comparison between two members.
    RECONCILE: "reconcile", 4 * MIB, member::reconcile;
    /// A relay over its sockets: HTTP, `POST` bodies, WebSocket, the socket for operators.
    RELAY: "relay", 512 * MIB, relay::run;
    /// Somebody who asks to come in.
    REQUEST: "request", MIB, member::request;
    /// What somebody looks for, and a text of somebody else in which it may be.
    SEARCH: "search", 16 * MIB, parse::search;
    /// A commit lane as a relay delivers it.
    SLOTS: "slots", 8 * MIB, member::slots;
    /// What members say to each other about missing entries.
    TALK: "talk", MIB, member::talk;
    /// The ways to unlock a vault, as they are stored.
    UNLOCK: "unlock", MIB, parse::unlock;
    /// A row of the vault in a browser that somebody else had his hands on.
    VAULT: "vault", MIB, parse::vault;
    /// What a client sends on a WebSocket.
    WEBSOCKET: "websocket", MIB, wire::websocket;
}

//! What goes into the engine and what comes out: its whole contact with the world.
//!
//! Whoever drives it (the worker in a browser, the simulation in tests) keeps this contract:
//!
//! 1. Inputs are handled one after the other. `now` never runs backwards by more than the platform's clock does.
//! 2. The outputs of a [`Step`] are carried out in order, and only after its [`Batch`] is durable. Several steps may be
//!    joined into one transaction, as long as none of their outputs leaves before it is complete.
//! 3. If a batch cannot be stored, the engine is dropped with everything that it would have said, and opened again from
//!    what is stored. A crash at any point is the same thing.

use bytes::Bytes;
use ume_api::{Command, FromEngine, Surroundings};
use ume_wire::frame;
use ume_wire::relay::{Frame, Pad, frame::Body};

/// Milliseconds since 1970 by the device's clock.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Millis(pub u64);

impl Millis {
    /// This moment plus some milliseconds.
    #[must_use]
    pub fn plus(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }
}

/// Address of a relay: `https://host[:port]`, or `http://` for one without TLS on this machine.
pub type RelayAddress = String;

/// Something happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The app asks for something.
    Command {
        /// The app's number for it, repeated in the answer.
        number: u32,
        /// What it asks.
        command: Command,
    },
    /// The connection that [`Output::Connect`] asked for is open.
    Connected(RelayAddress),
    /// The connection is closed, or could not be opened.
    Disconnected(RelayAddress),
    /// The relay closed the connection and asked to come back after some milliseconds: it starts again.
    Restarting(RelayAddress, u64),
    /// A frame arrived.
    Frame(RelayAddress, Bytes),
    /// A slot of a plan ([`Output::Plan`]) was carried out.
    Left {
        /// The line.
        relay: RelayAddress,
        /// Slots that went by: this one, and those that were missed before it.
        slots: usize,
        /// Frames that left in it.
        frames: u32,
        /// Of them, those of [`Output::Fill`], in their order.
        filled: u32,
    },
    /// What was chosen, or how things stand, is different now.
    Surroundings(Surroundings),
    /// What [`Output::Read`] asked for, in its order; `None`: there is no such row, or it does not open.
    Rows(Vec<(Key, Option<Vec<u8>>)>),
    /// The time that [`Output::WakeAt`] named has come, or the page woke up, or the network came back.
    Tick,
}

/// Something is to be done.
#[derive(Clone, Debug)]
pub enum Output {
    /// Open a connection; answer with `Connected` or `Disconnected`.
    Connect(RelayAddress),
    /// Close the connection; no answer is needed.
    Disconnect(RelayAddress),
    /// Send a frame of 2,048 bytes at once. Nothing is lost for good if this does not happen.
    Send(RelayAddress, Bytes),
    /// Go on with these slots after those that were planned before, whatever else happens; tell each with
    /// [`Input::Left`]. The clock for it is one that only runs forwards, and it waits for nothing that the engine does.
    Plan {
        /// The line; its connection is open.
        relay: RelayAddress,
        /// Slots, in their order.
        slots: Vec<Slot>,
        /// Instead of those that were planned before and have not come; the first is so long after now, or after the
        /// connection opened if it is the first plan.
        afresh: bool,
    },
    /// Send this frame in the next slot of the plan that has room, after those given before. It is forgotten when the
    /// connection ends.
    Fill(RelayAddress, Bytes),
    /// Keep these frames for this relay, in the place of those that were kept before, to be sent in one `POST` when no page
    /// is open any more: always [`ume_wire::limits::DEPOSIT_FRAMES`], whatever waits. They hold nothing that is not sealed
    /// but which lane a cell is for. Nothing is lost for good if this does not happen.
    Deposit(RelayAddress, Vec<Bytes>),
    /// Read rows of a table that is not read at the start ([`Table::is_lazy`]); answer with `Rows`. What an earlier batch wrote is
    /// there.
    Read(Vec<Key>),
    /// Tell the app.
    Tell(FromEngine),
    /// Give a `Tick` at this time at the latest; replaces the time named before.
    WakeAt(Millis),
}

/// A moment at which frames leave, whatever there is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Milliseconds after the slot before it.
    pub gap_ms: u64,
    /// Frames that leave: what waits ([`Output::Fill`]), and frames that say nothing ([`pad`]) in the place of what does not.
    pub frames: u32,
    /// What its first frame is, if nothing may fill that one.
    pub fixed: Option<Bytes>,
}

/// The frame that says nothing.
pub fn pad() -> Bytes {
    let body = Some(Body::Pad(Pad {}));
    // An empty message fits into a frame.
    frame::encode(&Frame { request: 0, body }).unwrap_or_default()
}

/// A table of the store. The names never change and are never reused; a new one is added at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// The profile: one row.
    Profile,
    /// One row per community: names, ledger, generation, cursors.
    Community,
    /// The groups' key material, one row per value of OpenMLS.
    Mls,
    /// One row per entry.
    Entry,
    /// What is to be sent until a relay has it.
    Outbox,
    /// One row per file that is here, or a part of it: how far it is on its way.
    File,
    /// The files' sealed blobs, one row for each.
    Piece,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 7] = [
        Self::Profile,
        Self::Community,
        Self::Mls,
        Self::Entry,
        Self::Outbox,
        Self::File,
        Self::Piece,
    ];

    /// Whether its rows are too large to be held all the time: they are read one by one ([`Output::Read`]), and not at the start.
    pub fn is_lazy(self) -> bool {
        self == Self::Piece
    }

    /// Its name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Community => "community",
            Self::Mls => "mls",
            Self::Entry => "entry",
            Self::Outbox => "outbox",
            Self::File => "file",
            Self::Piece => "piece",
        }
    }
}

/// Names a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its table.
    pub table: Table,
    /// Its name in the table; secret, so the store keeps only a keyed hash of it.
    pub id: Vec<u8>,
}

/// Rows to write (`Some`) or erase (`None`), all or nothing, durable when the transaction is complete.
#[derive(Clone, Debug, Default)]
pub struct Batch(pub std::collections::BTreeMap<Key, Option<Vec<u8>>>);

/// What one input led to.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// To be stored first.
    pub batch: Batch,
    /// To be done afterwards, in order.
    pub outputs: Vec<Output>,
}

//! Cover traffic: what a person chooses, and what the page shows of it.

use serde::{Deserialize, Serialize};

/// Bytes that one frame takes on the line, either way: frame (2,048), WebSocket, TLS record, TCP and IP with its share of
/// acknowledgements.
pub const FRAME_LINE_BYTES: u64 = 2_230;

/// How far this device goes to hide when it has something to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Cover {
    /// Everything at once. Sizes are hidden, times are not.
    Off,
    /// Frames leave at times of their own, both ways, whether or not there is anything in them: the network cannot tell.
    #[default]
    Balanced,
    /// As balanced, quicker, and in small communities the relay cannot tell either which cells say something.
    Strong,
}

impl Cover {
    /// Mean gaps between frames: up and down, milliseconds; 0: at once.
    #[must_use]
    pub const fn gaps_ms(self, surroundings: Surroundings) -> (u32, u32) {
        match self {
            Self::Off => (0, 0),
            Self::Balanced if surroundings.hidden => (20_000, 20_000),
            Self::Balanced if surroundings.saving => (8_000, 4_000),
            Self::Balanced => (2_000, 1_000),
            Self::Strong => (1_000, 500),
        }
    }
}

/// What the app knows and the engine does not: what was chosen, and how things stand around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Surroundings {
    /// The choice.
    pub cover: Cover,
    /// No page of the app can be seen.
    pub hidden: bool,
    /// The browser was asked to save data.
    pub saving: bool,
}

impl Surroundings {
    /// Without cover.
    pub const AT_ONCE: Self = Self {
        cover: Cover::Off,
        hidden: false,
        saving: false,
    };
}

/// One tick of a line, as it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tick {
    /// When, milliseconds since 1970.
    pub at: u64,
    /// From this device to the relay; otherwise the other way.
    pub up: bool,
    /// Frames that passed.
    pub frames: u32,
    /// Of them, those that said something.
    pub real: u32,
}

/// Frames that passed in some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Passed {
    /// To the relay.
    pub up: u64,
    /// From the relay.
    pub down: u64,
    /// Of all, those that said something.
    pub real: u64,
}

/// The line to one relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineView {
    /// The relay's address.
    pub relay: String,
    /// There is a connection.
    pub up: bool,
    /// The relay keeps the pace too. Otherwise it answers at once, and what it sends shows when there is news.
    pub paced: bool,
    /// Mean gaps of the moment, up and down, milliseconds; 0: at once.
    pub gaps_ms: (u32, u32),
    /// A bulk transfer, or the first moments of a connection: more frames than usual for a while.
    pub burst: bool,
    /// Frames that wait here for their turn.
    pub waiting: u32,
    /// Cells of this device that it sent to itself and that did not come back: the relay drops some.
    pub lost_loops: u32,
    /// Ticks since the last time that this was told; on the first time those of the last three minutes.
    pub ticks: Vec<Tick>,
    /// In the last hour, as far as this engine was running.
    pub hour: Passed,
    /// Since this engine runs, at most a day.
    pub day: Passed,
}

/// What passes between this device and its relays, now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficView {
    /// One for each relay.
    pub lines: Vec<LineView>,
    /// In strong mode: communities with more than twelve people, where the relay can tell which cells say something.
    pub large: Vec<crate::CommunityRef>,
}

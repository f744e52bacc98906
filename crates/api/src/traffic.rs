//! Cover traffic: what a person chooses, and what the page shows of it.

use serde::{Deserialize, Serialize};

/// Bytes that one frame takes on the line, either way: frame (2,048), WebSocket, TLS record, TCP and IP with its share of
/// acknowledgements.
pub const FRAME_LINE_BYTES: u64 = 2_230;

/// Frames that a window takes, either way; the windows of a line are an hour apart, in the mean.
const WINDOW_FRAMES: u64 = 512;
const HOUR_MS: u64 = 3_600_000;

/// How far this device goes to hide when it has something to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Cover {
    /// Everything at once. Sizes are hidden, times are not.
    Off,
    /// Frames leave at times of their own, both ways, whether or not there is anything in them: the network cannot tell.
    #[default]
    Balanced,
    /// As balanced, twice as quick, also when no page can be seen; and what this device does in a community waits for its turns
    /// as well. Only coming into a community, starting one and inviting to one still pass in a bulk transfer.
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

    /// Whether a window for much at once opens about once an hour.
    #[must_use]
    pub const fn windows(self, surroundings: Surroundings) -> bool {
        match self {
            Self::Off => false,
            Self::Balanced => !surroundings.hidden && !surroundings.saving,
            Self::Strong => true,
        }
    }

    /// Bytes that cover takes on a line in an hour, both ways, windows included, whether or not anybody says anything.
    #[must_use]
    pub fn hour_bytes(self, surroundings: Surroundings) -> u64 {
        let frames = |gap_ms| HOUR_MS.checked_div(u64::from(gap_ms));
        let (up, down) = self.gaps_ms(surroundings);
        let paced = frames(up).zip(frames(down));
        let windows = if self.windows(surroundings) {
            2 * WINDOW_FRAMES
        } else {
            0
        };
        paced.map_or(0, |(up, down)| (up + down + windows) * FRAME_LINE_BYTES)
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

/// How a relay is, and what it says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RelayHealth {
    /// When it was heard last, milliseconds since 1970.
    pub heard_at: u64,
    /// How long it took to greet when this connection began, milliseconds; with cover that includes the wait for a turn.
    pub greeted_ms: u64,
    /// For how long it keeps what is left with it, at most, seconds.
    pub keeps_seconds: u32,
    /// The largest blob that it takes, bytes.
    pub blob_bytes: u32,
    /// How many cells it keeps for a reader who does not come; 0: it does not say.
    pub queue_cells: u64,
    /// It makes room only for whoever has an access key.
    pub access_needed: bool,
}

/// The line to one relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineView {
    /// The relay's address.
    pub relay: String,
    /// There is a connection.
    pub up: bool,
    /// How the relay is; `None` until it has greeted on this connection.
    pub health: Option<RelayHealth>,
    /// The relay keeps the pace too. Otherwise it answers at once, and what it sends shows when there is news.
    pub paced: bool,
    /// Mean gaps of the moment, up and down, milliseconds; 0: at once.
    pub gaps_ms: (u32, u32),
    /// A bulk transfer is under way.
    pub burst: bool,
    /// Frames that wait here for their turn.
    pub waiting: u32,
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_costs_what_the_gaps_say() {
        let seen = Surroundings::default();
        let hidden = Surroundings {
            hidden: true,
            ..seen
        };
        assert_eq!(Cover::Off.hour_bytes(seen), 0);
        assert_eq!(
            Cover::Balanced.hour_bytes(seen),
            (1_800 + 3_600 + 1_024) * 2_230
        );
        assert_eq!(Cover::Balanced.hour_bytes(hidden), (180 + 180) * 2_230);
        assert_eq!(
            Cover::Strong.hour_bytes(hidden),
            (3_600 + 7_200 + 1_024) * 2_230
        );
    }
}

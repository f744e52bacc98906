//! Detectors: whether the frames on somebody's link are those of a channel whose messages are known.
//!
//! A detector gives each pair of a link and a channel a score; true pairs should have larger ones. Three kinds, each with
//! some settings: an attacker takes what works best.

mod event;
mod matched;
mod shape;

use crate::workload::Message;

/// A detector with its settings.
#[derive(Clone, Copy, Debug)]
enum Setting {
    /// Bursts near messages, of a like size. Within so many seconds.
    Event(f64),
    /// Two curves that look alike.
    Likeness,
    /// Two curves that rise and fall together.
    Together,
    /// More frames than usual within so many seconds behind messages.
    Matched(f64),
}

/// All settings, those of one kind side by side.
const SETTINGS: [Setting; 8] = [
    Setting::Event(1.0),
    Setting::Event(5.0),
    Setting::Likeness,
    Setting::Together,
    Setting::Matched(0.1),
    Setting::Matched(0.3),
    Setting::Matched(1.0),
    Setting::Matched(4.0),
];

/// How many scores a pair gets.
pub(crate) const SCORES: usize = SETTINGS.len();

/// The kinds, and which scores are theirs.
pub(crate) const KINDS: [(&str, std::ops::Range<usize>); 3] =
    [("event", 0..2), ("shape", 2..4), ("matched filter", 4..8)];

/// A channel as an attacker knows it.
pub(crate) struct Channel {
    events: event::Events,
    shape: shape::Sparse,
    matched: matched::Times,
}

impl Channel {
    /// With these messages, by time, within a span of microseconds.
    pub(crate) fn new(messages: &[Message], span: u64) -> Self {
        let frames: Vec<u64> = messages
            .iter()
            .flat_map(|message| std::iter::repeat_n(message.at, message.frames as usize))
            .collect();
        Self {
            events: event::Events::new(&frames, span),
            shape: shape::Sparse::new(&frames, span),
            matched: matched::Times::new(messages),
        }
    }
}

/// A link as an attacker sees it.
pub(crate) struct Link {
    events: event::Events,
    shape: shape::Curve,
    matched: matched::Counts,
}

impl Link {
    /// With frames at these times, by time, within a span of microseconds.
    pub(crate) fn new(frames: &[u64], span: u64) -> Self {
        Self {
            events: event::Events::new(frames, span),
            shape: shape::Curve::new(frames, span),
            matched: matched::Counts::new(frames, span),
        }
    }

    /// The score of each setting for this channel.
    pub(crate) fn scores(&self, channel: &Channel) -> [f32; SCORES] {
        let (likeness, together) = self.shape.against(&channel.shape);
        SETTINGS.map(|setting| match setting {
            Setting::Event(within) => self.events.share(&channel.events, within),
            Setting::Likeness => likeness,
            Setting::Together => together,
            Setting::Matched(within) => self.matched.excess(&channel.matched, within),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use crate::workload::{LATENCY, SECOND, spread, talk};

    #[test]
    fn every_detector_prefers_the_right_channel_when_nothing_hides_it() {
        let span = 900 * SECOND;
        let mut dice = Dice::new(1, "detect", 0);
        let talks: Vec<_> = (0..30).map(|_| talk(&mut dice, span)).collect();
        let channels: Vec<_> = talks.iter().map(|talk| Channel::new(talk, span)).collect();
        let mut best = [0; SCORES];
        for (own, talk) in talks.iter().enumerate() {
            let link = Link::new(&spread(talk, &mut dice, LATENCY), span);
            let scores: Vec<_> = channels
                .iter()
                .map(|channel| link.scores(channel))
                .collect();
            for (setting, best) in best.iter_mut().enumerate() {
                *best += u32::from(scores.iter().all(|s| s[setting] <= scores[own][setting]));
            }
        }
        for (setting, best) in SETTINGS.iter().zip(best) {
            // A tenth of a second is less than most messages need.
            let least = if matches!(setting, Setting::Matched(0.1)) {
                20
            } else {
                28
            };
            assert!(best >= least, "{setting:?}: {best} of 30");
        }
    }
}

//! What people do, as frames that somebody wants sent: the same whatever the schedule makes of it.

use crate::dice::Dice;

/// Microseconds of a second.
pub(crate) const SECOND: u64 = 1_000_000;

/// A message of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// When it was written, in microseconds from the beginning.
    pub(crate) at: u64,
    /// Frames that it takes.
    pub(crate) frames: u32,
}

/// Gaps between messages follow a Pareto law: many short ones, few long ones. With these the mean is 40 seconds, 90 messages
/// an hour.
const SHAPE: f64 = 0.93;
const SHORTEST: f64 = 8.0;
const LONGEST: f64 = 1_800.0;

/// A channel with fewer messages than this is not attacked: an observer takes a time at which people talk.
const FEWEST: usize = 5;

/// The text chat of one channel over a span: short messages, most of one frame.
pub(crate) fn talk(dice: &mut Dice, span: u64) -> Vec<Message> {
    loop {
        let mut messages = Vec::new();
        let mut at = dice.between(0.0, 60.0);
        while at < seconds(span) {
            let frames = match dice.part() {
                part if part < 0.85 => 1,
                part if part < 0.96 => 2,
                _ => 3,
            };
            messages.push(Message {
                at: micros(at),
                frames,
            });
            at += gap(dice);
        }
        if messages.len() >= FEWEST {
            return messages;
        }
    }
}

/// A gap in seconds: Pareto, cut off at half an hour.
fn gap(dice: &mut Dice) -> f64 {
    let kept = 1.0 - (SHORTEST / LONGEST).powf(SHAPE);
    SHORTEST / (1.0 - dice.part() * kept).powf(1.0 / SHAPE)
}

/// What somebody is doing for some minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    /// Nothing.
    Idle,
    /// Signs of typing, theirs and those of others.
    Typing,
    /// Messages both ways.
    Chat,
    /// Much comes that was there before, and some goes.
    Join,
    /// Some comes that was missed.
    Sync,
    /// Far more comes than fits.
    Flood,
    /// A file goes.
    Bulk,
}

impl Activity {
    /// What a classifier tells apart.
    pub(crate) const CLASSES: [Self; 5] =
        [Self::Idle, Self::Typing, Self::Chat, Self::Join, Self::Sync];
    /// Everything that must not show.
    pub(crate) const ALL: [Self; 7] = [
        Self::Idle,
        Self::Typing,
        Self::Chat,
        Self::Join,
        Self::Sync,
        Self::Flood,
        Self::Bulk,
    ];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Typing => "typing",
            Self::Chat => "chat",
            Self::Join => "join",
            Self::Sync => "sync",
            Self::Flood => "flood",
            Self::Bulk => "bulk",
        }
    }
}

/// When each frame of somebody's is ready to leave, up and down.
#[derive(Clone, Debug, Default)]
pub(crate) struct Need {
    /// Frames of the client, by time.
    pub(crate) up: Vec<u64>,
    /// Frames for the client, by time.
    pub(crate) down: Vec<u64>,
}

impl Need {
    /// What an activity of this length needs.
    pub(crate) fn of(activity: Activity, dice: &mut Dice, span: u64) -> Self {
        let mut need = Self::default();
        match activity {
            Activity::Idle => {}
            Activity::Typing => {
                need.up = typing(dice, span);
                need.down = typing(dice, span);
            }
            Activity::Chat => {
                need.up = spread(&talk(dice, span.max(300 * SECOND)), dice, 0);
                need.down = spread(&talk(dice, span.max(300 * SECOND)), dice, LATENCY);
            }
            Activity::Join => {
                heap(&mut need.up, dice, span, 20..60);
                heap(&mut need.down, dice, span, 150..400);
            }
            Activity::Sync => {
                heap(&mut need.up, dice, span, 2..6);
                heap(&mut need.down, dice, span, 30..120);
            }
            Activity::Flood => {
                need.down = (0..span / 20_000).map(|index| index * 20_000).collect();
            }
            Activity::Bulk => heap(&mut need.up, dice, span, 400..700),
        }
        need
    }
}

/// Until what a relay has is on its way to a member, at most.
pub(crate) const LATENCY: u64 = 150_000;

/// When the frames of these messages are ready: some time after they were written, at most `latency`.
pub(crate) fn spread(messages: &[Message], dice: &mut Dice, latency: u64) -> Vec<u64> {
    let mut ready: Vec<u64> = messages
        .iter()
        .flat_map(|message| {
            let least = latency as f64 / 8.0;
            let at = message.at + dice.between(least, latency as f64 + 1.0) as u64;
            std::iter::repeat_n(at, message.frames as usize)
        })
        .collect();
    ready.sort_unstable();
    ready
}

/// Every few seconds for half a minute, then nothing for a while.
fn typing(dice: &mut Dice, span: u64) -> Vec<u64> {
    let mut ready = Vec::new();
    let mut at = dice.between(0.0, 20.0);
    while at < seconds(span) {
        let until = at + dice.between(10.0, 40.0);
        while at < until {
            ready.push(micros(at));
            at += dice.between(2.5, 4.0);
        }
        at += dice.exponential(30.0);
    }
    ready
}

/// Many at once, at some moment of the first half.
fn heap(ready: &mut Vec<u64>, dice: &mut Dice, span: u64, count: std::ops::Range<usize>) {
    let at = micros(dice.between(0.0, seconds(span) / 2.0));
    let count = count.start + dice.below(count.len());
    ready.extend(std::iter::repeat_n(at, count));
    ready.sort_unstable();
}

/// Microseconds as seconds.
pub(crate) fn seconds(micros: u64) -> f64 {
    micros as f64 / SECOND as f64
}

/// Seconds as microseconds.
pub(crate) fn micros(seconds: f64) -> u64 {
    (seconds * SECOND as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_has_ninety_messages_an_hour() {
        let mut dice = Dice::new(1, "talk", 0);
        let hours = 400;
        let count: usize = (0..hours)
            .map(|_| talk(&mut dice, 3_600 * SECOND).len())
            .sum();
        let each = count as f64 / f64::from(hours);
        assert!((75.0..105.0).contains(&each), "{each}");
    }

    #[test]
    fn what_is_needed_comes_in_order_and_differs_by_activity() {
        let span = 300 * SECOND;
        for activity in Activity::ALL {
            let need = Need::of(activity, &mut Dice::new(1, activity.name(), 0), span);
            assert!(need.up.is_sorted() && need.down.is_sorted());
            assert_eq!(
                need.up.len() + need.down.len() == 0,
                activity == Activity::Idle
            );
        }
    }

    #[test]
    fn frames_of_a_message_are_ready_soon_after_it() {
        let messages = [Message { at: 5, frames: 2 }, Message { at: 9, frames: 1 }];
        assert_eq!(spread(&messages, &mut Dice::new(1, "x", 0), 0), [5, 5, 9]);
        let late = spread(&messages, &mut Dice::new(1, "x", 0), 1_000);
        assert_eq!(late.len(), 3);
        assert!(late.iter().all(|at| (5..=1_010).contains(at)));
    }
}

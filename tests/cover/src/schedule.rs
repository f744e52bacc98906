//! When frames leave: by the law of ume, and by ways that are known to fail. A proof that does not find those proves nothing.

use crate::dice::Dice;
use crate::law::{Mode, Ticks};
use crate::trace::{Direction, Frame};
use crate::workload::{micros, seconds};

/// A way to decide when frames leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// At once, and nothing else: only lengths are hidden.
    Off,
    /// The same, with dummies beside, two a second at random.
    Additive,
    /// Slots as in balanced mode, but four times as fast while something waits.
    Adaptive,
    /// Balanced mode with frames that are sealed only when their tick has come.
    SealedAtTick,
    /// What ume does.
    Ume(Mode),
}

impl Scheme {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self::Ume(Mode::Balanced),
        Self::Ume(Mode::Strong),
        Self::Off,
        Self::Additive,
        Self::Adaptive,
        Self::SealedAtTick,
    ];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Additive => "dummies beside, 2/s",
            Self::Adaptive => "rate that follows data",
            Self::SealedAtTick => "sealed at the tick",
            Self::Ume(Mode::Balanced) => "ume, balanced",
            Self::Ume(Mode::Saving) => "ume, saving data",
            Self::Ume(Mode::Hidden) => "ume, hidden",
            Self::Ume(Mode::Strong) => "ume, strong",
        }
    }
}

/// Bytes of a frame in a WebSocket message in a TLS record; those of a client are masked.
pub(crate) const fn bytes(direction: Direction) -> u32 {
    match direction {
        Direction::Up => 2_048 + 8 + 22,
        Direction::Down => 2_048 + 4 + 22,
    }
}

/// What it takes to seal a frame: where that happens at the tick, real frames are later by it.
const SEALING: f64 = 200.0;
/// By how much timers are late, in microseconds: mostly little, seldom much.
const LATE: f64 = 300.0;
const SELDOM: f64 = 0.02;
const MUCH: f64 = 5_000.0;

/// Everything that leaves a link one way within a span, when these frames are `ready` (by time).
///
/// What is random about the schedule comes from `seed` and `client`, and is the same whatever is ready.
pub(crate) fn frames(
    scheme: Scheme,
    direction: Direction,
    ready: &[u64],
    span: u64,
    (seed, client): (u64, u32),
) -> Vec<Frame> {
    let way = match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    };
    let dice = |kind: &str| Dice::new(seed, &format!("{way} {kind}"), u64::from(client));
    let mut line = Line {
        client,
        direction,
        late: dice("late"),
        frames: Vec::new(),
    };
    let ticks = |mode| Ticks::new(mode, direction, dice("age"), dice("tick"));
    match scheme {
        Scheme::Off => line.at_once(ready),
        Scheme::Additive => {
            line.at_once(ready);
            line.beside(span, &mut dice("dummies"));
        }
        Scheme::Adaptive => line.following(ready, span, &mut dice("tick")),
        Scheme::SealedAtTick => line.slots(ticks(Mode::Balanced), ready, span, SEALING),
        Scheme::Ume(mode) => line.slots(ticks(mode), ready, span, 0.0),
    }
    line.frames
}

/// One way of one link.
struct Line {
    client: u32,
    direction: Direction,
    late: Dice,
    frames: Vec<Frame>,
}

impl Line {
    fn send(&mut self, due: u64, real: bool, work: f64) {
        let mut late = self.late.exponential(LATE);
        if self.late.part() < SELDOM {
            late += self.late.exponential(MUCH);
        }
        self.frames.push(Frame {
            client: self.client,
            direction: self.direction,
            at: due + (late + work) as u64,
            bytes: bytes(self.direction),
            real,
            lane: None,
            due: Some(due),
        });
    }

    fn at_once(&mut self, ready: &[u64]) {
        for at in ready {
            self.send(*at, true, 0.0);
        }
        self.frames.sort_by_key(|frame| frame.at);
    }

    fn beside(&mut self, span: u64, dice: &mut Dice) {
        let mut at = dice.exponential(0.5);
        while at < seconds(span) {
            self.send(micros(at), false, 0.0);
            at += dice.exponential(0.5);
        }
        self.frames.sort_by_key(|frame| frame.at);
    }

    /// The rest of a gap is a quarter as long from the moment at which something waits.
    fn following(&mut self, ready: &[u64], span: u64, dice: &mut Dice) {
        let mean = f64::from(Mode::Balanced.steady(self.direction).gap_ms) * 1e3;
        let mut waiting = ready.iter().copied().peekable();
        let mut at = 0;
        loop {
            let mut next = at + dice.between(mean / 2.0, mean * 1.5) as u64;
            if let Some(since) = waiting.peek().copied().filter(|since| *since < next) {
                let from = since.max(at);
                next = from + (next - from) / 4;
            }
            at = next;
            if at >= span {
                return;
            }
            let real = waiting.next_if(|since| *since <= at).is_some();
            self.send(at, real, 0.0);
        }
    }

    fn slots(&mut self, mut ticks: Ticks, ready: &[u64], span: u64, work: f64) {
        let mut waiting = ready.iter().copied().peekable();
        loop {
            let (at, frames) = ticks.next();
            if at >= span {
                return;
            }
            for _ in 0..frames {
                let real = waiting.next_if(|since| *since <= at).is_some();
                self.send(at, real, if real { work } else { 0.0 });
            }
        }
    }
}

/// Times of frames, for whoever needs nothing else.
pub(crate) fn times(frames: &[Frame]) -> Vec<u64> {
    frames.iter().map(|frame| frame.at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::{Activity, Need, SECOND};

    const SPAN: u64 = 600 * SECOND;

    fn seen(scheme: Scheme, activity: Activity, seed: u64) -> Vec<(u64, u32)> {
        let need = Need::of(activity, &mut Dice::new(seed, "need", 0), SPAN);
        let of = |direction, ready: &[u64]| {
            frames(scheme, direction, ready, SPAN, (seed, 3))
                .into_iter()
                .map(|frame| (frame.at, frame.bytes))
        };
        of(Direction::Up, &need.up)
            .chain(of(Direction::Down, &need.down))
            .collect()
    }

    #[test]
    fn what_leaves_by_the_law_is_the_same_whatever_people_do() {
        for mode in [Mode::Balanced, Mode::Strong] {
            for seed in 0..8 {
                let idle = seen(Scheme::Ume(mode), Activity::Idle, seed);
                for activity in Activity::ALL {
                    assert_eq!(
                        seen(Scheme::Ume(mode), activity, seed),
                        idle,
                        "{activity:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_leaves_otherwise_is_not() {
        for scheme in [
            Scheme::Off,
            Scheme::Additive,
            Scheme::Adaptive,
            Scheme::SealedAtTick,
        ] {
            let idle = seen(scheme, Activity::Idle, 1);
            assert_ne!(seen(scheme, Activity::Chat, 1), idle, "{scheme:?}");
        }
    }

    #[test]
    fn everything_that_is_ready_leaves_once_and_not_early() {
        let ready: Vec<u64> = (0..40).map(|index| index * 7 * SECOND / 3).collect();
        for scheme in Scheme::ALL {
            let sent = frames(scheme, Direction::Down, &ready, SPAN, (1, 1));
            let real: Vec<&Frame> = sent.iter().filter(|frame| frame.real).collect();
            assert_eq!(real.len(), ready.len(), "{scheme:?}");
            for (frame, ready) in real.iter().zip(&ready) {
                assert!(frame.at >= *ready, "{scheme:?}");
            }
        }
    }
}

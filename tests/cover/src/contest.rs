//! Everybody against every channel: how many users an observer finds whose channel they know.

use crate::detect::{Channel, KINDS, Link, SCORES};
use crate::dice::Dice;
use crate::roc;
use crate::schedule::{self, Scheme};
use crate::stats;
use crate::trace::{Direction, Frame};
use crate::workload::{LATENCY, Message, spread, talk};
use std::num::NonZero;
use std::thread;

/// What an observer knows of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knows {
    /// When its messages were written.
    Written,
    /// When its messages reached the relay: they are a member to whom it delivers at once.
    Arrived,
}

/// One contest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contest {
    /// How frames leave.
    pub(crate) scheme: Scheme,
    /// Which way is watched: up, users write; down, they read.
    pub(crate) direction: Direction,
    /// What is known.
    pub(crate) knows: Knows,
    /// Users, each with a channel of their own.
    pub(crate) users: u32,
    /// For how long, in microseconds.
    pub(crate) span: u64,
    /// Where chance begins.
    pub(crate) seed: u64,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// For each setting of each detector, the share of users found at each rate of false alarms.
    pub(crate) shares: Vec<[f64; 3]>,
    /// Frames a second on a link.
    pub(crate) rate: f64,
    /// Share of frames that somebody wanted.
    pub(crate) real: f64,
}

impl Outcome {
    /// Of several contests with as many users each.
    pub(crate) fn mean(each: &[Self]) -> Self {
        let mean =
            |of: &dyn Fn(&Self) -> f64| stats::mean(&each.iter().map(of).collect::<Vec<_>>());
        let settings = each.iter().map(|one| one.shares.len()).min().unwrap_or(0);
        let shares =
            |setting: usize| [0, 1, 2].map(|at| mean(&|one: &Self| one.shares[setting][at]));
        Self {
            shares: (0..settings).map(shares).collect(),
            rate: mean(&|one: &Self| one.rate),
            real: mean(&|one: &Self| one.real),
        }
    }

    /// For each kind of detector, what it finds with the setting that is best at each rate.
    pub(crate) fn found(&self) -> Vec<(&'static str, [f64; 3])> {
        let kinds = KINDS.iter().map(|(name, settings)| {
            let shares = &self.shares[settings.clone()];
            let most = |at: usize| shares.iter().map(|share| share[at]).fold(0.0, f64::max);
            (*name, [most(0), most(1), most(2)])
        });
        kinds.collect()
    }

    /// The best of all detectors.
    pub(crate) fn best(&self) -> [f64; 3] {
        let most = |at: usize| {
            self.shares
                .iter()
                .map(|share| share[at])
                .fold(0.0, f64::max)
        };
        [most(0), most(1), most(2)]
    }
}

/// By how much a member hears of a message after it reached the relay, in microseconds.
const HEARING: (f64, f64) = (5_000.0, 40_000.0);
/// Where to look for the frame of a message that was heard: before it.
const BEFORE: u64 = 100_000;

/// Runs a contest on all processors.
pub(crate) fn run(contest: Contest) -> Outcome {
    let users: Vec<(Channel, Vec<Frame>)> =
        (0..contest.users).map(|user| contest.user(user)).collect();
    let (channels, traces): (Vec<Channel>, Vec<Vec<Frame>>) = users.into_iter().unzip();
    let sent: usize = traces.iter().map(Vec::len).sum();
    let real: usize = traces.iter().flatten().filter(|frame| frame.real).count();
    let all = contest.pairs(&channels, &traces);
    let seconds = crate::workload::seconds(contest.span) * f64::from(contest.users);
    Outcome {
        shares: (0..SCORES).map(|setting| all.found(setting)).collect(),
        rate: sent as f64 / seconds,
        real: real as f64 / sent.max(1) as f64,
    }
}

/// The scores of all pairs: those of a user and their own channel, and the others.
#[derive(Default)]
struct Scores {
    own: Vec<[f32; SCORES]>,
    others: Vec<[f32; SCORES]>,
}

impl Scores {
    fn found(&self, setting: usize) -> [f64; 3] {
        let of = |scores: &[[f32; SCORES]]| -> Vec<f32> {
            scores.iter().map(|scores| scores[setting]).collect()
        };
        roc::found(&of(&self.own), &of(&self.others))
    }
}

impl Contest {
    /// A user's channel as it is known, and their link.
    fn user(self, user: u32) -> (Channel, Vec<Frame>) {
        let mut dice = Dice::new(self.seed, "talk", u64::from(user));
        let messages = talk(&mut dice, self.span);
        let latency = if self.direction == Direction::Down {
            LATENCY
        } else {
            0
        };
        let ready = spread(&messages, &mut dice, latency);
        let frames = schedule::frames(
            self.scheme,
            self.direction,
            &ready,
            self.span,
            (self.seed, user),
        );
        let known = match self.knows {
            Knows::Written => messages,
            Knows::Arrived => arrived(&messages, &frames, &mut dice),
        };
        (Channel::new(&known, self.span), frames)
    }

    fn pairs(self, channels: &[Channel], traces: &[Vec<Frame>]) -> Scores {
        let workers = thread::available_parallelism().map_or(1, NonZero::get);
        let share = traces.len().div_ceil(workers).max(1);
        let mut all = Scores::default();
        thread::scope(|scope| {
            let parts: Vec<_> = traces
                .chunks(share)
                .enumerate()
                .map(|(part, traces)| {
                    scope.spawn(move || self.part(channels, traces, part * share))
                })
                .collect();
            for part in parts.into_iter().filter_map(|part| part.join().ok()) {
                all.own.extend(part.own);
                all.others.extend(part.others);
            }
        });
        all
    }

    fn part(self, channels: &[Channel], traces: &[Vec<Frame>], first: usize) -> Scores {
        let mut scores = Scores::default();
        for (user, trace) in traces.iter().enumerate() {
            let link = Link::new(&schedule::times(trace), self.span);
            for (index, channel) in channels.iter().enumerate() {
                let heap = if index == first + user {
                    &mut scores.own
                } else {
                    &mut scores.others
                };
                heap.push(link.scores(channel));
            }
        }
        scores
    }
}

/// The messages when a member hears of them: soon after the last frame of each has passed. What was not sent is not heard.
fn arrived(messages: &[Message], frames: &[Frame], dice: &mut Dice) -> Vec<Message> {
    let mut real = frames.iter().filter(|frame| frame.real);
    messages
        .iter()
        .map_while(|message| {
            let last = real.nth(message.frames as usize - 1)?;
            let heard = last.at + dice.between(HEARING.0, HEARING.1) as u64;
            Some(Message {
                at: heard.saturating_sub(BEFORE),
                frames: 1,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::Mode;
    use crate::stats::{SELDOM, most_hits};
    use crate::workload::SECOND;

    fn small(scheme: Scheme, direction: Direction, knows: Knows, users: u32) -> Outcome {
        let span = 1_800 * SECOND;
        run(Contest {
            scheme,
            direction,
            knows,
            users,
            span,
            seed: 1,
        })
    }

    #[test]
    fn by_the_law_nobody_is_found_but_by_chance() {
        for direction in [Direction::Up, Direction::Down] {
            for mode in [Mode::Balanced, Mode::Strong] {
                let found = small(Scheme::Ume(mode), direction, Knows::Written, 300).best();
                let most = f64::from(most_hits(300, 0.01, SELDOM)) / 300.0;
                assert!(found[0] <= most, "{found:?}");
            }
        }
    }

    #[test]
    fn several_contests_are_one_of_more_users() {
        let of = |share: f64| Outcome {
            shares: vec![[share; 3]; SCORES],
            rate: share,
            real: 1.0,
        };
        let mean = Outcome::mean(&[of(0.25), of(0.75)]);
        assert!(mean.best().iter().all(|share| (share - 0.5).abs() < 1e-9));
        assert_eq!(mean.found().len(), KINDS.len());
        assert!((mean.rate - 0.5).abs() < 1e-9);
    }

    #[test]
    fn without_it_they_are_found() {
        for direction in [Direction::Up, Direction::Down] {
            for scheme in [Scheme::Off, Scheme::Additive, Scheme::Adaptive] {
                let found = small(scheme, direction, Knows::Written, 60).best();
                assert!(found[0] >= 0.85, "{scheme:?} {found:?}");
            }
        }
    }

    #[test]
    fn a_member_who_is_told_at_once_finds_who_writes_whatever_the_schedule() {
        let found = small(
            Scheme::Ume(Mode::Balanced),
            Direction::Up,
            Knows::Arrived,
            60,
        )
        .best();
        assert!(found[0] >= 0.9, "{found:?}");
    }
}

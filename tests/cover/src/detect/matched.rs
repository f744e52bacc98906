//! More frames than usual behind messages: what is left of a channel on a link on which much else passes.

use crate::workload::{Message, SECOND, micros};

/// How finely times are counted.
const GRID: u64 = 50_000;

/// The times of a channel's messages.
pub(super) struct Times(Vec<u64>);

impl Times {
    pub(super) fn new(messages: &[Message]) -> Self {
        Self(messages.iter().map(|message| message.at / GRID).collect())
    }
}

/// How many frames there were before each point of the grid.
pub(super) struct Counts(Vec<u32>);

impl Counts {
    pub(super) fn new(frames: &[u64], span: u64) -> Self {
        let mut counts = vec![0; (span / GRID) as usize + 2];
        for at in frames {
            if let Some(count) = counts.get_mut((at / GRID) as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for count in &mut counts {
            sum += *count;
            *count = sum;
        }
        Self(counts)
    }

    /// How many frames more than usual there were within so many seconds behind the messages, in units of what chance does.
    pub(super) fn excess(&self, channel: &Times, within: f64) -> f32 {
        let width = micros(within) / GRID;
        let last = self.0.len() - 1;
        let at = |point: u64| self.0[(point as usize).min(last)];
        let hits: u32 = channel
            .0
            .iter()
            .map(|time| at(time + width) - at(*time))
            .sum();
        let rate = f64::from(self.0[last]) / (last as f64 * GRID as f64 / SECOND as f64);
        let usual = channel.0.len() as f64 * within * rate;
        ((f64::from(hits) - usual) / (usual + 1.0).sqrt()) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_behind_messages_are_more_than_usual() {
        let span = 1_000 * SECOND;
        let counts = Counts::new(&[10 * SECOND + 60_000, 500 * SECOND + 60_000], span);
        let times = |seconds: &[u64]| {
            let message = |at: &u64| Message {
                at: at * SECOND,
                frames: 1,
            };
            Times::new(&seconds.iter().map(message).collect::<Vec<_>>())
        };
        assert!(counts.excess(&times(&[10, 500]), 0.3) > 1.9);
        assert!((counts.excess(&times(&[10, 700]), 0.3) - 1.0).abs() < 0.01);
        assert!(counts.excess(&times(&[100, 700]), 0.3) < 0.0);
        assert!(counts.excess(&times(&[10]), 0.05).abs() < 0.01, "not yet");
    }
}

//! Bursts near messages: frames with no pause between them are one event.

use crate::workload::{SECOND, seconds};

/// Frames less than this apart belong to one burst.
const PAUSE: u64 = SECOND / 2;
/// Sizes that differ by less are the same.
const LIKE: f64 = 0.25;

#[derive(Clone, Copy, Debug, PartialEq)]
struct Event {
    /// Seconds from the beginning.
    at: f64,
    /// Frames.
    size: f64,
}

/// The bursts of a link or a channel.
#[derive(Debug)]
pub(super) struct Events {
    list: Vec<Event>,
    /// How many there are before each second.
    before: Vec<u32>,
}

impl Events {
    pub(super) fn new(frames: &[u64], span: u64) -> Self {
        let mut list: Vec<Event> = Vec::new();
        let mut before = None;
        for at in frames {
            match list.last_mut() {
                Some(event) if before.is_some_and(|before| at - before < PAUSE) => {
                    event.size += 1.0;
                }
                _ => list.push(Event {
                    at: seconds(*at),
                    size: 1.0,
                }),
            }
            before = Some(*at);
        }
        let before = (0..=span / SECOND)
            .map(|second| list.partition_point(|event| event.at < second as f64) as u32)
            .collect();
        Self { list, before }
    }

    /// The share of a channel's events that have one of a like size here within so many seconds.
    pub(super) fn share(&self, channel: &Self, within: f64) -> f32 {
        let matched = channel
            .list
            .iter()
            .filter(|event| self.has(event, within))
            .count();
        (matched as f64 / channel.list.len().max(1) as f64) as f32
    }

    fn has(&self, wanted: &Event, within: f64) -> bool {
        let second = (wanted.at - within).max(0.0) as usize;
        let first = self
            .before
            .get(second)
            .map_or(self.list.len(), |first| *first as usize);
        self.list[first..]
            .iter()
            .take_while(|event| event.at <= wanted.at + within)
            .filter(|event| event.at >= wanted.at - within)
            .any(|event| (event.size - wanted.size).abs() <= LIKE * wanted.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(seconds: &[f64]) -> Events {
        let frames: Vec<u64> = seconds
            .iter()
            .map(|at| crate::workload::micros(*at))
            .collect();
        Events::new(&frames, 60 * SECOND)
    }

    #[test]
    fn frames_without_a_pause_are_one_event() {
        let events = events(&[1.0, 1.4, 1.8, 5.0]);
        let (first, second) = (Event { at: 1.0, size: 3.0 }, Event { at: 5.0, size: 1.0 });
        assert_eq!(events.list, [first, second]);
    }

    #[test]
    fn events_match_when_time_and_size_do() {
        let link = events(&[10.0, 20.0, 20.1, 40.0]);
        let share = |seconds: &[f64], within| link.share(&events(seconds), within);
        assert!((share(&[10.8, 40.9], 1.0) - 1.0).abs() < 1e-6);
        assert!((share(&[10.8, 42.0], 1.0) - 0.5).abs() < 1e-6);
        assert!(share(&[20.0], 1.0).abs() < 1e-6, "one frame is not two");
        assert!((share(&[20.5, 20.6], 1.0) - 1.0).abs() < 1e-6);
        assert!(share(&[], 1.0).abs() < 1e-6);
    }
}

//! What those who send write down of each frame, a line each, and how that is joined with what was captured.
//!
//! ```text
//! CONNECTION PLANNED SENT SORT
//! 2 1700000000100000 1700000000100230 real
//! ```
//!
//! Times are microseconds since 1970 by the sender's clock; `PLANNED` is `-` for what no tick had to wait for, `SORT` is
//! `real` or `pad`.

use crate::capture;
use crate::fault::{Fault, Result};
use crate::stats::{mean, median, quantile};
use crate::trace::{Direction, Frame};
use std::collections::BTreeMap;

/// One frame, as who sent it knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When it was to leave.
    pub(crate) due: Option<u64>,
    /// When it left.
    pub(crate) sent: u64,
    /// Whether anybody wanted it.
    pub(crate) real: bool,
}

/// What was written, by connection, each in its order.
pub(crate) type Diaries = BTreeMap<u32, Vec<Entry>>;

/// Which frames are judged: those of steady ticks. In a burst more than one frame leaves at a tick, the real ones first, and
/// that it is one everybody sees; how frames of a burst differ from others says nothing of what they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steady {
    /// From then on, in microseconds since 1970.
    pub(crate) since: u64,
    /// The mean gap, microseconds.
    pub(crate) gap: u64,
}

impl Steady {
    /// When each frame of a diary was to leave; nothing of those that are not judged.
    fn dues(self, entries: &[Entry]) -> Vec<Option<u64>> {
        let mut before: Option<u64> = None;
        let due = |entry: &Entry| {
            let last = before;
            before = entry.due.or(before);
            let (due, last) = (entry.due?, last?);
            (due >= self.since && due - last.min(due) >= self.gap * 2 / 5).then_some(due)
        };
        entries.iter().map(due).collect()
    }
}

/// Reads what was written.
///
/// # Errors
/// When a line is something else.
pub(crate) fn read(text: &str) -> Result<Diaries> {
    let mut diaries = Diaries::new();
    for line in text.lines() {
        let (connection, entry) =
            entry(line).ok_or_else(|| Fault::Text(format!("no line of a diary: `{line}`")))?;
        diaries.entry(connection).or_default().push(entry);
    }
    Ok(diaries)
}

fn entry(line: &str) -> Option<(u32, Entry)> {
    let words: Vec<&str> = line.split(' ').collect();
    let [connection, due, sent, sort] = words[..] else {
        return None;
    };
    let entry = Entry {
        due: match due {
            "-" => None,
            due => Some(due.parse().ok()?),
        },
        sent: sent.parse().ok()?,
        real: match sort {
            "real" => true,
            "pad" => false,
            _ => return None,
        },
    };
    Some((connection.parse().ok()?, entry))
}

/// Numbers the connections of diaries as those of a capture: in both, by who sent first.
///
/// # Errors
/// When there are more of one than of the other.
pub(crate) fn numbered(
    diaries: Diaries,
    frames: &[Frame],
    direction: Direction,
) -> Result<Diaries> {
    let mut clients: Vec<u32> = Vec::new();
    for frame in frames.iter().filter(|frame| frame.direction == direction) {
        if !clients.contains(&frame.client) {
            clients.push(frame.client);
        }
    }
    let mut diaries: Vec<Vec<Entry>> = diaries.into_values().collect();
    diaries.sort_by_key(|entries| entries.first().map(|entry| entry.sent));
    if diaries.len() != clients.len() {
        let (written, seen) = (diaries.len(), clients.len());
        let text = format!("void: {written} connections were written of, {seen} seen");
        return Err(Fault::Text(text));
    }
    Ok(clients.into_iter().zip(diaries).collect())
}

/// Labels what cannot be read by what was written: then only counts and sizes say whether a capture is sound.
pub(crate) fn label(frames: &mut [Frame], direction: Direction, diaries: &Diaries) {
    let mut left = iters(diaries);
    for frame in frames
        .iter_mut()
        .filter(|frame| frame.direction == direction)
    {
        if let Some(entry) = left.get_mut(&frame.client).and_then(Iterator::next) {
            frame.real = entry.real;
        }
    }
}

fn iters(diaries: &Diaries) -> BTreeMap<u32, std::slice::Iter<'_, Entry>> {
    diaries
        .iter()
        .map(|(client, entries)| (*client, entries.iter()))
        .collect()
}

/// Gives captured frames the times at which they were to leave, where they are judged.
///
/// # Errors
/// When anything differs between what was captured and what was written: nothing is proven then.
pub(crate) fn join(
    frames: &mut [Frame],
    direction: Direction,
    diaries: &Diaries,
    steady: Steady,
) -> Result {
    let dues = diaries
        .iter()
        .map(|(client, entries)| (*client, steady.dues(entries)))
        .collect();
    capture::join(frames, direction, &dues)?;
    let mut left = iters(diaries);
    for frame in frames.iter().filter(|frame| frame.direction == direction) {
        let entry = left.get_mut(&frame.client).and_then(Iterator::next);
        if entry.is_none_or(|entry| entry.real != frame.real) {
            let text = format!(
                "void: a frame of connection {} is not what was sent",
                frame.client
            );
            return Err(Fault::Text(text));
        }
    }
    same_clock(frames, direction);
    Ok(())
}

/// Frames as they left by the sender's own clock, for those that have a time in `frames` as well.
pub(crate) fn as_sent(frames: &[Frame], direction: Direction, diaries: &Diaries) -> Vec<Frame> {
    let mut left = iters(diaries);
    let mut sent: Vec<Frame> = frames
        .iter()
        .filter(|frame| frame.direction == direction)
        .filter_map(|frame| {
            let entry = left.get_mut(&frame.client)?.next()?;
            let due = frame.due.and(entry.due);
            Some(Frame {
                at: entry.sent,
                due,
                ..frame.clone()
            })
        })
        .collect();
    same_clock(&mut sent, direction);
    sent
}

/// Sender and proxy have clocks that differ by a constant, another one for each connection: what is compared is how much
/// later than usual on its connection a frame is.
fn same_clock(frames: &mut [Frame], direction: Direction) {
    let mut late: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for frame in frames.iter().filter(|frame| frame.direction == direction) {
        late.entry(frame.client)
            .or_default()
            .extend(frame.residual());
    }
    let usual: BTreeMap<u32, f64> = late
        .iter()
        .map(|(client, late)| (*client, median(late)))
        .collect();
    for frame in frames
        .iter_mut()
        .filter(|frame| frame.direction == direction)
    {
        let usual = usual.get(&frame.client).copied().unwrap_or_default() as i64;
        frame.due = frame.due.map(|due| due.saturating_add_signed(usual));
    }
}

/// How ticks were kept, by the sender's own clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    /// Steady ticks that were carried out.
    pub(crate) ticks: usize,
    /// Of those that there were to be.
    pub(crate) share: f64,
    /// By how many milliseconds the median is late, and 99 of 100 at most.
    pub(crate) late: (f64, f64),
}

/// How the ticks of some diaries were kept, from `since` on.
pub(crate) fn kept(diaries: &Diaries, steady: Steady) -> Kept {
    let (mut late, mut gaps) = (Vec::new(), Vec::new());
    for entries in diaries.values() {
        let dues = steady.dues(entries);
        let times = entries.iter().zip(&dues);
        late.extend(times.filter_map(|(entry, due)| Some(entry.sent as f64 - (*due)? as f64)));
        let dues: Vec<u64> = dues.into_iter().flatten().collect();
        // Where a burst was between two of them, it is none of their gaps.
        let between = dues.windows(2).map(|pair| (pair[1] - pair[0]) as f64);
        gaps.extend(between.filter(|gap| *gap < 20.0 * steady.gap as f64));
    }
    Kept {
        ticks: late.len(),
        share: (steady.gap as f64 / mean(&gaps).max(1.0)).min(1.0),
        late: (median(&late) / 1_000.0, quantile(&late, 0.99) / 1_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEADY: Steady = Steady {
        since: 100,
        gap: 20,
    };

    fn frame(client: u32, at: u64, real: bool) -> Frame {
        Frame {
            client,
            direction: Direction::Up,
            at,
            bytes: 2_056,
            real,
            lane: None,
            due: None,
        }
    }

    fn diaries(text: &str) -> Diaries {
        read(text).unwrap()
    }

    #[test]
    fn what_is_no_line_is_refused() {
        assert_eq!(diaries("1 - 5 real\n1 4 6 pad\n")[&1].len(), 2);
        for line in ["1 4 6", "1 4 6 both", "1 x 6 pad", "1 4 6 pad 7", ""] {
            assert!(read(&format!("1 4 6 pad\n{line}\n")).is_err(), "{line}");
        }
    }

    #[test]
    fn bursts_and_what_was_before_are_not_judged() {
        let text = "1 - 5 real\n1 90 91 real\n1 110 111 pad\n1 110 112 pad\n1 114 115 pad\n1 134 135 real\n";
        let dues = STEADY.dues(&diaries(text)[&1]);
        assert_eq!(dues, [None, None, Some(110), None, None, Some(134)]);
    }

    #[test]
    fn connections_are_told_by_who_sent_first() {
        let frames = [frame(7, 10, true), frame(4, 20, false), frame(7, 30, false)];
        let written = diaries("1 - 19 pad\n2 - 9 real\n2 29 29 pad\n");
        let numbered = numbered(written.clone(), &frames, Direction::Up).unwrap();
        assert_eq!(numbered[&7].len(), 2);
        assert_eq!(numbered[&4].len(), 1);
        assert!(super::numbered(written, &frames[..1], Direction::Up).is_err());
    }

    #[test]
    fn a_capture_that_differs_is_void() {
        let joined = |sort: &str| {
            let mut frames = [frame(1, 1_120, true), frame(1, 1_145, false)];
            let written = diaries(&format!("1 100 101 real\n1 120 121 {sort}\n"));
            join(&mut frames, Direction::Up, &written, STEADY).map(|()| frames)
        };
        assert!(joined("real").is_err());
        // Only the second is judged, and it is as late as usual.
        let frames = joined("pad").unwrap();
        assert_eq!(frames.map(|frame| frame.residual()), [None, Some(0.0)]);
    }

    #[test]
    fn missed_ticks_are_counted() {
        let text: String = [100, 120, 140, 180, 200, 220]
            .map(|due| format!("1 {due} {} pad\n", due + 3))
            .concat();
        let kept = kept(&diaries(&text), STEADY);
        assert_eq!(kept.ticks, 5);
        assert!((kept.share - 0.8).abs() < 0.01, "{kept:?}");
        assert!((kept.late.1 - 0.003).abs() < 1e-9, "{kept:?}");
    }
}

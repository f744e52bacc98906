//! The picture of what passed on a line: each tick one bar, out above the middle, in below it.
use crate::state::SHOWN_MS;
use std::fmt::Write;
use ume_api::Tick;

/// Milliseconds for each unit of the picture across.
const UNIT_MS: u64 = 100;
/// Units across.
pub(crate) const WIDTH: u64 = SHOWN_MS / UNIT_MS;
/// Units from the middle line to the edge.
pub(crate) const HALF: u32 = 100;
/// A bar of one frame, in units, and what each doubling of frames adds.
const ONE: u32 = 46;
const DOUBLING: u32 = 8;
/// From the middle line to where bars begin.
const CLEAR: u32 = 4;
/// How much longer a bar is drawn that says something.
const SAYS: u32 = 22;

/// The bars of these ticks at a time, as the path of an SVG: all of them, or those that said something, which are longer.
pub(crate) fn bars(ticks: &[Tick], now: u64, real: bool) -> String {
    let mut path = String::new();
    for tick in ticks
        .iter()
        .filter(|tick| tick.frames > 0 && (!real || tick.real > 0))
    {
        let age = now.saturating_sub(tick.at) / UNIT_MS;
        let Some(x) = WIDTH.checked_sub(age) else {
            continue;
        };
        let more = if real { SAYS } else { 0 };
        let length = (ONE + DOUBLING * tick.frames.ilog2() + more).min(HALF - CLEAR);
        let sign = if tick.up { "-" } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(path, "M{x} {sign}{CLEAR}v{sign}{length}");
    }
    path
}

/// Frames out, frames in, and of both those that said something.
pub(crate) fn sums(ticks: &[Tick]) -> (u32, u32, u32) {
    ticks.iter().fold((0, 0, 0), |(out, come, real), tick| {
        let (up, down) = if tick.up {
            (tick.frames, 0)
        } else {
            (0, tick.frames)
        };
        (out + up, come + down, real + tick.real)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(at: u64, up: bool, frames: u32, real: u32) -> Tick {
        Tick {
            at,
            up,
            frames,
            real,
        }
    }

    #[test]
    fn each_tick_is_a_bar_where_and_when_it_was() {
        let now = 1_000_000;
        let ticks = [
            tick(now - SHOWN_MS - UNIT_MS, true, 1, 1),
            tick(now - 60_000, true, 1, 0),
            tick(now - 1_000, false, 8, 2),
            tick(now, true, 0, 0),
        ];
        assert_eq!(bars(&ticks, now, false), "M1200 -4v-46M1790 4v70");
        assert_eq!(bars(&ticks, now, true), "M1790 4v92");
        assert_eq!(
            bars(&[tick(now, true, 1 << 31, 1)], now, true),
            "M1800 -4v-96"
        );
    }

    #[test]
    fn cover_alone_and_both_ways_are_counted() {
        assert_eq!(
            sums(&[tick(1, true, 2, 1), tick(2, false, 8, 0)]),
            (2, 8, 1)
        );
    }
}

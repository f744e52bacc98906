//! Captures: what really passed between clients and a relay, joined with when it was to pass, and judged.

use crate::client::{self, Diary, Habit};
use crate::fault::{Fault, Result};
use crate::prove::residual_row;
use crate::proxy::{Capture, Clock, Proxy};
use crate::report::{Table, Verdict};
use crate::residual;
use crate::trace::{Direction, Frame};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Frames over which sizes have to be the same.
const SIZES: u64 = 100_000;
/// Time until captured bytes are counted.
const SETTLE: Duration = Duration::from_millis(300);

/// Gives frames the times at which they were to leave, the nth of a connection's to the nth that passed.
///
/// # Errors
/// When there are more of one than of the other: then labels would slide, and nothing would be found.
pub(crate) fn join(
    frames: &mut [Frame],
    direction: Direction,
    due: &BTreeMap<u32, Vec<Option<u64>>>,
) -> Result {
    let mut taken: BTreeMap<u32, usize> = BTreeMap::new();
    for frame in frames
        .iter_mut()
        .filter(|frame| frame.direction == direction)
    {
        let next = taken.entry(frame.client).or_default();
        frame.due = due
            .get(&frame.client)
            .and_then(|due| due.get(*next))
            .copied()
            .flatten();
        *next += 1;
    }
    for (client, due) in due {
        let seen = taken.get(client).copied().unwrap_or(0);
        if seen != due.len() {
            let text = format!(
                "void: {} frames were sent {} on connection {client}, {seen} seen",
                due.len(),
                crate::prove::way(direction)
            );
            return Err(Fault::Text(text));
        }
    }
    Ok(())
}

/// How many frames there were of each size, by direction.
pub(crate) fn sizes(frames: &[Frame]) -> Vec<(Direction, BTreeMap<u32, u64>)> {
    [Direction::Up, Direction::Down]
        .map(|direction| {
            let mut sizes = BTreeMap::new();
            for frame in frames.iter().filter(|frame| frame.direction == direction) {
                *sizes.entry(frame.bytes).or_default() += 1;
            }
            (direction, sizes)
        })
        .to_vec()
}

/// Columns of a table of residuals.
pub(crate) const RESIDUALS: &[&str] = &[
    "capture",
    "way",
    "real",
    "cover",
    "medians differ",
    "area",
    "below (95 %)",
    "chance",
    "KS",
];

/// How native clients are run.
#[derive(Clone, Copy)]
pub(crate) struct Native {
    /// The relay.
    pub(crate) relay: SocketAddr,
    /// How many clients.
    pub(crate) clients: u64,
    /// For how long.
    pub(crate) lasts: Duration,
}

/// Mean gap of native clients, both ways: much faster than anybody's, so that a minute gives enough. What is compared is in
/// real milliseconds all the same.
const GAP_MS: u32 = 50;

/// Native clients through a proxy: as they should be, and with frames sealed at the tick.
///
/// # Errors
/// When a capture is void.
pub(crate) async fn native(native: Native) -> Result<(Vec<Table>, Vec<Frame>)> {
    let mut residuals = Table::new(
        "Captured: real frames beside cover, by how late they are",
        RESIDUALS,
    );
    let (mut all, mut before) = (Capture::default(), Vec::new());
    for (name, at_tick) in [
        ("native, sealed before", false),
        ("native, sealed at the tick", true),
    ] {
        let capture = captured(native, at_tick).await?;
        if let Some(found) = residual::compare(&capture.frames, Direction::Up) {
            let verdict = if at_tick {
                Verdict::caught(!found.hidden())
            } else {
                Verdict::held(found.hold())
            };
            residuals.row(residual_row(name, Direction::Up, &found), verdict);
        }
        if !at_tick {
            before.clone_from(&capture.frames);
        }
        all.frames.extend(capture.frames);
    }
    Ok((
        vec![
            residuals,
            size_table("Captured: sizes of messages", &all.frames),
        ],
        before,
    ))
}

/// The residuals of a trace, both ways.
pub(crate) fn residuals(frames: &[Frame]) -> Table {
    let mut table = Table::new("Real frames beside cover, by how late they are", RESIDUALS);
    for direction in [Direction::Up, Direction::Down] {
        if let Some(found) = residual::compare(frames, direction) {
            table.row(
                residual_row("trace", direction, &found),
                Verdict::held(found.hold()),
            );
        }
    }
    table
}

/// The sizes of frames, each way; one is to be all there is.
pub(crate) fn size_table(title: &'static str, frames: &[Frame]) -> Table {
    let mut table = Table::new(title, &["way", "bytes", "how many"]);
    let sizes = sizes(frames);
    let whole: u64 = sizes.iter().flat_map(|(_, sizes)| sizes.values()).sum();
    for (direction, sizes) in &sizes {
        let alone = sizes.len() == 1;
        for (bytes, count) in sizes {
            let cells = vec![
                crate::prove::way(*direction).to_owned(),
                bytes.to_string(),
                count.to_string(),
            ];
            table.row(
                cells,
                if whole < SIZES {
                    Verdict::Shown
                } else {
                    Verdict::held(alone)
                },
            );
        }
    }
    table
}

async fn captured(native: Native, at_tick: bool) -> Result<Capture> {
    let clock = Clock::new();
    let proxy = Proxy::start((Ipv4Addr::LOCALHOST, 0).into(), native.relay, clock).await?;
    let habit = Habit {
        gap_ms: GAP_MS,
        gap_down_ms: GAP_MS,
        lasts: native.lasts,
        at_tick,
    };
    let mut running = Vec::new();
    for number in 0..native.clients {
        let address = proxy.address();
        running.push(tokio::spawn(async move {
            client::run(address, number, habit, clock).await
        }));
        // Connections have their numbers by the order in which they come.
        while proxy.connections() <= number {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let mut diaries: Vec<Diary> = Vec::new();
    for client in running {
        diaries.push(
            client
                .await
                .map_err(|error| Fault::Text(error.to_string()))??,
        );
    }
    tokio::time::sleep(SETTLE).await;
    let mut capture = proxy.capture();
    if let Some(fault) = capture.faults.first() {
        return Err(Fault::Text(format!("void: {fault}")));
    }
    let due = (0..)
        .zip(&diaries)
        .map(|(client, diary)| (client, diary.due.clone()))
        .collect();
    join(&mut capture.frames, Direction::Up, &due)?;
    let came: u64 = diaries.iter().map(|diary| diary.came).sum();
    let down = capture
        .frames
        .iter()
        .filter(|frame| frame.direction == Direction::Down)
        .count();
    if came != down as u64 {
        return Err(Fault::Text(format!(
            "void: {came} frames came, {down} were seen"
        )));
    }
    let paced = diaries.iter().filter(|diary| diary.paced).count();
    println!(
        "{paced} of {} clients are paced by the relay",
        diaries.len()
    );
    Ok(capture)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(client: u32, direction: Direction, at: u64) -> Frame {
        Frame {
            client,
            direction,
            at,
            bytes: 2_056,
            real: true,
            lane: None,
            due: None,
        }
    }

    #[test]
    fn the_nth_frame_gets_the_nth_time() {
        let mut frames = [
            frame(0, Direction::Up, 10),
            frame(1, Direction::Up, 11),
            frame(0, Direction::Down, 12),
            frame(0, Direction::Up, 20),
        ];
        let due = BTreeMap::from([(0, vec![None, Some(19)]), (1, vec![Some(9)])]);
        join(&mut frames, Direction::Up, &due).unwrap();
        assert_eq!(
            frames.clone().map(|frame| frame.due),
            [None, Some(9), None, Some(19)]
        );
    }

    #[test]
    fn a_capture_that_lacks_frames_is_void() {
        let due = BTreeMap::from([(0, vec![Some(1), Some(2)])]);
        assert!(join(&mut [frame(0, Direction::Up, 1)], Direction::Up, &due).is_err());
        let mut three = [1, 2, 3].map(|at| frame(0, Direction::Up, at));
        assert!(join(&mut three, Direction::Up, &due).is_err());
    }

    #[test]
    fn sizes_are_counted_by_direction() {
        let frames = [frame(0, Direction::Up, 1), frame(1, Direction::Up, 2)];
        let sizes = sizes(&frames);
        assert_eq!(sizes[0], (Direction::Up, BTreeMap::from([(2_056, 2)])));
        assert!(sizes[1].1.is_empty());
    }
}

//! What passed on the links, a frame a line.
//!
//! ```text
//! CLIENT DIRECTION MICROSECONDS BYTES LABEL LANE DUE
//! 17 up 1002345 2056 real - 1002100
//! ```
//!
//! `LANE` and `DUE` (when the frame was to leave) are `-` where nobody knows them.

use std::fmt::Write;
use std::str::FromStr;

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the client to the relay.
    Up,
    /// From the relay to the client.
    Down,
}

/// What an observer sees of a frame, and what they would like to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Whose link.
    pub(crate) client: u32,
    /// Which way.
    pub(crate) direction: Direction,
    /// When it was seen, in microseconds from the beginning.
    pub(crate) at: u64,
    /// Bytes on the wire.
    pub(crate) bytes: u32,
    /// Whether anybody wanted it sent. An observer does not see this.
    pub(crate) real: bool,
    /// The lane, where the relay is the observer.
    pub(crate) lane: Option<u32>,
    /// When it was to leave, in microseconds from the beginning.
    pub(crate) due: Option<u64>,
}

impl Frame {
    /// Microseconds by which it left too late, or, below 0, too early.
    pub(crate) fn residual(&self) -> Option<f64> {
        self.due.map(|due| self.at as f64 - due as f64)
    }
}

/// Why a text is not a trace.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub(crate) struct Malformed {
    line: usize,
    what: &'static str,
}

/// Writes frames, a line each.
pub(crate) fn write(frames: &[Frame]) -> String {
    let mut text = String::new();
    for frame in frames {
        let direction = match frame.direction {
            Direction::Up => "up",
            Direction::Down => "down",
        };
        let label = if frame.real { "real" } else { "cover" };
        let lane = frame.lane.map_or("-".to_owned(), |lane| lane.to_string());
        let due = frame.due.map_or("-".to_owned(), |due| due.to_string());
        let (client, at, bytes) = (frame.client, frame.at, frame.bytes);
        let _ = writeln!(
            text,
            "{client} {direction} {at} {bytes} {label} {lane} {due}"
        );
    }
    text
}

/// Reads what [`write`] wrote.
///
/// # Errors
/// [`Malformed`] with the first line that is not a frame.
pub(crate) fn read(text: &str) -> Result<Vec<Frame>, Malformed> {
    text.lines()
        .enumerate()
        .map(|(index, line)| {
            frame(line).map_err(|what| Malformed {
                line: index + 1,
                what,
            })
        })
        .collect()
}

fn frame(text: &str) -> Result<Frame, &'static str> {
    let words: Vec<&str> = text.split(' ').collect();
    let [client, direction, at, bytes, sort, lane, due] = words[..] else {
        return Err("a frame has seven words");
    };
    Ok(Frame {
        client: number(client)?,
        direction: match direction {
            "up" => Direction::Up,
            "down" => Direction::Down,
            _ => return Err("a direction is `up` or `down`"),
        },
        at: number(at)?,
        bytes: number(bytes)?,
        real: match sort {
            "real" => true,
            "cover" => false,
            _ => return Err("a label is `real` or `cover`"),
        },
        lane: maybe(lane)?,
        due: maybe(due)?,
    })
}

fn maybe<T: FromStr>(word: &str) -> Result<Option<T>, &'static str> {
    if word == "-" {
        Ok(None)
    } else {
        number(word).map(Some)
    }
}

fn number<T: FromStr>(word: &str) -> Result<T, &'static str> {
    word.parse().map_err(|_| "not a number that fits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let text = "17 up 1002345 2056 real - 1002100\n17 down 1002346 2052 cover 3 -\n";
        let frames = read(text).unwrap();
        assert_eq!(frames[0].residual(), Some(245.0));
        assert_eq!(frames[1].lane, Some(3));
        assert!(!frames[1].real);
        assert_eq!(write(&frames), text);
    }

    #[test]
    fn what_is_no_frame_is_refused_with_its_line() {
        for line in [
            "17 up 5 2056 real -",
            "17 left 5 2056 real - -",
            "17 up -5 2056 real - -",
            "17 up 5 2056 both - -",
            "",
        ] {
            let text = format!("1 up 1 1 real - -\n{line}\n");
            assert_eq!(read(&text).unwrap_err().line, 2, "{line}");
        }
    }
}

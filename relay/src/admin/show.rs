//! Answers in words, for people who type commands.

use super::{Answer, KeyLine, Totals};
use crate::day::Day;
use std::fmt::{self, Display, Formatter};

impl Display for Answer {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(text) => writeln!(out, "{}", &text[..]),
            Self::Keys(keys) if keys.is_empty() => writeln!(out, "There is no access key."),
            Self::Keys(keys) => keys.iter().try_for_each(|key| key.fmt(out)),
            Self::Totals(totals) => totals.fmt(out),
            Self::Done => Ok(()),
            Self::Failed(words) => writeln!(out, "{words}"),
        }
    }
}

impl Display for KeyLine {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}: {} of {}, {} of {} lanes, issued {}",
            self.name,
            Size(self.bytes),
            Size(self.bytes_max),
            self.lanes,
            self.lanes_max,
            Day(self.made_ms)
        )?;
        if self.revoked {
            write!(out, ", revoked")?;
        }
        if self.until_ms > 0 {
            write!(out, ", until {}", Day(self.until_ms))?;
        }
        writeln!(out)
    }
}

impl Display for Totals {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: &dyn Display| writeln!(out, "{name:<14}{value}");
        row("version", &self.version)?;
        match &self.running {
            None => row("running", &"no")?,
            Some(running) => {
                row("running", &format!("{} s", running.uptime_seconds))?;
                row("connections", &running.connections)?;
                row(
                    "lanes need",
                    &match (running.access_needed, running.work_bits) {
                        (true, _) => "an access key".to_owned(),
                        (false, 0) => "nothing".to_owned(),
                        (false, bits) => format!("{bits} bits of work"),
                    },
                )?;
                let (bytes, lanes) = (Size(running.bytes_max), running.lanes_max);
                row("may hold", &format!("{bytes}, {lanes} lanes"))?;
            }
        }
        row("holds", &Size(self.bytes))?;
        row("on disk", &Size(self.disk_bytes))?;
        row("disk free", &Size(self.free_bytes))?;
        row("lanes", &self.lanes)?;
        row("cells", &self.cells)?;
        row("segments", &self.segments)?;
        row("damaged", &self.damaged)?;
        row("access keys", &self.access_keys)
    }
}

/// Bytes in the unit that fits.
struct Size(u64);

impl Display for Size {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        let Some(unit) = (self.0.checked_ilog2().unwrap_or(0) / 10).checked_sub(1) else {
            return write!(out, "{} B", self.0);
        };
        let name = UNITS.get(unit as usize).unwrap_or(&"EiB");
        // Tenths, by hand: a float would round what is nearly the next unit up to it.
        let tenths = (u128::from(self.0) * 10) >> (10 * (unit + 1));
        match (tenths / 10, tenths % 10) {
            (whole, 0) => write!(out, "{whole} {name}"),
            (whole, tenth) => write!(out, "{whole}.{tenth} {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_unit_that_fits() {
        let size = |bytes| Size(bytes).to_string();
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(1 << 30), "1 GiB");
        assert_eq!(size((1 << 30) - 1), "1023.9 MiB");
        assert_eq!(size(u64::MAX), "15.9 EiB");
    }
}

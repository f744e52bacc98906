//! Reading cells. Every record is checked before it is given out.

use super::{
    Log, Millis, Serial,
    index::Place,
    is_live,
    record::{CELL_RECORD_BYTES, HEAD_BYTES, Kind, Record},
    segment::Segment,
};
use crate::{journal, store::Cells};
use bytes::Bytes;
use std::{
    io,
    ops::Range,
    sync::{Arc, atomic::Ordering},
};

/// Cells at a lane's front whose time has come and that are passed over. Where there are more of them, as after a long
/// stop, an older number is given out until they are removed.
const PASS_OVER_MAX: usize = 1024;
/// How often a reader looks again for cells that were moved while it read.
const LOOKS_MAX: usize = 8;
/// Records that are read at once where they stand in a row.
const RUN_MAX: usize = 64;

type Located = (u64, Place);

impl Log {
    /// At most `max` cells with numbers in a range; `None` if the lane is not known here, and so has none.
    pub(in crate::store) fn cells(
        &self,
        now: Millis,
        serial: Serial,
        range: &Range<u64>,
        max: usize,
    ) -> io::Result<Option<Cells>> {
        for _ in 0..LOOKS_MAX {
            let Some((mut out, places)) = self.locate(now, serial, range, max) else {
                return Ok(None);
            };
            if self.read_runs(serial, &places, &mut out.items)? {
                return Ok(Some(out));
            }
        }
        Err(io::Error::other("the cells do not stand still"))
    }

    fn locate(
        &self,
        now: Millis,
        serial: Serial,
        range: &Range<u64>,
        max: usize,
    ) -> Option<(Cells, Vec<Located>)> {
        let shard = self.index.shard(serial).read();
        let lane = shard.lane(serial)?;
        let upto = range.end.min(lane.end());
        let over = |place: &Place| !place.is_somewhere() || !is_live(place.until, now);
        let passed = lane
            .places
            .iter()
            .take(PASS_OVER_MAX)
            .take_while(|place| over(place))
            .count() as u64;
        let mut out = Cells {
            items: Vec::new(),
            first: (lane.first + passed).min(upto),
            next: upto,
            end: lane.end(),
        };
        let from = range.start.max(lane.first);
        let mut places = Vec::new();
        let skip = usize::try_from(from - lane.first).unwrap_or(usize::MAX);
        for (number, place) in (from..upto).zip(lane.places.iter().skip(skip)) {
            if places.len() == max {
                out.next = number;
                break;
            }
            if !over(place) {
                places.push((number, *place));
            }
        }
        // Nobody goes back to what is gone.
        out.next = out.next.max(range.start.min(upto));
        Some((out, places))
    }

    /// Reads cells; tells whether all of them were where they were thought to be, or are lost for good.
    fn read_runs(
        &self,
        serial: Serial,
        places: &[Located],
        items: &mut Vec<(u64, Bytes)>,
    ) -> io::Result<bool> {
        let follows = |a: &Located, b: &Located| {
            a.1.segment == b.1.segment
                && u64::from(a.1.offset) + CELL_RECORD_BYTES as u64 == u64::from(b.1.offset)
        };
        for run in places.chunk_by(follows).flat_map(|run| run.chunks(RUN_MAX)) {
            let Some(segment) = run.first().and_then(|(_, place)| self.segment(*place)) else {
                return Ok(false);
            };
            let mut bytes = vec![0; run.len() * CELL_RECORD_BYTES];
            segment
                .file
                .read_exact_at(&mut bytes, u64::from(run[0].1.offset))?;
            let bytes = Bytes::from(bytes);
            for (index, (number, place)) in run.iter().enumerate() {
                let record =
                    bytes.slice(index * CELL_RECORD_BYTES..(index + 1) * CELL_RECORD_BYTES);
                if is_cell(&record, &segment, serial, *number).is_some() {
                    items.push((*number, record.slice(HEAD_BYTES..)));
                } else if !self.is_lost(serial, *number, *place) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// One record with its cell, if it is whole.
    pub(super) fn read_record(
        &self,
        serial: Serial,
        number: u64,
        place: Place,
    ) -> io::Result<Option<(Record, Bytes)>> {
        let Some(segment) = self.segment(place) else {
            return Ok(None);
        };
        let mut bytes = vec![0; CELL_RECORD_BYTES];
        segment
            .file
            .read_exact_at(&mut bytes, u64::from(place.offset))?;
        let record = is_cell(&bytes, &segment, serial, number);
        Ok(record.map(|record| (record, Bytes::from(bytes).slice(HEAD_BYTES..))))
    }

    fn segment(&self, place: Place) -> Option<Arc<Segment>> {
        self.segments.read().get(&place.segment).cloned()
    }

    /// Notes that a record is damaged, if it is still the one that counts.
    pub(super) fn is_lost(&self, serial: Serial, number: u64, place: Place) -> bool {
        let mut shard = self.index.shard(serial).write();
        let Some(lane) = shard.lane(serial) else {
            return false;
        };
        let account = lane.account;
        if lane.place(number) != Some(place) {
            return false;
        }
        shard.drop_cell(serial, number);
        drop(shard);
        self.release(place, account);
        self.note_damage(1);
        true
    }

    pub(super) fn note_damage(&self, records: u64) {
        if records > 0 && self.damaged.fetch_add(records, Ordering::Relaxed) == 0 {
            journal::note(journal::LOG_DAMAGED);
        }
    }
}

fn is_cell(bytes: &[u8], segment: &Segment, serial: Serial, number: u64) -> Option<Record> {
    Record::decode(bytes, segment.salt).filter(|record| {
        record.kind == Kind::Cell && record.serial == serial && record.number == number
    })
}

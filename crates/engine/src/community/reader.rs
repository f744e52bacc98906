//! Reads a log lane in order, whatever the relay does with order: cells wait until their turn, what is missing is asked
//! for again, what does not open is asked for again a few times and then skipped.

use crate::cell;
use crate::keys::LaneKeys;
use crate::line::Request;
use bytes::Bytes;
use std::collections::BTreeMap;
use ume_wire::auth::LaneId;
use ume_wire::fragment::{Message, Reassembler};
use ume_wire::relay::{Head, Read, Subscribe, frame::Body};

/// Cells that wait for one before them, at most.
const WAITING_MAX: u64 = 4096;
/// How often a cell that does not open is fetched before it is taken for garbage: a relay that changes one cell in ten
/// at random gets an intact one through with all but certainty.
const FETCHES_MAX: u8 = 8;

/// No lane gets this long; whatever a relay says, counting stays within numbers.
const SEQ_MAX: u64 = u64::MAX / 2;

/// The life of a lane (`Head.life`), which gives its numbers their meaning.
#[derive(Debug)]
enum Life {
    /// The relay has not told it yet.
    Unknown,
    /// So it was on an earlier connection.
    Before(Vec<u8>),
    /// So it is on this one.
    Now(Vec<u8>),
}

/// One log lane, from a cursor on.
#[derive(Debug)]
pub(crate) struct LogReader {
    keys: LaneKeys,
    next: u64,
    waiting: BTreeMap<u64, Bytes>,
    failures: u8,
    messages: Reassembler,
    following: bool,
    /// A Read or Subscribe is under way.
    fetching: bool,
    /// All that was there when the relay last said where the end is.
    caught_up: bool,
    /// In which life of the lane the numbers hold.
    life: Life,
    /// Cells that did not open, to be reported.
    pub(crate) tampered: u32,
    /// Cells that were not read and that the relay no longer has, to be noticed.
    pub(crate) skipped: u64,
}

impl LogReader {
    pub(crate) fn new(keys: LaneKeys, next: u64) -> Self {
        Self {
            keys,
            next: next.clamp(1, SEQ_MAX),
            waiting: BTreeMap::new(),
            failures: 0,
            messages: Reassembler::new(),
            following: false,
            fetching: false,
            caught_up: false,
            life: Life::Unknown,
            tampered: 0,
            skipped: 0,
        }
    }

    /// The same, for numbers that hold in one life of the lane.
    pub(crate) fn in_life(mut self, life: Option<Vec<u8>>) -> Self {
        self.life = life.map_or(Life::Unknown, Life::Before);
        self.doubt_life();
        self
    }

    pub(crate) fn life(&self) -> Option<&Vec<u8>> {
        match &self.life {
            Life::Unknown => None,
            Life::Before(life) | Life::Now(life) => Some(life),
        }
    }

    /// On another connection the lane may have another life. Numbers of one that was never told mean nothing then.
    fn doubt_life(&mut self) {
        match std::mem::replace(&mut self.life, Life::Unknown) {
            Life::Unknown => {
                self.next = 1;
                self.messages = Reassembler::new();
            }
            Life::Before(life) | Life::Now(life) => self.life = Life::Before(life),
        }
    }

    pub(crate) fn id(&self) -> LaneId {
        self.keys.id
    }

    pub(crate) fn keys(&self) -> &LaneKeys {
        &self.keys
    }

    /// Where to begin after a restart.
    pub(crate) fn cursor(&self) -> u64 {
        self.messages
            .needed_from()
            .map_or(self.next, |first| first.min(self.next))
    }

    pub(crate) fn is_caught_up(&self) -> bool {
        self.caught_up
    }

    /// The line went down: nothing is under way any more.
    pub(crate) fn restart(&mut self) {
        self.following = false;
        self.fetching = false;
        self.caught_up = false;
        self.waiting.clear();
        self.doubt_life();
    }

    /// Asks for what there is and what comes, unless that is under way or done.
    pub(crate) fn follow(&mut self) -> Option<Request> {
        if self.following {
            return None;
        }
        self.following = true;
        self.fetching = true;
        Some(self.signed(Body::Subscribe(Subscribe {
            lane: self.lane(),
            from: self.next,
            ..Subscribe::default()
        })))
    }

    /// Asks for what there is; with the answer it is known whether that was all.
    pub(crate) fn read(&mut self) -> Option<Request> {
        self.caught_up &= self.fetching;
        self.poll()
    }

    /// Asks for what there is. Until the answer says otherwise, all counts as read.
    pub(crate) fn poll(&mut self) -> Option<Request> {
        if self.fetching {
            return None;
        }
        self.fetching = true;
        Some(self.signed(Body::Read(Read {
            lane: self.lane(),
            from: self.next,
            ..Read::default()
        })))
    }

    /// Forgets that it is caught up, so that [`Self::read`] asks anew.
    pub(crate) fn doubt(&mut self) {
        self.caught_up = false;
    }

    /// A cell of this lane arrived.
    pub(crate) fn deliver(&mut self, seq: u64, cell: Bytes) {
        if seq >= self.next && seq < self.next + WAITING_MAX {
            self.waiting.insert(seq, cell);
        }
    }

    /// The relay ended an answer; whether the lane has begun anew since it was read last.
    pub(crate) fn head(&mut self, head: &Head) -> bool {
        self.fetching = false;
        // Only once on a connection, or a relay could have the lane read without end.
        if !matches!(self.life, Life::Now(_)) {
            let now = head.life.to_vec();
            let reborn = matches!(&self.life, Life::Before(life) if *life != now);
            self.life = Life::Now(now);
            if reborn {
                self.waiting.clear();
                self.messages = Reassembler::new();
                self.failures = 0;
                self.next = head.first.min(head.end).clamp(1, SEQ_MAX);
                self.skipped = self.skipped.saturating_add(self.next - 1);
                self.caught_up = false;
                return true;
            }
        }
        // What a relay no longer keeps is not waited for. If it should have been kept, the entries that name it tell.
        let first = head.first.min(head.end).min(SEQ_MAX);
        self.skipped = self.skipped.saturating_add(first.saturating_sub(self.next));
        self.next = self.next.max(first);
        self.caught_up = self.next >= head.end;
        false
    }

    /// The relay refused: there is no such lane, or it cannot serve now.
    pub(crate) fn refused(&mut self, absent: bool) {
        self.fetching = false;
        self.following = false;
        self.caught_up = absent;
    }

    /// Takes the messages whose turn has come. The second part is what is to be asked next.
    pub(crate) fn take(&mut self) -> (Vec<Message>, Option<Request>) {
        let mut messages = Vec::new();
        // In another life of the lane, what comes after the cursor may be what came before it.
        if self.next > 1 && matches!(self.life, Life::Before(_)) {
            return (messages, None);
        }
        while let Some(cell) = self.waiting.remove(&self.next) {
            if let Ok(plain) = cell::open(&self.keys, &cell) {
                // A fragment that makes no sense was written by a member's hand; it is nobody's message.
                if let Ok(Some(message)) = self.messages.take(self.next, &plain) {
                    messages.push(message);
                }
            } else {
                self.tampered += 1;
                self.failures += 1;
                if self.failures < FETCHES_MAX {
                    self.caught_up = false;
                    break;
                }
            }
            self.failures = 0;
            self.next += 1;
        }
        let gap = !self.waiting.is_empty() || self.failures > 0;
        let ask = if gap { self.read() } else { None };
        (messages, ask)
    }

    fn lane(&self) -> Bytes {
        Bytes::copy_from_slice(&self.keys.id)
    }

    fn signed(&self, body: Body) -> Request {
        Request::signed_by(&self.keys.reader, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Secret, post_lane};
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    fn lane() -> (LaneKeys, Vec<Bytes>) {
        let mut rng = ChaCha20Rng::from_seed([0; 32]);
        let keys = post_lane(&Secret::new([1; 32]), &[2; 32]).keys;
        let cells = (0..3u8)
            .flat_map(|n| cell::seal(&keys, n, &[n], &mut rng).unwrap())
            .collect();
        (keys, cells)
    }

    fn kinds(messages: &[Message]) -> Vec<u8> {
        messages.iter().map(|message| message.kind).collect()
    }

    #[test]
    fn order_is_kept_and_gaps_are_asked_for() {
        let (keys, cells) = lane();
        let mut reader = LogReader::new(keys, 1);
        reader.deliver(2, cells[1].clone());
        reader.deliver(3, cells[2].clone());
        let (messages, ask) = reader.take();
        assert!(messages.is_empty());
        assert!(matches!(ask, Some(Request { body: Body::Read(read), .. }) if read.from == 1));
        assert_eq!(reader.take().1, None, "asks once");
        reader.deliver(1, cells[0].clone());
        reader.deliver(1, cells[0].clone());
        assert_eq!(kinds(&reader.take().0), [0, 1, 2]);
        reader.head(&Head {
            lane: Bytes::new(),
            first: 1,
            next: 4,
            end: 4,
            ..Head::default()
        });
        assert!(reader.is_caught_up());
        assert_eq!(reader.cursor(), 4);
    }

    #[test]
    fn a_changed_cell_is_fetched_again_and_garbage_is_skipped_at_last() {
        let (keys, cells) = lane();
        let mut reader = LogReader::new(keys, 1);
        let mut bad = cells[0].to_vec();
        bad[100] ^= 1;
        reader.deliver(1, bad.clone().into());
        assert!(matches!(reader.take(), (messages, Some(_)) if messages.is_empty()));
        reader.head(&Head {
            lane: Bytes::new(),
            first: 1,
            next: 2,
            end: 2,
            ..Head::default()
        });
        reader.deliver(1, cells[0].clone());
        assert_eq!(kinds(&reader.take().0), [0]);
        for _ in 0..FETCHES_MAX {
            reader.deliver(2, bad.clone().into());
            let _ = reader.take();
            reader.head(&Head {
                lane: Bytes::new(),
                first: 1,
                next: 3,
                end: 3,
                ..Head::default()
            });
        }
        reader.deliver(3, cells[2].clone());
        assert_eq!(kinds(&reader.take().0), [2]);
        assert_eq!(reader.tampered, u32::from(FETCHES_MAX) + 1);
    }
}

//! Work for lanes that a relay wants to see it for, done a little at a time: nothing else waits for it for long.

use crate::io::Millis;
use ume_wire::auth::Work;
use ume_wire::limits::WORK_BITS_MAX;
use ume_wire::relay::{LaneNew, Refused, RefusedCode};

/// Numbers tried in one go: some milliseconds of a slow phone.
const TRIES: u64 = 8_192;
/// Pause between two goes, milliseconds.
const PAUSE_MS: u64 = 10;

/// The lanes of one line that are worked for, first come, first served.
#[derive(Debug, Default)]
pub(super) struct Works {
    waiting: Vec<Job>,
    next_at: Millis,
}

#[derive(Debug)]
struct Job {
    request: u32,
    work: Work,
    bits: u32,
    next: u64,
}

/// The bits that a refusal asks for, if more work is an answer to it. Whoever showed as much already, or is asked for
/// more than any relay may ask, is refused for good.
pub(super) fn wanted(refused: &Refused, new: &LaneNew, work: &Work) -> Option<u32> {
    let bits = u32::try_from(refused.detail).ok()?;
    let asked = refused.code == i32::from(RefusedCode::RefusedWork);
    let enough = new.work != 0 && work.bits(new.work) >= bits;
    (asked && !enough && (1..=WORK_BITS_MAX).contains(&bits)).then_some(bits)
}

impl Works {
    pub(super) fn add(&mut self, now: Millis, request: u32, work: Work, bits: u32) {
        if self.waiting.is_empty() {
            self.next_at = now;
        }
        self.waiting.push(Job {
            request,
            work,
            bits,
            next: 1,
        });
    }

    /// Tries some numbers if it is time; gives the request whose number was found, and the number.
    pub(super) fn go_on(&mut self, now: Millis) -> Option<(u32, u64)> {
        if self.next_at > now {
            return None;
        }
        let job = self.waiting.first_mut()?;
        self.next_at = now.plus(PAUSE_MS);
        let end = job.next.saturating_add(TRIES);
        let found = (job.next..end).find(|number| job.work.bits(*number) >= job.bits);
        job.next = end;
        found.map(|number| (self.waiting.remove(0).request, number))
    }

    pub(super) fn due(&self) -> Option<Millis> {
        (!self.waiting.is_empty()).then_some(self.next_at)
    }

    pub(super) fn keep(&mut self, wanted: impl Fn(u32) -> bool) {
        self.waiting.retain(|job| wanted(job.request));
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_found_in_goes_that_are_apart() {
        let work = Work::new(&[1; 32], &[2; 32], &[3; 32]);
        let mut works = Works::default();
        let mut now = Millis(5);
        works.add(now, 7, work.clone(), 14);
        let mut goes = 0;
        let (request, number) = loop {
            goes += 1;
            assert!(goes < 100);
            if let Some(found) = works.go_on(now) {
                break found;
            }
            assert_eq!(works.go_on(now), None, "not twice at the same time");
            now = works.due().unwrap();
        };
        assert_eq!(request, 7);
        assert!(work.bits(number) >= 14);
        assert_eq!(works.due(), None);
    }

    #[test]
    fn only_a_refusal_that_work_helps_against_is_worked_on() {
        let work = Work::new(&[1; 32], &[2; 32], &[3; 32]);
        let refused = |code: RefusedCode, detail| Refused {
            code: code.into(),
            detail,
        };
        let new = LaneNew::default();
        assert_eq!(
            wanted(&refused(RefusedCode::RefusedWork, 9), &new, &work),
            Some(9)
        );
        assert_eq!(
            wanted(&refused(RefusedCode::RefusedWork, 0), &new, &work),
            None
        );
        assert_eq!(
            wanted(&refused(RefusedCode::RefusedWork, 21), &new, &work),
            None
        );
        assert_eq!(
            wanted(&refused(RefusedCode::RefusedLimit, 9), &new, &work),
            None
        );
        let shown = (1..99_999).find(|number| work.bits(*number) >= 9).unwrap();
        let new = LaneNew { work: shown, ..new };
        assert_eq!(
            wanted(&refused(RefusedCode::RefusedWork, 9), &new, &work),
            None
        );
        assert_eq!(
            wanted(&refused(RefusedCode::RefusedWork, 20), &new, &work),
            Some(20)
        );
    }
}

//! Which devices are connected, and which were woken lately. In memory only: after a restart of the relay a device may be
//! woken once more than it had to be.

use super::news::News;
use crate::store::DeviceId;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// For so long it is remembered when a device that is gone was heard of last: what was new before is looked at by then.
const REMEMBERED: Duration = Duration::from_mins(1);

/// How it ended that a device was to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rung {
    /// It came by itself, or there is no such device.
    Needless,
    /// Its push service has taken it.
    Told,
    /// Nobody took it, and for so long it is not tried again.
    Failed(Duration),
}

/// All devices about which there is something to remember.
#[derive(Debug)]
pub(crate) struct Bells {
    table: Mutex<HashMap<DeviceId, Bell>>,
    news: Arc<News>,
}

#[derive(Debug, Default)]
struct Bell {
    connections: u32,
    /// When the last of them that is gone was heard of last.
    heard: Option<Instant>,
    /// When there was something new while it was connected.
    news: Option<Instant>,
    /// It is being woken.
    rings: bool,
    /// It was told, and is not told again before this, unless it comes meanwhile.
    told: Option<Instant>,
    /// It could not be told, and that is not tried again before this.
    failed: Option<Instant>,
}

impl Bell {
    fn is_quiet(&self, now: Instant) -> bool {
        [self.told, self.failed]
            .into_iter()
            .flatten()
            .any(|until| now < until)
    }

    fn is_needed(&self, now: Instant) -> bool {
        let is_remembered = self
            .heard
            .is_some_and(|heard| now.saturating_duration_since(heard) < REMEMBERED);
        self.connections > 0 || self.rings || is_remembered || self.is_quiet(now)
    }
}

impl Bells {
    pub(super) fn new(news: Arc<News>) -> Self {
        Self {
            table: Mutex::default(),
            news,
        }
    }

    /// A connection is this device's, until what this gives is dropped.
    pub(crate) fn arrive(self: &Arc<Self>, id: DeviceId) -> Presence {
        let mut table = self.table.lock();
        let bell = table.entry(id).or_default();
        bell.connections += 1;
        bell.told = None;
        Presence {
            bells: self.clone(),
            id,
            heard: None,
        }
    }

    /// There was something new for a device at a time; tells whether to wake it, which [`Self::rung`] has to end.
    pub(super) fn news(&self, id: &DeviceId, at: Instant, now: Instant) -> bool {
        let mut table = self.table.lock();
        let bell = table.entry(*id).or_default();
        if bell.connections > 0 {
            bell.news = bell.news.max(Some(at));
            return false;
        }
        // What was new before it was heard of last it has, or asks for when it comes.
        let has_it = bell.heard.is_some_and(|heard| at <= heard);
        if has_it || bell.rings || bell.is_quiet(now) {
            return false;
        }
        bell.rings = true;
        true
    }

    /// Whether no connection is this device's.
    pub(super) fn is_away(&self, id: &DeviceId) -> bool {
        let table = self.table.lock();
        table.get(id).is_none_or(|bell| bell.connections == 0)
    }

    /// A device is not being woken any more.
    pub(super) fn rung(&self, id: &DeviceId, rung: Rung, pause: Duration) {
        let mut table = self.table.lock();
        let Some(bell) = table.get_mut(id) else {
            return;
        };
        bell.rings = false;
        let now = Instant::now();
        match rung {
            Rung::Told if bell.connections == 0 => bell.told = Some(now + pause),
            // Who came while it was told knows.
            Rung::Told | Rung::Needless => {}
            Rung::Failed(quiet) => bell.failed = Some(now + quiet),
        }
        if !bell.is_needed(now) {
            table.remove(id);
        }
    }

    /// Forgets what need not be known any more.
    pub(super) fn sweep(&self, now: Instant) {
        self.table.lock().retain(|_, bell| bell.is_needed(now));
    }
}

/// That a connection is a device's.
#[derive(Debug)]
pub(crate) struct Presence {
    bells: Arc<Bells>,
    id: DeviceId,
    heard: Option<Instant>,
}

impl Presence {
    /// The device.
    pub(crate) fn id(&self) -> &DeviceId {
        &self.id
    }

    /// The connection has ended, and this is when it was heard of last. What was new later it may not have got: whoever goes
    /// away without a word is noticed only after a while.
    pub(crate) fn leave(mut self, heard: Instant) {
        self.heard = Some(heard);
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let mut table = self.bells.table.lock();
        let Some(bell) = table.get_mut(&self.id) else {
            return;
        };
        let heard = self.heard.unwrap_or_else(Instant::now);
        bell.connections = bell.connections.saturating_sub(1);
        bell.heard = bell.heard.max(Some(heard));
        if bell.connections > 0 {
            return;
        }
        let missed = bell.news.take().filter(|news| Some(*news) > bell.heard);
        drop(table);
        if let Some(at) = missed {
            self.bells.news.note_missed(self.id, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: DeviceId = [1; 32];
    const PAUSE: Duration = Duration::from_mins(15);

    fn bells() -> (Arc<Bells>, Arc<News>) {
        let news = Arc::new(News::default());
        (Arc::new(Bells::new(news.clone())), news)
    }

    #[test]
    fn who_is_away_is_told_once_until_they_come_or_the_pause_is_over() {
        let (bells, _) = bells();
        let now = Instant::now();
        assert!(bells.news(&ID, now, now));
        assert!(!bells.news(&ID, now, now), "one at a time");
        bells.rung(&ID, Rung::Told, PAUSE);
        assert!(!bells.news(&ID, now, now));
        let late = now + PAUSE + Duration::from_secs(5);
        assert!(bells.news(&ID, late, late));
        bells.rung(&ID, Rung::Told, PAUSE);

        let heard = Instant::now();
        let presence = bells.arrive(ID);
        assert!(!bells.is_away(&ID));
        presence.leave(heard);
        let later = heard + Duration::from_millis(1);
        assert!(bells.is_away(&ID) && bells.news(&ID, later, later));
    }

    #[test]
    fn who_is_there_is_not_told_and_nothing_is_lost_in_between() {
        let (bells, news) = bells();
        let (one, other) = (bells.arrive(ID), bells.arrive(ID));
        let now = Instant::now();
        assert!(!bells.news(&ID, now, now));
        one.leave(now);
        assert!(news.take().missed.is_empty(), "there is another connection");
        // Heard of before there was something new: it may have been gone already.
        other.leave(now.checked_sub(Duration::from_secs(9)).unwrap());
        assert!(
            news.take().missed.is_empty(),
            "the first one was heard of later"
        );
        let third = bells.arrive(ID);
        let later = now + Duration::from_secs(2);
        assert!(!bells.news(&ID, later, later));
        third.leave(now + Duration::from_secs(1));
        assert_eq!(news.take().missed, [(ID, later)]);
        assert!(bells.news(&ID, later, later));
        bells.rung(&ID, Rung::Needless, PAUSE);
        // What was new before it was heard of last and is looked at only now.
        assert!(!bells.news(&ID, now, later));
    }

    #[test]
    fn a_failure_is_not_repeated_soon_even_if_the_device_was_there_meanwhile() {
        let (bells, _) = bells();
        let now = Instant::now();
        assert!(bells.news(&ID, now, now));
        bells.rung(&ID, Rung::Failed(Duration::from_mins(1)), PAUSE);
        bells.arrive(ID).leave(now);
        let soon = now + Duration::from_secs(30);
        assert!(!bells.news(&ID, soon, soon));
        let late = Instant::now() + Duration::from_secs(61);
        assert!(bells.news(&ID, late, late));
    }

    #[test]
    fn nothing_is_remembered_for_ever() {
        let (bells, _) = bells();
        let now = Instant::now();
        for n in 0..100 {
            assert!(bells.news(&[n; 32], now, now));
            let rung = [Rung::Needless, Rung::Told, Rung::Failed(PAUSE)][usize::from(n) % 3];
            bells.rung(&[n; 32], rung, PAUSE);
        }
        bells.arrive([200; 32]).leave(now);
        let there = bells.arrive([201; 32]);
        bells.sweep(now + Duration::from_secs(5));
        assert!(bells.table.lock().len() > 60);
        bells.sweep(Instant::now() + PAUSE + REMEMBERED);
        assert_eq!(bells.table.lock().len(), 1);
        drop(there);
    }
}

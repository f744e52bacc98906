//! Subscriptions of one connection: each knows where it stands, and takes what follows from the newest frames, or from
//! the store if it fell behind them.

use super::{Connection, End, SHARED_FRAMES, answers::blocking};
use crate::{
    hub::{Ear, News},
    reading::{self, Content, Page, Place, Reading, Room, head},
    refusal::Refusal,
};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use ume_websocket::code;
use ume_wire::{auth::LaneId, limits::SUBSCRIPTIONS_MAX};

/// What a connection is subscribed to.
#[derive(Debug)]
pub(super) struct Subscription {
    /// The lane, and where it stands.
    reading: Reading,
    ear: Arc<Ear>,
    /// Still delivering what was there: the request, and the number at which it ends.
    backlog: Option<(u32, u64)>,
    /// The highest number that is known to be there.
    highest: u64,
    /// Whether it has its place among those with work to do.
    waiting: bool,
}

impl Subscription {
    /// Takes note of news; tells whether that gives it work and no place among those who have some.
    pub(super) fn hear(&mut self, (lowest, highest): News) -> bool {
        self.highest = self.highest.max(highest);
        let may_change = self.reading.content == Content::Values { may_change: true };
        if may_change && lowest < self.reading.place.number {
            self.reading.place = Place::at(lowest);
        }
        let is_new = !self.waiting && self.has_work();
        self.waiting |= is_new;
        is_new
    }

    fn has_work(&self) -> bool {
        self.backlog.is_some() || self.reading.place.number <= self.highest
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Connection<S> {
    /// Begins a subscription, or begins it again from another number.
    pub(super) fn subscribe(&mut self, request: u32, mut reading: Reading) {
        let lane = reading.lane;
        // Listening comes before looking: what happens in between is heard of.
        let ear = match self.subscriptions.get(&lane) {
            Some(old) => Some(old.ear.clone()),
            None if self.subscriptions.len() < SUBSCRIPTIONS_MAX => {
                self.core.hub.listen(lane, &self.mailbox)
            }
            None => None,
        };
        let Some(ear) = ear else {
            return self.answer(request, Refusal::LIMIT.body());
        };
        let end = if reading.content == Content::Fleeting {
            let (end, life) = self.core.hub.fleeting_end(&lane);
            reading.life = life;
            Ok(end)
        } else {
            self.core.store.end(&lane)
        };
        let Ok(end) = end else {
            self.subscriptions.remove(&lane);
            self.core.hub.leave(&ear);
            return self.answer(request, Refusal::STORAGE.body());
        };
        let was_waiting = self.subscriptions.get(&lane).is_some_and(|old| old.waiting);
        let is_fleeting = reading.content == Content::Fleeting;
        let start = reading.place.number.min(end);
        reading.place = Place::at(if is_fleeting { end } else { start });
        if is_fleeting {
            // There is no backlog: only what comes from now on.
            self.send_all(head(request, &reading, &Page::fleeting(end)));
        } else if !was_waiting {
            self.work.push_back(lane);
        }
        let subscription = Subscription {
            reading,
            ear,
            backlog: (!is_fleeting).then_some((request, end)),
            highest: 0,
            waiting: was_waiting || !is_fleeting,
        };
        self.subscriptions.insert(lane, subscription);
    }

    /// Ends a subscription.
    pub(super) fn leave(&mut self, lane: &LaneId) {
        if let Some(subscription) = self.subscriptions.remove(lane) {
            self.core.hub.leave(&subscription.ear);
            self.work.retain(|other| other != lane);
        }
    }

    /// Ends all of them.
    pub(super) fn leave_all(&mut self) {
        for subscription in std::mem::take(&mut self.subscriptions).into_values() {
            self.core.hub.leave(&subscription.ear);
        }
        self.mailbox.close();
        self.session.leave(self.heard);
    }

    /// Delivers for one subscription, for one turn; tells whether there was one.
    pub(super) async fn deliver(&mut self) -> Result<bool, End> {
        let Some(lane) = self.work.pop_front() else {
            return Ok(false);
        };
        let Some(subscription) = self.subscriptions.get(&lane) else {
            return Ok(true);
        };
        let (reading, backlog) = (subscription.reading, subscription.backlog);
        let highest = subscription.highest;
        if backlog.is_none()
            && let Some(next) = self.deliver_recent(&reading)
        {
            self.turn_over(&lane, Place::at(next), None);
        } else if reading.content == Content::Fleeting {
            // What was missed is nowhere.
            let missed = highest.saturating_add(1);
            self.turn_over(&lane, Place::at(missed), None);
        } else {
            self.deliver_stored(reading, backlog).await?;
        }
        Ok(true)
    }

    /// Delivers from the newest frames; gives the number that follows.
    fn deliver_recent(&mut self, reading: &Reading) -> Option<u64> {
        let may_skip = match reading.content {
            Content::Cells => false,
            Content::Fleeting => true,
            Content::Values { .. } => return None,
        };
        let most = self.line.turn(SHARED_FRAMES);
        let room = most.saturating_sub(self.line.queued_frames());
        let (hub, line) = (&self.core.hub, &mut self.line);
        let from = reading.place.number;
        hub.recent(&reading.lane, from, room, may_skip, |frame| {
            line.queue(frame);
        })
    }

    async fn deliver_stored(
        &mut self,
        reading: Reading,
        backlog: Option<(u32, u64)>,
    ) -> Result<(), End> {
        let (request, upto) = backlog.unwrap_or((0, u64::MAX));
        let store = self.core.store.clone();
        let room = Room {
            page: self.line.turn(self.waiting.turn()),
            answer: usize::MAX,
        };
        let page = blocking(move || reading::page(&*store, request, &reading, upto, room)).await?;
        // The client comes back and subscribes again from where it stands.
        let mut page = page.map_err(|_| End::Close(code::INTERNAL))?;
        self.send_all(std::mem::take(&mut page.frames));
        let place = page.place;
        // Numbers only grow, unless the lane was deleted: then there is nothing to wait for.
        let is_gone = place.number < reading.place.number;
        let is_over = place.number >= upto || is_gone;
        if backlog.is_some() && is_over {
            // What came after the request's end is delivered after its head.
            page.end = place.number;
            self.send_all(head(request, &reading, &page));
        }
        if is_gone && let Some(subscription) = self.subscriptions.get_mut(&reading.lane) {
            subscription.highest = 0;
        }
        self.turn_over(&reading.lane, place, backlog.filter(|_| !is_over));
        Ok(())
    }

    fn turn_over(&mut self, lane: &LaneId, place: Place, backlog: Option<(u32, u64)>) {
        let Some(subscription) = self.subscriptions.get_mut(lane) else {
            return;
        };
        subscription.reading.place = place;
        subscription.backlog = backlog;
        subscription.waiting = subscription.has_work();
        if subscription.waiting {
            self.work.push_back(*lane);
        }
    }
}

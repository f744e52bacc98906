//! Subscriptions of one connection: each knows the number that it delivers next, and takes what follows from the store
//! or from the newest frames.

use super::{Connection, End, TURN_FRAMES, blocking};
use crate::{
    hub::News,
    reading::{self, Content, Numbers, Reading, head},
    refusal::Refusal,
};
use std::collections::hash_map::Entry;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_websockets::CloseCode;
use ume_wire::{auth::LaneId, limits::SUBSCRIPTIONS_MAX};

/// What a connection is subscribed to.
#[derive(Debug)]
pub(super) struct Subscription {
    /// The lane, and the number to deliver next.
    reading: Reading,
    /// Still delivering what was there: the request, and the number at which it ends.
    backlog: Option<(u32, u64)>,
    /// The highest number that is known to be there.
    highest: u64,
    /// Whether it has its place among those with work to do.
    waiting: bool,
}

impl Subscription {
    fn hear(&mut self, (lowest, highest): News) {
        self.highest = self.highest.max(highest);
        if self.reading.content == (Content::Values { may_change: true }) {
            self.reading.from = self.reading.from.min(lowest);
        }
    }

    fn has_work(&self) -> bool {
        self.backlog.is_some() || self.reading.from <= self.highest
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Begins a subscription, or begins it again from another number.
    pub(super) async fn subscribe(
        &mut self,
        request: u32,
        mut reading: Reading,
    ) -> Result<(), End> {
        let lane = reading.lane;
        if self.subscriptions.len() >= SUBSCRIPTIONS_MAX && !self.subscriptions.contains_key(&lane)
        {
            return self.answer(request, Refusal::LIMIT.body()).await;
        }
        // Listening comes before looking: what happens in between is heard of.
        self.core.hub.listen(lane, &self.mailbox);
        let end = match reading.content {
            Content::Fleeting => Ok(self.core.hub.fleeting_end(&lane)),
            _ => self.core.store.end(&lane),
        };
        let Ok(end) = end else {
            self.leave(&lane);
            return self.answer(request, Refusal::STORAGE.body()).await;
        };
        reading.from = reading.from.min(end);
        let mut subscription = Subscription {
            reading,
            backlog: Some((request, end)),
            highest: 0,
            waiting: true,
        };
        if reading.content == Content::Fleeting {
            // There is no backlog, and what is new comes by mail.
            (subscription.backlog, subscription.waiting) = (None, false);
            self.subscriptions.insert(lane, subscription);
            return self
                .send_all(head(request, &lane, Numbers::fleeting(end)))
                .await;
        }
        match self.subscriptions.entry(lane) {
            Entry::Occupied(mut old) if old.get().waiting => *old.get_mut() = subscription,
            entry => {
                entry.insert_entry(subscription);
                self.work.push_back(lane);
            }
        }
        Ok(())
    }

    /// Ends a subscription.
    pub(super) fn leave(&mut self, lane: &LaneId) {
        self.core.hub.leave(lane, &self.mailbox);
        self.subscriptions.remove(lane);
        self.work.retain(|other| other != lane);
    }

    /// Ends all of them.
    pub(super) fn leave_all(&mut self) {
        for lane in std::mem::take(&mut self.subscriptions).into_keys() {
            self.core.hub.leave(&lane, &self.mailbox);
        }
    }

    /// Notes what is new, and passes on what is stored nowhere.
    pub(super) async fn collect_mail(&mut self) -> Result<(), End> {
        let mail = self.mailbox.take();
        for (lane, news) in mail.news {
            if let Some(subscription) = self.subscriptions.get_mut(&lane) {
                subscription.hear(news);
                if !subscription.waiting && subscription.has_work() {
                    subscription.waiting = true;
                    self.work.push_back(lane);
                }
            }
        }
        for (lane, frame) in mail.fleeting {
            if self.subscriptions.contains_key(&lane) {
                self.send_all([frame]).await?;
            }
        }
        Ok(())
    }

    /// Delivers for one subscription, for one turn.
    pub(super) async fn deliver(&mut self) -> Result<(), End> {
        let Some(lane) = self.work.pop_front() else {
            return Ok(());
        };
        let Some(subscription) = self.subscriptions.get(&lane) else {
            return Ok(());
        };
        let (reading, backlog, highest) = (
            subscription.reading,
            subscription.backlog,
            subscription.highest,
        );
        let (request, upto) = backlog.unwrap_or((0, u64::MAX));
        let delivered = if backlog.is_none() {
            self.deliver_recent(&reading, highest).await?
        } else {
            0
        };
        if delivered > 0 {
            self.turn_over(&lane, reading.from + delivered, None, highest);
            return Ok(());
        }
        let numbers = self.deliver_stored(request, reading, upto).await?;
        let next = numbers.next;
        // Numbers only grow, unless the lane was deleted: then there is nothing to wait for.
        let is_gone = next < reading.from;
        let is_over = next >= upto || is_gone;
        if backlog.is_some() && is_over {
            // What came after the request's end is delivered after its head.
            let numbers = Numbers {
                end: next,
                ..numbers
            };
            self.send_all(head(request, &lane, numbers)).await?;
        }
        let highest = if is_gone { 0 } else { highest };
        self.turn_over(&lane, next, backlog.filter(|_| !is_over), highest);
        Ok(())
    }

    /// Delivers from the newest frames; gives how many there were.
    async fn deliver_recent(&mut self, reading: &Reading, highest: u64) -> Result<u64, End> {
        let mut delivered = 0;
        if reading.content != Content::Cells {
            return Ok(0);
        }
        while reading.from + delivered <= highest && delivered < TURN_FRAMES as u64 {
            let Some(frame) = self
                .core
                .hub
                .recent(&reading.lane, reading.from + delivered)
            else {
                break;
            };
            self.send_all([frame]).await?;
            delivered += 1;
        }
        Ok(delivered)
    }

    /// Delivers from the store; gives where that ended.
    async fn deliver_stored(
        &mut self,
        request: u32,
        reading: Reading,
        upto: u64,
    ) -> Result<Numbers, End> {
        let store = self.core.store.clone();
        let page =
            blocking(move || reading::page(&*store, request, &reading, upto, TURN_FRAMES)).await?;
        // The client comes back and subscribes again from where it stands.
        let page = page.map_err(|_| End::Close(CloseCode::INTERNAL_SERVER_ERROR))?;
        self.send_all(page.frames).await?;
        Ok(page.numbers)
    }

    fn turn_over(&mut self, lane: &LaneId, next: u64, backlog: Option<(u32, u64)>, highest: u64) {
        let Some(subscription) = self.subscriptions.get_mut(lane) else {
            return;
        };
        subscription.reading.from = next;
        subscription.backlog = backlog;
        subscription.highest = highest;
        subscription.waiting = subscription.has_work();
        if subscription.waiting {
            self.work.push_back(*lane);
        }
    }
}

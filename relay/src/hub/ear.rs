//! How a connection hears of news: one ear for each subscription, one mailbox for all of them.

use parking_lot::Mutex;
use std::{
    mem,
    sync::Arc,
    task::{Context, Poll, Waker},
};
use ume_wire::auth::LaneId;

/// Numbers of what is new in a lane: the lowest and the highest.
pub(crate) type News = (u64, u64);

/// A subscription, as the hub knows it.
#[derive(Debug)]
pub(crate) struct Ear {
    lane: LaneId,
    mailbox: Arc<Mailbox>,
    /// What the connection has not heard yet. While there is something, the ear is in the mailbox.
    news: Mutex<Option<News>>,
}

impl Ear {
    pub(super) fn new(lane: LaneId, mailbox: Arc<Mailbox>) -> Arc<Self> {
        Arc::new(Self {
            lane,
            mailbox,
            news: Mutex::new(None),
        })
    }

    /// The lane it listens to.
    pub(crate) fn lane(&self) -> &LaneId {
        &self.lane
    }

    /// Takes what is new.
    pub(crate) fn take(&self) -> Option<News> {
        self.news.lock().take()
    }

    /// Whoever has been told and has not looked yet is not woken again: that is what makes batches grow under load.
    pub(super) fn tell(self: &Arc<Self>, (lowest, highest): News) {
        let mut news = self.news.lock();
        if let Some(news) = &mut *news {
            *news = (news.0.min(lowest), news.1.max(highest));
            return;
        }
        *news = Some((lowest, highest));
        drop(news);
        self.mailbox.put(self.clone());
    }
}

/// Where a connection finds the ears that heard something.
#[derive(Debug, Default)]
pub(crate) struct Mailbox(Mutex<Mail>);

#[derive(Debug, Default)]
struct Mail {
    ears: Vec<Arc<Ear>>,
    reader: Option<Waker>,
    is_closed: bool,
}

impl Mailbox {
    /// Takes the ears that heard something; pending while there are none.
    pub(crate) fn poll_mail(&self, context: &Context<'_>) -> Poll<Vec<Arc<Ear>>> {
        let mut mail = self.0.lock();
        if !mail.ears.is_empty() {
            return Poll::Ready(mem::take(&mut mail.ears));
        }
        match &mut mail.reader {
            Some(reader) => reader.clone_from(context.waker()),
            reader => *reader = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// Takes nothing any more. Ears hold their mailbox, so it must not hold them for ever.
    pub(crate) fn close(&self) {
        *self.0.lock() = Mail {
            is_closed: true,
            ..Mail::default()
        };
    }

    fn put(&self, ear: Arc<Ear>) {
        let mut mail = self.0.lock();
        if mail.is_closed {
            return;
        }
        mail.ears.push(ear);
        let reader = mail.reader.take();
        drop(mail);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

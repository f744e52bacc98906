//! One queue for everything that can happen to a session, in the order in which it happened.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Poll, Waker};
use ume_api::ToEngine;
use ume_engine::io::Input;

/// Something happened to a session.
#[derive(Clone, Debug)]
pub enum Event {
    /// A message of the page.
    Page(ToEngine),
    /// The page became visible, or the network came back.
    Wake,
    /// An input for the engine, from a socket or the timer.
    Input(Input),
    /// Another tab asks for the engine.
    YieldAsked,
    /// Another tab took the lock by force: nothing may be written any more.
    LockLost,
    /// The browser closed the database, or another tab needs it closed to upgrade it.
    StoreGone,
    /// The pause after a failed write is over.
    Reopen,
}

/// The queue. One reader, any number of writers, all on one thread.
#[derive(Debug, Default)]
pub struct Queue {
    events: RefCell<VecDeque<Event>>,
    reader: RefCell<Option<Waker>>,
    closed: Cell<bool>,
}

impl Queue {
    /// Adds an event at the end.
    pub fn push(&self, event: Event) {
        if self.closed.get() {
            return;
        }
        self.events.borrow_mut().push_back(event);
        if let Some(waker) = self.reader.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Puts events back at the front, in their order.
    pub fn put_back(&self, events: Vec<Event>) {
        let mut queued = self.events.borrow_mut();
        for event in events.into_iter().rev() {
            queued.push_front(event);
        }
    }

    /// Waits until there is something, and takes all of it.
    pub async fn take_all(&self) -> Vec<Event> {
        poll_fn(|context| {
            let mut events = self.events.borrow_mut();
            if events.is_empty() {
                *self.reader.borrow_mut() = Some(context.waker().clone());
                Poll::Pending
            } else {
                Poll::Ready(events.drain(..).collect())
            }
        })
        .await
    }

    /// Removes what a closed socket said and what an engine that is no more asked for.
    pub fn forget_inputs(&self) {
        self.events
            .borrow_mut()
            .retain(|event| !matches!(event, Event::Input(_)));
    }

    /// Nothing is accepted any more; the session is over.
    pub fn close(&self) {
        self.closed.set(true);
        self.events.borrow_mut().clear();
    }
}

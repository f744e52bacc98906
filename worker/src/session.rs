//! A page's life with the engine: boot, hold, yield, take over.

use crate::browser;
use crate::database::{Schema, StoreError};
use crate::driver::{Core, Driver, End, Tell};
use crate::lock::{self, Doorbell, Held, Way};
use crate::patience;
use crate::queue::{Event, Queue};
use crate::slots::Locked;
use crate::store::{self, Opening, Store};
use std::rc::Rc;
use ume_api::{Failure, FromEngine, LockView, Refused, Surroundings, ToEngine, UnlockKey};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

/// Where a session keeps its things; tests use names of their own.
#[derive(Clone, Debug)]
pub struct Place {
    /// The database.
    pub schema: Schema,
    /// The lock and the channel.
    pub lock: String,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            schema: store::schema(),
            lock: lock::NAME.to_owned(),
        }
    }
}

/// Starts a session with an engine of type `C`; what happens to it goes into the queue that is given back.
pub fn start<C: Core>(place: Place, tell: Tell) -> Rc<Queue> {
    let queue = Rc::new(Queue::default());
    hear_network(&queue);
    spawn_local(
        Session {
            place,
            queue: Rc::clone(&queue),
            tell,
        }
        .run::<C>(),
    );
    queue
}

struct Session {
    place: Place,
    queue: Rc<Queue>,
    tell: Tell,
}

impl Session {
    async fn run<C: Core>(self) {
        let bell = {
            let queue = Rc::clone(&self.queue);
            Doorbell::new(&self.place.lock, move || queue.push(Event::YieldAsked))
        };
        let (mut relay, mut surroundings) = (String::new(), Surroundings::default());
        let mut gate = Gate::default();
        loop {
            let want = self.wanted(&mut relay, &mut surroundings).await;
            if let (Want::Unlock(_), Some(locked)) = (&want, gate.too_soon()) {
                (self.tell)(FromEngine::Locked(locked));
                continue;
            }
            let held = match self.lock(&want, &bell).await {
                Ok(Some(held)) => held,
                Ok(None) => {
                    (self.tell)(FromEngine::Held);
                    continue;
                }
                Err(error) => {
                    (self.tell)(FromEngine::Failed(error.failure()));
                    continue;
                }
            };
            // The page is told before the lock goes, so that two pages never both believe that they have the engine.
            let key = match want {
                Want::Unlock(key) => Some(key),
                Want::Boot | Want::TakeOver => None,
            };
            match self.open(key, gate.attempts).await {
                Ok(Opening::Open(store)) => {
                    gate = Gate::default();
                    match self.drive::<C>(relay.clone(), surroundings, store).await {
                        End::Yielded => (self.tell)(FromEngine::Yielded),
                        End::Failed(failure) => (self.tell)(FromEngine::Failed(failure)),
                    }
                }
                Ok(Opening::Locked(locked)) => {
                    (self.tell)(FromEngine::Locked(gate.shut(locked)));
                }
                Err(StoreError::LeaseLost) => (self.tell)(FromEngine::Yielded),
                Err(error) => (self.tell)(FromEngine::Failed(error.failure())),
            }
            // A locked vault keeps no other tab from being opened.
            drop(held);
        }
    }

    /// Waits until the page wants the engine. Everything else has nobody to go to: commands are refused, the rest is
    /// forgotten.
    async fn wanted(&self, relay: &mut String, surroundings: &mut Surroundings) -> Want {
        loop {
            let mut events = self.queue.take_all().await.into_iter();
            while let Some(event) = events.next() {
                let want = match event {
                    Event::Page(ToEngine::Boot {
                        relay: named,
                        surroundings: now,
                    }) => {
                        (*relay, *surroundings) = (named, now);
                        Want::Boot
                    }
                    Event::Page(ToEngine::Surroundings(now)) => {
                        *surroundings = now;
                        continue;
                    }
                    Event::Page(ToEngine::TakeOver) => Want::TakeOver,
                    Event::Page(ToEngine::Unlock(key)) => Want::Unlock(key),
                    Event::Page(
                        ToEngine::Ask { number, .. }
                        | ToEngine::Measure { number }
                        | ToEngine::Vault { number, .. },
                    ) => {
                        (self.tell)(FromEngine::Answer {
                            number,
                            result: Err(Failure::Internal),
                        });
                        continue;
                    }
                    _ => continue,
                };
                self.queue.put_back(events.collect());
                return want;
            }
        }
    }

    async fn lock(&self, want: &Want, bell: &Doorbell) -> Result<Option<Held>, StoreError> {
        let acquire = |way| {
            let queue = Rc::clone(&self.queue);
            lock::acquire(&self.place.lock, way, move || queue.push(Event::LockLost))
        };
        match want {
            Want::Boot | Want::Unlock(_) => acquire(Way::Wait(lock::GRACE)).await,
            Want::TakeOver => {
                bell.ring();
                match acquire(Way::Wait(lock::PATIENCE)).await? {
                    Some(held) => Ok(Some(held)),
                    None => acquire(Way::Steal).await,
                }
            }
        }
    }

    async fn open(&self, key: Option<UnlockKey>, known: u32) -> Result<Opening, StoreError> {
        let queue = Rc::clone(&self.queue);
        let gone = move || queue.push(Event::StoreGone);
        Store::open(&self.place.schema, key.as_ref(), known, gone).await
    }

    async fn drive<C: Core>(&self, relay: String, surroundings: Surroundings, store: Store) -> End {
        let (queue, tell) = (Rc::clone(&self.queue), Rc::clone(&self.tell));
        Driver::<C>::run(relay, surroundings, queue, store, tell).await
    }
}

#[derive(Debug)]
enum Want {
    Boot,
    TakeOver,
    Unlock(UnlockKey),
}

/// The pause between attempts, by the worker's own clock, which nobody sets and which begins with the worker.
#[derive(Debug, Default)]
struct Gate {
    attempts: u32,
    opens_at: f64,
    locked: Option<LockView>,
}

impl Gate {
    /// Notes what became of an attempt, or that one is wanted; what the page is told.
    fn shut(&mut self, locked: Locked) -> LockView {
        let pause = patience::pause(locked.attempts);
        self.attempts = locked.attempts;
        self.opens_at = browser::steady() + f64::from(pause);
        let mut view = locked.view;
        view.wait_ms = pause;
        self.locked = Some(view.clone());
        view
    }

    /// What the page is told while the pause is not over.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a float cast saturates, which is what is wanted
    fn too_soon(&self) -> Option<LockView> {
        let left = (self.opens_at - browser::steady()).ceil();
        let mut view = self.locked.clone().filter(|_| left > 0.0)?;
        view.wait_ms = left as u32;
        view.refused = Some(Refused::TooSoon);
        Some(view)
    }
}

fn hear_network(queue: &Rc<Queue>) {
    let queue = Rc::clone(queue);
    let online = Closure::<dyn FnMut(JsValue)>::new(move |_| queue.push(Event::Wake));
    // Where the event does not exist, the engine's own timer finds out.
    let _ = browser::scope()
        .add_event_listener_with_callback("online", online.as_ref().unchecked_ref());
    // It lives as long as the worker.
    online.forget();
}

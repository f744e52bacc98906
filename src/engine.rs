//! The line to the engine's worker: commands out, answers and news in, both as bytes of `ume-api`.
use crate::platform::boot;
use futures_channel::oneshot;
use js_sys::Uint8Array;
use leptos::prelude::{LocalStorage, StoredValue, UpdateValue};
use std::collections::BTreeMap;
use ume_api::{
    Command, Failure, FromEngine, Reply, Surroundings, ToEngine, UnlockKey, VaultDeed, decode,
    encode,
};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{MessageEvent, Worker};

/// How a command went.
pub(crate) type Answer = Result<Reply, Failure>;

/// The engine, as the app sees it. Copies are the same line.
#[derive(Clone, Copy)]
pub(crate) struct Engine(StoredValue<Line, LocalStorage>);

struct Line {
    worker: Option<Worker>,
    last_number: u32,
    waiting: BTreeMap<u32, oneshot::Sender<Answer>>,
    /// Commands given before the engine was ready.
    early: Vec<ToEngine>,
    ready: bool,
}

impl Engine {
    /// A line that is not connected yet; commands wait until it is.
    pub(crate) fn new() -> Self {
        Self(StoredValue::new_local(Line {
            worker: None,
            last_number: 0,
            waiting: BTreeMap::new(),
            early: Vec::new(),
            ready: false,
        }))
    }

    /// Starts the worker and hands everything it says, but for answers, to `hear`.
    pub(crate) fn connect(self, surroundings: Surroundings, hear: impl Fn(FromEngine) + 'static) {
        let Some(worker) = boot::engine() else {
            return hear(FromEngine::Failed(Failure::Internal));
        };
        let hear = std::rc::Rc::new(hear);
        let broken = hear.clone();
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let bytes = Uint8Array::new(&event.data()).to_vec();
            match decode(&bytes) {
                Ok(FromEngine::Answer { number, result }) => self.answered(number, result),
                Ok(message) => {
                    self.follow(&message);
                    hear(message);
                }
                // Page and worker come from different builds.
                Err(_) => hear(FromEngine::Failed(Failure::StorageNewer)),
            }
        });
        let on_error = Closure::<dyn FnMut()>::new(move || {
            broken(FromEngine::Failed(Failure::Internal));
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        // Both live as long as the page.
        on_message.forget();
        on_error.forget();
        self.0.update_value(|line| line.worker = Some(worker));
        self.send(&ToEngine::Boot {
            relay: boot::relay(),
            surroundings,
        });
    }

    /// Tells how things stand now.
    pub(crate) fn surround(self, surroundings: Surroundings) {
        self.send(&ToEngine::Surroundings(surroundings));
    }

    /// Takes the engine from the tab that has it.
    pub(crate) fn take_over(self) {
        self.send(&ToEngine::TakeOver);
    }

    /// Tries a key on the lock.
    pub(crate) fn unlock(self, key: UnlockKey) {
        self.send(&ToEngine::Unlock(key));
    }

    /// Changes what opens the vault.
    ///
    /// # Errors
    /// As for [`Self::ask`].
    pub(crate) async fn keep(self, deed: VaultDeed) -> Answer {
        self.say(Box::new(|number| ToEngine::Vault { number, deed }))
            .await
    }

    /// Gives a command and waits for its answer.
    ///
    /// # Errors
    /// The engine's [`Failure`]; [`Failure::Internal`] when this page lost the engine meanwhile.
    pub(crate) async fn ask(self, command: Command) -> Answer {
        self.say(Box::new(|number| ToEngine::Ask { number, command }))
            .await
    }

    /// Has it measured how much is stored: [`Reply::Stored`].
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub(crate) async fn measure(self) -> Answer {
        self.say(Box::new(|number| ToEngine::Measure { number }))
            .await
    }

    /// Says something that is answered under a number.
    async fn say(self, what: Box<dyn FnOnce(u32) -> ToEngine>) -> Answer {
        let (give, receive) = oneshot::channel();
        let now = self.0.try_update_value(|line| {
            line.last_number = line.last_number.wrapping_add(1);
            let number = line.last_number;
            line.waiting.insert(number, give);
            let ask = what(number);
            if line.ready {
                return Some(ask);
            }
            line.early.push(ask);
            None
        });
        if let Some(Some(ask)) = now {
            self.send(&ask);
        }
        receive.await.unwrap_or(Err(Failure::Internal))
    }

    fn answered(self, number: u32, result: Answer) {
        let asker = self
            .0
            .try_update_value(|line| line.waiting.remove(&number))
            .flatten();
        if let Some(asker) = asker {
            // Whoever asked may have left the page.
            let _ = asker.send(result);
        }
    }

    /// Keeps up with whether commands can be given.
    fn follow(self, message: &FromEngine) {
        match message {
            FromEngine::Ready => {
                let early = self.0.try_update_value(|line| {
                    line.ready = true;
                    std::mem::take(&mut line.early)
                });
                for ask in early.into_iter().flatten() {
                    self.send(&ask);
                }
            }
            FromEngine::Held | FromEngine::Locked(_) => {
                self.0.update_value(|line| line.ready = false);
            }
            FromEngine::Yielded | FromEngine::Failed(_) => self.0.update_value(|line| {
                line.ready = false;
                line.waiting.clear();
                line.early.clear();
            }),
            FromEngine::Answer { .. } | FromEngine::News(_) => {}
        }
    }

    fn send(self, message: &ToEngine) {
        let Ok(bytes) = encode(message) else { return };
        self.0.update_value(|line| {
            if let Some(worker) = &line.worker {
                // Bytes can always be copied.
                let _ = worker.post_message(&Uint8Array::from(bytes.as_slice()));
            }
        });
    }
}

//! Carries what happens to the engine, makes its state durable, and only then does what it says.

use crate::batch;
use crate::browser;
use crate::database::StoreError;
use crate::deposit;
use crate::keeping::{self, Keeper};
use crate::queue::{Event, Queue};
use crate::socket::Sockets;
use crate::store::Store;
use crate::timer::Timer;
use std::collections::BTreeSet;
use std::rc::Rc;
use ume_api::{
    Command, Failure, FromEngine, News, Notice, Reply, Surroundings, ToEngine, VaultDeed,
};
use ume_engine::io::{Input, Key, Millis, Output, Step};
use wasm_bindgen_futures::spawn_local;
use zeroize::Zeroizing;

/// First and longest pause between a failed write and the next attempt to run, ms.
const PAUSE: (u32, u32) = (2_000, 60_000);

/// What the driver drives: [`ume_engine`]'s engine, or a small one in tests.
pub trait Core: Sized + 'static {
    /// Opens an engine over what is stored.
    ///
    /// # Errors
    /// What the page is told instead of `Ready`.
    fn open(
        relay: String,
        surroundings: Surroundings,
        seed: [u8; 32],
        now: Millis,
        rows: Vec<(Key, Vec<u8>)>,
    ) -> Result<Self, Failure>;
    /// The first step.
    fn boot(&mut self, now: Millis) -> Step;
    /// The step of one input.
    fn handle(&mut self, now: Millis, input: Input) -> Step;
}

impl Core for ume_engine::Engine {
    fn open(
        relay: String,
        surroundings: Surroundings,
        seed: [u8; 32],
        now: Millis,
        rows: Vec<(Key, Vec<u8>)>,
    ) -> Result<Self, Failure> {
        Self::open(&relay, surroundings, seed, now, rows)
    }

    fn boot(&mut self, now: Millis) -> Step {
        self.boot(now)
    }

    fn handle(&mut self, now: Millis, input: Input) -> Step {
        self.handle(now, input)
    }
}

/// Tells the page something.
pub type Tell = Rc<dyn Fn(FromEngine)>;

/// Why a driver ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Another tab has the engine now, or may have it.
    Yielded,
    /// It cannot go on.
    Failed(Failure),
}

/// A running engine with its store, its sockets and its timer.
pub struct Driver<C> {
    relay: String,
    /// As the page said last.
    surroundings: Surroundings,
    queue: Rc<Queue>,
    store: Store,
    keeper: Keeper,
    tell: Tell,
    /// `None` while it pauses after a failed write.
    core: Option<C>,
    sockets: Sockets,
    timer: Timer,
    /// Commands without an answer so far.
    unanswered: BTreeSet<u32>,
    /// Failed writes since the last good one, and what the last one said.
    failures: u32,
    failure: Failure,
}

impl<C: Core> Driver<C> {
    /// Drives an engine of type `C` over an open store until it ends; everything is closed then.
    pub async fn run(
        relay: String,
        surroundings: Surroundings,
        queue: Rc<Queue>,
        store: Store,
        tell: Tell,
    ) -> End {
        let heard = Rc::clone(&queue);
        let rung = Rc::clone(&queue);
        let mut driver = Self {
            relay,
            surroundings,
            queue,
            store,
            keeper: Keeper::default(),
            tell,
            core: None,
            sockets: Sockets::new(move |input| heard.push(Event::Input(input))),
            timer: Timer::new(move || rung.push(Event::Input(Input::Tick))),
            unanswered: BTreeSet::new(),
            failures: 0,
            failure: Failure::StorageFailed,
        };
        let end = driver.go().await;
        driver.stop();
        driver.store.close();
        end
    }

    async fn go(&mut self) -> End {
        if let Err(end) = self.start(true).await {
            return end;
        }
        loop {
            let events = self.queue.take_all().await;
            if let Err(end) = self.carry(events).await {
                return end;
            }
        }
    }

    /// Opens the engine over what is stored.
    async fn start(&mut self, first: bool) -> Result<(), End> {
        let loaded = self.store.load().await.map_err(ended)?;
        let mut seed = Zeroizing::new([0; 32]);
        browser::random(seed.as_mut_slice()).map_err(ended)?;
        let mut core = C::open(
            self.relay.clone(),
            self.surroundings,
            *seed,
            browser::now(),
            loaded.rows,
        )
        .map_err(End::Failed)?;
        let step = core.boot(browser::now());
        self.core = Some(core);
        match self.persist(&step).await {
            Ok(()) => {
                // After a pause, too: the engine has forgotten what the page follows, and the page asks again.
                self.tell(FromEngine::Ready);
                let reads = self.perform(step.outputs);
                self.tell_keys();
                self.read(reads).await?;
            }
            // Nothing can be kept here if not even this can be written: the page says so at once.
            Err(error) if first => return Err(ended(error)),
            Err(StoreError::LeaseLost) => return Err(End::Yielded),
            Err(error) => self.pause(error.failure()),
        }
        if loaded.damaged > 0 {
            self.tell(FromEngine::News(News::Notice(Notice::RecordsDamaged {
                count: loaded.damaged,
            })));
        }
        Ok(())
    }

    /// Everything up to an event that ends the engine is one transaction.
    async fn carry(&mut self, events: Vec<Event>) -> Result<(), End> {
        let mut steps = Vec::new();
        let mut end = None;
        let mut events = events.into_iter();
        while let Some(event) = events.next() {
            match event {
                Event::Page(ToEngine::Ask { number, command }) => {
                    // A person tried once more, perhaps after making room: that is worth an attempt before its time.
                    if self.core.is_none() && !is_by_itself(&command) {
                        Box::pin(self.start(false)).await?;
                    }
                    if self.core.is_some() {
                        self.unanswered.insert(number);
                        self.handle(Input::Command { number, command }, &mut steps);
                    } else {
                        self.tell(FromEngine::Answer {
                            number,
                            result: Err(self.failure),
                        });
                    }
                }
                Event::Page(ToEngine::Measure { number }) => {
                    let measured = self.store.measure().await;
                    self.tell(FromEngine::Answer {
                        number,
                        result: measured.map(Reply::Stored).map_err(StoreError::failure),
                    });
                }
                Event::Wake => self.handle(Input::Tick, &mut steps),
                Event::Input(input) => self.handle(input, &mut steps),
                Event::YieldAsked => {
                    // What the page said afterwards is answered by whoever waits for the engine next.
                    self.queue.put_back(events.collect());
                    end = Some(End::Yielded);
                    break;
                }
                // Nothing may be written, nothing that was not written may be said.
                Event::LockLost => return Err(End::Yielded),
                Event::StoreGone => return Err(End::Failed(Failure::StorageFailed)),
                Event::Reopen if self.core.is_none() => Box::pin(self.start(false)).await?,
                Event::Page(ToEngine::Surroundings(surroundings)) => {
                    self.surroundings = surroundings;
                    self.handle(Input::Surroundings(surroundings), &mut steps);
                }
                Event::Page(ToEngine::Vault { number, deed }) => self.keep(number, deed).await,
                Event::Page(ToEngine::Boot { .. } | ToEngine::TakeOver | ToEngine::Unlock(_))
                | Event::Reopen => {}
            }
        }
        if !steps.is_empty() {
            self.commit(batch::join(steps)).await?;
        }
        end.map_or(Ok(()), Err)
    }

    /// Changes what opens the vault, in a transaction of its own.
    async fn keep(&mut self, number: u32, deed: VaultDeed) {
        let result = self.keeper.keep(&mut self.store, deed).await;
        self.tell(FromEngine::Answer { number, result });
        self.tell_keys();
    }

    fn tell_keys(&self) {
        self.tell(FromEngine::News(News::Vault(keeping::view(&self.store))));
    }

    fn handle(&mut self, input: Input, steps: &mut Vec<Step>) {
        if let Some(core) = &mut self.core {
            steps.push(core.handle(browser::now(), input));
        }
    }

    /// Stores a step, then does what it says; or drops the engine and everything that it would have said.
    async fn commit(&mut self, step: Step) -> Result<(), End> {
        match self.persist(&step).await {
            Ok(()) => {
                if !step.batch.0.is_empty() {
                    self.failures = 0;
                }
                let reads = self.perform(step.outputs);
                self.read(reads).await
            }
            Err(StoreError::LeaseLost) => Err(End::Yielded),
            Err(error) => {
                self.pause(error.failure());
                Ok(())
            }
        }
    }

    async fn persist(&self, step: &Step) -> Result<(), StoreError> {
        if step.batch.0.is_empty() {
            Ok(())
        } else {
            self.store.write(&step.batch).await
        }
    }

    /// After a failed write: the engine's memory is ahead of what is stored, so it goes.
    fn pause(&mut self, failure: Failure) {
        self.stop();
        self.failure = failure;
        for number in std::mem::take(&mut self.unanswered) {
            self.tell(FromEngine::Answer {
                number,
                result: Err(failure),
            });
        }
        self.tell(FromEngine::News(News::Notice(Notice::StorageFull)));
        let (first, longest) = PAUSE;
        // The first failure is answered by opening again at once; a storage that stays full is not hammered.
        let wait = if self.failures == 0 {
            0
        } else {
            longest.min(first << self.failures.min(5))
        };
        self.failures = self.failures.saturating_add(1);
        let queue = Rc::clone(&self.queue);
        spawn_local(async move {
            browser::sleep(wait).await;
            queue.push(Event::Reopen);
        });
    }

    fn stop(&mut self) {
        self.core = None;
        self.timer.clear();
        self.sockets.disconnect_all();
        self.queue.forget_inputs();
    }

    /// Does what a step says; the rows that are to be read.
    fn perform(&mut self, outputs: Vec<Output>) -> Vec<Key> {
        let mut reads = Vec::new();
        for output in outputs {
            match output {
                Output::Connect(relay) => self.sockets.connect(relay),
                Output::Disconnect(relay) => self.sockets.disconnect(&relay),
                Output::Send(relay, frame) => self.sockets.send(&relay, &frame),
                Output::Plan {
                    relay,
                    slots,
                    afresh,
                } => self.sockets.plan(&relay, &slots, afresh),
                Output::Fill(relay, frame) => self.sockets.fill(&relay, &frame),
                Output::Deposit(relay, frames) => deposit::keep(&relay, &frames),
                Output::Read(keys) => reads.extend(keys),
                Output::Tell(message) => self.tell_for_engine(message),
                Output::WakeAt(at) => self.timer.set(at),
            }
        }
        reads
    }

    /// Reads rows for the engine. A store that does not answer is as one that does not write.
    async fn read(&mut self, keys: Vec<Key>) -> Result<(), End> {
        if keys.is_empty() {
            return Ok(());
        }
        match self.store.read(keys).await {
            Ok(rows) => self.queue.push(Event::Input(Input::Rows(rows))),
            Err(StoreError::LeaseLost) => return Err(End::Yielded),
            Err(error) => self.pause(error.failure()),
        }
        Ok(())
    }

    fn tell_for_engine(&mut self, message: FromEngine) {
        match &message {
            // Said by the driver, once for each engine.
            FromEngine::Ready => return,
            FromEngine::Answer { number, .. } => {
                self.unanswered.remove(number);
            }
            _ => {}
        }
        self.tell(message);
    }

    fn tell(&self, message: FromEngine) {
        (self.tell)(message);
    }
}

/// What the page asks for without anybody having tapped on anything.
fn is_by_itself(command: &Command) -> bool {
    matches!(
        command,
        Command::Keep { .. } | Command::Saw { .. } | Command::Draft { .. } | Command::File { .. }
    )
}

fn ended(error: StoreError) -> End {
    match error {
        StoreError::LeaseLost => End::Yielded,
        other => End::Failed(other.failure()),
    }
}

//! A session with a small core in a real browser: boot, write before tell, failed writes, two tabs.
#![cfg(target_arch = "wasm32")]
// Clippy knows `test`, not `wasm_bindgen_test`.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::cell::RefCell;
use std::rc::Rc;
use ume_api::{
    Command, CommunityRef, Failure, FromEngine, News, Notice, Reply, Surroundings, ToEngine,
};
use ume_engine::io::{Batch, Input, Key, Millis, Output, Step, Table};
use ume_worker::browser;
use ume_worker::driver::Core;
use ume_worker::queue::{Event, Queue};
use ume_worker::session::{self, Place};
use ume_worker::store;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// Counts posts in one row, and answers each with the count.
struct Counter {
    relay: String,
    count: u32,
}

impl Core for Counter {
    fn open(
        relay: String,
        _: Surroundings,
        seed: [u8; 32],
        _: Millis,
        rows: Vec<(Key, Vec<u8>)>,
    ) -> Result<Self, Failure> {
        assert_ne!(seed, [0; 32]);
        let count = rows
            .into_iter()
            .find(|(key, _)| *key == row())
            .map_or(0, |(_, value)| u32::from(value[0]));
        Ok(Self { relay, count })
    }

    fn boot(&mut self, _: Millis) -> Step {
        Step {
            batch: Batch::default(),
            outputs: vec![
                Output::Tell(FromEngine::News(News::Communities(Vec::new()))),
                Output::Connect(self.relay.clone()),
            ],
        }
    }

    fn handle(&mut self, now: Millis, input: Input) -> Step {
        match input {
            Input::Command {
                number,
                command: Command::Post { .. },
            } => {
                self.count += 1;
                let reply = Ok(Reply::Community(CommunityRef(self.count)));
                let value = vec![u8::try_from(self.count).unwrap()];
                Step {
                    batch: Batch([(row(), Some(value))].into()),
                    outputs: vec![Output::Tell(FromEngine::Answer {
                        number,
                        result: reply,
                    })],
                }
            }
            Input::Command {
                command: Command::Reconnect,
                ..
            } => Step {
                batch: Batch::default(),
                outputs: vec![Output::WakeAt(now.plus(50))],
            },
            Input::Tick => tell(News::Notice(Notice::ClockOff { seconds: 0 })),
            Input::Disconnected(_) => tell(News::Connection(ume_api::Connection::Offline)),
            _ => Step::default(),
        }
    }
}

fn tell(news: News) -> Step {
    Step {
        batch: Batch::default(),
        outputs: vec![Output::Tell(FromEngine::News(news))],
    }
}

fn row() -> Key {
    Key {
        table: Table::Profile,
        id: b"count".to_vec(),
    }
}

struct Tab {
    queue: Rc<Queue>,
    heard: Rc<RefCell<Vec<FromEngine>>>,
}

impl Tab {
    fn open(place: &Place) -> Self {
        let heard = Rc::new(RefCell::new(Vec::new()));
        let hearing = Rc::clone(&heard);
        let queue = session::start::<Counter>(
            place.clone(),
            Rc::new(move |message| hearing.borrow_mut().push(message)),
        );
        // Port 9 answers nobody.
        queue.push(Event::Page(ToEngine::Boot {
            relay: "http://127.0.0.1:9".to_owned(),
            surroundings: Surroundings::default(),
        }));
        Self { queue, heard }
    }

    fn post(&self, number: u32) {
        let command = Command::Post {
            community: CommunityRef(0),
            text: "text".to_owned(),
            lifetime: None,
        };
        self.queue
            .push(Event::Page(ToEngine::Ask { number, command }));
    }

    async fn hears(&self, wanted: &FromEngine) {
        for _ in 0..500 {
            if self.heard.borrow().contains(wanted) {
                return;
            }
            browser::sleep(10).await;
        }
        panic!("never heard {wanted:?}, but {:?}", self.heard.borrow());
    }
}

fn place(test: &str) -> Place {
    let name = format!("ume-{test}-{}", js_sys::Math::random());
    let mut schema = store::schema();
    schema.name.clone_from(&name);
    Place { schema, lock: name }
}

fn posted(number: u32, count: u32) -> FromEngine {
    FromEngine::Answer {
        number,
        result: Ok(Reply::Community(CommunityRef(count))),
    }
}

#[wasm_bindgen_test]
async fn it_boots_answers_wakes_and_hears_of_a_dead_relay() {
    let tab = Tab::open(&place("boot"));
    tab.post(1);
    tab.post(2);
    tab.hears(&posted(2, 2)).await;
    assert_eq!(tab.heard.borrow()[0], FromEngine::Ready);
    assert_eq!(
        tab.heard.borrow()[1],
        FromEngine::News(News::Communities(Vec::new()))
    );
    tab.hears(&FromEngine::News(News::Connection(
        ume_api::Connection::Offline,
    )))
    .await;
    tab.queue.push(Event::Page(ToEngine::Ask {
        number: 3,
        command: Command::Reconnect,
    }));
    tab.hears(&FromEngine::News(News::Notice(Notice::ClockOff {
        seconds: 0,
    })))
    .await;
}

#[wasm_bindgen_test]
async fn a_second_tab_is_held_takes_over_and_goes_on_where_the_first_was() {
    let place = place("tabs");
    let first = Tab::open(&place);
    first.post(1);
    first.hears(&posted(1, 1)).await;

    let second = Tab::open(&place);
    second.hears(&FromEngine::Held).await;
    // Asked before it yields: durable and answered.
    first.post(2);
    second.queue.push(Event::Page(ToEngine::TakeOver));
    let began = browser::now().0;
    second.hears(&FromEngine::Ready).await;
    wasm_bindgen_test::console_log!("took over in {} ms", browser::now().0 - began);
    first.hears(&FromEngine::Yielded).await;
    first.hears(&posted(2, 2)).await;
    second.post(7);
    second.hears(&posted(7, 3)).await;

    first.queue.push(Event::Page(ToEngine::TakeOver));
    second.hears(&FromEngine::Yielded).await;
    first.post(8);
    first.hears(&posted(8, 4)).await;
}

#[wasm_bindgen_test]
async fn a_holder_that_does_not_answer_loses_the_lock() {
    let place = place("steal");
    // Holds the lock and hears no bell.
    let held = ume_worker::lock::acquire(&place.lock, ume_worker::lock::Way::Wait(100), || ())
        .await
        .unwrap();
    assert!(held.is_some());
    let tab = Tab::open(&place);
    tab.hears(&FromEngine::Held).await;
    tab.queue.push(Event::Page(ToEngine::TakeOver));
    tab.hears(&FromEngine::Ready).await;
}

#[wasm_bindgen_test]
async fn a_full_disk_is_told_and_what_was_durable_stays() {
    let tab = Tab::open(&place("quota"));
    tab.post(1);
    tab.hears(&posted(1, 1)).await;

    let put = fail_puts();
    tab.post(2);
    tab.hears(&FromEngine::Answer {
        number: 2,
        result: Err(Failure::StorageFull),
    })
    .await;
    tab.hears(&FromEngine::News(News::Notice(Notice::StorageFull)))
        .await;
    restore_puts(&put);

    // The engine that had counted to two is gone; the next one counts from what is stored.
    browser::sleep(100).await;
    tab.post(3);
    tab.hears(&posted(3, 2)).await;
    let readies = tab
        .heard
        .borrow()
        .iter()
        .filter(|message| **message == FromEngine::Ready)
        .count();
    assert_eq!(readies, 2, "the page asks again for what it follows");
}

#[wasm_bindgen_test]
async fn a_newer_database_is_said_to_be_newer() {
    let mut place = place("newer");
    place.schema.version += 1;
    let newer = store::Store::open(&place.schema, None, 0, || ())
        .await
        .unwrap();
    drop(newer);
    place.schema.version -= 1;
    Tab::open(&place)
        .hears(&FromEngine::Failed(Failure::StorageNewer))
        .await;
}

/// Lets every `put` fail as a full disk makes it fail: the request errs, the transaction aborts.
fn fail_puts() -> JsValue {
    let put = js_sys::Function::new_no_args(
        "const real = IDBObjectStore.prototype.put;
         IDBObjectStore.prototype.put = function () { throw new DOMException('', 'QuotaExceededError'); };
         return real;",
    );
    put.call0(&JsValue::NULL).unwrap()
}

fn restore_puts(put: &JsValue) {
    js_sys::Function::new_with_args("real", "IDBObjectStore.prototype.put = real;")
        .call1(&JsValue::NULL, put)
        .unwrap();
}

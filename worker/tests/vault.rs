//! What opens the vault, in a real browser: set, asked for, wrong, slow, changed, damaged.
#![cfg(target_arch = "wasm32")]
// Clippy knows `test`, not `wasm_bindgen_test`.
#![allow(clippy::unwrap_used, clippy::panic)]

use js_sys::Uint8Array;
use std::cell::RefCell;
use std::rc::Rc;
use ume_api::{
    Failure, FromEngine, LockRules, LockView, News, PasskeyView, Refused, Reply, Secret,
    Surroundings, ToEngine, UnlockKey, VaultDeed, VaultView,
};
use ume_engine::Engine;
use ume_worker::browser;
use ume_worker::database::{Access, Database, Schema};
use ume_worker::queue::{Event, Queue};
use ume_worker::session::{self, Place};
use ume_worker::store;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const RIGHT: &str = "five canaries sing at dawn";
const OTHER: &str = "ten canaries sing at dusk";

/// A page's worker. A start is a new one over the same place, as after a lock.
struct Tab {
    queue: Rc<Queue>,
    heard: Rc<RefCell<Vec<FromEngine>>>,
}

impl Tab {
    fn open(place: &Place) -> Self {
        let heard = Rc::new(RefCell::new(Vec::new()));
        let hearing = Rc::clone(&heard);
        let queue = session::start::<Engine>(
            place.clone(),
            Rc::new(move |message| hearing.borrow_mut().push(message)),
        );
        queue.push(Event::Page(ToEngine::Boot {
            relay: "http://127.0.0.1:9".to_owned(),
            surroundings: Surroundings::default(),
        }));
        Self { queue, heard }
    }

    fn unlock(&self, key: UnlockKey) {
        self.heard.borrow_mut().clear();
        self.queue.push(Event::Page(ToEngine::Unlock(key)));
    }

    async fn keep(&self, deed: VaultDeed) -> Result<Reply, Failure> {
        self.heard.borrow_mut().clear();
        self.queue
            .push(Event::Page(ToEngine::Vault { number: 7, deed }));
        self.hears(|message| match message {
            FromEngine::Answer { number: 7, result } => Some(result.clone()),
            _ => None,
        })
        .await
    }

    async fn hears<T>(&self, wanted: impl Fn(&FromEngine) -> Option<T>) -> T {
        for _ in 0..2_000 {
            if let Some(found) = self.heard.borrow().iter().find_map(&wanted) {
                return found;
            }
            browser::sleep(10).await;
        }
        panic!("never heard it, but {:?}", self.heard.borrow());
    }

    async fn is_ready(&self) {
        self.hears(|message| (*message == FromEngine::Ready).then_some(()))
            .await;
    }

    async fn is_locked(&self) -> LockView {
        self.hears(|message| match message {
            FromEngine::Locked(view) => Some(view.clone()),
            _ => None,
        })
        .await
    }

    async fn keys(&self) -> VaultView {
        self.hears(|message| match message {
            FromEngine::News(News::Vault(view)) => Some(view.clone()),
            _ => None,
        })
        .await
    }

    /// The page goes away, and its worker with it.
    async fn end(self) {
        self.queue.push(Event::LockLost);
        self.hears(|message| (*message == FromEngine::Yielded).then_some(()))
            .await;
        self.queue.close();
    }
}

fn place(test: &str) -> Place {
    let name = format!("ume-{test}-{}", js_sys::Math::random());
    let mut schema = store::schema();
    schema.name.clone_from(&name);
    Place { schema, lock: name }
}

fn secret(text: &str) -> Secret {
    Secret(text.as_bytes().to_vec())
}

fn passphrase(text: &str) -> UnlockKey {
    UnlockKey::Passphrase(secret(text))
}

fn set(text: &str, alone: bool) -> VaultDeed {
    VaultDeed::Passphrase {
        current: None,
        new: Some(secret(text)),
        alone,
    }
}

/// A place whose vault asks for [`RIGHT`].
async fn guarded(test: &str) -> Place {
    let place = place(test);
    let tab = Tab::open(&place);
    tab.is_ready().await;
    assert_eq!(tab.keep(set(RIGHT, true)).await, Ok(Reply::Done));
    tab.end().await;
    place
}

async fn meta(schema: &Schema, row: &str) -> JsValue {
    let database = Database::open(schema, || ()).await.unwrap();
    let asked = database
        .transact(&[store::META], Access::Read, |transaction| {
            transaction.object_store(store::META)?.get(&row.into())
        })
        .await
        .unwrap();
    database.close();
    asked.result().unwrap()
}

async fn put_meta(schema: &Schema, row: &str, value: &JsValue) {
    let database = Database::open(schema, || ()).await.unwrap();
    database
        .transact(&[store::META], Access::Write, |transaction| {
            transaction
                .object_store(store::META)?
                .put_with_key(value, &row.into())
        })
        .await
        .unwrap();
    database.close();
}

async fn device_keys(schema: &Schema) -> u32 {
    let database = Database::open(schema, || ()).await.unwrap();
    let asked = database
        .transact(&[store::KEYS], Access::Read, |transaction| {
            transaction.object_store(store::KEYS)?.get_all_keys()
        })
        .await
        .unwrap();
    database.close();
    asked
        .result()
        .unwrap()
        .unchecked_into::<js_sys::Array>()
        .length()
}

#[wasm_bindgen_test]
async fn a_passphrase_is_asked_for_and_the_device_forgets_its_key() {
    let place = guarded("asked").await;
    assert_eq!(device_keys(&place.schema).await, 0);
    let tab = Tab::open(&place);
    let view = tab.is_locked().await;
    assert_eq!((view.wait_ms, view.refused), (0, None));

    tab.unlock(passphrase("five canaries sing at noon"));
    assert_eq!(tab.is_locked().await.refused, Some(Refused::Wrong));
    let began = browser::now().0;
    tab.unlock(passphrase(RIGHT));
    tab.is_ready().await;
    wasm_bindgen_test::console_log!("unlocked in {} ms", browser::now().0 - began);
    let keys = tab.keys().await;
    assert!(keys.passphrase && !keys.device);
    assert_eq!(meta(&place.schema, "attempts").await.as_f64(), Some(0.0));
    tab.end().await;
}

#[wasm_bindgen_test]
async fn with_the_device_s_key_left_nobody_is_asked() {
    let place = place("both");
    let tab = Tab::open(&place);
    tab.is_ready().await;
    assert_eq!(tab.keep(set(RIGHT, false)).await, Ok(Reply::Done));
    tab.end().await;
    let tab = Tab::open(&place);
    tab.is_ready().await;
    let keys = tab.keys().await;
    assert!(keys.passphrase && keys.device);
    tab.end().await;
}

#[wasm_bindgen_test]
async fn a_passphrase_is_changed_and_removed_by_who_knows_it_only() {
    let place = guarded("changed").await;
    let tab = Tab::open(&place);
    tab.is_locked().await;
    tab.unlock(passphrase(RIGHT));
    tab.is_ready().await;
    let change = |current: &str| VaultDeed::Passphrase {
        current: Some(secret(current)),
        new: Some(secret(OTHER)),
        alone: true,
    };
    assert_eq!(tab.keep(set(OTHER, true)).await, Err(Failure::KeyWrong));
    assert_eq!(tab.keep(change(OTHER)).await, Err(Failure::KeyWrong));
    assert_eq!(
        tab.keep(set("too short", true)).await,
        Err(Failure::KeyWrong)
    );
    assert_eq!(tab.keep(change(RIGHT)).await, Ok(Reply::Done));
    let current = secret(RIGHT);
    assert_eq!(
        tab.keep(VaultDeed::NoPassphrase { current }).await,
        Err(Failure::KeyWrong),
        "the old one is not it any more"
    );
    tab.end().await;

    let tab = Tab::open(&place);
    tab.is_locked().await;
    tab.unlock(passphrase(OTHER));
    tab.is_ready().await;
    let current = secret(OTHER);
    assert_eq!(
        tab.keep(VaultDeed::NoPassphrase { current }).await,
        Ok(Reply::Done)
    );
    tab.end().await;
    let tab = Tab::open(&place);
    tab.is_ready().await;
    let keys = tab.keys().await;
    assert!(keys.device && !keys.passphrase, "one slot remains");
    tab.end().await;
}

#[wasm_bindgen_test]
async fn attempts_slow_down_and_a_new_start_does_not_forget_them() {
    let place = guarded("slow").await;
    let tab = Tab::open(&place);
    tab.is_locked().await;
    let mut waits = Vec::new();
    for _ in 0..3 {
        tab.unlock(passphrase("no canary sings today"));
        let view = tab.is_locked().await;
        assert_eq!(view.refused, Some(Refused::Wrong));
        waits.push(view.wait_ms);
    }
    assert_eq!(waits, [0, 0, 2_000]);
    // Even the right one is not tried now.
    tab.unlock(passphrase(RIGHT));
    let view = tab.is_locked().await;
    assert_eq!(view.refused, Some(Refused::TooSoon));
    assert!(view.wait_ms > 0 && view.wait_ms <= 2_000);
    tab.queue.close();

    let again = Tab::open(&place);
    assert_eq!(again.is_locked().await.wait_ms, 2_000, "all of it, again");
    again.unlock(passphrase(RIGHT));
    assert_eq!(again.is_locked().await.refused, Some(Refused::TooSoon));

    // A tab that had been there before, and had been told of no pause, learns of it.
    let (bystander, count) = (Tab::open(&place), meta(&place.schema, "attempts").await);
    assert_eq!(
        count.as_f64(),
        Some(3.0),
        "what was not tried does not count"
    );
    bystander.is_locked().await;
    put_meta(&place.schema, "attempts", &4.into()).await;
    browser::sleep(2_100).await;
    bystander.unlock(passphrase(RIGHT));
    let view = bystander.is_locked().await;
    assert_eq!(
        (view.refused, view.wait_ms),
        (Some(Refused::TooSoon), 4_000)
    );
    browser::sleep(4_100).await;
    bystander.unlock(passphrase(RIGHT));
    bystander.is_ready().await;
    bystander.end().await;
}

#[wasm_bindgen_test]
async fn recovery_words_open_it_once_two_of_them_were_typed() {
    let place = guarded("words").await;
    let tab = Tab::open(&place);
    assert!(!tab.is_locked().await.words);
    tab.unlock(passphrase(RIGHT));
    tab.is_ready().await;
    let Ok(Reply::Words { words, asked }) = tab.keep(VaultDeed::MakeWords).await else {
        panic!("no words");
    };
    let words = String::from_utf8(words.0.clone()).unwrap();
    let word = |at: u8| secret(words.split(' ').nth(usize::from(at)).unwrap());
    let [first, second] = asked;
    assert!(first < second);
    let mistyped = [word(first), secret("wrong")];
    assert_eq!(
        tab.keep(VaultDeed::KeepWords { answers: mistyped }).await,
        Err(Failure::KeyWrong)
    );
    let answers = [word(first), word(second)];
    assert_eq!(
        tab.keep(VaultDeed::KeepWords { answers }).await,
        Ok(Reply::Done)
    );
    tab.end().await;

    let tab = Tab::open(&place);
    assert!(tab.is_locked().await.words);
    tab.unlock(UnlockKey::Words(secret("no words at all")));
    assert_eq!(tab.is_locked().await.refused, Some(Refused::NoWords));
    tab.unlock(UnlockKey::Words(secret(&words.to_uppercase())));
    tab.is_ready().await;
    assert_eq!(tab.keep(VaultDeed::NoWords).await, Ok(Reply::Done));
    tab.end().await;
    let tab = Tab::open(&place);
    assert!(!tab.is_locked().await.words);
}

#[wasm_bindgen_test]
async fn a_passkey_is_an_extra_way_in() {
    let place = place("passkey");
    let tab = Tab::open(&place);
    tab.is_ready().await;
    let passkey = PasskeyView {
        credential: vec![1, 2, 3],
        salt: [4; 32],
    };
    let add = || VaultDeed::Passkey {
        passkey: passkey.clone(),
        output: Secret(vec![5; 32]),
    };
    assert_eq!(
        tab.keep(add()).await,
        Err(Failure::NotAllowed),
        "never alone"
    );
    assert_eq!(tab.keep(set(RIGHT, true)).await, Ok(Reply::Done));
    assert_eq!(tab.keep(add()).await, Ok(Reply::Done));
    tab.end().await;

    let tab = Tab::open(&place);
    assert_eq!(
        tab.is_locked().await.passkeys,
        std::slice::from_ref(&passkey)
    );
    let key = |byte| UnlockKey::Passkey {
        credential: passkey.credential.clone(),
        output: Secret(vec![byte; 32]),
    };
    tab.unlock(key(6));
    assert_eq!(tab.is_locked().await.refused, Some(Refused::Wrong));
    tab.unlock(key(5));
    tab.is_ready().await;
    let credential = passkey.credential.clone();
    assert_eq!(
        tab.keep(VaultDeed::NoPasskey { credential }).await,
        Ok(Reply::Done)
    );
    assert_eq!(tab.keys().await.passkeys, []);
    tab.end().await;
}

#[wasm_bindgen_test]
async fn when_it_locks_itself_is_kept_sealed_and_damage_is_told() {
    let place = guarded("rules").await;
    let rules = LockRules {
        idle_minutes: 15,
        hide: false,
    };
    let tab = Tab::open(&place);
    tab.is_locked().await;
    tab.unlock(passphrase(RIGHT));
    tab.is_ready().await;
    assert_eq!(tab.keep(VaultDeed::Rules(rules)).await, Ok(Reply::Done));
    tab.end().await;
    let stored = Uint8Array::new(&meta(&place.schema, "rules").await);

    let tab = Tab::open(&place);
    tab.is_locked().await;
    tab.unlock(passphrase(RIGHT));
    tab.is_ready().await;
    assert_eq!(tab.keys().await.rules, rules);
    tab.end().await;

    let last = stored.length() - 1;
    stored.set_index(last, stored.get_index(last) ^ 1);
    put_meta(&place.schema, "rules", &stored).await;
    let tab = Tab::open(&place);
    tab.is_locked().await;
    tab.unlock(passphrase(RIGHT));
    tab.is_ready().await;
    let strictest = LockRules {
        idle_minutes: 1,
        hide: true,
    };
    assert_eq!(tab.keys().await.rules, strictest);
    tab.hears(|message| match message {
        FromEngine::News(News::Notice(ume_api::Notice::RecordsDamaged { count: 1 })) => Some(()),
        _ => None,
    })
    .await;
    tab.end().await;
}

#[wasm_bindgen_test]
async fn a_flipped_bit_in_the_slots_is_refused_and_never_opens() {
    let place = guarded("flipped").await;
    let whole = Uint8Array::new(&meta(&place.schema, "slots").await).to_vec();
    // One in each part: version, kind, length, cost, salt, nonce, key, tag.
    for at in [0, 1, 2, 6, 18, 34, 50, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        put_meta(&place.schema, "slots", &Uint8Array::from(bytes.as_slice())).await;
        put_meta(&place.schema, "attempts", &0.into()).await;
        let tab = Tab::open(&place);
        let said = |message: &FromEngine| match message {
            FromEngine::Locked(view) => Some(Ok(view.clone())),
            FromEngine::Failed(failure) => Some(Err(*failure)),
            FromEngine::Ready => panic!("it opened with bit {at} flipped"),
            _ => None,
        };
        if tab.hears(said).await.is_ok() {
            tab.unlock(passphrase(RIGHT));
            let refused = tab.hears(said).await.map(|view| view.refused);
            assert_eq!(refused, Ok(Some(Refused::Wrong)), "byte {at}");
        }
        tab.queue.close();
    }
    put_meta(&place.schema, "slots", &Uint8Array::from(whole.as_slice())).await;
    let tab = Tab::open(&place);
    tab.is_locked().await;
    tab.unlock(passphrase(RIGHT));
    tab.is_ready().await;
    tab.end().await;
}

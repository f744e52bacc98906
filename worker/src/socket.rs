//! The sockets, one per relay. They live in a worker of their own (`assets/line-worker.js`), which carries out plans of
//! slots on a thread that nothing else uses.

use crate::address::socket_url;
use bytes::Bytes;
use js_sys::{Array, ArrayBuffer, Float64Array, Function, JsString, Reflect, Uint8Array};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use ume_engine::io::{Input, RelayAddress, Slot, pad};
use ume_wire::limits::FRAME_BYTES;
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, Worker};

/// Close code of a server that starts again.
const CLOSE_RESTART: u16 = 1012;
/// The function of this worker's global scope that starts a line worker: who may load which script is decided there.
const START: &str = "lineWorker";

type Hear = Rc<dyn Fn(Input)>;
/// The lines that are open or opening, by the number that the line worker knows each by. A number is used once, so what an
/// earlier connection still says is told apart.
type Lines = Rc<RefCell<BTreeMap<u32, RelayAddress>>>;

/// The connections of an engine.
pub struct Sockets {
    /// `None` where it could not be started; nothing connects then.
    worker: Option<Worker>,
    lines: Lines,
    last: Cell<u32>,
    hear: Hear,
    _handler: Closure<dyn FnMut(MessageEvent)>,
}

impl std::fmt::Debug for Sockets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sockets(..)")
    }
}

impl Sockets {
    /// No connection yet. `hear` is called with [`Input::Connected`], [`Input::Disconnected`],
    /// [`Input::Restarting`], [`Input::Frame`] and [`Input::Left`].
    pub fn new(hear: impl Fn(Input) + 'static) -> Self {
        let (lines, hear): (Lines, Hear) = (Rc::default(), Rc::new(hear));
        let handler = {
            let (lines, hear) = (Rc::clone(&lines), Rc::clone(&hear));
            Closure::new(move |event: MessageEvent| {
                if let Some(input) = input(&lines, &event.data()) {
                    hear(input);
                }
            })
        };
        let worker = start();
        if let Some(worker) = &worker {
            worker.set_onmessage(Some(handler.as_ref().unchecked_ref()));
        }
        let sockets = Self {
            worker,
            lines,
            last: Cell::new(0),
            hear,
            _handler: handler,
        };
        sockets.post(&["pad".into(), bytes(&pad())]);
        sockets
    }

    fn post(&self, parts: &[JsValue]) {
        if let Some(worker) = &self.worker {
            let message: Array = parts.iter().collect();
            // What cannot be cloned is not among it.
            let _ = worker.post_message(&message);
        }
    }

    fn number(&self, relay: &RelayAddress) -> Option<JsValue> {
        let lines = self.lines.borrow();
        let found = lines.iter().find(|(_, open)| *open == relay);
        found.map(|(number, _)| (*number).into())
    }

    /// Opens a connection; a second one to the same relay replaces the first.
    pub fn connect(&self, relay: RelayAddress) {
        self.disconnect(&relay);
        match (socket_url(&relay), &self.worker) {
            (Some(url), Some(_)) => {
                let number = self.last.get().wrapping_add(1);
                self.last.set(number);
                self.lines.borrow_mut().insert(number, relay);
                self.post(&["open".into(), number.into(), url.into()]);
            }
            _ => (self.hear)(Input::Disconnected(relay)),
        }
    }

    /// Closes a connection; nothing more is heard of it.
    pub fn disconnect(&self, relay: &RelayAddress) {
        if let Some(number) = self.number(relay) {
            self.post(&["close".into(), number]);
            self.lines.borrow_mut().retain(|_, open| open != relay);
        }
    }

    /// Sends a frame, or drops it if the connection is not open.
    pub fn send(&self, relay: &RelayAddress, frame: &Bytes) {
        if let Some(number) = self.number(relay) {
            self.post(&["send".into(), number, bytes(frame)]);
        }
    }

    /// Plans slots.
    pub fn plan(&self, relay: &RelayAddress, slots: &[Slot], afresh: bool) {
        let Some(number) = self.number(relay) else {
            return;
        };
        #[allow(clippy::cast_precision_loss)] // minutes in milliseconds
        let gaps: Vec<f64> = slots.iter().map(|slot| slot.gap_ms as f64).collect();
        let frames: Vec<u8> = slots
            .iter()
            .map(|slot| u8::try_from(slot.frames).unwrap_or(u8::MAX))
            .collect();
        // Only a plan that begins anew says something in its first slot.
        let fixed = slots.first().and_then(|slot| slot.fixed.as_ref());
        self.post(&[
            "plan".into(),
            number,
            afresh.into(),
            Float64Array::from(&gaps[..]).into(),
            Uint8Array::from(&frames[..]).into(),
            fixed.map_or(JsValue::UNDEFINED, bytes),
        ]);
    }

    /// Gives a frame that fills a slot.
    pub fn fill(&self, relay: &RelayAddress, frame: &Bytes) {
        if let Some(number) = self.number(relay) {
            self.post(&["fill".into(), number, bytes(frame)]);
        }
    }

    /// Closes every connection.
    pub fn disconnect_all(&self) {
        let relays: Vec<RelayAddress> = self.lines.borrow().values().cloned().collect();
        for relay in relays {
            self.disconnect(&relay);
        }
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        if let Some(worker) = &self.worker {
            worker.set_onmessage(None);
            worker.terminate();
        }
    }
}

fn bytes(frame: &Bytes) -> JsValue {
    Uint8Array::from(&frame[..]).into()
}

fn start() -> Option<Worker> {
    let start = Reflect::get(&js_sys::global(), &START.into()).ok()?;
    let worker = start.dyn_ref::<Function>()?.call0(&JsValue::UNDEFINED);
    worker.ok()?.dyn_into().ok()
}

/// What the line worker said; nothing if it is about a connection of before.
fn input(lines: &Lines, message: &JsValue) -> Option<Input> {
    let parts: &Array = message.dyn_ref()?;
    let number = whole(&parts.get(1))?;
    let relay = lines.borrow().get(&number).cloned()?;
    let what = String::from(parts.get(0).dyn_ref::<JsString>()?);
    Some(match what.as_str() {
        "opened" => Input::Connected(relay),
        "closed" => {
            lines.borrow_mut().remove(&number);
            match retry_after(&parts.get(2), &parts.get(3)) {
                Some(after) => Input::Restarting(relay, after),
                None => Input::Disconnected(relay),
            }
        }
        "left" => Input::Left {
            relay,
            slots: whole(&parts.get(2))? as usize,
            frames: whole(&parts.get(3))?,
            filled: whole(&parts.get(4))?,
        },
        "frame" => {
            if let Some(frame) = frame(&parts.get(2)) {
                Input::Frame(relay, frame)
            } else {
                // Whoever sends anything but frames of the one size is no relay. The engine opens another connection, and
                // with it the number of this one is forgotten.
                lines.borrow_mut().remove(&number);
                Input::Disconnected(relay)
            }
        }
        _ => return None,
    })
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a float cast saturates
fn whole(value: &JsValue) -> Option<u32> {
    value.as_f64().map(|number| number as u32)
}

/// What a relay that starts again says when it closes: code 1012 (RFC 6455, section 7.4.2), reason `retry=` and
/// milliseconds.
fn retry_after(code: &JsValue, reason: &JsValue) -> Option<u64> {
    let restarts = whole(code) == Some(CLOSE_RESTART.into());
    let reason = reason.as_string().filter(|_| restarts)?;
    reason.strip_prefix("retry=")?.parse().ok()
}

fn frame(data: &JsValue) -> Option<Bytes> {
    let bytes = Uint8Array::new(data.dyn_ref::<ArrayBuffer>()?);
    (usize::try_from(bytes.length()) == Ok(FRAME_BYTES)).then(|| Bytes::from(bytes.to_vec()))
}

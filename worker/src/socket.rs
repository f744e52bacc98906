//! One WebSocket per relay.

use crate::address::socket_url;
use crate::browser;
use bytes::Bytes;
use js_sys::{ArrayBuffer, Uint8Array};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use ume_engine::io::{Input, RelayAddress};
use ume_wire::limits::FRAME_BYTES;
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

/// Close code of a server that starts again.
const CLOSE_RESTART: u16 = 1012;
/// How long a connection may take to open, ms.
const CONNECT_WAIT: u32 = 10_000;

type Hear = Rc<dyn Fn(Input)>;

/// The connections of an engine.
pub struct Sockets {
    open: Rc<RefCell<BTreeMap<RelayAddress, Socket>>>,
    hear: Hear,
}

impl std::fmt::Debug for Sockets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sockets(..)")
    }
}

impl Sockets {
    /// No connection yet. `hear` is called with [`Input::Connected`], [`Input::Disconnected`],
    /// [`Input::Restarting`] and [`Input::Frame`].
    pub fn new(hear: impl Fn(Input) + 'static) -> Self {
        Self {
            open: Rc::default(),
            hear: Rc::new(hear),
        }
    }

    /// Opens a connection; a second one to the same relay replaces the first.
    pub fn connect(&self, relay: RelayAddress) {
        self.disconnect(&relay);
        let opened = socket_url(&relay).and_then(|url| WebSocket::new(&url).ok());
        match opened {
            Some(inner) => {
                let socket = Socket::new(inner, &relay, &self.open, &self.hear);
                self.open.borrow_mut().insert(relay, socket);
            }
            None => (self.hear)(Input::Disconnected(relay)),
        }
    }

    /// Closes a connection; nothing more is heard of it.
    pub fn disconnect(&self, relay: &RelayAddress) {
        drop(self.open.borrow_mut().remove(relay));
    }

    /// Sends a frame, or drops it if the connection is not open.
    pub fn send(&self, relay: &RelayAddress, frame: &Bytes) {
        if let Some(socket) = self.open.borrow().get(relay)
            && socket.inner.ready_state() == WebSocket::OPEN
        {
            // A socket that fails here reports `close`.
            let _ = socket.inner.send_with_u8_array(frame);
        }
    }

    /// Closes every connection.
    pub fn disconnect_all(&self) {
        self.open.borrow_mut().clear();
    }
}

/// Dropping it closes the connection and silences it.
struct Socket {
    inner: WebSocket,
    deadline: f64,
    _handlers: [Closure<dyn FnMut(JsValue)>; 4],
}

impl Socket {
    fn new(
        inner: WebSocket,
        relay: &RelayAddress,
        open: &Rc<RefCell<BTreeMap<RelayAddress, Self>>>,
        hear: &Hear,
    ) -> Self {
        inner.set_binary_type(BinaryType::Arraybuffer);

        let connected = {
            let (hear, relay) = (Rc::clone(hear), relay.clone());
            let inner = inner.clone();
            Closure::<dyn FnMut(JsValue)>::new(move |_| {
                inner.set_onopen(None);
                hear(Input::Connected(relay.clone()));
            })
        };
        let lost = {
            let (hear, relay, open) = (Rc::clone(hear), relay.clone(), Rc::clone(open));
            Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
                end(&open, &relay, &hear, retry_after(&event));
            })
        };
        let received = {
            let (hear, relay, open) = (Rc::clone(hear), relay.clone(), Rc::clone(open));
            Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| match frame(&event) {
                Some(frame) => hear(Input::Frame(relay.clone(), frame)),
                // Whoever sends anything but frames of the one size is no relay.
                None => end(&open, &relay, &hear, None),
            })
        };
        let late = {
            let (hear, relay, open, inner) = (
                Rc::clone(hear),
                relay.clone(),
                Rc::clone(open),
                inner.clone(),
            );
            Closure::<dyn FnMut(JsValue)>::new(move |_| {
                if inner.ready_state() == WebSocket::CONNECTING {
                    end(&open, &relay, &hear, None);
                }
            })
        };
        inner.set_onopen(Some(connected.as_ref().unchecked_ref()));
        inner.set_onclose(Some(lost.as_ref().unchecked_ref()));
        inner.set_onmessage(Some(received.as_ref().unchecked_ref()));
        let deadline = browser::set_timeout(late.as_ref().unchecked_ref(), CONNECT_WAIT);
        Self {
            inner,
            deadline,
            _handlers: [connected, lost, received, late],
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        browser::clear_timeout(self.deadline);
        self.inner.set_onopen(None);
        self.inner.set_onclose(None);
        self.inner.set_onmessage(None);
        let _ = self.inner.close();
    }
}

/// Forgets a connection and says so once. The socket is dropped a moment later: this runs inside one of its handlers.
fn end(
    open: &Rc<RefCell<BTreeMap<RelayAddress, Socket>>>,
    relay: &RelayAddress,
    hear: &Hear,
    retry_after_ms: Option<u64>,
) {
    let ended = open.borrow_mut().remove(relay);
    if let Some(socket) = ended {
        socket.inner.set_onmessage(None);
        socket.inner.set_onclose(None);
        wasm_bindgen_futures::spawn_local(async move { drop(socket) });
        let relay = relay.clone();
        hear(match retry_after_ms {
            Some(after) => Input::Restarting(relay, after),
            None => Input::Disconnected(relay),
        });
    }
}

/// What a relay that starts again says when it closes: code 1012 (RFC 6455, section 7.4.2), reason `retry=` and
/// milliseconds.
fn retry_after(event: &JsValue) -> Option<u64> {
    let event = event.dyn_ref::<CloseEvent>()?;
    let reason = (event.code() == CLOSE_RESTART).then(|| event.reason())?;
    reason.strip_prefix("retry=")?.parse().ok()
}

fn frame(event: &JsValue) -> Option<Bytes> {
    let data = event
        .dyn_ref::<MessageEvent>()?
        .data()
        .dyn_into::<ArrayBuffer>()
        .ok()?;
    let bytes = Uint8Array::new(&data);
    (usize::try_from(bytes.length()) == Ok(FRAME_BYTES)).then(|| Bytes::from(bytes.to_vec()))
}

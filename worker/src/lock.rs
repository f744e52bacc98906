//! One engine per browser profile: the Web Lock, and how a tab asks for it.

use crate::browser;
use crate::database::StoreError;
use js_sys::{Array, Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortSignal, BroadcastChannel, DomException, MessageEvent};

/// Name of the lock and of the channel.
pub const NAME: &str = "ume-engine";
/// How long a page that is just starting waits: the worker of a page that was reloaded takes a moment to die, ms.
pub const GRACE: u32 = 400;
/// How long the holder has to yield before the lock is stolen, ms.
pub const PATIENCE: u32 = 3000;

const YIELD: &str = "yield";

/// How to get the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Wait this long, ms.
    Wait(u32),
    /// Take it from whoever has it.
    Steal,
}

/// The lock, held until dropped.
#[derive(Debug)]
pub struct Held {
    release: Option<Function>,
}

impl Drop for Held {
    fn drop(&mut self) {
        call(self.release.as_ref());
    }
}

/// Tries to get the lock; `None` if another has it. `lost` is called if it is stolen later.
///
/// # Errors
/// [`StoreError::Denied`] where there are no locks: outside a secure context.
pub async fn acquire(
    name: &str,
    way: Way,
    lost: impl FnOnce() + 'static,
) -> Result<Option<Held>, StoreError> {
    let manager = browser::locks().ok_or(StoreError::Denied)?;
    let (held, release) = promise();
    let (granted, grant) = promise();
    let on_granted = Closure::once_into_js(move |_: JsValue| -> Promise {
        call(grant.as_ref());
        held
    });
    let options = match way {
        Way::Wait(milliseconds) => {
            browser::object(&[("signal", AbortSignal::timeout_with_u32(milliseconds).into())])
        }
        Way::Steal => browser::object(&[("steal", JsValue::TRUE)]),
    };
    let request = manager
        .request(name, &options, on_granted.unchecked_ref())
        .map_err(|_| StoreError::Denied)?;
    if let Err(why) = JsFuture::from(Promise::race(&Array::of2(&granted, &request))).await {
        // Where site data is blocked the request is refused at once; only waiting in vain means that another has it.
        let name = why.dyn_into::<DomException>().map(|why| why.name());
        let in_vain = name.is_ok_and(|name| matches!(name.as_str(), "AbortError" | "TimeoutError"));
        return if in_vain {
            Ok(None)
        } else {
            Err(StoreError::Denied)
        };
    }
    spawn_local(async move {
        // Fulfilled when we released it, rejected when somebody stole it.
        if JsFuture::from(request).await.is_err() {
            lost();
        }
    });
    Ok(Some(Held { release }))
}

/// The channel on which tabs ask each other for the lock.
pub struct Doorbell {
    channel: Option<BroadcastChannel>,
    _on_ring: Closure<dyn FnMut(MessageEvent)>,
}

impl std::fmt::Debug for Doorbell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Doorbell(..)")
    }
}

impl Doorbell {
    /// Listens; `rung` is called whenever another tab asks for the lock.
    pub fn new(name: &str, rung: impl Fn() + 'static) -> Self {
        let on_ring = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if event.data().as_string().as_deref() == Some(YIELD) {
                rung();
            }
        });
        // Without a channel nobody can ask; the lock can still be stolen.
        let channel = BroadcastChannel::new(name).ok();
        if let Some(channel) = &channel {
            channel.set_onmessage(Some(on_ring.as_ref().unchecked_ref()));
        }
        Self {
            channel,
            _on_ring: on_ring,
        }
    }

    /// Asks whoever holds the lock to yield.
    pub fn ring(&self) {
        if let Some(channel) = &self.channel {
            let _ = channel.post_message(&YIELD.into());
        }
    }
}

impl Drop for Doorbell {
    fn drop(&mut self) {
        if let Some(channel) = &self.channel {
            channel.set_onmessage(None);
            channel.close();
        }
    }
}

/// A promise and what fulfils it. There is always a function: the executor has run when the promise exists.
fn promise() -> (Promise, Option<Function>) {
    let mut resolver = None;
    let promise = Promise::new(&mut |resolve, _| resolver = Some(resolve));
    (promise, resolver)
}

fn call(function: Option<&Function>) {
    // A promise's own function does not throw.
    let _ = function.map(|function| function.call0(&JsValue::NULL));
}

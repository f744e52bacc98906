//! The engine worker's entry points, called by `assets/engine-worker.js`.

#[cfg(target_arch = "wasm32")]
#[allow(unreachable_pub)] // `wasm_bindgen` exports public functions only, and nothing in Rust calls them.
mod entry {
    use std::cell::OnceCell;
    use std::rc::Rc;
    use ume_api::{Failure, FromEngine};
    use ume_worker::page;
    use ume_worker::queue::Queue;
    use ume_worker::session::{self, Place};
    use wasm_bindgen::prelude::*;

    thread_local! {
        static QUEUE: OnceCell<Rc<Queue>> = const { OnceCell::new() };
    }

    pub(crate) fn start() {
        page::stop_on_panic();
        QUEUE.with(|queue| {
            let tell = Rc::new(|message| page::tell(&message));
            queue.get_or_init(|| session::start::<ume_engine::Engine>(Place::default(), tell));
        });
    }

    /// A message of the page.
    #[wasm_bindgen]
    pub fn receive(message: &JsValue) {
        QUEUE.with(|queue| match (queue.get(), page::read(message)) {
            (Some(queue), Some(event)) => queue.push(event),
            // Page and worker are of different builds.
            _ => page::tell(&FromEngine::Failed(Failure::Internal)),
        });
    }
}

fn main() {
    #[cfg(target_arch = "wasm32")]
    entry::start();
}

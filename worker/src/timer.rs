//! The one timer of the engine.

use crate::browser;
use std::cell::RefCell;
use ume_engine::io::Millis;
use wasm_bindgen::prelude::*;

/// Longest wait, ms: an early tick is allowed, and browsers overflow beyond 2^31.
const WAIT_MAX: u64 = 6 * 3600 * 1000;

/// Calls back at a time; a new time replaces the one before.
#[derive(Debug)]
pub struct Timer {
    ring: Closure<dyn FnMut()>,
    running: RefCell<Option<f64>>,
}

impl Timer {
    /// A timer that calls `ring`.
    pub fn new(ring: impl FnMut() + 'static) -> Self {
        Self {
            ring: Closure::new(ring),
            running: RefCell::new(None),
        }
    }

    /// Rings at this time at the latest.
    pub fn set(&self, at: Millis) {
        self.clear();
        let wait = at.0.saturating_sub(browser::now().0).min(WAIT_MAX);
        let wait = u32::try_from(wait).unwrap_or(u32::MAX);
        *self.running.borrow_mut() = Some(browser::set_timeout(
            self.ring.as_ref().unchecked_ref(),
            wait,
        ));
    }

    /// Does not ring.
    pub fn clear(&self) {
        if let Some(id) = self.running.borrow_mut().take() {
            browser::clear_timeout(id);
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.clear();
    }
}

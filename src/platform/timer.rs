//! Waiting.
use leptos::prelude::{on_cleanup, set_interval, set_interval_with_handle, set_timeout};
use std::time::Duration;

/// Calls once, after so many milliseconds.
pub(crate) fn after(milliseconds: u64, callback: impl FnOnce() + 'static) {
    set_timeout(callback, Duration::from_millis(milliseconds));
}

/// Calls again and again for the life of the page.
pub(crate) fn every(milliseconds: u64, callback: impl Fn() + 'static) {
    set_interval(callback, Duration::from_millis(milliseconds));
}

/// Calls again and again until the part of the page that wants it is gone.
pub(crate) fn while_here(milliseconds: u64, callback: impl Fn() + 'static) {
    if let Ok(ticking) = set_interval_with_handle(callback, Duration::from_millis(milliseconds)) {
        on_cleanup(move || ticking.clear());
    }
}

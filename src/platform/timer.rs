//! Waiting.
use leptos::prelude::{set_interval, set_timeout};
use std::time::Duration;

/// Calls once, after so many milliseconds.
pub(crate) fn after(milliseconds: u64, callback: impl FnOnce() + 'static) {
    set_timeout(callback, Duration::from_millis(milliseconds));
}

/// Calls again and again for the life of the page.
pub(crate) fn every(milliseconds: u64, callback: impl Fn() + 'static) {
    set_interval(callback, Duration::from_millis(milliseconds));
}

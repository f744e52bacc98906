//! What the service manager is told: that the relay is ready, alive, and about to stop (`sd_notify(3)`). Without a service
//! manager that waits for word, nothing happens here.

use crate::journal;
use sd_notify::NotifyState;

pub(crate) fn ready() {
    tell(NotifyState::Ready);
}

pub(crate) fn stopping() {
    tell(NotifyState::Stopping);
}

/// Gives signs of life from where connections are served: if those tasks no longer run, neither does this one.
pub(crate) async fn watch() {
    let Some(patience) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut ticks = tokio::time::interval(patience / 3);
    loop {
        ticks.tick().await;
        tell(NotifyState::Watchdog);
    }
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        journal::because(journal::NOTIFY_FAILED, &error.to_string());
    }
}

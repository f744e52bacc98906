//! The relay that runs, as the desk needs it.

use super::{Running, RunningTotals};
use crate::{
    refusal::Refusal,
    server::Core,
    store::{Outcome, Write},
};
use std::{sync::Arc, time::Instant};
use tokio::{runtime::Handle, sync::watch};

/// A relay that runs.
pub(crate) struct AtWork {
    core: Arc<Core>,
    runtime: Handle,
    since: Instant,
    stopped: watch::Receiver<bool>,
}

impl AtWork {
    /// Called within the runtime.
    pub(crate) fn new(core: Arc<Core>, stopped: watch::Receiver<bool>) -> Self {
        Self {
            core,
            runtime: Handle::current(),
            since: Instant::now(),
            stopped,
        }
    }
}

impl Running for AtWork {
    /// On a thread that may block.
    fn write(&self, write: Write) -> Outcome {
        self.runtime.block_on(async {
            let outcome = self.core.commit.submit(write).await;
            outcome.await.unwrap_or(Outcome::Refused(Refusal::STORAGE))
        })
    }

    fn is_stopping(&self) -> bool {
        *self.stopped.borrow()
    }

    fn totals(&self) -> Option<RunningTotals> {
        let core = &self.core;
        Some(RunningTotals {
            uptime_seconds: self.since.elapsed().as_secs(),
            connections: u64::try_from(core.metrics.connections.get()).unwrap_or(0),
            bytes_max: core.limits.store_bytes,
            lanes_max: core.limits.store_lanes,
            work_bits: core.admission.work_bits_of_all(Instant::now()),
            access_needed: core.admission.needs_access(),
        })
    }
}

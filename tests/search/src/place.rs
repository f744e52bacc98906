//! Where the bench runs: as a native program, or as what browsers run, in Node.

#[cfg(not(target_arch = "wasm32"))]
mod here {
    use rustix::time::{ClockId, clock_gettime};
    use std::time::Duration;

    /// The processor's time of this thread: other load on the machine matters little.
    pub(crate) fn clock() -> Duration {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        let (seconds, rest) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
        Duration::from_secs(seconds) + Duration::from_nanos(rest)
    }

    pub(crate) fn say(line: &str) {
        println!("{line}");
    }

    pub(crate) fn word() -> Option<String> {
        std::env::args().nth(1)
    }
}

#[cfg(target_arch = "wasm32")]
#[allow(unreachable_pub)] // made by `wasm_bindgen`
mod here {
    use std::time::Duration;
    use wasm_bindgen::prelude::*;

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_namespace = performance)]
        fn now() -> f64;
        #[wasm_bindgen(js_namespace = console)]
        fn log(line: &str);
    }

    pub(crate) fn clock() -> Duration {
        Duration::from_secs_f64(now() / 1e3)
    }

    pub(crate) fn say(line: &str) {
        log(line);
    }

    pub(crate) fn word() -> Option<String> {
        None
    }
}

pub(crate) use here::{clock, say, word};

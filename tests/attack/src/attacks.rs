//! The attacks, each on a relay of its own.

mod bombs;
mod floods;
mod handshakes;
mod numbers;
mod readers;
mod silence;
mod slow;

use crate::{Fault, Result, relay::Relay, report::Report};
use std::{future::Future, pin::Pin};
use tokio::task::JoinSet;

/// How many attackers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Quick,
    Full,
}

impl Size {
    fn pick<T>(self, quick: T, full: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}

type Run =
    for<'a> fn(&'a Relay, Size, &'a mut Report) -> Pin<Box<dyn Future<Output = Result> + 'a>>;

/// One way to attack.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Options of the relay.
    pub(crate) options: &'static [&'static str],
    /// By how many MiB the relay may grow meanwhile.
    pub(crate) memory: u64,
    pub(crate) run: Run,
}

const MEMORY: u64 = 64;

pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        name: "giants",
        about: "WebSocket frames that declare 1 GiB and more",
        options: &[],
        memory: MEMORY,
        run: |relay, size, report| Box::pin(bombs::giants(relay, size, report)),
    },
    Attack {
        name: "continuations",
        about: "a message of a million empty parts",
        options: &[],
        memory: MEMORY,
        run: |relay, size, report| Box::pin(bombs::continuations(relay, size, report)),
    },
    Attack {
        name: "pings",
        about: "pings as fast as they go",
        options: &[],
        memory: MEMORY,
        run: |relay, size, report| Box::pin(bombs::pings(relay, size, report)),
    },
    Attack {
        name: "readers",
        about: "readers of a lane that never read what they asked for",
        options: &[],
        memory: MEMORY,
        run: |relay, size, report| Box::pin(readers::of_a_lane(relay, size, report)),
    },
    Attack {
        name: "subscribers",
        about: "subscribers who never read, to a lane where much is written",
        options: &[],
        memory: MEMORY,
        run: |relay, size, report| Box::pin(readers::subscribers(relay, size, report)),
    },
    Attack {
        name: "values",
        about: "readers of values and blobs of a megabyte who never read what they asked for",
        options: &[],
        memory: MEMORY,
        run: |relay, size, report| Box::pin(readers::of_values(relay, size, report)),
    },
    Attack {
        name: "answers",
        about: "POSTs whose answers nobody reads",
        options: &[],
        memory: MEMORY,
        run: |relay, size, report| Box::pin(readers::of_answers(relay, size, report)),
    },
    Attack {
        name: "half-open",
        about: "connections that say nothing, half a header, or no hello",
        options: &[],
        memory: MEMORY,
        run: |relay, size, report| Box::pin(silence::half_open(relay, size, report)),
    },
    Attack {
        name: "half-tls",
        about: "connections that stop in the middle of a TLS handshake",
        options: &[],
        memory: MEMORY,
        run: |relay, size, report| Box::pin(handshakes::half_done(relay, size, report)),
    },
    Attack {
        name: "crumbs",
        about: "POSTs whose bodies come byte by byte",
        options: &[],
        memory: MEMORY,
        run: |relay, size, report| Box::pin(silence::crumbs(relay, size, report)),
    },
    Attack {
        name: "half-sent",
        about: "POSTs whose bodies never end",
        options: &[],
        memory: MEMORY,
        run: |relay, size, report| Box::pin(silence::half_sent(relay, size, 60 * 1024, report)),
    },
    Attack {
        name: "half-small",
        about: "POSTs whose bodies are small and lack their end",
        options: &[],
        memory: MEMORY,
        run: |relay, size, report| Box::pin(silence::half_sent(relay, size, 8191, report)),
    },
    Attack {
        name: "noise",
        about: "floods of frames without sense and of wrong signatures",
        options: &[],
        memory: MEMORY,
        run: |relay, size, report| Box::pin(floods::noise(relay, size, report)),
    },
    Attack {
        name: "lanes",
        about: "lanes made as fast as they can be",
        options: &[],
        memory: MEMORY,
        run: |relay, size, report| Box::pin(floods::lanes(relay, size, report)),
    },
    Attack {
        name: "devices",
        about: "devices that want to be woken, as many as there can be",
        options: &["--push-allow", "push.example.org", "--push-delay", "5 min"],
        memory: MEMORY,
        run: |relay, size, report| Box::pin(floods::devices(relay, size, report)),
    },
    Attack {
        name: "numbers",
        about: "the highest and lowest numbers in every field",
        options: &[],
        memory: MEMORY,
        run: |relay, size, report| Box::pin(numbers::extremes(relay, size, report)),
    },
    Attack {
        name: "slow",
        about: "slowhttptest: headers, bodies and answers, drop by drop",
        options: &[],
        memory: MEMORY,
        run: |relay, size, report| Box::pin(slow::all(relay, size, report)),
    },
];

/// Does the same for many attackers at once; how each went.
async fn each<F, T>(count: usize, one: impl Fn(usize) -> F) -> Result<Vec<T>>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let mut crowd = JoinSet::new();
    for n in 0..count {
        crowd.spawn(one(n));
    }
    let mut all = Vec::with_capacity(count);
    while let Some(done) = crowd.join_next().await {
        all.push(done.map_err(|error| Fault::new(error.to_string()))?);
    }
    Ok(all)
}

//! The core of ume: keys, groups, entries, sync, outbox. It does no I/O and knows no browser, no clock and no source of
//! randomness but those handed to it: [`Engine::handle`] takes an [`io::Input`] and the time, and gives an [`io::Step`]:
//! rows to store, and what to send and say once they are durable. A seed replays a whole run.
//!
//! Inside, from the outside in: [`Engine`] sorts inputs to communities and visits; `community` is one community on this
//! device; `line` is the connection to one relay; `mls` puts OpenMLS behind our own types; `ledger`, `entry`, `link`
//! and `keys` are the formats and their rules. `docs/protocol` explains all of them.
#![deny(missing_docs)]

pub mod audit;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod io;
#[cfg(feature = "unruly")]
pub mod unruly;

mod asking;
mod attachment;
mod cell;
mod community;
mod emoji;
mod engine;
mod entry;
mod keys;
mod ledger;
mod line;
mod link;
mod markdown;
mod mls;
mod names;
mod pack;
mod parcel;
pub mod reconcile;
mod request;
mod schedule;
mod search;
mod traffic;
mod visit;

pub use engine::Engine;

/// The messages of `proto/community.proto`.
#[allow(missing_docs, clippy::pedantic, unreachable_pub)]
mod proto {
    include!(concat!(env!("OUT_DIR"), "/ume.community.v1.rs"));
}

#[cfg(test)]
mod tests {
    mod vectors;
}

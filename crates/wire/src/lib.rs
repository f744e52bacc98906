//! Formats and sizes of ume: frames, cells, fragments, the relay protocol and its pace. No I/O, no clock, no randomness
//! but what is handed in.
//!
//! Both the relay and the clients use this crate, so that there is one place for every size and every byte layout. It
//! holds no key of a community and knows nothing of what a cell carries.
//!
//! Reading anything here never panics, and never allocates more than the input it was given.
#![deny(missing_docs)]

pub mod access;
pub mod auth;
pub mod fragment;
pub mod frame;
pub mod grease;
pub mod limits;
pub mod pace;

/// The messages of the relay protocol, generated from `proto/relay.proto`, where each is explained.
#[allow(missing_docs, clippy::pedantic, unreachable_pub)]
pub mod relay {
    include!(concat!(env!("OUT_DIR"), "/ume.relay.v1.rs"));
}

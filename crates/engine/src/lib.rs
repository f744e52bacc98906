//! The sans-IO core of ume.
#![deny(missing_docs)]

pub mod io;
pub(crate) mod mls;

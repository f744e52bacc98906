//! Checks over the sources that no other tool makes.
pub(crate) mod direction;
pub(crate) mod length;
pub(crate) mod purity;
pub(crate) mod words;

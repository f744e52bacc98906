//! One file for each page.
pub(crate) mod elsewhere;
#[cfg(debug_assertions)]
pub(crate) mod gallery;
pub(crate) mod home;
pub(crate) mod keys;
pub(crate) mod people;
pub(crate) mod redeem;
pub(crate) mod search;
pub(crate) mod settings;
pub(crate) mod start;
pub(crate) mod stopped;
pub(crate) mod traffic;
pub(crate) mod unlock;
pub(crate) mod welcome;

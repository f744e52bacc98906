//! The two workers of ume and the browser adapters that they share.
//!
//! The *engine worker* (binary `engine`) owns storage, sockets and keys. One [`session`] per page: it gets the
//! [`lock`], opens the [`store`], and lets a [`driver`] carry inputs to the engine and its outputs out. The *service
//! worker* (binary `service`, module [`service`]) keeps the app available offline and holds no key.
//!
//! What touches the browser exists only on wasm32; the rest is tested natively.
#![deny(missing_docs)]

pub mod address;
pub mod batch;
pub mod patience;
pub mod queue;

#[cfg(target_arch = "wasm32")]
pub mod browser;
#[cfg(target_arch = "wasm32")]
pub mod database;
#[cfg(target_arch = "wasm32")]
pub mod deposit;
#[cfg(target_arch = "wasm32")]
pub mod device_key;
#[cfg(target_arch = "wasm32")]
pub mod driver;
#[cfg(target_arch = "wasm32")]
mod keeping;
#[cfg(target_arch = "wasm32")]
pub mod lock;
#[cfg(target_arch = "wasm32")]
pub mod page;
#[cfg(target_arch = "wasm32")]
pub mod service;
#[cfg(target_arch = "wasm32")]
pub mod session;
#[cfg(target_arch = "wasm32")]
pub mod slots;
#[cfg(target_arch = "wasm32")]
pub mod socket;
#[cfg(target_arch = "wasm32")]
pub mod store;
#[cfg(target_arch = "wasm32")]
pub mod timer;

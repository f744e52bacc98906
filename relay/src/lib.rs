//! The relay of ume: stores and forwards cells that it cannot read, and serves the app's files.
//!
//! It speaks the protocol of `crates/wire/proto/relay.proto` over a WebSocket at `/v1/ws` and over `POST /v1/f`. What it
//! knows of a lane are public keys and numbers; who writes, what, and for whom stays outside its reach.
//!
//! One request takes this way:
//!
//! 1. `ws` or `http::post` takes a frame off the wire and keeps the connection within its bounds.
//! 2. `session` checks it: sizes, then the capability (a signature by a key of the lane).
//! 3. `commit` puts what has to be written into one queue; its thread writes everything that waits as one transaction of
//!    `store` and only then lets the answers go. Reads go to the store directly and never wait for a commit.
//! 4. `hub` tells the connections that subscribed to the lane; each keeps a number up to which it has delivered, and
//!    reads on from there. So a slow connection loses nothing and holds nothing in memory.
//!
//! ```no_run
//! # async fn example() -> Result<(), ume_relay::StartError> {
//! let config = ume_relay::Config::new("127.0.0.1:0".parse().expect("an address"), "./data".into());
//! let relay = ume_relay::Relay::start(config).await?;
//! println!("listening on http://{}", relay.address());
//! relay.stop().await;
//! # Ok(())
//! # }
//! ```

mod accept;
mod access;
pub mod admin;
mod admission;
mod app;
mod backlog;
mod brand;
mod bucket;
pub mod cli;
mod commit;
mod config;
mod day;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod http;
mod hub;
mod identity;
mod journal;
mod memory;
mod metrics;
mod notify;
mod packet;
mod patience;
mod peer;
mod proofs;
mod push;
mod reading;
mod refusal;
mod server;
mod session;
mod several;
mod slot;
mod stage;
mod store;
mod tls;
mod ws;

pub use admission::{Access, AdmissionLimits};
pub use app::AppError;
pub use brand::BrandError;
pub use config::{Acme, Config, Limits, WebPush};
pub use identity::IdentityError;
pub use journal::{Format, Level};
pub use server::{Relay, StartError};
pub use store::StoreError;
pub use tls::TlsError;

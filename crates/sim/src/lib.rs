//! A whole community in one thread: real engines, a relay that keeps its promises about durability and nothing else,
//! and a network that drops, delays, duplicates, reorders, replays and changes frames. Time is virtual; every choice
//! comes from one seed, so a failure is replayed by its number.
#![deny(missing_docs)]

mod device;
mod network;
mod opening;
mod pace;
mod relay;
mod run;
mod stage;
mod world;

pub use opening::{OPEN, Opening, Place};
pub use pace::Seen;
pub use relay::{Out, Relay, Session};
pub use run::{Failure, Plan, Report, run};
pub use stage::{Memory, Stage};
pub use ume_engine::unruly::{Spoils, Unruly};

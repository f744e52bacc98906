//! What the app says to the engine and what it hears back.
//!
//! The app (main thread) and the engine (a dedicated worker) share no memory: they exchange the types of this crate as
//! bytes. Nothing here is secret except an invite link on its way in or out, and nothing here knows how anything is
//! done. The app depends on this crate and on no other of ours, so it cannot reach a key even by mistake.
//!
//! The order of a conversation: the app sends one [`ToEngine::Boot`]; the engine answers [`FromEngine::Ready`],
//! [`FromEngine::Held`] or [`FromEngine::Failed`]. After `Ready` every [`ToEngine::Ask`] gets exactly one
//! [`FromEngine::Answer`] with its number, and [`FromEngine::News`] arrives whenever a view changes.
#![deny(missing_docs)]

mod failure;
mod view;

pub use failure::Failure;
pub use view::{
    Card, CommunityView, Connection, EntryId, FeedPage, HistoryWindow, InviteTerms, Notice, Person,
    Phase, PostState, PostView,
};

use serde::{Deserialize, Serialize};

/// A community of this profile, by a number that only this browser profile knows. It says nothing about the community.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CommunityRef(pub u32);

/// From the app to the engine's worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToEngine {
    /// The first message of a page.
    Boot {
        /// Address of the relay that a new community starts on, for example `https://ume.example` (scheme, host, port).
        relay: String,
    },
    /// Take the place of the tab that holds the engine now; it yields without loss.
    TakeOver,
    /// A command. `number` is chosen by the app and comes back in the answer.
    Ask {
        /// Chosen by the app, unique for the page's life.
        number: u32,
        /// What is to be done.
        command: Command,
    },
}

/// What a person can ask of the engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Start a community. Answer: [`Reply::Community`].
    Start {
        /// Name of the community, 1 to [`NAME_BYTES_MAX`] bytes of UTF-8 after trimming.
        name: String,
        /// Name of this person in it; empty for a random one.
        persona: String,
    },
    /// Make an open invite and its link. Answer: [`Reply::Link`].
    Share {
        /// The community to invite to.
        community: CommunityRef,
        /// Expiry, uses and history window.
        terms: InviteTerms,
    },
    /// Look at an invite without joining. Answer: [`Reply::Card`].
    Look {
        /// The whole link, or whatever was pasted.
        link: String,
    },
    /// Redeem an invite. Answer: [`Reply::Community`], at the latest when the relay has ordered the join.
    Join {
        /// The whole link, or whatever was pasted.
        link: String,
        /// Name of this person in the community; empty for a random one.
        persona: String,
    },
    /// Follow a community's feed: its newest posts arrive as [`Reply::Feed`], changes as [`News::Posts`].
    Open {
        /// The community to follow. The app follows one at a time.
        community: CommunityRef,
    },
    /// The page of posts before the oldest one given. Answer: [`Reply::Feed`].
    Older {
        /// The community.
        community: CommunityRef,
        /// The oldest post that the app has.
        before: EntryId,
    },
    /// Publish a post. Answer: [`Reply::Posted`] as soon as it is durable here, long before a relay has it.
    Post {
        /// The community.
        community: CommunityRef,
        /// The text, 1 to [`TEXT_BYTES_MAX`] bytes of UTF-8.
        text: String,
    },
    /// Try the relays again now instead of when the next attempt is due. Answer: [`Reply::Done`].
    Reconnect,
}

/// The answer to a command that succeeded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// Nothing more to say.
    Done,
    /// The community that was started or joined.
    Community(CommunityRef),
    /// An invite link: `https://<host>/j#1.<base64url>`.
    Link(String),
    /// What an invite offers.
    Card(Card),
    /// A page of a feed.
    Feed(FeedPage),
    /// The post's id; its state follows in [`News::Posts`].
    Posted(EntryId),
}

/// From the engine's worker to the app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromEngine {
    /// This page has the engine; the views follow.
    Ready,
    /// Another tab has the engine; the app offers [`ToEngine::TakeOver`].
    Held,
    /// Another tab took over; this page must not be used until it takes over again.
    Yielded,
    /// The engine cannot run on this page.
    Failed(Failure),
    /// The answer to one command.
    Answer {
        /// The number of the command.
        number: u32,
        /// How it went.
        result: Result<Reply, Failure>,
    },
    /// A view changed.
    News(News),
}

/// A change that nobody asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum News {
    /// All communities of this profile, in the order to show them; sent after `Ready` and on every change.
    Communities(Vec<CommunityView>),
    /// New or changed posts of the open feed. Merge by id; order by (`at`, `id`).
    Posts {
        /// The community.
        community: CommunityRef,
        /// Posts, each in its newest state.
        posts: Vec<PostView>,
    },
    /// The line to the relays changed.
    Connection(Connection),
    /// Something a person should know, that no command asked for.
    Notice(Notice),
}

/// Longest name of a community or a person, bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 64;
/// Longest text of a post, bytes of UTF-8.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Posts in one [`FeedPage`].
pub const PAGE_POSTS: usize = 80;

/// A message between app and engine could not be read: the two come from different builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("app and engine do not speak the same version")]
pub struct Mismatch;

/// Encodes a message for the other side.
///
/// # Errors
/// [`Mismatch`], which for these types means only that memory ran out.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, Mismatch> {
    postcard::to_allocvec(message).map_err(|_| Mismatch)
}

/// Decodes a message of the other side.
///
/// # Errors
/// [`Mismatch`] when the bytes are not such a message.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Mismatch> {
    postcard::from_bytes(bytes).map_err(|_| Mismatch)
}

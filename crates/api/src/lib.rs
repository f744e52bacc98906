//! What the app says to the engine and what it hears back.
//!
//! The app (main thread) and the engine (a dedicated worker) share no memory: they exchange the types of this crate as
//! bytes. Nothing here is secret except an invite link, an access key or a passphrase on its way, and nothing here knows how
//! anything is done. The app depends on this crate and on no other of ours, so it cannot reach a key even by mistake.
//!
//! The order of a conversation: the app sends one [`ToEngine::Boot`]; the engine answers [`FromEngine::Ready`],
//! [`FromEngine::Held`], [`FromEngine::Locked`] or [`FromEngine::Failed`]. After `Ready` every [`ToEngine::Ask`] gets exactly one
//! [`FromEngine::Answer`] with its number, and [`FromEngine::News`] arrives whenever a view changes.
#![deny(missing_docs)]

mod bell;
mod change;
mod desk;
mod failure;
mod files;
mod govern;
mod search;
mod stored;
mod text;
mod traffic;
mod vault;
mod view;

pub use bell::{BellView, PushAddress};
pub use change::{Hidden, OwnerView, VersionView};
pub use desk::{Place, Unread};
pub use failure::Failure;
pub use files::{
    ALTERNATIVE_BYTES_MAX, FILE_BYTES_MAX, FILE_NAME_BYTES_MAX, FILES_MAX, FileId, FileState,
    FileView, NewFile, PREVIEW_BYTES_MAX,
};
pub use govern::{
    Act, Contest, Departure, FormerView, InviteId, InviteKind, InviteState, InviteView, MemberView,
    PINS_MAX, PersonId, Refusal, RequestId, RequestView, Right, Role, Rules,
};
pub use search::{Found, FoundPage, FoundPlace, PAGE_FOUND, Piece, SEARCH_BYTES_MAX, Search};
pub use stored::{Kept, StoredView};
pub use text::{Node, NodeKind};
pub use traffic::{
    Cover, FRAME_LINE_BYTES, LineView, Passed, RelayHealth, Surroundings, Tick, TrafficView,
};
pub use vault::{
    LockRules, LockView, PASSPHRASE_BYTES_MAX, PASSPHRASE_LETTERS_MIN, PasskeyView, Refused,
    Secret, UnlockKey, VaultDeed, VaultView,
};
pub use view::{
    Card, Comments, CommunityView, Connection, EntryId, FeedPage, HistoryWindow, InviteTerms,
    Missing, Notice, Person, Phase, PostState, PostView, ReactionView, Reborn, Stalled, Trouble,
};

use serde::{Deserialize, Serialize};

/// A community of this profile, by a number that only this browser profile knows. It says nothing about the community.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CommunityRef(pub u32);

/// An access key as somebody pasted it. It pays at a relay; it opens nothing. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKeyText(pub String);

impl std::fmt::Debug for AccessKeyText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessKeyText(..)")
    }
}

/// From the app to the engine's worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToEngine {
    /// The first message of a page.
    Boot {
        /// Address of the relay that a new community starts on, for example `https://ume.example` (scheme, host, port).
        relay: String,
        /// What was chosen, and how things stand.
        surroundings: Surroundings,
    },
    /// What was chosen, or how things stand, is different now. Has no answer.
    Surroundings(Surroundings),
    /// Take the place of the tab that holds the engine now; it yields without loss.
    TakeOver,
    /// Say how much is stored for this profile. Answered by [`Reply::Stored`] under this number; the engine need not be asked.
    Measure {
        /// As in [`ToEngine::Ask`].
        number: u32,
    },
    /// A command. `number` is chosen by the app and comes back in the answer.
    Ask {
        /// Chosen by the app, unique for the page's life.
        number: u32,
        /// What is to be done.
        command: Command,
    },
    /// Open the locked vault. Answered by [`FromEngine::Ready`] or [`FromEngine::Locked`].
    Unlock(UnlockKey),
    /// A change to what opens the vault. Answered like a command; [`News::Vault`] follows.
    Vault {
        /// As for a command.
        number: u32,
        /// What is to be done.
        deed: VaultDeed,
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
        /// The relay operator's access key, where one is needed ([`Failure::AccessNeeded`]).
        access: Option<AccessKeyText>,
    },
    /// Make an invite and its link. Answer: [`Reply::Link`]. An open one where the rules allow none:
    /// [`Failure::NotAllowed`].
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
    /// Redeem an open invite. Answer: [`Reply::Community`], at the latest when the relay has ordered the join.
    Join {
        /// The whole link, or whatever was pasted.
        link: String,
        /// Name of this person in the community; empty for a random one.
        persona: String,
    },
    /// Ask to come in by a private invite. Answer: [`Reply::Community`] as soon as the asking is durable here; it goes on by
    /// itself, also after this program was closed, and shows as a community in [`Phase::Asking`].
    Ask {
        /// The whole link, or whatever was pasted.
        link: String,
        /// Name of this person in the community; empty for a random one.
        persona: String,
        /// A word to whoever answers, [`NOTE_BYTES_MAX`] bytes of UTF-8 at most; may be empty.
        note: String,
    },
    /// Take an asking back. Answer: [`Reply::Done`]; who may answer no longer sees it once a relay has that.
    TakeBack {
        /// The community that was asked.
        community: CommunityRef,
    },
    /// Those who ask to come in and whom this profile may answer. Answer: [`Reply::Requests`]. To be asked again when
    /// [`CommunityView::changes`] is another number.
    Requests {
        /// The community.
        community: CommunityRef,
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
        /// Seconds after which its texts are erased on all devices, 1 to [`LIFETIME_SECONDS_MAX`]; `None`: it stays.
        lifetime: Option<u64>,
    },
    /// Write in the thread of a post. Answer: as for [`Command::Post`].
    Comment {
        /// The community.
        community: CommunityRef,
        /// The post; a comment has no thread of its own ([`Failure::NotHere`]).
        post: EntryId,
        /// The text, 1 to [`TEXT_BYTES_MAX`] bytes of UTF-8.
        text: String,
        /// As for [`Command::Post`]; it ends with its post at the latest.
        lifetime: Option<u64>,
    },
    /// A page of the thread of a post: the newest comments, or those before one. Answer: [`Reply::Feed`]. Changes follow in
    /// [`News::Posts`] as long as the community is open.
    Thread {
        /// The community.
        community: CommunityRef,
        /// The post.
        post: EntryId,
        /// The oldest comment that the app has.
        before: Option<EntryId>,
    },
    /// Put an emoji beside a post or comment, in the place of the one that this person had there. Answer: [`Reply::Done`] as
    /// soon as it is durable here.
    React {
        /// The community.
        community: CommunityRef,
        /// The post or comment.
        post: EntryId,
        /// One emoji, [`EMOJI_BYTES_MAX`] bytes at most; empty: none any more.
        emoji: String,
    },
    /// Give a post of one's own ([`PostView::owner`]) another text. Every member can look at the earlier ones. Answer:
    /// [`Reply::Done`] as soon as it is durable here; the post follows in [`News::Posts`].
    Edit {
        /// The community.
        community: CommunityRef,
        /// The post.
        post: EntryId,
        /// The new text, 1 to [`TEXT_BYTES_MAX`] bytes of UTF-8.
        text: String,
    },
    /// Take a post back: its texts are erased on all devices and no longer handed on. That cannot be undone, and who read
    /// it may have kept it. For its author, its owner and owners of the community. Answer: as for [`Command::Edit`].
    Unpublish {
        /// The community.
        community: CommunityRef,
        /// The post.
        post: EntryId,
    },
    /// Hide a post, or all posts of a person, from this profile only, or show them again. Answer: [`Reply::Done`]; posts
    /// follow in [`News::Posts`], marked ([`PostView::hidden`]).
    Hide {
        /// The community.
        community: CommunityRef,
        /// What.
        what: Hidden,
        /// Whether it is to be hidden.
        on: bool,
    },
    /// Show a picture of oneself to a community, instead of the one drawn from one's key. Answer: [`Reply::Done`] as soon as
    /// it is durable here.
    Portray {
        /// The community.
        community: CommunityRef,
        /// The picture as a file, [`PICTURE_BYTES_MAX`] bytes at most; the app makes it small before. Empty: none any more.
        /// Whoever draws it must take it for a file from a stranger.
        picture: Vec<u8>,
    },
    /// Somebody's picture. Answer: [`Reply::Picture`]. To be asked again when [`Person::picture`] is another one.
    Picture {
        /// The community.
        community: CommunityRef,
        /// Whose.
        person: PersonId,
    },
    /// What this profile hides in a community, the newest first. Answer: [`Reply::Hidden`].
    Hides {
        /// The community.
        community: CommunityRef,
    },
    /// All texts that a post had, the oldest first. Answer: [`Reply::Versions`].
    Versions {
        /// The community.
        community: CommunityRef,
        /// The post.
        post: EntryId,
    },
    /// How a post came from its author to its owner, worked out from the post and the ledger. Answer: [`Reply::Owners`].
    Owners {
        /// The community.
        community: CommunityRef,
        /// The post.
        post: EntryId,
    },
    /// Everybody in a community, owners first. Answer: [`Reply::Members`]. To be asked again when
    /// [`CommunityView::changes`] grows.
    Members {
        /// The community.
        community: CommunityRef,
    },
    /// Those who are no longer in a community. Answer: [`Reply::Former`].
    Former {
        /// The community.
        community: CommunityRef,
    },
    /// All invites of a community, the newest first. Answer: [`Reply::Invites`].
    Invites {
        /// The community.
        community: CommunityRef,
    },
    /// Erase a community from this device, once this profile is out of it, or was not let in. Answer: [`Reply::Done`].
    Forget {
        /// The community.
        community: CommunityRef,
    },
    /// Say that an owner took somebody else for this person ([`CommunityView::contest`]). Nothing follows by itself; everybody
    /// sees it, and an owner can undo the recovery. Answer: [`Reply::Done`] as soon as it is durable here.
    Contest {
        /// The community.
        community: CommunityRef,
    },
    /// Begin the group of a community anew, because nothing else helps ([`CommunityView::stalled`]). For owners. People and posts
    /// stay; devices that cannot get on follow by themselves. Answer: [`Reply::Done`] as soon as it is durable here.
    BeginAnew {
        /// The community.
        community: CommunityRef,
        /// Who is taken out by that.
        without: Option<PersonId>,
    },
    /// Change how a community is run. Answer: [`Reply::Done`] when everybody is bound by it.
    Govern {
        /// The community.
        community: CommunityRef,
        /// What is to change.
        act: Act,
    },
    /// Try the relays again now instead of when the next attempt is due. Answer: [`Reply::Done`].
    Reconnect,
    /// Be told what passes between this device and its relays ([`News::Traffic`]), about once a second while it changes; or
    /// no longer. Answer: [`Reply::Done`].
    WatchTraffic {
        /// Begin; otherwise end.
        watch: bool,
    },
    /// Fetch and send at once all that waits, in a bulk transfer that the network can see as such. Answer: [`Reply::Done`].
    Hurry,
    /// Let a relay wake this device when there is something new and no page is open, or no longer. Answer: [`Reply::Done`] as soon
    /// as it is durable here; whether the relay wants to follows in [`News::Bells`].
    Ring {
        /// The relay ([`BellView::relay`]).
        relay: String,
        /// Where, or nowhere.
        to: Option<PushAddress>,
    },
    /// This person saw a post, or a comment of a thread, and with it all that stands before it there. Answer: [`Reply::Done`] as
    /// soon as it is durable here; nobody else learns of it.
    Saw {
        /// The community.
        community: CommunityRef,
        /// The post or comment.
        upto: EntryId,
    },
    /// Nothing that is here now is unread any more, in threads neither. Answer: [`Reply::Done`].
    SawAll {
        /// The community.
        community: CommunityRef,
    },
    /// Tell no more of what is unread in a community ([`CommunityView::muted`]), or again. Answer: [`Reply::Done`].
    Mute {
        /// The community.
        community: CommunityRef,
        /// Whether it is to be quiet.
        on: bool,
    },
    /// Keep what is being written somewhere, on this device, in the place of what was kept there; empty: nothing. What is
    /// published there, or edited, is no draft any more by the same stroke. Answer: [`Reply::Done`] as soon as it is durable here.
    Keep {
        /// The community.
        community: CommunityRef,
        /// Where it is written.
        place: Place,
        /// What there is of it, four times [`TEXT_BYTES_MAX`] bytes at most.
        text: String,
    },
    /// What was being written somewhere. Answer: [`Reply::Draft`].
    Draft {
        /// The community.
        community: CommunityRef,
        /// Where.
        place: Place,
    },
    /// Look for posts and comments in what is on this device. Answer: [`Reply::Found`]. The first one of a session may take
    /// some seconds where there are very many posts.
    Search(Search),
    /// A single post or comment as it is now. Answer: [`Reply::Feed`] with nothing else in it.
    Single {
        /// The community.
        community: CommunityRef,
        /// The post or comment.
        post: EntryId,
    },
    /// Keep a file for a post that is being written. Answer: [`Reply::Attached`] as soon as it is durable here; nothing of it
    /// leaves before [`Command::Publish`]. What no post took by the next start is erased.
    Attach {
        /// The community.
        community: CommunityRef,
        /// The file.
        file: NewFile,
    },
    /// Let a file go that no post took. Answer: [`Reply::Done`].
    Detach {
        /// The community.
        community: CommunityRef,
        /// The file.
        file: FileId,
    },
    /// [`Command::Post`] or [`Command::Comment`] with files. Answer: as for these. The post goes first and its files follow:
    /// it counts as sent once all of them are at the relay.
    Publish {
        /// The community.
        community: CommunityRef,
        /// Of which post, if it is a comment.
        post: Option<EntryId>,
        /// The text; may be empty where there are files.
        text: String,
        /// As for [`Command::Post`].
        lifetime: Option<u64>,
        /// What [`Command::Attach`] gave, in their order, each with what it shows in words (at most
        /// [`ALTERNATIVE_BYTES_MAX`] bytes, or nothing).
        files: Vec<(FileId, String)>,
    },
    /// A file of a post. Answer: [`Reply::File`] if it is here, otherwise [`Reply::FileAt`]; [`News::Files`] follows until it is.
    File {
        /// The community.
        community: CommunityRef,
        /// The post or comment.
        post: EntryId,
        /// The file.
        file: FileId,
        /// Whether it is to be fetched.
        fetch: Fetch,
    },
    /// Erase all files that could be fetched again. Answer: [`Reply::Done`].
    ClearFiles,
}

/// How much a file is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Fetch {
    /// It is asked where it is, and nothing else.
    No,
    /// It is in sight: it comes with what else there is.
    Quietly,
    /// A person asked for it: at once, in a bulk transfer that the network can see as such where traffic is hidden, unless the
    /// strongest cover was chosen.
    Now,
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
    /// Everybody in a community.
    Members(Vec<MemberView>),
    /// Those who are no longer in a community.
    Former(Vec<FormerView>),
    /// All invites of a community.
    Invites(Vec<InviteView>),
    /// Those who ask to come in.
    Requests(Vec<RequestView>),
    /// A picture, if that person shows one.
    Picture(Option<Vec<u8>>),
    /// What this profile hides.
    Hidden(Vec<Hidden>),
    /// The texts of a post.
    Versions(Vec<VersionView>),
    /// The owners of a post after its author; none: the author owns it.
    Owners(Vec<OwnerView>),
    /// How much is stored, by what it is.
    Stored(Vec<StoredView>),
    /// The post's id; its state follows in [`News::Posts`].
    Posted(EntryId),
    /// Recovery words that were made, shown this once.
    Words {
        /// With a space between two of them.
        words: Secret,
        /// Which two are asked for, counted from 0.
        asked: [u8; 2],
    },
    /// What was being written; empty: nothing.
    Draft(String),
    /// What was found.
    Found(FoundPage),
    /// A file that waits for its post.
    Attached(FileId),
    /// A file.
    File(Vec<u8>),
    /// Where a file is that is not here.
    FileAt(FileState),
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
    /// The vault is locked: nothing was opened. The app offers [`ToEngine::Unlock`].
    Locked(LockView),
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
    /// New or changed posts of the open feed, and comments ([`PostView::thread`]). Merge by id; order by (`at`, `id`).
    Posts {
        /// The community.
        community: CommunityRef,
        /// Posts, each in its newest state.
        posts: Vec<PostView>,
    },
    /// Posts of the open feed that are over ([`PostView::expires_at`]), or that turned out not to stand: whoever wrote them
    /// had lost the right to post. To be taken out of the feed.
    Gone {
        /// The community.
        community: CommunityRef,
        /// The posts.
        posts: Vec<EntryId>,
    },
    /// The line to the relays changed.
    Connection(Connection),
    /// Something a person should know, that no command asked for.
    Notice(Notice),
    /// What passes on the lines, after [`Command::WatchTraffic`].
    Traffic(TrafficView),
    /// What opens the vault; sent after `Ready` and on every change.
    Vault(VaultView),
    /// Relays that wake this device, or could; sent on every change.
    Bells(Vec<BellView>),
    /// Where files of the open community are now.
    Files {
        /// The community.
        community: CommunityRef,
        /// The files.
        files: Vec<(FileId, FileState)>,
    },
}

/// People in a community, at most.
pub const PEOPLE_MAX: usize = 1_000;
/// Longest name of a community or a person, bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 64;
/// Longest note of somebody who asks to come in, bytes of UTF-8.
pub const NOTE_BYTES_MAX: usize = 500;
/// Longest line that people say about themselves, bytes of UTF-8.
pub const LINE_BYTES_MAX: usize = 160;
/// Largest picture of a person, bytes.
pub const PICTURE_BYTES_MAX: usize = 12 * 1024;
/// Longest text of a post, bytes of UTF-8.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Longest emoji, bytes of UTF-8.
pub const EMOJI_BYTES_MAX: usize = 64;
/// Longest time that a post may last which does not stay, seconds: 400 days.
pub const LIFETIME_SECONDS_MAX: u64 = 400 * 24 * 3600;
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

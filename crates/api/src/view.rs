use crate::change::Hidden;
use crate::desk::Unread;
use crate::{
    CommunityRef, Contest, Departure, FileView, InviteKind, Node, PersonId, Refusal, Role, Rules,
};
use serde::{Deserialize, Serialize};

/// SHA-256 of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EntryId(pub [u8; 32]);

/// How much of the past an invite grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HistoryWindow {
    /// Nothing from before the join.
    None,
    /// The given number of days before the invite was made, and everything after.
    Days(u16),
    /// Everything since the community began.
    All,
}

/// What a person chooses when sharing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteTerms {
    /// Who may come in by it.
    pub kind: InviteKind,
    /// Seconds from now until the invite expires; `None`: never.
    pub expires_in: Option<u64>,
    /// How many people may join through it; `None`: any number. Through a private one it is one, whatever this says.
    pub max_uses: Option<u32>,
    /// What a newcomer may read.
    pub history: HistoryWindow,
    /// What a newcomer is, [`Role::Member`] at most.
    pub role: Role,
}

impl Default for InviteTerms {
    /// Open, seven days, fifty uses, thirty days of history, for members.
    fn default() -> Self {
        Self {
            kind: InviteKind::Open,
            expires_in: Some(7 * 24 * 3600),
            max_uses: Some(50),
            history: HistoryWindow::Days(30),
            role: Role::Member,
        }
    }
}

/// What an invite offers, shown before anything is promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Whether one comes in by it ([`crate::Command::Join`]) or asks ([`crate::Command::Ask`]).
    pub kind: InviteKind,
    /// Name of the community.
    pub community: String,
    /// Who made the invite.
    pub inviter: Person,
    /// People in the community as far as the invite knows; 0 if it does not say, as a private one.
    pub members: u32,
    /// Milliseconds since 1970 when it expires; `None`: never.
    pub expires_at: Option<u64>,
    /// How many more people may join; `None`: any number.
    pub uses_left: Option<u32>,
    /// What a newcomer may read.
    pub history: HistoryWindow,
    /// What a newcomer is.
    pub role: Role,
    /// Set when this profile is in already, or has asked and waits.
    pub already: Option<CommunityRef>,
    /// A random name to join under, which the person may change.
    pub suggested_name: String,
}

/// Somebody in a community.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Their key in that community.
    pub id: PersonId,
    /// The name that they gave themselves there.
    pub name: String,
    /// Eight bytes derived from their key: the picture is drawn from it, so that a copied name shows.
    pub mark: [u8; 8],
    /// Which picture they chose to show, if any; the file: [`crate::Command::Picture`].
    pub picture: Option<EntryId>,
    /// This profile itself.
    pub me: bool,
}

/// One community in the list, and the head of its feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommunityView {
    /// Its local number.
    pub id: CommunityRef,
    /// Its name.
    pub name: String,
    /// Who this profile is in it.
    pub me: Person,
    /// People in it.
    pub members: u32,
    /// How far it is.
    pub phase: Phase,
    /// What this profile is here. What it may do: [`Rules::allow`].
    pub role: Role,
    /// Who may do what here.
    pub rules: Rules,
    /// Posts on top of the feed, the newest pin first.
    pub pinned: Vec<EntryId>,
    /// Who offers their ownership to this profile.
    pub offered: Vec<PersonId>,
    /// To whom this profile offers its ownership.
    pub offering: Vec<PersonId>,
    /// How often the community's people, roles, rules, invites and requests have changed: views of them are asked for anew
    /// when this is another number.
    pub changes: u32,
    /// Whether this profile may make invites.
    pub may_invite: bool,
    /// People who ask to come in and whom this profile may answer: [`crate::Command::Requests`].
    pub requests: u32,
    /// Entries that are known to exist (a later one points to them) but have not arrived.
    pub missing: Missing,
    /// Whether this profile is out because somebody else was taken for it, and what it said to that.
    pub contest: Option<Contest>,
    /// What is not as it should be, and is being seen to; the gravest first.
    pub troubles: Vec<Trouble>,
    /// Whether this device does not get on, and nothing else helps than an owner's [`crate::Command::BeginAnew`].
    pub stalled: Option<Stalled>,
    /// How the group began anew, the last time.
    pub reborn: Option<Reborn>,
    /// What this person has not seen yet.
    pub unread: Unread,
    /// Whether they do not want to be told of that.
    pub muted: bool,
    /// Whether something is being written in it ([`crate::Command::Keep`]).
    pub drafts: bool,
}

/// A community whose group leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stalled {
    /// Whose device made the last change, which may be what nobody can follow.
    pub suspect: Option<Person>,
}

/// That an owner began the group anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reborn {
    /// The owner.
    pub by: Person,
    /// When, by their clock, milliseconds since 1970.
    pub at: u64,
}

/// Something in a community that is not as it should be, and what is being done about it. None of it asks the person to do
/// anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Trouble {
    /// This device lost the keys of the community and comes back by itself. What is written here waits on this device.
    KeysLost,
    /// Somebody who was taken out is in again, because the relay forgot it: this device waits until somebody takes them out
    /// who may, and says nothing until then.
    Undone,
    /// The relay forgot records and what was written; devices that have it put it back.
    PuttingBack,
    /// Some cells that the relay hands over are damaged. They are fetched again a few times, and then passed over.
    Damaged {
        /// How many so far, of the lane with the most.
        count: u32,
    },
    /// Entries are here about which nothing can be said yet, because how their authors came in, or what they wrote before, is
    /// still to come.
    Undecided {
        /// How many.
        count: u32,
    },
    /// Records or entries that nobody may have made were not taken.
    Refused {
        /// How many, since the app was opened.
        count: u32,
    },
}

/// Missing entries, by what is being done about them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Missing {
    /// Looked for at the relay.
    pub sought: u32,
    /// The relay does not have them; the other members were asked.
    pub asked: u32,
    /// Nobody who was here has them. They are asked for again, less and less often.
    pub nobody: u32,
}

impl Missing {
    /// All of them.
    #[must_use]
    pub fn all(self) -> u32 {
        let known = self.sought.saturating_add(self.asked);
        known.saturating_add(self.nobody)
    }
}

/// How far a community is on this device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Phase {
    /// This profile has asked to come in by a private invite and waits for an answer; nothing else of the view says
    /// anything but the name. It can be taken back: [`crate::Command::TakeBack`].
    Asking,
    /// It has asked, and this is the answer. See [`crate::Command::Forget`].
    Refused(Refusal),
    /// The relay has not yet taken the first record or the join.
    Starting,
    /// Reading what happened while away, or what was written before this profile came.
    CatchingUp,
    /// Up to date as of the last word with the relay.
    Live,
    /// This device fell out of the group's keys and is being added again by itself.
    Healing,
    /// This profile is out. What it had read is still here; see [`crate::Command::Forget`].
    Ended(Departure),
}

/// A page of posts, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedPage {
    /// The community.
    pub community: CommunityRef,
    /// At most [`crate::PAGE_POSTS`] posts, ordered by (`at`, `id`).
    pub posts: Vec<PostView>,
    /// Whether there are older ones here.
    pub older: bool,
    /// How far this person had read there, by (`at`, `id`): what comes after it is new to them. It need not be a post.
    pub read: (u64, EntryId),
}

/// One post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostView {
    /// Its id.
    pub id: EntryId,
    /// Who wrote it.
    pub author: Person,
    /// Who owns it: the author, or whoever it was given to. See [`crate::Command::Owners`].
    pub owner: Person,
    /// When it was written by the author's clock, milliseconds since 1970, never before a post it follows.
    pub at: u64,
    /// Its newest text as it was written; empty if it was taken back.
    pub text: String,
    /// The same, ready to be drawn; nothing: the text is nothing but words.
    pub nodes: Vec<Node>,
    /// When its texts are erased on all devices, milliseconds since 1970; `None`: never. Then it is told as gone
    /// ([`crate::News::Gone`]).
    pub expires_at: Option<u64>,
    /// When that was written, if it is not the first one. See [`crate::Command::Versions`].
    pub edited_at: Option<u64>,
    /// Who took it back, if somebody did.
    pub unpublished_by: Option<Person>,
    /// Why it is not shown to this person, if it is not: what they chose to hide.
    pub hidden: Option<Hidden>,
    /// How far it, or the newest change of it, is on its way.
    pub state: PostState,
    /// The post in whose thread it stands, if it is a comment.
    pub thread: Option<EntryId>,
    /// What stands in its own thread.
    pub comments: Comments,
    /// What people put beside it, the first that came first.
    pub reactions: Vec<ReactionView>,
    /// Files beside its text.
    pub files: Vec<FileView>,
}

/// A thread in short.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comments {
    /// How many there are that this person wants to see.
    pub count: u32,
    /// The newest of them: who wrote it, and how it begins (empty if it was taken back).
    pub newest: Option<(Person, String)>,
}

/// One emoji beside a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionView {
    /// The emoji; nothing else than one, however it was written.
    pub emoji: String,
    /// How many people put it there.
    pub count: u32,
    /// Whether this person did.
    pub mine: bool,
    /// Some of them by name, this person not among them.
    pub names: Vec<String>,
}

/// How far a post is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PostState {
    /// Durable here, not yet at a relay: the clock.
    Waiting,
    /// A relay has it on disk: the tick.
    Sent,
    /// Written by somebody else.
    Received,
    /// Written here and taken by nobody: this profile lost the right to post before it was known to the others. It stays
    /// on this device.
    Refused,
}

/// The line to the relays of the open community.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Connection {
    /// Trying.
    Connecting,
    /// Connected.
    Online,
    /// Not connected; the next attempt is under way by itself.
    Offline,
}

/// Something a person should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Notice {
    /// This device's clock differs from the relay's by this many seconds (positive: the device is ahead).
    ClockOff {
        /// Seconds.
        seconds: i64,
    },
    /// Stored records could not be opened and were set aside; nothing else is affected.
    RecordsDamaged {
        /// How many.
        count: u32,
    },
    /// A relay handed over cells that do not verify; they were ignored.
    RelayTampers {
        /// How many so far.
        count: u32,
    },
    /// Somebody answered this profile's asking with something that does not verify; it was ignored, and the asking goes on.
    AnswerForged {
        /// The community that was asked.
        community: CommunityRef,
    },
    /// The relay does not take a community's access key any more: what needs a new lane waits.
    AccessRefused,
    /// What a community's access key allows is used up: what needs more waits.
    AccessUsedUp,
    /// Somebody was banned, and with that this many invites made here ended. Whoever is to come in needs a new link.
    LinksEnded {
        /// How many.
        count: u32,
    },
    /// This device has lost a community's keys, and the relay lacks what would bring it back. It goes on asking.
    WayBackMissing,
    /// Writing to the browser's storage failed; what was typed last may not be kept.
    StorageFull,
}

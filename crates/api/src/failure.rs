use serde::{Deserialize, Serialize};

/// Why something a person wanted did not happen. Each has plain words and one action in the app; none carries text from
/// the network, a key or a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// What was pasted is no invite link, or a part of it is missing. Action: ask for the link again.
    #[error("this link is not complete")]
    LinkBroken,
    /// The link was made by a newer version. Action: update.
    #[error("this link needs a newer version")]
    LinkNewer,
    /// The invite's time is over. Action: ask for a new one.
    #[error("this invite has expired")]
    InviteExpired,
    /// The invite was used as often as it allows. Action: ask for a new one.
    #[error("this invite is used up")]
    InviteUsedUp,
    /// The relay knows no such invite: it was withdrawn, or it expired long ago. Action: ask for a new one.
    #[error("the relay knows no such invite")]
    InviteUnknown,
    /// The invite was withdrawn, or who made it may no longer invite. Action: ask for a new one.
    #[error("this invite was withdrawn")]
    InviteWithdrawn,
    /// The community's keys were renewed, and who made the invite has not been there since. Action: try again later.
    #[error("this invite waits for whoever made it")]
    InvitePaused,
    /// The invite's content does not verify: the relay or somebody on the way changed it. Action: ask for a new one.
    #[error("this invite does not verify")]
    InviteForged,
    /// The relay lacks a part of what the invite leads to. Action: ask for a new one.
    #[error("a part of this invite is missing")]
    InviteIncomplete,
    /// There are as many people in the community as there may be. Action: go back.
    #[error("this community is full")]
    CommunityFull,
    /// No relay of the invite or community answers. Action: try again.
    #[error("no relay answers")]
    RelayUnreachable,
    /// The relay refused for want of space or because of a limit. Action: try again later.
    #[error("the relay is full or limits this")]
    RelayRefused,
    /// The relay lets a community begin with an access key of its operator only. Action: enter one.
    #[error("this relay needs an access key")]
    AccessNeeded,
    /// The access key is not whole, or the relay does not know it (any more). Action: enter another.
    #[error("the relay does not take this access key")]
    AccessRefused,
    /// What the access key allows is used up. Action: enter another.
    #[error("this access key is used up")]
    AccessUsedUp,
    /// The relay speaks no version that this app speaks. Action: update.
    #[error("the relay speaks another version")]
    RelayVersion,
    /// The browser gives this page no storage (private window, blocked site data). Action: open in a normal window.
    #[error("this browser window cannot store anything")]
    StorageDenied,
    /// The browser's storage is full. Action: free space.
    #[error("the browser's storage is full")]
    StorageFull,
    /// Storage failed for another reason. Action: reload.
    #[error("the browser's storage failed")]
    StorageFailed,
    /// What is stored here was made by a newer version. Action: update.
    #[error("the stored data is of a newer version")]
    StorageNewer,
    /// The stored keys cannot be opened: the database is damaged or was copied here. Action: restore or start anew.
    #[error("the stored keys cannot be opened")]
    KeysDamaged,
    /// This passphrase, or one of these words, is another one. Action: type it again.
    #[error("this is not the right one")]
    KeyWrong,
    /// A name or a text is empty or too long. Action: shorten it.
    #[error("this is empty or too long")]
    BadText,
    /// The community or post is not (or no longer) here. Action: go back.
    #[error("this is not here")]
    NotHere,
    /// This person may not do that here. Action: ask an owner.
    #[error("not allowed here")]
    NotAllowed,
    /// There is nothing to change: somebody was quicker. Action: look again.
    #[error("this is so already")]
    AlreadySo,
    /// The engine hit a state that it does not understand and stopped before harming anything. Action: reload.
    #[error("something went wrong in ume itself")]
    Internal,
}

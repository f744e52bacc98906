//! What a person keeps to themselves about a community: how far they have read, and what they are writing.
use crate::EntryId;
use serde::{Deserialize, Serialize};

/// What somebody else wrote and this person has not seen yet. What they hide does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Unread {
    /// Posts.
    pub posts: u32,
    /// Comments, in threads that this person has a part in: below a post that they wrote or own, or where they commented.
    pub comments: u32,
}

impl Unread {
    /// All of it.
    #[must_use]
    pub fn all(self) -> u32 {
        self.posts.saturating_add(self.comments)
    }
}

/// Somewhere to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Place {
    /// A new post.
    Feed,
    /// A comment in the thread of a post.
    Thread(EntryId),
    /// Another text for a post.
    Edit(EntryId),
}

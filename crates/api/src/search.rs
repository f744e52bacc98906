use crate::{CommunityRef, EntryId, Person, PersonId};
use serde::{Deserialize, Serialize};

/// What somebody looks for. All of it must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Search {
    /// Words, each of which a post or its author's name has one that begins so, at most [`SEARCH_BYTES_MAX`] bytes of UTF-8.
    /// Case, accents and the like make no difference. Nothing: all posts that the rest allows. There is no syntax.
    pub text: String,
    /// Only in this community.
    pub community: Option<CommunityRef>,
    /// Only what this person wrote.
    pub author: Option<PersonId>,
    /// Only what was written then or later, milliseconds since 1970.
    pub from: Option<u64>,
    /// Only what was written before that, milliseconds since 1970.
    pub until: Option<u64>,
    /// Go on after this place of an earlier answer.
    pub after: Option<FoundPlace>,
}

/// Where a post stands among those found: the newest first, whichever community they are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FoundPlace {
    /// When it was written.
    pub at: u64,
    /// Its id.
    pub id: EntryId,
}

/// Posts and comments that were found, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundPage {
    /// At most [`PAGE_FOUND`].
    pub found: Vec<Found>,
    /// Where to go on, if there are more.
    pub more: Option<FoundPlace>,
}

/// A post or comment that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The community that it is in.
    pub community: CommunityRef,
    /// Its id.
    pub id: EntryId,
    /// The post in whose thread it stands, if it is a comment, and how that one begins (empty if its text is not here).
    pub thread: Option<(EntryId, String)>,
    /// Who wrote it.
    pub author: Person,
    /// Their name, in pieces.
    pub name: Vec<Piece>,
    /// When it was written, milliseconds since 1970.
    pub at: u64,
    /// What its text has around what was looked for, in one line, as it was written but for what cannot be seen.
    pub text: Vec<Piece>,
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Words, only text.
    pub text: String,
    /// Whether it is what was looked for.
    pub hit: bool,
}

/// Longest text that is looked for, bytes of UTF-8.
pub const SEARCH_BYTES_MAX: usize = 200;
/// Posts in one [`FoundPage`].
pub const PAGE_FOUND: usize = 40;

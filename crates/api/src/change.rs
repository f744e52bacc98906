use crate::EntryId;
use crate::Node;
use crate::govern::PersonId;
use crate::view::Person;
use serde::{Deserialize, Serialize};

/// Something that this person does not want to see. Nobody else learns of it, and it can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Hidden {
    /// One post.
    Post(EntryId),
    /// All posts of a person.
    Person(PersonId),
}

/// A text that a post had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionView {
    /// Who wrote it: the author, or who owned the post then.
    pub author: Person,
    /// When, milliseconds since 1970.
    pub at: u64,
    /// The text.
    pub text: String,
    /// The same, ready to be drawn; nothing: it is nothing but words.
    pub nodes: Vec<Node>,
}

/// How a post came to an owner. The first owner is its author.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerView {
    /// Who owned it from then on.
    pub owner: Person,
    /// Who gave it to them: the owner before, or an owner of the community.
    pub by: Person,
    /// When, milliseconds since 1970, by the clock of who did it.
    pub at: u64,
    /// Whether it came by a recovery that a device of the old persona contests.
    pub contested: bool,
}

use serde::{Deserialize, Serialize};

/// A piece of a text as it is to be drawn. What a person wrote in Markdown arrives as these and never as HTML.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Words, or the address of a link; only text.
    pub text: String,
    /// What is in it, in order.
    pub nodes: Vec<Node>,
}

/// What a [`Node`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NodeKind {
    /// Words as they are.
    Text,
    /// The end of a line.
    Break,
    /// Words of a program, in a line.
    Code,
    /// Stressed strongly.
    Strong,
    /// Stressed.
    Emphasis,
    /// Struck out.
    Struck,
    /// A link: `text` is its whole address, which begins with `https://` or `http://`. It is opened only when somebody taps it.
    Link,
    /// Where a link really leads, for a link whose words do not say so.
    Host,
    /// Where a link really leads, spelled with letters that can be taken for others: to be marked as a warning.
    Lookalike,
    /// A character that cannot be seen, or that turns the direction of what follows, by its number: `U+202E`.
    Unseen,
    /// A paragraph.
    Paragraph,
    /// A heading.
    Heading,
    /// What somebody else said.
    Quote,
    /// A list.
    Bullets,
    /// A list with numbers; `text` is the first one.
    Numbers,
    /// A part of a list.
    Item,
    /// Lines of a program.
    Block,
    /// A line across.
    Rule,
}

//! What people write, made ready to be drawn: Markdown as a small tree of [`Node`]s, never as HTML.
//!
//! The text comes from a stranger. So everything is bounded; links lead to `https` and `http` only and say where; pictures
//! are links, because nothing is fetched; and characters that cannot be seen or turn the direction of others are shown by
//! their numbers. What is too rich for the bounds is shown as it was written.

mod link;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod rules;
mod unseen;

use pulldown_cmark::{Event, Options, Parser, Tag, TextMergeStream};
use ume_api::{Node, NodeKind};

/// How deep pieces stand in each other, at most; what is deeper stands where the bound is.
const DEPTH_MAX: usize = 16;
/// Pieces of one text, at most.
const NODES_MAX: usize = 2_000;

/// A text without what nobody sees.
pub(crate) fn without_unseen(text: &str) -> String {
    unseen::without(text)
}

/// Makes a text ready. Nothing: there is nothing to it but words, and it is drawn as it is.
pub(crate) fn nodes(text: &str) -> Vec<Node> {
    if is_plain(text) {
        return vec![];
    }
    let mut tree = Tree::new();
    let parser = Parser::new_ext(text, Options::ENABLE_STRIKETHROUGH);
    for event in TextMergeStream::new(parser) {
        tree.take(event);
        if tree.count > NODES_MAX {
            return as_written(text);
        }
    }
    let nodes = tree.end();
    if nodes.is_empty() {
        // All of it was for the machine: somebody should see it all the same.
        return as_written(text);
    }
    nodes
}

/// A text without characters that cannot be seen or turn the direction of others.
pub(crate) fn seen(text: &str) -> String {
    unseen::without(text)
}

/// Whether a text is nothing but words, told at a glance: most are.
fn is_plain(text: &str) -> bool {
    let marks = text.bytes().any(|sign| b"*_`#>[]<~\\&+=".contains(&sign));
    let lists = text.lines().any(|line| {
        let line = line.trim_start();
        line.starts_with('-') || line.starts_with(|sign: char| sign.is_ascii_digit())
    });
    !marks && !lists && !text.contains("://") && !unseen::is_in(text)
}

/// A text as it was written, but for what cannot be seen.
fn as_written(text: &str) -> Vec<Node> {
    let mut count = 0;
    let mut nodes = vec![];
    unseen::spell(text, &mut |node| {
        count += 1;
        if count <= NODES_MAX {
            nodes.push(node);
        }
    });
    // Too many of them: without what could do harm.
    if count > NODES_MAX {
        nodes = vec![leaf(NodeKind::Text, unseen::without(text))];
    }
    vec![Node {
        kind: NodeKind::Paragraph,
        text: String::new(),
        nodes,
    }]
}

fn leaf(kind: NodeKind, text: impl Into<String>) -> Node {
    Node {
        kind,
        text: text.into(),
        nodes: vec![],
    }
}

struct Tree {
    /// The pieces that are open, each in the one before; the first is the whole.
    open: Vec<Node>,
    /// What was opened beyond the bound, or is not drawn, and has not ended.
    flat: Vec<bool>,
    count: usize,
    links: usize,
}

impl Tree {
    fn new() -> Self {
        Self {
            open: vec![leaf(NodeKind::Paragraph, "")],
            flat: vec![],
            count: 0,
            links: 0,
        }
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(_) => self.finish(),
            // HTML is shown as what it is: words.
            Event::Text(text)
            | Event::Html(text)
            | Event::InlineHtml(text)
            | Event::FootnoteReference(text) => self.words(&text),
            Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.wrapped(NodeKind::Code, &text);
            }
            Event::SoftBreak | Event::HardBreak => self.add(leaf(NodeKind::Break, "")),
            Event::Rule => self.add(leaf(NodeKind::Rule, "")),
            Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        let node = match tag {
            Tag::Paragraph | Tag::HtmlBlock => leaf(NodeKind::Paragraph, ""),
            Tag::Heading { .. } => leaf(NodeKind::Heading, ""),
            Tag::BlockQuote(_) => leaf(NodeKind::Quote, ""),
            Tag::CodeBlock(_) => leaf(NodeKind::Block, ""),
            Tag::List(None) => leaf(NodeKind::Bullets, ""),
            Tag::List(Some(first)) => leaf(NodeKind::Numbers, first.to_string()),
            Tag::Item => leaf(NodeKind::Item, ""),
            Tag::Emphasis => leaf(NodeKind::Emphasis, ""),
            Tag::Strong => leaf(NodeKind::Strong, ""),
            Tag::Strikethrough => leaf(NodeKind::Struck, ""),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                leaf(NodeKind::Link, dest_url.to_string())
            }
            _ => return self.flat.push(true),
        };
        let is_link = node.kind == NodeKind::Link;
        // A link in a link, as of a picture in one, is part of it.
        if self.open.len() > DEPTH_MAX || is_link && self.links > 0 {
            return self.flat.push(true);
        }
        self.links += usize::from(is_link);
        self.flat.push(false);
        self.open.push(node);
    }

    fn finish(&mut self) {
        if self.flat.pop() != Some(false) {
            return;
        }
        let Some(node) = self.open.pop() else { return };
        if node.kind == NodeKind::Link {
            self.links = self.links.saturating_sub(1);
            for node in link::checked(node) {
                self.add(node);
            }
        } else {
            self.add(node);
        }
    }

    fn add(&mut self, node: Node) {
        self.count += 1;
        if let Some(place) = self.open.last_mut() {
            place.nodes.push(node);
        }
    }

    /// Words, in which addresses may stand.
    fn words(&mut self, text: &str) {
        let place = self.open.last().map(|node| node.kind);
        let literal = place == Some(NodeKind::Block) || self.links > 0;
        if literal {
            return unseen::spell(text, &mut |node| self.add(node));
        }
        for part in link::found(text) {
            match part {
                link::Part::Words(words) => unseen::spell(words, &mut |node| self.add(node)),
                link::Part::Address(address) => {
                    let node = Node {
                        nodes: vec![leaf(NodeKind::Text, address)],
                        ..leaf(NodeKind::Link, address)
                    };
                    for node in link::checked(node) {
                        self.add(node);
                    }
                }
            }
        }
    }

    fn wrapped(&mut self, kind: NodeKind, text: &str) {
        let mut node = leaf(kind, "");
        unseen::spell(text, &mut |part| node.nodes.push(part));
        self.count += node.nodes.len();
        self.add(node);
    }

    fn end(mut self) -> Vec<Node> {
        while self.open.len() > 1 {
            self.flat.clear();
            self.flat.push(false);
            self.finish();
        }
        self.open.pop().map(|whole| whole.nodes).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;

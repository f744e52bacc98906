//! Links: found in words, and checked.

use super::{leaf, unseen};
use ume_api::{Node, NodeKind};

/// Longest address that is a link, bytes.
const ADDRESS_BYTES_MAX: usize = 2_048;
const SCHEMES: [&str; 2] = ["https://", "http://"];

/// A part of some words.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Words(&'a str),
    Address(&'a str),
}

/// Addresses that stand in words by themselves.
pub(super) fn found(text: &str) -> Vec<Part<'_>> {
    let mut parts = vec![];
    let mut rest = text;
    while let Some(at) = SCHEMES.iter().filter_map(|scheme| rest.find(scheme)).min() {
        let (before, from) = rest.split_at(at);
        let end = from.find(|sign: char| {
            sign.is_whitespace() || sign.is_control() || "<>\"`{}|\\^".contains(sign)
        });
        let whole = from.get(..end.unwrap_or(from.len())).unwrap_or(from);
        let address = trimmed(whole);
        let inside = before
            .chars()
            .next_back()
            .is_some_and(char::is_alphanumeric);
        if inside || host(address).is_none() {
            // No address; what follows may be one.
            let (words, after) = rest.split_at(at + "http".len());
            parts.push(Part::Words(words));
            rest = after;
            continue;
        }
        if !before.is_empty() {
            parts.push(Part::Words(before));
        }
        parts.push(Part::Address(address));
        rest = from.get(address.len()..).unwrap_or_default();
    }
    if !rest.is_empty() {
        parts.push(Part::Words(rest));
    }
    parts
}

/// Without what ends a sentence or a bracket around it.
fn trimmed(address: &str) -> &str {
    let mut rest = address;
    while let Some(last) = rest.chars().next_back() {
        let opened = |sign| rest.matches(sign).count();
        let closes = match last {
            ')' => opened(')') > opened('('),
            ']' => opened(']') > opened('['),
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~' => true,
            _ => false,
        };
        if !closes {
            break;
        }
        rest = rest.get(..rest.len() - last.len_utf8()).unwrap_or_default();
    }
    rest
}

/// The host of an address, if it is one that may be a link: where a browser would go.
fn host(address: &str) -> Option<&str> {
    if address.len() > ADDRESS_BYTES_MAX || unseen::is_in(address) {
        return None;
    }
    let scheme = SCHEMES.iter().find(|scheme| {
        let start = address.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })?;
    let rest = address.get(scheme.len()..)?;
    // Browsers take a backslash for a slash.
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let authority = rest.get(..end)?;
    // A name before the host is there to deceive; nobody needs it.
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, port)| {
            let is_port = port.bytes().all(|sign| sign.is_ascii_digit());
            if is_port { host } else { authority }
        });
    let sound = !host.is_empty()
        && !host.contains('@')
        && !host.contains(|sign: char| {
            sign.is_whitespace() || sign.is_control() || "%<>\"`{}|^".contains(sign)
        });
    sound.then_some(host)
}

/// Whether a host may be taken for another: letters of other alphabets than the Latin one, or spelled for machines.
fn is_lookalike(host: &str) -> bool {
    let foreign = |sign: char| !sign.is_ascii() && !matches!(sign, '\u{c0}'..='\u{17f}');
    let coded = |label: &str| {
        let start = label.get(..4);
        start.is_some_and(|start| start.eq_ignore_ascii_case("xn--"))
    };
    host.chars().any(foreign) || host.split('.').any(coded)
}

fn words_of(nodes: &[Node], out: &mut String) {
    for node in nodes {
        match node.kind {
            NodeKind::Text => out.push_str(&node.text),
            _ => words_of(&node.nodes, out),
        }
    }
}

/// A link that may be drawn as one, and behind it where it leads unless its words say so. What is no link that we follow
/// becomes its words, and its address.
pub(super) fn checked(mut node: Node) -> Vec<Node> {
    let Some(host) = host(&node.text).map(str::to_lowercase) else {
        let mut parts = std::mem::take(&mut node.nodes);
        if !node.text.is_empty() {
            parts.push(leaf(NodeKind::Text, " ("));
            unseen::spell(&node.text, &mut |part| parts.push(part));
            parts.push(leaf(NodeKind::Text, ")"));
        }
        return parts;
    };
    if node.nodes.is_empty() {
        node.nodes.push(leaf(NodeKind::Text, node.text.clone()));
    }
    let mut words = String::new();
    words_of(&node.nodes, &mut words);
    let says = words == node.text;
    let doubtful = is_lookalike(&host);
    let mut all = vec![node];
    if doubtful {
        all.push(leaf(NodeKind::Lookalike, host));
    } else if !says {
        all.push(leaf(NodeKind::Host, host));
    }
    all
}

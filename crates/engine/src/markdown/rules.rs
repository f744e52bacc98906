//! What holds for every text, whoever wrote it.
#![allow(clippy::missing_panics_doc)] // all that a panic here says is that a rule was broken

use super::{DEPTH_MAX, NODES_MAX, nodes, unseen};
use ume_api::{Node, NodeKind};

fn depth(nodes: &[Node]) -> usize {
    let deepest = nodes.iter().map(|node| depth(&node.nodes)).max();
    deepest.map_or(0, |deepest| deepest + 1)
}

fn count(nodes: &[Node]) -> usize {
    nodes.len() + nodes.iter().map(|node| count(&node.nodes)).sum::<usize>()
}

/// Looks at every piece.
pub(crate) fn each(nodes: &[Node], look: &mut dyn FnMut(&Node)) {
    for node in nodes {
        look(node);
        each(&node.nodes, look);
    }
}

/// What holds for every text.
pub(crate) fn holds(text: &str) {
    let nodes = nodes(text);
    assert!(depth(&nodes) <= DEPTH_MAX + 3, "{text:?}");
    assert!(count(&nodes) <= 4 * NODES_MAX, "{text:?}");
    each(&nodes, &mut |node| {
        if node.kind == NodeKind::Link {
            let lower = node.text.to_lowercase();
            assert!(lower.starts_with("https://") || lower.starts_with("http://"));
            each(&node.nodes, &mut |one| assert_ne!(one.kind, NodeKind::Link));
        }
        assert!(!unseen::is_in(&node.text), "{text:?}: {node:?}");
    });
}

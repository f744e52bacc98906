//! The text of a post. What is in it comes from the engine as a tree of nodes; nothing of it is ever HTML.
use crate::i18n::{I18n, t};
use leptos::html;
use leptos::prelude::*;
use ume_api::{Node, NodeKind};

/// The text of a post or version, unless it is not here yet.
pub(crate) fn words(i18n: I18n, text: &str, nodes: &[Node]) -> AnyView {
    if text.is_empty() {
        return view! { class="u", <p class="post-text post-gone">{t!(i18n, post.textless)}</p> }
            .into_any();
    }
    if nodes.is_empty() {
        return view! { class="u", <p class="post-text" dir="auto">{text.to_owned()}</p> }
            .into_any();
    }
    view! { class="u", <div class="post-text rich">{drawn(i18n, nodes)}</div> }.into_any()
}

fn drawn(i18n: I18n, nodes: &[Node]) -> Vec<AnyView> {
    nodes.iter().map(|node| one(i18n, node)).collect()
}

fn one(i18n: I18n, node: &Node) -> AnyView {
    let text = node.text.clone();
    let tag = match node.kind {
        NodeKind::Text => return text.into_any(),
        NodeKind::Break => return html::br().into_any(),
        NodeKind::Rule => return html::hr().into_any(),
        NodeKind::Link => {
            return view! { class="u",
                <a href=text target="_blank" rel="noopener noreferrer" referrerpolicy="no-referrer">
                    {drawn(i18n, &node.nodes)}
                </a>
            }
            .into_any();
        }
        NodeKind::Host => {
            return view! { class="u", " "<bdi class="host">"("{text}")"</bdi> }.into_any();
        }
        NodeKind::Lookalike => {
            return view! { class="u",
                " "
                <strong class="doubt">
                    <bdi>"("{text}")"</bdi>
                    " "
                    {t!(i18n, text.lookalike)}
                </strong>
            }
            .into_any();
        }
        NodeKind::Unseen => {
            return view! { class="u", <bdi class="doubt" title=t!(i18n, text.unseen)>{text}</bdi> }
                .into_any();
        }
        NodeKind::Numbers => {
            let inside = drawn(i18n, &node.nodes);
            return view! { class="u", <ol dir="auto" start=text>{inside}</ol> }.into_any();
        }
        NodeKind::Block => {
            let inside = drawn(i18n, &node.nodes);
            return view! { class="u", <pre tabindex="0" dir="ltr"><code>{inside}</code></pre> }
                .into_any();
        }
        NodeKind::Code => "code",
        NodeKind::Strong => "strong",
        NodeKind::Emphasis => "em",
        NodeKind::Struck => "s",
        NodeKind::Paragraph | NodeKind::Heading => "p",
        NodeKind::Quote => "blockquote",
        NodeKind::Bullets => "ul",
        NodeKind::Item => "li",
    };
    // One way to draw all of them, which is compiled once.
    let heading = (node.kind == NodeKind::Heading).then_some("rich-heading");
    html::custom(tag)
        .dir("auto")
        .class(heading.unwrap_or_default())
        .child(drawn(i18n, &node.nodes))
        .into_any()
}

use super::rules::{each, holds};
use super::*;
use proptest::prelude::*;

/// A tree in short: words as they are, everything else as its name with what is in it.
fn drawn(nodes: &[Node]) -> String {
    let one = |node: &Node| match node.kind {
        NodeKind::Text => node.text.clone(),
        NodeKind::Break => "/".into(),
        kind if node.text.is_empty() => format!("{kind:?}[{}]", drawn(&node.nodes)),
        kind if node.nodes.is_empty() => format!("{kind:?}({})", node.text),
        kind => format!("{kind:?}({})[{}]", node.text, drawn(&node.nodes)),
    };
    nodes.iter().map(one).collect()
}

fn read(text: &str) -> String {
    drawn(&nodes(text))
}

#[test]
fn words_cost_nothing() {
    for text in [
        "Soup at seven.",
        "One\n\nTwo, three; four!",
        "Grüße 🌸 👩‍👩‍👧",
        "می‌خواهم",
        "❤️",
    ] {
        assert_eq!(nodes(text), [], "{text}");
    }
}

#[test]
fn what_people_write_is_understood() {
    let cases = [
        (
            "*a* **b** ~~c~~ `d`",
            "Paragraph[Emphasis[a] Strong[b] Struck[c] Code[d]]",
        ),
        ("one *two*\nthree", "Paragraph[one Emphasis[two]/three]"),
        ("# Soup\nat seven", "Heading[Soup]Paragraph[at seven]"),
        ("> said", "Quote[Paragraph[said]]"),
        ("- a\n- b", "Bullets[Item[a]Item[b]]"),
        ("3. a\n4. b", "Numbers(3)[Item[a]Item[b]]"),
        ("```rust\nlet a = *b;\n```", "Block[let a = *b;\n]"),
        ("a\n\n---\n\nb", "Paragraph[a]Rule[]Paragraph[b]"),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn links_say_where_they_lead() {
    let link = |address: &str, words: &str, more: &str| format!("Link({address})[{words}]{more}");
    let cases = [
        (
            "see https://a.example/x.",
            format!(
                "see {}.",
                link("https://a.example/x", "https://a.example/x", "")
            ),
        ),
        (
            "(https://a.example/x_(y))",
            format!(
                "({})",
                link("https://a.example/x_(y)", "https://a.example/x_(y)", "")
            ),
        ),
        (
            "[soup](https://a.example/x)",
            link("https://a.example/x", "soup", "Host(a.example)"),
        ),
        (
            "[https://bank.example](https://evil.example)",
            link(
                "https://evil.example",
                "https://bank.example",
                "Host(evil.example)",
            ),
        ),
        (
            "<https://a.example>",
            link("https://a.example", "https://a.example", ""),
        ),
        (
            "![plum](https://a.example/p.png)",
            link("https://a.example/p.png", "plum", "Host(a.example)"),
        ),
        (
            "https://аpple.example/",
            link(
                "https://аpple.example/",
                "https://аpple.example/",
                "Lookalike(аpple.example)",
            ),
        ),
        (
            "https://xn--pple-43d.example",
            link(
                "https://xn--pple-43d.example",
                "https://xn--pple-43d.example",
                "Lookalike(xn--pple-43d.example)",
            ),
        ),
        (
            "https://müller.example",
            link("https://müller.example", "https://müller.example", ""),
        ),
        (
            "[a ![b](https://b.example) c](https://a.example)",
            link("https://a.example", "a b c", "Host(a.example)"),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text), format!("Paragraph[{expected}]"), "{text}");
    }
}

#[test]
fn what_is_no_link_is_words() {
    for text in [
        "[tap](javascript:alert(1))",
        "[tap](data:text/html,x)",
        "[tap](//evil.example)",
        "[tap](https://bank.example@evil.example/)",
        "https://bank.example@evil.example/",
        "https://",
        "xhttps://a.example",
        "<javascript:alert(1)>",
        "[tap](https://a.example/\u{202e}gpj)",
        "[tap](https://%61.example)",
    ] {
        each(&nodes(text), &mut |node| {
            assert_ne!(node.kind, NodeKind::Link, "{text}");
        });
    }
}

#[test]
fn html_is_words() {
    let html = "<script>alert(1)</script>";
    assert_eq!(read(html), format!("Paragraph[{html}]"));
    assert_eq!(
        read("a <b onclick=x>b</b>"),
        "Paragraph[a <b onclick=x>b</b>]"
    );
}

#[test]
fn what_cannot_be_seen_is_spelled() {
    assert_eq!(read("in\u{202e}voice"), "Paragraph[inUnseen(U+202E)voice]");
    assert_eq!(read("a\u{200b}b"), "Paragraph[aUnseen(U+200B)b]");
    assert_eq!(read("a\u{200d}b"), "Paragraph[aUnseen(U+200D)b]");
    assert_eq!(read("`a\u{2066}b`"), "Paragraph[Code[aUnseen(U+2066)b]]");
    assert_eq!(read("a\u{7}b"), "Paragraph[aUnseen(U+0007)b]");
}

#[test]
fn what_is_too_rich_is_shown_as_it_was_written() {
    let rich = "*a* ".repeat(3_000);
    assert_eq!(read(&rich), format!("Paragraph[{rich}]"));
    let unseen = "\u{200b}".repeat(5_000) + "a";
    assert_eq!(read(&unseen), "Paragraph[a]");
    let deep = ">".repeat(5_000) + " deep";
    assert!(read(&deep).contains("deep"));
    assert_eq!(
        read("[a]: https://a.example"),
        "Paragraph[[a]: https://a.example]"
    );
}

proptest! {
    #[test]
    fn every_text_is_bounded_and_harmless(text in ".{0,400}") {
        holds(&text);
    }

    #[test]
    fn every_mixture_of_marks_is_bounded_and_harmless(
        parts in prop::collection::vec(prop::sample::select(vec![
            "*", "**", "_", "`", "```\n", "~~", "[", "](", ")", "![", "<", ">", "# ", "- ", "1. ", "\n", "\n\n", " ", "a",
            "https://a.example", "http://", "javascript:", "@", "\u{202e}", "\u{200b}", "&amp;", "\\", "<b>", "|", "\t", "    ",
        ]), 0..200)
    ) {
        holds(&parts.concat());
    }
}

#[test]
fn what_is_not_shown_makes_nothing_honest() {
    // The second tag follows a tag, but that is no part of a flag.
    holds("*x*\u{e0041}\u{e0041}y");
    holds("*x*\u{200b}\u{fe0f}\u{200d}y");
}

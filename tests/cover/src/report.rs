//! The tables: what was tried, what came out, what it was to be.

use crate::fault::{Fault, Result};
use std::fmt::Write;

/// What a figure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing was found where nothing is to be found, or a cost is what it is said to be.
    Holds,
    /// A bar is missed.
    Missed,
    /// A way that is known to fail was found out.
    Caught,
    /// It was not: the test proves nothing.
    Slipped,
    /// There is no bar.
    Shown,
}

impl Verdict {
    /// Of something that must hold.
    pub(crate) fn held(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Missed }
    }

    /// Of a control.
    pub(crate) fn caught(caught: bool) -> Self {
        if caught { Self::Caught } else { Self::Slipped }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Missed => "**missed**",
            Self::Caught => "caught",
            Self::Slipped => "**not caught**",
            Self::Shown => "",
        }
    }

    fn fails(self) -> bool {
        matches!(self, Self::Missed | Self::Slipped)
    }
}

/// A table of Markdown.
pub(crate) struct Table {
    title: &'static str,
    head: &'static [&'static str],
    rows: Vec<(Vec<String>, Verdict)>,
}

impl Table {
    /// With these columns, and one more for verdicts.
    pub(crate) fn new(title: &'static str, head: &'static [&'static str]) -> Self {
        Self {
            title,
            head,
            rows: Vec::new(),
        }
    }

    /// Adds a row, and prints it: the whole takes minutes.
    pub(crate) fn row(&mut self, cells: Vec<String>, verdict: Verdict) {
        println!("{}: {} {}", self.title, cells.join(" | "), verdict.word());
        self.rows.push((cells, verdict));
    }

    /// How many rows fail.
    pub(crate) fn failures(&self) -> usize {
        self.rows
            .iter()
            .filter(|(_, verdict)| verdict.fails())
            .count()
    }

    /// As Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("### {}\n\n| {} | |\n|", self.title, self.head.join(" | "));
        text.push_str(&"---|".repeat(self.head.len() + 1));
        text.push('\n');
        for (cells, verdict) in &self.rows {
            let _ = writeln!(text, "| {} | {} |", cells.join(" | "), verdict.word());
        }
        text
    }
}

/// Several tables as one text.
pub(crate) fn all(tables: &[Table]) -> String {
    let tables: Vec<String> = tables.iter().map(Table::markdown).collect();
    tables.join("\n")
}

/// # Errors
/// When a row fails.
pub(crate) fn judge(tables: &[Table]) -> Result {
    match tables.iter().map(Table::failures).sum() {
        0 => Ok(()),
        count => Err(Fault::Failed(count)),
    }
}

/// `page` with what stands between the lines that mark the section `name` replaced. Nothing when it has no such lines.
pub(crate) fn insert(page: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (
        format!("<!-- {name} -->\n"),
        format!("<!-- end of {name} -->"),
    );
    let from = page.find(&begin)? + begin.len();
    let to = from + page[from..].find(&end)?;
    Some(format!(
        "{}\n{}\n{}",
        &page[..from],
        text.trim_end(),
        &page[to..]
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_counts_what_fails() {
        let mut table = Table::new("Found", &["way", "share"]);
        table.row(vec!["up".into(), "0.1".into()], Verdict::held(true));
        table.row(vec!["down".into(), "0.2".into()], Verdict::held(false));
        table.row(vec!["off".into(), "0.3".into()], Verdict::caught(false));
        assert_eq!(table.failures(), 2);
        let expected = "### Found\n\n| way | share | |\n|---|---|---|\n| up | 0.1 | holds |\n\
                        | down | 0.2 | **missed** |\n| off | 0.3 | **not caught** |\n";
        assert_eq!(table.markdown(), expected);
    }

    #[test]
    fn a_section_is_replaced_and_nothing_else() {
        let page = "a\n<!-- figures -->\nold\n<!-- end of figures -->\nb\n";
        let new = insert(page, "figures", "new\n").unwrap();
        assert_eq!(
            new,
            "a\n<!-- figures -->\n\nnew\n\n<!-- end of figures -->\nb\n"
                .replace("\n\n<!-- end", "\n<!-- end")
        );
        assert!(insert(page, "pictures", "new").is_none());
    }
}

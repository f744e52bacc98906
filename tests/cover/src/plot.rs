//! Pictures, drawn by hand: bars and lines in SVG, legible on light and dark paper.

use std::fmt::Write;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 170.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 44.0;
const COLOURS: [&str; 4] = ["#0b7285", "#e8590c", "#7048e8", "#868e96"];

/// Bars side by side, from 0 to 1, with a line where they should end.
pub(crate) struct Bars<'a> {
    /// What the picture shows.
    pub(crate) title: &'a str,
    /// What each bar of a group is.
    pub(crate) kinds: &'a [&'a str],
    /// A name and a value for each kind.
    pub(crate) groups: &'a [(String, Vec<f64>)],
    /// Where the line is.
    pub(crate) line: f64,
}

impl Bars<'_> {
    /// The picture.
    pub(crate) fn svg(&self) -> String {
        let bar = 13.0;
        let group = bar * self.kinds.len() as f64 + 14.0;
        let height = TOP + group * self.groups.len() as f64 + 30.0;
        let mut svg = open(self.title, height);
        legend(&mut svg, self.kinds);
        for (index, (name, values)) in self.groups.iter().enumerate() {
            let top = TOP + group * index as f64;
            text(&mut svg, (LEFT - 8.0, top + group / 2.0), "end", name);
            for (kind, value) in values.iter().enumerate() {
                let y = top + bar * kind as f64 + 4.0;
                let width = (x(*value) - LEFT).max(1.0);
                let colour = COLOURS[kind % COLOURS.len()];
                let _ = writeln!(
                    svg,
                    r#"<rect x="{LEFT}" y="{y:.1}" width="{width:.1}" height="{:.1}" fill="{colour}"/>"#,
                    bar - 2.0
                );
                text(
                    &mut svg,
                    (LEFT + width + 4.0, y + 9.0),
                    "start",
                    &format!("{value:.3}"),
                );
            }
        }
        upright(&mut svg, x(self.line), height - 26.0);
        text(
            &mut svg,
            (x(self.line) + 4.0, height - 10.0),
            "start",
            &format!("bar: {}", self.line),
        );
        svg.push_str("</svg>\n");
        svg
    }
}

/// Lines over the same range, each through points whose second part goes from 0 to 1.
pub(crate) struct Lines<'a> {
    /// What the picture shows.
    pub(crate) title: &'a str,
    /// What the first part of points is.
    pub(crate) unit: &'a str,
    /// The range of the first parts.
    pub(crate) range: (f64, f64),
    /// A name and points.
    pub(crate) each: &'a [(&'a str, Vec<(f64, f64)>)],
}

impl Lines<'_> {
    /// The picture.
    pub(crate) fn svg(&self) -> String {
        let (height, below) = (320.0, 280.0);
        let mut svg = open(self.title, height);
        let names: Vec<&str> = self.each.iter().map(|(name, _)| *name).collect();
        legend(&mut svg, &names);
        let place = |(at, part): &(f64, f64)| {
            let at = (at - self.range.0) / (self.range.1 - self.range.0);
            format!(
                "{:.1},{:.1}",
                x(at.clamp(0.0, 1.0)),
                below - part * (below - TOP)
            )
        };
        for (index, (_, points)) in self.each.iter().enumerate() {
            let path: Vec<String> = points.iter().map(place).collect();
            let (path, colour) = (path.join(" "), COLOURS[index % COLOURS.len()]);
            let dashes = if index % 2 == 1 {
                r#" stroke-dasharray="6 4""#
            } else {
                ""
            };
            let _ = writeln!(
                svg,
                r#"<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>"#
            );
        }
        for step in 0..=4 {
            let part = f64::from(step) / 4.0;
            let value = self.range.0 + part * (self.range.1 - self.range.0);
            text(
                &mut svg,
                (x(part), below + 18.0),
                "middle",
                &format!("{value:.0}"),
            );
            text(
                &mut svg,
                (LEFT - 8.0, below - part * (below - TOP) + 4.0),
                "end",
                &format!("{part:.2}"),
            );
        }
        text(&mut svg, (x(0.5), below + 36.0), "middle", self.unit);
        svg.push_str("</svg>\n");
        svg
    }
}

/// The share of numbers up to each point, at a hundred points.
pub(crate) fn shares(numbers: &[f64], (from, to): (f64, f64)) -> Vec<(f64, f64)> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    (0..=100)
        .map(|step| {
            let at = from + (to - from) * f64::from(step) / 100.0;
            let upto = sorted.partition_point(|x| *x <= at);
            (at, upto as f64 / sorted.len().max(1) as f64)
        })
        .collect()
}

fn x(part: f64) -> f64 {
    LEFT + part * (WIDTH - LEFT - RIGHT - 40.0)
}

fn open(title: &str, height: f64) -> String {
    let style = "text{font:12px sans-serif;fill:#24292f}.page{fill:#fff}\
                 @media(prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117}}";
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>{title}</title>\n<style>{style}</style>\n\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\"/>\n"
    );
    text(&mut svg, (10.0, 18.0), "start", title);
    svg
}

fn legend(svg: &mut String, names: &[&str]) {
    for (index, name) in names.iter().enumerate() {
        let left = LEFT + 180.0 * index as f64;
        let colour = COLOURS[index % COLOURS.len()];
        let _ = writeln!(
            svg,
            r#"<rect x="{left}" y="26" width="10" height="10" fill="{colour}"/>"#
        );
        text(svg, (left + 14.0, 35.0), "start", name);
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        svg,
        r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{words}</text>"#
    );
}

fn upright(svg: &mut String, x: f64, below: f64) {
    let _ = writeln!(
        svg,
        "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{below:.1}\" stroke=\"#c92a2a\" stroke-dasharray=\"4 3\"/>"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_bar_and_words_are_escaped() {
        let groups = [
            ("a < b".to_owned(), vec![0.5, 1.0]),
            ("c".to_owned(), vec![0.0, 0.25]),
        ];
        let svg = Bars {
            title: "t",
            kinds: &["x", "y"],
            groups: &groups,
            line: 0.1,
        }
        .svg();
        assert_eq!(svg.matches("<rect x=\"170\" y=").count(), 4 + 1);
        assert!(svg.contains("a &lt; b") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn shares_rise_from_nothing_to_all() {
        let shares = shares(&[1.0, 2.0, 3.0, 4.0], (0.0, 5.0));
        assert_eq!(shares[0], (0.0, 0.0));
        assert_eq!(shares[50], (2.5, 0.5));
        assert_eq!(shares[100], (5.0, 1.0));
    }
}

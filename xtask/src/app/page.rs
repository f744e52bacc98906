//! The page says what each of its files has to be, and a browser refuses one that differs. What it says to whoever builds
//! it goes.
use super::Files;
use data_encoding::BASE64;
use sha2::{Digest, Sha256};

/// Gives every `<script src>` and every `<link>` that loads one of `files` its `integrity`. Browsers count it only on
/// requests that are made with `crossorigin`, even to the page's own origin.
pub(super) fn finished(page: &str, files: &Files) -> String {
    let mut out = String::with_capacity(page.len() + 1024);
    let mut rest = page;
    while let Some((before, tag, after)) = next_tag(rest) {
        out.push_str(before);
        if !is_for_trunk(tag) {
            out.push_str(&with_integrity(tag, files));
        }
        rest = after;
    }
    out.push_str(rest);
    // Where a tag was taken away an empty line is left.
    out.lines()
        .filter(|line| !line.is_empty())
        .fold(String::new(), |page, line| page + line + "\n")
}

/// All tags that may load something, or say what the page is made of.
pub(super) fn tags(page: &str) -> impl Iterator<Item = &str> {
    let mut rest = page;
    std::iter::from_fn(move || {
        let (_, tag, after) = next_tag(rest)?;
        rest = after;
        Some(tag)
    })
}

/// Whether a tag is for whoever builds the page.
pub(super) fn is_for_trunk(tag: &str) -> bool {
    tag.contains(" data-trunk ")
}

/// What stands before the next tag that may load something, that tag, and what follows.
fn next_tag(text: &str) -> Option<(&str, &str, &str)> {
    let start = ["<script", "<link"]
        .into_iter()
        .filter_map(|tag| text.find(tag))
        .min()?;
    let end = start + text.get(start..)?.find('>')? + 1;
    Some((text.get(..start)?, text.get(start..end)?, text.get(end..)?))
}

fn with_integrity(tag: &str, files: &Files) -> String {
    // A preload is left out: what is fetched later without the same word would be fetched twice.
    // `later` is our own word for what boot.js loads when it is needed.
    let loads = ["stylesheet", "modulepreload", "later"];
    let relevant =
        tag.starts_with("<script") || attribute(tag, "rel").is_some_and(|rel| loads.contains(&rel));
    let content = attribute(tag, "src")
        .or_else(|| attribute(tag, "href"))
        .and_then(|address| address.strip_prefix('/'))
        .and_then(|name| files.get(name));
    match (content, tag.strip_suffix('>')) {
        (Some(content), Some(open)) if relevant => {
            let open = open.trim_end_matches('/').trim_end();
            let hash = BASE64.encode(&Sha256::digest(content));
            format!("{open} crossorigin integrity=\"sha256-{hash}\">")
        }
        _ => tag.to_owned(),
    }
}

pub(super) fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = tag.get(start..)?;
    value.get(..value.find('"')?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_scripts_and_styles_are_pinned_and_nothing_else_is() {
        let files = Files::from([
            ("a.js".to_owned(), b"x".to_vec()),
            ("icon.svg".to_owned(), b"y".to_vec()),
        ]);
        let pin = format!(
            "crossorigin integrity=\"sha256-{}\"",
            BASE64.encode(&Sha256::digest(b"x"))
        );
        let page = "<p><link data-trunk rel=\"rust\"/><script src=\"/a.js\"></script>\n\n\
                    <link rel=\"modulepreload\" href=\"/a.js\"/><link rel=\"icon\" href=\"/icon.svg\">\
                    <link rel=\"later\" href=\"/a.js\">";
        assert_eq!(
            finished(page, &files),
            format!(
                "<p><script src=\"/a.js\" {pin}></script>\n\
                 <link rel=\"modulepreload\" href=\"/a.js\" {pin}><link rel=\"icon\" href=\"/icon.svg\">\
                 <link rel=\"later\" href=\"/a.js\" {pin}>\n"
            )
        );
    }
}

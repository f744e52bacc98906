use serde_json::Value;

/// Bytes after brotli, as PRODUCT.md sets them.
const FIRST_VISIT_MAX: u64 = 300_000;
const EVERYTHING_MAX: u64 = 900_000;

/// What a first visit does not wait for.
const LATER: [&str; 13] = [
    "engine",
    "line-worker",
    "service",
    "sw.js",
    "asset-manifest",
    "icons/",
    "keys-",
    "bell-",
    "push.js",
    "pictures-",
    "shots/",
    "emoji/",
    "split_later",
];
/// Of these a visit fetches one; the largest counts.
const WORDS: &str = "words/";

/// Prints every file's size and how the sums stand against the budget.
pub(super) fn report(sizes: &Value) {
    let (mut first_visit, mut words) = (0, 0);
    let mut everything = 0;
    println!("\n  {:<44}{:>11}{:>11}", "file", "bytes", "brotli");
    for (name, size) in sizes.as_object().into_iter().flatten() {
        let bytes = |key: &str| size.get(key).and_then(Value::as_u64).unwrap_or(0);
        let (raw, packed) = (bytes("raw"), bytes("br"));
        println!("  {name:<44}{raw:>11}{packed:>11}");
        everything += packed;
        if name.starts_with(WORDS) {
            words = words.max(packed);
        } else if !LATER.iter().any(|start| name.starts_with(start)) {
            first_visit += packed;
        }
    }
    for (what, bytes, most) in [
        (
            "until the first screen",
            first_visit + words,
            FIRST_VISIT_MAX,
        ),
        ("everything", everything, EVERYTHING_MAX),
    ] {
        let verdict = if bytes <= most { "within" } else { "OVER" };
        println!(
            "  {what:<44}{:>11}{bytes:>11}   {verdict} the budget of {most}",
            ""
        );
    }
    println!();
}

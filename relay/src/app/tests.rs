use super::load::is_named_by_content;

#[test]
fn names_by_content_are_told_from_others() {
    for name in [
        "app-0123456789abcdef.js",
        "a/b/app-0123456789abcdef01_bg.wasm",
        "0123456789abcdef0.css",
    ] {
        assert!(is_named_by_content(name), "{name}");
    }
    for name in [
        "index.html",
        "sw.js",
        "app-0123456789abcde.js",
        "x0123456789abcdefx.js",
        "0123456789abcdef/a.js",
    ] {
        assert!(!is_named_by_content(name), "{name}");
    }
}

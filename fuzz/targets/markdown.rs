//! libFuzzer drives the target for the text of posts.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::MARKDOWN.check(bytes));

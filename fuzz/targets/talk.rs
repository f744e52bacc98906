//! libFuzzer drives the target for what members say to each other.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::TALK.check(bytes));

//! libFuzzer drives the target for invite links.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::LINK.check(bytes));

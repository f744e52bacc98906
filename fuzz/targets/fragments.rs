//! libFuzzer drives the target for fragments.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::FRAGMENTS.check(bytes));

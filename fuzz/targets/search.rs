//! libFuzzer drives the target for what somebody looks for.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::SEARCH.check(bytes));

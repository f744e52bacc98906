//! libFuzzer drives the target for commit lanes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::SLOTS.check(bytes));

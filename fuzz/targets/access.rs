//! libFuzzer drives the target for access keys.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::ACCESS.check(bytes));

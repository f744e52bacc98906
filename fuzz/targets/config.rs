//! libFuzzer drives the target for the configuration file.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::CONFIG.check(bytes));

//! libFuzzer drives the target for log lanes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::LOG.check(bytes));

//! libFuzzer drives the target for a whole relay.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::RELAY.check(bytes));

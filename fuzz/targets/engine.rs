//! libFuzzer drives the target for a member's device.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::ENGINE.check(bytes));

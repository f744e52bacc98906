//! libFuzzer drives the target for calls by which a group begins anew.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::CALL.check(bytes));

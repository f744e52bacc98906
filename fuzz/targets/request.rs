//! libFuzzer drives the target for requests to come in.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::REQUEST.check(bytes));

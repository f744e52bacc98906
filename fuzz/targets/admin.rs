//! libFuzzer drives the target for questions to the socket for operators.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ume_fuzz::ADMIN.check(bytes));
